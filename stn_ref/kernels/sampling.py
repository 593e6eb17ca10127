"""Sampling and splatting for any separable kernel, any order of derivative, one to three dimensions.

Each coordinate is located once: which cell, how far into it. A kernel then touches a few pixels along each
axis, with one weight each; the product over the axes gives the taps of a sample, and eq. (3) is a sum
over taps of weight times pixel. The image gets one more row and column of zeros, to which every tap
outside it points.

A sample has d coordinates, in the order x, y(, z). If its kernel has a width, it has d more numbers: its
width along x, y(, z). A derivative is named by as many orders, one for each of these numbers.

``kernel`` is anything with ``taps``, ``centred`` and ``weights`` as :class:`stn_ref.Kernel` has them.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from operator import mul
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..pixels import on_lattice, padded_index

Array = NDArray[Any]
BLOCK = 2**15  # samples whose intermediate arrays fit into the cache
FAR = 1e6  # coordinates below this need no care about integers too large for an index
Orders = tuple[int, ...]  # one a coordinate, x first; then one a width, if the kernel has them


@dataclass(frozen=True)
class Setup:
    """What stays the same for all derivatives of a sampler: its kernel and its conventions.

    ``kernel`` is a :class:`stn_ref.Kernel`; the others are as for :func:`stn_ref.grid_sample`.

    >>> from stn_ref import BILINEAR
    >>> Setup(BILINEAR, padding_mode="zeros", align_corners=True, kink="right").padding_mode
    'zeros'
    """

    kernel: Any
    padding_mode: str
    align_corners: bool
    kink: str


@dataclass
class Axis:
    """Where the samples lie along one axis: cell (an integer), fraction of it, which have no meaning.

    A cell lies between two pixels, or around one if the kernel is centred; the fraction is counted from the
    pixel, and is at the cell's far end if the sample is read from the left.
    """

    size: int
    side: str
    cell: Array
    fraction: Array
    undefined: Array | None
    width: Array | None

    def taps(self, kernel: Any) -> range:
        """The pixels to look at, counted from the cell."""
        if self.width is None:
            found: range = kernel.taps()
        else:
            found = kernel.taps(float(self.width.max(initial=0)))
        return found


def locate(x: Array, width: Array | None, size: int, setup: Setup, side: str) -> Axis:
    """Cell and fraction of coordinates of any magnitude, NaN and infinity included."""
    ordinary = not x.size or (x.min() > -FAR and x.max() < FAR)  # False for NaN
    undefined = None
    if not ordinary:
        undefined = np.isnan(x) if setup.padding_mode != "reflection" else ~np.isfinite(x)
        x = np.where(undefined, 0, x)
    if width is not None and not np.isfinite(width).all():
        undefined = ~np.isfinite(width) | (False if undefined is None else undefined)
        width = np.where(undefined, 1, width)
    cell = np.floor(x)
    with np.errstate(invalid="ignore"):
        fraction = x - cell
    if not ordinary:
        fraction[~np.isfinite(fraction)] = 0  # infinity - infinity
    start = 0.0
    if setup.kernel.centred:
        start, nearer = -0.5, fraction >= 0.5  # floor(x + 0.5), without rounding the sum
        cell += nearer
        fraction -= nearer
    axis = Axis(size, side, cell, fraction, undefined, width)
    if ordinary:
        axis.cell = cell.astype(np.intp)
    else:
        reach = len(axis.taps(setup.kernel))
        axis.cell = on_lattice(cell, size, setup.padding_mode, setup.align_corners, reach)
    if side == "left":  # after the step to integers: from a huge float 1 cannot be taken away
        at_start = fraction == start
        axis.cell = axis.cell - at_start  # the cell that ends here, at its far end
        axis.fraction = fraction + at_start
    return axis


def sides(setup: Setup, orders: Orders, d: int) -> list[tuple[str, ...]]:
    """For each axis the side from which a kink is read; several readings are averaged (``mid``)."""
    if not any(orders):
        return [("right",) * d]
    read = {"left": ("left",), "mid": ("right", "left")}.get(setup.kink, ("right",))
    return list(product(read, repeat=d))


def taps(axes: Sequence[Axis], setup: Setup, family: Sequence[Orders]) -> Iterator[tuple[Array, list[Array]]]:
    """For each tap its flat index into the image with the extra zeros, and its weight for each of a family
    of orders; shapes (N, P)."""
    along = []
    own = [tuple(orders[k :: len(axes)] for orders in family) for k in range(len(axes))]
    for axis, family_here in zip(axes, own):
        within = axis.taps(setup.kernel)
        tables = {orders: tap_weights(axis, setup, orders, within) for orders in set(family_here)}
        pairs = []
        for tap, offset in enumerate(within):
            here = {orders: table[tap] for orders, table in tables.items()}
            if any(weight.any() for weight in here.values()):
                index = padded_index(axis.cell + offset, axis.size, setup.padding_mode, setup.align_corners)
                if axis.undefined is not None:
                    index[axis.undefined] = axis.size
                pairs.append((index, here))
        along.append(pairs)
    slow_to_fast = list(reversed(axes))  # z, y, x, as in memory
    for chosen in product(*reversed(along)):
        flat = chosen[0][0]
        for (index, _), axis in zip(chosen[1:], slow_to_fast[1:]):
            flat = flat * (axis.size + 1) + index
        factors = zip(*([table[o] for o in orders] for (_, table), orders in zip(chosen, reversed(own))))
        yield flat, [reduce(mul, factor) for factor in factors]


def tap_weights(axis: Axis, setup: Setup, orders: Orders, within: range) -> list[Array]:
    """For each tap the kernel's derivative of these orders, (for x,) or (for x, for the width)."""
    kink = setup.kink if setup.kink == "paper" else axis.side
    order, width_order = orders if axis.width is not None else (*orders, 0)
    table: list[Array] = setup.kernel.weights(
        axis.fraction, order, kink, width=axis.width, width_order=width_order, taps=within
    )
    return table


def with_zeros(U: Array) -> Array:
    """U (N, C, *S) as (C, N * L), channel first, with one more index of zeros along each axis."""
    shape = (U.shape[1], U.shape[0], *(size + 1 for size in U.shape[2:]))
    padded = np.zeros(shape, U.dtype)
    padded[without_zeros(U.shape[2:])] = np.moveaxis(U, 1, 0)
    return padded.reshape(shape[0], math.prod(shape[1:]))


def without_zeros(sizes: tuple[int, ...]) -> tuple[Any, ...]:
    """The key of the image itself in an array with the extra zeros."""
    return (Ellipsis, *(slice(0, size) for size in sizes))


def weigh(weight: Array, value: Array, finite: bool) -> Array:
    """weight * value, where a weight of 0 gives 0 even for an infinite value."""
    if finite:
        return np.asarray(weight * value)
    with np.errstate(invalid="ignore"):
        return np.where(weight == 0, value.dtype.type(0), weight * value)


def is_finite(x: Array) -> bool:
    """Whether all of x is finite (an overflowing sum of finite numbers only costs time)."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(x.sum()))


class Samples:
    """The samples of a batch of grids: located once, shared by sampling, splatting and slopes.

    The batch is cut into blocks whose intermediate arrays stay in the cache.

    Parameters
    ----------
    points : (N, ..., d) or (N, ..., 2 d)
        Pixel coordinates, x first; then widths, in pixels too, if the kernel has them.
    sizes : (W, H) or (W, H, D)
        Of the image, in the order of the coordinates.
    """

    def __init__(self, points: Array, sizes: tuple[int, ...], setup: Setup) -> None:
        count = max(1, BLOCK // max(1, math.prod(points.shape[1:-1])))
        self.blocks = [
            (slice(n, n + count), Block(points[n : n + count], sizes, setup))
            for n in range(0, max(1, len(points)), count)
        ]

    def sample(self, U: Array, orders: Orders) -> Array:
        """sum over n, m of U_nm K^(a)(x - m) K^(b)(y - n), shape (N, C, ...); NaN where undefined."""
        return np.concatenate([block.sample(U[part], orders) for part, block in self.blocks])

    def splat(self, V: Array, orders: Orders) -> Array:
        """The transpose of :meth:`sample` in U: from V (N, C, ...) to (N, C, *S)."""
        return np.concatenate([block.splat(V[part], orders) for part, block in self.blocks])

    def slopes(self, U: Array, V: Array, orders: Orders) -> Array:
        """For each sample and coordinate, the sum over channels of V times the sample's derivative.

        The shape of the points; NaN where undefined.
        """
        return np.concatenate([block.slopes(U[part], V[part], orders) for part, block in self.blocks])


class Block:
    """The samples of a few images, see :class:`Samples`."""

    def __init__(self, points: Array, sizes: tuple[int, ...], setup: Setup) -> None:
        self.points, self.sizes, self.setup = points, sizes, setup
        self.shape = points.shape[:-1]
        self._located: dict[tuple[int, str], Axis] = {}

    def _axes(self, chosen: tuple[str, ...]) -> list[Axis]:
        for k, side in enumerate(chosen):
            if (k, side) not in self._located:
                width = self._column(len(self.sizes) + k) if self.widened else None
                self._located[k, side] = locate(self._column(k), width, self.sizes[k], self.setup, side)
        return [self._located[k, side] for k, side in enumerate(chosen)]

    @property
    def widened(self) -> bool:
        """Whether each sample has widths of its own."""
        return bool(self.points.shape[-1] > len(self.sizes))

    def _column(self, k: int) -> Array:
        return np.ascontiguousarray(self.points[..., k]).reshape(self.shape[0], math.prod(self.shape[1:]))

    def _taps(self, *family: Orders) -> Iterator[tuple[Array, list[Array]]]:
        """Flat indices over the whole batch, and weights for each of the orders; shapes (N * P,)."""
        image = math.prod(size + 1 for size in self.sizes)
        starts = np.arange(self.shape[0])[:, None] * image
        readings = sides(self.setup, family[0], len(self.sizes))
        for chosen in readings:
            for flat, weights in taps(self._axes(chosen), self.setup, family):
                shares = weights if len(readings) == 1 else [weight / len(readings) for weight in weights]
                yield (flat + starts).reshape(-1), [share.reshape(-1) for share in shares]

    def undefined(self) -> Array:
        """Which samples have a coordinate without a meaning, shape (N * P,)."""
        axes = self._axes(("right",) * len(self.sizes))
        lost = np.zeros(self.shape, bool).reshape(-1)
        for axis in axes:
            if axis.undefined is not None:
                lost |= axis.undefined.reshape(-1)
        return lost

    def sample(self, U: Array, orders: Orders) -> Array:
        channels, finite = U.shape[1], is_finite(U)
        padded = with_zeros(U)
        V: Array | None = None
        for flat, [weight] in self._taps(orders):
            term = weigh(weight, padded.take(flat, axis=1), finite)
            V = term if V is None else np.add(V, term, out=V)
        if V is None:
            V = np.zeros((channels, math.prod(self.shape)), np.result_type(U, self.points))
        lost = self.undefined()
        if lost.any():
            V[:, lost] = np.nan
        return np.moveaxis(V.reshape(channels, *self.shape), 0, 1)

    def splat(self, V: Array, orders: Orders) -> Array:
        n, channels = V.shape[:2]
        rows = np.moveaxis(V, 1, 0).reshape(channels, math.prod(self.shape))
        finite = is_finite(V)
        padded_sizes = tuple(size + 1 for size in reversed(self.sizes))
        length = n * math.prod(padded_sizes)
        U = np.zeros((channels, length))
        for flat, [weight] in self._taps(orders):
            for c in range(channels):
                U[c] += np.bincount(flat, weigh(weight, rows[c], finite), length)
        U = U.reshape(channels, n, *padded_sizes)[without_zeros(tuple(reversed(self.sizes)))]
        result: Array = np.moveaxis(U, 0, 1).astype(np.result_type(V, self.points))
        return result

    def slopes(self, U: Array, V: Array, orders: Orders) -> Array:
        d, channels = self.points.shape[-1], U.shape[1]
        padded = with_zeros(U)
        rows = np.moveaxis(V, 1, 0).reshape(channels, math.prod(self.shape))
        finite = is_finite(U) and is_finite(V)
        S = np.zeros((d, math.prod(self.shape)), np.result_type(U, V, self.points))
        raised = [tuple(order + (k == axis) for axis, order in enumerate(orders)) for k in range(d)]
        for flat, weights in self._taps(*raised):
            pixels = padded.take(flat, axis=1)
            if finite:
                against_V = np.einsum("cp,cp->p", rows, pixels)
                for k, weight in enumerate(weights):
                    S[k] += weight * against_V
            else:
                for k, weight in enumerate(weights):
                    S[k] += weigh(weight * rows, pixels, finite).sum(axis=0)
        S[:, self.undefined()] = np.nan
        return np.moveaxis(S.reshape(d, *self.shape), 0, -1)
