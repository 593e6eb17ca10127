"""How wide the kernel of each sample is: its parameter Phi, and the local scale of an anti-aliased grid.

A sampler whose grid skips pixels sees only some of them (aliasing). Widening the kernel by the distance
between neighbouring samples makes it average over what it would skip.
"""

from contextlib import suppress
from dataclasses import replace

import numpy as np

from ..autograd.tensor import Tensor, Value, plain
from ..errors import check_flag, describe
from .arithmetic import as_dtype, maximum, minimum, where
from .elementary import sqrt
from .kernel import Kernel
from .shaping import broadcast_to, concatenate, index, pad

WIDEST = 32.0  # pixels; how far the anti-aliasing widens at most, since the cost grows with its square
FARTHEST = 1e6  # pixels; steps between samples count as this long at most, so that squares do not overflow


def with_widths(
    operator: str, points: Value, kernel: Kernel, source: tuple[int, ...], antialias: bool
) -> tuple[Value, Kernel]:
    """Points (N, ..., d) with the widths of each sample beside its coordinates, and the bare kernel.

    Without a width and without anti-aliasing both are returned as they are.
    """
    check_flag(operator, "antialias", antialias)
    if kernel.width is None and not antialias:
        return points, kernel
    widths: Value = np.ones(points.shape, points.dtype)
    if kernel.width is not None:
        widths = _given(operator, kernel, points, source)
    if antialias:
        widths = widths * local_scale(points)
    return concatenate([points, widths], axis=-1), replace(kernel, width=None, normalised=True)


def local_scale(points: Value) -> Value:
    """How far apart neighbouring samples are along each source axis, in pixels, between 1 and ``WIDEST``.

    For source axis x it is the length of (dx / dx_t, dx / dy_t), so that a rotation alone widens nothing.
    ``points`` is (N, ..., d) with one axis of neighbours for each coordinate; the result has its shape. The
    derivatives are central differences, one-sided at the ends. An axis of one sample has no neighbours and
    does not count, nor does a neighbour with a coordinate that is infinite or NaN.

    >>> points = np.stack(np.meshgrid(np.arange(0, 9, 3.0), np.arange(0, 4, 2.0)), axis=-1)[None]
    >>> local_scale(points)[0, 0]                               # 3 pixels apart in x, 2 in y
    array([[3., 2.],
           [3., 2.],
           [3., 2.]])
    """
    squares: Value = np.zeros(points.shape, points.dtype)
    for axis in range(1, len(points.shape) - 1):
        if points.shape[axis] > 1:
            step = _difference(points, axis)
            squares = squares + step * step
    # Not a maximum: its slope at equal numbers would widen the identity by half.
    squares = where(plain(squares) > 1, squares, np.ones_like(plain(squares)))
    return sqrt(minimum(squares, WIDEST**2))


def _difference(points: Value, axis: int) -> Value:
    """The derivative of points along a target axis, in source pixels for each target pixel."""
    before, after = slice(None, -1), slice(1, None)
    finite = np.isfinite(plain(points)).all(axis=-1, keepdims=True)
    seen = _part(finite, axis, before) & _part(finite, axis, after)
    with np.errstate(over="ignore", invalid="ignore"):
        step = _part(points, axis, after) - _part(points, axis, before)
    step = where(seen, step, np.zeros_like(plain(step)))
    step = minimum(maximum(step, -FARTHEST), FARTHEST)
    ends = [(0, 0)] * len(points.shape)
    ends[axis] = (1, 1)  # no step before the first sample, none after the last
    step, seen = pad(step, widths=tuple(ends)), np.pad(seen, ends)
    count = _part(seen, axis, before).astype(points.dtype) + _part(seen, axis, after)
    return (_part(step, axis, before) + _part(step, axis, after)) / np.maximum(count, 1)


def _part(x: Value, axis: int, part: slice) -> Value:
    return index(x, key=(slice(None),) * axis + (part,))


def _given(operator: str, kernel: Kernel, points: Value, source: tuple[int, ...]) -> Value:
    """The kernel's own width for every sample, checked."""
    width = kernel.width() if callable(kernel.width) else kernel.width
    if not isinstance(width, (Tensor, np.ndarray)):
        with suppress(TypeError, ValueError):
            width = np.asarray(width, points.dtype)
    if not isinstance(width, (Tensor, np.ndarray)) or width.dtype.kind not in "fiub":
        raise TypeError(
            f"{operator}: the width of the kernel {kernel.name!r} is {describe(width)}, expected a "
            "positive number, array or Tensor"
        )
    limit = max(64, 2 * max(source)) / kernel.radius
    values = plain(width)
    wrong = values[~((values > 0) & (values <= limit))]
    if wrong.size:
        raise ValueError(
            f"{operator}: the width of the kernel {kernel.name!r} is {wrong[0]:g}, expected more than "
            f"0 and at most {limit:g} pixels, where it sees all of an image of shape {source}; a width "
            "that is learnt stays positive as lambda: exp(log_width)"
        )
    if width.dtype.kind != "f":
        width = plain(width).astype(points.dtype)
    try:
        return broadcast_to(as_dtype(width, points.dtype), shape=points.shape)
    except ValueError:
        raise ValueError(
            f"{operator}: the width of the kernel {kernel.name!r} has shape {width.shape}, expected (), "
            f"({points.shape[-1]},) with x first, or what broadcasts to {points.shape}"
        ) from None
