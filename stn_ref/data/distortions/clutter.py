"""TC and co-localisation: the digit somewhere in a larger frame, among pieces of others."""

from typing import NamedTuple

import numpy as np

from .images import Batch, Images, Indices, check_images, ink_box, to_unit

__all__ = ["Placed", "place_digits", "translate_clutter"]


class Placed(NamedTuple):
    """Digits in larger frames, and where they are.

    ``images``: float32 in [0, 1], shape (N, 1, size, size). ``frames``, ``ink``: integers, shape (N, 4),
    the box (x, y, width, height) of each digit's frame, and of its ink, in whole pixels: the columns x to x +
    width - 1 and the rows y to y + height - 1. An image without ink has its frame in both.

    >>> digit = np.array([[[0, 0, 0], [0, 255, 255], [0, 0, 0]]], dtype=np.uint8)
    >>> images, frames, ink = place_digits(digit, np.random.default_rng(0), size=3)
    >>> frames.tolist(), ink.tolist()
    ([[0, 0, 3, 3]], [[1, 1, 2, 1]])
    """

    images: Batch
    frames: Indices
    ink: Indices


def translate_clutter(
    images: Images,
    rng: np.random.Generator,
    *,
    size: int = 60,
    pieces: int = 6,
    piece_size: int = 6,
    source: Images | None = None,
) -> Batch:
    """TC: each image at a random place of a larger frame, with pieces of others as clutter.

    Images uint8 (N, H, W) with H, W <= size; returns float32 in [0, 1], shape (N, 1, size, size). The pieces
    are cut from ``source``, uint8 (M, h, w) with h, w >= piece_size, each from any of them; if None, from the
    other images of the same batch. Where the digits are tells :func:`place_digits`.

    Raises TypeError or ValueError if ``images`` or ``source`` is of another form or does not fit, or
    ``images`` is one image alone that would be its own source.

    >>> pictures = np.full((2, 3, 3), 255, dtype=np.uint8)
    >>> out = translate_clutter(pictures, np.random.default_rng(0), size=8, pieces=1, piece_size=2)
    >>> out.shape, sorted({int(n) for n in out.sum(axis=(1, 2, 3))} - set(range(9, 14)))
    ((2, 1, 8, 8), [])
    """
    return _placed("translate_clutter", images, rng, size, pieces, piece_size, source).images


def place_digits(
    images: Images,
    rng: np.random.Generator,
    *,
    size: int = 84,
    pieces: int = 0,
    piece_size: int = 6,
    source: Images | None = None,
) -> Placed:
    """Co-localisation: as :func:`translate_clutter`, with the boxes of the digits; no pieces by default.

    The paper's cluttered version has ``pieces=16`` and the training digits as ``source``.

    Raises as :func:`translate_clutter`.

    >>> pictures = np.full((2, 3, 3), 255, dtype=np.uint8)
    >>> placed = place_digits(pictures, np.random.default_rng(0), size=8)
    >>> x, y, width, height = placed.frames[0]
    >>> bool(placed.images[0, 0, y : y + height, x : x + width].all()), int(placed.images[0].sum())
    (True, 9)
    """
    return _placed("place_digits", images, rng, size, pieces, piece_size, source)


def _placed(
    operator: str,
    images: Images,
    rng: np.random.Generator,
    size: int,
    pieces: int,
    piece_size: int,
    source: Images | None,
) -> Placed:
    check_images(operator, "images", images)
    count, height, width = images.shape
    if max(height, width) > size:
        raise ValueError(
            f"{operator}: images are {height}x{width}; they must fit into the frame, size = {size}"
        )
    if pieces:
        _check_source(operator, count, images if source is None else source, piece_size, own=source is None)
    canvas = np.zeros((count, size, size), dtype=np.uint8)
    corner = rng.integers(0, [size - width + 1, size - height + 1], size=(count, 2))
    _paste(canvas, images, corner)
    if count:
        _clutter(canvas, images, source, rng, pieces, piece_size)
    first, last = ink_box(images)
    frames = np.concatenate([corner, np.broadcast_to([width, height], (count, 2))], axis=1)
    return Placed(to_unit(canvas), frames, np.concatenate([corner + first, last - first + 1], axis=1))


def _clutter(
    canvas: Images,
    images: Images,
    source: Images | None,
    rng: np.random.Generator,
    pieces: int,
    piece_size: int,
) -> None:
    """Paste pieces of the ink of ``source``, or of the other images, anywhere into each canvas."""
    count, size = canvas.shape[:2]
    cut_from = images if source is None else source
    first, last = ink_box(cut_from)
    limit = np.array(cut_from.shape[:0:-1]) - piece_size
    for _ in range(pieces):
        if source is None:
            # A step of 1 to count - 1 around the batch never ends at the image itself.
            which = (np.arange(count) + rng.integers(1, count, size=count)) % count
        else:
            which = rng.integers(len(source), size=count)
        lowest = np.minimum(first[which], limit)
        highest = np.maximum(last[which] + 1 - piece_size, lowest)
        corner = rng.integers(lowest, highest + 1)
        piece = cut_from[_window(which, corner, piece_size, piece_size)]
        _paste(canvas, piece, rng.integers(0, size - piece_size + 1, size=(count, 2)))


def _window(which: Indices, corner: Indices, height: int, width: int) -> tuple[Indices, ...]:
    """Index of one window in each image ``which``, top-left pixel ``corner`` (x, y)."""
    rows = corner[:, 1, None, None] + np.arange(height)[:, None]
    columns = corner[:, 0, None, None] + np.arange(width)
    return which[:, None, None], rows, columns


def _paste(canvas: Images, patches: Images, corner: Indices) -> None:
    """Each patch into its canvas at ``corner`` (x, y); the brighter pixel wins."""
    index = _window(np.arange(len(canvas)), corner, *patches.shape[1:])
    canvas[index] = np.maximum(canvas[index], patches)


def _check_source(operator: str, count: int, source: Images, piece_size: int, own: bool) -> None:
    """Refuse to cut pieces from what holds none."""
    name = "images" if own else "source"
    check_images(operator, name, source)
    if min(source.shape[1:]) < piece_size:
        height, width = source.shape[1:]
        raise ValueError(
            f"{operator}: {name} are {height}x{width}; they must hold a piece, piece_size = {piece_size}"
        )
    if own and count == 1:
        raise ValueError(
            f"{operator}: images holds a single image, but the clutter is cut from the others of the batch; "
            "give at least two, or source=, the images to cut from, or pieces=0"
        )
    if not own and not len(source):
        raise ValueError(f"{operator}: source holds no image to cut pieces from; give one, or pieces=0")
