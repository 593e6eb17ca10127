"""When training stops before its end: what went wrong, why it probably did, and how to go on."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..nn import Module
from .history import History
from .metrics import Outside

__all__ = ["EXPLODED", "Diverged", "Interrupted", "WorkerFailed", "exploded", "likely_cause"]

EXPLODED = 1000.0


class Diverged(ArithmeticError):
    """The loss or a parameter became NaN or infinite, or the loss exploded.

    ``epoch`` counts from 1; ``step`` is the number of updates before; ``loss`` the value; ``checkpoint`` the
    last good one or None; ``history`` the epochs finished before.
    """

    def __init__(
        self, message: str, *, epoch: int, step: int, loss: float, checkpoint: Path | None, history: History
    ) -> None:
        super().__init__(message)
        self.epoch, self.step, self.loss = epoch, step, loss
        self.checkpoint, self.history = checkpoint, history


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during training; the message says how to go on.

    ``epoch`` counts from 1; ``batch`` is the number of its batches that were learnt; ``checkpoint`` is where
    the state was saved, or None.
    """

    def __init__(self, message: str, *, epoch: int, batch: int, checkpoint: Path | None) -> None:
        super().__init__(message)
        self.epoch, self.batch, self.checkpoint = epoch, batch, checkpoint


class WorkerFailed(ChildProcessError):
    """A worker process of ``fit`` was killed or raised an error; the message says how to go on.

    ``worker`` counts from 1; ``traceback`` is that of the error in the worker, "" if it was killed; the rest
    as for :class:`Interrupted`.
    """

    def __init__(
        self, message: str, *, worker: int, traceback: str, epoch: int, batch: int, checkpoint: Path | None
    ) -> None:
        super().__init__(message)
        self.worker, self.traceback = worker, traceback
        self.epoch, self.batch, self.checkpoint = epoch, batch, checkpoint


def exploded(loss: float, first: float | None) -> bool:
    """Whether a loss is not finite, or beyond 1,000 times the first one, where that counts as 1 at least.

    >>> exploded(float("nan"), None), exploded(2301.0, 2.3), exploded(900.0, 0.01)
    (True, True, False)
    """
    return not np.isfinite(loss) or (first is not None and loss > EXPLODED * max(first, 1.0))


def likely_cause(model: Module, images: NDArray[Any], learning_rate: float | None) -> str:
    """Why the loss on ``images`` went wrong, in words; the rate is that of the last update, None if none."""
    if not np.isfinite(images).all():
        return "the images of this batch hold NaN or infinity"
    if learning_rate is None:
        return "no update was made yet, so it is the initial weights (begin with he or xavier) or the loss"
    cause = f"the learning rate, {learning_rate:g}, is too high (try {learning_rate / 10:g})"
    for name, transformer in Outside(model).transformers.items():
        if transformer.report is not None and transformer.report.outside > 0.5:
            localisation = f"{name}.localisation".lstrip(".")
            cause += (
                f"; {transformer.report.outside:.0%} of the samples of the spatial transformer {name!r} fall "
                "outside the image (begin the last layer of its localisation network with "
                f"identity_transform, and slow that network down: multipliers={{{localisation!r}: 0.1}})"
            )
    return cause
