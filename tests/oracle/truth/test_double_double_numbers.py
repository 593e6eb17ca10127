"""Double-double numbers with the operators of exact ones: as good as they say, and no better is claimed."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stn_ref.oracle.truth.double_double import UNIT, DoubleDouble
from stn_ref.oracle.truth.dyadic import Dyadic

FLOATS = st.floats(-1e6, 1e6).filter(lambda v: v == 0 or abs(v) > 1e-20) | st.integers(-9, 9).map(float)
TWO = st.lists(FLOATS, min_size=2, max_size=2).map(np.array)
few = settings(max_examples=60)


def exactly(number):
    """What the numbers are, once it is certain that the low part is below the high one."""
    high, low = number.pair()
    assert (np.abs(low) <= np.spacing(np.abs(high)) / 2).all()
    return [Fraction(float(h)) + Fraction(float(w)) for h, w in zip(high.ravel(), low.ravel())]


def precise(x, y):
    """Numbers that need both parts, and their exact value."""
    number = DoubleDouble.of(x) + DoubleDouble.of(y * 2.0**-55)
    return number, exactly(number)


def close(found, expected, magnitudes, bound):
    return all(abs(f - e) <= Fraction(bound) * m for f, e, m in zip(exactly(found), expected, magnitudes))


@few
@given(TWO, TWO, TWO, TWO)
def test_each_operation_is_right_to_its_unit(x, y, z, w):
    a, p = precise(x, y)
    b, q = precise(z, w)
    sums = [abs(s) + abs(t) for s, t in zip(p, q)]
    assert close(a + b, [s + t for s, t in zip(p, q)], sums, UNIT)
    assert close(a - b, [s - t for s, t in zip(p, q)], sums, UNIT)
    assert close(a * b, [s * t for s, t in zip(p, q)], [abs(s * t) for s, t in zip(p, q)], UNIT)
    assert exactly(-a) == [-s for s in p]
    assert exactly(a.halved(5)) == [s / 32 for s in p]


@few
@given(TWO, TWO, st.integers(-(2**20), 2**20))
def test_with_an_integer(x, y, n):
    a, p = precise(x, y)
    assert close(a + n, [s + n for s in p], [abs(s) + abs(n) for s in p], UNIT)
    assert close(a - n, [s - n for s in p], [abs(s) + abs(n) for s in p], UNIT)
    assert close(a * n, [s * n for s in p], [abs(s * n) for s in p], UNIT)


def test_the_low_part_counts():
    third = DoubleDouble.of(np.array([1.0])) - DoubleDouble.of(np.array([2.0**-80]))
    assert (third + -1).pair()[0] == -(2.0**-80)
    assert (third * third - 1).pair()[0] == pytest.approx(-(2.0**-79), rel=1e-15)


@few
@given(st.lists(FLOATS, min_size=1, max_size=60))
def test_a_sum_keeps_the_bound_that_is_declared(x):
    number = DoubleDouble.of(np.array(x))
    total = sum(Fraction(v) for v in x)
    assert close(number.sum(0).reshape(1), [total], [sum(abs(Fraction(v)) for v in x)], DoubleDouble.error)


@few
@given(TWO, TWO, TWO)
def test_a_chain_keeps_the_bound_that_is_declared(x, y, z):
    """Weights along three axes, a pixel, and a sum: as the sampler uses them."""
    factors = [DoubleDouble.of(v) for v in (x, y, z)]
    exact = [[Fraction(v) for v in row] for row in zip(x.tolist(), y.tolist(), z.tolist())]
    found = (-factors[0] + 1) * (-factors[1] + 1) * factors[2] * 3
    expected = [(1 - a) * (1 - b) * c * 3 for a, b, c in exact]
    magnitudes = [(1 + abs(a)) * (1 + abs(b)) * abs(c) * 3 for a, b, c in exact]
    assert close(found, expected, magnitudes, DoubleDouble.error)


def test_arrays_of_numbers_along_an_axis():
    x = np.arange(12.0).reshape(3, 4) / 7
    number = DoubleDouble.of(x)
    assert number.shape == (3, 4)
    assert number.sum(1).shape == (3,)
    assert number[1].pair()[0].tolist() == x[1].tolist()
    for axis in (0, 1):
        expected = Dyadic.of(x).sum(axis)
        assert (number.sum(axis) - DoubleDouble(*expected.pair())).float().tolist() == [0.0] * (4, 3)[axis]
    assert (number.reshape(2, 6) * DoubleDouble.of(x[0, 1:2])).shape == (2, 6)


def test_a_sum_of_nothing_is_0():
    """As that over no channels."""
    assert DoubleDouble.of(np.zeros((2, 0))).sum(1).pair()[0].tolist() == [0, 0]


@few
@given(TWO, TWO)
def test_floor_splits_as_exactly_as_the_rest_allows(x, y):
    a, p = precise(x, y)
    whole, rest = a.floor()
    assert whole.tolist() == [s.__floor__() for s in p]
    assert close(rest, [s - s.__floor__() for s in p], [abs(s) + 1 for s in p], UNIT)
    assert (rest.float() >= 0).all()


@pytest.mark.parametrize(
    ("high", "low", "whole"), [(3, 1e-20, 3), (3, 0, 3), (3, -1e-20, 2), (-2, -1e-20, -3)]
)
def test_floor_looks_at_the_low_part(high, low, whole):
    found, rest = DoubleDouble(np.array([float(high)]), np.array([float(low)])).floor()
    assert found.tolist() == [whole]
    assert abs(exactly(rest)[0] - (high - whole + Fraction(low))) <= Fraction(UNIT)


def test_a_bound_that_is_too_small_would_be_found_out():
    """Products are not exact: with a bound of 2^-120 these tests would fail."""
    a, p = precise(np.array([0.1, 1 / 3]), np.array([0.7, 0.3]))
    assert not close(a * a, [s * s for s in p], [s * s for s in p], 2.0**-120)
