"""Training as a tilt: the step of exact policy optimisation that stands for a KL."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from uppertail.theory.maps import Floats


def natural_gradient_step(policy: ArrayLike, reward: ArrayLike, *, step_size: float) -> Floats:
    """Return a tabular softmax policy after one natural-policy-gradient step.

    The step adds `step_size` times the advantage to every logit, which is exact mirror
    descent: pi' ∝ pi * exp(step_size * reward). So t steps from the base policy give the
    tilted policy of b = step_size * t, and the curves of `tilt` are training curves.

    Args:
        policy: [Y] probabilities of the responses.
        reward: [Y] proxy rewards.
        step_size: in units of 1 / reward.
    """
    pi, r = np.asarray(policy, dtype=np.float64), np.asarray(reward, dtype=np.float64)
    advantage = r - pi @ r
    weights = pi * np.exp(step_size * (advantage - advantage.max()))
    return np.asarray(weights / weights.sum())


def tilt_of_step(step: ArrayLike, *, step_size: float) -> Floats:
    """Return b after `step` natural-policy-gradient steps."""
    return step_size * np.asarray(step, dtype=np.float64)
