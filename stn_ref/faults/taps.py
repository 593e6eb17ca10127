"""From a grid to the pixels that its samples look at, and their weights. The second part of ``Plain``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .grids import Grids

Array = NDArray[Any]

OFFSETS = {"nearest": (0,), "bilinear": (0, 1), "bicubic": (-1, 0, 1, 2)}
NONE = -1  # an index at which there is no pixel
FAR = 4  # pixels outside the image at which no tap reaches it


class How(NamedTuple):
    """The settings of a sampler."""

    mode: str
    padding_mode: str
    align_corners: bool


@dataclass(frozen=True)
class Tap:
    """For every sample one of the pixels that it looks at along an axis; arrays of shape (N, H', W')."""

    index: Array
    """Which pixel; outside the image if there is none."""
    weights: list[Array]
    """Its weight, and the first and second derivative of that for the coordinate, in pixels."""


Axes = list[list[Tap]]  # the taps along x, along y(, along z)


class Taps(Grids):
    """One axis after the other: pixel coordinate, cell, weights in it, padding.

    >>> x = np.array([1.25])
    >>> near, far = Taps().taps(x, 3, How("bilinear", "zeros", True))
    >>> near.index, near.weights[0], far.index, far.weights[0]
    (array([1]), array([0.75]), array([2]), array([0.25]))
    """

    a: float = -0.75  # the parameter of Keys' cubic kernel

    def settings(self, mode: str, padding_mode: str, align_corners: bool) -> How:
        return How(mode, padding_mode, align_corners)

    # From the grid to pixel coordinates

    def coordinates(self, grid: Array) -> list[Array]:
        """x, y(, z)."""
        return [grid[..., k] for k in range(grid.shape[-1])]

    def together(self, parts: Sequence[Array]) -> Array:
        """What belongs to x, y(, z) as the last axis of one array."""
        return np.stack(parts, axis=-1)

    def factor(self, size: int, align_corners: bool) -> float:
        """Pixels for one unit of normalised coordinates: (W - 1) / 2 or W / 2."""
        return self.span(size, align_corners) / 2

    def centre(self, size: int, align_corners: bool) -> float:
        """The pixel coordinate of the middle of the image, where the normalised coordinate is 0."""
        return (size - 1) / 2

    def to_pixels(self, x: Array, size: int, align_corners: bool) -> Array:
        """Infinite stays infinite, and finite stays finite."""
        x_px = x * self.factor(size, align_corners) + self.centre(size, align_corners)
        largest = np.finfo(x.dtype).max
        return np.where(np.isfinite(x), np.clip(x_px, -largest, largest), x)

    def points(self, grid: Array, sizes: tuple[int, ...], how: How) -> list[Array]:
        """Pixel coordinates along x, y(, z), for an image of ``sizes`` (W, H) or (W, H, D)."""
        along = zip(self.coordinates(grid), sizes)
        return [self.to_pixels(x, size, how.align_corners) for x, size in along]

    # From a pixel coordinate to its cell and the weights in it

    def floor(self, x: Array) -> Array:
        return np.floor(x)

    def nearest(self, x: Array) -> Array:
        """floor(x + 0.5) of eq. (4), half up, without rounding the sum."""
        below = self.floor(x)
        return np.asarray(below + (x - below >= 0.5))

    def bilinear(self, t: Array, order: int) -> list[Array]:
        """Weights of the pixels before and after a sample, at t from 0 to 1 between them."""
        one = 1 + 0 * t  # NaN where t is
        return [[1 - t, t], [-one, one], [0 * one, 0 * one]][order]

    def keys_near(self, s: Array, order: int) -> Array:
        """Keys' cubic kernel at a distance s from 0 to 1, and its derivatives."""
        p, q = self.a + 2, self.a + 3
        derivatives: list[Array] = [(p * s - q) * s**2 + 1, (3 * p * s - 2 * q) * s, 6 * p * s - 2 * q]
        return derivatives[order]

    def keys_far(self, s: Array, order: int) -> Array:
        """The same from 1 to 2."""
        a = self.a
        return [(((s - 5) * s + 8) * s - 4) * a, ((3 * s - 10) * s + 8) * a, (6 * s - 10) * a][order]

    def cubic(self, t: Array, order: int) -> list[Array]:
        """Weights of the four pixels around a sample; the distance to the last two shrinks as t grows."""
        before = [self.keys_far(1 + t, order), self.keys_near(t, order)]
        after = [self.keys_near(1 - t, order), self.keys_far(2 - t, order)]
        return before + [weight * (-1) ** order for weight in after]

    def weights(self, t: Array, mode: str, order: int) -> list[Array]:
        if mode == "nearest":
            return [0 * t + (order == 0)]
        return self.bilinear(t, order) if mode == "bilinear" else self.cubic(t, order)

    # Padding: which pixel stands at a point of the lattice that goes on beyond the image

    def mirrors(self, size: int, align_corners: bool) -> tuple[int, int]:
        """Where the mirrors stand, in HALF pixels: at the outer centres, or at the outer edges."""
        return (0, 2 * size - 2) if align_corners else (-1, 2 * size - 1)

    def wrap(self, n: Array, period: int) -> Array:
        """n reduced to [0, period); a single pixel between mirrors at its centre has the period 0."""
        return np.asarray(np.mod(n, period) if period else 0 * n)

    def fold(self, n: Array, size: int, align_corners: bool) -> Array:
        first, last = self.mirrors(size, align_corners)
        n = self.wrap(n, last - first)
        return np.where(2 * n > last, last - n, n)

    def near(self, cell: Array, size: int, how: How) -> Array:
        """A cell near the image that looks the same, so that 1e38 is as good as 3; NaN if there is none."""
        if how.padding_mode == "reflection":
            first, last = self.mirrors(size, how.align_corners)
            return self.wrap(cell, last - first)
        return np.clip(cell, -FAR, size + FAR)

    def pixel(self, n: Array, size: int, how: How) -> Array:
        """The index of the pixel at lattice point n."""
        if how.padding_mode == "border":
            n = np.clip(n, 0, size - 1)
        elif how.padding_mode == "reflection":
            n = self.fold(n, size, how.align_corners)
        return np.where(np.isnan(n), NONE, n).astype(np.intp)

    # One axis

    def neighbours(self, near: Array, t: Array, mode: str) -> list[Array]:
        """The lattice points around a cell that have a weight."""
        return [near + offset for offset in OFFSETS[mode]]

    def taps(self, x: Array, size: int, how: How) -> list[Tap]:
        """The pixels that a sample at x looks at along an axis of ``size`` pixels, and their weights."""
        cell = self.nearest(x) if how.mode == "nearest" else self.floor(x)
        near = self.near(cell, size, how)
        t = np.where(np.isfinite(x), x - cell, 0 * near)
        orders = zip(*(self.weights(t, how.mode, order) for order in range(3)))
        around = self.neighbours(near, t, how.mode)
        return [Tap(self.pixel(n, size, how), [*weights]) for n, weights in zip(around, orders)]

    def axes(self, shape: tuple[int, ...], grid: Array, how: How) -> Axes:
        """The taps along each axis of an image of ``shape`` (N, C, H, W)."""
        sizes = sizes_of(shape)
        return [self.taps(x, size, how) for x, size in zip(self.points(grid, sizes, how), sizes)]

    # Between eq. (7), which is in pixels, and normalised coordinates

    def slope_factor(self, size: int, align_corners: bool) -> float:
        """The derivative of the pixel coordinate for the normalised one."""
        return self.factor(size, align_corners)

    def slope_factors(self, sizes: tuple[int, ...], how: How) -> list[float]:
        return [self.slope_factor(size, how.align_corners) for size in sizes]

    def normalised(self, slopes: Sequence[Array], shape: tuple[int, ...], how: How) -> Array:
        """Cotangents of the pixel coordinates to that of the grid."""
        factors = self.slope_factors(sizes_of(shape), how)
        return self.together([slope * factor for slope, factor in zip(slopes, factors)])

    def moves(self, grid_dot: Array, shape: tuple[int, ...], how: How) -> list[Array]:
        """A tangent of the grid to those of the pixel coordinates, (N, 1, H', W') each."""
        parts = zip(self.coordinates(grid_dot), self.slope_factors(sizes_of(shape), how))
        return [np.expand_dims(part * factor, 1) for part, factor in parts]


def sizes_of(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes of an image (N, C, H, W) in the order of the coordinates x, y(, z).

    >>> sizes_of((2, 3, 4, 5))
    (5, 4)
    """
    return tuple(reversed(shape[2:]))
