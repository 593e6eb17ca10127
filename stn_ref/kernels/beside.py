"""The two pixels beside a sample along one axis, for the bilinear kernel."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Pair = tuple[Array, Array]


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


def beside(x: Array, size: int, zeros: bool) -> Axis:
    """For coordinates of any magnitude, not NaN, on an axis of ``size`` pixels that ends in zeros or goes on
    as its edge pixels. Pixels that are not there have the weight 0.

    >>> axis = beside(np.array([1.25, -0.5]), 3, zeros=True)
    >>> axis.index, axis.weight
    ((array([1, 0], dtype=int32), array([2, 0], dtype=int32)), (array([0.75, 0.  ]), array([0.25, 0.5 ])))
    """
    cell = np.floor(x)
    f = x - cell
    first = cell.clip(-2, size + 1).astype(np.int32)
    index, weight, slope = (first, first + 1), (1 - f, f), (np.full_like(f, -1), np.ones_like(f))
    for i, w, s in zip(index, weight, slope):
        if zeros:
            inside = i.view(np.uint32) < size  # below 0 is huge, unsigned
            w *= inside
            s *= inside
        np.clip(i, 0, size - 1, out=i)
    return Axis(index, weight, slope)
