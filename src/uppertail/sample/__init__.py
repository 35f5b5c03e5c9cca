"""Candidate pools: responses to prompts from one model many times or many models once."""

from uppertail.sample.duplicates import mark_duplicates
from uppertail.sample.pool import Missing, NoAnswer, Sampled, Sampling, sample

__all__ = ["Missing", "NoAnswer", "Sampled", "Sampling", "mark_duplicates", "sample"]
