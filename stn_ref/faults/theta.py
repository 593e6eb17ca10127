"""Faults between theta and the grid, eq. (1)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .plain import Plain
from .registry import fault

Array = NDArray[Any]


@fault(
    "missing-ones-column",
    "The target points are (x_t, y_t, 0) and not (x_t, y_t, 1): theta's last column, the shift, has no "
    "effect and gets no cotangent.",
)
class MissingOnesColumn(Plain):
    def base_grid(self, size: tuple[int, ...], align_corners: bool) -> Array:
        return super().base_grid(size, align_corners) * [*(1 for _ in size[2:]), 0]


@fault(
    "base-grid-yx",
    "The target points are (y_t, x_t, 1): meshgrid was asked with the other indexing, and the identity "
    "mirrors the picture about its diagonal.",
)
class BaseGridYX(Plain):
    def base_grid(self, size: tuple[int, ...], align_corners: bool) -> Array:
        *coordinates, ones = super().base_grid(size, align_corners).T
        return np.stack([*reversed(coordinates), ones], axis=-1)


def transposed(theta: Array) -> Array:
    """theta with its square part transposed.

    >>> transposed(np.array([[[1, 2, 3], [4, 5, 6]]]))[0].tolist()
    [[1, 4, 3], [2, 5, 6]]
    """
    return np.concatenate([theta[..., :-1].swapaxes(1, 2), theta[..., -1:]], axis=-1)


@fault(
    "theta-transposed",
    "The points are multiplied by theta from the wrong side: turns go the other way round, scales and "
    "shifts do not tell.",
)
class ThetaTransposed(Plain):
    def apply(self, theta: Array, base: Array) -> Array:
        return super().apply(transposed(theta), base)

    def gather(self, grid_bar: Array, base: Array) -> Array:
        return transposed(super().gather(grid_bar, base))


@fault(
    "inverse-transform",
    "theta is applied from source to target. The sampler asks the other way round, where each target pixel "
    "comes from, so that what should be enlarged is made smaller.",
)
class InverseTransform(Plain):
    def apply(self, theta: Array, base: Array) -> Array:
        inverse = np.linalg.pinv(theta[..., :-1])
        return super().apply(np.concatenate([inverse, -inverse @ theta[..., -1:]], axis=-1), base)


@fault(
    "rows-shared-over-batch",
    "All images of a batch are sampled with the theta of the first one.",
)
class RowsSharedOverBatch(Plain):
    def apply(self, theta: Array, base: Array) -> Array:
        return super().apply(np.broadcast_to(theta[:1], theta.shape), base)


@fault(
    "missing-sum",
    "theta's cotangent comes from the last point alone. All points were made with it, so that their "
    "cotangents must be added.",
)
class MissingSum(Plain):
    def gather(self, grid_bar: Array, base: Array) -> Array:
        return super().gather(grid_bar[:, -1:], base[-1:])


@fault(
    "mean-for-sum",
    "theta's cotangent is the mean over all points where it should be their sum: it shrinks as the output "
    "grows.",
)
class MeanForSum(Plain):
    def gather(self, grid_bar: Array, base: Array) -> Array:
        return super().gather(grid_bar, base) / max(len(base), 1)
