"""The ten tasks."""

from . import conversions, grids, sampling, tape, training
from .model import Check, Places, Task

__all__ = ["TASKS", "Check", "Places", "Task"]

_EVERY = (*grids.TASKS, *sampling.TASKS, *tape.TASKS, *training.TASKS, *conversions.TASKS)
TASKS: dict[int, Task] = {task.number: task for task in sorted(_EVERY, key=lambda task: task.number)}
"""By number."""
