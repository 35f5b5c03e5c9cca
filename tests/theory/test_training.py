"""Natural policy gradient walks along the tilt curve."""

import numpy as np
import pytest

from uppertail import theory
from uppertail.theory import natural_gradient_step, tilt_of_step


def test_each_step_of_exact_training_is_a_point_of_the_curve():
    draw = np.random.default_rng(0)
    gold, proxy = draw.random(50), draw.random(50)
    law = theory.from_samples(proxy, gold, scale="value")
    policy = np.full(50, 1 / 50)
    for step in range(1, 30):
        policy = natural_gradient_step(policy, proxy, step_size=0.5)
        kl = (policy * np.log(50 * policy)).sum()
        expected = theory.tilt(law, tilt_of_step(step, step_size=0.5))
        assert (kl, policy @ gold) == pytest.approx((expected.kl, expected.gold))
