"""Rubrics from prompts and from contrasted responses: by a model or by a program."""

from uppertail.propose.interface import Contrast, Proposer
from uppertail.propose.llm import LLMProposer
from uppertail.propose.offline import OfflineProposer

__all__ = ["Contrast", "LLMProposer", "OfflineProposer", "Proposer"]
