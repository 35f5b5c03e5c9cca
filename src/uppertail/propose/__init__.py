"""Rubrics from prompts and from contrasted responses: by a model or by a program."""
