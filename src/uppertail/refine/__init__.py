"""Algorithm 1 for one prompt, and the scheduler that runs many."""

from uppertail.refine.algorithm import refine
from uppertail.refine.result import Loss, Refinement, Round, Scored, Status, Task
from uppertail.refine.schedule import run_all
from uppertail.refine.settings import PRESETS, Acceptance, Settings

__all__ = [
    "PRESETS",
    "Acceptance",
    "Loss",
    "Refinement",
    "Round",
    "Scored",
    "Settings",
    "Status",
    "Task",
    "refine",
    "run_all",
]
