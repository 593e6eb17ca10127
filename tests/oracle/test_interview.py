"""In how many ways a backend is asked, and what its answers come to."""

from dataclasses import replace

import numpy as np
import pytest

from stn_ref.faults import Plain
from stn_ref.oracle import Backend, Verdict
from stn_ref.oracle.adapters import load
from stn_ref.oracle.calls import LAYOUTS, Answer
from stn_ref.oracle.interview import AGAIN, REFUSAL, Claims, Judge, asks, relevant_variants
from stn_ref.oracle.isolation import worker
from stn_ref.oracle.questions.affine_cases import make_affine_case
from stn_ref.oracle.questions.cases import Setting, make_case
from stn_ref.oracle.questions.grid_cases import GridSetting
from stn_ref.oracle.truth.profiles import PROFILES

BILINEAR = Setting("bilinear", "zeros", True, "float64", 2)
RANDOM = make_case("random", BILINEAR)
KINKS = make_case("kinks", BILINEAR)
CLAIMS = Claims()
JUDGE = Judge(PROFILES["paper"])


class Right(Plain, Backend):
    """The textbook's, as a backend to derive wrong ones from."""


def interview(backend, case=RANDOM, judge=JUDGE, claims=CLAIMS):
    """By aspect what was found."""
    plan = asks(case)
    answers = [worker.run(backend, ask.call) for ask in plan]
    return {result.aspect: result for result in judge.results(case, plan, answers, claims)}


def verdicts(*args, **settings):
    return {aspect: result.verdict.value for aspect, result in interview(*args, **settings).items()}


def test_what_is_asked_about_a_random_case():
    ways = [ask.way for ask in asks(RANDOM)]
    assert ways.count("") == 4  # forwards, backwards, tangents, second order
    assert {"only U asked for", "only grid asked for", AGAIN} < set(ways)
    assert {ask.call.layout for ask in asks(RANDOM)} == set(LAYOUTS)
    assert all(f"{layout} arrays" in ways for layout in LAYOUTS[1:])
    assert {ask.way for ask in asks(KINKS)} == {""}
    [only_grid] = [ask for ask in asks(RANDOM) if ask.way == "only grid asked for"]
    assert only_grid.call.settings["needs"] == ("grid",)
    assert only_grid.aspects == {"grid": "grid_bar"}


def test_a_right_backend_is_right_in_all_aspects():
    found = verdicts(Right())
    assert set(found) == {"V", "U_bar", "grid_bar", "V_dot", "second.U", "second.grid", "second.V_bar"}
    assert set(found.values()) <= {"EXACT", "PASS"}


def test_a_gradient_that_is_wrong_only_alone_is_a_failure_of_that_way():
    class Skips(Right):
        def grid_sample_vjp(self, U, grid, V_bar, *, needs, **settings):
            bars = super().grid_sample_vjp(U, grid, V_bar, needs=needs, **settings)
            return bars if "U" in needs else {"grid": 0 * grid}

    found = interview(Skips())
    assert found["grid_bar"].verdict is Verdict.FAIL_GRAD
    assert found["grid_bar"].way == "only grid asked for"
    assert "apache/mxnet#8866" in found["grid_bar"].threads
    assert found["U_bar"].verdict.passing


@pytest.mark.parametrize("layout", ["fortran", "channels-last", "reversed", "strided"])
def test_wrong_for_a_layout_is_a_failure_of_layout(layout):
    """A backend that is lost in this layout alone."""
    given = worker.laid_out(RANDOM.arrays["U"], layout).strides

    class Lost(Right):
        def grid_sample(self, U, grid, **settings):
            wrong = U.strides == given
            return super().grid_sample(np.zeros_like(U) if wrong else U, grid, **settings)

    found = interview(Lost())["V"]
    assert found.verdict is Verdict.FAIL_LAYOUT
    assert found.way == f"{layout} arrays"


def test_writing_to_an_argument_is_a_failure_of_layout():
    class Overwrites(Right):
        def grid_sample(self, U, grid, **settings):
            V = super().grid_sample(U, grid, **settings)
            grid += 1
            return V

    found = interview(Overwrites())["V"]
    assert found.verdict is Verdict.FAIL_LAYOUT
    assert "writes to its argument grid" in found.finding.detail


def test_an_exception_for_read_only_arrays_is_a_failure_of_layout():
    class Asks(Right):
        def grid_sample(self, U, grid, **settings):
            if not U.flags.writeable:
                raise ValueError("output array is read-only")
            return super().grid_sample(U, grid, **settings)

    found = interview(Asks())["V"]
    assert (found.verdict, found.way) == (Verdict.FAIL_LAYOUT, "read-only arrays")


class Restless(Right):
    """Each answer is right and another one."""

    calls = 0

    def grid_sample(self, U, grid, **settings):
        type(self).calls += 1
        return super().grid_sample(U, grid, **settings) * (1 + self.calls % 2 * 2.0**-52)


def test_other_bits_when_asked_again_are_reported_unless_the_backend_says_so():
    found = interview(Restless())["V"]
    assert (found.verdict, found.way) == (Verdict.NONDETERMINISTIC, AGAIN)
    claims = replace(CLAIMS, deterministic=False)
    assert interview(Restless(), claims=claims)["V"].verdict is Verdict.PASS


def test_an_answer_that_is_wrong_when_asked_again_is_wrong():
    class Tires(Right):
        asked = 0

        def grid_sample(self, U, grid, **settings):
            self.asked += 1
            V = super().grid_sample(U, grid, **settings)
            return V + (self.asked > len(LAYOUTS))

    found = interview(Tires())["V"]
    assert (found.verdict, found.way) == (Verdict.FAIL_VALUE, AGAIN)


# What is missing


@pytest.mark.parametrize("missing", ["absent", None])
def test_a_missing_gradient_is_unsupported_and_never_passes(missing):
    class Half(Right):
        def grid_sample_vjp(self, U, grid, V_bar, *, needs, **settings):
            bars = super().grid_sample_vjp(U, grid, V_bar, needs=needs, **settings)
            del bars["grid" if "grid" in bars else "U"]
            return bars if missing == "absent" else {**bars, "grid": None}

    found = interview(Half(), KINKS)
    assert found["grid_bar"].verdict is Verdict.UNSUPPORTED
    assert found["U_bar"].verdict.passing


def test_a_gradient_that_is_only_missing_when_asked_for_alone_is_no_pass_either():
    class Shy(Right):
        def grid_sample_vjp(self, U, grid, V_bar, *, needs, **settings):
            bars = super().grid_sample_vjp(U, grid, V_bar, needs=needs, **settings)
            return bars if len(needs) == 2 else {}

    assert not interview(Shy())["grid_bar"].verdict.passing


def test_methods_that_are_not_there_are_unsupported():
    class Forwards(Backend):
        def grid_sample(self, U, grid, **settings):
            return Plain().grid_sample(U, grid, **settings)

    found = verdicts(Forwards())
    assert found.pop("V") in ("EXACT", "PASS")
    assert set(found.values()) == {"UNSUPPORTED"}


def test_an_exception_is_a_crash():
    class Raises(Right):
        def grid_sample(self, U, grid, **settings):
            raise RuntimeError("out of luck")

    found = interview(Raises(), KINKS)["V"]
    assert found.verdict is Verdict.CRASH
    assert "out of luck" in found.finding.detail


@pytest.mark.parametrize("family", ["empty-batch", "empty-output", "no-channels"])
def test_empty_arrays_may_be_refused_but_not_by_a_crash(family):
    case = make_case(family, BILINEAR)
    plan = asks(case)
    for failure, expected in (("ERROR", "UNSUPPORTED"), ("CRASH", "CRASH"), ("TIMEOUT", "TIMEOUT")):
        answers = [Answer({}, failure=failure, detail="no work of size 0")] * len(plan)
        found = JUDGE.results(case, plan, answers, CLAIMS)
        assert {result.verdict.value for result in found} == {expected}
    full = JUDGE.results(KINKS, asks(KINKS), [Answer({}, failure="ERROR")] * len(asks(KINKS)), CLAIMS)
    assert {result.verdict for result in full} == {Verdict.CRASH}


def test_a_wrong_shape_and_a_wrong_dtype_are_reported():
    class Flat(Right):
        def grid_sample(self, U, grid, **settings):
            return super().grid_sample(U, grid, **settings)[..., 0]

    class Single(Right):
        def grid_sample(self, U, grid, **settings):
            return super().grid_sample(U, grid, **settings).astype(np.float32)

    for wrong in (Flat, Single):
        assert interview(wrong(), KINKS)["V"].verdict is Verdict.FAIL_SHAPE


def test_a_cotangent_of_the_wrong_shape_must_be_refused():
    case = make_case("many-channels", BILINEAR)
    [refusal] = [ask for ask in asks(case) if ask.way == REFUSAL]
    assert refusal.call.arrays["V_bar"].shape[-1] == case.arrays["V_bar"].shape[-1] - 1
    answer = worker.run(Right(), refusal.call)
    assert answer.failure == "ERROR"
    expected = {"ERROR": Verdict.EXACT, "CRASH": Verdict.CRASH, "": Verdict.FAIL_SHAPE}
    for failure, verdict in expected.items():
        given = Answer({"U": case.arrays["U"]}, failure=failure)
        assert JUDGE.finding(case, refusal, "U", given, CLAIMS).verdict is verdict


# Branches and conventions


@pytest.mark.parametrize(
    ("kink", "passes"), [("right", True), ("left", True), ("mid", True), ("paper", False)]
)
def test_the_slope_at_kinks_is_named_and_that_of_the_letter_fails(kink, passes):
    backend = load("stn_ref")
    backend.kink = kink
    result = interview(backend, KINKS)["grid_bar"]
    assert kink in result.finding.branch.split(" or ")
    assert result.verdict is (Verdict.PASS_SET if passes else Verdict.FAIL_GRAD)
    strict = interview(backend, KINKS, Judge(PROFILES["paper"], strict=True))["grid_bar"]
    assert strict.verdict.passing == (kink == "right")


@pytest.mark.parametrize(
    ("profile", "named"), [("paper", "half up"), ("torch", "half to even"), ("jax", "half away from 0")]
)
def test_ties_are_named_and_a_strict_judge_pins_them(profile, named):
    case = make_case("ties", replace(BILINEAR, mode="nearest"))
    sampler = {"paper": Plain.nearest, "torch": lambda self, x: np.rint(x)}

    def away(self, x):
        return np.copysign(Plain.nearest(self, np.abs(x)), x)

    kind = type("Ties", (Right,), {"nearest": sampler.get(profile, away)})
    found = interview(kind(), case)["V"]
    assert (found.verdict, found.finding.branch) == (Verdict.PASS_SET, named)
    for judged_by in ("paper", "torch", "jax"):
        strict = interview(kind(), case, Judge(PROFILES[judged_by], strict=True))["V"]
        assert strict.verdict.passing == (judged_by == profile)


def test_the_other_cubic_kernel_is_a_convention_unless_strict():
    case = make_case("quarters", replace(BILINEAR, mode="bicubic"))
    keys = type("Keys", (Right,), {"a": -0.5})()
    found = interview(keys, case)
    assert {result.verdict for result in found.values()} == {Verdict.CONVENTION}
    assert "jax: cubic=-0.5" in found["V"].finding.detail
    assert interview(keys, case, Judge(PROFILES["jax"]))["V"].verdict.passing
    assert interview(keys, case, Judge(PROFILES["paper"], strict=True))["V"].verdict is Verdict.FAIL_VALUE
    third = type("Third", (Right,), {"a": -0.6})()
    assert interview(third, case)["V"].verdict is Verdict.FAIL_VALUE


def test_a_lone_pixel_of_an_affine_grid_is_a_convention():
    case = make_affine_case("affine-singleton", GridSetting(True, "float64", 2))

    class Begins(Right):
        def axis(self, size, align_corners):
            return np.array([-1.0]) if size == 1 else super().axis(size, align_corners)

    found = interview(Begins(), case)
    assert {result.verdict for result in found.values()} == {Verdict.CONVENTION}
    assert "singleton=-1" in found["grid"].finding.detail
    assert set(verdicts(Begins(), case, Judge(PROFILES["onnx"])).values()) <= {"EXACT", "PASS"}


def test_only_conventions_that_matter_for_a_case_are_tried():
    paper = PROFILES["paper"]
    inside = make_case("kinks", replace(BILINEAR, padding_mode="border"))
    assert list(relevant_variants(inside, paper)) == []
    assert [changed.tapers for _, changed in relevant_variants(KINKS, paper)] == [False]
    cubic = make_case("quarters", replace(BILINEAR, mode="bicubic"))
    assert {changed.cubic for _, changed in relevant_variants(cubic, paper)} == {-0.5}
    affine = make_affine_case("affine-singleton", GridSetting(True, "float64", 2))
    assert {changed.singleton for _, changed in relevant_variants(affine, paper)} == {-1, 1}


def test_the_evidence_of_a_failure_holds_the_answer():
    class Doubles(Right):
        def grid_sample(self, U, grid, **settings):
            return 2 * super().grid_sample(U, grid, **settings)

    result = interview(Doubles(), KINKS)["V"]
    V = Plain().grid_sample(KINKS.arrays["U"], KINKS.arrays["grid"], **BILINEAR.settings)
    np.testing.assert_array_equal(result.evidence.got, 2 * V)
    assert result.evidence.case is KINKS
    assert interview(Right(), KINKS)["V"].evidence.got is None


def test_a_judge_forgets_what_it_was_told_not_to_remember():
    """A question that a smaller one was made of has its name, but other arrays."""
    judge, plan = Judge(PROFILES["paper"]), asks(KINKS)
    answer = worker.run(Right(), plan[0].call)
    smaller = replace(KINKS, arrays={**KINKS.arrays, "U": 2 * KINKS.arrays["U"]})
    assert judge.finding(smaller, plan[0], "", answer, CLAIMS, remember=False).verdict is Verdict.FAIL_VALUE
    assert judge.finding(KINKS, plan[0], "", answer, CLAIMS).verdict.passing
    assert judge.finding(smaller, plan[0], "", answer, CLAIMS, remember=False).verdict is Verdict.FAIL_VALUE
