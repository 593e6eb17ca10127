"""The smallest question that is answered wrongly, and the script that shows it."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stn_ref.faults import FAULTS, Plain
from stn_ref.oracle import Backend, Verdict, shrinking
from stn_ref.oracle.interview import AGAIN, Claims, Judge, asks
from stn_ref.oracle.isolation import worker
from stn_ref.oracle.questions.affine_cases import make_affine_case
from stn_ref.oracle.questions.cases import Setting, make_case
from stn_ref.oracle.questions.grid_cases import GridSetting
from stn_ref.oracle.reproducer import array_text, reproducer
from stn_ref.oracle.shrinking import shrunk
from stn_ref.oracle.truth.profiles import PROFILES

CLAIMS = Claims()
ROOT = Path(__file__).parent.parent.parent
JUDGE = Judge(PROFILES["paper"])


def case_of(family, mode="bilinear", padding="zeros", corners=True, dtype="float64", d=2):
    return make_case(family, Setting(mode, padding, corners, dtype, d))


class Asked:
    """A backend, and how often it was asked."""

    def __init__(self, implementation):
        self.backend = type(implementation.__name__, (implementation, Backend), {"name": "mine"})()
        self.about, self.times = worker.about(self.backend), 0

    def ask(self, jobs):
        for job in jobs:
            self.times += len(job)
            yield [worker.run(self.backend, call) for call in job]


def first_failure(asked, case, aspect=""):
    plan = asks(case)
    [answers] = asked.ask([[ask.call for ask in plan]])
    results = JUDGE.results(case, plan, answers, CLAIMS)
    return next(r for r in results if r.verdict.failing and r.aspect.startswith(aspect))


def smallest(implementation, case, aspect="", **settings):
    """The evidence before and after shrinking, and the finding about it."""
    asked = Asked(implementation)
    result = first_failure(asked, case, aspect)
    return result, *shrunk(result.evidence, asked, JUDGE, CLAIMS, **settings)


SHRUNK = [
    ("xy-swap", case_of("random"), "V"),
    ("sign-of-eq7", case_of("kinks"), "grid_bar"),
    ("scatter-weights-swapped", case_of("quarters"), "U_bar"),
    ("missing-mask", case_of("quarters"), "V"),
    ("border-derivative-kept", case_of("quarters", padding="border"), "grid_bar"),
    ("w-over-2", case_of("random", dtype="float32"), "grid_bar"),
    ("clamp-centre-for-cubic", case_of("quarters", "bicubic", "border"), "V"),
    ("reflect-once", case_of("far", "nearest", "reflection"), "V"),
    ("missing-half-pixel", case_of("random", corners=False, d=3), "V"),
]


@pytest.mark.parametrize(("name", "case", "aspect"), SHRUNK, ids=[name for name, *_ in SHRUNK])
def test_the_smallest_question_is_small_and_still_answered_wrongly(name, case, aspect):
    fault = FAULTS[name].implementation
    before, after, finding = smallest(fault, case, aspect)
    arrays = after.ask.call.arrays
    assert finding.verdict is before.verdict
    assert arrays["grid"].shape == (1,) * (arrays["grid"].ndim - 1) + (case.setting.d,)
    assert arrays["U"].shape[:2] == (1, 1)
    assert max(arrays["U"].shape) <= 2
    assert all(array.dtype == case.setting.dtype for array in arrays.values())
    assert_answered_wrongly(fault, after, finding)


def assert_answered_wrongly(implementation, evidence, finding):
    """When it is asked from scratch, for the same reason."""
    [[answer]] = Asked(implementation).ask([[evidence.ask.call]])
    again = JUDGE.finding(evidence.case, evidence.ask, evidence.output, answer, CLAIMS, remember=False)
    assert again == finding
    assert again.verdict.failing
    [[right]] = Asked(Plain).ask([[evidence.ask.call]])
    fine = JUDGE.finding(evidence.case, evidence.ask, evidence.output, right, CLAIMS, remember=False)
    assert not fine.verdict.failing


@pytest.mark.parametrize(
    "name", ["channel-mean", "first-channel-only", "assign-for-accumulate", "batch-0-scatter"]
)
def test_what_a_mistake_needs_is_kept(name):
    """Two channels, two samples or two images, and no third."""
    aspect = "U_bar" if name.startswith(("assign", "batch")) else "grid_bar"
    _, after, finding = smallest(FAULTS[name].implementation, case_of("quarters"), aspect)
    U, grid = after.ask.call.arrays["U"], after.ask.call.arrays["grid"]
    needed = {
        "channel-mean": (1, 2, 1),
        "first-channel-only": (1, 2, 1),
        "assign-for-accumulate": (1, 1, 2),
        "batch-0-scatter": (2, 1, 1),
    }
    assert (len(U), U.shape[1], grid[0].size // 2) == needed[name]
    assert_answered_wrongly(FAULTS[name].implementation, after, finding)


@pytest.mark.parametrize("name", ["theta-transposed", "missing-sum", "rows-shared-over-batch"])
def test_affine_questions_shrink_too(name):
    case = make_affine_case("affine-random", GridSetting(True, "float64", 2))
    _, after, finding = smallest(FAULTS[name].implementation, case)
    size = after.ask.call.settings["size"]
    assert after.case.size == size
    assert len(after.ask.call.arrays["theta"]) == size[0] == (2 if name == "rows-shared-over-batch" else 1)
    assert np.prod(size[2:]) <= 2
    assert_answered_wrongly(FAULTS[name].implementation, after, finding)


def test_numbers_become_simple():
    _, after, _ = smallest(FAULTS["xy-swap"].implementation, case_of("random"), "V")
    numbers = np.concatenate([array.ravel() for array in after.ask.call.arrays.values()])
    assert (numbers * 16 == np.round(numbers * 16)).all()


def test_a_question_without_infinities_gets_none(monkeypatch):
    """Nor does one with ordinary numbers become one with NaN."""
    seen = []
    finding = shrinking._finding
    monkeypatch.setattr(shrinking, "_finding", lambda e, *more: seen.append(e) or finding(e, *more))
    for family in ("random", "ladder", "one-pixel-high"):
        case = case_of(family, padding="reflection")
        smallest(FAULTS["fold-32-bit" if family == "ladder" else "xy-swap"].implementation, case, "V")
    assert len(seen) > 50
    assert all(np.isfinite(array).all() for evidence in seen for array in evidence.ask.call.arrays.values())


def test_a_pixel_that_is_not_a_number_is_kept_if_it_is_needed():
    case = case_of("nonfinite-pixel")
    before, after, _ = smallest(FAULTS["mask-by-multiplication"].implementation, case, "V")
    assert before.verdict is Verdict.FAIL_NONFINITE
    assert not np.isfinite(after.ask.call.arrays["U"]).all()


def test_it_ends_in_time():
    start = time.monotonic()
    _, _, finding = smallest(FAULTS["xy-swap"].implementation, case_of("identity"), "V", seconds=0.2)
    assert time.monotonic() - start < 2
    assert finding.verdict is Verdict.FAIL_VALUE


def test_what_cannot_be_shown_again_is_left_as_it_is():
    case = case_of("random")
    asked = Asked(FAULTS["xy-swap"].implementation)
    result = first_failure(asked, case, "V")
    mended = Asked(Plain)
    evidence, finding = shrunk(result.evidence, mended, JUDGE, CLAIMS)
    assert evidence is result.evidence
    assert finding.verdict.passing
    assert mended.times == 1
    again = replace(result.evidence, ask=result.evidence.ask._replace(way=AGAIN))
    assert shrunk(again, asked, JUDGE, CLAIMS)[0] is again


def test_the_judge_knows_the_same_afterwards():
    """Smaller questions have the name of the first one, and must not be taken for it."""
    case, judge = case_of("quarters"), Judge(PROFILES["paper"])
    asked = Asked(FAULTS["missing-mask"].implementation)
    plan = asks(case)
    [answers] = asked.ask([[ask.call for ask in plan]])
    results = judge.results(case, plan, answers, CLAIMS)
    shrunk(next(r for r in results if r.verdict.failing).evidence, asked, judge, CLAIMS)
    assert [r.verdict for r in judge.results(case, plan, answers, CLAIMS)] == [r.verdict for r in results]


# Scripts

SNIPPET = """\
x, y = (grid[0, 0, 0] + 1) / 2 * (np.array(U.shape[:1:-1]) - 1)
n, m = int(np.floor(y)), int(np.floor(x))
near = U[:, :, np.clip(n, 0, U.shape[2] - 1), np.clip(m, 0, U.shape[3] - 1)]
V = np.broadcast_to(near[:, :, None, None], (*U.shape[:2], *grid.shape[1:3]))
U_bar = grid_bar = np.zeros((1, 1, 1, 2))"""


class Floors(Plain):
    """Reads the pixel to the upper left, and says so in NumPy alone."""

    snippet = SNIPPET

    def nearest(self, x):
        return np.floor(x)

    def taps(self, x, size, how):
        return super().taps(np.floor(x), size, how)


def run(script, folder, *path):
    """The lines that a script prints, from a folder with nothing in it."""
    file = folder / "reproducer.py"
    file.write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, file],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PYTHONPATH": ":".join(path)},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def script_of(implementation, case, aspect, target=""):
    _, after, finding = smallest(implementation, case, aspect, seconds=3)
    return reproducer(after, finding, Asked(implementation).about, target), finding


def assert_shows(lines, finding):
    got, expected = lines
    assert float(got.split()[-1]) == pytest.approx(finding.got)
    least, most = (float(word) for word in expected.removeprefix("expected").split("to"))
    assert (least, most) == finding.expected
    assert not least <= finding.got <= most


def test_a_script_needs_nothing_but_numpy_and_what_the_snippet_needs(tmp_path):
    script, finding = script_of(Floors, case_of("quarters", padding="border"), "V")
    assert "stn_ref" not in script
    assert "weights-before" not in script
    assert_shows(run(script, tmp_path), finding)


def test_without_a_snippet_it_calls_the_class(tmp_path):
    target = f"{FAULTS['sign-of-eq7'].implementation.__module__}:SignOfEq7"
    script, finding = script_of(FAULTS["sign-of-eq7"].implementation, case_of("kinks"), "grid_bar", target)
    assert "from stn_ref.faults.gradients import SignOfEq7" in script
    assert_shows(run(script, tmp_path, str(ROOT)), finding)


def test_an_affine_question_as_a_script(tmp_path):
    target = f"{FAULTS['missing-sum'].implementation.__module__}:MissingSum"
    case = make_affine_case("affine-random", GridSetting(False, "float32", 2))
    script, finding = script_of(FAULTS["missing-sum"].implementation, case, "theta_bar", target)
    assert_shows(run(script, tmp_path, str(ROOT)), finding)


def test_a_script_says_what_it_is_about():
    script, _ = script_of(
        FAULTS["border-derivative-kept"].implementation, case_of("kinks", padding="border"), "grid"
    )
    assert '"""mine' in script
    assert "grid_bar is wrong (FAIL_GRAD)" in script
    assert "Case kinks/bilinear/border/corners/float64/2d: Whole pixel coordinates" in script
    assert "See pytorch/pytorch#23925" in script
    compile(script, "reproducer.py", "exec")


def test_the_layout_in_which_it_went_wrong_is_kept_or_told(tmp_path):
    _, after, finding = smallest(FAULTS["ignored-strides"].implementation, case_of("random"), "V")
    assert after.ask.call.layout != "C"
    script = reproducer(after, finding, Asked(Plain).about, "stn_ref.faults.system:IgnoredStrides")
    assert after.ask.call.layout in script


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_an_array_reads_back_as_it_was(dtype):
    numbers = np.random.default_rng(0).normal(size=(2, 1, 3, 2)).astype(dtype)
    numbers.flat[:4] = np.nan, np.inf, -np.inf, np.finfo(dtype).max
    for array in (numbers, numbers[:0], np.zeros((1, 0, 2), dtype), -np.zeros(3, dtype)):
        back = eval(array_text(array, 12), {"np": np})
        assert back.dtype == array.dtype
        assert back.shape == array.shape
        assert back.tobytes() == array.tobytes()
