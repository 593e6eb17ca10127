"""The main function: what it asks, when it ends, and that no known mistake gets past it."""

from functools import cache

import numpy as np
import pytest

from stn_ref.faults import FAULTS, Plain
from stn_ref.faults.system import Crashes, Hangs
from stn_ref.oracle import Backend, BackendNotLoaded, Unsupported, Verdict, check, checker
from stn_ref.oracle.adapters import load
from stn_ref.oracle.interview import Judge
from stn_ref.oracle.truth.profiles import PROFILES

KINKS = "^kinks/bilinear/zeros/.*/float64/2d"


class Right(Plain, Backend):
    dims = (2,)
    dtypes = ("float64",)


class SignWrong(FAULTS["sign-of-eq7"].implementation, Backend):
    dims = (2,)
    dtypes = ("float64",)


@cache
def cases_of(claims, level, seed, make=checker.all_cases):
    return make(dict(claims), level, seed)


@pytest.fixture(autouse=True)
def _questions_are_made_once(monkeypatch):
    def made(about, level, seed):
        return cases_of(tuple((name, about[name]) for name in (*checker.CLAIMS, "methods")), level, seed)

    monkeypatch.setattr(checker, "all_cases", made)


@pytest.fixture(scope="module")
def judge():
    """One for all, which works out what is right only once."""
    return Judge(PROFILES["paper"])


def quick(backend, judge=None, only=KINKS, **settings):
    return check(backend, judge=judge, only=only, **{"isolated": False, "explain": False, **settings})


def families(report):
    return {result.case.split("/")[0] for result in report.results if result.aspect}


def narrow(backend, **claims):
    """The same backend, claiming less, so that it is asked less."""
    for name, values in claims.items():
        setattr(backend, name, values)
    return backend


def faulty(implementation, **claims):
    """A backend with a known mistake."""
    claims = {"dims": (2,), "dtypes": ("float64",), **claims}
    return narrow(type("Faulty", (implementation, Backend), {})(), **claims)


def test_right_backends_conform(judge):
    """Two that share no code, in single and double precision."""
    only = "^(kinks|one-ulp|affine-.*)/"
    for backend, dtype in ((load("stn_ref"), "float32"), (type("P", (Plain, Backend), {})(), "float64")):
        report = quick(narrow(backend, dims=(2,), dtypes=(dtype,)), judge, only)
        assert report.conforms, str(report)
        assert len(report.results) > 150


@pytest.mark.parametrize(
    ("family", "mode"), [("large-and-small-numbers", "bilinear"), ("many-channels", "bicubic")]
)
def test_half_precision_conforms_where_it_overflows(family, mode):
    """Right answers beyond 65504 are infinite."""
    claims = {"dims": (2,), "dtypes": ("float16",), "modes": (mode,), "padding_modes": ("border",)}
    report = quick(narrow(load("stn_ref"), **claims), only=f"^{family}/.*/corners", level="full")
    assert report.conforms, str(report)


def test_only_what_the_expression_matches_is_asked(judge):
    assert families(quick(Right(), judge)) == {"kinks"}
    report = quick(Right(), judge, "^(ties|quarters)/nearest/border/edges")
    assert {r.case for r in report.results if r.aspect} == {
        "ties/nearest/border/edges/float64/2d",
        "quarters/nearest/border/edges/float64/2d",
    }
    nothing = quick(Right(), judge, "no such case")
    assert not nothing.conforms
    assert "no answer could be found right" in str(nothing)


def test_settings_that_are_not_claimed_are_unsupported(judge):
    class Small(Right):
        modes = ("bilinear",)
        padding_modes = ("zeros", "border")
        align_corners = (True,)

    report = quick(Small(), judge)
    unclaimed = {r.case for r in report.results if r.verdict is Verdict.UNSUPPORTED}
    claims = "modes=nearest modes=bicubic padding_modes=reflection align_corners=False dims=3"
    assert unclaimed == {*claims.split(), "dtypes=float16", "dtypes=float32"}
    assert report.conforms


def test_a_reason_for_not_doing_something_is_reported(judge):
    class NoEdges(Right):
        def grid_sample(self, U, grid, *, align_corners, **settings):
            if not align_corners:
                raise Unsupported("corners only")
            return super().grid_sample(U, grid, align_corners=align_corners, **settings)

    report = quick(NoEdges(), judge)
    [reason] = {r.finding.detail for r in report.results if r.verdict is Verdict.UNSUPPORTED and r.aspect}
    assert reason == "corners only"
    assert report.conforms


def test_the_first_failure_ends_it(judge):
    whole, first = (
        quick(SignWrong(), judge, "/bilinear/zeros/", first_failure=stop) for stop in (False, True)
    )
    assert len(first.results) < len(whole.results)
    assert len({r.case for r in first.failures}) == 1
    assert first.results[-1].case == first.failures[0].case == whole.failures[0].case


def test_explanations_are_given_unless_they_are_not_wanted(judge, monkeypatch):
    monkeypatch.setattr(checker, "MOST_REPRODUCERS", 2)
    plain = quick(SignWrong(), judge)
    assert (plain.matches, plain.reproducers) == ((), {})
    told = quick(SignWrong(), judge, KINKS.replace(".*", "edges"), explain=True)
    assert [match.fault for match in told.matches] == ["sign-of-eq7"]
    scripts = {told.reproducer(result) for result in told.failures} - {""}
    assert len(scripts) == 2
    assert all(f"from {__name__} import SignWrong" in script for script in scripts)
    assert quick(Right(), judge, explain=True).matches == ()


def test_the_seed_changes_what_is_random():
    seen = []

    class Listens(Right):
        def grid_sample(self, U, grid, **settings):
            seen.append(U.tobytes())
            return super().grid_sample(U, grid, **settings)

    for seed in (0, 0, 1):
        report = quick(Listens(), only="^random/bilinear/zeros/corners", seed=seed)
        assert report.seed == seed
        assert report.conforms
    third = len(seen) // 3
    assert seen[:third] == seen[third : 2 * third] != seen[2 * third :]


def test_a_judge_that_knows_the_cases_of_one_seed_is_no_judge_of_another(judge):
    """The names of the cases are the same, the questions are not."""
    backend, only = Right(), "^random/bilinear/zeros/corners"
    assert quick(backend, judge, only, seed=0).conforms
    assert quick(backend, judge, only, seed=1).conforms


def test_progress_counts_cases(judge):
    seen = []
    report = quick(SignWrong(), judge, progress=lambda *state: seen.append(state))
    assert [state[:2] for state in seen] == [(1, 2), (2, 2)]
    assert sum(r.verdict.failing for _, _, found in seen for r in found) == len(report.failures)


def test_two_exact_ways_that_disagree_are_our_own_failure(monkeypatch, judge):
    from stn_ref.oracle import agreement

    monkeypatch.setattr(agreement, "LiteralSample", OffByOne)
    report = quick(Right(), judge, "^random/bilinear/zeros/corners", level="full")
    doubtful = [r for r in report.results if r.verdict is Verdict.ORACLE_DISAGREE]
    assert {r.aspect for r in doubtful} == {"V", "grid_bar", "V_dot", "second.grid", "second.V_bar"}
    assert not report.conforms


class OffByOne:
    def __init__(self, *question):
        pass

    def aspect(self, name):
        return [10**9] * 3


def test_a_crash_and_a_hang_are_verdicts_and_the_check_goes_on(judge):
    only = "^(empty-batch|kinks)/nearest/zeros/corners/float64/2d"
    crashed = quick(faulty(Crashes), judge, only, isolated=True)
    assert {r.case.split("/")[0] for r in crashed.failures} == {"empty-batch"}
    assert {r.verdict for r in crashed.failures} == {Verdict.CRASH}
    assert {r.verdict for r in crashed.results if r.case.startswith("kinks")} <= {Verdict.EXACT, Verdict.PASS}
    assert "SIGABRT" in crashed.failures[0].finding.detail
    only = "^(kinks|largest)/nearest/reflection/corners/float64/2d"
    hung = quick(faulty(Hangs), judge, only, isolated=True, time_limit=0.3)
    assert {r.case.split("/")[0] for r in hung.failures} == {"largest"}
    assert {r.verdict for r in hung.failures} == {Verdict.TIMEOUT}
    assert any(r.verdict.passing for r in hung.results if r.case.startswith("kinks"))


def test_a_backend_by_its_name_is_isolated(judge):
    report = quick("stn_ref.oracle.adapters.ours:StnRef", judge, isolated=False)
    assert report.conforms
    assert report.backend["name"] == "stn_ref"
    with pytest.raises(BackendNotLoaded, match="no_such_module"):
        quick("no_such_module:Class")


def test_wrong_settings_are_refused(judge):
    with pytest.raises(ValueError, match="level"):
        quick(Right(), level="thorough")
    with pytest.raises(ValueError, match="profile"):
        quick(Right(), profile="tensorflow")
    with pytest.raises(TypeError):
        check(Plain())


def test_strict_and_profile_reach_the_judge():
    left = narrow(load("stn_ref"), kink="left", dims=(2,), dtypes=("float64",))
    assert quick(left).conforms
    assert not quick(left, strict=True).conforms
    ties = "^ties/nearest/zeros/corners/float64/2d"
    assert quick(Right(), only=ties, strict=True).conforms
    assert not quick(Right(), only=ties, strict=True, profile="torch").conforms
    assert quick(Right(), only=ties, profile="torch").conforms


def test_a_summary_can_be_an_assertion(judge):
    quick(Right(), judge).raise_if_wrong()
    with pytest.raises(AssertionError, match="does not conform"):
        quick(SignWrong(), judge).raise_if_wrong()


# Every known mistake


CAUGHT = [
    fault
    for fault in FAULTS.values()
    if not (fault.dangerous or fault.equivalent or fault.convention or fault.theme == "splines")
]


@pytest.mark.parametrize("fault", CAUGHT, ids=lambda fault: fault.name)
def test_no_known_mistake_conforms(fault, judge):
    """Although it is asked only about what it has to do with."""
    in_the_grid = fault.theme == "theta" or fault.name == "align-in-sampler-only"
    cubic = fault.theme == "cubic" or fault.name == "clamp-centre-for-cubic"
    modes = (
        ("bicubic",) if cubic else ("bilinear",) if fault.theme == "gradients" else ("nearest", "bilinear")
    )
    backend = faulty(fault.implementation, modes=modes)
    report = quick(backend, judge, "^affine" if in_the_grid else "", first_failure=True)
    assert report.failures
    assert not any(r.verdict is Verdict.ORACLE_DISAGREE for r in report.failures)


def test_these_checks_would_notice_a_judge_that_passes_everything(judge, monkeypatch):
    monkeypatch.setattr("stn_ref.oracle.verdicts.Enclosure.miss", lambda self, got: np.zeros(got.shape))
    assert quick(SignWrong(), judge).conforms


def test_unclaimed_settings_are_those_of_the_table():
    about = dict.fromkeys(checker.CLAIMS, ())
    names = [result.case for result in checker._unclaimed(about)]
    assert len(names) == sum(len(values) for values in checker.CLAIMS.values())
