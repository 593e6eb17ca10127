"""The distortions of the paper's digit experiments.

The paper gives their ranges and leaves open the order of operations, the interpolation, what a random place
is, which points are moved, and how clutter is blended. The choices, here and nowhere else:

- **R** (`rotate`) turns the digit about the centre of its 28x28 frame by an angle from U(-90, 90) degrees.
- **RTS** (`rotate_scale_translate`) turns by U(-45, 45) degrees, scales by U(0.7, 1.2) and puts the digit at
  a random place of a 42x42 frame. The place is uniform over all those at which no ink leaves the frame (the
  box around the ink is turned and scaled, and must fit with the pixel that interpolation adds on each side).
  Along an axis on which it cannot fit, it is centred.
- **P** (`project`) scales the digit about the centre of its frame by U(0.75, 1), then moves each of the four
  corners of the scaled frame by N(0, 5 px) along x and along y; a homography takes the rest along. Corners
  that make no convex quadrilateral with the same side up, or one whose horizon crosses the frame (part of it
  would then be seen from behind), are refused: all four are moved anew, the scale stays as drawn.
- **E** (`elastic`) scales the digit about the centre of its frame by U(0.75, 1), then bends it by a thin
  plate spline: at each of 4x4 control points, a regular grid over the frame, one sees what the scaled digit
  has N(0, 1.5 px) away along x and along y. The spline leads from the output to the digit, as the library's
  maps do, so that it needs no inverse, and may fold (the paper calls E destructive). Folds are rare and stay.
- **TC** (`translate_clutter`) puts the digit, pixels unchanged, at a random place of a 60x60 frame, and adds
  six 6x6 pieces, each cut from the ink of another digit of the batch and put anywhere in the frame. Where
  things meet, the brighter pixel wins (maximum), so clutter never darkens a digit nor exceeds 1.
- **Addition** (`digit_pairs`, `rotate_scale_translate_pairs`) draws both digits of a pair uniformly and
  independently, with replacement, and gives each a channel and an RTS of its own.
- **Co-localisation** (`place_digits`) is TC on 84x84, without pieces or with 16 that are cut from the digits
  of a training set. It also tells where the digit is.
- **Volumes** (`digit_volumes`) hold the digit, repeated along the depth in 8 slices, turned by U(-45, 45)
  degrees about each axis, scaled by U(0.7, 1.2), at a random place of a 60x60x60 frame, in the sense of RTS.
  Of the turns, that about z, in the plane of the digit, comes first, then about y, then x. Models made of
  voxels (`turn_voxels`) turn about the centre of their frame, by any angle about the axis along W, which
  points up in the models of `load_voxels`.

A frame's corners are the centres of its corner pixels; (x, y, z) are (column, row, slice), row 0 is on top,
slice 0 in front. Angles are counter-clockwise as one looks at the picture, as in ``np.rot90``, and likewise
as one looks along x or y. All that turns, scales, moves or bends is one map and one resampling, bilinear
(trilinear in volumes), with nothing outside the image: pixels are blurred once.

Every function is pure: all chance comes from the ``numpy.random.Generator`` given to it, so that the same
seed gives the same bytes (on one machine, with one version of NumPy). Images come as uint8, shape (N, H, W),
and go as float32 in [0, 1], shape (N, 1, H', W').
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from ...errors import check_choice
from .addition import digit_pairs, rotate_scale_translate_pairs
from .clutter import Placed, place_digits, translate_clutter
from .images import Batch, Images, to_unit
from .moving import elastic, project
from .similar import rotate, rotate_scale_translate
from .volumes import digit_volumes, turn_voxels
from .warping import similarity_to_source, theta_from_pixels, warp

__all__ = [
    "DISTORTIONS",
    "Batch",
    "Placed",
    "digit_pairs",
    "digit_volumes",
    "distort",
    "elastic",
    "place_digits",
    "project",
    "rotate",
    "rotate_scale_translate",
    "rotate_scale_translate_pairs",
    "similarity_to_source",
    "theta_from_pixels",
    "to_unit",
    "translate_clutter",
    "turn_voxels",
    "warp",
]

Distortion: TypeAlias = Callable[[Images, np.random.Generator], Batch]

DISTORTIONS: dict[str, Distortion] = {
    "none": lambda images, rng: to_unit(images),
    "R": rotate,
    "RTS": rotate_scale_translate,
    "P": project,
    "E": elastic,
    "TC": translate_clutter,
}


def distort(images: Images, kind: str, rng: np.random.Generator) -> Batch:
    """The distortion named ``kind`` ("none", "R", "RTS", "P", "E", "TC") with the paper's ranges.

    Images uint8 (N, 28, 28); returns float32 in [0, 1], shape (N, 1, 42, 42) for "RTS", (N, 1, 60, 60) for
    "TC", (N, 1, 28, 28) for the others.

    Raises ValueError if ``kind`` is unknown, and what the distortion raises.

    >>> digits = np.zeros((2, 28, 28), dtype=np.uint8)
    >>> [distort(digits, kind, np.random.default_rng(0)).shape[2] for kind in DISTORTIONS]
    [28, 28, 42, 28, 28, 60]
    """
    check_choice("distort", "kind", kind, tuple(DISTORTIONS))
    return DISTORTIONS[kind](images, rng)
