"""Theorem 1 (i): what is the same for every reward whose values are U(0, 1) under the base policy.

With Z(b) = E[e^{bU}] = (e^b - 1) / b, the KL of the tilted policy is b Z'(b)/Z(b) - log Z(b).
Every formula is written with e^{-b}, so none overflows.

Erratum: the last line of the printed proof of Theorem 1 divides by `beta (e^{u/beta} - 1)`;
the constant is `beta (e^{1/beta} - 1)`, without u.

Source: arXiv 2509.21500, Theorem 1.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

Floats = NDArray[np.float64]

_SMALL: Final = 1e-4
"""Below this b the closed forms cancel; their Taylor series is exact to 1e-10 there."""
_LOG_RANGE: Final = (-30.0, 60.0)
"""Where log b is looked for: KLs from 1e-27 to 59 nats."""


def log_partition(b: ArrayLike) -> Floats:
    """Return log Z(b) = log((e^b - 1) / b) for b > 0, elementwise."""
    b = positive(b)
    return np.where(b < _SMALL, b / 2 + b**2 / 24, b + np.log(-np.expm1(-b)) - np.log(b))


def win_rate_correct(b: ArrayLike) -> Floats:
    """Return the win rate under a perfect reward, 1/(1 - e^{-b}) - 1/b, in (1/2, 1).

    That of the fully reversed reward is one minus it.
    """
    b = positive(b)
    return np.where(b < _SMALL, 0.5 + b / 12, -1 / np.expm1(-b) - 1 / b)


def kl_of_tilt(b: ArrayLike) -> Floats:
    """Return the KL, in nats, of the policy tilted by b > 0; about b²/24, then ln b - 1.

    Source: Theorem 1 (i), with 1/beta = b.
    """
    b = positive(b)
    # b times the win rate minus b cancels to the last digits; b/(e^b - 1) is what remains.
    rest = -np.expm1(-b)
    exact = b * np.exp(-b) / rest - 1 - np.log(rest) + np.log(b)
    return np.where(b < 1e-3, b**2 / 24 - b**4 / 960, exact)


def tilt_of_kl(kl: ArrayLike) -> Floats:
    """Return the b > 0 at which the KL is `kl` > 0, elementwise; the inverse of `kl_of_tilt`."""
    kl = positive(kl)
    return np.vectorize(_tilt_of_one, otypes=[np.float64])(kl)[()]  # type: ignore[no-any-return]


def _tilt_of_one(kl: float) -> float:
    root = brentq(lambda x: float(kl_of_tilt(np.exp(x))) - kl, *_LOG_RANGE, xtol=1e-13, rtol=1e-14)
    return float(np.exp(root))


def positive(values: ArrayLike) -> Floats:
    """Return `values` as an array.

    Raises:
        ValueError: one is not positive, or not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    if not np.all(array > 0) or not np.all(np.isfinite(array)):
        raise ValueError("tilts and KLs must be positive and finite")
    return array
