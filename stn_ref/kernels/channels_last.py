"""Bilinear and trilinear sampling of images with many channels: eqs. (5)-(7) as sparse matrix products.

With the channels last in memory a pixel is one run of numbers. The weights of all samples are a sparse
matrix, a row for each sample with 2^d entries; eq. (5) is this matrix times the pixels, eq. (6) its transpose
times the cotangents, and eq. (7) needs for each tap the inner product of a pixel with a cotangent. Why it is
fast: cells, fractions, weights and indices are worked out once for all channels, and the products run along
the channels.
"""

import math
from dataclasses import dataclass
from functools import reduce
from itertools import product
from operator import add, mul
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .places import NOWHERE, Part, Places, tamed
from .workspace import workspace

Array = NDArray[Any]
Pair = tuple[Array, Array]
Orders = tuple[int, ...]
PART = 2**16  # samples at a time whose weights and indices are held
RUN = 2**17  # numbers at a time that are copied for inner products


@dataclass
class Axis:
    """The two pixels beside each sample along one axis: where, with which weights, and their derivatives."""

    index: Pair
    weight: Pair
    slope: Pair

    def sides(self, order: int) -> Pair:
        """The weights, or their derivative of that order."""
        if order > 1:
            return np.zeros_like(self.slope[0]), np.zeros_like(self.slope[1])
        return self.slope if order else self.weight


class ChannelsLast:
    """The samples at ``places``, with padding ``zeros`` or ``border``; every kink is read from the right."""

    def __init__(self, places: Places, padding_mode: str) -> None:
        self.places, self.zeros = places, padding_mode == "zeros"
        self.image = math.prod(places.sizes)

    def sample(self, U: Array, orders: Orders) -> Array:
        """Eq. (5) or a derivative of it: (N, C, ...), channels last in memory; NaN at NaN coordinates."""
        n, channels = U.shape[:2]
        found = []
        for part in self.places.parts(PART):
            axes, undefined = self.axes(part)
            values = self.matrix(axes, part, orders) @ pixels(U[part.images])
            values[undefined] = np.nan
            found.append(values)
        V = joined(found).reshape(n, *self.places.shape[1:], channels)
        return np.moveaxis(V, -1, 1)

    def splat(self, V: Array, shape: tuple[int, ...], orders: Orders) -> Array:
        """Eq. (6): the transpose of :meth:`sample`, (N, C, *shape), channels last in memory."""
        n, channels = V.shape[:2]
        found: list[Array] = []
        for part in self.places.parts(PART):
            axes, undefined = self.axes(part)
            for weight in axes[0].sides(orders[0]):
                weight[undefined] = 0
            values = self.matrix(axes, part, orders).T @ pixels(V[part.images, :, part.rows])
            if part.rows.start:  # more rows of the image that the part before was about
                found[-1] += values
            else:
                found.append(values)
        return np.moveaxis(joined(found).reshape(n, *shape, channels), -1, 1)

    def slopes(self, U: Array, V: Array, orders: Orders) -> Array:
        """Eq. (7), summed over channels against V: the cotangent of the places."""
        total = self.places.nothing()
        for part in self.places.parts(PART):
            axes, undefined = self.axes(part)
            cotangents = pixels(V[part.images, :, part.rows])
            against_V = inner_products(pixels(U[part.images]), cotangents, self.indices(axes, part))
            slopes = []
            for k in range(len(axes)):
                sides = [axis.sides(orders[j] + (j == k)) for j, axis in enumerate(axes)]
                terms = zip(against_V, product(*reversed(sides)))
                slope = reduce(add, (reduce(mul, weights) * dots for dots, weights in terms))
                slope[undefined] = np.nan
                slopes.append(slope.reshape(part.images.stop - part.images.start, -1))
            self.places.collect(total, part, slopes)
        return total

    def axes(self, part: Part) -> tuple[list[Axis], Any]:
        """Where each sample of a part lies, axis by axis; and the key of samples whose place is NaN."""
        axes, undefined = [], NOWHERE
        with workspace() as space:
            for x, size in zip(self.places.coordinates(part, space), self.places.sizes):
                flat = x.reshape(-1)
                undefined = tamed(flat, undefined)
                axes.append(self.axis(flat, size))
        return axes, undefined

    def axis(self, x: Array, size: int) -> Axis:
        """The same for one coordinate."""
        cell = np.floor(x)
        f = x - cell
        first = cell.clip(-2, size + 1).astype(np.int32)
        index, weight, slope = (first, first + 1), (1 - f, f), (np.full_like(f, -1), np.ones_like(f))
        for i, w, s in zip(index, weight, slope):
            if self.zeros:
                inside = i.view(np.uint32) < size  # below 0 is huge, unsigned
                w *= inside
                s *= inside
            np.clip(i, 0, size - 1, out=i)
        return Axis(index, weight, slope)

    def indices(self, axes: list[Axis], part: Part) -> list[Array]:
        """The flat index of each tap over the images of a part, x fastest."""
        images, samples = part.images.stop - part.images.start, len(axes[0].index[0])
        flat = [np.repeat(np.arange(images, dtype=np.int32), samples // images)]
        for axis, size in zip(reversed(axes), reversed(self.places.sizes)):
            flat = [before * size + i for before in flat for i in axis.index]
        return flat

    def matrix(self, axes: list[Axis], part: Part, orders: Orders) -> Any:
        """The weights of a part's samples, as a sparse matrix (samples, pixels of its images)."""
        taps, samples = 2 ** len(axes), len(axes[0].index[0])
        index, weight = np.empty((samples, taps), np.int32), np.empty((samples, taps), self.places.dtype)
        for k, flat in enumerate(self.indices(axes, part)):
            index[:, k] = flat
        for k, sides in enumerate(
            product(*(axis.sides(order) for axis, order in zip(reversed(axes), reversed(orders))))
        ):
            weight[:, k] = reduce(mul, sides)
        ends = np.arange(0, taps * samples + 1, taps, dtype=np.int32)
        from scipy.sparse import csr_matrix  # here, since it takes long to import

        shape = (samples, (part.images.stop - part.images.start) * self.image)
        return csr_matrix((weight.reshape(-1), index.reshape(-1), ends), shape=shape)


def pixels(U: Array) -> Array:
    """(N, C, ...) as (N * ..., C), without a copy where the memory is already so."""
    return np.ascontiguousarray(np.moveaxis(U, 1, -1)).reshape(-1, U.shape[1])


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
