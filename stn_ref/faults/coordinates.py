"""Faults on the way from a normalised coordinate to a pixel and its cell."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .plain import Plain
from .registry import fault
from .taps import How

Array = NDArray[Any]


@fault(
    "xy-swap",
    "The last axis of the grid is read as (y, x): the image is mirrored about its diagonal. The cotangent "
    "is swapped too, so that a gradient check agrees with it.",
)
class XYSwap(Plain):
    def coordinates(self, grid: Array) -> list[Array]:
        return super().coordinates(grid)[::-1]

    def together(self, parts: Sequence[Array]) -> Array:
        return super().together(parts[::-1])


@fault(
    "hw-swap",
    "x is scaled by the height and y by the width: nothing is to be seen of it in a square image.",
)
class HWSwap(Plain):
    def points(self, grid: Array, sizes: tuple[int, ...], how: How) -> list[Array]:
        return super().points(grid, sizes[::-1], how)

    def slope_factors(self, sizes: tuple[int, ...], how: How) -> list[float]:
        return super().slope_factors(sizes[::-1], how)


@fault(
    "align-swap",
    "align_corners=True does what False should do, and the other way round: -1 and 1 are the centres of the "
    "corner pixels where they should be the outer edges. The identity stays the identity.",
)
class AlignSwap(Plain):
    def span(self, size: int, align_corners: bool) -> int:
        return super().span(size, not align_corners)

    def mirrors(self, size: int, align_corners: bool) -> tuple[int, int]:
        return super().mirrors(size, not align_corners)


@fault(
    "align-in-grid-only",
    "The grid is made with align_corners, but the sampler does not hear of it and always takes True: with "
    "False the identity shrinks the picture.",
)
class AlignInGridOnly(Plain):
    def settings(self, mode: str, padding_mode: str, align_corners: bool) -> How:
        return How(mode, padding_mode, align_corners=True)


@fault(
    "align-in-sampler-only",
    "The sampler obeys align_corners, but the grid is always linspace(-1, 1), which is that of True: with "
    "False the identity reaches over the border.",
)
class AlignInSamplerOnly(Plain):
    def axis(self, size: int, align_corners: bool) -> Array:
        return super().axis(size, align_corners=True)


@fault(
    "missing-half-pixel",
    "Under align_corners=False the first pixel's centre lies half a pixel inside the edge. Without that "
    "-1/2 everything moves by half a pixel.",
)
class MissingHalfPixel(Plain):
    def centre(self, size: int, align_corners: bool) -> float:
        return (size - 1) / 2 if align_corners else size / 2


@fault(
    "w-minus-2",
    "x is scaled by W - 2 since 1 was taken off twice: once for the largest index, and once more in the "
    "formula that already speaks of W - 1.",
)
class WMinus2(Plain):
    def factor(self, size: int, align_corners: bool) -> float:
        return super().factor(size - 1, align_corners)

    def centre(self, size: int, align_corners: bool) -> float:
        return super().centre(size - 1, align_corners)


@fault(
    "pixel-for-normalised",
    "The grid is taken to be in pixels: everything between -1 and 1 is read around the upper left corner.",
)
class PixelForNormalised(Plain):
    def factor(self, size: int, align_corners: bool) -> float:
        return 1.0

    def centre(self, size: int, align_corners: bool) -> float:
        return 0.0


@fault(
    "singleton-minus-one",
    "An axis of one pixel has the coordinate -1, where linspace(-1, 1, 1) begins, and not 0, its middle.",
    convention="onnx",
)
class SingletonMinusOne(Plain):
    def axis(self, size: int, align_corners: bool) -> Array:
        return np.array([-1.0]) if size == 1 and align_corners else super().axis(size, align_corners)


@fault(
    "half-precision-coordinates",
    "Pixel coordinates are worked out in float16, which has 11 bits: beyond pixel 1024 even the halves are "
    "gone.",
)
class HalfPrecisionCoordinates(Plain):
    def points(self, grid: Array, sizes: tuple[int, ...], how: How) -> list[Array]:
        return [x.astype(np.float16).astype(x.dtype) for x in super().points(grid, sizes, how)]


@fault(
    "trunc-for-floor",
    "A conversion to integer rounds towards 0. Left of the first pixel the cell is then one too far to the "
    "right: at -1/2 the weights are 1.5 and -0.5 where they should be 0.5 and 0.5.",
)
class TruncForFloor(Plain):
    def floor(self, x: Array) -> Array:
        return np.trunc(x)


@fault(
    "round-after-floor",
    "For the nearest pixel the coordinate is rounded, but it was floored before: the pixel to the left "
    "wins, however near the right one is.",
)
class RoundAfterFloor(Plain):
    def nearest(self, x: Array) -> Array:
        return np.rint(self.floor(x))


@fault(
    "ties-half-even",
    "Half-way between two pixels the even one is taken, as rint does; the paper's floor(x + 0.5) takes the "
    "right one.",
    convention="torch",
)
class TiesHalfEven(Plain):
    def nearest(self, x: Array) -> Array:
        return np.rint(x)


@fault(
    "ties-half-away",
    "Half-way between two pixels the one farther from 0 is taken, as C's round does; the paper's floor(x + "
    "0.5) differs from it left of the first pixel.",
    convention="jax",
)
class TiesHalfAway(Plain):
    def nearest(self, x: Array) -> Array:
        return np.copysign(super().nearest(np.abs(x)), x)
