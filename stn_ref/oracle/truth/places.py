"""Where a grid reads an image: exactly, and as far as a backend's rounding may move it.

A backend knows a pixel coordinate x only to its own rounding, so that its sample may lie anywhere in
[x - d, x + d]. Where that interval touches a boundary between two cells, there are two polynomials that
may describe it. Both are kept: the first is that of x itself (on the right, at an integer), the second its
neighbour's, continued to x. Along several axes they combine, and each combination is one *choice*.
"""

from dataclasses import dataclass
from functools import cached_property, reduce
from math import prod
from operator import mul
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...pixels import padded_index, span
from .double_double import DoubleDouble
from .dyadic import Dyadic
from .profiles import Profile

Array = NDArray[Any]
Numbers = Dyadic | DoubleDouble
Orders = tuple[int, ...]
REACH = 3  # pixels beyond which an image padded by zeros or its border is constant, for every kernel here
MOST_EXACTLY = 2**16  # coordinates above which double-double arithmetic is used if it can be
FOLDING = 4  # roundings on the way to a coordinate that is reflected
TOO_FAR = 0.25  # pixels of uncertainty from which on nothing is said about a sample
LARGEST = float(np.finfo(np.float64).max)
FIRST_TAP = {"nearest": 0, "bilinear": 0, "bicubic": -1}
DEGREE = {"nearest": 0, "bilinear": 1, "bicubic": 3}  # of the kernel along an axis
TAPS = {"nearest": 1, "bilinear": 2, "bicubic": 4}


@dataclass(frozen=True)
class Reading:
    """How an image is read: the settings of a question and the rounding that its answer may contain."""

    mode: str
    padding_mode: str
    align_corners: bool
    profile: Profile
    unit: float
    """Half the distance from 1 to the next number, in the dtype in which coordinates are worked out."""
    operations: int = 4


class Places:
    """All samples of a question. Arrays are (choices, taps, N, P), P samples an image.

    Parameters
    ----------
    grid : (N, ..., d), float64
        Normalised coordinates.
    source : tuple of int
        The spatial shape of the image, ([D,] H, W).
    """

    def __init__(self, grid: Array, source: tuple[int, ...], reading: Reading) -> None:
        n, d = grid.shape[0], grid.shape[-1]
        self.shape, self.source, self.reading = grid.shape[:-1], source, reading
        flat = grid.reshape(n, prod(grid.shape[1:-1]), d)
        self.numbers = _numbers(flat)
        sizes = reversed(source)
        self.axes = [Axis(flat[..., k], size, reading, self.numbers) for k, size in enumerate(sizes)]
        self.error = self.numbers.error
        self.undefined: Array = np.any([axis.undefined for axis in self.axes], axis=0)
        self.odd: Array = np.any([axis.odd for axis in self.axes], axis=0)
        self.wide: Array = np.any([axis.wide for axis in self.axes], axis=0)
        self.kinks: Array = np.any([axis.touches for axis in self.axes], axis=0)
        self.at_kink: Array = np.any([axis.at_kink for axis in self.axes], axis=0)
        self.reach = [axis.reach for axis in self.axes]  # d of the module's docstring, (N, P) each
        ended: Array = np.any([axis.ended for axis in self.axes], axis=0)
        self.cut: Array = ended & np.all([axis.tapered for axis in self.axes], axis=0)
        self.index = self._index()
        self.choices, self.taps = self.index.shape[:2]
        self._weights: dict[Orders, Any] = {}
        self._floats: dict[Orders, Array] = {}

    def _index(self) -> Array:
        """The flat index of each tap's pixel, or of one more pixel, which is 0; (choices, taps, N, P)."""
        none = prod(self.source)
        flat: Array = np.zeros((1, 1, 1, 1), np.intp)
        outside: Array = np.zeros((1, 1, 1, 1), bool)
        for axis, size in zip(reversed(self.axes), self.source):  # slow to fast, as in memory
            flat = _outer(flat * size, axis.index, np.add)
            outside = _outer(outside, axis.index == size, np.logical_or)
        return np.where(outside, none, flat)

    def weights(self, orders: Orders) -> Any:
        """For each choice and tap the product of the kernel's derivatives; orders x first."""
        if orders not in self._weights:
            factors = [axis.weights(order) for axis, order in self._slow_to_fast(orders)]
            self._weights[orders] = _outer_all(factors)
        return self._weights[orders]

    def floats(self, orders: Orders) -> Array:
        """The same, rounded to float64."""
        if orders not in self._floats:
            factors = [axis.floats(order) for axis, order in self._slow_to_fast(orders)]
            self._floats[orders] = _outer_all(factors)
        return self._floats[orders]

    def sizes(self, orders: Orders) -> Array:
        """The absolute values of the weights, float64."""
        return np.abs(self.floats(orders))

    def cancelled(self, orders: Orders) -> Array:
        """The same with one factor of each product replaced by the sum of what cancels in it, added up."""
        axes = self._slow_to_fast(orders)
        total: Array = np.zeros(1)
        for chosen in range(len(axes)):
            factors = [
                axis.cancelled(order) if i == chosen else np.abs(axis.floats(order))
                for i, (axis, order) in enumerate(axes)
            ]
            total = total + _outer_all(factors)
        return total

    def vanishes(self, orders: Orders) -> bool:
        """Whether a derivative is 0 in every cell."""
        return max(orders) > DEGREE[self.reading.mode]

    def _slow_to_fast(self, orders: Orders) -> list[tuple["Axis", int]]:
        return list(zip(reversed(self.axes), reversed(orders)))


class Axis:
    """The samples along one axis of ``size`` pixels; the arrays of a choice and tap are (J, K, N, P)."""

    def __init__(self, g: Array, size: int, reading: Reading, numbers: Any) -> None:
        self.size, self.reading = size, reading
        infinite = np.isinf(g)
        no_limit = reading.padding_mode == "reflection" or not reading.profile.limits
        self.undefined = np.isnan(g) | (infinite & no_limit)
        self.odd = ~np.isfinite(g)
        across = span(size, reading.align_corners)
        far_away = np.where(infinite & ~self.undefined, np.copysign(4.0 * (size + REACH), g), 0.0)
        g = np.where(np.isfinite(g), g, 0)
        self.x = (numbers.of(g) * across + numbers.of(far_away) + (size - 1)).halved()
        self.reach, self.wide = self._uncertainty(g, across)
        self.ended = self._end()
        self._choose()
        self._weights: dict[int, Any] = {}
        self._floats: dict[int, Array] = {}

    def _uncertainty(self, g: Array, across: int) -> tuple[Array, Array]:
        """How far rounding may move each coordinate, in pixels, and where that is too far to say anything."""
        reading, size = self.reading, self.size
        magnitude = (np.abs(g) + 1) * (reading.unit * size / 2) + reading.unit  # in units of rounding
        reach = reading.operations * magnitude + reading.profile.quantum
        if reading.padding_mode == "reflection":
            reach = reach + FOLDING * magnitude
        if reading.profile.quantum == 0 and across & (across - 1) == 0:
            reach = np.where(_is_short(g, size, reading.unit), 0.0, reach)
        x = np.clip(self.x.float(), -LARGEST, LARGEST)
        if reading.padding_mode != "reflection":
            far = np.abs(x / 2 - (size - 1) / 4) - reach / 2 > size / 4 + REACH / 2
            reach = np.where(far, 0.0, reach)
        wide = reach >= TOO_FAR
        return np.where(wide, 0.0, reach), wide

    def _end(self) -> Array:
        """Where the image has ended; ``wide`` is also where a backend's rounding decides whether it has."""
        if self.reading.padding_mode != "zeros" or self.reading.profile.tapers:
            return np.zeros(self.wide.shape, bool)
        x = self.x.float()
        beyond = np.maximum(-x, x - (self.size - 1))
        self.wide = self.wide | ((self.reach > 0) & (np.abs(beyond) <= self.reach))
        return np.asarray((beyond > 0) & ~self.wide)

    def _choose(self) -> None:
        """The cell of each sample, its neighbour if that may be meant, and the places in them."""
        if self.reading.mode == "nearest":
            (whole, t), other = self._nearest()
        else:
            whole, t = self.x.floor()
            place = t.float()
            self.at_kink = place == 0
            other = np.where(place <= self.reach, -1, np.where(1 - place <= self.reach, 1, 0))
        other = np.where(self.wide | self.ended, 0, other)
        self.touches = other != 0
        cells, places = [whole], [t]
        if self.touches.any():
            cells.append(whole + other)
            places.append(t - _like(t, other))
        self.cells, self.places = np.stack(cells), places

    def _nearest(self) -> tuple[tuple[Array, Numbers], Array]:
        """Likewise for eq. (4): a cell lies around its pixel, and two of them meet half-way."""
        x = self.x
        upper, rest = (x + x + 1).halved().floor()
        beside = rest.float()  # x + 1/2 - upper, in [0, 1)
        other = np.where(beside <= self.reach, -1, np.where(1 - beside <= self.reach, 1, 0))
        self.at_kink = beside == 0
        lower = np.where(self.at_kink, self._lower_at_ties(upper), False)
        whole = upper - lower.astype(np.int64)
        other = np.where(lower, 1, other)
        return (whole, x - _like(x, whole)), other

    def _lower_at_ties(self, upper: Array) -> Array:
        """Where the profile takes the lower of two pixels that are equally near."""
        profile, reading = self.reading.profile, self.reading
        if reading.padding_mode == "reflection" and profile.folded_first:
            ends = [self._pixel(upper), self._pixel(upper - 1)]
        else:
            ends = [upper, upper - 1]
        if profile.ties == "even":
            return np.asarray(ends[0] % 2 != 0, bool)
        if profile.ties == "away":
            return np.asarray((ends[1] > ends[0]) | (ends[0] <= 0), bool)
        return np.asarray(ends[1] > ends[0], bool)

    @cached_property
    def index(self) -> Array:
        """Which pixel each tap reads, ``size`` for none, (J, K, N, P)."""
        return np.where(self.ended, self.size, self._tapering)

    @cached_property
    def tapered(self) -> Array:
        """Where eq. (5) still reads a pixel of the image, by more than rounding."""
        read = (self._tapering != self.size) & (self.floats(0) > self.reach)
        return np.asarray(read.any((0, 1)))

    @cached_property
    def _tapering(self) -> Array:
        """The index by eq. (5)."""
        first = FIRST_TAP[self.reading.mode]
        taps = range(first, first + TAPS[self.reading.mode])
        return np.stack([self._pixel(self.cells + tap) for tap in taps], axis=1)

    def weights(self, order: int) -> Any:
        """The kernel's derivative at each tap, (J, K, N, P)."""
        if order not in self._weights:
            mode, cubic = self.reading.mode, self.reading.profile.cubic
            self._weights[order] = _stacked([kernel_weights(mode, t, order, cubic) for t in self.places])
        return self._weights[order]

    def floats(self, order: int) -> Array:
        """The same, rounded to float64."""
        if order not in self._floats:
            self._floats[order] = self.weights(order).float()
        return self._floats[order]

    def cancelled(self, order: int) -> Array:
        """The sum of the terms' magnitudes of each weight that is evaluated as a polynomial."""
        mode, cubic = self.reading.mode, self.reading.profile.cubic
        return np.stack([polynomial_sizes(mode, t.float(), order, cubic) for t in self.places])

    def _pixel(self, n: Array) -> Array:
        """Which pixel stands at lattice point ``n``, an integer of any size; ``size`` for none."""
        reading, size = self.reading, self.size
        if reading.padding_mode == "reflection":
            n = n % max(2 * span(size, reading.align_corners), 1)
        near = np.clip(n, -REACH - 1, 2 * size + REACH).astype(np.intp)
        return padded_index(near, size, reading.padding_mode, reading.align_corners)


def kernel_weights(mode: str, t: Any, order: int, cubic: float) -> Any:
    """The kernel's derivative of an order at the taps around place ``t`` of a cell, (K, N, P)."""
    if mode == "bicubic":
        pieces = cubic_pieces(cubic)
        values = [_polynomial(_derived(c, order, sign), t * sign + offset) for c, sign, offset in pieces]
        return _stacked([value.halved(2) for value in values])
    flat = t * 0
    if order == 0:
        return _stacked([-t + 1, t]) if mode == "bilinear" else _stacked([flat + 1])
    slope = int(order == 1 and mode == "bilinear")
    return _stacked([flat - slope, flat + slope][: TAPS[mode]])


def polynomial_sizes(mode: str, t: Array, order: int, cubic: float) -> Array:
    """What rounding in such a weight is relative to, where it is evaluated as a polynomial."""
    if mode != "bicubic":
        return np.zeros((TAPS[mode], *t.shape))
    sizes = []
    for coefficients, sign, offset in cubic_pieces(cubic):
        derivative = np.abs(_derived(coefficients, order, sign))
        powers = np.abs(t * sign + offset)[..., None] ** np.arange(len(derivative))
        sizes.append(powers @ derivative.astype(float) / 4)
    return np.stack(sizes)


def cubic_pieces(cubic: float) -> list[tuple[list[int], int, int]]:
    """Keys' kernel k at the four taps: the coefficients of 4 k(s), lowest first, where s = sign t + offset.

    >>> cubic_pieces(-0.5)[1]                                    # 1 - 5/2 s^2 + 3/2 s^3 at s = t
    ([4, 0, -10, 6], 1, 0)

    Source: R. Keys 1981, Cubic convolution interpolation for digital image processing.
    """
    a = round(4 * cubic)
    inner, outer = [4, 0, -a - 12, a + 8], [-4 * a, 8 * a, -5 * a, a]
    return [(outer, 1, 1), (inner, 1, 0), (inner, -1, 1), (outer, -1, 2)]


def _derived(coefficients: list[int], order: int, sign: int) -> list[int]:
    """The coefficients of a polynomial's derivative for t, where s = sign t + offset."""
    for _ in range(order):
        coefficients = [i * c * sign for i, c in enumerate(coefficients)][1:] or [0]
    return coefficients


def _polynomial(coefficients: list[int], s: Any) -> Any:
    value = s * 0 + coefficients[-1]
    for c in reversed(coefficients[:-1]):
        value = value * s + c
    return value


def _numbers(grid: Array) -> Any:
    """Exact arithmetic, or double-double where that is too slow and all numbers are of ordinary size."""
    size = np.abs(grid)
    ordinary = np.isfinite(size) & (size < 2.0**40) & ((size > 2.0**-100) | (size == 0))
    return DoubleDouble if size.size > MOST_EXACTLY and ordinary.all() else Dyadic


def _is_short(g: Array, size: int, unit: float) -> Array:
    """Where every step from g to a pixel coordinate is exact: few digits after the point, and before it."""
    steps = 1 / (8 * unit * size * (np.abs(g) + 1))  # that fit beside what stands before the point
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = g * 2 ** np.floor(np.log2(np.maximum(steps, 1)))
    return np.asarray((steps > 1) & (scaled == np.floor(scaled)), bool)


def _like(t: Numbers, whole: Array) -> Any:
    """Whole numbers as the same kind of number."""
    if isinstance(t, Dyadic):
        return Dyadic.whole(whole)
    return DoubleDouble.of(np.asarray(whole, np.float64))


def _stacked(parts: list[Any]) -> Any:
    """Numbers of one shape behind each other."""
    if isinstance(parts[0], Dyadic):
        return Dyadic.stack(parts)
    return DoubleDouble(np.stack([p.high for p in parts]), np.stack([p.low for p in parts]))


def _outer(a: Any, b: Any, combine: Any) -> Any:
    """All pairs of choices and all pairs of taps, of arrays or of exact numbers."""
    both = combine(a[:, None, :, None], b[None, :, None, :])
    return both.reshape(a.shape[0] * b.shape[0], a.shape[1] * b.shape[1], *both.shape[4:])


def _outer_all(factors: list[Any]) -> Any:
    return reduce(lambda a, b: _outer(a, b, mul), factors)
