"""House numbers made of digits: one to five of them side by side, somewhere on a square canvas.

The paper reads the Street View House Numbers; these stand in for them where only MNIST is at hand. The
choices, here and nowhere else:

- A number has one to five digits, in 15, 50, 25, 8 and 2 % of all cases, much as on houses; the digits are
  drawn uniformly, with replacement.
- Each digit is centred by the box around its ink in a cell of 20x20 pixels, which is the size of MNIST's
  digits, and 2 pixels lie between the cells.
- The whole number is turned by U(-10, 10) degrees about the middle of its ink, and scaled by U(0.8, 1) of
  what makes it span a canvas of 64 pixels, or gives its digits 32 pixels of height, whichever is smaller.
- A canvas of 64 pixels is like the paper's tight crop: the middle of the number lies up to 4 pixels beside
  that of the canvas, along x and along y, uniformly, as far as no ink leaves the canvas.
- A larger canvas is like the paper's loose crop: the number is larger than on 64 pixels by U(1.2, 1.6), so
  that it covers less of it, and its middle lies up to an eighth of the canvas beside that of the canvas.
- All this is one map and one resampling, bilinear, as in the distortions of single digits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import describe
from .distortions.images import Batch, Floats, Images, check_images, ink_box
from .distortions.warping import roomy_places, similarity_to_source, warp
from .svhn import LONGEST, NO_DIGIT

__all__ = ["OnCanvas", "digit_sequences", "digit_strips"]

CELL, GAP = 20, 2
PITCH = CELL + GAP
LENGTHS = (0.15, 0.5, 0.25, 0.08, 0.02)
SPANNED = 64
TALLEST = 32
NEAR = 4
DEGREES = (-10.0, 10.0)
SHARE = (0.8, 1.0)
ENLARGED = (1.2, 1.6)


def digit_sequences(
    images: Images, labels: NDArray[np.uint8], count: int, size: int, rng: np.random.Generator
) -> tuple[Images, NDArray[np.uint8]]:
    """``count`` numbers of one to five digits, each somewhere on a canvas, and their digits.

    Parameters
    ----------
    images, labels
        uint8, shapes (N, 28, 28) and (N,), as the readers give them.
    count
    size
        Of the canvas, 64 pixels or more.
    rng

    Returns
    -------
    canvases
        uint8, shape (count, 1, size, size).
    sequences
        uint8, shape (count, 5): the digits from left to right, then 10 where there is none.

    Raises
    ------
    TypeError, ValueError
        If images or labels are of another form, there are none to draw from, or the canvas is too small.

    >>> images, labels = np.full((2, 28, 28), 255, dtype=np.uint8), np.array([3, 8], dtype=np.uint8)
    >>> canvases, sequences = digit_sequences(images, labels, 3, 64, np.random.default_rng(0))
    >>> canvases.shape, sequences.tolist()
    ((3, 1, 64, 64), [[3, 3, 10, 10, 10], [8, 8, 10, 10, 10], [8, 10, 10, 10, 10]])
    """
    strips, sequences = digit_strips(images, labels, count, rng)
    placed = OnCanvas(size)(strips, rng)
    return np.round(255 * placed).astype(np.uint8), sequences


def digit_strips(
    images: Images, labels: NDArray[np.uint8], count: int, rng: np.random.Generator
) -> tuple[Images, NDArray[np.uint8]]:
    """The numbers of :func:`digit_sequences` before they are put anywhere: uint8 (count, 20, 108).

    Each begins at the left, in cells of 20 pixels, with 2 between them. Labels and errors as there.
    """
    check_images("digit_sequences", "images", images)
    check_images("digit_sequences", "labels", labels, "(N,)")
    if len(images) != len(labels) or not len(images):
        raise ValueError(
            f"digit_sequences: images holds {len(images)} digits and labels {len(labels)}, expected equally "
            "many, at least one; take both from the same set"
        )
    cells = _cells(images)
    lengths = 1 + rng.choice(LONGEST, size=count, p=LENGTHS)
    chosen = rng.integers(len(images), size=(count, LONGEST))
    there = np.arange(LONGEST) < lengths[:, None]
    strips = np.zeros((count, CELL, LONGEST, PITCH), np.uint8)
    strips[..., :CELL] = np.where(there[..., None, None], cells[chosen], 0).swapaxes(1, 2)
    sequences = np.where(there, labels[chosen], NO_DIGIT).astype(np.uint8)
    return strips.reshape(count, CELL, LONGEST * PITCH)[..., :-GAP], sequences


@dataclass(frozen=True)
class OnCanvas:
    """Numbers in strips, as :func:`digit_strips` gives them, each put somewhere on a canvas, anew each time.

    Called with uint8 (N, 20, 108) and a generator, it gives float32 in [0, 1], shape (N, 1, size, size).

    Raises
    ------
    ValueError
        If the canvas is smaller than 64 pixels.

    >>> strip = np.full((1, 20, 108), 255, dtype=np.uint8)
    >>> OnCanvas(128)(strip, np.random.default_rng(0)).shape
    (1, 1, 128, 128)
    """

    size: int

    def __post_init__(self) -> None:
        if self.size not in range(SPANNED, 2**15):
            raise ValueError(
                f"OnCanvas: size is {describe(self.size)}, expected a whole number of pixels, {SPANNED} or "
                "more, so that five digits can be told apart"
            )

    def __call__(self, strips: Images, rng: np.random.Generator) -> Batch:
        check_images("OnCanvas", "strips", strips)
        count = len(strips)
        angles = rng.uniform(*DEGREES, size=count)
        shares = rng.uniform(*SHARE, size=count)
        enlarged = rng.uniform(*ENLARGED, size=count) if self.size > SPANNED else 1.0
        where = rng.uniform(size=(count, 2))
        first, last = ink_box(strips)
        middle, half = (first + last) / 2, _turned((last - first) / 2 + 1, angles)
        fitting = np.minimum((SPANNED + 1) / 2 / half.max(axis=1), TALLEST / CELL)
        scales = shares * enlarged * fitting
        occupied = scales[:, None] * half
        near = NEAR if self.size == SPANNED else self.size / 8
        places = roomy_places(where, np.maximum(occupied, (self.size + 1) / 2 - near), self.size)
        to_source = similarity_to_source(angles, scales, middle, places)
        return warp(strips, to_source, (self.size, self.size))


def _turned(reach: Floats, degrees: Floats) -> Floats:
    """How far boxes that reach to +-``reach`` (N, 2) of their middles do so when they are turned."""
    cosine, sine = np.abs(np.cos(np.radians(degrees))), np.abs(np.sin(np.radians(degrees)))
    x, y = reach.T
    return np.stack([cosine * x + sine * y, sine * x + cosine * y], axis=1)


def _cells(images: Images) -> Images:
    """Digits centred by their ink, (N, 20, 20); ink beyond, of which MNIST has none, is cut off."""
    first, last = ink_box(images)
    room = CELL // 2  # on each side, so that a cell may reach out of the image
    padded = np.pad(images, ((0, 0), (room, room), (room, room)))
    corner = (first + last + 1) // 2
    rows = corner[:, 1, None, None] + np.arange(CELL)[:, None]
    columns = corner[:, 0, None, None] + np.arange(CELL)
    cells: Images = padded[np.arange(len(images))[:, None, None], rows, columns]
    return cells
