"""From an answer to a verdict: at kinks and ties, at coordinates that are no numbers, and in every dtype."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stn_ref.oracle.truth.aspects import SamplerAspects
from stn_ref.oracle.truth.enclosures import Arithmetic, Enclosure
from stn_ref.oracle.truth.places import Axis, Reading
from stn_ref.oracle.truth.profiles import PROFILES
from stn_ref.oracle.verdicts import WRONG, Verdict, judge


def in_a_row(x, U=(3.0, 5.0, 9.0, 4.0, 1.0), dtype="float64", V_bar=None, profile="paper", **settings):
    """What is right for samples at pixels ``x`` of one row of five."""
    grid = np.stack([np.asarray(x, float) / 2 - 1, np.zeros(len(x))], -1)
    V_bar = np.ones(len(x)) if V_bar is None else np.array(V_bar)
    arrays = {"U": np.array([[[U]]]), "grid": grid[None, None], "V_bar": V_bar[None, None, None]}
    unit, tiny = float(np.finfo(dtype).eps) / 2, float(np.finfo(dtype).tiny)
    how = {"mode": "bilinear", "padding_mode": "zeros", **settings}
    reading = Reading(align_corners=True, profile=PROFILES[profile], unit=unit, **how)
    arrays = {name: array.astype(dtype) for name, array in arrays.items()}
    return SamplerAspects(arrays, reading, Arithmetic(unit, tiny))


def accepts(own, aspect, *answers):
    """Which answers are right for the first number of an aspect."""
    enclosure = own.enclosure(aspect)
    found = []
    for answer in answers:
        got = enclosure.high.copy()
        got.flat[0] = answer
        found.append(bool(enclosure.miss(got).flat[0] <= 1))
    return found


def test_steps_from_pixel_to_pixel_are_right_next_to_a_pixel_too():
    """v + t (w - v) at t = 255/256, an exact coordinate: what is rounded there is not small any more."""
    third, t = np.float32(1 / 3), np.float32(255 / 256)
    own = in_a_row([1 + 255 / 256], (0, third, 0, 0, 0), "float32")
    assert accepts(own, "V", third + t * (0 - third)) == [True]


# Kinks, ties, and coordinates that are no numbers


def test_at_a_kink_every_slope_from_the_left_one_to_the_right_one_is_right():
    own = in_a_row([1])  # slopes 2 and 4 in pixels
    right, left, mid, between = 8, 4, 6, 5.5
    paper, both, none, below, above = 2 * 5, 12, 0, 3.999, 8.001
    assert all(accepts(own, "grid_bar", right, left, mid, between))
    assert not any(accepts(own, "grid_bar", paper, both, none, below, above, np.nan))


@pytest.mark.parametrize(("padding", "right"), [("zeros", -2), ("border", 0), ("reflection", 6)])
def test_at_the_last_pixel_the_right_slope_is_that_of_the_padding(padding, right):
    own = in_a_row([4], padding_mode=padding)
    assert all(accepts(own, "grid_bar", -6, right, (right - 6) / 2))
    assert not any(accepts(own, "grid_bar", -6.001, right + 0.001, 8))


def test_away_from_a_kink_there_is_one_slope():
    own = in_a_row([1.25])
    assert accepts(own, "grid_bar", 8, 8 * (1 + 2.0**-52), 4, 6, 0) == [True, True, False, False, False]


@pytest.mark.parametrize("profile", ["paper", "torch", "jax"])
def test_at_a_tie_each_neighbour_is_right_and_nothing_between(profile):
    own = in_a_row([1.5], mode="nearest", profile=profile)
    assert accepts(own, "V", 5, 9, 7, 5.5, 3, 0) == [True, True, False, False, False, False]
    assert accepts(own, "grid_bar", 0, 1e-30) == [True, False]
    assert accepts(in_a_row([1.25], mode="nearest"), "V", 5, 9) == [True, False]


def test_the_cotangent_goes_to_one_neighbour_of_a_tie_or_the_other():
    own = in_a_row([1.5], mode="nearest", V_bar=[8.0])
    for answer, right in (([0, 8, 0, 0, 0], True), ([0, 0, 8, 0, 0], True), ([8, 0, 0, 0, 0], False)):
        assert (own.enclosure("U_bar").miss(np.array([[[answer]]])) <= 1).all() == right


def test_huge_coordinates_have_one_answer_without_mirrors_and_any_finite_one_with_them():
    for padding, value in (("zeros", 0), ("border", 1)):
        own = in_a_row([1e300], padding_mode=padding)
        assert accepts(own, "V", value, value + 1e-14, 7, np.nan) == [True, False, False, False]
        assert accepts(own, "grid_bar", 0, 1e-14) == [True, False]
        assert accepts(own, "U_bar", 0, 1e-300) == [True, False]
    own = in_a_row([1e300], padding_mode="reflection")
    assert accepts(own, "V", 3, -77, np.nan, np.inf) == [True, True, False, False]
    assert accepts(own, "U_bar", 5, np.nan) == [True, False]


@pytest.mark.parametrize(
    ("profile", "x", "V", "U_bar"),
    [  # of the answers 0, 3, 7 and NaN those that are right
        ("paper", np.nan, [False, False, False, True], [True, False, False, False]),
        ("paper", -np.inf, [True, False, False, False], [True, False, False, False]),
        ("torch", np.nan, [True, True, True, True], [True, True, True, False]),
        ("torch", -np.inf, [True, True, True, True], [True, True, True, False]),
    ],
)
def test_coordinates_that_are_not_finite(profile, x, V, U_bar):
    own = in_a_row([x, 1.25], profile=profile)
    assert accepts(own, "V", 0, 3, 7, np.nan) == V
    assert accepts(own, "U_bar", 0, 3, 7, np.nan) == U_bar
    assert accepts(own, "grid_bar", 0, np.nan) == [True, True]
    second = own.enclosure("V").miss(np.array([[[[0.0, 6.5]]]])).flat[1]  # 6 is right
    assert second > 1


@pytest.mark.parametrize(("profile", "accepted"), [("paper", False), ("torch", True)])
def test_a_pixel_without_weight_is_noticed_or_not_by_profile(profile, accepted):
    own = in_a_row([1], (3.0, 5.0, np.inf, 4.0, 1.0), profile=profile)  # exactly on its left neighbour
    assert accepts(own, "V", 5, np.nan) == [True, accepted]
    assert accepts(in_a_row([3.5], (3.0, np.nan, 2.0, 4.0, 1.0)), "V", 2.5, np.nan) == [True, False]
    assert all(accepts(in_a_row([1.5], (3.0, 5.0, np.inf, 4.0, 1.0)), "V", np.inf, np.nan))


def test_with_one_cell_instead_of_two_left_slopes_would_be_called_wrong(monkeypatch):
    choose = Axis._choose

    def first_only(self):
        choose(self)
        self.cells, self.places = self.cells[:1], self.places[:1]

    monkeypatch.setattr(Axis, "_choose", first_only)
    assert accepts(in_a_row([1]), "grid_bar", 8, 4) == [True, False]


# Verdicts


def known(high, *, low=0.0, slack=0.0, **more):
    """Of one number or several."""
    high = np.atleast_1d(np.array(high, float))
    no = np.zeros(high.shape, bool)
    fields = {"below": 0 * high, "above": 0 * high, "kinks": no, "choices": high[None]}
    fields |= {"free": no, "finite": no, "nonfinite": no}
    return Enclosure(high, high * 0 + low, slack=high * 0 + slack, **{**fields, **more})


def verdict(got, enclosure, aspect="V", dtype="float64", **more):
    return judge(aspect, np.atleast_1d(np.array(got, dtype)), enclosure, dtype, **more)


def test_the_nearest_number_is_exact_and_one_within_its_bound_passes():
    third = known(1 / 3, slack=1e-15)
    assert verdict(1 / 3, third).verdict is Verdict.EXACT
    beside = verdict(np.nextafter(1 / 3, 1), third)
    assert (beside.verdict, beside.ulps) == (Verdict.PASS, 1)
    assert beside.ratio == pytest.approx(2.0**-54 / 1e-15)
    assert verdict(1 / 3 + 2e-15, third).verdict is Verdict.FAIL_VALUE


@pytest.mark.parametrize("aspect", WRONG)
def test_each_aspect_has_its_failure(aspect):
    finding = judge(aspect, np.array([1.0, 2.5]), known([1, 2], slack=0.25), "float64")
    assert finding.verdict is WRONG[aspect]
    assert finding.verdict.failing
    assert (finding.ratio, finding.where, finding.got, finding.expected) == (2, (1,), 2.5, (1.75, 2.25))


@pytest.mark.parametrize("bound", ["slack", "above"])
def test_a_bound_that_is_no_number_lets_nothing_pass(bound):
    unknown = known(1, **{bound: np.array([np.nan])})
    assert not verdict(7, unknown).verdict.passing


@pytest.mark.parametrize("got", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_a_failure_of_its_own_unless_it_must_be(got):
    assert verdict([1, got], known([1, 2], slack=9)).verdict is Verdict.FAIL_NONFINITE
    must = known([1, 2], nonfinite=np.array([False, True]))
    assert verdict([1, got], must).verdict is Verdict.EXACT
    assert verdict([1, 2], must).verdict is Verdict.FAIL_NONFINITE
    assert verdict([3, got], must).verdict is Verdict.FAIL_VALUE


def test_where_nothing_can_be_said_nothing_is_said():
    anything, finite = known([1, 2], free=True), known([1, 2], finite=True)
    assert verdict([7, np.nan], anything).verdict is Verdict.UNDECIDED
    assert verdict([7, 8], finite).verdict is Verdict.UNDECIDED
    assert verdict([7, np.inf], finite).verdict is Verdict.FAIL_NONFINITE
    partly = known([1, 2], free=np.array([True, False]))
    assert [verdict([7, v], partly).verdict for v in (2, 3)] == [Verdict.EXACT, Verdict.FAIL_VALUE]


def test_shape_and_dtype_must_be_those_of_the_answer():
    one = known([1, 2])
    for got in (np.array([1.0]), np.array([[1.0, 2.0]]), np.array([1, 2]), np.array([1, 2], np.float32)):
        finding = judge("V", got, one, "float64")
        assert finding.verdict is Verdict.FAIL_SHAPE
        assert "expected" in finding.detail
    assert judge("V", [1.0, 2.0], one, "float64").verdict is Verdict.EXACT
    assert judge("V", np.zeros((0, 2)), known(np.zeros((0, 2))), "float64").verdict is Verdict.EXACT


BETWEEN = {
    "below": np.array([2.0]),
    "above": np.array([0.0]),
    "kinks": np.array([True]),
    "choices": np.array([[4.0], [2.0]]),
}
BRANCHES = {
    "right": np.array([4.0]),
    "left": np.array([2.0]),
    "mid": np.array([3.0]),
    "paper": np.array([5.0]),
}


@pytest.mark.parametrize(
    ("got", "expected", "branch"),
    [
        (4, Verdict.PASS_SET, "right"),
        (2, Verdict.PASS_SET, "left"),
        (3, Verdict.PASS_SET, "mid"),
        (3.5, Verdict.PASS_SET, "mixed"),
        (5, Verdict.FAIL_GRAD, "paper"),
        (1, Verdict.FAIL_GRAD, "mixed"),
    ],
)
def test_the_branch_at_a_kink_is_named(got, expected, branch):
    finding = verdict(got, known(4, slack=1e-9, **BETWEEN), "grid_bar", branches=BRANCHES)
    assert (finding.verdict, finding.branch) == (expected, branch)


def test_branches_that_agree_are_all_named_and_equal_ones_none():
    both = {**BRANCHES, "zero": np.array([4.0])}
    assert verdict(4, known(4, slack=1e-9, **BETWEEN), branches=both).branch == "right or zero"
    flat = known(4, slack=1e-9, **{**BETWEEN, "choices": np.array([[4.0], [4.0]])})
    assert verdict(4, flat, branches=BRANCHES).branch == ""


def test_an_enclosure_may_leave_out_where_anything_goes():
    """As its defaults say; so a judge must take False for an array of it."""
    enclosure = known(4, slack=1e-9, free=False, finite=False, nonfinite=False, **BETWEEN)
    assert verdict(2, enclosure, "grid_bar", branches=BRANCHES).branch == "left"


def test_a_strict_judge_lets_one_branch_pass():
    right = known(4, slack=1e-9, **BETWEEN)
    for only, got, expected in (("right", 4, "PASS_SET"), ("right", 2, "FAIL_GRAD"), ("left", 2, "PASS_SET")):
        finding = verdict(got, right, "grid_bar", branches=BRANCHES, only_branch=only)
        assert finding.verdict.value == expected
    assert (
        "it takes left, expected right"
        in verdict(2, right, "grid_bar", branches=BRANCHES, only_branch="right").detail
    )


def test_every_verdict_is_passing_failing_or_neither():
    neither = {Verdict.CONVENTION, Verdict.UNSUPPORTED, Verdict.UNDECIDED}
    for one in Verdict:
        assert one.passing + one.failing + (one in neither) == 1
        assert one.value == one.name


# Exactness


@settings(max_examples=150)
@given(
    st.fractions(-100, 100) | st.integers(-(2**30), 2**30).map(lambda n: Fraction(2 * n + 1, 2**25)),
    st.sampled_from(["float16", "float32", "float64"]),
)
def test_exact_is_the_nearest_number_of_the_dtype(exact, dtype):
    high = float(exact)
    low = float(exact - Fraction(high))
    kind = np.dtype(dtype).type
    around = kind(high)
    floats = [
        kind(v) for v in (np.nextafter(around, kind(-np.inf)), around, np.nextafter(around, kind(np.inf)))
    ]
    distances = [abs(Fraction(float(v)) - exact) for v in floats]
    for value, distance in zip(floats, distances):
        is_exact = verdict(value, known(high, low=low, slack=1e9), dtype=dtype).verdict is Verdict.EXACT
        assert is_exact == (distance == min(distances)) or distances.count(min(distances)) == 2


def test_a_tie_of_float16_is_decided_by_what_lies_far_below():
    tie = 1 + 2.0**-11
    for low, nearest in ((2.0**-70, 1 + 2.0**-10), (-(2.0**-70), 1), (0, 1)):
        enclosure = known(tie, low=low, slack=1)
        assert verdict(nearest, enclosure, dtype="float16").verdict is Verdict.EXACT
        other = 2 + 2.0**-10 - nearest
        assert verdict(other, enclosure, dtype="float16").verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("dtype", "largest"), [("float16", 65504.0), ("float32", float(np.finfo("float32").max))]
)
def test_beyond_the_largest_number_of_a_dtype_infinity_is_right(dtype, largest):
    beyond = known(1.5 * largest, slack=1e-3 * largest)
    assert verdict(np.inf, beyond, dtype=dtype).verdict.passing
    assert verdict(-np.inf, beyond, dtype=dtype).verdict.failing
    assert verdict(np.inf, known(0.5 * largest, slack=1e-3 * largest), dtype=dtype).verdict.failing


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_ulps_count_steps_of_the_dtype(dtype):
    kind = np.dtype(dtype).type
    for steps in (0, 1, 3):
        got = kind(1) + steps * np.finfo(dtype).eps
        assert verdict(got, known(1, slack=1), dtype=dtype).ulps == steps
    some = known(
        [1, 1, 1], slack=9, free=np.array([True, False, False]), kinks=np.array([False, True, False])
    )
    assert verdict([3, 2, 1], some, dtype=dtype).ulps == 0


def test_the_worst_number_is_the_one_shown():
    finding = verdict([1, 9, 5], known([1, 2, 3], slack=[0, 1, 0.25]))
    assert (finding.where, finding.ratio, finding.got) == ((2,), 8, 5)
    assert verdict([[1, 2], [3, 4]], replace(known([[1, 2], [3, 5]]), slack=np.zeros((2, 2)))).where == (1, 1)
