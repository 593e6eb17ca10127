"""Data: readers of the IDX format, the bundled digits, and the paper's distortions.

``load_digits`` gives digits, from a folder or the bundled ones; ``distort`` distorts them. ``find`` says
where another data set lies, and ``datasets`` which there are.
"""

from ..files import write_atomically
from .catalogue import datasets, find, find_file
from .cluttered import load_cluttered
from .cub import load_cub
from .distortions import (
    DISTORTIONS,
    Placed,
    digit_pairs,
    digit_volumes,
    distort,
    elastic,
    place_digits,
    project,
    rotate,
    rotate_scale_translate,
    rotate_scale_translate_pairs,
    theta_from_pixels,
    translate_clutter,
    turn_voxels,
)
from .idx import IdxError, identify, load_idx, save_idx
from .mnist import Digits, load_bundled, load_digits, load_mnist
from .sequences import OnCanvas, digit_sequences, digit_strips
from .svhn import crop_numbers, load_svhn_cropped, load_svhn_numbers, load_svhn_sample
from .voxels import load_voxels

__all__ = [
    "DISTORTIONS",
    "Digits",
    "IdxError",
    "OnCanvas",
    "Placed",
    "crop_numbers",
    "datasets",
    "digit_pairs",
    "digit_sequences",
    "digit_strips",
    "digit_volumes",
    "distort",
    "elastic",
    "find",
    "find_file",
    "identify",
    "load_bundled",
    "load_cluttered",
    "load_cub",
    "load_digits",
    "load_idx",
    "load_mnist",
    "load_svhn_cropped",
    "load_svhn_numbers",
    "load_svhn_sample",
    "load_voxels",
    "place_digits",
    "project",
    "rotate",
    "rotate_scale_translate",
    "rotate_scale_translate_pairs",
    "save_idx",
    "theta_from_pixels",
    "translate_clutter",
    "turn_voxels",
    "write_atomically",
]
