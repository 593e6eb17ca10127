"""What goes wrong: mistakes that the grader knows by name, each as code that runs."""

from .known import Mistake, known

__all__ = ["Mistake", "known"]
