"""Finite differences that know their own error, and that notice kinks.

Seven values on a line, f(-2h), f(-h), f(-h/2), f(0), ..., f(2h), say everything:

* the central difference (8 (f1 - f-1) - (f2 - f-2)) / 12h is exact for polynomials up to degree 4, so for a
  sampler inside a cell only rounding is left;
* the fourth difference f-2 - 4 f-1 + 6 f0 - 4 f1 + f2 would vanish for a cubic, so what is left of it is
  rounding noise, curvature or a kink; together with the same at half the step, and the change of the
  central difference between the two, it bounds the error without a tuned number. (One step is not
  enough: a kink at 2h/3 leaves its fourth difference at 0.)
* where this is large, a kink lies on the point or within a step of it. There the derivative is a set,
  everything between the slopes on both sides (Clarke's generalised derivative), and the difference is
  reported as an interval.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
STENCIL = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Slopes:
    """Derivatives along a line, for any number of outputs: enclosures, errors, and where kinks were seen."""

    low: Array
    high: Array
    error: Array
    kinked: Array

    def contract(self, v: Array) -> tuple[Array, Array, Array, Array]:
        """Low, high, error and magnitude of the sum over the last axis of v times the slopes."""
        low = np.minimum(v * self.low, v * self.high).sum(-1)
        high = np.maximum(v * self.low, v * self.high).sum(-1)
        size = np.abs(v) * np.maximum(np.abs(self.low), np.abs(self.high))
        return low, high, (np.abs(v) * self.error).sum(-1), size.sum(-1)


def step(scale: Array | float, dtype: Any = np.float64) -> Any:
    """The step at which rounding (eps / h) and truncation (h^4) of the central difference balance.

    >>> float(np.round(step(1.0), 5)), float(np.round(step(1.0, np.float32), 2))
    (0.00074, 0.04)
    """
    return float(np.finfo(dtype).eps) ** 0.2 * np.maximum(1.0, np.abs(scale))


def _five_points(l2: Array, l1: Array, f0: Array, r1: Array, r2: Array, h: Any) -> tuple[Array, Array]:
    """The central difference from five equidistant values, and their fourth difference as a slope."""
    central = (8 * (r1 - l1) - (r2 - l2)) / (12 * h)
    return central, np.abs(l2 - 4 * l1 + 6 * f0 - 4 * r1 + r2) / h


def slopes(f0: Array, stencil: Array, h: Any, eps: float = EPS) -> Slopes:
    """Derivatives from values at h times ``STENCIL`` (first axis) and ``f0`` at 0.

    >>> t = np.array(STENCIL) * 0.25
    >>> bend = slopes(np.array([0.0]), np.abs(t)[:, None], 0.25)         # |t| at its kink
    >>> bend.low, bend.high, bend.kinked
    (array([-1.]), array([1.]), array([ True]))
    """
    l2, l1, l_half, r_half, r1, r2 = stencil
    central, wobble = _five_points(l2, l1, f0, r1, r2, h)
    finer, wobble_2 = _five_points(l1, l_half, f0, r_half, r1, h / 2)
    wobble = np.maximum(np.maximum(wobble, wobble_2), np.abs(central - finer))
    # A sum of a few terms, each of the size of the largest output of the item, or of order one.
    largest = np.maximum(np.abs(f0), np.abs(stencil).max(0)).max(axis=-1, keepdims=True, initial=1)
    rounding = 16 * eps * largest / h
    sides = np.stack([(r1 - f0) / h, (r2 - r1) / h, (f0 - l1) / h, (l1 - l2) / h])
    kinked = wobble > 1e-6 * np.abs(sides).max(0) + 8 * rounding
    return Slopes(
        low=np.where(kinked, sides.min(0), central),
        high=np.where(kinked, sides.max(0), central),
        error=rounding + np.where(kinked, 0, wobble),
        kinked=kinked,
    )


def nearest_kink(g: Callable[[float], Array], reach: float) -> float | None:
    """The distance from 0 to the nearest kink of the outputs of ``g`` within ``reach``; None if none is seen.

    >>> round(nearest_kink(lambda t: np.array([abs(t - 0.3), t * t]), 1.0), 6)
    0.3
    """
    for scale in (1e-3, 1e-2, 0.1, 1.0):  # from near to far: far off there may be many
        found = _kink_within(g, reach * scale)
        if found is not None:
            return found
    return None


def _kink_within(g: Callable[[float], Array], reach: float) -> float | None:
    t = np.linspace(-reach, reach, 129)
    values = np.stack([np.ravel(g(float(s))) for s in t])
    rounding = 64 * EPS * np.abs(values).max()
    bends = np.abs(values[:-2] - 2 * values[1:-1] + values[2:])
    usual = np.median(bends, axis=0) + rounding
    seen = [(abs(t[j + 1]), j, k) for j, k in np.argwhere(bends > 16 * usual)]
    if not seen:
        return None
    _, j, k = min(seen)
    low, high = float(t[j]), float(t[j + 2])
    for _ in range(30):  # halve towards the half that bends more
        middle = (low + high) / 2
        bend = [
            abs(np.ravel(g(a))[k] - 2 * np.ravel(g((a + b) / 2))[k] + np.ravel(g(b))[k])
            for a, b in ((low, middle), (middle, high))
        ]
        if max(bend) <= rounding:
            break
        low, high = (low, middle) if bend[0] > bend[1] else (middle, high)
    return abs(low + high) / 2
