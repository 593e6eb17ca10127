"""The experiments of the paper: one file for each, and what carries them out."""

from .addition import ADDITION
from .clutter import CLUTTER
from .experiment import Candidate, Experiment, Quoted, Row, Run
from .table1 import TABLE1
from .tutorial import TUTORIAL

EXPERIMENTS = {experiment.name: experiment for experiment in (TABLE1, CLUTTER, ADDITION, TUTORIAL)}

__all__ = ["EXPERIMENTS", "Candidate", "Experiment", "Quoted", "Row", "Run"]
