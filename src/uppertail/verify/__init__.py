"""Verdicts of criteria: by a model, or by exact checks where a program can decide.

`verify.llm` asks a model, `verify.offline` runs the checks; both are a `Verifier`.
"""

from uppertail.verify.interface import VerdictMemory, Verifier

__all__ = ["VerdictMemory", "Verifier"]
