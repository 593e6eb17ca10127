"""Task 7: from the cotangent of the points, in pixels, to that of theta."""

import numpy as np
from numpy.typing import NDArray

from .conventions import ALIGN_CORNERS
from .grids import affine_grid, base_grid, to_pixels
from .sampler import channels_first, sample, slopes, splat

Array = NDArray[np.float64]


def to_points(grid: Array, height: int, width: int) -> Array:
    """A grid in normalised coordinates as points in the pixels of an image of ``height`` times ``width``."""
    x = to_pixels(grid[..., 0], width, ALIGN_CORNERS)
    y = to_pixels(grid[..., 1], height, ALIGN_CORNERS)
    return np.stack([x, y], axis=-1)


def grid_cotangent(points_bar: Array, height: int, width: int) -> Array:
    """The cotangent of the grid, whose coordinates are normalised, from that of the points, in pixels.

    ``height`` and ``width`` are those of the image that is sampled; both arrays are (N, H', W', 2).

    >>> grid_cotangent(np.array([[[[1.0, 1.0]]]]), 3, 5)
    array([[[[2., 1.]]]])
    """
    # BEGIN SOLUTION task=7
    spans = [width - 1, height - 1] if ALIGN_CORNERS else [width, height]
    return points_bar * np.array(spans) / 2
    # END SOLUTION


def theta_cotangent(grid_bar: Array) -> Array:
    """The cotangent of theta, (N, 2, 3), from that of the grid, (N, H', W', 2).

    >>> theta_cotangent(np.ones((1, 1, 3, 2)))           # x_t = -1, 0, 1
    array([[[0., 0., 3.],
            [0., 0., 3.]]])
    """
    # BEGIN SOLUTION task=7
    height, width = grid_bar.shape[1:3]
    return np.einsum("nhwi,hwj->nij", grid_bar, base_grid(height, width))
    # END SOLUTION


def spatial_transform(U: Array, theta: Array, height: int, width: int) -> Array:
    """``U`` as theta sees it: V, with ``height`` times ``width`` pixels."""
    source = channels_first(U).shape[2:]
    return sample(U, to_points(affine_grid(theta, height, width), *source))


def spatial_transform_vjp(U: Array, theta: Array, V_bar: Array) -> tuple[Array, Array]:
    """The cotangents of ``U`` and ``theta`` for that of V: tasks 5, 6 and 7 one behind the other."""
    source, size = channels_first(U).shape[2:], channels_first(V_bar).shape[2:]
    points = to_points(affine_grid(theta, *size), *source)
    grid_bar = grid_cotangent(slopes(U, points, V_bar), *source)
    return splat(V_bar, points, *source), theta_cotangent(grid_bar)
