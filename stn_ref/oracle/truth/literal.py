"""The same results once more, in another way: the paper's equations over fractions, one sample at a time.

Shares nothing with :mod:`.places` and :mod:`.aspects`: the image is continued pixel by pixel to the
neighbourhood of a sample, and :mod:`stn_ref.equations` is applied to that neighbourhood as it stands. It is
slow, and there so that two ways must agree.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import product
from math import floor
from typing import Any

from numpy.typing import NDArray

from ...equations import eq3_sample, eq4_integer, hat
from .places import Reading

Array = NDArray[Any]
Kernel = Callable[[Fraction], Fraction]
NEAR = range(-2, 4)  # lattice points around a sample, counted from its cell


class LiteralSample:
    """One sample of image ``n``, in the order of the grid's rows ``p``; its coordinates must be finite.

    >>> import numpy as np
    >>> from .profiles import PROFILES
    >>> reading = Reading("bilinear", "zeros", True, PROFILES["paper"], 2.0**-53)
    >>> arrays = {"U": np.array([[[[3.0, 5.0, 9.0]]]]), "grid": np.array([[[[0.25, 0.0]]]])}
    >>> LiteralSample(arrays, reading, 0, 0).value("U", (0, 0))                # at pixel 1.25
    [Fraction(6, 1)]
    """

    def __init__(self, arrays: Mapping[str, Array], reading: Reading, n: int, p: int) -> None:
        self.arrays, self.reading, self.n, self.p = arrays, reading, n, p
        self.source = arrays["U"].shape[2:]
        self.d = len(self.source)
        self.sizes = tuple(reversed(self.source))
        coordinates = arrays["grid"][n].reshape(-1, self.d)[p]
        self.x = [self._pixel(_fraction(g), size) for g, size in zip(coordinates, self.sizes)]
        self.factors = [Fraction(self._span(size), 2) for size in self.sizes]

    def aspect(self, name: str) -> list[Fraction]:
        """For each channel (V, V_dot, second.V_bar), or for each coordinate (grid_bar, second.grid)."""
        none = (0,) * self.d
        if name == "V":
            return self.value("U", none)
        if name in ("V_dot", "second.V_bar"):
            image, moved = ("U_dot", "grid_dot") if name == "V_dot" else ("U_bar_bar", "grid_bar_bar")
            total = self.value(image, none)
            for k in range(self.d):
                step = self.factors[k] * self._coordinate(moved, k)
                total = [a + step * b for a, b in zip(total, self.value("U", self._unit(k)))]
            return total
        found = []
        for k in range(self.d):
            image = "U" if name == "grid_bar" else "U_bar_bar"
            slopes = self.value(image, self._unit(k))
            if name == "second.grid":
                for j in range(self.d):
                    bend = self.value("U", tuple(a + b for a, b in zip(self._unit(j), self._unit(k))))
                    step = self.factors[j] * self._coordinate("grid_bar_bar", j)
                    slopes = [a + step * b for a, b in zip(slopes, bend)]
            V_bar = self.arrays["V_bar"][self.n].reshape(len(slopes), -1)[:, self.p]
            total_k = Fraction(0)
            for slope, weight in zip(slopes, V_bar):
                total_k += _fraction(weight) * slope
            found.append(self.factors[k] * total_k)
        return found

    def value(self, image: str, orders: tuple[int, ...]) -> list[Fraction]:
        """sample[orders] of an image for each channel: eq. (3), or eq. (4)."""
        here = [x - floor(x) - NEAR[0] for x in self.x]  # in the neighbourhood, which starts at NEAR[0]
        pixels = self.arrays[image][self.n]
        if self.reading.mode == "nearest":
            if any(orders):
                return [Fraction(0)] * len(pixels)
            layers = [eq4_integer(self._around(pixels, z), here[0], here[1]) for z in self._depths()]
            along_z = [Fraction(int(i == floor(here[-1] + Fraction(1, 2)))) for i in range(len(layers))]
        else:
            kernels = [self._kernel(order) for order in orders]
            layers = [
                eq3_sample(self._around(pixels, z), here[0], here[1], kernels[0], kernels[1])
                for z in self._depths()
            ]
            along_z = [kernels[-1](here[-1] - i) for i in range(len(layers))]
        if self.d == 2:
            return layers[0]
        total = [Fraction(0)] * len(pixels)
        for weight, layer in zip(along_z, layers):
            total = [a + weight * b for a, b in zip(total, layer)]
        return total

    def _depths(self) -> list[tuple[int, ...]]:
        return [()] if self.d == 2 else [(floor(self.x[2]) + i,) for i in NEAR]

    def _around(self, pixels: Array, z: tuple[int, ...]) -> list[list[list[Fraction]]]:
        """The neighbourhood of the sample in each channel, continued beyond the image."""
        columns, rows = ([floor(x) + i for i in NEAR] for x in self.x[:2])
        return [[[self._continued(channel, (*z, n, m)) for m in columns] for n in rows] for channel in pixels]

    def _continued(self, channel: Array, lattice: tuple[int, ...]) -> Fraction:
        index = [self._bounce(n, size) for n, size in zip(lattice, self.source)]
        return Fraction(0) if None in index else _fraction(channel[tuple(index)])

    def _bounce(self, n: int, size: int) -> int | None:
        """The pixel at lattice point ``n``, step by step."""
        reading = self.reading
        if reading.padding_mode == "zeros":
            return n if 0 <= n < size else None
        if reading.padding_mode == "border" or (size == 1 and reading.align_corners):
            return min(max(n, 0), size - 1)
        mirror = 0 if reading.align_corners else 1  # twice the distance of the mirror from the last pixel
        while not 0 <= n < size:
            n = -mirror - n if n < 0 else 2 * (size - 1) + mirror - n
        return n

    def _kernel(self, order: int) -> Kernel:
        if self.reading.mode == "bilinear":
            return (hat, _hat_slope, lambda t: Fraction(0))[min(order, 2)]
        a = Fraction(self.reading.profile.cubic)
        return lambda t: _keys(t, a, order)

    def _span(self, size: int) -> int:
        return size - 1 if self.reading.align_corners else size

    def _pixel(self, g: Fraction, size: int) -> Fraction:
        if self.reading.align_corners:
            return (g + 1) * (size - 1) / 2
        return ((g + 1) * size - 1) / 2

    def _coordinate(self, name: str, k: int) -> Fraction:
        return _fraction(self.arrays[name][self.n].reshape(-1, self.d)[self.p, k])

    def _unit(self, k: int) -> tuple[int, ...]:
        return tuple(int(axis == k) for axis in range(self.d))


def literal_cotangent(arrays: Mapping[str, Array], reading: Reading, n: int) -> dict[Any, Fraction]:
    """Eq. (6): the cotangent of image ``n``'s pixels, by (channel, row, column)."""
    total: dict[Any, Fraction] = {}
    points = arrays["grid"][n].reshape(-1, arrays["grid"].shape[-1])
    V_bar = arrays["V_bar"][n].reshape(arrays["V_bar"].shape[1], -1)
    for p in range(len(points)):
        sample = LiteralSample(arrays, reading, n, p)
        for lattice in product(*([floor(x) + i for i in NEAR] for x in reversed(sample.x))):
            pixel = tuple(sample._bounce(m, size) for m, size in zip(lattice, sample.source))
            if None in pixel:
                continue
            weight = Fraction(1)
            for x, m in zip(sample.x, reversed(lattice)):
                weight *= _half_up_weight(x, m) if reading.mode == "nearest" else sample._kernel(0)(x - m)
            if weight:
                for c, row in enumerate(V_bar):
                    key = (c, *pixel)
                    total[key] = total.get(key, Fraction(0)) + weight * _fraction(row[p])
    return total


def _half_up_weight(x: Fraction, m: int) -> Fraction:
    return Fraction(int(floor(x + Fraction(1, 2)) == m))


def _hat_slope(t: Fraction) -> Fraction:
    """The slope of max(0, 1 - |t|), on the right where it has two."""
    return Fraction(1 if -1 <= t < 0 else -1 if 0 <= t < 1 else 0)


def _keys(t: Fraction, a: Fraction, order: int) -> Fraction:
    """Keys' kernel and its derivatives, on the right where there are two."""
    s, sign = abs(t), Fraction(1 if t >= 0 else -1) ** order
    if s > 2 or t == 2:
        return Fraction(0)
    inner = [a + 2, -a - 3, Fraction(0), Fraction(1)]
    cubic = inner if s < 1 or t == -1 else [a, -5 * a, 8 * a, -4 * a]
    for _ in range(order):
        cubic = [factor * c for factor, c in zip(range(len(cubic) - 1, 0, -1), cubic)]
    value = sign * 0
    for c in cubic:
        value = value * s + c
    return value * sign


def _fraction(x: Any) -> Fraction:
    return Fraction(float(x))
