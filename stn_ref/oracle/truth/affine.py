"""Eq. (1) over the pixels of an output: the affine grid and its cotangent, exactly.

The coordinates of pixel centres are quotients of small integers, (2 i - (n - 1)) / span, so that both are a
dyadic number divided by the product of the spans.
"""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...pixels import span
from .dyadic import Dyadic
from .enclosures import Arithmetic, Enclosure
from .profiles import Profile

Array = NDArray[Any]
AFFINE_ASPECTS = ("grid", "theta_bar")
BASE = 6  # roundings on the way to the coordinate of a pixel centre, which is at most 1


class AffineAspects:
    """``affine_grid`` for an output of shape ``size``, (N, C, [D',] H', W').

    ``theta`` is (N, d, d + 1); ``grid_bar``, (N, ..., d), is needed for its cotangent only.
    """

    def __init__(
        self,
        theta: Array,
        grid_bar: Array,
        size: tuple[int, ...],
        align_corners: bool,
        profile: Profile,
        arithmetic: Arithmetic,
    ) -> None:
        self.theta, self.grid_bar = (np.asarray(array, np.float64) for array in (theta, grid_bar))
        self.size, self.arithmetic = size, arithmetic
        self.target = size[2:]
        self.d = len(self.target)
        self.divisor = 1
        numerators = []
        for n in reversed(self.target):
            across = span(n, align_corners)
            self.divisor *= max(across, 1)
            own = 2 * np.arange(n) - (n - 1) if across else np.full(n, profile.singleton)
            numerators.append((own, max(across, 1)))
        rows = [own * (self.divisor // across) for own, across in numerators]
        spread = np.meshgrid(*reversed(rows), indexing="ij")[::-1]  # x first
        ones = np.full(self.target, self.divisor)
        points = prod(self.target)
        self.base = np.stack(
            [row.reshape(points) for row in (*spread, ones)], -1
        )  # (P, d + 1), times divisor

    def shape(self, aspect: str) -> tuple[int, ...]:
        return (self.size[0], *self.target, self.d) if aspect == "grid" else self.theta.shape

    def enclosure(self, aspect: str) -> Enclosure:
        """All that an aspect may be, in the shape of the answer."""
        size = np.abs(self.base) / self.divisor
        rounded = np.array([BASE] * self.d + [0]) * self.arithmetic.unit
        if aspect == "grid":
            total = (Dyadic.of(self.theta)[:, None] * Dyadic.whole(self.base)[None, :, None]).sum(-1)
            count, weight = self.d + 3, np.abs(self.theta)[:, None]
            magnitude = (weight * size[:, None]).sum(-1)
            moved = (weight * rounded).sum(-1)
        else:
            rows = self.grid_bar.reshape(self.size[0], len(self.base), self.d)
            total = (Dyadic.of(rows)[..., None] * Dyadic.whole(self.base)[None, :, None]).sum(1)
            count, weight = len(self.base) + 3, np.abs(rows)[..., None]
            magnitude = (weight * size[:, None]).sum(1)
            moved = (weight * rounded).sum(1)
        slack = magnitude * self.arithmetic.gamma(count) + moved
        slack = slack + np.where(slack > 0, self.arithmetic.tiny, 0)
        high, low = total.pair(self.divisor)
        no = np.zeros(high.shape, bool)
        zero = np.zeros(high.shape)
        found = Enclosure(high, low, zero, zero, kinks=no, choices=high[None], slack=slack)
        return found.mapped(lambda x: x.reshape(self.shape(aspect)))
