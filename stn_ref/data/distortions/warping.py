"""Maps in pixels, and the one resampling that every distortion but TC consists of."""

import math
from typing import Any

import numpy as np

from ...ops import spatial_transform
from ...pixels import span
from .images import Batch, Floats, Images, centre, check_images

__all__ = [
    "POINTS",
    "map_between",
    "resample",
    "roomy_places",
    "similarity_to_source",
    "theta_from_pixels",
    "warp",
]

POINTS = 1 << 20  # places sampled at once: bounds the memory, and does not change the result


def warp(images: Images, to_source: Floats, size: tuple[int, ...]) -> Batch:
    """Images or volumes resampled linearly through maps given in pixels; zero outside.

    Parameters
    ----------
    images
        uint8, shape (N, H, W) or (N, D, H, W).
    to_source
        float64, shape (N, 2, 3) or (N, 3, 4), in pixels: for the target pixel (x, y), ``to_source[n] @ (x,
        y, 1)`` is the point (x, y) of image n that it shows; for volumes likewise with (x, y, z, 1).
    size
        (H', W') or (D', H', W') of the target frame.

    Returns
    -------
    float32, shape (N, 1, H', W') or (N, 1, D', H', W'), in [0, 1].

    >>> one_to_the_right = np.array([[[1.0, 0.0, -1.0], [0.0, 1.0, 0.0]]])
    >>> warp(np.array([[[255, 0, 51]]], dtype=np.uint8), one_to_the_right, (1, 3))
    array([[[[0., 1., 0.]]]], dtype=float32)
    """
    check_images("warp", "images", images, "(N, H, W)" if len(size) == 2 else "(N, D, H, W)")
    theta = theta_from_pixels(to_source, images.shape[1:], size, align_corners=False)
    return resample(images, theta, size, transformation="affine", align_corners=False)


def resample(
    images: Images, theta: Floats, size: tuple[int, ...], *, transformation: str, align_corners: bool
) -> Batch:
    """uint8 images through the transformation ``theta`` of the library, in parts that fit into memory.

    >>> picture = np.array([[[51, 0], [0, 255]]], dtype=np.uint8)
    >>> half_turn = np.array([[-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0]])
    >>> resample(picture, half_turn, (2, 2), transformation="projective", align_corners=True)
    array([[[[1. , 0. ],
             [0. , 0.2]]]], dtype=float32)
    """
    out = np.empty((len(images), 1, *size), dtype=np.float32)
    chunk = max(1, POINTS // math.prod(size))
    for start in range(0, len(images), chunk):
        part = slice(start, start + chunk)
        # In float64, a whole-pixel shift or a quarter turn is exact once rounded to float32.
        U = images[part, None].astype(np.float64) / 255
        out[part] = spatial_transform(
            U, theta[part], (*U.shape[:2], *size), transformation=transformation, align_corners=align_corners
        )
    return out


def similarity_to_source(degrees: Any, scale: Any, source_centre: Any, target_centre: Any) -> Floats:
    """The map, in pixels, from target to source, of a picture turned, scaled and moved.

    The point ``source_centre`` (x, y) of the picture goes to ``target_centre``, the picture is scaled by
    ``scale`` and turned counter-clockwise (as seen, y down) by ``degrees`` about it. Seen from the target, an
    offset (dx, dy) is turned back and shrunk:

        x_s = source_x + ( cos dx - sin dy) / scale
        y_s = source_y + ( sin dx + cos dy) / scale

    Arguments broadcast over the batch: shapes (N,) or () for the first two, (N, 2) or (2,) for the centres.
    Returns float64, shape (N, 2, 3).

    >>> to_source = similarity_to_source([90.0], 2.0, (1, 1), (5, 5))
    >>> (to_source @ [5.0, 1.0, 1.0]).round(9)     # above the centre stands what was to its right
    array([[3., 1.]])
    """
    radians = np.radians(np.asarray(degrees, dtype=np.float64))
    cosine, sine = np.cos(radians) / scale, np.sin(radians) / scale
    turn = np.stack([np.stack([cosine, -sine], axis=-1), np.stack([sine, cosine], axis=-1)], axis=-2)
    return map_between(turn, source_centre, target_centre)


def map_between(linear: Floats, source_centre: Any, target_centre: Any) -> Floats:
    """(N, d, d + 1): the map with the linear part ``linear`` (N, d, d) that leads from centre to centre.

    >>> map_between(np.eye(2)[None] / 2, (1, 1), (4, 6))
    array([[[ 0.5,  0. , -1. ],
            [ 0. ,  0.5, -2. ]]])
    """
    target = np.asarray(target_centre, dtype=np.float64)
    shift = np.asarray(source_centre) - (linear @ target[..., None])[..., 0]
    return np.concatenate([linear, shift[..., None]], axis=-1)


def roomy_places(where: Floats, half: Floats, size: int) -> Floats:
    """Where a thing that reaches to +-``half`` of its middle stands within an axis, so that it fits.

    ``where``, from 0 to 1, tells which of all such places, from the first to the last; what cannot fit is
    centred. Both arguments have the same shape, the result too.

    >>> roomy_places(np.array([0.0, 0.5, 1.0, 1.0]), np.array([2.0, 2.0, 2.0, 9.0]), 8)
    array([1. , 3.5, 6. , 3.5])
    """
    # Beyond pixels -1 and size nothing reaches into the frame, and nothing of the frame is lost.
    room = np.maximum(size + 1 - 2 * half, 0.0)
    places: Floats = (size - 1) / 2 + (where - 0.5) * room
    return places


def theta_from_pixels(
    to_source: Floats, source: tuple[int, ...], target: tuple[int, ...], *, align_corners: bool
) -> Floats:
    """An affine map from target to source pixels as theta, in normalised coordinates.

    With c = (size - 1)/2 the centre and h = span/2 the half span of an axis, a pixel coordinate is
    c + h X for the normalised X. Put into x_s = A x_t + t, axis by axis:

        c_s + h_s X_s = A (c_t + h_t X_t) + t
        X_s = (A h_t / h_s) X_t + (A c_t + t - c_s) / h_s

    Parameters
    ----------
    to_source
        float64, shape (N, d, d + 1): [A | t], in pixels, rows and columns in the order (x, y(, z)).
    source, target
        (H, W) and (H', W'), or (D, H, W) and (D', H', W').
    align_corners
        The convention in which theta will be used; under True a source axis of one pixel has no half span.

    Raises
    ------
    ValueError
        If ``align_corners`` is True and the source has an axis of size 1.

    >>> shift_by_one = np.array([[[1.0, 0.0, -1.0], [0.0, 1.0, 0.0]]])
    >>> theta_from_pixels(shift_by_one, (5, 5), (5, 5), align_corners=True)
    array([[[ 1. ,  0. , -0.5],
            [ 0. ,  1. ,  0. ]]])
    """
    source_xy, target_xy = source[::-1], target[::-1]
    half_s = np.array([span(size, align_corners) / 2 for size in source_xy])
    half_t = np.array([span(size, align_corners) / 2 for size in target_xy])
    if not half_s.all():
        raise ValueError(
            f"theta_from_pixels: source is {tuple(source)}; with align_corners=True an axis of one pixel has "
            "a single normalised coordinate and no scale. Use align_corners=False."
        )
    linear, shift = to_source[..., :-1], to_source[..., -1]
    shift = linear @ centre(target) + shift - centre(source)
    return np.concatenate([linear * half_t / half_s[:, None], (shift / half_s)[..., None]], axis=-1)
