"""Training: the loop, metrics, checkpoints, progress.

``fit`` trains a network, ``evaluate`` measures it, ``load_latest`` reads what ``fit`` saved.
"""

from .checkpoint import (
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    load_latest,
    previous_path,
    save_checkpoint,
)
from .history import Epoch, History
from .loop import fit
from .metrics import Metrics, accuracy, confusion_matrix, evaluate, logits_of, rights
from .progress import PlainProgress, Progress, SilentProgress, TqdmProgress, epoch_line
from .state import State
from .stopping import Diverged, Interrupted, WorkerFailed

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "Diverged",
    "Epoch",
    "History",
    "Interrupted",
    "Metrics",
    "PlainProgress",
    "Progress",
    "SilentProgress",
    "State",
    "TqdmProgress",
    "WorkerFailed",
    "accuracy",
    "confusion_matrix",
    "epoch_line",
    "evaluate",
    "fit",
    "load_checkpoint",
    "load_latest",
    "logits_of",
    "previous_path",
    "rights",
    "save_checkpoint",
]
