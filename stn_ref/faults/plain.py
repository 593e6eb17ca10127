"""A spatial transformer as a textbook writes it: right, and one small step a method.

Every fault in this folder is :class:`Plain` with one of its steps done wrong. It shares no code with the
operators of ``stn_ref``, to which it is tested equal.

The image is read in gather form. Along each axis a sample looks at one, two or four pixels around it
(nearest, bilinear, bicubic), its *taps*; the taps of all axes combined are its *corners*, and

    V = sum over the corners of weight * pixel,      weight = product over the axes.

A derivative for a coordinate is the same sum with the weights of that axis differentiated, and the
cotangent of the image is its transpose: what was read with a weight is added with that weight.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .taps import OFFSETS, Axes, Taps, sizes_of

Array = NDArray[Any]
Cotangents = dict[str, Any]


class Plain(Taps):
    """The textbook's spatial transformer. Arguments and answers are those of ``stn_ref.oracle.Backend``.

    ``U`` is (N, C, H, W) or (N, C, D, H, W), ``grid`` (N, H', W', 2) or (N, D', H', W', 3), normalised
    coordinates, last axis (x, y) or (x, y, z); answers have the dtype of what they belong to.

    >>> U = np.array([[[[3.0, 5.0, 9.0]]]])
    >>> grid = np.array([[[[-0.5, 0.0], [0.5, 0.0]]]])                       # x_px = 0.5 and 1.5
    >>> how = dict(mode="bilinear", padding_mode="zeros", align_corners=True)
    >>> Plain().grid_sample(U, grid, **how)
    array([[[[4., 7.]]]])
    >>> Plain().grid_sample_vjp(U, grid, np.ones((1, 1, 1, 2)), needs=["U"], **how)["U"]
    array([[[[0.5, 1. , 0.5]]]])
    """

    name: str = "plain"
    modes: tuple[str, ...] = tuple(OFFSETS)
    padding_modes: tuple[str, ...] = ("zeros", "border", "reflection")
    align_corners: tuple[bool, ...] = (True, False)
    dims: tuple[int, ...] = (2, 3)
    dtypes: tuple[str, ...] = ("float32", "float64")
    profile: str = "paper"
    deterministic: bool = True
    half_coordinates: str = "float32"
    coordinate_operations: int = 2
    snippet: str = ""
    version: str = ""

    # Pixels

    def inside(self, n: Array, size: int) -> Array:
        return np.asarray((n >= 0) & (n < size))

    def address(self, index: Sequence[Array], shape: tuple[int, ...]) -> tuple[Array, tuple[Array, ...]]:
        """Whether there is a pixel, and its place (batch, row, column), one that exists in any case."""
        sizes = sizes_of(shape)
        held = np.logical_and.reduce([self.inside(n, size) for n, size in zip(index, sizes)])
        batch = np.arange(shape[0]).reshape(-1, *[1] * len(sizes))
        safe = [np.clip(n, 0, size - 1) for n, size in zip(index, sizes)]
        return held, tuple(np.broadcast_arrays(batch, *reversed(safe)))

    def mask(self, pixels: Array, held: Array) -> Array:
        return np.where(held, pixels, 0)

    def lookup(self, U: Array, index: Sequence[Array]) -> Array:
        """The pixels at an index along x, y(, z), 0 where there is none: (N, C, H', W')."""
        held, place = self.address(index, U.shape)
        pixels = np.moveaxis(U, 1, -1)[place]
        return np.moveaxis(self.mask(pixels, held[..., None]), -1, 1)

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """Where a cotangent is gathered."""
        return np.zeros(shape, dtype)

    def add(self, total: Array, place: tuple[Array, ...], values: Array) -> None:
        """Add to (N, H, W, C) in place; several samples may meet at one pixel."""
        np.add.at(total, place, values)

    def scatter(self, U_bar: Array, index: Sequence[Array], values: Array) -> None:
        """The transpose of :meth:`lookup`."""
        held, place = self.address(index, U_bar.shape)
        where = tuple(part[held] for part in place)
        self.add(np.moveaxis(U_bar, 1, -1), where, np.moveaxis(values, 1, -1)[held])

    # The sums over all corners. ``along`` names the coordinates to differentiate for: 0 is x, 1 is y, 2 is z.

    def weigh(self, weight: Array, value: Array) -> Array:
        """A weight of 0 leaves nothing of an infinite value either."""
        return np.where(weight == 0, 0, weight * value)

    def corners(self, axes: Axes, along: tuple[int, ...]) -> Iterator[tuple[list[Array], Array]]:
        """For each corner its index along every axis, and its weight (N, 1, H', W')."""
        for taps in product(*axes):
            weight = math.prod(tap.weights[along.count(k)] for k, tap in enumerate(taps))
            yield [tap.index for tap in taps], np.expand_dims(weight, 1)

    def sample(self, U: Array, axes: Axes, *along: int) -> Array:
        """Eqs. (3)-(5), or a derivative."""
        return np.asarray(sum(self.weigh(w, self.lookup(U, index)) for index, w in self.corners(axes, along)))

    def splat(self, V: Array, shape: tuple[int, ...], axes: Axes, *along: int) -> Array:
        """Eq. (6), the transpose of :meth:`sample`."""
        U_bar = self.zeros(shape, V.dtype)
        for index, weight in self.corners(axes, along):
            self.scatter(U_bar, index, self.weigh(weight, V))
        return U_bar

    def over_channels(self, products: Array) -> Array:
        """Every channel is sampled at the same place, so that the coordinate hears from all of them."""
        return np.asarray(products.sum(axis=1))

    def slopes(self, U: Array, V_bar: Array, axes: Axes) -> list[Array]:
        """Eq. (7) against V_bar: the cotangents of the pixel coordinates x, y(, z)."""
        derivatives = [self.sample(U, axes, k) for k in range(len(axes))]
        return [self.over_channels(self.weigh(V_bar, derivative)) for derivative in derivatives]

    def tangent(self, U: Array, U_dot: Array, moves: Sequence[Array], axes: Axes, *along: int) -> Array:
        """How a sample, or a derivative of it, changes with the pixels and with where it is taken."""
        changes = [move * self.sample(U, axes, *along, k) for k, move in enumerate(moves)]
        return np.asarray(self.sample(U_dot, axes, *along) + sum(changes))

    # The answers

    @np.errstate(over="ignore", invalid="ignore")
    def grid_sample(
        self, U: Array, grid: Array, *, mode: str, padding_mode: str, align_corners: bool
    ) -> Array:
        """V, (N, C, H', W')."""
        how = self.settings(mode, padding_mode, align_corners)
        axes = self.axes(U.shape, self.read(grid), how)
        return self.sample(self.read(U), axes).astype(U.dtype)

    @np.errstate(over="ignore", invalid="ignore")
    def grid_sample_vjp(
        self,
        U: Array,
        grid: Array,
        V_bar: Array,
        *,
        needs: Sequence[str],
        mode: str,
        padding_mode: str,
        align_corners: bool,
    ) -> Cotangents:
        """The cotangents of "U" and "grid", those in ``needs``."""
        how = self.settings(mode, padding_mode, align_corners)
        axes = self.axes(U.shape, self.read(grid), how)
        cotangents: Cotangents = {}
        if "U" in needs:
            cotangents["U"] = self.splat(self.read(V_bar), U.shape, axes).astype(U.dtype)
        if "grid" in needs:
            slopes = self.slopes(self.read(U), self.read(V_bar), axes)
            cotangents["grid"] = self.normalised(slopes, U.shape, how).astype(grid.dtype)
        return cotangents

    @np.errstate(over="ignore", invalid="ignore")
    def grid_sample_jvp(
        self,
        U: Array,
        grid: Array,
        U_dot: Array,
        grid_dot: Array,
        *,
        mode: str,
        padding_mode: str,
        align_corners: bool,
    ) -> Array:
        """The tangent of V for the tangents of both arguments."""
        how = self.settings(mode, padding_mode, align_corners)
        axes = self.axes(U.shape, self.read(grid), how)
        moves = self.moves(self.read(grid_dot), U.shape, how)
        return self.tangent(self.read(U), self.read(U_dot), moves, axes).astype(U.dtype)

    @np.errstate(over="ignore", invalid="ignore")
    def grid_sample_vjp_vjp(
        self,
        U: Array,
        grid: Array,
        V_bar: Array,
        U_bar_bar: Array,
        grid_bar_bar: Array,
        *,
        needs: Sequence[str],
        mode: str,
        padding_mode: str,
        align_corners: bool,
    ) -> Cotangents:
        """Cotangents of "U", "grid" and "V_bar" for those of the two answers of :meth:`grid_sample_vjp`."""
        how = self.settings(mode, padding_mode, align_corners)
        axes = self.axes(U.shape, self.read(grid), how)
        moves = self.moves(self.read(grid_bar_bar), U.shape, how)
        image, image_dot, weight = self.read(U), self.read(U_bar_bar), self.read(V_bar)
        cotangents: Cotangents = {}
        if "U" in needs:
            parts = [self.splat(weight * move, U.shape, axes, k) for k, move in enumerate(moves)]
            cotangents["U"] = np.asarray(sum(parts)).astype(U.dtype)
        if "grid" in needs:
            changes = [self.tangent(image, image_dot, moves, axes, k) for k in range(len(axes))]
            slopes = [self.over_channels(weight * change) for change in changes]
            cotangents["grid"] = self.normalised(slopes, U.shape, how).astype(grid.dtype)
        if "V_bar" in needs:
            cotangents["V_bar"] = self.tangent(image, image_dot, moves, axes).astype(V_bar.dtype)
        return cotangents
