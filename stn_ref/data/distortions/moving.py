"""P and E: the digit scaled, some points of its frame moved, and the rest taken along."""

from numbers import Real
from typing import Any

import numpy as np

from ...errors import describe
from ...ops import control_grid, homography_from_points
from .images import Batch, Floats, Images, centre, check_images, check_scale
from .warping import resample

__all__ = ["convex", "elastic", "moved_controls", "moved_corners", "project"]

CORNERS: Floats = control_grid(2, 2)[[0, 1, 3, 2]]  # clockwise from the upper left, normalised
CONTROLS: Floats = control_grid(4, 4)


def project(
    images: Images,
    rng: np.random.Generator,
    *,
    scale: tuple[float, float] = (0.75, 1.0),
    sigma: float = 5.0,
) -> Batch:
    """P: each image scaled by a number uniform in ``scale``, and its four corners moved.

    Images uint8 (N, H, W) with H, W >= 2; returns float32 in [0, 1], shape (N, 1, H, W). ``sigma``, in
    pixels, is the standard deviation of each corner's moves along x and along y. The package's docstring
    says which quadrilaterals are drawn anew.

    Raises TypeError or ValueError if ``images`` is not uint8 of shape (N, H, W) or too small, or a setting is
    not a positive range or a number from 0 on.

    >>> picture = np.array([[[0, 51, 255]] * 3], dtype=np.uint8)
    >>> project(picture, np.random.default_rng(0), scale=(2, 2), sigma=0)[0, 0, 0]     # about the centre
    array([0.1, 0.2, 0.6], dtype=float32)
    """
    _check("project", images, scale, sigma)
    target = moved_corners(len(images), images.shape[1:], rng, scale=scale, sigma=sigma)
    theta = homography_from_points(CORNERS[None], target)
    return resample(images, theta, images.shape[1:], transformation="projective", align_corners=True)


def elastic(
    images: Images,
    rng: np.random.Generator,
    *,
    scale: tuple[float, float] = (0.75, 1.0),
    sigma: float = 1.5,
) -> Batch:
    """E: each image scaled by a number uniform in ``scale``, and bent by a spline of 4x4 control points.

    Images uint8 (N, H, W) with H, W >= 2; returns float32 in [0, 1], shape (N, 1, H, W). ``sigma``, in
    pixels, is the standard deviation of each control point's moves along x and along y.

    Raises TypeError or ValueError if ``images`` is not uint8 of shape (N, H, W) or too small, or a setting is
    not a positive range or a number from 0 on.

    >>> picture = np.array([[[0, 51, 255]] * 3], dtype=np.uint8)
    >>> elastic(picture, np.random.default_rng(0), scale=(2, 2), sigma=0)[0, 0, 0]     # about the centre
    array([0.1, 0.2, 0.6], dtype=float32)
    """
    _check("elastic", images, scale, sigma)
    theta = moved_controls(len(images), images.shape[1:], rng, scale=scale, sigma=sigma)
    return resample(images, theta, images.shape[1:], transformation="thin-plate-spline", align_corners=True)


def moved_corners(
    count: int,
    size: tuple[int, ...],
    rng: np.random.Generator,
    *,
    scale: tuple[float, float],
    sigma: float,
) -> Floats:
    """Where P sends the corners of frames (H, W), clockwise from the upper left: (count, 4, 2), normalised.

    First all scales are drawn, then all moves, then the moves of those that will not do, in their order,
    until all do.

    >>> moved_corners(1, (28, 28), np.random.default_rng(0), scale=(0.75, 0.75), sigma=0.0)[0].tolist()
    [[-0.75, -0.75], [0.75, -0.75], [0.75, 0.75], [-0.75, 0.75]]
    """
    scaled = rng.uniform(*scale, size=count)[:, None, None] * CORNERS
    corners = np.empty_like(scaled)
    again = np.arange(count)
    while again.size:
        moves = rng.normal(0.0, sigma, size=(again.size, 4, 2)) / centre(size)
        corners[again] = scaled[again] + moves
        again = again[~_seen_from_the_front(corners[again])]
    return corners


def moved_controls(
    count: int,
    size: tuple[int, ...],
    rng: np.random.Generator,
    *,
    scale: tuple[float, float],
    sigma: float,
) -> Floats:
    """What E shows at the control points of frames (H, W), row by row: (count, 16, 2), normalised.

    >>> moved_controls(1, (28, 28), np.random.default_rng(0), scale=(0.5, 0.5), sigma=0.0)[0, :2].round(3)
    array([[-2.   , -2.   ],
           [-0.667, -2.   ]])
    """
    scales = rng.uniform(*scale, size=count)
    moves = rng.normal(0.0, sigma, size=(count, 16, 2)) / centre(size)
    places: Floats = (CONTROLS + moves) / scales[:, None, None]
    return places


def convex(corners: Floats) -> Any:
    """Which quadrilaterals (N, 4, 2), y down, turn to the right at each of their four corners: (N,).

    Four right turns of less than half a circle make one whole circle, not two: nothing crosses itself.

    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> convex(np.stack([square, square[::-1], square[[0, 2, 1, 3]]]))           # as it is, flipped, crossed
    array([ True, False, False])
    """
    edges = np.roll(corners, -1, axis=1) - corners
    following = np.roll(edges, -1, axis=1)
    turns = edges[..., 0] * following[..., 1] - edges[..., 1] * following[..., 0]
    return (turns > 0).all(axis=1)


def _seen_from_the_front(corners: Floats) -> Any:
    """Which quadrilaterals are convex, and the frame wholly before the horizon of their plane: (N,)."""
    good = convex(corners)
    H = homography_from_points(CORNERS[None], corners[good])
    # z' is linear, and 1 at a corner of the digit: it is positive on the frame if it is at its corners.
    z = H[:, 2, :2] @ CORNERS.T + H[:, 2, 2:]
    good[good] = (z > 0).all(axis=1)
    return good


def _check(operator: str, images: Any, scale: Any, sigma: Any) -> None:
    check_images(operator, "images", images)
    if min(images.shape[1:]) < 2:
        raise ValueError(
            f"{operator}: images has shape {images.shape}, expected at least 2x2 pixels, whose centres are "
            "the corners that are moved"
        )
    check_scale(operator, scale)
    if not (isinstance(sigma, Real) and 0 <= float(sigma) < np.inf):
        raise ValueError(f"{operator}: sigma is {describe(sigma)}, expected a number of pixels from 0 on")
