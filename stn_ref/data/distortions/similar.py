"""R and RTS: the digit turned, and turned, scaled and put somewhere."""

import numpy as np

from .images import Batch, Images, centre, check_images, check_scale, ink_box
from .warping import roomy_places, similarity_to_source, warp

__all__ = ["rotate", "rotate_scale_translate"]


def rotate(
    images: Images, rng: np.random.Generator, *, degrees: tuple[float, float] = (-90.0, 90.0)
) -> Batch:
    """R: each image turned about its centre by an angle uniform in ``degrees``.

    Images uint8 (N, H, W); returns float32 in [0, 1], shape (N, 1, H, W). What is turned out of the frame is
    cut off, which for MNIST is next to nothing: the digits lie near the central 20x20 pixels.

    Raises TypeError or ValueError if ``images`` is not uint8 of shape (N, H, W).

    >>> picture = np.array([[[9, 0], [0, 0]]], dtype=np.uint8) * 28
    >>> np.round(rotate(picture, np.random.default_rng(0), degrees=(90, 90)), 6)[0, 0]
    array([[0.      , 0.      ],
           [0.988235, 0.      ]], dtype=float32)
    """
    check_images("rotate", "images", images)
    angles = rng.uniform(*degrees, size=len(images))
    middle = centre(images.shape[1:])
    return warp(images, similarity_to_source(angles, 1.0, middle, middle), images.shape[1:])


def rotate_scale_translate(
    images: Images,
    rng: np.random.Generator,
    *,
    degrees: tuple[float, float] = (-45.0, 45.0),
    scale: tuple[float, float] = (0.7, 1.2),
    size: int = 42,
) -> Batch:
    """RTS: each image turned, scaled and put at a random place of a ``size`` x ``size`` frame.

    Images uint8 (N, H, W); returns float32 in [0, 1], shape (N, 1, size, size). The package's docstring says
    what a random place is.

    Raises TypeError or ValueError if ``images`` is not uint8 of shape (N, H, W), or ``scale`` is no positive
    range.

    >>> picture = np.full((1, 4, 4), 255, dtype=np.uint8)
    >>> seeds = [np.random.default_rng(seed) for seed in (1, 1)]
    >>> first, second = (rotate_scale_translate(picture, rng, size=12) for rng in seeds)
    >>> first.shape, bool((first == second).all())
    ((1, 1, 12, 12), True)
    """
    check_images("rotate_scale_translate", "images", images)
    check_scale("rotate_scale_translate", scale)
    angles = rng.uniform(*degrees, size=len(images))
    scales = rng.uniform(*scale, size=len(images))
    where = rng.uniform(size=(len(images), 2))
    # About the middle of the ink, its box reaches to +-reach, and turned and scaled to +-half.
    first, last = ink_box(images)
    middle, reach = (first + last) / 2, (last - first) / 2 + 1
    cosine, sine = np.abs(np.cos(np.radians(angles))), np.abs(np.sin(np.radians(angles)))
    half_x = scales * (cosine * reach[:, 0] + sine * reach[:, 1])
    half_y = scales * (sine * reach[:, 0] + cosine * reach[:, 1])
    places = roomy_places(where, np.stack([half_x, half_y], axis=1), size)
    return warp(images, similarity_to_source(angles, scales, middle, places), (size, size))
