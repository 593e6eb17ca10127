"""Data: readers of the IDX format, the bundled digits, and the paper's distortions.

``load_digits`` gives digits, from a folder or the bundled ones; ``distort`` distorts them.
"""

from ..files import write_atomically
from .distortions import (
    DISTORTIONS,
    distort,
    rotate,
    rotate_scale_translate,
    theta_from_pixels,
    translate_clutter,
)
from .idx import IdxError, identify, load_idx, save_idx
from .mnist import Digits, load_bundled, load_digits, load_mnist

__all__ = [
    "DISTORTIONS",
    "Digits",
    "IdxError",
    "distort",
    "identify",
    "load_bundled",
    "load_digits",
    "load_idx",
    "load_mnist",
    "rotate",
    "rotate_scale_translate",
    "save_idx",
    "theta_from_pixels",
    "translate_clutter",
    "write_atomically",
]
