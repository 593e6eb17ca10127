"""The oracle's test of itself: it holds, and it would not with a mistake in the oracle."""

import re
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from stn_ref.faults import FAULTS
from stn_ref.oracle import checker, selftest
from stn_ref.oracle.adapters import load
from stn_ref.oracle.checker import CLAIMS, all_cases
from stn_ref.oracle.interview import Judge
from stn_ref.oracle.selftest import Line, both_ways_agree, caught, conforms, false_alarms, kink_sides
from stn_ref.oracle.truth.enclosures import Arithmetic, Enclosure
from stn_ref.oracle.truth.literal import LiteralSample
from stn_ref.oracle.truth.places import Axis
from stn_ref.oracle.truth.profiles import PROFILES

POINTS = 2**9


@pytest.fixture
def judge():
    return Judge(PROFILES["paper"])


SETTINGS = {"dims": (2,), "dtypes": ("float64",), "modes": ("nearest", "bilinear", "bicubic")}
ASKED = "^(kinks/bilinear/zeros|ties/nearest|quarters/bicubic/zeros|affine-singleton|affine-random)/"
EVERYTHING = all_cases({**CLAIMS, **SETTINGS, "methods": ("affine_grid",)}, "quick")
FEW = [case for case in EVERYTHING if re.match(ASKED, case.id)]


@pytest.fixture(autouse=True)
def _few_questions(monkeypatch):
    """So that each check is short."""
    monkeypatch.setattr(checker, "all_cases", lambda about, level, seed: FEW)
    monkeypatch.setattr(selftest, "all_cases", lambda about, level: FEW)


def passed(lines):
    return [line.passed for line in lines]


def test_no_false_alarms_and_no_escapes():
    lines = list(false_alarms(POINTS))
    assert passed(lines) == [True] * 4
    assert f"0 of {POINTS} points failed" in lines[0].detail


def test_random_points_are_as_many_as_were_asked_for():
    points = 3 * 2**17 + 5
    sizes = [case.arrays["grid"][..., 0].size for case in selftest._random_cases(points, "float32")]
    assert sum(sizes) >= points
    assert sum(sizes) - points <= 6 * selftest.MOST_SCATTERED


def test_sides_of_kinks():
    lines = list(kink_sides())
    assert passed(lines) == [True] * 4
    assert ["passes" in line.demand for line in lines] == [True, True, True, False]


@pytest.mark.parametrize(
    ("name", "demand"),
    [
        ("sign-of-eq7", "is caught"),
        ("missing-sum", "is caught"),
        ("ties-half-even", "is the convention of torch"),
        ("ties-half-away", "is the convention of jax"),
        ("cubic-a", "is the convention of jax"),
        ("singleton-minus-one", "is the convention of onnx"),
    ],
)
def test_a_mistake_is_caught_and_a_convention_is_called_one(name, demand, judge):
    line = caught(FAULTS[name], judge)
    assert line.passed, str(line)
    assert line.demand == f"{name} {demand}"


def test_a_right_backend_conforms_and_a_wrong_one_does_not(judge, monkeypatch):
    monkeypatch.setattr(checker, "matches", lambda *given: ())
    monkeypatch.setattr(checker, "MOST_REPRODUCERS", 0)
    left = load("stn_ref")
    assert conforms(left, judge).passed
    left.kink = "paper"
    assert not conforms(left, judge).passed


def test_a_line_says_whether_it_holds():
    assert str(Line("this holds", True, "3 of 3")) == "ok  this holds: 3 of 3"
    assert str(Line("this does not", False, "0 of 3")) == "NOT this does not: 0 of 3"


# Mistakes in the oracle


def without_reach(monkeypatch, factor):
    right = Axis._uncertainty
    monkeypatch.setattr(Axis, "_uncertainty", lambda *a: (factor * right(*a)[0], right(*a)[1]))


def test_coordinates_that_are_taken_as_exact_raise_false_alarms(monkeypatch):
    without_reach(monkeypatch, 0)
    alarms = [line for line in false_alarms(POINTS) if "false alarms" in line.demand]
    assert passed(alarms) == [False, False]


def test_sums_that_are_taken_as_exact_raise_false_alarms(monkeypatch):
    monkeypatch.setattr(Arithmetic, "gamma", lambda self, k: 0 * k)
    assert not all(passed(line for line in false_alarms(POINTS) if "false alarms" in line.demand))


def test_coordinates_that_may_lie_anywhere_let_a_wrong_factor_escape(monkeypatch):
    without_reach(monkeypatch, 1e6)
    _, factor = islice(false_alarms(POINTS), 2)
    assert (factor.demand, factor.passed) == ("a factor 1.0001 never passes in float32", False)


def test_one_cell_at_a_kink_fails_the_left_slope(monkeypatch):
    right = Axis._choose

    def first_only(axis):
        right(axis)
        axis.cells, axis.places = axis.cells[:1], axis.places[:1]

    monkeypatch.setattr(Axis, "_choose", first_only)
    demands = {line.demand.split()[5]: line.passed for line in kink_sides()}
    assert not demands["left"]


def test_a_set_that_holds_everything_lets_the_letter_of_eq_7_pass(monkeypatch):
    monkeypatch.setattr(Enclosure, "miss", lambda self, got: np.zeros(got.shape))
    assert passed(kink_sides())[-1] is False


def test_another_slope_in_one_of_the_exact_ways_is_noticed(monkeypatch, judge):
    assert both_ways_agree(judge).passed
    right = LiteralSample.aspect
    monkeypatch.setattr(LiteralSample, "aspect", lambda self, name: [2 * v for v in right(self, name)])
    line = both_ways_agree(judge)
    assert not line.passed
    assert int(line.detail.split()[0]) > 3


def test_a_mistake_that_nobody_notices_is_reported(monkeypatch, judge):
    monkeypatch.setattr(Enclosure, "miss", lambda self, got: np.zeros(got.shape))
    line = caught(FAULTS["sign-of-eq7"], judge)
    assert (line.passed, line.detail) == (False, "nothing is noticed")
    convention = replace(FAULTS["sign-of-eq7"], convention="torch")
    assert not caught(convention, judge).passed
