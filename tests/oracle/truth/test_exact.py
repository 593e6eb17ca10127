"""Correct rounding, against the literal equation in fractions."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stn_ref.equations import eq5_bilinear
from stn_ref.oracle import exact_bilinear
from stn_ref.oracle.truth import exact
from stn_ref.oracle.truth.double_double import UNIT, add, multiply, times, two_product, two_sum

NUMBERS = (
    st.floats(-1e6, 1e6) | st.integers(-9, 9).map(float) | st.floats(allow_nan=False, allow_infinity=False)
)
COORDINATES = st.floats(-3, 6) | st.integers(-6, 12).map(lambda n: n / 2) | NUMBERS


def literal(U: np.ndarray, x: float, y: float) -> list[float]:
    image = [[[Fraction(u) for u in row] for row in channel] for channel in U.astype(float).tolist()]
    return [float(v) for v in eq5_bilinear(image, Fraction(float(x)), Fraction(float(y)))]


@settings(max_examples=300)
@given(
    hnp.arrays(st.sampled_from([np.float64]), st.just((2, 3, 2)), elements=NUMBERS),
    st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1, max_size=4),
)
def test_every_value_is_the_nearest_float(U: np.ndarray, points: Any) -> None:
    x, y = (np.array(column) for column in zip(*points))
    try:
        expected = np.array([literal(U, *point) for point in points]).T
    except OverflowError:  # the exact value is no float
        return
    np.testing.assert_array_equal(exact_bilinear(U, x, y), expected)


def test_a_bound_of_0_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What double-double leaves open is decided by fractions; without them a value here is wrong."""
    U = np.array([[[1.0, 1.0 + 2.0**-52], [2.0**-120, 0.0]]])
    x, y = np.array([0.5]), np.array([2.0**-60])  # a tie but for what is far below
    assert exact_bilinear(U, x, y)[0, 0] == literal(U, 0.5, 2.0**-60)[0]
    rng = np.random.default_rng(0)
    U = rng.integers(1, 2**20, (1, 3, 3)) * 2.0**-20 + rng.integers(0, 2, (1, 3, 3)) * 2.0**-52
    x, y = rng.integers(0, 2**6, (2, 400)) / 2**5 + 2.0**-50
    assert (exact_bilinear(U, x, y)[0] == [literal(U, *point)[0] for point in zip(x, y)]).all()
    assert count_of_fractions(monkeypatch, U, x, y) < 40


def count_of_fractions(monkeypatch: pytest.MonkeyPatch, *inputs: Any) -> int:
    """How many values are worked out in fractions."""
    calls = []
    monkeypatch.setattr(exact, "eq5_bilinear", lambda *given: calls.append(given) or [Fraction(0)])
    exact_bilinear(*inputs)
    return len(calls)


def test_ordinary_inputs_need_no_fractions(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(2, 5, 6)), rng.uniform(-2, 7, 5000), rng.uniform(-2, 6, 5000)
    assert count_of_fractions(monkeypatch, *inputs) == 0


def test_float32_is_taken_as_it_is() -> None:
    U = np.array([[[0.1, 0.2]]], np.float32)
    x = np.array([0.3], np.float32)
    assert exact_bilinear(U, x, np.zeros(1))[0, 0] == literal(U, float(x[0]), 0.0)[0]


@pytest.mark.parametrize(
    ("U", "x", "y", "message"),
    [
        (np.ones((2, 2)), np.ones(1), np.ones(1), r"U has shape \(2, 2\), expected \(C, H, W\)"),
        (np.ones((1, 2, 2)), np.ones(1), np.ones(2), r"x has shape \(1,\) and y \(2,\)"),
        (np.ones((1, 2, 2), int), np.ones(1), np.ones(1), "U is int64 array"),
        (np.ones((1, 2, 2)), np.array([np.nan]), np.ones(1), "x is not finite"),
    ],
)
def test_what_is_not_of_the_form_is_refused(U: Any, x: Any, y: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        exact_bilinear(U, x, y)


MODEST = st.floats(-1e20, 1e20).filter(lambda v: v == 0 or abs(v) > 1e-20)


def exactly(pair: Any) -> Fraction:
    return sum((Fraction(float(part)) for part in pair), Fraction(0))


@given(MODEST, MODEST, MODEST, MODEST)
def test_double_double_keeps_its_bounds(a: float, b: float, c: float, d: float) -> None:
    one, other = (
        two_sum(np.float64(a), np.float64(b * 2.0**-60)),
        two_sum(np.float64(c), np.float64(d * 2.0**-60)),
    )
    assert exactly(one) == Fraction(a) + Fraction(b * 2.0**-60)
    assert exactly(two_product(np.float64(a), np.float64(c))) == Fraction(a) * Fraction(c)
    p, q = exactly(one), exactly(other)
    assert abs(exactly(multiply(one, other)) - p * q) <= Fraction(UNIT) * abs(p * q)
    assert abs(exactly(times(one, np.float64(c))) - p * Fraction(c)) <= Fraction(UNIT) * abs(p * Fraction(c))
    assert abs(exactly(add(one, other)) - (p + q)) <= Fraction(UNIT) * (abs(p) + abs(q))
