"""A known mistake is named, that one and no other; an unknown one is not."""

from dataclasses import replace

import numpy as np
import pytest

from stn_ref.faults import FAULTS, Plain
from stn_ref.oracle import Backend, check, matching
from stn_ref.oracle.backend import Unsupported
from stn_ref.oracle.interview import Claims, Evidence, Judge, asks
from stn_ref.oracle.isolation import worker
from stn_ref.oracle.questions.cases import Setting, make_case
from stn_ref.oracle.truth.profiles import PROFILES

BILINEAR = "^(random|kinks|collisions)/bilinear/(zeros|reflection)/corners"
BOTH_CONVENTIONS = "^quarters/bilinear/zeros"
AFFINE = "^affine"


@pytest.fixture(autouse=True)
def _fewer_answers(monkeypatch):
    """Compared, so that these tests are short."""
    monkeypatch.setattr(matching, "MOST", 12)


@pytest.fixture(scope="module")
def judge():
    """One for all, which works out what is right only once."""
    return Judge(PROFILES["paper"])


def named(implementation, judge, only=BILINEAR, **claims):
    """The mistakes that a check of a backend with this code names, asked no more than is needed."""
    narrow = {"dims": (2,), "dtypes": ("float64",), "modes": ("bilinear",), **claims}
    backend = type(implementation.__name__, (implementation, Backend), {**narrow, "name": "mine"})()
    report = check(backend, isolated=False, judge=judge, only=only, explain=False)
    results = [result for result in report.results if result.evidence is not None]
    return [match.fault for match in matching.matches(results, judge, Claims.of(worker.about(backend)))]


@pytest.mark.parametrize(
    ("name", "only"),
    [
        ("xy-swap", BILINEAR),
        ("align-swap", BOTH_CONVENTIONS),
        ("missing-half-pixel", BOTH_CONVENTIONS),
        ("w-over-2", BOTH_CONVENTIONS),
        ("all-positive", BILINEAR),
        ("sign-of-eq7", BILINEAR),
        ("assign-for-accumulate", BILINEAR),
        ("border-derivative-kept", "^(quarters|collisions)/bilinear/border"),
        ("reflect-missing-sign", BILINEAR),
        ("missing-mixed-term", BILINEAR),
    ],
)
def test_a_known_mistake_is_named_and_no_other(name, only, judge):
    assert named(FAULTS[name].implementation, judge, only) == [name]


def test_a_mistake_that_gives_right_answers_is_not_every_mistake_that_gives_right_answers(judge):
    """The values are right, an argument was written to: what is right too explains nothing."""
    assert set(named(FAULTS["overwrites-input"].implementation, judge, "^quarters/bilinear/zeros")) <= {
        "overwrites-input"
    }


@pytest.mark.parametrize("name", ["theta-transposed", "missing-sum"])
def test_so_is_one_in_the_affine_grid(name, judge):
    assert named(FAULTS[name].implementation, judge, AFFINE) == [name]


def test_one_that_shows_in_one_mode_only_is_named(judge):
    found = FAULTS["cubic-tap-derivative"].implementation
    modes = {"modes": ("bilinear", "bicubic")}
    assert named(found, judge, "^quarters/bi.*/zeros", **modes) == ["cubic-tap-derivative"]


class Tilted(Plain):
    """A mistake that nobody has made."""

    def bilinear(self, t, order):
        near, far = super().bilinear(t, order)
        return [near * 1.25, far * 0.75] if order else [near, far]


class TwoAtOnce(FAULTS["sign-of-eq7"].implementation, FAULTS["assign-for-accumulate"].implementation):
    """Two known ones, of which neither explains nine in ten of what is wrong."""


@pytest.mark.parametrize("unknown", [Tilted, TwoAtOnce])
def test_an_unknown_mistake_is_not_named(unknown, judge):
    assert named(unknown, judge) == []


def test_a_right_backend_makes_no_mistake(judge):
    assert named(Plain, judge) == []


def test_a_mistake_that_explains_all_failures_but_spoils_what_is_right_is_not_named(judge):
    """Wrong at one kind of question only; the known mistake would be wrong at others too."""

    class SometimesSwapped(Plain):
        def grid_sample_vjp(self, U, grid, V_bar, **settings):
            swapped = U.shape[1] == 2  # that of `collisions`
            kind = FAULTS["components-swapped"].implementation if swapped else Plain
            return kind().grid_sample_vjp(U, grid, V_bar, **settings)

    assert named(SometimesSwapped, judge) == []
    assert named(SometimesSwapped, judge, "^collisions/bilinear") == ["components-swapped"]


def test_a_match_says_how_much_it_explains(judge):
    claims = {"dims": (2,), "dtypes": ("float64",), "modes": ("bilinear",)}
    kind = type("Mine", (FAULTS["w-over-2"].implementation, Backend), claims)
    report = check(kind(), isolated=False, judge=judge, only="^quarters/bilinear/zeros")
    [match] = report.matches
    assert match.sentence == FAULTS["w-over-2"].sentence
    assert match.matched == match.failing == min(len(report.failures), matching.MOST)
    assert "w-over-2" in str(report)


def test_answers_are_compared_to_rounding_in_the_dtype_of_the_question(judge):
    """A mistake made in float32 is the same one."""
    wrong = FAULTS["missing-half-w"].implementation
    assert named(wrong, judge, "^quarters/bilinear/zeros", dtypes=("float32",)) == ["missing-half-w"]


class SlightlyOff(Plain):
    """Wrong, but so little that in float16 it is a rounding away from what is right."""

    def grid_sample(self, U, grid, **settings):
        return (super().grid_sample(U, grid, **settings) * (1 + 2**-6)).astype(U.dtype)

    def grid_sample_vjp(self, U, grid, V_bar, **settings):
        raise Unsupported("values only")


def test_in_float16_a_mistake_that_is_right_there_explains_nothing(judge):
    """Those of gradients give the right values, which are near all these wrong ones."""
    assert named(SlightlyOff, judge, dtypes=("float16",)) == []


def test_in_float16_a_mistake_that_is_wrong_there_is_named(judge):
    assert named(FAULTS["xy-swap"].implementation, judge, dtypes=("float16",)) == ["xy-swap"]


def test_a_mistake_must_be_wrong_where_the_backend_is(judge):
    case = make_case("quarters", Setting("bilinear", "zeros", True, "float64", 2))
    evidence, claims = Evidence(case, asks(case)[0], ""), Claims()
    fault = FAULTS["sign-of-eq7"]  # whose values are right
    for got in (judge.known(evidence, claims)[0].high, judge.known(evidence, claims)[0].high + 1):
        assert not matching._explains(replace(evidence, got=got), fault, np.array(2.0), judge, claims)
    swapped = FAULTS["xy-swap"]
    got = matching._answer(evidence, swapped)
    assert matching._explains(replace(evidence, got=got), swapped, np.array(0.0), judge, claims)


def test_an_answer_of_another_shape_agrees_with_nobody(judge):
    case = make_case("quarters", Setting("bilinear", "zeros", True, "float64", 2))
    evidence = Evidence(case, asks(case)[0], "", np.zeros(3))
    assert not matching._explains(evidence, FAULTS["xy-swap"], np.full(3, np.inf), judge, Claims())


def test_many_answers_are_thinned_out_evenly():
    some = list(range(100))
    kept = matching._spread(some)
    assert len(kept) <= matching.MOST
    assert kept[0] == 0
    assert kept[-1] > 90
    assert matching._spread(some[:5]) == some[:5]


def test_dangerous_mistakes_are_never_run(monkeypatch, judge):
    ran = []
    right = matching._answer
    monkeypatch.setattr(matching, "_answer", lambda e, fault: ran.append(fault.name) or right(e, fault))
    assert named(FAULTS["sign-of-eq7"].implementation, judge, "^quarters/bilinear/zeros") == ["sign-of-eq7"]
    assert "xy-swap" in ran
    assert not {name for name in ran if FAULTS[name].dangerous or FAULTS[name].equivalent}
