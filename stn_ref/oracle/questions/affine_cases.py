"""The questions about affine grids; see :mod:`.cases`."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from .grid_cases import GridCase, GridSetting, first_line

Array = NDArray[Any]
Drawn = tuple[Array, tuple[int, ...]]


class AffineCase(GridCase):
    """Its arrays: theta, and a cotangent of the grid."""


def _random(setting: GridSetting, rng: np.random.Generator) -> Drawn:
    """A batch of maps of full length, to an output with different sizes along all axes."""
    target = ((3,) if setting.d == 3 else ()) + (4, 7)
    return rng.normal(size=(3, setting.d, setting.d + 1)), (3, 2, *target)


def _identity(setting: GridSetting, rng: np.random.Generator) -> Drawn:
    """The identity: the coordinates of the pixel centres themselves."""
    target = ((2,) if setting.d == 3 else ()) + (5, 6)
    return np.eye(setting.d, setting.d + 1)[None], (1, 1, *target)


def _singleton(setting: GridSetting, rng: np.random.Generator) -> Drawn:
    """Outputs that are one pixel high."""
    target = ((2,) if setting.d == 3 else ()) + (1, 5)
    return _whole(rng, (2, setting.d, setting.d + 1)), (2, 1, *target)


def _one_pixel(setting: GridSetting, rng: np.random.Generator) -> Drawn:
    """Outputs of a single pixel."""
    return _whole(rng, (2, setting.d, setting.d + 1)), (2, 1, *(1,) * setting.d)


def _empty(setting: GridSetting, rng: np.random.Generator) -> Drawn:
    """An empty batch."""
    return np.zeros((0, setting.d, setting.d + 1)), (0, 1, *(3, 2, 4)[: setting.d])


def _half(setting: GridSetting, rng: np.random.Generator) -> Drawn:
    """So long a row that steps added up in half precision go astray."""
    return _whole(rng, (1, setting.d, setting.d + 1)) / 8, (1, 1, *(1,) * (setting.d - 2), 2, 769)


def _whole(rng: np.random.Generator, shape: Sequence[int]) -> Array:
    return np.asarray(rng.integers(1, 9, tuple(shape)) * rng.choice([-1.0, 1.0], tuple(shape)))


AFFINE_FAMILIES: dict[str, Callable[[GridSetting, np.random.Generator], Drawn]] = {
    "affine-random": _random,
    "affine-identity": _identity,
    "affine-singleton": _singleton,
    "affine-one-pixel": _one_pixel,
    "affine-empty": _empty,
    "affine-half": _half,
}


def affine_cases(
    align_corners: Sequence[bool], dtypes: Sequence[str], dims: Sequence[int], seed: int = 0
) -> Iterator[AffineCase]:
    """All cases for these claims."""
    for corners, dtype, d, name in product(align_corners, dtypes, dims, AFFINE_FAMILIES):
        yield make_affine_case(name, GridSetting(corners, dtype, d), seed)


def make_affine_case(name: str, setting: GridSetting, seed: int = 0) -> AffineCase:
    """One case; the same for the same arguments, on every machine.

    >>> make_affine_case("affine-singleton", GridSetting(True, "float64", 2)).size
    (2, 1, 1, 5)
    """
    rng = np.random.default_rng([seed, crc32(f"{name}/{setting.id}".encode())])
    theta, size = AFFINE_FAMILIES[name](setting, rng)
    grid_bar = _whole(rng, (size[0], *size[2:], setting.d))
    arrays = {"theta": theta.astype(setting.dtype), "grid_bar": grid_bar.astype(setting.dtype)}
    return AffineCase(name, setting, arrays, size, first_line(AFFINE_FAMILIES[name]))
