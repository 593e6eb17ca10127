"""Finite differences that know their own error, and that notice kinks.

On each side of a point the function is looked at over a ladder of six steps, each a quarter of the one
before. The difference quotients of a side are extrapolated to step 0 (Richardson, by Neville's scheme),
and the entry of the scheme is taken whose neighbours agree with it best; their disagreement, and the
measured noise of the function over the step, are its error. So

* inside a cell, where a sampler is a polynomial, only rounding is left;
* a function that is steep, or has a kink a little way off, is resolved by the lower rungs;
* at a kink both sides come out, and they differ. The derivative is then a set, everything between them
  (Clarke's generalised derivative);
* a jump comes out with a large error, and is reported as not resolved instead of passed or failed.

Rounding weighs four times as much on each rung as on the one above. Where the two highest rungs agree to
better than rounding would let the third, as in a cell, the others are not looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
RATIO, RUNGS = 4.0, 6
LADDER = RATIO ** -np.arange(RUNGS)
STENCIL = np.concatenate([LADDER, -LADDER])  # to the right, then to the left
UPPER = np.abs(STENCIL) >= LADDER[1]  # the two highest rungs
DEGREE = 4  # of the highest extrapolation
EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Slopes:
    """Derivatives along a line: between ``low`` and ``high``, give or take ``error``; any shape."""

    low: Array
    high: Array
    error: Array

    @property
    def kinked(self) -> Array:
        """Where the slopes on both sides differ by more than their error."""
        return np.asarray(self.high - self.low > 2 * self.error)

    def contract(self, v: Array) -> tuple[Array, Array, Array, Array]:
        """Low, high, error and magnitude of the sum over the last axis of v times the slopes."""
        low = np.minimum(v * self.low, v * self.high).sum(-1)
        high = np.maximum(v * self.low, v * self.high).sum(-1)
        size = np.abs(v) * np.maximum(np.abs(self.low), np.abs(self.high))
        with np.errstate(invalid="ignore"):
            error = np.where(v == 0, 0, np.abs(v) * self.error).sum(-1)
        return low, high, error, size.sum(-1)

    def or_finer(self, other: "Slopes") -> "Slopes":
        """Elementwise the one with the smaller error; where they contradict each other, the finer one."""
        apart = np.maximum(self.low - other.high, other.low - self.high)
        first = (self.error <= other.error) & ~(apart > self.error + other.error)
        pairs = ((self.low, other.low), (self.high, other.high), (self.error, other.error))
        return Slopes(*(np.where(first, mine, theirs) for mine, theirs in pairs))

    def __getitem__(self, rows: Array) -> "Slopes":
        return Slopes(self.low[rows], self.high[rows], self.error[rows])

    def __setitem__(self, rows: Array, other: "Slopes") -> None:
        self.low[rows], self.high[rows], self.error[rows] = other.low, other.high, other.error


def first_step(size: Array | float) -> Any:
    """The top rung for a coordinate of the given size: 1/32, more only where its own rounding demands it.

    >>> float(first_step(0.5)), float(first_step(2.0**20))
    (0.03125, 32.0)
    """
    return 2.0**-5 * np.maximum(1.0, np.abs(size) / 1024)


def slopes_along(look: Callable[[Array, Array], Array], f0: Array, h: Array, noise: Array | float) -> Slopes:
    """Derivatives along lines through one point, with no more of the ladder than tells something.

    ``look(stencil, lines)`` gives the values at h times ``stencil`` (first axis) on some of the lines, by
    number (second axis).
    """
    upper = look(STENCIL[UPPER], np.arange(len(h)))
    found = slopes(f0, upper, h, noise)
    with np.errstate(invalid="ignore"):
        least = found.error <= _rounding(2, h, noise)  # what the third rung cannot better
    unclear = np.flatnonzero(~(least & np.isfinite(upper).all(axis=0)).reshape(len(h), -1).all(axis=1))
    if unclear.size:
        values = np.empty((len(STENCIL), unclear.size, *upper.shape[2:]))
        values[UPPER] = upper[:, unclear]
        values[~UPPER] = look(STENCIL[~UPPER], unclear)
        found[unclear] = slopes(f0, values, h[unclear], noise)
    return found


def _rounding(k: int, h: Any, noise: Array | float) -> Any:
    """How far a slope may be off because of rounding, on rung ``k``."""
    return 4 * noise / (LADDER[k] * h)


def slopes(f0: Array, values: Array, h: Any, noise: Array | float) -> Slopes:
    """Derivatives from ``f0`` at 0 and ``values`` at h times ``STENCIL``, or its upper part (first axis).

    ``noise`` is how far a value may be off.

    >>> t = STENCIL * 0.25
    >>> bend = slopes(np.array([0.0]), np.abs(t)[:, None], 0.25, noise=0.0)          # |t| at its kink
    >>> bend.low, bend.high, bend.kinked
    (array([-1.]), array([1.]), array([ True]))
    """
    rungs = len(values) // 2
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        right, right_error = _extrapolate(
            [(v - f0) / (s * h) for s, v in zip(LADDER, values[:rungs])], h, noise
        )
        left, left_error = _extrapolate(
            [(f0 - v) / (s * h) for s, v in zip(LADDER, values[rungs:])], h, noise
        )
        one_side = np.isinf(right_error) | np.isinf(left_error)  # beyond the function's domain, perhaps
        right, left = (
            np.where(np.isinf(right_error), left, right),
            np.where(np.isinf(left_error), right, left),
        )
        error = np.where(one_side, np.minimum(right_error, left_error), np.maximum(right_error, left_error))
        return Slopes(np.minimum(left, right), np.maximum(left, right), error)


def _extrapolate(quotients: list[Array], h: Any, noise: Array | float) -> tuple[Array, Array]:
    """Difference quotients over the ladder, extrapolated to step 0, with their error."""
    best, error = np.zeros_like(quotients[0]), np.full_like(quotients[0], np.inf)
    above = [quotients[0]]
    for k in range(1, len(quotients)):
        row = [quotients[k]]
        for j in range(1, min(k, DEGREE) + 1):
            better = row[j - 1] + (row[j - 1] - above[j - 1]) / (RATIO**j - 1)
            doubt = np.maximum(np.abs(better - row[j - 1]), np.abs(better - above[j - 1]))
            doubt = doubt + _rounding(k, h, noise)
            take = doubt < error  # False for NaN
            best, error = np.where(take, better, best), np.where(take, doubt, error)
            row.append(better)
        above = row
    return best, error


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
