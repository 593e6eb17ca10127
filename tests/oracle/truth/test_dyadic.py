"""Arrays of dyadic numbers are fractions: nothing is ever rounded, and no bit is ever lost."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stn_ref.oracle.truth.dyadic import MOST_BITS, Dyadic

LARGEST = float(np.finfo(np.float64).max)
TINY = 2.0**-1074
ODD = [0.0, -0.0, 1.0, -1.0, 0.1, 2.0**53 - 1, 2.0**62, -(2.0**63), TINY, -TINY, 1 - 2.0**-53, LARGEST]
FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.floats(-100, 100) | st.sampled_from(ODD)
INTEGERS = st.integers(-9, 9) | st.integers(-(2**70), 2**70)
FOUR = st.lists(FLOATS, min_size=4, max_size=4).map(np.array)
few = settings(max_examples=60)
EDGES = st.integers(55, 66).flatmap(lambda k: st.sampled_from([2**k, 2**k - 1, -(2**k), 1 - 2**k, 2**k + 1]))


def exactly(number):
    """What the numbers are, once it is certain that they say the truth about their size."""
    mantissas = [int(n) for n in number.mantissa.ravel()]
    assert number.exponent >= 0
    assert all(abs(n) < 2**number.bits for n in mantissas)
    assert number.mantissa.dtype == object or number.bits <= MOST_BITS
    return [Fraction(n, 2**number.exponent) for n in mantissas]


def fractions(x):
    return [Fraction(float(value)) for value in np.ravel(x)]


def nearest(x):
    """The nearest float64; infinite beyond the largest."""
    try:
        return float(x)
    except OverflowError:
        return np.inf if x > 0 else -np.inf


@few
@given(FOUR)
def test_a_float_is_kept_as_it_is(x):
    assert exactly(Dyadic.of(x)) == fractions(x)


@few
@given(st.lists(INTEGERS | EDGES, min_size=1))
def test_integers_are_kept_as_they_are(n):
    array = np.array(n, object)
    assert exactly(Dyadic.whole(array)) == n
    small = np.array([m for m in n if abs(m) < 2**63], np.int64)
    assert exactly(Dyadic.whole(small)) == small.tolist()


@few
@given(FOUR, FOUR)
def test_arithmetic_is_that_of_fractions(x, y):
    a, b = Dyadic.of(x), Dyadic.of(y)
    pairs = list(zip(fractions(x), fractions(y)))
    assert exactly(a + b) == [p + q for p, q in pairs]
    assert exactly(a - b) == [p - q for p, q in pairs]
    assert exactly(a * b) == [p * q for p, q in pairs]
    assert exactly(-a) == [-p for p, _ in pairs]


@few
@given(FOUR, INTEGERS | EDGES)
def test_arithmetic_with_one_integer(x, n):
    a, p = Dyadic.of(x), fractions(x)
    assert exactly(a + n) == [q + n for q in p]
    assert exactly(a - n) == [q - n for q in p]
    assert exactly(a * n) == [q * n for q in p]


@few
@given(FOUR, FOUR, FOUR)
def test_chains_of_operations_lose_nothing(x, y, z):
    a, b, c = (Dyadic.of(v) for v in (x, y, z))
    result = ((a * b - c) * 3 + a.halved(3)) * (b + c).halved()
    expected = [
        ((p * q - r) * 3 + p / 8) * (q + r) / 2 for p, q, r in zip(*(fractions(v) for v in (x, y, z)))
    ]
    assert exactly(result) == expected


@few
@given(EDGES, EDGES, st.integers(0, 4))
def test_nothing_overflows_where_int64_ends(m, n, exponent):
    """The numbers around 2^55 to 2^66, as int64 as long as that is safe."""
    a, b = Dyadic.whole(np.array([m], object)).halved(exponent), Dyadic.whole(np.array([n], object))
    p, q = Fraction(m, 2**exponent), Fraction(n)
    for found, expected in ((a + b, p + q), (a - b, p - q), (a * b, p * q), (b - a, q - p), (-a, -p)):
        assert exactly(found) == [expected]


def test_int64_is_used_up_to_62_bits_and_not_beyond():
    most = Dyadic.whole(np.array([2**61 - 1, -(2**61) + 1]))
    assert most.bits == 61
    assert (most + most).mantissa.dtype == np.int64
    assert (most + most + most).mantissa.dtype == object
    assert exactly(most + most + most) == [3 * (2**61 - 1), -3 * (2**61 - 1)]
    assert (Dyadic.whole(np.array([2**31 - 1])) * Dyadic.whole(np.array([2**31 - 1]))).bits == MOST_BITS
    assert (
        Dyadic.whole(np.array([2**31 - 1])) * Dyadic.whole(np.array([2**32 - 1]))
    ).mantissa.dtype == object


@few
@given(FOUR, FOUR)
def test_broadcast_like_arrays(x, y):
    a, b = Dyadic.of(x)[:, None], Dyadic.of(y)[None]
    assert (a * b).shape == (4, 4)
    assert exactly(a * b) == [p * q for p in fractions(x) for q in fractions(y)]
    assert exactly(a.reshape(1, 2, 2)) == fractions(x)


@few
@given(FOUR, FOUR, FOUR)
def test_stacked_and_summed(x, y, z):
    stacked = Dyadic.stack([Dyadic.of(v) for v in (x, y, z)])
    assert exactly(stacked) == fractions([x, y, z])
    columns = zip(*(fractions(v) for v in (x, y, z)))
    assert exactly(stacked.sum(0)) == [sum(column) for column in columns]
    assert exactly(stacked.sum(1)) == [sum(fractions(v)) for v in (x, y, z)]


@pytest.mark.parametrize("value", [2**61 - 1, 2**62 - 1, 2**63 - 1])
def test_a_sum_of_many_does_not_overflow(value):
    many = Dyadic.whole(np.full((100, 1), value))
    assert exactly(many.sum(0)) == [100 * value]
    assert exactly(many.added_at((1,), np.zeros((100, 1), int))) == [100 * value]


def test_a_sum_of_nothing_is_0():
    assert exactly(Dyadic.of(np.zeros((0, 2))).sum(0)) == [0, 0]
    assert exactly(Dyadic.of(np.zeros((2, 0)))) == []


@few
@given(FOUR, st.lists(st.integers(0, 2), min_size=4, max_size=4))
def test_numbers_added_where_they_belong(x, places):
    total = [Fraction(0)] * 3
    for place, value in zip(places, fractions(x)):
        total[place] += value
    assert exactly(Dyadic.of(x).added_at((3,), np.array(places))) == total


@few
@given(FOUR | st.lists(st.floats(-(2.0**60), 2.0**60), min_size=1).map(np.array), st.integers(0, 80))
def test_floor_splits_into_a_whole_number_and_a_rest_below_1(x, times):
    whole, rest = Dyadic.of(x).halved(times).floor()
    expected = [p / 2**times for p in fractions(x)]
    assert [int(n) for n in whole] == [p.__floor__() for p in expected]
    assert exactly(rest) == [p - p.__floor__() for p in expected]


@few
@given(FOUR, FOUR, st.sampled_from([1, 2, 3, 7, 30, 2**40 + 1, 3**60]))
def test_a_pair_is_the_nearest_float_and_the_float_nearest_to_the_rest(x, y, divisor):
    product = Dyadic.of(x) * Dyadic.of(y)
    high, low = product.pair(divisor)
    for p, h, rest in zip(exactly(product), high, low):
        assert h == nearest(p / divisor)
        assert rest == (nearest(p / divisor - Fraction(h)) if np.isfinite(h) else 0)
    assert (product.float(divisor) == high).all()


@pytest.mark.parametrize("sign", [1, -1])
def test_a_pair_is_infinite_from_half_a_unit_above_the_largest_on(sign):
    unit = 2**971  # of the largest float
    largest = Dyadic.whole(np.array([sign * int(LARGEST)], object))
    assert (largest + sign * (unit // 2 - 1)).pair()[0] == sign * LARGEST
    assert (largest + sign * (unit // 2)).pair()[0] == sign * np.inf
    assert (largest * 3).pair(3)[0] == sign * LARGEST
    assert (largest * 9).pair(3) == (sign * np.inf, 0)


@pytest.mark.parametrize("bits", [54, 62, 64, 200, 1100])
def test_ties_go_to_the_even_float(bits):
    """A one, 52 zeros or 51 and a one, and half a unit."""
    for last in (0, 1):
        n = (2**53 + 2 * last + 1) << (bits - 54)
        number = Dyadic.whole(np.array([n], object)).halved(bits + 3)
        assert number.pair()[0] == nearest(Fraction(n, 2 ** (bits + 3)))


def test_what_is_too_small_for_a_float_becomes_0_or_the_least_float():
    tiny = Dyadic.of(np.array([TINY, 3 * TINY])).halved()
    high, low = tiny.pair()
    assert high.tolist() == [0, 2 * TINY]  # both are ties
    assert low.tolist() == [0, 0]
    assert (tiny * Dyadic.of(np.array([1 + 2.0**-52]))).pair()[0].tolist() == [TINY, 2 * TINY]
