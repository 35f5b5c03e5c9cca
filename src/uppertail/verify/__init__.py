"""Verdicts of criteria: by a model, or by exact checks where a program can decide."""

from uppertail.verify.interface import VerdictMemory, Verifier
from uppertail.verify.llm import LLMVerifier
from uppertail.verify.offline import OfflineVerifier

__all__ = ["LLMVerifier", "OfflineVerifier", "VerdictMemory", "Verifier"]
