"""Bilinear and trilinear sampling of images with many channels: eqs. (5)-(7) as sparse matrix products.

With the channels last in memory a pixel is one run of numbers. The weights of all samples are a sparse
matrix, a row for each sample with 2^d entries; eq. (5) is this matrix times the pixels, eq. (6) its transpose
times the cotangents, and eq. (7) needs for each tap the inner product of a pixel with a cotangent. Why it is
fast: cells, fractions, weights and indices are worked out once for all channels, and the products run along
the channels.
"""

import math
from collections.abc import Callable
from functools import reduce
from itertools import product
from operator import add, mul
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .beside import Axis, beside
from .places import NOWHERE, Part, Places, tamed
from .sampling import Orders
from .workspace import workspace

Array = NDArray[Any]
PART = 2**16  # samples at a time whose weights and indices are held
RUN = 2**17  # numbers at a time that are copied for inner products
KEEP, KEEP_BYTES = (
    2**16,
    2**24,
)  # samples and bytes that may be kept from the forward pass to the backward one


class ChannelsLast:
    """The samples at ``places``, with padding ``zeros`` or ``border``; every kink is read from the right.

    ``orders`` are those of the derivative to take, x first. ``keep`` says that after :meth:`sample` the
    others will be wanted: then up to ``KEEP`` samples are kept as they are needed, and a copy of an image of
    up to ``KEEP_BYTES``.
    """

    def __init__(self, places: Places, padding_mode: str, keep: bool = False) -> None:
        self.places, self.zeros = places, padding_mode == "zeros"
        self.image = math.prod(places.sizes)
        self.keep = keep
        self._kept: dict[Any, Any] = {}
        self._copy: tuple[Array, Array] | None = None  # the image of the forward pass, and in this order

    def sample(self, U: Array, orders: Orders) -> Array:
        """Eq. (5) or a derivative of it: (N, C, ...), channels last in memory; NaN at NaN coordinates."""
        n, channels = U.shape[:2]
        found, image = [], channels_last(U)
        if self.keep and image.nbytes <= KEEP_BYTES and not np.may_share_memory(image, U):
            self._copy = U, image  # the tape sees to it that U stays as it is
        for part in self.places.parts(PART):
            values = self.matrix(part, orders) @ pixels(image[part.images])
            values[self.axes(part)[1]] = np.nan
            found.append(values)
        V = joined(found).reshape(n, *self.places.shape[1:], channels)
        return np.moveaxis(V, -1, 1)

    def splat(self, V: Array, shape: tuple[int, ...], orders: Orders) -> Array:
        """Eq. (6): the transpose of :meth:`sample`, (N, C, *shape), channels last in memory."""
        n, channels = V.shape[:2]
        found: list[Array] = []
        V = channels_last(V)
        for part in self.places.parts(PART):
            values = self.matrix(part, orders).T @ pixels(V[part.key])
            if part.rows.start:  # more rows of the image that the part before was about
                found[-1] += values
            else:
                found.append(values)
        return np.moveaxis(joined(found).reshape(n, *shape, channels), -1, 1)

    def slopes(self, U: Array, V: Array, orders: Orders) -> Array:
        """Eq. (7), summed over channels against V: the cotangent of the places."""
        total = self.places.nothing()
        U = self._copy[1] if self._copy is not None and self._copy[0] is U else channels_last(U)
        V = channels_last(V)
        for part in self.places.parts(PART):
            axes, undefined = self.axes(part)
            indices = self.indices(axes, part)
            against_V = inner_products(pixels(U[part.images]), pixels(V[part.key]), indices)
            slopes = []
            for k in range(len(axes)):
                sides = [axis.sides(orders[j] + (j == k)) for j, axis in enumerate(axes)]
                terms = zip(against_V, product(*reversed(sides)))
                slope = reduce(add, (reduce(mul, weights) * dots for dots, weights in terms))
                slope[undefined] = np.nan
                slopes.append(slope.reshape(part.images.stop - part.images.start, -1))
            self.places.collect(total, part, slopes)
        return total

    def remembered(self, key: Any, part: Part, make: Callable[[], Any]) -> Any:
        """What ``make`` gives, kept for the next time if it may be."""
        if not self.keep or math.prod(self.places.shape) > KEEP:
            return make()
        key = (key, part.images.start, part.rows.start)
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def axes(self, part: Part) -> tuple[list[Axis], Any]:
        """Where each sample of a part lies, axis by axis; and the key of samples whose place is NaN."""
        axes, undefined = self.remembered("axes", part, lambda: self._axes(part))
        return axes, undefined

    def _axes(self, part: Part) -> tuple[list[Axis], Any]:
        axes, undefined = [], NOWHERE
        with workspace() as space:
            for x, size in zip(self.places.coordinates(part, space), self.places.sizes):
                flat = x.reshape(-1)
                undefined = tamed(flat, undefined)
                axes.append(beside(flat, size, self.zeros))
        for weight in (*axes[0].weight, *axes[0].slope):
            weight[undefined] = 0
        return axes, undefined

    def indices(self, axes: list[Axis], part: Part) -> list[Array]:
        """The flat index of each tap over the images of a part, x fastest."""
        images, samples = part.images.stop - part.images.start, len(axes[0].index[0])
        flat = [np.repeat(np.arange(images, dtype=np.int32), samples // images)]
        for axis, size in zip(reversed(axes), reversed(self.places.sizes)):
            flat = [before * size + i for before in flat for i in axis.index]
        return flat

    def matrix(self, part: Part, orders: Orders) -> Any:
        """The weights of a part's samples, as a sparse matrix (samples, pixels of its images)."""
        return self.remembered(orders, part, lambda: self._matrix(part, orders))

    def _matrix(self, part: Part, orders: Orders) -> Any:
        from scipy.sparse import csr_matrix  # here, since it takes long to import

        axes, _ = self.axes(part)
        taps, samples = 2 ** len(axes), len(axes[0].index[0])
        index, weight = np.empty((samples, taps), np.int32), np.empty((samples, taps), self.places.dtype)
        for k, flat in enumerate(self.indices(axes, part)):
            index[:, k] = flat
        sides = [axis.sides(order) for axis, order in zip(axes, orders)]
        for k, weights in enumerate(product(*reversed(sides))):
            weight[:, k] = reduce(mul, weights)
        ends = np.arange(0, taps * samples + 1, taps, dtype=np.int32)
        shape = (samples, (part.images.stop - part.images.start) * self.image)
        return csr_matrix((weight.reshape(-1), index.reshape(-1), ends), shape=shape)


def channels_last(image: Array) -> Array:
    """(N, C, ...) as (N, ..., C), with the channels next to each other in memory."""
    return np.ascontiguousarray(np.moveaxis(image, 1, -1))


def pixels(image: Array) -> Array:
    """(N, ..., C) as (N * ..., C)."""
    return image.reshape(-1, image.shape[-1])


def joined(parts: list[Array]) -> Array:
    """All in one array, without a copy if there is only one."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def inner_products(U: Array, V: Array, indices: list[Array]) -> list[Array]:
    """For each of the indices U[index] . V along the channels, from U (pixels, C) and V (samples, C)."""
    products = [np.empty(len(V), V.dtype) for _ in indices]
    step = max(1, RUN // max(1, V.shape[1]))
    with workspace() as space:
        for start in range(0, len(V), step):
            some = V[start : start + step]
            pixel = space.empty(some.shape, some.dtype)
            for index, found in zip(indices, products):
                here = index[start : start + step].astype(np.intp)
                U.take(here, axis=0, out=pixel, mode="clip")
                np.einsum("pc,pc->p", pixel, some, out=found[start : start + step])
            space.release(0)
    return products
