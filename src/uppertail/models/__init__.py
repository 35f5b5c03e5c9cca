"""The only network code: endpoints, call journal, limits, spend, scripted models."""
