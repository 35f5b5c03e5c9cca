"""Algorithm 1 for one prompt, and the scheduler that runs many."""
