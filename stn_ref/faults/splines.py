"""Faults in the thin plate spline; two of them turn out to be none."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .plain import Plain
from .registry import fault

Array = NDArray[Any]

A_CONSTANT_IS_ABSORBED = (
    "phi is {factor} times the right one, throughout. Let c be that factor. The spline's numbers w and a "
    "solve K w + P a = y, P^T w = 0, where K holds phi between the control points and P the rows (1, c_i). "
    "With c K in place of K the pair (w / c, a) solves the new system, since (c K)(w / c) + P a = y and P^T "
    "w / c = 0, and it is the only solution, since the system is regular for control points that are not on "
    "one line. The spline is then a (1, x) + sum of (w_i / c) (c phi): the factor cancels, for every x."
)


@fault(
    "tps-log-zero",
    "r^2 log r is 0 at r = 0, but a computer makes 0 * -infinity of it, which is NaN. Each control point is "
    "at the distance 0 from itself, so that all is NaN.",
)
class TpsLogZero(Plain):
    def phi(self, q: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return q * np.log(q) / 2


@fault(
    "tps-r-for-r2",
    "phi is r log r and not r^2 log r: the surface has a cusp at every control point.",
)
class TpsRForR2(Plain):
    def phi(self, q: Array) -> Array:
        r = np.sqrt(q)
        return np.where(q == 0, 0, r * np.log(np.where(q == 0, 1, r)))


@fault(
    "tps-log10",
    "phi is made with the logarithm to base 10 where it should be the natural one.",
    equivalent=A_CONSTANT_IS_ABSORBED.format(factor="1 / log 10"),
)
class TpsLog10(Plain):
    def phi(self, q: Array) -> Array:
        return np.asarray(super().phi(q) / np.log(10))


@fault(
    "tps-log10-in-system-only",
    "The system is solved with the logarithm to base 10, and the spline evaluated with the natural one: the "
    "control points do not come where they should.",
)
class TpsLog10InSystemOnly(Plain):
    def bending(self, control: Array) -> Array:
        return np.asarray(super().bending(control) / np.log(10))


@fault(
    "tps-missing-half",
    "phi is made from r^2 without the 1/2 of r^2 log r = (1/2) r^2 log r^2.",
    equivalent=A_CONSTANT_IS_ABSORBED.format(factor="2"),
)
class TpsMissingHalf(Plain):
    def phi(self, q: Array) -> Array:
        return 2 * super().phi(q)


@fault(
    "tps-missing-half-at-targets",
    "The 1/2 of r^2 log r = (1/2) r^2 log r^2 stands in the system that is solved, and is missing where the "
    "spline is evaluated: it bends twice as much as it should.",
)
class TpsMissingHalfAtTargets(Plain):
    def influence(self, targets: Array, control: Array) -> Array:
        return 2 * super().influence(targets, control)
