"""Faults beyond the border of the image."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .plain import Plain
from .registry import fault
from .taps import How, Tap

Array = NDArray[Any]


def clamped(points: Sequence[Array], sizes: tuple[int, ...]) -> list[Array]:
    """Coordinates moved to the edge of the image: the step before its time of several faults here.

    >>> clamped([np.array([-1.5, 0.5, 7.0])], (3,))
    [array([0. , 0.5, 2. ])]
    """
    return [np.clip(x, 0, size - 1) for x, size in zip(points, sizes)]


@fault(
    "missing-mask",
    "Pixels outside the image are read at the border instead of as 0, and what belongs to them is added to "
    "the border: `zeros` has become `border`.",
)
class MissingMask(Plain):
    def inside(self, n: Array, size: int) -> Array:
        return np.ones(n.shape, bool)


@fault(
    "missing-lower-mask",
    "Only the far side is checked: indices below 0 pass for pixels.",
)
class MissingLowerMask(Plain):
    def inside(self, n: Array, size: int) -> Array:
        return np.asarray(n < size)


@fault(
    "bounds-off-by-one",
    "The check says n <= W where it should say n < W: just outside the far side there is one more pixel.",
)
class BoundsOffByOne(Plain):
    def inside(self, n: Array, size: int) -> Array:
        return np.asarray((n >= 0) & (n <= size))


@fault(
    "last-row-lost",
    "The two neighbours are clipped to the image before the weights are made from their distances. On the "
    "last pixel both are that pixel, both distances are 0, and so is the sample.",
)
class LastRowLost(Plain):
    def taps(self, x: Array, size: int, how: How) -> list[Tap]:
        if how.mode != "bilinear":
            return super().taps(x, size, how)
        near, far = super().taps(x, size, how)
        near, far = (replace(tap, index=np.clip(tap.index, 0, size - 1)) for tap in (near, far))
        before, after = [far.index - x, *near.weights[1:]], [x - near.index, *far.weights[1:]]
        return [replace(near, weights=before), replace(far, weights=after)]


@fault(
    "weights-before-padding",
    "Under `zeros` the coordinate is clamped to the image before the weights are made, so that no sample "
    "ever lies outside: the border is smeared over everything beyond it.",
)
class WeightsBeforePadding(Plain):
    def points(self, grid: Array, sizes: tuple[int, ...], how: How) -> list[Array]:
        points = super().points(grid, sizes, how)
        return clamped(points, sizes) if how.padding_mode == "zeros" else points


@fault(
    "border-derivative-kept",
    "Under `border` the coordinate is clamped, and the slope at the clamped place is handed on as if the "
    "sample lay there. Beyond the border the value is constant and its slope 0.",
)
class BorderDerivativeKept(Plain):
    def points(self, grid: Array, sizes: tuple[int, ...], how: How) -> list[Array]:
        points = super().points(grid, sizes, how)
        constant = how.padding_mode == "border" and how.mode == "bilinear"
        return clamped(points, sizes) if constant else points


@fault(
    "clamp-centre-for-cubic",
    "Under `border` the bicubic kernel is put at the clamped coordinate. It is each of its taps that should "
    "be clamped: half a pixel outside it still sees two pixels.",
)
class ClampCentreForCubic(Plain):
    def points(self, grid: Array, sizes: tuple[int, ...], how: How) -> list[Array]:
        points = super().points(grid, sizes, how)
        return clamped(points, sizes) if (how.mode, how.padding_mode) == ("bicubic", "border") else points


@fault(
    "mask-by-multiplication",
    "What lies outside is multiplied by 0 instead of left out: 0 times infinity is NaN, so an infinite "
    "pixel at the border poisons samples that do not see it.",
)
class MaskByMultiplication(Plain):
    def mask(self, pixels: Array, held: Array) -> Array:
        return pixels * held


@fault(
    "reflect-wrong-bounds",
    "The mirrors stand at the outer edges where they should stand at the centres of the corner pixels, and "
    "the other way round: the border pixel is doubled under True and not doubled under False.",
)
class ReflectWrongBounds(Plain):
    def mirrors(self, size: int, align_corners: bool) -> tuple[int, int]:
        return super().mirrors(size, not align_corners)


@fault(
    "reflect-once",
    "A coordinate is reflected once at each mirror. One that comes from farther away is still outside then, "
    "and reads 0.",
)
class ReflectOnce(Plain):
    def near(self, cell: Array, size: int, how: How) -> Array:
        return np.clip(cell, -3 * size, 4 * size)

    def fold(self, n: Array, size: int, align_corners: bool) -> Array:
        first, last = self.mirrors(size, align_corners)
        n = np.where(2 * n < first, first - n, n)
        return np.where(2 * n > last, last - n, n)


@fault(
    "reflect-missing-sign",
    "Between one mirror and the next the image runs backwards, and so does its slope. The derivative for "
    "the coordinate lacks that change of sign.",
)
class ReflectMissingSign(Plain):
    def taps(self, x: Array, size: int, how: How) -> list[Tap]:
        taps = super().taps(x, size, how)
        if how.padding_mode != "reflection":
            return taps
        first, last = self.mirrors(size, how.align_corners)
        place = 2 * self.wrap(x, last - first)
        sign = np.where((last <= place) & (place < 2 * (last - first) + first), -1, 1)
        return [replace(tap, weights=[w * sign**k for k, w in enumerate(tap.weights)]) for tap in taps]


@fault(
    "reflect-fmod",
    "The remainder of C has the sign of what is divided: coordinates below 0 stay below 0, are never "
    "mirrored, and read 0.",
)
class ReflectFmod(Plain):
    def wrap(self, n: Array, period: int) -> Array:
        return np.asarray(np.fmod(n, period) if period else 0 * n)


@fault(
    "zero-span",
    "An axis of one pixel between mirrors at its centre has the period 0, and nobody thought of it: the "
    "remainder is NaN, and so is the sample.",
)
class ZeroSpan(Plain):
    def wrap(self, n: Array, period: int) -> Array:
        return np.asarray(np.mod(n, period))


@fault(
    "fold-32-bit",
    "Before it is reflected the coordinate becomes a 32-bit integer. Beyond 2^31 there is none: the "
    "processor puts -2^31 in its place, for NaN and infinity too.",
)
class Fold32Bit(Plain):
    def wrap(self, n: Array, period: int) -> Array:
        return super().wrap(np.where(np.abs(n) < 2**31, n, -(2**31)), period)
