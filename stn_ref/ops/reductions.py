"""Sums, means, maxima and log-sum-exp over any axes."""

from typing import Any

import numpy as np

from ..autograd.tape import differentiable
from ..autograd.tensor import Value, plain
from .elementary import exp
from .shaping import broadcast_to, reshape


def _kept(shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    """The shape that keepdims=True would have left."""
    axes = range(len(shape)) if axis is None else np.atleast_1d(np.asarray(axis, int)) % len(shape)
    return tuple(1 if k in axes else n for k, n in enumerate(shape))


def _spread(y: Value, shape: tuple[int, ...], axis: Any) -> Value:
    """A reduced array brought back to the shape before the reduction."""
    return broadcast_to(reshape(y, shape=_kept(shape, axis)), shape=shape) if shape else y


@differentiable()
def sum_(x: Value, *, axis: Any = None, keepdims: bool = False) -> Value:
    """The sum over ``axis`` (an int, a tuple of them, or None for all).

    >>> sum_(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    array([4., 6.])
    """
    return np.sum(x, axis=axis, keepdims=keepdims)


@sum_.vjp("x")
def _(y_bar: Value, x_shape: tuple[int, ...], axis: Any) -> Value:
    return _spread(y_bar, x_shape, axis)


@differentiable()
def mean(x: Value, *, axis: Any = None, keepdims: bool = False) -> Value:
    """The mean over ``axis`` (an int, a tuple of them, or None for all).

    >>> mean(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    array([2., 3.])
    """
    return np.mean(x, axis=axis, keepdims=keepdims)


@mean.vjp("x")
def _(y_bar: Value, x_shape: tuple[int, ...], axis: Any) -> Value:
    count = np.prod(x_shape, dtype=int) // max(1, np.prod(_kept(x_shape, axis), dtype=int))
    return _spread(y_bar, x_shape, axis) / float(max(1, count))


@differentiable()
def max_(x: Value, *, axis: Any = None, keepdims: bool = False) -> Value:
    """The maximum over ``axis``; equal maxima share the slope.

    >>> max_(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=1)
    array([2., 4.])
    """
    return np.max(x, axis=axis, keepdims=keepdims)


@max_.vjp("x")
def _(y_bar: Value, x: Value, output: Value, x_shape: tuple[int, ...], axis: Any) -> Value:
    values, top = plain(x), _spread(plain(output), x_shape, axis)
    ties = ((values == top) | np.isnan(values)).astype(values.dtype)  # NaN counts as largest
    share = ties / _spread(ties.sum(axis=axis), x_shape, axis)
    return _spread(y_bar, x_shape, axis) * share


@differentiable()
def logsumexp(x: Value, *, axis: Any = None, keepdims: bool = False) -> Value:
    """log(sum(exp(x))) over ``axis``, shifted by the maximum so that it does not overflow.

    >>> float(logsumexp(np.array([1000.0, 1000.0])).round(6))
    1000.693147
    """
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0).astype(top.dtype)
    # log(0) is the right answer for an empty or all -inf sum, and infinity for one that holds it
    with np.errstate(divide="ignore", over="ignore"):
        out = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return out if keepdims else np.squeeze(out, axis=axis)


@logsumexp.vjp("x")
def _(y_bar: Value, x: Value, output: Value, x_shape: tuple[int, ...], axis: Any) -> Value:
    return _spread(y_bar, x_shape, axis) * exp(x - _spread(output, x_shape, axis))
