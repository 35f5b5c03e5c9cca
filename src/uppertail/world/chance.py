"""Chances: that they are some, and the curve that turns log-odds into them."""

from __future__ import annotations

import math

from uppertail.errors import InputError


def check_chances(owner: object, *names: str) -> None:
    """Refuse a field of `owner` that is no probability.

    Raises:
        InputError: it is outside [0, 1]; the message names it.
    """
    for name in names:
        value = getattr(owner, name)
        if not 0 <= value <= 1:
            raise InputError(f"expected a chance from 0 to 1, not {value}", field=name)


def logistic(x: float) -> float:
    """Return 1 / (1 + exp(−x)), for any x."""
    return 0.5 * (1.0 + math.tanh(0.5 * x))
