"""How well a network does: accuracy, confusion matrix, and `evaluate` over a whole set."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autograd.recording import no_grad
from ..autograd.tensor import Value, plain
from ..data.distortions import to_unit
from ..errors import describe
from ..nn import Module, SpatialTransformer
from ..ops import cross_entropy

__all__ = [
    "Metrics",
    "accuracy",
    "confusion_matrix",
    "evaluate",
    "logits_of",
    "mode",
    "network_input",
    "rights",
]

Array = NDArray[Any]
Loss = Callable[[Value, Array], Value]
Sums = dict[str, tuple[float, int]]  # by transformer: fractions outside times images, and images


@dataclass(frozen=True)
class Metrics:
    """What :func:`evaluate` found.

    ``loss`` is the mean over the images, ``accuracy`` a fraction from 0 to 1, ``errors`` of ``count`` images
    were wrong, and ``outside`` gives, for each spatial transformer by dotted name, the fraction of its
    samples that fell outside the image.

    >>> Metrics(loss=0.5, accuracy=0.75, errors=1, count=4)
    Metrics(loss=0.5, accuracy=0.75, errors=1, count=4, outside={})
    """

    loss: float
    accuracy: float
    errors: int
    count: int
    outside: dict[str, float] = field(default_factory=dict)


def accuracy(logits: Value, labels: Any) -> float:
    """The fraction of rows whose largest logit is that of the label; a row with NaN is wrong.

    Parameters
    ----------
    logits : (N, K) floating, array or Tensor
        Or (N, L, K) for sequences of L labels, of which all must be right.
    labels : (N,) or (N, L) integers

    Raises
    ------
    ValueError
        If shapes do not fit, labels are no integers, or there is no row.

    >>> accuracy(np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]]), np.array([1, 0, 1, 1]))
    0.75
    """
    logits, labels = _checked("accuracy", logits, labels)
    return correct(logits, labels) / len(labels)


def correct(logits: Array, labels: Array) -> int:
    """How many rows are right: see :func:`rights`."""
    return int(np.sum(rights(logits, labels)))


def rights(logits: Array, labels: Array) -> NDArray[np.bool_]:
    """Which rows, (N,), have the largest logit at the label, at every label of a sequence, and no NaN.

    >>> rights(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1]))
    array([ True, False])
    """
    right = (logits.argmax(axis=-1) == labels) & ~np.isnan(logits).any(axis=-1)
    return np.asarray(right.all(axis=tuple(range(1, right.ndim))))


def confusion_matrix(logits: Value, labels: Any) -> NDArray[np.int64]:
    """Counts of (label, prediction), shape (K, K): row i says what samples of class i were taken for.

    Parameters and errors as for :func:`accuracy`; NaN or a label beyond the columns is refused, since it
    has no place in the matrix.

    >>> confusion_matrix(np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]]), np.array([1, 0, 1, 1]))
    array([[1, 0],
           [1, 2]])
    """
    logits, labels = _checked("confusion_matrix", logits, labels)
    if logits.ndim != 2:
        raise ValueError(
            f"confusion_matrix: logits is {describe(logits)}, expected (N, K); give one position of the "
            "sequences at a time"
        )
    classes = logits.shape[1]
    if np.isnan(logits).any():
        row = int(np.flatnonzero(np.isnan(logits).any(axis=1))[0])
        raise ValueError(f"confusion_matrix: logits has NaN in row {row}, which is no prediction")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"confusion_matrix: labels run from {labels.min()} to {labels.max()}, expected 0 to "
            f"{classes - 1}, one for each column of the logits"
        )
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (labels, logits.argmax(axis=1)), 1)
    return matrix


def evaluate(
    model: Module, images: Any, labels: Any, *, batch_size: int = 250, loss: Loss = cross_entropy
) -> Metrics:
    """Run the network over a set, in eval mode and off the tape; its training flags are put back.

    Parameters
    ----------
    model : Module
        From images to logits (N, K), or (N, L, K) for sequences.
    images : uint8 (N, H, W), (N, C, H, W) or (N, C, D, H, W), or floating with a channel axis
        uint8 is scaled to [0, 1].
    labels : (N,) or (N, L) integers
    batch_size : int
        How many images at a time; changes memory and rounding only.
    loss : callable
        From logits and labels to the mean over the batch.

    Returns
    -------
    Metrics

    Raises
    ------
    TypeError, ValueError
        If images are of another kind, there are none, or labels do not fit.

    >>> from stn_ref.nn import Flatten, Linear, Sequential
    >>> model = Sequential(Flatten(), Linear(4, 2, rng=np.random.default_rng(0)))
    >>> metrics = evaluate(model, np.zeros((3, 2, 2), np.uint8), np.array([0, 0, 1]))
    >>> metrics.errors, metrics.count, round(metrics.loss, 3)     # nothing to see: log 2
    (1, 3, 0.693)
    """
    inputs = network_input("evaluate", images)
    labels = check_labels("evaluate", labels, len(inputs))
    check_count("evaluate", "batch_size", batch_size)
    total, right, outside = 0.0, 0, Outside(model)
    with no_grad(), mode(model, training=False):
        for start in range(0, len(inputs), batch_size):
            part = slice(start, start + batch_size)
            outside.forget()
            logits = model(inputs[part])
            size = len(inputs[part])
            total += float(plain(loss(logits, labels[part]))) * size
            right += correct(_checked("evaluate", logits, labels[part])[0], labels[part])
            outside.add(size)
    count = len(inputs)
    return Metrics(total / count, right / count, count - right, count, outside.means())


def logits_of(
    model: Module, images: Any, *, batch_size: int = 250, outside: "Outside | None" = None
) -> Array:
    """The logits of a set, in eval mode and off the tape; parameters and errors as for :func:`evaluate`.

    ``outside`` counts the samples that the transformers take from outside of the images, if it is given.

    >>> from stn_ref.nn import Flatten
    >>> logits_of(Flatten(), np.array([[[0, 51]], [[255, 102]]], np.uint8))
    array([[0. , 0.2],
           [1. , 0.4]], dtype=float32)
    """
    inputs = network_input("logits_of", images)
    check_count("logits_of", "batch_size", batch_size)
    counted = Outside(model) if outside is None else outside
    parts = []
    with no_grad(), mode(model, training=False):
        for start in range(0, len(inputs), batch_size):
            batch = inputs[start : start + batch_size]
            counted.forget()
            parts.append(plain(model(batch)))
            counted.add(len(batch))
    return np.concatenate(parts)


class Outside:
    """The mean fraction of samples outside for every spatial transformer of a model, over batches."""

    def __init__(self, model: Module, sums: Sums | None = None) -> None:
        self.transformers = {
            prefix.rstrip("."): module
            for prefix, module in model.modules()
            if isinstance(module, SpatialTransformer)
        }
        self.sums = dict(sums or {})

    def forget(self) -> None:
        """Before a forward pass: so that a transformer that takes no part in it is not counted."""
        for transformer in self.transformers.values():
            transformer.report = None

    def add(self, size: int) -> None:
        """After a forward pass of ``size`` images."""
        for name, transformer in self.transformers.items():
            if transformer.report is not None:
                self.join({name: (transformer.report.outside * size, size)})

    def join(self, sums: Sums) -> None:
        """Take over what was counted elsewhere."""
        for name, (fraction, count) in sums.items():
            before, images = self.sums.get(name, (0.0, 0))
            self.sums[name] = (before + fraction, images + count)

    def means(self) -> dict[str, float]:
        """By dotted name."""
        return {name: fraction / count for name, (fraction, count) in self.sums.items()}


@contextmanager
def mode(model: Module, *, training: bool) -> Iterator[None]:
    """Train or eval mode inside; every module gets its own flag back after.

    >>> from stn_ref.nn import ReLU
    >>> model = ReLU()
    >>> with mode(model, training=False):
    ...     model.training
    False
    >>> model.training
    True
    """
    flags = [(module, module.training) for _, module in model.modules()]
    try:
        model.train(training)
        yield
    finally:
        for module, flag in flags:
            module.training = flag


def network_input(caller: str, images: Any) -> Array:
    """Images or volumes as networks take them: floating, with a channel axis; uint8 is scaled to [0, 1].

    >>> network_input("fit", np.full((2, 3, 4), 255, np.uint8)).shape
    (2, 1, 3, 4)
    """
    known = isinstance(images, np.ndarray) and (images.dtype == np.uint8 or images.dtype.char in "efd")
    if known and len(images.shape) in (3, 4, 5) and len(images):
        if images.dtype != np.uint8 and images.ndim > 3:
            floating: Array = images
            return floating
        if images.dtype == np.uint8:
            return to_unit(images) if images.ndim == 3 else images.astype(np.float32) / np.float32(255)
    raise (ValueError if known else TypeError)(
        f"{caller}: images is {describe(images)}, expected at least one image, as uint8 (N, H, W) or "
        "(N, C, H, W), or floating (N, C, H, W), or volumes (N, C, D, H, W); images[:, None] adds the "
        "channel axis"
    )


def check_labels(caller: str, labels: Any, count: int) -> Array:
    """``labels`` as an array of ``count`` integers, or of as many rows of them for sequences."""
    array: Array = np.asarray(labels)
    if array.ndim not in (1, 2) or len(array) != count or array.dtype.kind not in "iu":
        raise ValueError(
            f"{caller}: labels is {describe(array)}, expected {count} integers, one for each image, or as "
            "many rows of them; use one-hot labels as labels.argmax(1)"
        )
    return array


def check_count(caller: str, name: str, value: Any, least: int = 1) -> None:
    """``value`` must be a whole number of at least ``least``."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{caller}: {name} is {value!r}, expected a whole number of at least {least}")


def _checked(caller: str, logits: Value, labels: Any) -> tuple[Array, Array]:
    logits = np.asarray(plain(logits))
    if logits.ndim not in (2, 3) or not logits.size:
        raise ValueError(
            f"{caller}: logits is {describe(logits)}, expected (N, K), or (N, L, K) for sequences, at least "
            "one row"
        )
    labels = check_labels(caller, labels, len(logits))
    if labels.shape != logits.shape[:-1]:
        raise ValueError(
            f"{caller}: labels has shape {labels.shape} for logits {describe(logits)}, expected "
            f"{logits.shape[:-1]}; use one-hot labels as labels.argmax(1)"
        )
    return logits, labels
