"""The questions about affine grids; see :mod:`.cases`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from .regressions import threads_of

Array = NDArray[Any]
Drawn = tuple[Array, tuple[int, ...]]


@dataclass(frozen=True)
class AffineSetting:
    """Which convention, dtype and number of dimensions."""

    align_corners: bool
    dtype: str
    d: int

    @property
    def id(self) -> str:
        return f"{'corners' if self.align_corners else 'edges'}/{self.dtype}/{self.d}d"


@dataclass(frozen=True)
class AffineCase:
    """A question: ``theta`` and the shape of an output, and a cotangent of its grid."""

    family: str
    setting: AffineSetting
    arrays: Mapping[str, Array] = field(repr=False)
    size: tuple[int, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.family}/{self.setting.id}"

    @property
    def about(self) -> str:
        return (AFFINE_FAMILIES[self.family].__doc__ or "").split("\n")[0]

    def threads(self, way: str = "") -> tuple[str, ...]:
        """Public threads about mistakes that this case finds, asked in such a way."""
        return threads_of(self.family, self.setting, way)


def _random(setting: AffineSetting, rng: np.random.Generator) -> Drawn:
    """A batch of maps of full length, to an output with different sizes along all axes."""
    target = ((3,) if setting.d == 3 else ()) + (4, 7)
    return rng.normal(size=(3, setting.d, setting.d + 1)), (3, 2, *target)


def _identity(setting: AffineSetting, rng: np.random.Generator) -> Drawn:
    """The identity: the coordinates of the pixel centres themselves."""
    target = ((2,) if setting.d == 3 else ()) + (5, 6)
    return np.eye(setting.d, setting.d + 1)[None], (1, 1, *target)


def _singleton(setting: AffineSetting, rng: np.random.Generator) -> Drawn:
    """Outputs that are one pixel high."""
    target = ((2,) if setting.d == 3 else ()) + (1, 5)
    return _whole(rng, (2, setting.d, setting.d + 1)), (2, 1, *target)


def _one_pixel(setting: AffineSetting, rng: np.random.Generator) -> Drawn:
    """Outputs of a single pixel."""
    return _whole(rng, (2, setting.d, setting.d + 1)), (2, 1, *(1,) * setting.d)


def _empty(setting: AffineSetting, rng: np.random.Generator) -> Drawn:
    """An empty batch."""
    return np.zeros((0, setting.d, setting.d + 1)), (0, 1, *(3, 2, 4)[: setting.d])


def _half(setting: AffineSetting, rng: np.random.Generator) -> Drawn:
    """So long a row that steps added up in half precision go astray."""
    return _whole(rng, (1, setting.d, setting.d + 1)) / 8, (1, 1, *(1,) * (setting.d - 2), 2, 769)


def _whole(rng: np.random.Generator, shape: Sequence[int]) -> Array:
    return np.asarray(rng.integers(1, 9, tuple(shape)) * rng.choice([-1.0, 1.0], tuple(shape)))


AFFINE_FAMILIES: dict[str, Callable[[AffineSetting, np.random.Generator], Drawn]] = {
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
        yield make_affine_case(name, AffineSetting(corners, dtype, d), seed)


def make_affine_case(name: str, setting: AffineSetting, seed: int = 0) -> AffineCase:
    """One case; the same for the same arguments, on every machine.

    >>> make_affine_case("affine-singleton", AffineSetting(True, "float64", 2)).size
    (2, 1, 1, 5)
    """
    rng = np.random.default_rng([seed, crc32(f"{name}/{setting.id}".encode())])
    theta, size = AFFINE_FAMILIES[name](setting, rng)
    grid_bar = _whole(rng, (size[0], *size[2:], setting.d))
    arrays = {"theta": theta.astype(setting.dtype), "grid_bar": grid_bar.astype(setting.dtype)}
    return AffineCase(name, setting, arrays, size)
