"""What a batch gives, and the two ways to get it: in this process, or from workers (``workers.py``)."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..autograd.tensor import plain
from ..nn import Module
from .metrics import Loss, Outside, Sums, correct

__all__ = ["Alone", "Learner", "Passed", "forward"]

Array = NDArray[Any]


class Passed(NamedTuple):
    """A batch after its forward pass.

    ``loss`` is the mean, ``correct`` how many were right, ``outside`` what :class:`Outside` adds up;
    ``backward`` puts the gradient into the parameters' ``.grad`` in place of what was there.
    """

    loss: float
    correct: int
    outside: Sums
    backward: Callable[[], None]


class Learner(Protocol):
    """Passes batches through a model.

    ``division`` says how a batch is cut up, None if it is not; ``note`` what the user should know.
    """

    division: str | None
    note: str

    def forward(self, x: Array, labels: Array) -> Passed:
        """The forward pass of a batch of images (N, C, H, W) with labels (N,)."""

    def close(self) -> None:
        """No batch will follow."""


class Alone:
    """All of a batch at once, in this process."""

    division: str | None = None
    note = ""

    def __init__(self, model: Module, loss: Loss) -> None:
        self.model, self.loss = model, loss

    def forward(self, x: Array, labels: Array) -> Passed:
        return forward(self.model, self.loss, x, labels)

    def close(self) -> None:
        pass


def forward(
    model: Module,
    loss: Loss,
    x: Array,
    labels: Array,
    *,
    share: float | None = None,
    check: Callable[[Array], None] = lambda logits: None,
) -> Passed:
    """A forward pass; ``share`` is what the gradient is multiplied by, 1 if None.

    ``check`` is shown the logits before the loss sees them.

    >>> from stn_ref.nn import Flatten, Linear, Sequential
    >>> from stn_ref.ops import cross_entropy
    >>> model = Sequential(Flatten(), Linear(4, 2, rng=np.random.default_rng(0)))
    >>> passed = forward(model, cross_entropy, np.zeros((3, 1, 2, 2), np.float32), np.array([0, 0, 0]))
    >>> round(passed.loss, 3), passed.correct, model[1].bias.grad is None
    (0.693, 3, True)
    >>> passed.backward(); model[1].bias.grad
    array([-0.5,  0.5], dtype=float32)
    """
    outside = Outside(model)
    outside.forget()
    logits = model(x)
    check(plain(logits))
    objective = loss(logits, labels)

    def backward() -> None:
        model.zero_grad()
        objective.backward(None if share is None else np.full(objective.shape, share, objective.dtype))

    value = float(plain(objective))
    outside.add(len(x))
    return Passed(value, correct(plain(logits), labels), outside.sums, backward)
