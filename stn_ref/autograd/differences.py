"""Finite differences that know their own error, and that notice kinks.

Five values on a line, f(-2h) ... f(2h), say everything:

* the central difference (8 (f1 - f-1) - (f2 - f-2)) / 12h is exact for polynomials up to degree 4, so for a
  sampler inside a cell only rounding is left;
* their fourth difference f-2 - 4 f-1 + 6 f0 - 4 f1 + f2 would vanish for a cubic, so what is left of it is
  rounding noise or curvature: it bounds the error of the central difference without any tuned number;
* one-sided slopes that disagree reveal a kink on the point or within a step of it. There the
  derivative is a set, everything between the slopes on both sides (Clarke's generalised derivative), and
  the difference is reported as an interval.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
STENCIL = (-2.0, -1.0, 1.0, 2.0)
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


def slopes(f0: Array, stencil: Array, h: Any, eps: float = EPS) -> Slopes:
    """Derivatives from values at -2h, -h, h, 2h (first axis of ``stencil``) and ``f0`` at 0.

    >>> t = np.array(STENCIL) * 0.25
    >>> bend = slopes(np.array([0.0]), np.abs(t)[:, None], 0.25)         # |t| at its kink
    >>> bend.low, bend.high, bend.kinked
    (array([-1.]), array([1.]), array([ True]))
    """
    l2, l1, r1, r2 = stencil
    central = (8 * (r1 - l1) - (r2 - l2)) / (12 * h)
    right = (4 * r1 - 3 * f0 - r2) / (2 * h)
    left = (3 * f0 - 4 * l1 + l2) / (2 * h)
    largest = np.maximum(np.abs(f0), np.abs(stencil).max(0))
    rounding = 4 * eps * largest / h
    wobble = np.abs(l2 - 4 * l1 + 6 * f0 - 4 * r1 + r2) / h
    noise = 32 * np.max(rounding, axis=-1, keepdims=True, initial=0)  # of the largest output
    kinked = np.abs(right - left) > 1e-3 * (np.abs(right) + np.abs(left)) + noise
    sides = np.stack([(r1 - f0) / h, (r2 - r1) / h, (f0 - l1) / h, (l1 - l2) / h, right, left])
    return Slopes(
        low=np.where(kinked, sides.min(0), central),
        high=np.where(kinked, sides.max(0), central),
        error=np.where(kinked, noise, rounding + wobble),
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
