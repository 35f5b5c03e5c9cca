"""Explicit requirements of a prompt, read from its text into criteria with exact checks."""

from uppertail.propose.requirements.table import read_requirements

__all__ = ["read_requirements"]
