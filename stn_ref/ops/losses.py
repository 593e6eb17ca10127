"""log-softmax, cross-entropy and dropout."""

from typing import Any

import numpy as np

from ..autograd.tape import differentiable
from ..autograd.tensor import Value, plain
from ..errors import check_flag, describe
from .elementary import exp
from .reductions import mean, sum_
from .shaping import reshape


@differentiable()
def log_softmax(x: Value, *, axis: int = -1) -> Value:
    """x - logsumexp(x) along ``axis``.

    >>> np.exp(log_softmax(np.array([0.0, 0.0])))
    array([0.5, 0.5])
    """
    shifted = x - np.max(x, axis=axis, keepdims=True, initial=np.finfo(x.dtype).min)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


@log_softmax.vjp("x")
def _(y_bar: Value, output: Value, axis: int) -> Value:
    return y_bar - exp(output) * sum_(y_bar, axis=axis, keepdims=True)


def cross_entropy(logits: Value, labels: Any) -> Value:
    """The mean over the batch of -log softmax(logits)[label], summed over the labels of a sequence.

    Parameters
    ----------
    logits : (N, K) floating, or (N, L, K) for sequences of L labels
    labels : (N,) or (N, L) integers from 0 to K - 1

    Returns
    -------
    A scalar of the dtype of ``logits``, in nats.

    Raises
    ------
    ValueError
        If shapes do not fit or a label is out of range.

    >>> round(float(cross_entropy(np.zeros((2, 10)), np.array([3, 7]))), 6)
    2.302585
    """
    shape, labels = np.shape(plain(logits)), np.asarray(labels)
    if len(shape) not in (2, 3) or labels.shape != shape[:-1] or labels.dtype.kind not in "iu":
        raise ValueError(
            f"cross_entropy: logits of shape {shape} and labels {describe(labels)}, expected (N, K) and "
            "N integers, or (N, L, K) and N rows of L; use one-hot labels as labels.argmax(1)"
        )
    if labels.size and not (labels.min() >= 0 and labels.max() < shape[-1]):
        raise ValueError(
            f"cross_entropy: labels run from {labels.min()} to {labels.max()}, expected 0 to "
            f"{shape[-1] - 1}, one for each column of the logits"
        )
    if len(shape) == 3:
        flat = reshape(logits, shape=(shape[0] * shape[1], shape[2]))
        return cross_entropy(flat, labels.reshape(-1)) * shape[1]
    return -mean(log_softmax(logits)[np.arange(shape[0]), labels])


def dropout(x: Value, *, p: float, rng: np.random.Generator, training: bool = True) -> Value:
    """Each element set to 0 with probability ``p``, the others divided by 1 - p; ``x`` itself otherwise.

    Parameters
    ----------
    x : any shape
    p : float in [0, 1)
    rng : numpy.random.Generator
        Where the choice comes from; the same state gives the same mask.
    training : bool
        False returns ``x`` unchanged.

    >>> dropout(np.ones(4), p=0.5, rng=np.random.default_rng(0))
    array([2., 0., 0., 0.])
    """
    check_flag("dropout", "training", training)
    if not 0 <= p < 1:
        raise ValueError(f"dropout: p is {p!r}, expected a probability of at least 0 and below 1")
    if not training or p == 0:
        return x
    array = plain(x)
    one = array.dtype.type(1)
    mask = np.empty_like(array)  # in the memory order of x, so that the result is in it too
    np.multiply(rng.random(array.shape) >= p, one / array.dtype.type(1 - p), out=mask)
    return x * mask
