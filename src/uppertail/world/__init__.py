"""A simulated world with known truth, for testing whatever makes or uses a rubric reward.

Its proposer, verifier and policies are ordinary models: they read the messages that the real
templates render and answer with text that the real readers read. See docs/world.md.
"""

from uppertail.world.nature import Truth, World
from uppertail.world.policies import DIVERSE, GOOD, GREAT, HACKER, HIGH, LOW, Policy
from uppertail.world.proposer import ProposerKnobs, WorldProposer
from uppertail.world.sampler import WorldSampler
from uppertail.world.verifier import VerifierKnobs, WorldVerifier

__all__ = [
    "DIVERSE",
    "GOOD",
    "GREAT",
    "HACKER",
    "HIGH",
    "LOW",
    "Policy",
    "ProposerKnobs",
    "Truth",
    "VerifierKnobs",
    "World",
    "WorldProposer",
    "WorldSampler",
    "WorldVerifier",
]
