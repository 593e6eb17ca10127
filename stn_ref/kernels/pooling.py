"""Pooling windows as strided slices: one slice for each place in the window, over the whole batch."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    return np.empty_like(x[:, :, :1, :1], shape=(*x.shape[:2], *out), dtype=dtype)


def maximum(x: Array, out: Pair, kernel: Pair, stride: Pair) -> Array:
    """The maximum of each window (NaN counts as largest)."""
    best = empty_windows(x, out)
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
    for place, (image, windows) in enumerate(places(x.shape, out, kernel, stride)):
        if place == 0:
            best[...], which[...] = x[image], 0
            continue
        new, old, chosen = x[image], best[windows], which[windows]
        better = ~(new <= old) & (old == old)
        chosen ^= (chosen ^ index.type(place)) * better  # place where better; a masked copy is slower
        np.maximum(old, new, out=old)
    return best, which


def pick(x: Array, which: Array, kernel: Pair, stride: Pair) -> Array:
    """From each window the element at place ``which``."""
    out = (which.shape[2], which.shape[3])
    y = empty_windows(x, out)
    for place, (image, windows) in enumerate(places(x.shape, out, kernel, stride)):
        np.copyto(y[windows], x[image], where=which[windows] == place)
    return y


def put(y: Array, which: Array, shape: tuple[int, ...], kernel: Pair, stride: Pair) -> Array:
    """The transpose of :func:`pick`: each window's number added at its place of an image of ``shape``."""
    x = np.zeros_like(y[:, :, :1, :1], shape=shape)
    for place, (image, windows) in enumerate(places(shape, (y.shape[2], y.shape[3]), kernel, stride)):
        x[image] += np.where(which[windows] == place, y[windows], y.dtype.type(0))
    return x


def window_sum(x: Array, out: Pair, kernel: Pair, stride: Pair) -> Array:
    """The sum over each window."""
    y = empty_windows(x, out)
    y[...] = 0
    for image, windows in places(x.shape, out, kernel, stride):
        y[windows] += x[image]
    return y


def spread(y: Array, shape: tuple[int, ...], kernel: Pair, stride: Pair) -> Array:
    """The transpose of :func:`window_sum`: each window's number added to all of its places."""
    x = np.zeros_like(y[:, :, :1, :1], shape=shape)
    for image, windows in places(shape, (y.shape[2], y.shape[3]), kernel, stride):
        x[image] += y[windows]
    return x
