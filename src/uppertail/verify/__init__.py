"""Verdicts of criteria: by a model, or by exact checks where a program can decide."""
