"""Measures of rewards: how they rank the tail, and how far they can be optimised."""
