"""Intervals hold what they should, no matter what is worked out with them, and hold little else."""

import operator
from decimal import Decimal, localcontext
from fractions import Fraction as F
from math import floor

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stn_ref.equations import eq1_affine, eq3_sample, eq5_bilinear, half_up
from stn_ref.oracle.truth.intervals import (
    BITS,
    ONE,
    PI,
    Interval,
    Undecided,
    cos,
    intervals,
    largest,
    log,
    sin,
    solve,
    sqrt,
)

LAST = F(1, ONE)  # one unit of the last place
NUMBERS = (
    st.fractions(-1000, 1000, max_denominator=10**6)
    | st.integers(-3, 3).map(F)
    | st.floats(-9, 9, width=16).map(F)
)
POSITIVE = st.fractions(F(1, 10**6), 10**6, max_denominator=10**6)
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv]
PI_100 = F(
    "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706"
)


def around(a: F, b: F) -> Interval:
    """The hull of two numbers."""
    low, high = Interval.of(min(a, b)), Interval.of(max(a, b))
    return Interval(low.low, high.high)


def decimal(x: F) -> Decimal:
    return Decimal(x.numerator) / Decimal(x.denominator)


# The four operations


@given(st.sampled_from(OPERATORS), *[NUMBERS] * 4, st.integers(0, 4), st.integers(0, 4))
def test_a_result_holds_all_results_and_little_else(f, a, b, c, d, i, j):
    """For numbers on the way from a to b, and from c to d."""
    one, other = around(a, b), around(c, d)
    assume(f is not operator.truediv or c * d > 0)
    found = f(one, other)
    assert f(a + (b - a) * F(i, 4), c + (d - c) * F(j, 4)) in found
    ends = [f(x, y) for x in (a, b) for y in (c, d)]
    beyond = (F(10**4) + max(map(abs, ends)) / min(abs(c) or 1, abs(d) or 1, 1)) * LAST
    assert found.width <= max(ends) - min(ends) + beyond


@given(st.sampled_from(OPERATORS), NUMBERS, st.integers(-9, 9) | st.floats(-9, 9, width=16) | POSITIVE)
def test_other_numbers_may_stand_on_either_side(f, a, b):
    x = Interval.of(a)
    if f is not operator.truediv or b:
        assert f(a, F(b)) in f(x, b)
    if f is not operator.truediv or 0 not in x:
        assert f(F(b), a) in f(b, x)


@given(NUMBERS, NUMBERS, st.integers(0, 4))
def test_signs(a, b, i):
    x, p = around(a, b), a + (b - a) * F(i, 4)
    assert -p in -x
    assert abs(p) in abs(x)
    assert abs(x).low >= 0
    assert abs(x).width <= x.width


def test_numbers_of_few_digits_are_exact():
    x = Interval.of(3) * 0.25 - F(1, 2) + 1 / Interval.of(4)
    assert (x.low, x.high) == (ONE // 2, ONE // 2)
    assert 0 * Interval.of(F(1, 3)) == 0


def test_nothing_is_divided_by_what_may_be_0():
    for x in (0, Interval(-1, 1), Interval(0, ONE)):
        with pytest.raises(ZeroDivisionError, match="holds 0"):
            Interval.of(1) / x


# Questions


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_comparisons_are_right_or_refused(a, b, c, d):
    one, other = around(a, b), around(c, d)
    for f in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq):
        answers = {f(x, y) for x in (a, b) for y in (c, d)}
        try:
            assert answers == {f(one, other)}
        except Undecided:
            assert max(a, b) >= min(c, d)
            assert max(c, d) >= min(a, b)


@given(NUMBERS, NUMBERS)
def test_comparisons_of_single_numbers_are_decided(a, b):
    """Of numbers that an interval holds exactly."""
    a, b = F(float(a)), F(float(b))
    for f in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq):
        assert f(Interval.of(a), Interval.of(b)) == f(a, b)
        assert f(Interval.of(a), b) == f(a, b)
        assert f(a, Interval.of(b)) == f(a, b)
    assert max(Interval.of(a), Interval.of(b)).middle == max(a, b)


@given(NUMBERS, NUMBERS)
def test_floors_are_right_or_refused(a, b):
    x = around(a, b)
    if floor(a) == floor(b):
        assert floor(x) == floor(a)
    else:
        with pytest.raises(Undecided, match="different floors"):
            floor(x)


@given(*[NUMBERS] * 4, st.integers(0, 4), st.integers(0, 4))
def test_the_larger_of_two(a, b, c, d, i, j):
    found = largest(around(a, b), around(c, d))
    assert max(a + (b - a) * F(i, 4), c + (d - c) * F(j, 4)) in found
    assert found.width <= max(abs(a - b), abs(c - d)) + 2 * LAST


# Functions


@given(POSITIVE, POSITIVE)
def test_log_and_sqrt_against_decimals(a, b):
    x = around(a, b)
    with localcontext() as context:
        context.prec = 110
        for f, exact in ((log, Decimal.ln), (sqrt, Decimal.sqrt)):
            ends = sorted(F(exact(decimal(p))) for p in (a, b))
            assert all(end in f(x) for end in ends)
            assert f(x).width - (ends[1] - ends[0]) <= 10**7 * LAST  # their slopes are at most 10^6


@pytest.mark.parametrize("x", [F(1, 2**200), F(2**500), F(1), F(3, 4), F(1) + F(1, 2**100), F(0.5)])
def test_log_of_small_and_large_numbers(x):
    with localcontext() as context:
        context.prec = 250
        assert F(decimal(x).ln()) in log(Interval.of(x))
    assert log(Interval.of(x)).width <= 2**7 * LAST


def test_roots_of_squares_are_exact():
    assert sqrt(Interval.of(F(9, 4))) == F(3, 2)
    assert sqrt(Interval.of(0)) == 0


def test_functions_refuse_what_they_are_not_defined_for():
    with pytest.raises(ValueError, match=r"log: .* not above 0"):
        log(Interval(0, ONE))
    with pytest.raises(ValueError, match=r"sqrt: .* below 0"):
        sqrt(Interval(-1, ONE))


def test_pi():
    assert PI_100 in PI
    assert PI.width <= 2 * LAST


def turned(x: F, quarter: bool) -> F:
    """The sine of x, or of x and a quarter turn, to 100 digits, from its series without any reduction."""
    with localcontext() as context:
        context.prec = 130
        angle, total = decimal(x), Decimal(0)
        term, k = (Decimal(1), 0) if quarter else (angle, 1)
        while abs(term) > Decimal(10) ** -120:
            total, term, k = total + term, -term * angle * angle / ((k + 1) * (k + 2)), k + 2
        return F(total)


@given(st.fractions(-12, 12, max_denominator=10**6), st.fractions(0, F(1, 10), max_denominator=10**6))
def test_sin_and_cos_against_their_series(a, more):
    for f, quarter in ((sin, False), (cos, True)):
        point, wide = f(Interval.of(a)), f(around(a, a + more))
        assert turned(a, quarter) in point
        assert point.width <= 2**6 * LAST
        assert all(turned(p, quarter) in wide for p in (a, a + more / 3, a + more))
        assert wide.width <= 2 * more + 2**6 * LAST


@given(st.fractions(-(10**6), 10**6, max_denominator=10**6))
def test_sin_and_cos_of_large_angles(a):
    x = Interval.of(a)
    s, c = sin(x), cos(x)
    assert F(1) in s * s + c * c
    assert abs((sin(2 * x) - 2 * s * c).middle) <= 2**24 * LAST
    assert max(s.width, c.width) <= 2**24 * LAST


def test_sin_and_cos_of_anything_lie_between_minus_1_and_1():
    for f in (sin, cos):
        found = f(Interval(0, 100 * ONE))
        assert (found.low, found.high) == (-ONE, ONE)
    assert cos(Interval.of(0)).high == ONE


# Linear systems


@given(st.integers(0, 2**32 - 1))
def test_solutions_against_fractions(seed):
    rng = np.random.default_rng(seed)
    A, Z = rng.integers(-3, 4, (4, 4)), rng.integers(-9, 10, (4, 2))
    A[0, 0] = 0  # needs another pivot
    assume(round(np.linalg.det(A)) != 0)
    found = solve(intervals(A), intervals(A @ Z) / 3)
    for enclosed, z in zip(found.ravel(), Z.ravel().tolist()):
        assert F(z, 3) in enclosed
        assert enclosed.width <= 2**30 * LAST


def test_a_singular_system_is_refused():
    with pytest.raises(ZeroDivisionError):
        solve(intervals(np.ones((2, 2))), intervals(np.ones((2, 1))))


# The equations of the paper


U = [[[3, 1, 4, 1], [5, 9, 2, 6], [5, 3, 5, 8]], [[9, 7, 9, 3], [2, 3, 8, 4], [6, 2, 6, 4]]]


def in_pixels(point):
    """For ``align_corners=True``."""
    x, y = point
    return (x + 1) * 3 / 2, y + 1


def rotated(sine, cosine, x_t, y_t):
    return in_pixels(eq1_affine([[cosine, -sine, 0], [sine, cosine, 0]], x_t, y_t))


@pytest.mark.parametrize("x_t", [F(-1), F(-1, 3), F(1, 3), F(1)])
@pytest.mark.parametrize("y_t", [F(-1), F(0), F(1)])
def test_samples_under_a_rotation(x_t, y_t):
    angle = F(3, 10)
    enclosed = rotated(sin(Interval.of(angle)), cos(Interval.of(angle)), x_t, y_t)
    true = rotated(turned(angle, False), turned(angle, True), x_t, y_t)  # to 100 digits
    for coordinate, exact in zip(enclosed, true):
        assert exact in coordinate
    keys = (lambda t: 1 - t * t / 4, lambda t: (2 - abs(t)) / 2)
    for found, exact in (
        (eq5_bilinear(U, *enclosed), eq5_bilinear(U, *true)),
        (eq3_sample(U, *enclosed, *keys), eq3_sample(U, *true, *keys)),
    ):
        for V, v in zip(found, exact):
            assert v in V
            assert v + F(1, 10**60) not in V
            assert V.width < F(1, 2**200)
    assert [half_up(x) for x in enclosed] == [half_up(x) for x in true]


def test_a_kink_is_enclosed_where_it_is_not_known_which_side_is_meant():
    """A quarter turn sends pixels to pixels, to within the intervals."""
    x, y = in_pixels(eq1_affine([[cos(PI / 2), -sin(PI / 2), 0], [sin(PI / 2), cos(PI / 2), 0]], 0, F(1, 3)))
    with pytest.raises(Undecided):
        eq5_bilinear(U, x, y)
    V = eq3_sample(U, x, y, lambda t: largest(0, 1 - abs(t)))
    assert [v.middle.limit_denominator(100) for v in V] == eq5_bilinear(U, F(1), F(1))
    assert all(F(v) in enclosed for v, enclosed in zip(eq5_bilinear(U, F(1), F(1)), V))
    assert all(v.width < F(1, 2 ** (BITS - 16)) for v in V)
