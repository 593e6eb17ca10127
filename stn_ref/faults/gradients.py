"""Faults in the cotangents of the image, eq. (6), and of the grid, eq. (7); the values stay right."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .plain import Cotangents, Plain
from .registry import fault
from .taps import Axes

Array = NDArray[Any]

# Eq. (7) itself


@fault(
    "sign-of-eq7",
    "The cases 1 and -1 of eq. (7) are exchanged: the coordinate is pushed away from where it should go.",
)
class SignOfEq7(Plain):
    def bilinear(self, t: Array, order: int) -> list[Array]:
        weights = super().bilinear(t, order)
        return [-weight for weight in weights] if order == 1 else weights


@fault(
    "all-positive",
    "The case -1 of eq. (7) is forgotten: the two neighbours are added and not subtracted, so that a "
    "constant image has a slope.",
)
class AllPositive(Plain):
    def bilinear(self, t: Array, order: int) -> list[Array]:
        weights = super().bilinear(t, order)
        return [np.abs(weight) for weight in weights] if order == 1 else weights


@fault(
    "paper-literal-kink",
    "Eq. (7) to the letter: at an integer coordinate only the pixel m = x is left of its sum, so that the "
    "derivative is the pixel itself. The identity puts every sample there.",
)
class PaperLiteralKink(Plain):
    def bilinear(self, t: Array, order: int) -> list[Array]:
        near, far = super().bilinear(t, order)
        return [np.where(t == 0, 1, near), np.where(t == 0, 0, far)] if order == 1 else [near, far]


@fault(
    "ceil-neighbour",
    "The right neighbour is ceil(x) and not floor(x) + 1. At an integer coordinate both neighbours are the "
    "same pixel: the value is right, the slope is 0, and nothing learns from the identity on.",
)
class CeilNeighbour(Plain):
    def neighbours(self, near: Array, t: Array, mode: str) -> list[Array]:
        around = super().neighbours(near, t, mode)
        return [near, near + (t > 0)] if mode == "bilinear" else around


# The factor from pixels to normalised coordinates


@fault(
    "missing-half-w",
    "Eq. (7) is in pixels. The factor to normalised coordinates, W/2 or (W - 1)/2, is missing.",
)
class MissingHalfW(Plain):
    def slope_factor(self, size: int, align_corners: bool) -> float:
        return 1.0


@fault(
    "w-over-2",
    "The factor from pixels to normalised coordinates is always W/2; under align_corners=True it is (W - "
    "1)/2.",
)
class WOver2(Plain):
    def slope_factor(self, size: int, align_corners: bool) -> float:
        return size / 2


@fault(
    "w-floor-div-2",
    "The factor from pixels to normalised coordinates is divided as integers, (W - 1) // 2 or W // 2: half "
    "a pixel is lost for every other size.",
)
class WFloorDiv2(Plain):
    def slope_factor(self, size: int, align_corners: bool) -> float:
        return self.span(size, align_corners) // 2


@fault(
    "other-modes-factor",
    "The factor from pixels to normalised coordinates is that of the other align_corners: W/2 for True and "
    "(W - 1)/2 for False.",
)
class OtherModesFactor(Plain):
    def slope_factor(self, size: int, align_corners: bool) -> float:
        return self.factor(size, not align_corners)


@fault(
    "scaled-1.0001",
    "The grid's cotangent is too large by one in ten thousand. Nobody writes this: it measures how sharp a "
    "check is.",
)
class Scaled(Plain):
    def slope_factor(self, size: int, align_corners: bool) -> float:
        return 1.0001 * self.factor(size, align_corners)


# The cotangent of the grid


@fault(
    "components-swapped",
    "The grid's cotangent is put together as (y, x); the grid itself is read as (x, y).",
)
class ComponentsSwapped(Plain):
    def together(self, parts: Sequence[Array]) -> Array:
        return super().together(parts[::-1])


@fault(
    "first-channel-only",
    "The coordinate hears from the first channel alone. All channels are sampled at it, so that their "
    "cotangents must be added.",
)
class FirstChannelOnly(Plain):
    def over_channels(self, products: Array) -> Array:
        return super().over_channels(products[:, :1])


@fault(
    "channel-mean",
    "The grid's cotangent is the mean over channels where it should be their sum.",
)
class ChannelMean(Plain):
    def over_channels(self, products: Array) -> Array:
        return np.asarray(super().over_channels(products) / max(products.shape[1], 1))


@fault(
    "zero-grid-gradient",
    "The grid's cotangent is 0 everywhere: an integer conversion or a stopped gradient cut it off, and the "
    "localisation network never learns.",
)
class ZeroGridGradient(Plain):
    def slopes(self, U: Array, V_bar: Array, axes: Axes) -> list[Array]:
        return [0 * slope for slope in super().slopes(U, V_bar, axes)]


@fault(
    "needs-grid-only-broken",
    "If the image needs no cotangent, as in a first layer, the whole backward pass is skipped, and that of "
    "the grid is left at 0.",
)
class NeedsGridOnlyBroken(Plain):
    def grid_sample_vjp(
        self, U: Array, grid: Array, V_bar: Array, *, needs: Sequence[str], **settings: Any
    ) -> Cotangents:
        if "U" not in needs:
            return {name: np.zeros_like(grid) for name in needs}
        return super().grid_sample_vjp(U, grid, V_bar, needs=needs, **settings)


# The cotangent of the image


@fault(
    "scatter-weights-swapped",
    "In the cotangent of the image each pixel gets the weight of the pixel on the other side: 1 - t where "
    "it was read with t.",
)
class ScatterWeightsSwapped(Plain):
    def splat(self, V: Array, shape: tuple[int, ...], axes: Axes, *along: int) -> Array:
        swapped = [[replace(a, weights=b.weights) for a, b in zip(taps, taps[::-1])] for taps in axes]
        return super().splat(V, shape, swapped, *along)


@fault(
    "assign-for-accumulate",
    "U_bar[index] = value: what other samples had left at that pixel is overwritten.",
)
class AssignForAccumulate(Plain):
    def add(self, total: Array, place: tuple[Array, ...], values: Array) -> None:
        total[place] = values


@fault(
    "fancy-index-add",
    "U_bar[index] += value: NumPy adds once for each pixel, not once for each sample, so that of samples "
    "that meet at one pixel a single one counts.",
)
class FancyIndexAdd(Plain):
    def add(self, total: Array, place: tuple[Array, ...], values: Array) -> None:
        total[place] += values


@fault(
    "batch-0-scatter",
    "The cotangents of all images are added to that of the first one: the offset of the batch is missing. "
    "With one image there is nothing to be seen.",
)
class Batch0Scatter(Plain):
    def add(self, total: Array, place: tuple[Array, ...], values: Array) -> None:
        batch, *pixel = place
        super().add(total, (0 * batch, *pixel), values)


@fault(
    "forward-as-adjoint",
    "The cotangent of the image is taken by sampling V_bar with the same grid. That applies the map once "
    "more; its transpose would spread V_bar over the pixels that were read.",
)
class ForwardAsAdjoint(Plain):
    def grid_sample_vjp(
        self, U: Array, grid: Array, V_bar: Array, *, needs: Sequence[str], **settings: Any
    ) -> Cotangents:
        cotangents = super().grid_sample_vjp(U, grid, V_bar, needs=needs, **settings)
        if "U" in needs:
            cotangents["U"] = self.grid_sample(V_bar, grid, **settings)
        return cotangents


@fault(
    "stale-buffer",
    "The buffer in which the image's cotangent is gathered is kept and not cleared: the second call adds to "
    "what the first one left.",
)
class StaleBuffer(Plain):
    def __init__(self) -> None:
        self.kept: dict[tuple[int, ...], Array] = {}

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> Array:
        return self.kept.setdefault(shape, super().zeros(shape, dtype))
