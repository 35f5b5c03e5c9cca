"""Rubrics from prompts and from contrasted responses: by a model or by a program.

`propose.llm` asks a model, `propose.offline` reads and compares texts; both are a `Proposer`.
"""

from uppertail.propose.interface import Contrast, Proposer

__all__ = ["Contrast", "Proposer"]
