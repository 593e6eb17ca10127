"""The gradient check passes what is right and, above all, fails what is wrong, and says where."""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from stn_ref import (
    BILINEAR,
    GradcheckError,
    Setup,
    absolute,
    add,
    concatenate,
    cos,
    exp,
    grad,
    gradcheck,
    grid_sample,
    log,
    maximum,
    relu,
    sin,
    spatial_transform,
    sqrt,
    tanh,
    transpose,
    where,
)
from stn_ref.autograd.differences import (
    LADDER,
    STENCIL,
    UPPER,
    first_step,
    nearest_kink,
    slopes,
    slopes_along,
)
from stn_ref.autograd.probe import Probe
from stn_ref.autograd.reproducer import define, literal
from stn_ref.autograd.tape import differentiable
from stn_ref.autograd.tensor import OPERATORS, plain
from stn_ref.ops.sampling import slopes as slopes_of

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


STEEP_OR_STRANGE = {
    "log close to 0": (log, [1e-3]),
    "sqrt close to 0": (sqrt, [1e-4, 1e-8]),
    "steep": (lambda x: tanh(50.0 * x), [0.0, 0.01]),
    "at a thousand": (sin, [900.5, 1100.25]),
    "tiny scale": (lambda x: exp(x * 1e6), [1e-6, -2e-6]),
    "tiny values": (lambda x: 1e-12 * sin(x), [0.3]),
    "large values": (lambda x: 1e9 * sin(x), [0.3]),
    "kink of the second derivative": (lambda x: x * absolute(x), [0.0, 1e-9]),
    "Gram matrix": (lambda x: x @ transpose(x), rng.normal(size=(3, 4))),
}


@pytest.mark.parametrize(("f", "x"), STEEP_OR_STRANGE.values(), ids=STEEP_OR_STRANGE.keys())
def test_right_derivatives_of_unusual_functions_pass(f: Any, x: Any) -> None:
    report = gradcheck(f, (np.array(x),))
    assert report.unresolved == 0


def test_smooth_kernels_pass_at_pixel_centres_too() -> None:
    for seed in range(5):
        U = np.random.default_rng(seed).normal(size=(1, 1, 6, 7))
        theta = np.eye(2, 3)[None]
        f = partial(spatial_transform, size=(1, 1, 6, 7), align_corners=True, mode="bicubic")
        assert gradcheck(f, (U, theta)).passed


def test_wide_images_pass() -> None:
    U = rng.normal(size=(1, 1, 1, 4000))
    grid = np.stack([rng.uniform(-1, 1, (1, 1, 5)), np.zeros((1, 1, 5))], axis=-1)
    assert gradcheck(partial(grid_sample, align_corners=True), (U, grid), elements=40).passed


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


def test_a_small_error_in_a_steep_function_is_found(operator: Any) -> None:
    f = operator(lambda_sin_50, lambda y_bar, x: y_bar * 50.0 * cos(50.0 * x) * 1.003)
    with pytest.raises(GradcheckError):
        gradcheck(f, (rng.uniform(-1, 1, (3, 4)),))


def lambda_sin_50(x: Any) -> Any:
    return np.sin(50.0 * x)


def test_large_outputs_do_not_hide_an_error_in_small_ones(operator: Any) -> None:
    f = operator(squared, WRONG_RULES["one in a thousand"])
    x = np.array([0.5, 0.75])
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: concatenate([x[:1] * 1e9, f(x[1:])]), (x,))
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: 1e-12 * f(x), (x,))


def test_another_input_in_half_precision_does_not_hide_an_error(operator: Any) -> None:
    f = operator(squared, WRONG_RULES["one in a thousand"])
    with pytest.raises(GradcheckError):
        gradcheck(lambda x, h: f(x) * h.sum(), (X, np.ones(2, np.float16)))


def test_one_wrong_output_among_many_with_kinks_is_found(operator: Any) -> None:
    w = rng.uniform(0.5, 1, 300)

    def many(x: Any) -> Any:
        return np.abs(x * w)

    f = operator(many, lambda y_bar, x: (y_bar * 40.0 * (np.arange(300) == 77)).sum())
    with pytest.raises(GradcheckError, match="output 77"):
        gradcheck(f, (np.array(0.0),))


def test_a_rule_wrong_for_cotangents_in_another_memory_order_is_found(operator: Any) -> None:
    def ravel_order(y_bar: Any, x: Any) -> Any:
        flat = np.ravel(plain(y_bar), order="K").reshape(x.shape)  # memory order, not index order
        return 2.0 * flat * x if not hasattr(y_bar, "requires_grad") else 2.0 * y_bar * x

    with pytest.raises(GradcheckError):
        gradcheck(operator(squared, ravel_order), (X,))


def test_what_cannot_be_checked_is_refused() -> None:
    with pytest.raises(TypeError, match="gradcheck: there is no floating input among int64 array"):
        gradcheck(sin, (np.arange(3),))
    with pytest.raises(ValueError, match="gradcheck: order is 3, expected 1 or 2"):
        gradcheck(sin, (X,), order=3)
    with pytest.raises(ValueError, match=r"gradcheck: wrt names inputs \[2\]"):
        gradcheck(sin, (X,), wrt=[2])


def test_a_jump_is_reported_as_not_resolved() -> None:
    U = np.array([[[[3.0, 5.0, 9.0]]]])
    grid = np.array([[[[-0.5, 0.0]]]])  # halfway between two pixels
    report = gradcheck(partial(grid_sample, mode="nearest", align_corners=True), (U, grid))
    assert report.unresolved > 0
    assert "could not be resolved" in str(report)


def test_the_message_names_function_input_index_values_step_and_kink(operator: Any) -> None:
    f = operator(squared, WRONG_RULES["one element"])
    with pytest.raises(GradcheckError) as failure:
        gradcheck(lambda x, y: add(f(x), y), (X, X))
    text = str(failure.value)
    assert "input 0, index (1, 3)" in text
    assert "analytic 0\n" in text
    assert "numeric " in text
    assert "allowed difference" in text
    assert "step 0.03" in text
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


@pytest.mark.parametrize("at", [0.0, 1e-16, -1e-16])
@pytest.mark.parametrize(
    ("slope", "valid"), [(0.0, True), (0.5, True), (1.0, True), (-0.1, False), (1.1, False)]
)
def test_at_a_kink_the_slopes_between_are_valid(operator: Any, at: float, slope: float, valid: bool) -> None:
    def ramp(x: Any) -> Any:
        return np.maximum(x, 0)

    f = operator(ramp, lambda y_bar, x: y_bar * slope)
    report = gradcheck(f, (np.array([at]),), raises=False)
    assert report.passed == valid
    assert report.kinked > 0


@pytest.mark.parametrize("at", [1e-7, -1e-5, 3e-4, 0.02])
def test_a_kink_near_by_is_told_from_one_on_the_point(operator: Any, at: float) -> None:
    def ramp(x: Any) -> Any:
        return np.maximum(x, 0)

    def scaled(slope: float) -> Any:
        return lambda y_bar, x: y_bar * slope

    for slope in (0.0, 0.5, 1.0):
        f = operator(ramp, scaled(slope))
        report = gradcheck(f, (np.array([at]),), raises=False)
        assert report.passed == (slope == (at > 0)), slope


def test_in_low_precision_a_kink_within_its_rounding_counts_as_on_the_point(operator: Any) -> None:
    def ramp(x: Any) -> Any:
        return np.maximum(x - x.dtype.type(1), 0)

    f = operator(ramp, lambda y_bar, x: y_bar * 0.5)
    near = np.array([1 + 2.0**-22])
    assert gradcheck(f, (near.astype(np.float32),), raises=False).passed
    assert not gradcheck(f, (near,), raises=False).passed


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


@pytest.mark.parametrize("position", [*np.geomspace(1e-5, 2, 40), *-np.geomspace(1e-5, 2, 40), 0.0])
def test_no_kink_hides_between_the_rungs(position: float) -> None:
    """Wherever a kink lies, the interval and its error hold the slope on the point's own side."""
    h = first_step(0.0)

    def f(t: Any) -> Any:
        return np.maximum(t - position * h, 0.0)

    found = slopes(np.array([f(0.0)]), np.array([[f(s * h)] for s in STENCIL]), h, noise=1e-16)
    true = 1.0 if position < 0 else 0.0
    assert found.low[0] - found.error[0] <= true <= found.high[0] + found.error[0]
    if abs(position) > 4 * LADDER[-1]:
        assert found.error[0] < 1e-9


@pytest.mark.parametrize("degree", range(6))
def test_inside_a_cell_the_extrapolation_is_exact_up_to_degree_5(degree: int) -> None:
    p = np.polynomial.Polynomial(rng.normal(size=degree + 1))
    h = first_step(0.0)
    noise = 4 * np.finfo(float).eps
    found = slopes(np.array([p(1.0)]), np.array([[p(1.0 + s * h)] for s in STENCIL]), h, noise)
    true = p.deriv()(1.0)
    assert found.low[0] - found.error[0] <= true <= found.high[0] + found.error[0]
    assert found.error[0] < 1e-9


def test_lower_rungs_are_looked_at_only_where_they_tell_more_and_the_slopes_are_those_of_all() -> None:
    """A line, a curve, a kink to the left, a kink on the point, a jump, and a border of the domain."""
    functions = [
        lambda t: 1 + 2 * t,
        lambda t: np.exp(t),
        lambda t: 1 + np.maximum(t, -1e-4),
        lambda t: 1 + np.abs(t),
        lambda t: np.where(t > 0, 2.0, 1.0),
        lambda t: np.where(t >= 0, 1 + t, np.nan),
    ]
    h, noise = np.full((len(functions), 1), first_step(0.0)), 4 * np.finfo(float).eps
    looked = []

    def look(stencil: Any, lines: Any) -> Any:
        looked.append(lines.tolist())
        return np.array([[[float(functions[k](s * h[k, 0]))] for k in lines] for s in stencil])

    f0 = np.array([1.0])
    found = slopes_along(look, f0, h, noise)
    full = slopes(f0, look(STENCIL, np.arange(len(functions))), h, noise)
    assert looked[:2] == [[0, 1, 2, 3, 4, 5], [1, 2, 4, 5]]
    for one, other in ((found.low, full.low), (found.high, full.high), (found.error, full.error)):
        np.testing.assert_array_equal(one, other)
    assert STENCIL[UPPER].tolist() == [1, 0.25, -1, -0.25]


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


def test_a_batch_of_one_is_stacked_too() -> None:
    calls = []

    def each(x: Any) -> Any:
        calls.append(len(x))
        return sin(x)

    assert gradcheck(each, (X[:1],), directions=0).passed
    assert max(calls) >= 16  # every element on every rung in one call
    assert Probe(sin, [X[:1]], None).stacks
    assert not Probe(lambda x: x - x.mean(axis=0), [X[:1]], None).stacks
    assert not Probe(sin, [X[:1]], False).stacks


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


# What a second look found


def test_a_maximum_over_the_batch_is_not_taken_for_independent_items(operator: Any) -> None:
    def without_top(x: Any) -> Any:
        return x - x.max(axis=0, keepdims=True)

    f = operator(without_top, lambda y_bar: y_bar * 1.5)
    for seed in range(10):
        x = np.random.default_rng(seed).normal(size=(4, 1))
        assert not gradcheck(f, (x,), raises=False).passed


def test_second_derivatives_at_kinks_are_not_resolved_and_not_failed() -> None:
    report = gradcheck(lambda x: maximum(x, x * x), (np.array([0.0, 1.0]),), order=2)
    assert report.unresolved > 0
    grid = rng.integers(-2, 3, (1, 2, 2, 2)) / 2.0
    U = rng.normal(size=(1, 1, 3, 3))
    assert gradcheck(partial(grid_sample, align_corners=True, kink="mid"), (U, grid), order=2).passed


def test_very_steep_functions_pass() -> None:
    assert gradcheck(log, (np.array([1e-9, 1.0]),)).passed


def test_a_reproducer_never_tests_another_function() -> None:
    wrapped = grad(lambda x: (x * x).sum())
    assert "from " not in "\n".join(define(wrapped))
    w = 3.0
    assert "put the definition" in define(lambda x: x * w)[0]
    assert define(sin) == ["from stn_ref.ops.elementary import sin as f"]
    lines = define(partial(grid_sample, grid=np.zeros((1, 2)), align_corners=True))
    assert lines[-1] == "f = functools.partial(f, grid=np.array([[0.0, 0.0]], '<f8'), align_corners=True)"


def test_arrays_of_other_byte_orders_and_kinds_are_written_out() -> None:
    for x in (np.array([1.0, 2.0], ">f8"), np.array([True, False]), np.array([1, 2])):
        np.testing.assert_array_equal(eval(literal(x), {"np": np}), x)


@pytest.mark.parametrize("slope", [5.0, 1e-3, 1e-9])
def test_a_slope_where_there_is_none_is_found_at_every_element(operator: Any, slope: float) -> None:
    def steps(x: Any) -> Any:
        return np.floor(x) * 1.0

    f = operator(steps, lambda y_bar: y_bar * slope)
    report = gradcheck(f, (np.array([0.3, 1.6, 2.4]),), raises=False, directions=0)
    assert sorted(m.index for m in report.mismatches) == [(0,), (1,), (2,)]


def test_a_derivative_that_cancels_to_a_rounding_passes() -> None:
    """One pixel and its own copies: the slope is w U - w U, which is a rounding and not exactly 0."""
    setup = Setup(BILINEAR, "border", True, "right")
    U, V = np.array([[[[0.12586719221409828]]]]), np.array([[[[-1.2345909433307036]]]])
    points = np.array([[[[2.916017143412729, 5.887732748215755]]]])
    assert gradcheck(partial(slopes_of, setup=setup), (U, points, V), order=2).passed


def test_tiny_outputs_hide_no_wrong_rule(operator: Any) -> None:
    wrong = operator(lambda x: 1e-30 * np.square(x), lambda y_bar, x: y_bar * x * 2.002e-30)
    with pytest.raises(GradcheckError):
        gradcheck(wrong, (X,))
    lost = operator(lambda x: 1e-30 * np.square(x), lambda y_bar, x: np.abs(y_bar) * x * 2e-30)
    with pytest.raises(GradcheckError):
        gradcheck(lost, (X,))


@pytest.mark.parametrize("batched", [False, True])
def test_a_slope_much_narrower_than_the_first_steps_is_found(operator: Any, batched: bool) -> None:
    """The upper rungs land where the function has its value at the point, so nothing seems to move."""

    def narrow(x: Any) -> Any:
        d = x - np.array([[0.5, 0.25]])
        return 1 + d * np.maximum(1e-3 - np.abs(d), 0)

    x = np.array([[0.5, 0.25], [0.75, 0.25]])
    right = 1e-3 * (x == np.array([[0.5, 0.25]]))
    for wrong in (False, True):
        f = operator(narrow, lambda y_bar, x: y_bar * (0.0 if wrong else right[: len(x)]))  # noqa: B023
        report = gradcheck(f, (x,), batched=batched, directions=0, raises=False)
        found = sorted(m.index for m in report.mismatches)
        assert found == ([(0, 0), (0, 1), (1, 1)] if wrong else [])
