"""Addition: two digits, each in a channel and distorted by itself, whose sum is the class."""

import numpy as np
from numpy.typing import NDArray

from .images import Batch, Images, check_images
from .similar import rotate_scale_translate

__all__ = ["digit_pairs", "rotate_scale_translate_pairs"]


def digit_pairs(
    images: Images, labels: NDArray[np.uint8], count: int, rng: np.random.Generator
) -> tuple[Images, NDArray[np.uint8]]:
    """``count`` pairs of digits, and their sums.

    Parameters
    ----------
    images, labels
        uint8, shapes (N, H, W) and (N,), as the readers give them.
    count
        How many pairs, each of two digits drawn uniformly, independently, with replacement.

    Returns
    -------
    pairs
        uint8, shape (count, 2, H, W).
    sums
        uint8, shape (count,): 0 to 18 for digits.

    Raises
    ------
    TypeError, ValueError
        If images or labels are of another form, or there are none to draw from.

    >>> images, labels = np.array([[[1]], [[2]]], dtype=np.uint8), np.array([1, 2], dtype=np.uint8)
    >>> pairs, sums = digit_pairs(images, labels, 4, np.random.default_rng(0))
    >>> pairs[:, :, 0, 0].tolist(), sums.tolist()
    ([[2, 2], [2, 1], [1, 1], [1, 1]], [4, 3, 2, 2])
    """
    check_images("digit_pairs", "images", images)
    check_images("digit_pairs", "labels", labels, "(N,)")
    if len(images) != len(labels) or not len(images):
        raise ValueError(
            f"digit_pairs: images holds {len(images)} digits and labels {len(labels)}, expected equally "
            "many, at least one; take both from the same set"
        )
    chosen = rng.integers(len(images), size=(count, 2))
    return images[chosen], labels[chosen].sum(axis=1, dtype=np.uint8)


def rotate_scale_translate_pairs(pairs: Images, rng: np.random.Generator) -> Batch:
    """Each digit of a pair by an RTS of its own, with the paper's ranges.

    Pairs uint8 (N, 2, 28, 28); returns float32 in [0, 1], shape (N, 2, 42, 42).

    Raises TypeError or ValueError if ``pairs`` is not uint8 of shape (N, 2, H, W).

    >>> pairs = np.full((3, 2, 28, 28), 255, dtype=np.uint8)
    >>> out = rotate_scale_translate_pairs(pairs, np.random.default_rng(0))
    >>> out.shape, bool((out[:, 0] == out[:, 1]).all())
    ((3, 2, 42, 42), False)
    """
    check_images("rotate_scale_translate_pairs", "pairs", pairs, "(N, 2, H, W)")
    if pairs.shape[1] != 2:
        raise ValueError(
            f"rotate_scale_translate_pairs: pairs has shape {pairs.shape}, expected (N, 2, H, W), two digits "
            "for each sum; digit_pairs draws them"
        )
    apart = pairs.reshape(-1, *pairs.shape[2:])
    together = rotate_scale_translate(apart, rng)
    return together.reshape(*pairs.shape[:2], *together.shape[2:])
