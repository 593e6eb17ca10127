"""The questions about thin plate splines; see :mod:`.cases`.

Control points and places are multiples of 1/1024, which every dtype holds exactly.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ...pixels import base_coordinates
from .grid_cases import GridCase, GridSetting, first_line

Array = NDArray[Any]


class Drawn(NamedTuple):
    """What a family makes: control points (K, 2), their places (N, K, 2), and the shape of an output."""

    control_points: Array
    places: Array
    size: tuple[int, ...]


class TpsCase(GridCase):
    """Its arrays: control points, their places, and a cotangent of the grid."""


def _random(setting: GridSetting, rng: np.random.Generator) -> Drawn:
    """The paper's 4 x 4 control points, each displaced at random."""
    control = regular_grid(4, 4)
    return Drawn(control, displaced(control, 2, rng), (2, 1, 5, 6))


def _identity(setting: GridSetting, rng: np.random.Generator) -> Drawn:
    """The paper's 4 x 4 control points, all where they are: the coordinates of the pixel centres."""
    control = regular_grid(4, 4)
    return Drawn(control, control[None], (1, 2, 4, 5))


def _on_control_points(setting: GridSetting, rng: np.random.Generator) -> Drawn:
    """Pixels that lie exactly on control points, where the logarithm of 0 must not enter."""
    rows, columns = (3, 5) if setting.align_corners else (2, 4)  # their centres are binary fractions
    axes = (base_coordinates(n, setting.align_corners) for n in (columns, rows))
    control = np.stack(np.meshgrid(*axes), -1).reshape(rows * columns, 2)
    return Drawn(control, displaced(control, 2, rng), (2, 1, rows, columns))


def _irregular(setting: GridSetting, rng: np.random.Generator) -> Drawn:
    """Control points anywhere, in the image and beyond its border."""
    cells = regular_grid(3, 3)[rng.permutation(9)[:7]]
    control = displaced(cells, 1, rng, most=3 / 8)[0]
    return Drawn(control, displaced(control, 2, rng), (2, 1, 4, 3))


def _affine(setting: GridSetting, rng: np.random.Generator) -> Drawn:
    """Three control points, through which the spline is an affine map."""
    control = np.array([[-1, -0.5], [0.75, -1], [0.25, 1]])
    return Drawn(control, displaced(control, 3, rng), (3, 1, 4, 5))


def _singleton(setting: GridSetting, rng: np.random.Generator) -> Drawn:
    """Outputs that are one pixel high."""
    control = regular_grid(3, 2)
    return Drawn(control, displaced(control, 2, rng), (2, 1, 1, 5))


def _empty(setting: GridSetting, rng: np.random.Generator) -> Drawn:
    """An empty batch."""
    return Drawn(regular_grid(2, 3), np.zeros((0, 6, 2)), (0, 1, 3, 2))


TPS_FAMILIES: dict[str, Callable[[GridSetting, np.random.Generator], Drawn]] = {
    "tps-random": _random,
    "tps-identity": _identity,
    "tps-on-control-points": _on_control_points,
    "tps-irregular": _irregular,
    "tps-affine": _affine,
    "tps-singleton": _singleton,
    "tps-empty": _empty,
}


def tps_cases(align_corners: Sequence[bool], dtypes: Sequence[str], seed: int = 0) -> Iterator[TpsCase]:
    """All cases for these claims."""
    for corners, dtype, name in product(align_corners, dtypes, TPS_FAMILIES):
        yield make_tps_case(name, GridSetting(corners, dtype), seed)


def make_tps_case(name: str, setting: GridSetting, seed: int = 0) -> TpsCase:
    """One case; the same for the same arguments, on every machine.

    >>> make_tps_case("tps-affine", GridSetting(True, "float32")).arrays["places"].shape
    (3, 3, 2)
    """
    rng = np.random.default_rng([seed, crc32(f"{name}/{setting.id}".encode())])
    control, places, size = TPS_FAMILIES[name](setting, rng)
    shape = (size[0], *size[2:], 2)
    grid_bar = rng.integers(1, 9, shape) * rng.choice([-1.0, 1.0], shape)
    arrays = {"places": places, "control_points": control, "grid_bar": grid_bar}
    arrays = {key: array.astype(setting.dtype) for key, array in arrays.items()}
    return TpsCase(name, setting, arrays, size, first_line(TPS_FAMILIES[name]))


def regular_grid(rows: int, columns: int) -> Array:
    """Control points over the whole image, row by row, at the nearest multiples of 1/1024: (K, 2).

    >>> regular_grid(2, 4)[:4, 0].tolist()
    [-1.0, -0.3330078125, 0.3330078125, 1.0]
    """
    mesh = np.meshgrid(np.linspace(-1, 1, columns), np.linspace(-1, 1, rows))
    return np.asarray(np.round(np.stack(mesh, -1).reshape(rows * columns, 2) * 1024) / 1024)


def displaced(control: Array, n: int, rng: np.random.Generator, most: float = 1 / 4) -> Array:
    """Points that are up to ``most`` away from the control points along each axis, (n, K, 2)."""
    steps = int(most * 64)
    return np.asarray(control + rng.integers(-steps, steps + 1, (n, *control.shape)) / 64)
