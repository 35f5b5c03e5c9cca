"""Proposition 1: KL and gold of the policy that optimises a proxy under a KL penalty.

The optimum is pi ∝ base * exp(b * proxy), and over the base distribution

    gold = E[g e^{b r}] / E[e^{b r}]
    KL   = E[b r e^{b r}] / E[e^{b r}] - log E[e^{b r}]

With gold on the scale of base quantiles the first is the win rate (item 2 of the
proposition); with gold as it is, the expected reward (item 1). Where the proxy is U(0, 1)
this is Theorem 1: the KL is `kl_of_tilt(b)` whatever the map, and the gold is
`∫ f^{-1}(u) e^{bu} du / Z(b)`.

Each linear piece of a `Misspecification` contributes an integral of (linear) x (exponential),
taken from its larger end so that every exponent is <= 0; the whole is exact for any b.

Source: arXiv 2509.21500, Proposition 1 and Theorem 1.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import gammainc

from uppertail.theory.maps import Floats, Misspecification
from uppertail.theory.uniform import positive

_FLAT: Final = 1e-4
"""Below this b times the range of the proxy, the KL is b² Var/2 to 9 digits."""
_STEEPEST: Final = 60.0
"""exp of this, over the range of the proxy, is the largest tilt that is looked for."""


class Tilted(NamedTuple):
    """What the tilted policy is worth, one value for each tilt."""

    kl: Floats
    """Distance from the base policy, in nats."""
    gold: Floats
    """Mean gold: the win rate, where gold is on the scale of base quantiles."""


def tilt(law: Misspecification, b: ArrayLike) -> Tilted:
    """Return KL and mean gold of the policy base * exp(b * proxy), for each b > 0."""
    tilts = positive(b)
    pairs = np.array([_tilt_one(law, float(one)) for one in tilts.ravel()])
    return Tilted(pairs[:, 0].reshape(tilts.shape)[()], pairs[:, 1].reshape(tilts.shape)[()])


def tilt_at_kl(law: Misspecification, kl: float) -> float:
    """Return the b at which the KL is `kl`.

    Raises:
        ValueError: no tilt gets there, since the proxy's ties bound the KL; see `max_kl`.
    """
    limit = max_kl(law)
    if not 0 < kl < limit:
        raise ValueError(f"the KL of this reward lies between 0 and {limit:.6g}, not at {kl!r}")
    scale = np.log(np.ptp(law.proxy))

    def miss(log_b: float) -> float:
        return _tilt_one(law, float(np.exp(log_b - scale)))[0] - kl

    return float(np.exp(brentq(miss, -_STEEPEST, _STEEPEST, xtol=1e-12) - scale))


def gold_at_kl(law: Misspecification, kl: ArrayLike) -> Floats:
    """Return the mean gold at each KL > 0; NaN beyond `max_kl`, where no policy is."""
    limit = max_kl(law)
    wanted = positive(kl)
    values = [
        _tilt_one(law, tilt_at_kl(law, float(one)))[1] if one < limit else np.nan
        for one in wanted.ravel()
    ]
    return np.array(values).reshape(wanted.shape)[()]


def max_kl(law: Misspecification) -> float:
    """Return the least upper bound of the KL: minus the log of the mass tied at the top."""
    top = law.proxy.max()
    tied = law.mass[(law.proxy == top).all(axis=1)].sum()
    # Rounded down, so that any KL below it is reached by some tilt.
    return float(max(0.0, -np.log(tied) * (1 - 1e-12))) if tied > 0 else float("inf")


def _tilt_one(law: Misspecification, b: float) -> tuple[float, float]:
    """Return KL and mean gold at one tilt."""
    top = law.proxy.max()
    # Each piece is walked from its higher end down, so that its exponent falls from there.
    falls = law.proxy[:, 0] >= law.proxy[:, 1]
    high = np.where(falls, law.proxy[:, 0], law.proxy[:, 1]) - top
    low = np.where(falls, law.proxy[:, 1], law.proxy[:, 0]) - top
    gold_high = np.where(falls, law.gold[:, 0], law.gold[:, 1])
    gold_low = np.where(falls, law.gold[:, 1], law.gold[:, 0])
    k = b * (high - low)
    weight = law.mass * np.exp(b * high)
    zeroth, first = weight * _moment0(k), weight * _moment1(k)
    total = zeroth.sum()
    gold = (gold_high * zeroth + (gold_low - gold_high) * first).sum() / total
    reward = (high * zeroth + (low - high) * first).sum() / total
    if b * np.ptp(law.proxy) < _FLAT:
        return b * b * _variance(law) / 2, float(gold)
    return float(max(0.0, b * reward - np.log(total))), float(gold)


def _moment0(k: Floats) -> Floats:
    """Return ∫_0^1 e^{-kx} dx for k >= 0."""
    safe = np.where(k > 0, k, 1.0)
    return np.where(k > 0, -np.expm1(-safe) / safe, 1.0)


def _moment1(k: Floats) -> Floats:
    """Return ∫_0^1 x e^{-kx} dx for k >= 0: an incomplete gamma function, free of cancellation."""
    safe = np.where(k > 1e-12, k, 1.0)
    return np.where(k > 1e-12, gammainc(2.0, safe) / safe**2, 0.5)


def _variance(law: Misspecification) -> float:
    """Return the variance of the proxy under the base policy."""
    a, z = law.proxy[:, 0], law.proxy[:, 1]
    mean = (law.mass * (a + z) / 2).sum()
    a, z = a - mean, z - mean
    return float((law.mass * (a * a + a * z + z * z) / 3).sum())
