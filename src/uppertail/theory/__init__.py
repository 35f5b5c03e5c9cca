"""How far a wrong reward can be optimised, in closed form. Needs NumPy and SciPy: extra `tail`.

    from uppertail import theory

    half_wrong = theory.top_wrong(0.25)
    theory.gold_at_kl(half_wrong, 2.0)      # win rate of the policy that is 2 nats away
    theory.peak(half_wrong)                 # where optimising further makes it worse
    theory.best_of_n(half_wrong, 16)        # the same for best-of-16

Symbols, everywhere: b = 1/beta is the inverse temperature of `pi ∝ base * exp(b * reward)`;
u is a quantile of the proxy reward under the base policy; gold is the true quality, on the
scale of base quantiles unless said otherwise, so that its mean is the win rate against the
base policy. KL is in nats.
"""

from uppertail.errors import MissingExtra

try:
    import numpy as np  # noqa: F401  asked for here, so that its absence has a clear name
    import scipy as sp  # noqa: F401
except ImportError:
    raise MissingExtra("uppertail.theory", "tail") from None

from uppertail.theory.best_of_n import (
    Comparisons,
    best_of_n,
    chances_best_of_n,
    compare,
    kl_best_of_n,
    kl_best_of_n_tied,
    mean_best_of_n,
    win_rate_best_of_n,
)
from uppertail.theory.envelope import lower_envelope
from uppertail.theory.maps import (
    Misspecification,
    correct,
    reversed_order,
    score_levels,
    top_shuffled,
    top_tied,
    top_wrong,
    worst_wrong,
)
from uppertail.theory.onset import Onset, Peak, onset, peak
from uppertail.theory.sources import from_function, from_inverse, from_samples, from_table
from uppertail.theory.tilt import Tilted, gold_at_kl, max_kl, tilt, tilt_at_kl
from uppertail.theory.training import natural_gradient_step, tilt_of_step
from uppertail.theory.uniform import kl_of_tilt, log_partition, tilt_of_kl, win_rate_correct

__all__ = [
    "Comparisons",
    "Misspecification",
    "Onset",
    "Peak",
    "Tilted",
    "best_of_n",
    "chances_best_of_n",
    "compare",
    "correct",
    "from_function",
    "from_inverse",
    "from_samples",
    "from_table",
    "gold_at_kl",
    "kl_best_of_n",
    "kl_best_of_n_tied",
    "kl_of_tilt",
    "log_partition",
    "lower_envelope",
    "max_kl",
    "mean_best_of_n",
    "natural_gradient_step",
    "onset",
    "peak",
    "reversed_order",
    "score_levels",
    "tilt",
    "tilt_at_kl",
    "tilt_of_kl",
    "tilt_of_step",
    "top_shuffled",
    "top_tied",
    "top_wrong",
    "win_rate_best_of_n",
    "win_rate_correct",
    "worst_wrong",
]
