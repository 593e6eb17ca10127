"""Pooling windows as strided slices: one slice for each place in the window, over the whole batch."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .buffering import unbuffered

Array = NDArray[Any]
Pair = tuple[int, int]


def out_size(size: int, kernel: int, stride: int, ceil_mode: bool) -> int:
    """How many windows an axis has; under ceil mode the last may hang over, but must start inside."""
    if not ceil_mode:
        return (size - kernel) // stride + 1
    windows = -((kernel - size) // stride) + 1
    return windows - 1 if (windows - 1) * stride >= size else windows


def places(shape: tuple[int, ...], out: Pair, kernel: Pair, stride: Pair) -> Iterator[tuple[Any, Any]]:
    """For each place (i, j) in the window: where in the image, and which windows have it inside."""
    for i in range(kernel[0]):
        rows = min(out[0], -(-(shape[2] - i) // stride[0]))
        for j in range(kernel[1]):
            cols = min(out[1], -(-(shape[3] - j) // stride[1]))
            image = (
                ...,
                slice(i, i + stride[0] * rows, stride[0]),
                slice(j, j + stride[1] * cols, stride[1]),
            )
            yield image, (..., slice(0, rows), slice(0, cols))


def empty_windows(x: Array, out: Pair, dtype: Any = None) -> Array:
    """An uninitialised (N, C, *out) array in the memory order of ``x``."""
    return np.empty_like(x, shape=(*x.shape[:2], *out), dtype=dtype)


def maximum(x: Array, out: Pair, kernel: Pair, stride: Pair) -> Array:
    """The maximum of each window (NaN counts as largest)."""
    best = empty_windows(x, out)
    with unbuffered():
        for place, (image, windows) in enumerate(places(x.shape, out, kernel, stride)):
            if place == 0:
                best[...] = x[image]
            else:
                np.maximum(best[windows], x[image], out=best[windows])
    return best


def first_maximum(x: Array, out: Pair, kernel: Pair, stride: Pair) -> tuple[Array, Array]:
    """The maximum of each window and the place of the first one that has it (NaN counts as largest)."""
    index = np.min_scalar_type(-kernel[0] * kernel[1])
    best, which = empty_windows(x, out), empty_windows(x, out, index)
    _first_maximum(x, best, which, kernel, stride, nan=False)
    if np.isnan(best.max(initial=0)):
        _first_maximum(x, best, which, kernel, stride, nan=True)
    return best, which


def _first_maximum(x: Array, best: Array, which: Array, kernel: Pair, stride: Pair, *, nan: bool) -> None:
    """Fill ``best`` and ``which``; only where there is NaN must it be asked whether the old maximum is one.

    Later places are larger numbers, so where an element is better, its place is the larger of the two.
    """
    with unbuffered():
        for place, (image, windows) in enumerate(places(x.shape, best.shape[2:], kernel, stride)):
            if place == 0:
                best[...], which[...] = x[image], 0
                continue
            new, old, chosen = x[image], best[windows], which[windows]
            better = ~(new <= old) & (old == old) if nan else new > old
            np.maximum(chosen, np.multiply(better.view(np.int8), chosen.dtype.type(place)), out=chosen)
            np.maximum(old, new, out=old)


def pick(x: Array, which: Array, kernel: Pair, stride: Pair) -> Array:
    """From each window the element at place ``which``."""
    out = (which.shape[2], which.shape[3])
    y = empty_windows(x, out)
    for place, (image, windows) in enumerate(places(x.shape, out, kernel, stride)):
        np.copyto(y[windows], x[image], where=which[windows] == place)
    return y


def put(y: Array, which: Array, shape: tuple[int, ...], kernel: Pair, stride: Pair) -> Array:
    """The transpose of :func:`pick`: each window's number added at its place of an image of ``shape``.

    The image is in the memory order of ``which``, in which it was when the maxima were looked for.
    """
    y = _in_order_of(which, y)
    if all(step >= size for step, size in zip(stride, kernel)) and np.isfinite(y).all():
        return _put_apart(y, which, shape, kernel, stride)
    x = np.zeros_like(y, shape=shape)
    for place, (image, windows) in enumerate(places(shape, y.shape[2:], kernel, stride)):
        x[image] += np.where(which[windows] == place, y[windows], y.dtype.type(0))
    return x


def _put_apart(y: Array, which: Array, shape: tuple[int, ...], kernel: Pair, stride: Pair) -> Array:
    """:func:`put` where windows do not overlap: each element is written once, a number times 1 or 0."""
    tiled = all(n == step * k == size * k for n, step, size, k in zip(shape[2:], stride, kernel, y.shape[2:]))
    x = (np.empty_like if tiled else np.zeros_like)(y, shape=shape)
    here = np.empty_like(y)
    with unbuffered():
        for place, (image, windows) in enumerate(places(shape, y.shape[2:], kernel, stride)):
            np.copyto(here, which == place)
            np.multiply(y[windows], here[windows], out=x[image])
    return x


def _in_order_of(other: Array, y: Array) -> Array:
    """``y`` in the memory order of ``other``, which has its shape."""
    if [k * other.itemsize for k in y.strides] == [k * y.itemsize for k in other.strides]:
        return y
    ordered = np.empty_like(other, dtype=y.dtype)
    ordered[...] = y
    return ordered


def window_sum(x: Array, out: Pair, kernel: Pair, stride: Pair) -> Array:
    """The sum over each window."""
    y = empty_windows(x, out)
    y[...] = 0
    for image, windows in places(x.shape, out, kernel, stride):
        y[windows] += x[image]
    return y


def spread(y: Array, shape: tuple[int, ...], kernel: Pair, stride: Pair) -> Array:
    """The transpose of :func:`window_sum`: each window's number added to all of its places."""
    x = np.zeros_like(y, shape=shape)
    for image, windows in places(shape, (y.shape[2], y.shape[3]), kernel, stride):
        x[image] += y[windows]
    return x
