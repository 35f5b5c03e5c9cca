"""The vocabulary of exact checks: what a program can decide about a text.

A check is a frozen, typed value that is stored with its criterion and that anyone can
use in a rubric. It knows nothing of prompts, pools or models.
"""

from uppertail.checks.vocabulary import Check

__all__ = ["Check"]
