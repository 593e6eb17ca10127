"""The experiments of the paper: one file for each, and what carries them out."""

from .addition import ADDITION
from .birds import BIRDS
from .clutter import CLUTTER
from .colocalisation import COLOCALISATION
from .experiment import Candidate, Experiment, Quoted, Row, Run
from .svhn import SVHN
from .table1 import TABLE1
from .tutorial import TUTORIAL
from .volumes import VOLUMES

EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (TABLE1, CLUTTER, ADDITION, COLOCALISATION, SVHN, BIRDS, VOLUMES, TUTORIAL)
}

__all__ = ["EXPERIMENTS", "Candidate", "Experiment", "Quoted", "Row", "Run"]
