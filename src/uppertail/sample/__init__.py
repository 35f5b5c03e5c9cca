"""Candidate pools: responses to prompts from one model many times or many models once."""
