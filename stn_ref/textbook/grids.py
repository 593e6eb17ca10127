"""Tasks 1 and 2: where each pixel of the output is sampled, and what a coordinate means."""

import numpy as np
from numpy.typing import NDArray

from .conventions import ALIGN_CORNERS

Array = NDArray[np.float64]

# Task 1: the regular grid and eq. (1)


def base_coordinates(size: int) -> Array:
    """Normalised coordinates of the centres of the ``size`` pixels of an axis: (size,).

    Under ALIGN_CORNERS the first and the last are -1 and 1; else the axis reaches from -1 to 1, and each
    pixel has an equal share of it. A single pixel is at 0 in both cases.

    >>> base_coordinates(3)
    array([-1.,  0.,  1.])
    """
    # BEGIN SOLUTION task=1
    from_the_middle = np.arange(size) - (size - 1) / 2
    pixels_from_end_to_end = size - 1 if ALIGN_CORNERS else size
    return 2 * from_the_middle / max(pixels_from_end_to_end, 1)
    # END SOLUTION


def base_grid(height: int, width: int) -> Array:
    """The target points (x_t, y_t, 1) of eq. (1), one for each output pixel: (H', W', 3).

    >>> base_grid(2, 3)[1]                      # the second row
    array([[-1.,  1.,  1.],
           [ 0.,  1.,  1.],
           [ 1.,  1.,  1.]])
    """
    # BEGIN SOLUTION task=1
    y_t, x_t = np.meshgrid(base_coordinates(height), base_coordinates(width), indexing="ij")
    return np.stack([x_t, y_t, np.ones_like(x_t)], axis=-1)
    # END SOLUTION


def affine_grid(theta: Array, height: int, width: int) -> Array:
    """Eq. (1): (x_s, y_s) = theta (x_t, y_t, 1), from TARGET to SOURCE, normalised coordinates.

    ``theta`` is (N, 2, 3), one map for each image; the grid is (N, H', W', 2), its last axis (x_s, y_s).

    >>> theta = np.array([[[0.5, 0.0, 0.25], [0.0, 1.0, 0.0]]])
    >>> affine_grid(theta, 1, 3)[0, 0]
    array([[-0.25,  0.  ],
           [ 0.25,  0.  ],
           [ 0.75,  0.  ]])
    """
    # BEGIN SOLUTION task=1
    return np.einsum("nij,hwj->nhwi", theta, base_grid(height, width))
    # END SOLUTION


# Task 2: coordinates, in both conventions


def to_pixels(x: Array, size: int, align_corners: bool) -> Array:
    """Normalised to pixel coordinates on an axis of ``size`` pixels, whose centres are 0, 1, ..., size - 1.

    ``align_corners`` says what -1 and 1 are: the centres of the first and the last pixel (True), or the outer
    edges of both (False).

    >>> ends = np.array([-1.0, 1.0])
    >>> to_pixels(ends, 5, True), to_pixels(ends, 5, False)
    (array([0., 4.]), array([-0.5,  4.5]))
    """
    # BEGIN SOLUTION task=2
    pixels_from_end_to_end = size - 1 if align_corners else size
    return x * pixels_from_end_to_end / 2 + (size - 1) / 2
    # END SOLUTION


def to_normalised(x_px: Array, size: int, align_corners: bool) -> Array:
    """Pixel coordinates to normalised ones; undoes :func:`to_pixels`, for two pixels or more.

    >>> to_normalised(np.array([0.0, 2.0]), 5, True)
    array([-1.,  0.])
    """
    # BEGIN SOLUTION task=2
    pixels_from_end_to_end = size - 1 if align_corners else size
    return (x_px - (size - 1) / 2) * 2 / pixels_from_end_to_end
    # END SOLUTION
