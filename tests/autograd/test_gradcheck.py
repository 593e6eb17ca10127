"""The gradient check passes what is right and, above all, fails what is wrong, and says where."""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from stn_ref import GradcheckError, add, exp, gradcheck, grid_sample, relu, sin, tanh, where
from stn_ref.autograd.differences import STENCIL, nearest_kink, slopes, step
from stn_ref.autograd.probe import Probe
from stn_ref.autograd.reproducer import literal
from stn_ref.autograd.tape import differentiable
from stn_ref.autograd.tensor import OPERATORS, plain

rng = np.random.default_rng(0)
X = rng.normal(size=(3, 4))


@pytest.fixture
def operator() -> Iterator[Any]:
    """Makes throw-away operators with one rule for x."""
    made = []

    def make(function: Any, rule: Any) -> Any:
        made.append(differentiable()(function))
        made[-1].vjp("x")(rule)
        return made[-1]

    yield make
    for one in made:
        OPERATORS.pop(one.name, None)


def squared(x: Any) -> Any:
    return np.square(x)


# What is right passes


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("f", [sin, exp, tanh, lambda x: x * x * x, lambda x: (sin(x) * x).sum(axis=1)])
def test_smooth_functions_pass_with_an_error_near_rounding(f: Any, order: int) -> None:
    report = gradcheck(f, (X,), order=order)
    assert report.passed
    assert report.largest_error < 1e-8
    assert report.kinked == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_low_precision_is_judged_by_its_own_rounding(dtype: Any) -> None:
    assert gradcheck(tanh, (X.astype(dtype),)).passed


def test_inputs_may_have_any_size_and_be_scalars() -> None:
    assert gradcheck(sin, (np.array(0.5),)).checked > 0
    assert gradcheck(sin, (np.zeros((0, 3)),)).checked == 0
    assert gradcheck(lambda x: x.sum(), (rng.normal(size=5000),), elements=40).checked < 100


# What is wrong fails


WRONG_RULES = {
    "sign": lambda y_bar, x: -2.0 * y_bar * x,
    "factor": lambda y_bar, x: y_bar * x,
    "one in a thousand": lambda y_bar, x: 2.002 * y_bar * x,
    "one in a million": lambda y_bar, x: 2.000002 * y_bar * x,
    "constant": lambda y_bar, x: 2.0 * y_bar,
    "zero": lambda y_bar, x: 0.0 * y_bar * x,
    "one element": lambda y_bar, x: 2.0 * y_bar * x * (np.arange(12).reshape(3, 4) != 7),
    "transposed items": lambda y_bar, x: 2.0 * y_bar[::-1] * x,
    "cotangent ignored": lambda y_bar, x: 2.0 * x + 0.0 * y_bar,
    "not a number": lambda y_bar, x: y_bar * np.nan,
}


@pytest.mark.parametrize("rule", WRONG_RULES.values(), ids=WRONG_RULES.keys())
def test_a_wrong_rule_is_found(operator: Any, rule: Any) -> None:
    with pytest.raises(GradcheckError, match=r"squared: .* derivatives are wrong"):
        gradcheck(operator(squared, rule), (X,))


def test_a_right_rule_whose_own_derivative_is_lost_fails_at_second_order(operator: Any) -> None:
    f = operator(squared, lambda y_bar, x: 2.0 * y_bar * plain(x))  # plain() takes x off the tape
    assert gradcheck(f, (X,)).passed
    with pytest.raises(GradcheckError, match="first and second order"):
        gradcheck(f, (X,), order=2)


def test_a_rule_that_is_not_linear_in_the_cotangent_is_found(operator: Any) -> None:
    # Right for cotangents of size 1, and for no other.
    f = operator(squared, lambda y_bar, x: 2.0 * x * where(plain(y_bar) > 0, y_bar * 0.0 + 1.0, -1.0))
    with pytest.raises(GradcheckError):
        gradcheck(f, (X,))


def test_the_message_names_function_input_index_values_step_and_kink(operator: Any) -> None:
    f = operator(squared, WRONG_RULES["one element"])
    with pytest.raises(GradcheckError) as failure:
        gradcheck(lambda x, y: add(f(x), y), (X, X))
    text = str(failure.value)
    assert "input 0, index (1, 3)" in text
    assert "analytic 0\n" in text
    assert "numeric " in text
    assert "allowed difference" in text
    assert "step 0.000" in text
    assert "nearest kink none seen" in text
    assert "To see it again:" in text


def test_without_raising_the_report_says_what_failed(operator: Any) -> None:
    report = gradcheck(operator(squared, WRONG_RULES["one element"]), (X,), raises=False)
    assert not report.passed
    worst = report.mismatches[0]
    assert (worst.argument, worst.index) == (0, (1, 3))
    assert worst.ratio > 1e6


def test_only_the_inputs_asked_for_are_differentiated(operator: Any) -> None:
    f = operator(squared, WRONG_RULES["sign"])
    assert gradcheck(lambda x, y: f(x) * y, (X, X), wrt=[1]).passed
    assert not gradcheck(lambda x, y: f(x) * y, (X, X), wrt=[0], raises=False).passed


# Kinks: every slope between the one-sided ones is right, no other


@pytest.mark.parametrize("at", [0.0, 1e-9, -1e-5, 3e-4])
@pytest.mark.parametrize(
    ("slope", "valid"), [(0.0, True), (0.5, True), (1.0, True), (-0.1, False), (1.1, False)]
)
def test_at_or_near_a_kink_the_slopes_between_are_valid(
    operator: Any, at: float, slope: float, valid: bool
) -> None:
    def ramp(x: Any) -> Any:
        return np.maximum(x, 0)

    f = operator(ramp, lambda y_bar, x: y_bar * slope)
    report = gradcheck(f, (np.array([at]),), raises=False)
    assert report.passed == valid
    assert report.kinked > 0


def test_far_from_the_kink_one_slope_is_valid(operator: Any) -> None:
    def ramp(x: Any) -> Any:
        return np.maximum(x, 0)

    f = operator(ramp, lambda y_bar, x: y_bar * 0.5)
    assert not gradcheck(f, (np.array([0.1]),), raises=False).passed
    assert gradcheck(relu, (np.array([0.1]),)).kinked == 0


def test_the_distance_to_the_nearest_kink_is_reported(operator: Any) -> None:
    def ramp(x: Any) -> Any:
        return np.maximum(x, 0.75)

    f = operator(ramp, lambda y_bar, x: y_bar * 0.5)
    report = gradcheck(f, (np.array([1.0]),), raises=False)
    assert report.mismatches[0].kink == pytest.approx(0.25, abs=1e-6)


def test_eq_7_to_the_letter_is_refused_at_pixel_centres_and_the_one_sided_slopes_are_not() -> None:
    U = np.array([[[[3.0, 5.0, 9.0, 4.0, 1.0]]]])
    grid = np.array([[[[-0.5, 0.0], [0.0, 0.0], [0.5, 0.0]]]])  # x = 1, 2, 3
    for kink, valid in (("right", True), ("left", True), ("mid", True), ("paper", False)):
        f = partial(grid_sample, align_corners=True, kink=kink)
        assert gradcheck(f, (U, grid), raises=False).passed == valid, kink


@pytest.mark.parametrize("position", np.linspace(-2.5, 2.5, 61))
def test_no_kink_hides_in_a_blind_spot_of_the_stencil(position: float) -> None:
    """Wherever a kink lies, the interval and its error hold the slope on the point's own side."""
    h = step(0.0)

    def f(t: Any) -> Any:
        return np.maximum(t - position * h, 0.0)

    found = slopes(np.array([f(0.0)]), np.array([[f(s * h)] for s in STENCIL]), h)
    true = 1.0 if position < 0 else 0.0
    assert found.low[0] - found.error[0] <= true <= found.high[0] + found.error[0]


@pytest.mark.parametrize("degree", range(5))
def test_inside_a_cell_the_stencil_is_exact_up_to_degree_4(degree: int) -> None:
    p = np.polynomial.Polynomial(rng.normal(size=degree + 1))
    h = step(0.0)
    found = slopes(np.array([p(1.0)]), np.array([[p(1.0 + s * h)] for s in STENCIL]), h)
    np.testing.assert_allclose(found.low, p.deriv()(1.0), atol=64 * np.finfo(float).eps / h)


def test_the_nearest_of_several_kinks_is_found() -> None:
    found = nearest_kink(lambda t: np.array([abs(t - 0.3), abs(t + 0.01), t**3]), 1.0)
    assert found == pytest.approx(0.01, abs=1e-6)
    assert nearest_kink(lambda t: np.array([np.sin(t)]), 1.0) is None


# Batches


def test_items_are_moved_together_only_where_they_are_independent() -> None:
    calls = []

    def each(x: Any) -> Any:
        calls.append(len(x))
        return sin(x)

    gradcheck(each, (rng.normal(size=(2, 3, 4)),), directions=0)
    assert max(calls) > 20  # many perturbations in one call
    assert Probe(lambda x: x - x.mean(axis=0), [X], None).items == 1
    assert Probe(lambda x: x * 2.0, [X], None).items == 3
    assert Probe(lambda x: x.sum(), [X], None).items == 1


def test_the_batched_and_the_plain_way_find_the_same(operator: Any) -> None:
    f = operator(squared, WRONG_RULES["one element"])
    for batched in (False, True):
        report = gradcheck(f, (X,), batched=batched, raises=False, directions=0)
        assert [m.index for m in report.mismatches] == [(1, 3)]


def test_asking_for_batches_where_items_mix_is_refused() -> None:
    with pytest.raises(ValueError, match=r"gradcheck: batched=True, but the items .* leave batched out"):
        gradcheck(lambda x: x - x.mean(axis=0) if hasattr(x, "mean") else x, (X,), batched=True)


# The reproducer


def test_the_reproducer_runs_when_pasted_and_fails_in_the_same_way() -> None:
    U = rng.normal(size=(1, 2, 9, 9))  # large enough to be packed
    grid = np.array([[[[-0.5, 0.25], [0.25, 0.5]]]])  # pixel centres
    f = partial(grid_sample, align_corners=True, kink="paper")
    report = gradcheck(f, (U, grid), raises=False)
    assert not report.passed
    again = subprocess.run(
        [sys.executable, "-c", report.reproducer], capture_output=True, text=True, timeout=60
    )
    assert again.returncode == 1
    assert str(report.mismatches[0]).splitlines()[1].strip() in again.stderr  # the same analytic value


def test_the_source_of_a_function_defined_anywhere_is_quoted(operator: Any) -> None:
    wrong = operator(squared, WRONG_RULES["sign"])

    def my_function(x: Any) -> Any:
        return wrong(x)

    assert "def my_function(x: Any) -> Any:" in gradcheck(my_function, (X,), raises=False).reproducer
    quoted = gradcheck(lambda x: wrong(x), (X,), raises=False).reproducer
    assert "put the definition of your function f here" in quoted


@pytest.mark.parametrize(
    "x", [X, X.astype(np.float32), np.array([np.nan, np.inf, -0.0]), np.zeros((0, 2)), np.ones(500)]
)
def test_an_array_is_written_with_every_bit(x: np.ndarray) -> None:
    names = {"np": np, "base64": __import__("base64"), "zlib": __import__("zlib")}
    again = eval(literal(x), names)  # the text is ours
    assert again.dtype == x.dtype
    assert again.tobytes() == np.ascontiguousarray(x).tobytes()
    assert again.shape == x.shape
