"""Verdicts to scores: one place turns outcomes into a number, or into *unscored*."""
