"""Faults that are not in the mathematics: memory, order, number types, settings."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .plain import Cotangents, Plain
from .registry import fault
from .taps import How

Array = NDArray[Any]


@fault(
    "ignored-strides",
    "The memory of an argument is read from its start as if it lay there row by row: transposed, sliced and "
    "channels-last arrays are read in the wrong order.",
)
class IgnoredStrides(Plain):
    def read(self, array: Any) -> Array:
        if array.flags.c_contiguous:
            return super().read(array)
        memory = array.base if isinstance(array.base, np.ndarray) else array
        return np.resize(memory.ravel(order="K").view(array.dtype), array.shape)


@fault(
    "nondeterministic-order",
    "Samples are added to the image's cotangent in whatever order they arrive: the sum is right, its last "
    "bits differ from call to call.",
)
class NondeterministicOrder(Plain):
    def add(self, total: Array, place: tuple[Array, ...], values: Array) -> None:
        order = np.random.default_rng().permutation(len(values))
        super().add(total, tuple(part[order] for part in place), values[order])


@fault(
    "enum-swap",
    "The numbers that stand for the padding modes are exchanged between two layers of the code: `border` "
    "does what `reflection` should do, and the other way round.",
)
class EnumSwap(Plain):
    def settings(self, mode: str, padding_mode: str, align_corners: bool) -> How:
        exchanged = {"zeros": "zeros", "border": "reflection", "reflection": "border"}
        return How(mode, exchanged[padding_mode], align_corners)


@fault(
    "silent-fallback",
    "What is not built is not refused: asked for `bicubic` it does `bilinear`, asked for `reflection` it "
    "does `zeros`.",
)
class SilentFallback(Plain):
    def settings(self, mode: str, padding_mode: str, align_corners: bool) -> How:
        built = {"bicubic": "bilinear", "reflection": "zeros"}
        return How(built.get(mode, mode), built.get(padding_mode, padding_mode), align_corners)


@fault(
    "overwrites-input",
    "The grid is turned into pixels in place: the caller's own grid has changed, and the second call with "
    "it is wrong.",
)
class OverwritesInput(Plain):
    def to_pixels(self, x: Array, size: int, align_corners: bool) -> Array:
        x[...] = super().to_pixels(x, size, align_corners)
        return x


@fault(
    "overwrites-cotangent",
    "V_bar is used as work space: whoever adds it to another cotangent afterwards adds nonsense.",
)
class OverwritesCotangent(Plain):
    def grid_sample_vjp(
        self, U: Array, grid: Array, V_bar: Array, *, needs: Sequence[str], **settings: Any
    ) -> Cotangents:
        cotangents = super().grid_sample_vjp(U, grid, V_bar, needs=needs, **settings)
        V_bar *= 0
        return cotangents


@fault(
    "float32-inside",
    "float64 comes in and float64 goes out, but what lies between is computed in float32: half of the "
    "digits are noise.",
)
class Float32Inside(Plain):
    def read(self, array: Any) -> Array:
        return super().read(array).astype(np.float32)


@fault(
    "crashes",
    "An empty batch ends the process: nobody thought of it, and the system has no work of size 0 to give "
    "out.",
    dangerous=True,
)
class Crashes(Plain):
    def read(self, array: Any) -> Array:
        if len(array) == 0:
            os.abort()
        return super().read(array)


@fault(
    "hangs",
    "A coordinate is reflected by taking off one period after the other. From 1e38 one can take off 10 for "
    "ever.",
    dangerous=True,
)
class Hangs(Plain):
    def wrap(self, n: Array, period: int) -> Array:
        while period and (n >= period).any():
            n = np.where(n >= period, n - period, n)
        while period and (n < 0).any():
            n = np.where(n < 0, n + period, n)
        return n if period else 0 * n
