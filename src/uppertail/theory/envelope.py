"""The least that a reward can do when only its top is known to be right."""

from __future__ import annotations

from uppertail.theory.maps import Misspecification, worst_wrong


def lower_envelope(top: float) -> Misspecification:
    """Return the worst of all measure-preserving rewards that rank the best share `top` rightly.

    Given f^{-1}(u) = u above 1 - top, ∫ f^{-1}(u) e^{bu} du is least when the rest falls in u
    (Hardy-Littlewood), whatever b: the reward of Figure 2 that reverses the worst 1 - top.
    So Figure 2b's curve for "top p correct" is a guarantee, not an example.

    Source: arXiv 2509.21500, Figure 2b; the argument is ours.
    """
    return worst_wrong(1 - top)
