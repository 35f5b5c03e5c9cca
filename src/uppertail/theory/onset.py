"""Where over-optimisation begins, and how good a policy can get before it does."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from uppertail.theory.maps import Misspecification
from uppertail.theory.tilt import tilt

_LOG_TILTS: Final = np.linspace(-7.0, 12.0, 400)
"""log of b times the proxy's range, where a peak is looked for: KL from 3e-8 to 11 nats."""
_NOISE: Final = 1e-9
"""A fall of the win rate by less than this is rounding."""
X: Final = float(brentq(lambda x: np.exp(x) - x * x - 2 * x - 2, 1, 5))
"""2.67406: b c at the peak, the positive root of e^x = x² + 2x + 2."""
LOSS: Final = float(1 + np.exp(-X) - (1 - 2 * np.exp(-X)) / X)
"""0.74659: the loss 1 - win rate at the peak, over c."""


class Onset(NamedTuple):
    """The law of small wrong tops: what reversing the best share c costs."""

    tilt: float
    """b at the peak, 2.674/c."""
    kl: float
    """KL at the peak, ln(2.674/c) - 1 nats."""
    win_rate: float
    """The best win rate, 1 - 0.7466 c."""
    plateau: float
    """Where the win rate ends, 1 - c."""


class Peak(NamedTuple):
    """Where the gold of the tilted policy is highest."""

    tilt: float
    kl: float
    gold: float


def onset(c: float) -> Onset:
    """Return the asymptotic onset law for a reward that reverses its best share `c`.

    Its loss is c g(bc) with g(x) = 1 + e^{-x} - (1 - 2e^{-x})/x, up to O(e^{-b}). At c = 0.25
    the KL is 1.37 by the law and 1.37 exactly; at c = 0.5 it is 0.68 against 0.58: use `peak`.
    """
    if not 0 < c <= 1:
        raise ValueError(f"a share must be in (0, 1], not {c!r}")
    return Onset(X / c, float(np.log(X / c) - 1), 1 - LOSS * c, 1 - c)


def peak(law: Misspecification) -> Peak | None:
    """Return where gold is highest over all tilts, or None where it never falls.

    It is None for the perfect reward, and for one whose only faults are ties or noise.
    """
    spread = float(np.ptp(law.proxy))
    if spread == 0:
        return None
    gold = tilt(law, np.exp(_LOG_TILTS) / spread).gold
    best = int(gold.argmax())
    if gold[best] - gold[-1] < _NOISE:
        return None
    if best == 0:  # it falls from the start: the base policy itself is best
        return Peak(0.0, 0.0, float((law.mass * law.gold.mean(axis=1)).sum()))
    found = minimize_scalar(
        lambda x: -float(tilt(law, np.exp(x) / spread).gold),
        bounds=(_LOG_TILTS[best - 1], _LOG_TILTS[best + 1]),
        method="bounded",
        options={"xatol": 1e-9},
    )
    b = float(np.exp(found.x) / spread)
    there = tilt(law, b)
    return Peak(b, float(there.kl), float(there.gold))
