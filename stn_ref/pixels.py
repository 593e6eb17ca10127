"""Pixels and normalised coordinates: the only home of align_corners and of the padding modes.

One formula holds both conventions. Along an axis of ``size`` pixels, with its centre at pixel
coordinate ``(size - 1) / 2``, the normalised coordinate x lies at

    x_px = x * span / 2 + (size - 1) / 2,      span = size - 1   (align_corners=True)
                                               span = size       (align_corners=False)

so -1 and 1 are the centres of the corner pixels (True) or the outer edges of the image (False).

A padding mode says how the image goes on beyond its border, on the whole lattice of integers:
``zeros`` by nothing, ``border`` by its edge pixel, ``reflection`` by its mirror image, about the corner
centres (True) or the outer edges (False). It is a map of *indices*, not of coordinates. Values and
derivatives of every order follow from it alone, for a kernel of any width: a bilinear sample beyond a
``border`` has slope U[W-1] - U[W-1] = 0 without a rule that says so.
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]

PADDING_MODES = ("zeros", "border", "reflection")


def span(size: int, align_corners: bool) -> int:
    """Pixels between the normalised coordinates -1 and 1 along an axis of ``size`` pixels.

    >>> span(28, True), span(28, False)
    (27, 28)
    """
    return size - 1 if align_corners else size


def base_coordinates(size: int, align_corners: bool, dtype: DTypeLike = np.float64) -> Array:
    """Normalised coordinates of the ``size`` pixel centres of one axis, shape (size,).

    Symmetric about 0 and correctly rounded: each is a quotient of two integers. An axis of size 1 has
    the coordinate 0.

    >>> base_coordinates(3, True), base_coordinates(2, False)
    (array([-1.,  0.,  1.]), array([-0.5,  0.5]))
    """
    numerators = 2 * np.arange(size, dtype=np.float64) - (size - 1)
    quotients = numerators / max(span(size, align_corners), 1)
    return quotients.astype(dtype)


def centred_indices(size: int, dtype: DTypeLike = np.float64) -> Array:
    """Pixel indices counted from the centre of the axis: exact half-integers, shape (size,).

    >>> centred_indices(4)
    array([-1.5, -0.5,  0.5,  1.5])
    """
    return (np.arange(size, dtype=np.float64) - (size - 1) / 2).astype(dtype)


def to_pixels(x: Array, size: int, align_corners: bool) -> Array:
    """Normalised coordinates to pixel coordinates along one axis of ``size`` pixels.

    Infinite stays infinite, on an axis of one pixel too, and finite stays finite.

    >>> to_pixels(np.array([-1.0, 1.0]), 5, True), to_pixels(np.array([-1.0, 1.0]), 5, False)
    (array([0., 4.]), array([-0.5,  4.5]))
    """
    with np.errstate(over="ignore", invalid="ignore"):
        x_px = x * (span(size, align_corners) / 2) + (size - 1) / 2
    lost = ~np.isfinite(x_px)
    if lost.any():  # 0 * infinity, or an overflow
        largest = np.copysign(np.finfo(x.dtype).max, x)
        x_px = np.where(lost, np.where(np.isfinite(x), largest, x), x_px)
    return x_px


def to_normalised(x_px: Array, size: int, align_corners: bool) -> Array:
    """Pixel coordinates to normalised ones, the inverse of :func:`to_pixels`.

    >>> to_normalised(np.array([0.0, 4.0]), 5, True)
    array([-1.,  1.])
    """
    return (x_px - (size - 1) / 2) * (2 / max(span(size, align_corners), 1))


def on_lattice(n: Array, size: int, padding_mode: str, align_corners: bool, reach: int) -> Array:
    """Integer-valued floats of any magnitude to small integers at which the padded image is the same.

    So 1e38 is as good a coordinate as 3: ``zeros`` and ``border`` are constant beyond the image, so
    ``n`` is clipped to ``reach`` pixels outside it; ``reflection`` is periodic, so ``n`` is reduced by
    its period, exactly. ``n`` must not be NaN, and under ``reflection`` not infinite.

    >>> on_lattice(np.array([-np.inf, 2.0, 1e38]), 5, "zeros", True, 2)
    array([-3,  2,  7])
    """
    if padding_mode == "reflection":
        period = 2 * span(size, align_corners)
        return (np.mod(n, period) if period else np.zeros_like(n)).astype(np.intp)
    return np.clip(n, -1 - reach, size + reach).astype(np.intp)


def padded_index(n: Array, size: int, padding_mode: str, align_corners: bool) -> Array:
    """Which pixel stands at lattice point ``n`` (intp): an index below ``size``, or ``size`` for none.

    >>> line = np.arange(-3, 6)                                        # an axis of 3 pixels
    >>> padded_index(line, 3, "zeros", True)
    array([3, 3, 3, 0, 1, 2, 3, 3, 3])
    >>> padded_index(line, 3, "border", True)
    array([0, 0, 0, 0, 1, 2, 2, 2, 2])
    >>> padded_index(line, 3, "reflection", True)
    array([1, 2, 1, 0, 1, 2, 1, 0, 1])
    >>> padded_index(line, 3, "reflection", False)
    array([2, 1, 0, 0, 1, 2, 2, 1, 0])
    """
    if padding_mode == "zeros":
        inside: Array = np.minimum(n.view(np.uintp), np.uintp(size))  # below 0 is huge, unsigned
        return inside.view(np.intp)
    if padding_mode == "border":
        return np.clip(n, 0, size - 1)
    period = 2 * span(size, align_corners)
    folded = np.mod(n, period) if period else np.zeros_like(n)
    mirrored: Array = np.minimum(folded, period - folded - (0 if align_corners else 1))
    return mirrored
