"""Rubric rewards for the upper tail."""
