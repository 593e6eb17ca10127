"""Normalised to pixel coordinates, for backends that sample at pixels."""

from typing import Any

import numpy as np

PIXEL_AXES = """
def pixel_axes(xp, grid, sizes, align_corners):
    axes = []
    for k, size in enumerate(reversed(sizes)):
        with np.errstate(all="ignore"):
            x_px = grid[..., k] * ((size - 1 if align_corners else size) / 2) + (size - 1) / 2
        axes.append(xp.where(xp.isfinite(x_px), x_px, grid[..., k]))
    return axes[::-1]
"""  # pixel_axes below, for snippets


def pixel_axes(xp: Any, grid: Any, sizes: Any, align_corners: bool) -> "list[Any]":
    """Pixel coordinates along the axes of an image of spatial shape ``sizes``, slowest axis first.

    ``grid`` is an array of ``xp``: NumPy, or another module with its ``where`` and ``isfinite``. The result
    has its dtype, and can be differentiated if ``xp`` can. Infinite stays infinite, on an axis of one pixel
    too, and finite stays finite, so that what becomes of it is the backend's doing.

    >>> pixel_axes(np, np.array([[-1.0, 1.0], [0.0, 0.0]]), (4, 3), False)
    [array([3.5, 1.5]), array([-0.5,  1. ])]
    """
    axes = []
    for k, size in enumerate(reversed(sizes)):
        x = grid[..., k]
        span = size - 1 if align_corners else size
        with np.errstate(over="ignore", invalid="ignore"):
            x_px = x * (span / 2) + (size - 1) / 2
        axes.append(xp.where(xp.isfinite(x_px), x_px, x))
    return axes[::-1]
