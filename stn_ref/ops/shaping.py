"""Operators that move elements without changing them. Each one's rule is its transpose."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.backward import sum_to_shape
from ..autograd.tape import differentiable
from ..autograd.tensor import Value


@differentiable()
def reshape(x: Value, *, shape: Any) -> Value:
    """The same elements in another shape; one entry may be -1.

    >>> reshape(np.array([1.0, 2.0, 3.0, 4.0]), shape=(2, -1))
    array([[1., 2.],
           [3., 4.]])
    """
    return np.reshape(x, shape)


@reshape.vjp("x")
def _(y_bar: Value, x_shape: tuple[int, ...]) -> Value:
    return reshape(y_bar, shape=x_shape)


@differentiable()
def transpose(x: Value, *, axes: Any = None) -> Value:
    """The axes in another order; reversed if ``axes`` is None.

    >>> transpose(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[1., 3.],
           [2., 4.]])
    """
    return np.transpose(x, axes)


@transpose.vjp("x")
def _(y_bar: Value, axes: Any) -> Value:
    inverse = None if axes is None else tuple(np.argsort(np.array(axes, int) % len(axes)))
    return transpose(y_bar, axes=inverse)


@differentiable()
def in_c_order(x: Value) -> Value:
    """The same values, in C order in memory: in another one the last bits of a matrix product may differ.

    >>> in_c_order(np.ones((3, 2)).T).flags.c_contiguous
    True
    """
    return np.asarray(x, order="C")


@in_c_order.vjp("x")
def _(y_bar: Value) -> Value:
    return y_bar


@differentiable()
def broadcast_to(x: Value, *, shape: tuple[int, ...]) -> Value:
    """``x`` repeated to ``shape``.

    >>> broadcast_to(np.array([1.0, 2.0]), shape=(2, 2))
    array([[1., 2.],
           [1., 2.]])
    """
    return np.broadcast_to(x, shape)


@broadcast_to.vjp("x")
def _(y_bar: Value, x_shape: tuple[int, ...]) -> Value:
    return sum_to_shape(y_bar, x_shape)


@differentiable()
def index(x: Value, *, key: Any) -> Value:
    """x[key], with NumPy's basic and advanced indexing; also written ``tensor[key]``.

    >>> index(np.array([1.0, 2.0, 3.0]), key=[0, 0, 2])
    array([1., 1., 3.])
    """
    return np.asarray(x)[key]


@index.vjp("x")
def _(y_bar: Value, x_shape: tuple[int, ...], key: Any) -> Value:
    return scatter(y_bar, key=key, shape=x_shape)


@differentiable()
def scatter(y: Value, *, key: Any, shape: tuple[int, ...]) -> Value:
    """Zeros of ``shape`` with ``y`` added at ``key``; an element named twice receives both terms.

    >>> scatter(np.array([1.0, 2.0, 3.0]), key=[0, 0, 2], shape=(4,))
    array([3., 0., 3., 0.])
    """
    x = np.zeros(shape, np.asarray(y).dtype)
    if all(isinstance(k, (slice, int)) for k in (key if isinstance(key, tuple) else (key,))):
        x[key] = y  # slices and integers name each element once
    else:
        np.add.at(x, key, y)  # x[key] += y would keep only the last of several terms
    return x


@scatter.vjp("y")
def _(x_bar: Value, key: Any) -> Value:
    return index(x_bar, key=key)


@differentiable()
def concatenate_(*arrays: Value, axis: int = 0, saved: Any = None) -> Value:
    """The arrays one after the other; see :func:`concatenate`."""
    if saved is not None:
        saved["ends"] = np.cumsum([np.shape(x)[axis] for x in arrays]).tolist()
    return np.concatenate([np.asarray(x) for x in arrays], axis=axis)


@concatenate_.vjp("arrays")
def _(y_bar: Value, i: int, arrays_shape: tuple[int, ...], axis: int, saved: Any) -> Value:
    key = [slice(None)] * len(arrays_shape)
    key[axis] = slice(saved["ends"][i] - arrays_shape[axis], saved["ends"][i])
    return index(y_bar, key=tuple(key))


def concatenate(arrays: Sequence[Value], axis: int = 0) -> Value:
    """The arrays one after the other along ``axis``; their other axes are equal.

    >>> concatenate([np.array([1.0]), np.array([2.0, 3.0])])
    array([1., 2., 3.])
    """
    return concatenate_(*arrays, axis=axis)


def stack(arrays: Sequence[Value], axis: int = 0) -> Value:
    """Arrays of equal shape as the slices along a new axis.

    >>> stack([np.array([1.0, 2.0]), np.array([3.0, 4.0])], axis=1)
    array([[1., 3.],
           [2., 4.]])
    """
    if not arrays:
        raise ValueError("stack: got no arrays, expected at least one")
    shape = list(np.shape(arrays[0]) if isinstance(arrays[0], (list, float)) else arrays[0].shape)
    axis = axis % (len(shape) + 1)
    shape.insert(axis, 1)
    return concatenate([reshape(x, shape=tuple(shape)) for x in arrays], axis=axis)


@differentiable()
def pad(x: Value, *, widths: Any, value: float = 0.0) -> Value:
    """``x`` with ``widths[k] = (before, after)`` elements of ``value`` added along each axis k.

    >>> pad(np.array([1.0, 2.0]), widths=((1, 2),))
    array([0., 1., 2., 0., 0.])
    """
    if np.shape(widths) != (np.ndim(x), 2):
        raise ValueError(
            f"pad: widths is {widths!r}, expected a pair (before, after) for each of {np.ndim(x)} axes"
        )
    return np.pad(x, widths, constant_values=value)


@pad.vjp("x")
def _(y_bar: Value, x_shape: tuple[int, ...], widths: Any) -> Value:
    return index(y_bar, key=tuple(slice(b, b + n) for (b, _), n in zip(widths, x_shape)))
