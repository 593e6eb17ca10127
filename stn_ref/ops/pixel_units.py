"""Maps between normalised coordinates as maps between pixels: what theta is multiplied with."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..pixels import span

Array = NDArray[Any]


def in_pixels(theta: Array, size: tuple[int, ...], source: tuple[int, ...], align_corners: bool) -> Array:
    """Theta in pixel units on both sides, counted from the centre of the target and the origin of the source.

    >>> in_pixels(np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]), (3, 3), (3, 5), True)
    array([[[2., 0., 2.],
            [0., 1., 1.]]])
    """
    scaled: Array = theta * theta_factors(size, source, align_corners, theta.dtype)
    scaled[..., -1] += pixel_centre(source, theta.dtype)
    return scaled


@lru_cache(maxsize=64)
def theta_factors(size: tuple[int, ...], source: tuple[int, ...], align_corners: bool, dtype: Any) -> Array:
    """The first d rows of :func:`pixel_scales`, for a theta (N, d, d + 1)."""
    factors = pixel_scales(size, source, align_corners)[:-1].astype(dtype)
    factors.flags.writeable = False  # it is remembered
    return factors


def pixel_scales(size: tuple[int, ...], source: tuple[int, ...], align_corners: bool) -> Array:
    """S_i / T_j, (d + 1, d + 1): what a map is multiplied with, element by element, in pixel units.

    S and T are the half spans of source and target, and 1 for the last row and column. An output axis of one
    pixel holds the coordinate 0 alone, in whatever unit.

    >>> pixel_scales((1, 3), (1, 5), False)
    array([[1.66666667, 5.        , 2.5       ],
           [0.33333333, 1.        , 0.5       ],
           [0.66666667, 2.        , 1.        ]])
    """
    S, T = half_spans(source, align_corners), np.maximum(half_spans(size, align_corners), 0.5)
    scales: Array = np.append(S, 1.0)[:, None] / np.append(T, 1.0)
    return scales


def half_spans(size: tuple[int, ...], align_corners: bool) -> Array:
    """Pixels for each normalised unit, x first: (d,).

    >>> half_spans((3, 5), True)
    array([2., 1.])
    """
    return np.array([span(n, align_corners) / 2 for n in reversed(size)])


def pixel_centre(size: tuple[int, ...], dtype: Any) -> Array:
    """The pixel coordinates of the normalised origin, x first: (d,).

    >>> pixel_centre((3, 4), float)
    array([1.5, 1. ])
    """
    return np.array([(n - 1) / 2 for n in reversed(size)], dtype)
