"""The questions: which images and grids a backend is asked about, and why these.

A family of cases is a function from a :class:`Setting` to arrays; :data:`FAMILIES` holds them all. Numbers
are dyadic wherever that matters, so that they are exact in every dtype and every backend is asked the same
question. Axes along which a coordinate shall be hit exactly have 2^k pixels between -1 and 1.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ...pixels import span
from .regressions import threads_of

Array = NDArray[Any]
LEVELS = ("quick", "full", "nightly")
DRAWS = 8  # of each case, at night
QUICK_IN_HALF = ("random", "kinks", "one-ulp", "ladder", "largest", "wide-image")
EVERY_RESULT = ("jvp", "second")  # what else is asked where it is cheap


@dataclass(frozen=True)
class Setting:
    """What the backend is asked to do, and in which dtype."""

    mode: str
    padding_mode: str
    align_corners: bool
    dtype: str
    d: int

    @property
    def id(self) -> str:
        corners = "corners" if self.align_corners else "edges"
        return f"{self.mode}/{self.padding_mode}/{corners}/{self.dtype}/{self.d}d"

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "mode": self.mode,
            "padding_mode": self.padding_mode,
            "align_corners": self.align_corners,
        }

    def sizes(self, exact: bool = True) -> tuple[int, ...]:
        """([D,] H, W) of an image, all different; with ``exact`` a pixel is a dyadic step."""
        if not exact:
            return ((3,) if self.d == 3 else ()) + (4, 7)
        return ((2,) if self.d == 3 else ()) + ((3, 5) if self.align_corners else (4, 8))

    def coordinates(self, pixels: Array, sizes: Sequence[int]) -> Array:
        """Pixel coordinates (..., d), x first, as a normalised grid of the setting's dtype."""
        spans = np.array([max(span(n, self.align_corners), 1) for n in reversed(sizes)], float)
        centre = np.array([n - 1 for n in reversed(sizes)], float)
        with np.errstate(over="ignore"):
            return np.asarray(((2 * pixels - centre) / spans).astype(self.dtype))


@dataclass(frozen=True)
class Case:
    """A question: arrays and settings, and which results are asked for beside V and its cotangents."""

    family: str
    setting: Setting
    arrays: Mapping[str, Array] = field(repr=False)
    also: tuple[str, ...] = ()
    draw: int = 0
    """Which one of several, drawn at random."""

    @property
    def id(self) -> str:
        number = f"-{self.draw}" if self.draw else ""
        return f"{self.family}{number}/{self.setting.id}"

    @property
    def about(self) -> str:
        return FAMILIES[self.family].about

    def threads(self, way: str = "") -> tuple[str, ...]:
        """Public threads about mistakes that this case finds, asked in such a way."""
        return threads_of(self.family, self.setting, way)


Maker = Callable[[Setting, np.random.Generator], Mapping[str, Array]]


@dataclass(frozen=True)
class Family:
    name: str
    about: str
    make: Maker
    also: tuple[str, ...]
    level: str
    level_3d: str
    applies: Callable[[Setting], bool]

    def belongs(self, setting: Setting, level: str) -> bool:
        """Whether it is asked at this level; volumes and half precision are asked less of."""
        first = self.level_3d if setting.d == 3 else self.level
        rare = setting.d == 3 and (setting.mode == "bicubic" or setting.dtype == "float16")
        if rare or (setting.dtype == "float16" and self.name not in QUICK_IN_HALF):
            first = max(first, "full", key=LEVELS.index)
        return self.applies(setting) and LEVELS.index(first) <= LEVELS.index(level)


FAMILIES: dict[str, Family] = {}


def family(
    *,
    also: tuple[str, ...] = (),
    level: str = "quick",
    level_3d: str = "full",
    applies: Callable[[Setting], bool] = lambda setting: True,
) -> Callable[[Maker], Maker]:
    """Add a family; its name is the function's, its sentence the docstring."""

    def add(make: Maker) -> Maker:
        name = make.__name__.replace("_", "-")
        FAMILIES[name] = Family(
            name, (make.__doc__ or "").split("\n")[0], make, also, level, level_3d, applies
        )
        return make

    return add


def cases(settings: Sequence[Setting], level: str = "quick", seed: int = 0) -> Iterator[Case]:
    """All cases of a level and those below it, for these settings.

    >>> setting = Setting("bilinear", "zeros", True, "float64", 2)
    >>> next(cases([setting])).id
    'random/bilinear/zeros/corners/float64/2d'
    """
    for setting, kind in product(settings, FAMILIES.values()):
        if kind.belongs(setting, level):
            for draw in range(DRAWS if level == "nightly" else 1):
                yield make_case(kind.name, setting, seed, draw)


def make_case(name: str, setting: Setting, seed: int = 0, draw: int = 0) -> Case:
    """One case; the same for the same arguments, on every machine."""
    kind = FAMILIES[name]
    rng = np.random.default_rng([seed, draw, crc32(f"{name}/{setting.id}".encode())])
    arrays = kind.make(setting, rng)
    return Case(name, setting, _completed(arrays, setting, rng), kind.also, draw)


def _completed(arrays: Mapping[str, Array], setting: Setting, rng: np.random.Generator) -> dict[str, Array]:
    """With cotangents and tangents: small whole numbers, none of them 0, where none are given."""
    U, grid = arrays["U"], arrays["grid"]
    V = (*U.shape[:2], *grid.shape[1:-1])
    shapes = {
        "V_bar": V,
        "U_dot": U.shape,
        "grid_dot": grid.shape,
        "U_bar_bar": U.shape,
        "grid_bar_bar": grid.shape,
    }
    drawn = {name: whole(rng, shape, setting) for name, shape in shapes.items()}
    return {name: np.asarray(array, setting.dtype) for name, array in (drawn | dict(arrays)).items()}


def whole(rng: np.random.Generator, shape: Sequence[int], setting: Setting) -> Array:
    """Whole numbers from -4 to 4 without 0: second derivatives stay within float16."""
    numbers = rng.integers(1, 5, tuple(shape)) * rng.choice([-1, 1], tuple(shape))
    return np.asarray(numbers, setting.dtype)


def image(rng: np.random.Generator, setting: Setting, sizes: Sequence[int], n: int = 2, c: int = 3) -> Array:
    return whole(rng, (n, c, *sizes), setting)


def lattice(
    rng: np.random.Generator, setting: Setting, along: Sequence[float], sizes: Sequence[int]
) -> Array:
    """A grid of two images that meets each coordinate of ``along`` on each axis, others lying off the kinks.

    ``along`` counts pixels from 0; what is at least ``size`` in it stands for that much beyond the last one.
    """
    d = len(sizes)
    values = np.asarray(along, float)
    rows = []
    for axis, size in enumerate(reversed(sizes)):
        row = rng.integers(0, 4 * max(sizes), (len(values), d)) / 4 + 0.125
        row = np.minimum(row, np.array([n - 0.875 for n in reversed(sizes)]))
        row[:, axis] = np.where(values >= 100, values - 100 + size - 1, values)
        rows.append(row)
    corner = np.stack([np.where(values >= 100, values - 100 + n - 1, values) for n in reversed(sizes)], -1)
    pixels = np.stack([*rows, corner], axis=0)  # (d + 1, len(along), d)
    grid = setting.coordinates(pixels, sizes)
    shape = (1,) * (d - 2) + grid.shape[:2]
    return np.stack([grid.reshape(*shape, d), grid[::-1].reshape(*shape, d)])


# Coordinates around the image: below 100 counted from its first pixel, from 100 on from its last one.
AROUND = (-2, -1, 0, 1, 100, 101, 102)


@family(also=(*EVERY_RESULT, "needs", "layouts", "repeat"), level_3d="quick")
def random(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """Random numbers of full length, inside and outside the image."""
    sizes = setting.sizes(exact=False)
    shape = ((2,) if setting.d == 3 else ()) + (3, 4)
    return {
        "U": rng.normal(size=(2, 3, *sizes)),
        "grid": rng.uniform(-1.7, 1.7, (2, *shape, setting.d)),
        "V_bar": rng.normal(size=(2, 3, *shape)),
        "grid_bar_bar": rng.normal(size=(2, *shape, setting.d)),
    }


@family(also=EVERY_RESULT, level_3d="quick")
def kinks(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """Whole pixel coordinates, where slopes on both sides differ, and corners of them."""
    sizes = setting.sizes()
    return {"U": image(rng, setting, sizes), "grid": lattice(rng, setting, AROUND, sizes)}


@family(also=("second",))
def ties(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """Half-way between pixels: which one is nearest, and where a reflection about the edges turns."""
    sizes = setting.sizes()
    along = [t + 0.5 for t in AROUND[:-1]]
    return {"U": image(rng, setting, sizes), "grid": lattice(rng, setting, along, sizes)}


@family(level_3d="quick")
def quarters(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """Quarters of a pixel around the border, where all arithmetic is exact."""
    sizes = setting.sizes()
    along = (-1.25, -0.75, -0.25, 0.25, 0.75, 100.25, 100.75, 101.25)
    return {"U": image(rng, setting, sizes), "grid": lattice(rng, setting, along, sizes)}


@family(level_3d="quick")
def one_ulp(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """The numbers next to kinks, ties and borders, on both sides."""
    sizes = setting.sizes()
    grid = lattice(rng, setting, (-1, -0.5, 0, 0.5, 1, 100, 100.5, 101), sizes)
    dtype = grid.dtype.type
    return {
        "U": image(rng, setting, sizes),
        "grid": np.concatenate([np.nextafter(grid[:1], dtype(9)), np.nextafter(grid[1:], dtype(-9))]),
    }


@family()
def far(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """A few image widths outside, which a reflection folds several times."""
    sizes = setting.sizes()
    along = (-40.25, -17.5, -9, -5.75, 104.25, 109, 115.5, 133.75)
    return {"U": image(rng, setting, sizes), "grid": lattice(rng, setting, along, sizes)}


@family()
def ladder(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """Coordinates from 2^10 up to 2^100, beyond all sorts of integers, with both signs."""
    largest = float(np.finfo(setting.dtype).max)
    return _far_away(setting, rng, [2.0**e for e in (10, 15, 24, 31, 32, 62, 63, 100) if 2.0**e < largest])


@family()
def largest(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """The largest coordinate there is, which no step towards pixels may make infinite."""
    return _far_away(setting, rng, [float(np.finfo(setting.dtype).max)])


def _far_away(setting: Setting, rng: np.random.Generator, steps: Sequence[float]) -> Mapping[str, Array]:
    sizes = setting.sizes()
    grid = np.zeros((2, *(1,) * (setting.d - 2), 2 * len(steps), setting.d, setting.d))
    for k in range(setting.d):
        grid[..., k, k] = np.array([*steps, *(-step for step in steps)])
    return {"U": image(rng, setting, sizes), "grid": grid}


@family(level_3d="quick")
def nan_coordinate(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """A NaN among good coordinates: it must touch no other sample."""
    return _with_coordinates(setting, rng, np.nan, np.nan)


@family()
def infinite_coordinate(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """Infinities among good coordinates: the limit, and nothing else touched."""
    return _with_coordinates(setting, rng, np.inf, -np.inf)


def _with_coordinates(setting: Setting, rng: np.random.Generator, *bad: float) -> Mapping[str, Array]:
    sizes = setting.sizes()
    grid = lattice(rng, setting, (0.25, 0.75, 1.25, 100), sizes).astype(float)
    rows = grid.reshape(2, -1, setting.d)
    for place, value in enumerate(bad):
        for k in range(setting.d):
            rows[0, 2 * k + place, k] = value
    rows[1, 0] = bad[0]
    return {"U": image(rng, setting, sizes), "grid": rows.reshape(grid.shape)}


@family()
def nonfinite_pixel(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """An infinite and a NaN pixel: samples away from them stay finite."""
    sizes = setting.sizes()
    U = image(rng, setting, sizes)
    U[0, 0][(0,) * setting.d] = np.inf
    U[1, 1][(-1,) * setting.d] = np.nan
    return {"U": U, "grid": lattice(rng, setting, (-2.5, -0.5, 0.25, 1, 1.75, 100, 102.5), sizes)}


@family()
def nonfinite_cotangent(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """An infinite and a NaN cotangent: pixels and samples away from them stay finite."""
    sizes = setting.sizes()
    grid = lattice(rng, setting, (-2.5, 0.25, 1.75, 100), sizes)
    V_bar = whole(rng, (2, 3, *grid.shape[1:-1]), setting)
    V_bar.reshape(2, 3, -1)[0, 0, 1] = np.inf
    V_bar.reshape(2, 3, -1)[1, 2, 2] = np.nan
    return {"U": image(rng, setting, sizes), "grid": grid, "V_bar": V_bar}


@family()
def one_pixel_wide(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """W = 1."""
    return _thin(setting, rng, (*setting.sizes()[:-1], 1))


@family()
def one_pixel_high(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """H = 1."""
    return _thin(setting, rng, (*setting.sizes()[:-2], 1, setting.sizes()[-1]))


@family(level_3d="quick")
def one_pixel(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """An image of a single pixel."""
    return _thin(setting, rng, (1,) * setting.d)


def _thin(setting: Setting, rng: np.random.Generator, sizes: tuple[int, ...]) -> Mapping[str, Array]:
    grid = rng.integers(-24, 25, (2, *(1,) * (setting.d - 2), 4, 5, setting.d)) / 16
    return {"U": image(rng, setting, sizes), "grid": grid}


@family()
def empty_batch(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """N = 0."""
    sizes = setting.sizes()
    return {"U": image(rng, setting, sizes, n=0), "grid": np.zeros((0, *(2,) * setting.d, setting.d))}


@family()
def empty_output(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """H' = 0."""
    shape = (2, *(2,) * (setting.d - 2), 0, 3, setting.d)
    return {"U": image(rng, setting, setting.sizes()), "grid": np.zeros(shape)}


@family()
def no_channels(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """C = 0."""
    sizes = setting.sizes()
    return {
        "U": image(rng, setting, sizes, c=0),
        "grid": lattice(rng, setting, (0.25, 1), sizes),
    }


@family(also=("repeat",), level_3d="quick")
def collisions(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """Many samples in one cell: their cotangents must add up."""
    sizes = setting.sizes()
    pixels = 1 + rng.integers(1, 8, (2, *(1,) * (setting.d - 2), 8, 9, setting.d)) / 8
    grid = setting.coordinates(np.minimum(pixels, [n - 1.125 for n in reversed(sizes)]), sizes)
    return {"U": image(rng, setting, sizes, c=2), "grid": grid}


@family()
def constant_image(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """All pixels 7: inside the image every slope is 0, at kinks too."""
    sizes = setting.sizes()
    U = np.full((2, 3, *sizes), 7.0)
    return {"U": U, "grid": lattice(rng, setting, (-0.5, 0, 0.25, 0.5, 1, 100, 100.5), sizes)}


@family(also=("layouts",))
def identity(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """The grid of the identity, on an image with full-length numbers."""
    sizes = setting.sizes(exact=False)
    axes = np.meshgrid(*(np.arange(n) for n in sizes), indexing="ij")
    pixels = np.broadcast_to(np.stack(axes[::-1], -1), (2, *sizes, setting.d))
    return {"U": rng.normal(size=(2, 3, *sizes)), "grid": setting.coordinates(pixels, sizes)}


@family(also=("layouts",))
def repeated(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """The same image and grid throughout the batch, and one cotangent for all channels: strides may be 0."""
    sizes = setting.sizes(exact=False)
    shape = ((2,) if setting.d == 3 else ()) + (3, 4)
    U, grid = rng.normal(size=(1, 3, *sizes)), rng.uniform(-1.4, 1.4, (1, *shape, setting.d))
    V_bar = whole(rng, (2, 1, *shape), setting)
    return {
        "U": np.repeat(U, 2, axis=0),
        "grid": np.repeat(grid, 2, axis=0),
        "V_bar": np.repeat(V_bar, 3, axis=1),
    }


@family()
def large_and_small_numbers(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """Pixels and cotangents of very different magnitude, so that small ones are easily lost."""
    sizes = setting.sizes()
    most = {"float16": 6, "float32": 40, "float64": 200}[setting.dtype]
    grid = lattice(rng, setting, (-0.75, 0.25, 0.5, 1, 100.25), sizes)
    V_bar = whole(rng, (2, 3, *grid.shape[1:-1]), setting)
    return {
        "U": np.ldexp(image(rng, setting, sizes), rng.integers(-most, most, (2, 3, *sizes))),
        "grid": grid,
        "V_bar": np.ldexp(V_bar, rng.integers(-4, 4, V_bar.shape)),
    }


@family()
def wide_image(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """So many pixels in a row that a coordinate in half precision would miss its cell."""
    W = 2049 if setting.align_corners else 2048
    sizes = (1,) * (setting.d - 2) + (2, W)
    pixels = np.zeros((2, *(1,) * (setting.d - 2), 3, 4, setting.d))
    pixels[..., 0] = (
        rng.integers(0, W // 8, pixels.shape[:-1]) * 8 + rng.integers(0, 2, pixels.shape[:-1]) * 4
    )
    pixels[..., 1] = 0.25
    grid = setting.coordinates(pixels, sizes)
    V_bar = whole(rng, (2, 2, *grid.shape[1:-1]), setting)
    return {
        "U": image(rng, setting, sizes, c=2),
        "grid": grid,
        "V_bar": V_bar / (512 if setting.dtype == "float16" else 1),
    }


@family(also=("jvp", "second", "needs", "layouts", "refusal"), level="full")
def many_channels(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """Enough channels and samples for a backend's blocks and vector instructions, and their remainders."""
    sizes = ((3,) if setting.d == 3 else ()) + (17, 13)
    shape = ((2,) if setting.d == 3 else ()) + (5, 11)
    return {"U": rng.normal(size=(2, 19, *sizes)), "grid": rng.uniform(-1.3, 1.3, (2, *shape, setting.d))}


@family(level="full", applies=lambda setting: setting.d == 2 and setting.dtype != "float16")
def photograph(setting: Setting, rng: np.random.Generator) -> Mapping[str, Array]:
    """A large image under a rotation, as in use."""
    sizes, turn = (191, 203), np.array([[0.8, -0.6], [0.6, 0.8]])
    axes = np.meshgrid(np.linspace(-1, 1, 101), np.linspace(-1, 1, 97))
    grid = np.stack(axes, -1) @ turn.T
    return {"U": rng.normal(size=(1, 2, *sizes)), "grid": grid[None]}
