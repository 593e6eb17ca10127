"""Bilinear and trilinear sampling of images with few channels: eqs. (5)-(7), one array operation at a time.

Why it is fast: the image stands in a ring of padding and coordinates are clipped to it, so that no sample
needs a mask, and beyond the image value and derivative are right by themselves. Coordinates, cells and
weights are worked out once for all channels, and the taps of a sample are read with one index, at
different offsets. Samples are taken in parts whose arrays stay in the cache.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .beside import Pair
from .places import NOWHERE, Part, Places, tamed
from .sampling import Orders
from .scatter import add_at
from .workspace import Workspace, workspace

Array = NDArray[Any]
PART = 2**18  # taps at a time, and half of that in large images
LARGE = 2**17  # numbers of an image that no longer stays in the cache
KEEP = 2**18  # samples whose cells may be kept from the forward pass to the backward one
INT32, INTP = np.dtype(np.int32), np.dtype(np.intp)


@dataclass
class Cells:
    """The samples of a part: which pixels they read, and how far they lie between them.

    ``index`` is the first of the pixels, (images, samples), counted from ``start``, the ring of the first
    image; ``fractions`` are those of the cell for x, y(, z); ``undefined`` is the key of samples whose place
    is NaN. ``slopes`` are those of each channel, if they are kept.
    """

    part: Part
    start: int
    index: Array
    fractions: list[Array]
    undefined: Any
    slopes: list[list[Array]] = field(default_factory=list)
    reach: slice | None = None


class Planar:
    """The samples at ``places``, with padding ``zeros`` or ``border``; every kink is read from the right.

    The ring: two rows and columns of zeros before the image, which are those behind the row (or image)
    before as well, or one of its edge pixels on each side. Cells beyond are clipped: to -2, where a cell and
    its neighbour are 0, or to where both hold the edge pixel. ``orders`` are those of the derivative to take,
    x first.

    ``keep`` says that after :meth:`sample` the others will be wanted: then the cells of up to ``KEEP``
    samples are kept for them, and the slopes of as many values.
    """

    def __init__(self, places: Places, padding_mode: str, keep: bool = False) -> None:
        self.places, self.zeros = places, padding_mode == "zeros"
        self.lead = 2 if self.zeros else 1
        self.ring = tuple(n + 2 for n in reversed(places.sizes))  # z, y, x, as in memory
        self.strides = [math.prod(self.ring[k + 1 :]) for k in range(len(self.ring))]
        self.image = math.prod(self.ring)
        # From the first pixel that a sample reads to the others, in the order of memory.
        self.offsets = [sum(steps) for steps in product(*((0, stride) for stride in self.strides))]
        self.low, self.high = (-2, 0) if self.zeros else (-1, -1)  # least and greatest cell, from the size
        last = sum((n - 2 + self.high + self.lead) * step for n, step in zip(self.ring, self.strides))
        self.tail = last + self.offsets[-1] + 1 - self.image  # what the last cell reads behind its image
        self.kept: list[Cells] | None = [] if keep and math.prod(places.shape) <= KEEP else None
        self.image_of_slopes: Array | None = None

    def sample(self, U: Array, orders: Orders) -> Array:
        """Eq. (5) or a derivative of it: (N, C, ...); NaN where a coordinate is NaN."""
        n, channels = U.shape[:2]
        V = np.empty((n, channels, *self.places.shape[1:]), U.dtype)
        # In volumes the slopes of each channel cost more than reading the taps again.
        keep_slopes = self.kept == [] and V.size <= KEEP and orders == (0, 0)
        with workspace() as space:
            padded = self.padded(U, space)
            for cells in self.parts(space):
                index, sides = self.index(cells, space), self.sides(cells, space)
                weights = products(sides, orders, space)
                for c in range(channels):
                    taps = self.taps(padded[c], cells, index, space)
                    if keep_slopes:
                        cells.slopes.append(slopes_of(taps, sides, orders, space, np.empty))
                    value = combine(taps, weights, orders, space)
                    value[cells.undefined] = np.nan
                    there = V[cells.part.images, c, cells.part.rows]
                    there[...] = value.reshape(there.shape)
        if keep_slopes:
            self.image_of_slopes = U
        return V

    def splat(self, V: Array, shape: tuple[int, ...], orders: Orders) -> Array:
        """Eq. (6): the transpose of :meth:`sample`, (N, C, *shape)."""
        n, channels = V.shape[:2]
        padded = np.zeros((channels, n * self.image + self.tail), V.dtype)
        with workspace() as space:
            for cells in self.parts(space):
                weights = products(self.sides(cells, space), orders, space)
                for weight in weights:
                    weight[cells.undefined] = 0
                total = padded[:, cells.start : cells.start + len(cells.index) * self.image + self.tail]
                shares = [space.empty(weight.shape, V.dtype) for weight in weights]
                for c in range(channels):
                    cotangent = V[cells.part.images, c, cells.part.rows].reshape(cells.index.shape)
                    for weight, share in zip(weights, shares):
                        np.multiply(weight, cotangent, out=share)
                    self.fetch(padded[c], cells)
                    self.add(total[c], cells.index, shares, orders)
        return self.unpadded(padded[:, : n * self.image].reshape(channels, n, *self.ring))

    def slopes(self, U: Array, V: Array, orders: Orders) -> Array:
        """Eq. (7), summed over channels against V: the cotangent of the places."""
        total = self.places.nothing()
        kept = self.image_of_slopes is U and not any(orders)
        with workspace() as space:
            padded = None if kept else self.padded(U, space)
            for cells in self.parts(space):
                cotangents = [
                    V[cells.part.images, c, cells.part.rows].reshape(cells.index.shape)
                    for c in range(U.shape[1])
                ]
                if padded is None:
                    slopes = weighted(cells.slopes, cotangents, space)
                else:
                    slopes = self._slopes(padded, cells, cotangents, orders, space)
                for slope in slopes:
                    slope[cells.undefined] = np.nan
                self.places.collect(total, cells.part, slopes)
        return total

    def _slopes(
        self, padded: Array, cells: Cells, cotangents: list[Array], orders: Orders, space: Workspace
    ) -> list[Array]:
        """For x, y(, z), summed over channels."""
        index, sides = self.index(cells, space), self.sides(cells, space)
        against_V: list[Array] = []  # for each tap the sum over channels of pixel times cotangent
        for image, cotangent in zip(padded, cotangents):
            taps = self.taps(image, cells, index, space)
            terms = [np.multiply(tap, cotangent, out=tap) for tap in taps]
            against_V = [np.add(a, b, out=a) for a, b in zip(against_V, terms)] or terms
        return slopes_of(against_V, sides, orders, space)

    def add(self, total: Array, index: Array, shares: list[Array], orders: Orders) -> None:
        """The transpose of :meth:`taps` and :func:`combine`, where the shares have their weights already."""
        if max(orders) > 1:
            return
        axes = list(zip(reversed(self.strides), orders))
        starts = [sum(c) for c in product(*((0, stride) for stride, order in reversed(axes) if not order))]
        for signs in product(*((-1, 1) for _, order in axes if order)):
            steps = [stride for stride, order in axes if order]
            offset = sum(step for step, sign in zip(steps, signs) if sign > 0)
            signed = shares if math.prod(signs) > 0 else [-share for share in shares]
            add_at(total, index, [start + offset for start in starts], signed)

    def padded(self, U: Array, space: Workspace) -> Array:
        """The images in their rings, (C, N * image and a few more), so that every offset may be added."""
        n, channels = U.shape[:2]
        padded = space.empty((channels, n * self.image + self.tail), U.dtype)
        padded[...] = 0
        rings = padded[:, : n * self.image].reshape(channels, n, *self.ring)
        rings[self._inner()] = np.moveaxis(U, 1, 0)
        if not self.zeros:
            for axis, edge, beside in self._edges():
                rings[(slice(None),) * axis + (edge,)] = rings[(slice(None),) * axis + (beside,)]
        return padded

    def unpadded(self, rings: Array) -> Array:
        """The transpose of :meth:`padded`, from (C, N, *ring)."""
        if not self.zeros:
            for axis, edge, beside in reversed(self._edges()):
                rings[(slice(None),) * axis + (beside,)] += rings[(slice(None),) * axis + (edge,)]
        return np.moveaxis(rings[self._inner()], 0, 1)

    def _inner(self) -> Any:
        """The key of the images without their rings."""
        return (..., *(slice(self.lead, self.lead + size - 2) for size in self.ring))

    def _edges(self) -> list[tuple[int, int, int]]:
        """Axis of (C, N, *ring), place in the ring, and the edge pixel that stands there too."""
        both = ((0, 1), (-1, -2))
        return [(2 + k, edge, beside) for k in range(len(self.ring)) for edge, beside in both]

    def parts(self, space: Workspace) -> Iterator[Cells]:
        """All samples, part by part; a part's arrays in the workspace are written over by the next."""
        mark = space.taken
        if self.kept:
            for cells in self.kept:
                space.release(mark)
                yield cells
            return
        made = []
        most = PART // len(self.offsets) // (2 if self.image >= LARGE else 1)
        for part in self.places.parts(most):
            space.release(mark)
            cells = self.cells(part, space)
            if self.kept is not None:
                made.append(cells)
            yield cells
        if self.kept is not None:  # all of them, or none if the caller was interrupted
            self.kept = made

    def cells(self, part: Part, space: Workspace) -> Cells:
        """Where each sample of a part lies."""
        empty = space.empty if self.kept is None else np.empty
        undefined, fractions, flat = NOWHERE, [], None
        steps = zip(self.places.coordinates(part, space), self.places.sizes, reversed(self.strides))
        for x, size, stride in steps:
            undefined = tamed(x, undefined)
            cell = np.floor(x, out=space.empty(x.shape, x.dtype))
            fractions.append(np.subtract(x, cell, out=empty(x.shape, x.dtype)))
            cell.clip(self.low, size + self.high, out=cell)
            if self.image >= 2**24 and cell.dtype == np.float32:  # more than its whole numbers
                cell = cell.astype(np.float64)
            flat = cell if flat is None else np.add(flat, np.multiply(cell, stride, out=cell), out=cell)
        assert flat is not None
        index = empty(flat.shape, INT32)
        index[...] = flat
        index += (self.lead * sum(self.strides) + np.arange(len(flat), dtype=INT32) * self.image)[:, None]
        return Cells(part, part.images.start * self.image, index, fractions, undefined)

    def index(self, cells: Cells, space: Workspace) -> Array:
        """As ``take`` wants it."""
        index = space.empty(cells.index.shape, INTP)
        index[...] = cells.index
        return index

    def sides(self, cells: Cells, space: Workspace) -> list[Pair]:
        """For each axis the weights of the two pixels beside a sample, 1 - f and f."""
        return [(np.subtract(1, f, out=space.empty(f.shape, f.dtype)), f) for f in cells.fractions]

    def fetch(self, padded: Array, cells: Cells) -> None:
        """Read through all that the samples of a part will touch in a large image, in order.

        That is several times as fast as to fetch it into the cache here and there, sample by sample.
        """
        if self.image >= LARGE:
            if cells.reach is None:
                low, high = int(cells.index.min()), int(cells.index.max())
                cells.reach = slice(cells.start + low, cells.start + high + self.offsets[-1] + 1)
            padded[cells.reach].max()

    def taps(self, padded: Array, cells: Cells, index: Array, space: Workspace) -> list[Array]:
        """The pixels that each sample reads, x fastest."""
        self.fetch(padded, cells)
        first, shape, dtype = padded[cells.start :], index.shape, padded.dtype
        return [
            first[offset:].take(index, out=space.empty(shape, dtype), mode="wrap") for offset in self.offsets
        ]


def products(sides: list[Pair], orders: Orders, space: Workspace) -> list[Array]:
    """The product of one side each over the axes of order 0, for all choices of them, x fastest."""
    others = [pair for pair, order in zip(sides, orders) if not order]
    if not others:
        return [np.ones_like(sides[0][0])]
    found = list(others.pop())
    for pair in reversed(others):
        found = [np.multiply(a, b, out=space.empty(b.shape, b.dtype)) for a in found for b in pair]
    return found


def combine(
    taps: list[Array], weights: list[Array], orders: Orders, space: Workspace, empty: Any = None
) -> Array:
    """The sum over 2^d taps, x fastest, of weight times tap; along axes of order 1 of their differences.

    ``empty`` makes the array of the result, in the workspace if it is left out.
    """
    form = taps[0].shape, taps[0].dtype
    for axis in reversed(range(len(orders))):
        if orders[axis]:
            step = 2**axis
            pairs = [(taps[k], taps[k + step]) for k in range(len(taps)) if not k & step]
            taps = [np.subtract(b, a, out=space.empty(*form)) for a, b in pairs]
    total = np.multiply(weights[0], taps[0], out=(empty or space.empty)(*form))
    term = space.empty(*form)
    for weight, tap in zip(weights[1:], taps[1:]):
        total += np.multiply(weight, tap, out=term)
    return total if max(orders) < 2 else np.zeros_like(total)  # the hat has no second derivative


def slopes_of(
    taps: list[Array], sides: list[Pair], orders: Orders, space: Workspace, empty: Any = None
) -> list[Array]:
    """The derivatives along each axis of what ``combine`` gives."""
    each = [tuple(order + (k == axis) for k, order in enumerate(orders)) for axis in range(len(sides))]
    return [combine(taps, products(sides, raised, space), raised, space, empty) for raised in each]


def weighted(slopes: list[list[Array]], cotangents: list[Array], space: Workspace) -> list[Array]:
    """For each coordinate the sum over channels of slope times cotangent."""
    form = cotangents[0].shape, cotangents[0].dtype
    totals: list[Array] = []
    for of_channel, cotangent in zip(slopes, cotangents):
        terms = [np.multiply(slope, cotangent, out=space.empty(*form)) for slope in of_channel]
        totals = [np.add(a, b, out=a) for a, b in zip(totals, terms)] or terms
    return totals
