"""Where the samples of a batch lie, handed out in parts that fit into the cache.

Either every sample's coordinates are given (:class:`Points`), or theta is, and eq. (1) is worked out for each
part anew (:class:`AffineMap`): that costs less than keeping the coordinates in memory. The derivatives of
the samples are collected in the same way: as they are, or added up to the cotangent of theta.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..pixels import centred_indices
from .workspace import Workspace, workspace

Array = NDArray[Any]
NOWHERE = slice(0, 0)  # the key of no sample
SMALL = 2**14  # pixels of an output whose indices are remembered


@dataclass(frozen=True)
class Part:
    """Some rows of some images of the output; several images only with all of their rows."""

    images: slice
    rows: slice

    @property
    def key(self) -> tuple[slice, slice]:
        """Selects the part from an array (N, rows, ...)."""
        return self.images, self.rows


class Places:
    """What both ways of saying it have in common.

    Parameters
    ----------
    shape : (N, H', W') or (N, D', H', W')
        One place for each output pixel.
    sizes : (W, H) or (W, H, D)
        Of the image, in the order of the coordinates.
    """

    def __init__(self, shape: tuple[int, ...], sizes: tuple[int, ...], dtype: Any) -> None:
        self.shape, self.sizes, self.dtype = shape, sizes, np.dtype(dtype)
        self.numbers = len(sizes)  # that belong to a sample
        self.diagonal = False

    def parts(self, limit: int) -> Iterator[Part]:
        """All samples, about ``limit`` at a time: several images, or one, or rows of one."""
        n, rows, *rest = self.shape
        row = max(1, math.prod(rest))
        if rows * row <= limit:
            step = even(n, max(1, limit // max(1, rows * row)))
            for i in range(0, n, step):
                yield Part(slice(i, min(n, i + step)), slice(0, rows))
            return
        step = even(rows, max(1, limit // row))
        for i in range(n):
            for j in range(0, rows, step):
                yield Part(slice(i, i + 1), slice(j, min(rows, j + step)))

    def coordinates(self, part: Part, space: Workspace) -> list[Array]:
        """x, y(, z) in pixels, each (images, samples of one image), in the workspace."""
        raise NotImplementedError

    def points(self) -> Array:
        """All coordinates, (*shape, d)."""
        raise NotImplementedError

    def nothing(self) -> Array:
        """The cotangent to which :meth:`collect` adds."""
        raise NotImplementedError

    def collect(self, total: Array, part: Part, slopes: list[Array]) -> None:
        """Add for each coordinate the slopes (images, samples) of a part to the cotangent of the places."""
        raise NotImplementedError

    def collect_all(self, slopes: Array) -> Array:
        """The cotangent of the places from slopes (*shape, d) of all samples."""
        raise NotImplementedError


class Points(Places):
    """Given one by one: (N, ..., d) in pixels of the source, or (N, ..., 2 d) with widths of the kernel."""

    def __init__(self, points: Array, sizes: tuple[int, ...]) -> None:
        super().__init__(points.shape[:-1], sizes, points.dtype)
        self.given, self.numbers = points, points.shape[-1]

    def coordinates(self, part: Part, space: Workspace) -> list[Array]:
        these = self.given[part.key]
        flat = these.reshape(len(these), math.prod(these.shape[1:-1]), these.shape[-1])
        columns = []
        for k in range(len(self.sizes)):
            columns.append(space.empty(flat.shape[:-1], self.dtype))
            columns[-1][...] = flat[..., k]
        return columns

    def points(self) -> Array:
        return self.given

    def nothing(self) -> Array:
        return np.empty_like(self.given, order="C")

    def collect(self, total: Array, part: Part, slopes: list[Array]) -> None:
        there = total[part.key]
        for k, slope in enumerate(slopes):
            there[..., k] = slope.reshape(there.shape[:-1])

    def collect_all(self, slopes: Array) -> Array:
        return slopes


class AffineMap(Places):
    """Eq. (1) in pixels: theta (N, d, d + 1) times the pixel indices of the output, counted from its centre.

    ``diagonal`` says that theta only scales and shifts, whatever its numbers.

    >>> identity = np.array([[[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]])       # 1, 0: the centre of the source
    >>> AffineMap(identity, (1, 3), sizes=(3, 1)).points()[0, 0]
    array([[0., 0.],
           [1., 0.],
           [2., 0.]])
    """

    def __init__(
        self, theta: Array, size: tuple[int, ...], sizes: tuple[int, ...], diagonal: bool = False
    ) -> None:
        super().__init__((len(theta), *size), sizes, theta.dtype)
        self.diagonal = diagonal
        self.theta = np.ascontiguousarray(theta)  # in another memory order the last bits may differ
        self._rows, self._base = slice(0, 0), np.empty((len(sizes) + 1, 0), self.dtype)

    def base(self, rows: slice) -> Array:
        """The indices of those rows and a row of ones: (d + 1, samples), x first. The last is remembered."""
        if rows != self._rows:
            self._rows, self._base = rows, _base(self.shape[1:], rows.start, rows.stop, self.dtype)
        return self._base

    def coordinates(self, part: Part, space: Workspace) -> list[Array]:
        base, theta = self.base(part.rows), self.theta[part.images]
        shape = (len(theta), base.shape[1])
        return [
            np.matmul(theta[:, k], base, out=space.empty(shape, self.dtype)) for k in range(len(self.sizes))
        ]

    def points(self) -> Array:
        with workspace() as space:
            columns = self.coordinates(Part(slice(0, self.shape[0]), slice(0, self.shape[1])), space)
            return np.stack(columns, axis=-1).reshape(*self.shape, len(self.sizes))

    def nothing(self) -> Array:
        return np.zeros_like(self.theta)

    def collect(self, total: Array, part: Part, slopes: list[Array]) -> None:
        base = self.base(part.rows).T
        for k, slope in enumerate(slopes):
            total[part.images, k] += slope @ base

    def collect_all(self, slopes: Array) -> Array:
        n, d = self.shape[0], len(self.sizes)
        per_image = np.moveaxis(slopes.reshape(n, math.prod(self.shape[1:]), d), -1, 1)
        total: Array = per_image @ self.base(slice(0, self.shape[1])).T
        return total


def _base(size: tuple[int, ...], start: int, stop: int, dtype: "np.dtype[Any]") -> Array:
    """Of an output of that size, see :meth:`AffineMap.base`; small ones are remembered."""
    return (_small_base if math.prod(size) <= SMALL else _new_base)(size, start, stop, dtype)


def _new_base(size: tuple[int, ...], start: int, stop: int, dtype: "np.dtype[Any]") -> Array:
    axes = [centred_indices(n, dtype) for n in size]
    axes[0] = axes[0][start:stop]
    base = np.ones((len(size) + 1, *map(len, axes)), dtype)
    for k, axis in enumerate(axes):
        base[-2 - k] = axis.reshape(-1, *[1] * (len(axes) - 1 - k))
    base = base.reshape(len(base), -1)
    base.flags.writeable = False
    return base


_small_base = lru_cache(maxsize=16)(_new_base)


def even(count: int, most: int) -> int:
    """The step with which ``count`` falls into the fewest parts of at most ``most``, of about equal size.

    >>> even(64, 41), even(5, 8)
    (32, 5)
    """
    parts = max(1, -(-count // most))
    return max(1, -(-count // parts))


def tamed(x: Array, before: Any) -> Any:
    """Set NaN to 0 and infinity to a finite number, in place.

    Returns the key of the samples with NaN here and of those ``before``.
    """
    flat = x.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(np.dot(flat, flat)):  # then every number in it is
            return before
    undefined = np.isnan(x)
    x[undefined] = 0
    largest = np.finfo(x.dtype).max
    x.clip(-largest, largest, out=x)
    if before is not NOWHERE:
        undefined |= before
    return undefined
