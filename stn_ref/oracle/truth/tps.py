"""The thin plate spline over the pixels of an output: its grid and the cotangent of its places, enclosed.

    f(x) = a (1, x) + sum over i of w_i phi(|x - c_i|),     phi(r) = r^2 log r = q log(q) / 2 for q = r^2

sends the control points c_i to their places y_i, with w orthogonal to the rows (1, c_i). So (w, a) solves
L (w, a) = (y, 0), where L holds phi between the control points, bordered by the rows (1, c_i). L is
symmetric, so that f(x) = Z(x)^T (y, 0) with L Z(x) = b(x) = (phi(|x - c_i|), 1, x): f is linear in the
places, and takes no more than the first rows of Z, the basis. Elimination with intervals encloses them.
"""

from fractions import Fraction
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...pixels import span
from .dyadic import Dyadic
from .enclosures import Arithmetic, Enclosure
from .intervals import BITS, Interval, intervals, log, solve
from .tps_rounding import TpsRounding

Array = NDArray[Any]
Point = tuple[Fraction, Fraction]
TPS_ASPECTS = ("grid", "places_bar")


class TpsAspects:
    """``tps_grid`` for an output of shape ``size``, (N, C, H', W').

    ``places`` is (N, K, 2); ``grid_bar``, (N, H', W', 2), is needed for its cotangent only;
    ``control_points`` is (K, 2). A backend sets up and solves the system in ``solving``, or, if that is None,
    in the dtype of its answers. Where rounding may be so large that nothing can be said, any finite number is
    right. ``singleton`` is the coordinate of the pixel of an axis that has one, under ``align_corners=True``.

    Raises
    ------
    ValueError
        If there is no spline through the control points, or not one alone.

    >>> corners = np.array([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])
    >>> moved, single = corners[None] * [2, 1], Arithmetic(2.0**-24, 2.0**-126)
    >>> aspects = TpsAspects(moved, np.ones((1, 1, 2, 2)), (1, 1, 1, 2), corners, False, single)
    >>> aspects.enclosure("grid").high
    array([[[[-1.,  0.],
             [ 1.,  0.]]]])
    >>> aspects.enclosure("places_bar").high[0, 0]
    array([0.5, 0.5])
    """

    def __init__(
        self,
        places: Array,
        grid_bar: Array,
        size: tuple[int, ...],
        control_points: Array,
        align_corners: bool,
        arithmetic: Arithmetic,
        solving: Arithmetic | None = None,
        singleton: int = 0,
    ) -> None:
        given = (places, grid_bar, control_points)
        self.places, self.grid_bar, control = (np.asarray(array, np.float64) for array in given)
        self.size, self.target = size, size[2:]
        self.grid_bar = self.grid_bar.reshape(size[0], prod(self.target), 2)
        points = tuple(map(tuple, control.tolist()))
        solution = enclosed_solution(points, self.target, align_corners, singleton)
        self.basis = solution[: len(control)]
        targets = np.array(pixel_centres(self.target, align_corners, singleton), np.float64).reshape(-1, 2)
        pairs = _pairs(solution)[0]
        self.rounding = TpsRounding(control, targets, pairs, arithmetic, solving or arithmetic)

    def shape(self, aspect: str) -> tuple[int, ...]:
        return (self.size[0], *self.target, 2) if aspect == "grid" else self.places.shape

    def enclosure(self, aspect: str) -> Enclosure:
        """All that an aspect may be, in the shape of the answer."""
        if aspect == "grid":
            total = self.basis.T @ intervals(self.places)
            slack = self.rounding.of_grid(self.places)
        else:
            total = self.basis @ intervals(self.grid_bar)
            slack = self.rounding.of_places_bar(self.grid_bar)
        high, low, width = _pairs(total)
        no, vague = np.zeros(high.shape, bool), np.isinf(slack)
        slack = slack + width
        found = Enclosure(high, low, 0 * high, 0 * high, no, high[None], slack, finite=vague)
        return found.mapped(lambda x: x.reshape(self.shape(aspect)))


@lru_cache(maxsize=64)
def enclosed_solution(
    control: tuple[tuple[float, float], ...], target: tuple[int, ...], align_corners: bool, singleton: int = 0
) -> Array:
    """Z of the module's docstring for each pixel of the target: intervals, (K + 3, P).

    >>> three = ((-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0))                       # in the middle of the last two
    >>> enclosed_solution(three, (1, 1), True)[:3, 0].tolist()
    [<8.636168555094445e-78 within 2.4e-74>, <0.5 within 7.4e-75>, <0.5 within 4.8e-75>]
    """
    points = [(Fraction(x), Fraction(y)) for x, y in control]
    bending = [[phi(squared_distance(c, other)) for other in points] for c in points]
    affine = [[Interval.of(number) for number in (1, *c)] for c in points]
    system = np.full((len(points) + 3,) * 2, Interval.of(0))
    system[:-3, :-3] = bending
    system[:-3, -3:] = affine
    system[-3:, :-3] = system[:-3, -3:].T
    targets = pixel_centres(target, align_corners, singleton)
    at_targets = [
        [*(phi(squared_distance(x, c)) for c in points), *map(Interval.of, (1, *x))] for x in targets
    ]
    columns = np.array(at_targets, object).reshape(len(targets), len(system)).T
    try:
        solution = solve(system, columns)
    except ZeroDivisionError as error:
        raise ValueError(
            f"TpsAspects: no spline, or not one alone, passes through the {len(points)} control points; "
            "expected at least three, no two equal, not all on one line"
        ) from error
    solution.flags.writeable = False
    return solution


def phi(q: Fraction) -> Interval:
    """q log(q) / 2, and its limit 0 at q = 0."""
    if q == 0:
        return Interval.of(0)
    enclosed = Interval.of(q)
    return enclosed * log(enclosed) / 2


def squared_distance(a: Point, b: Point) -> Fraction:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2


def pixel_centres(target: tuple[int, ...], align_corners: bool, singleton: int = 0) -> list[Point]:
    """Normalised coordinates (x, y), exactly, row by row; ``singleton`` along an axis without a span.

    >>> pixel_centres((1, 2), False)
    [(Fraction(-1, 2), Fraction(0, 1)), (Fraction(1, 2), Fraction(0, 1))]
    """

    def centres(n: int) -> list[Fraction]:
        across = span(n, align_corners)
        return [Fraction(2 * i - (n - 1), across) for i in range(n)] if across else [Fraction(singleton)] * n

    rows, columns = map(centres, target)
    return [(x, y) for y in rows for x in columns]


def _pairs(x: Array) -> tuple[Array, Array, Array]:
    """A number of each interval, 0 if it may be, as the sum of two float64; and how far others may lie."""
    x = x + Interval.of(0)  # NumPy's sum of nothing is an integer
    numbers = np.frompyfunc(lambda i: 0 if i.low <= 0 <= i.high else (i.low + i.high) // 2, 1, 1)(x)
    widths = np.frompyfunc(lambda i: i.high - i.low, 1, 1)(x)
    high, low = Dyadic.whole(numbers).halved(BITS).pair()
    return high, low, np.ldexp(widths.astype(np.float64), -BITS) + np.abs(high) * 2.0**-104
