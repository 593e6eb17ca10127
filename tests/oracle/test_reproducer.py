"""Each script shows the wrong answer that it is about, with the backend alone."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from stn_ref.oracle import Backend, Verdict
from stn_ref.oracle.adapters.scipy_ndimage import SciPy
from stn_ref.oracle.calls import Answer
from stn_ref.oracle.interview import AGAIN, REFUSAL, Claims, Judge, asks
from stn_ref.oracle.isolation import worker
from stn_ref.oracle.questions.cases import Setting, make_case
from stn_ref.oracle.reproducer import definition, reproducer
from stn_ref.oracle.truth.profiles import PROFILES

ROOT = Path(__file__).parents[2]
CLAIMS = Claims()
JUDGE = Judge(PROFILES["torch"])
ALONE = "import runpy, sys; sys.modules['stn_ref'] = None; sys.path.append('.'); runpy.run_path('it.py')"
TINY = '''
"""A bilinear sampler of images among zeros, with its derivatives: right, but for what is marked."""

import numpy as np


def hats(x, size):
    """The weight of each pixel at each sample, and its slope for the normalised coordinate."""
    t = ((x.reshape(len(x), -1) + 1) * (size - 1) / 2)[..., None] - np.arange(size)
    slope = np.where((t >= -1) & (t < 0), 1.0, 0.0) - np.where((t >= 0) & (t < 1), 1.0, 0.0)
    return np.maximum(0, 1 - np.abs(t)), slope * (size - 1) / 2


def read(U, grid, wx, wy):
    return np.einsum("ncij,npi,npj->ncp", U, wy, wx).reshape(*U.shape[:2], *grid.shape[1:3])


def grid_sample(U, grid, **settings):
    (wx, dx), (wy, dy) = (hats(grid[..., k], U.shape[3 - k]) for k in range(2))
    V = read(U, grid, wx, wy)
    return V  # V


def grid_sample_vjp(U, grid, V_bar, needs, **settings):
    (wx, dx), (wy, dy) = (hats(grid[..., k], U.shape[3 - k]) for k in range(2))
    flat = V_bar.reshape(*V_bar.shape[:2], -1)
    bars = {
        "U": np.einsum("ncp,npi,npj->ncij", flat, wy, wx),
        "grid": np.stack([(V_bar * read(U, grid, *w)).sum(1) for w in ((dx, wy), (wx, dy))], -1),
    }
    # bars
    return {name: bars[name] for name in needs}


def grid_sample_jvp(U, grid, U_dot, grid_dot, **settings):
    (wx, dx), (wy, dy) = (hats(grid[..., k], U.shape[3 - k]) for k in range(2))
    across, down = (grid_dot[..., k][:, None] for k in range(2))
    V_dot = read(U_dot, grid, wx, wy) + across * read(U, grid, dx, wy) + down * read(U, grid, wx, dy)
    return V_dot  # V_dot


def grid_sample_vjp_vjp(U, grid, V_bar, U_bar_bar, grid_bar_bar, needs, **settings):
    return {"V_bar": 2 * grid_sample_jvp(U, grid, U_bar_bar, grid_bar_bar), "U": None, "grid": None}
'''
FUNCTIONS = ("grid_sample", "grid_sample_vjp", "grid_sample_jvp", "grid_sample_vjp_vjp")


class Tiny(Backend):
    """The functions of ``TINY``, one of which may be made wrong."""

    name = "tiny"
    version = "1"
    snippet = f"from tiny import {', '.join(FUNCTIONS)}"

    def __init__(self, right="", wrong=""):
        assert right in TINY
        self.source = TINY.replace(right, wrong) if right else TINY
        here = {}
        exec(self.source, here)
        for name in FUNCTIONS:
            setattr(self, name, here[name])


class Bordered(SciPy):
    """Takes the edge for the zeros around the image."""

    snippet = SciPy.snippet.replace("grid-constant", "nearest")

    def grid_sample(self, U, grid, **settings):
        return super().grid_sample(U, grid, **{**settings, "padding_mode": "border"})


def case_of(family="random", **setting):
    how = {"mode": "bilinear", "padding_mode": "zeros", "align_corners": True, "dtype": "float64", "d": 2}
    return make_case(family, Setting(**{**how, **setting}))


def wrong_answer(backend, aspect, way="", case=None):
    """The evidence and the finding about one answer of a backend."""
    case = case or case_of()
    for ask in asks(case):
        if ask.way == way and aspect in ask.aspects.values():
            output = next(name for name, found in ask.aspects.items() if found == aspect)
            answer = worker.run(backend, ask.call)
            finding = JUDGE.finding(case, ask, output, answer, CLAIMS)
            [result] = [r for r in JUDGE.results(case, [ask], [answer], CLAIMS) if r.aspect == aspect]
            return result.evidence, finding
    raise AssertionError(f"{aspect} is not asked for {way}")


def run(script, folder, backend=None):
    """What a script prints where ``stn_ref`` cannot be imported, and how it ends."""
    (folder / "it.py").write_text(script, encoding="utf-8")
    if backend is not None:
        (folder / "tiny.py").write_text(backend.source, encoding="utf-8")
    asked = subprocess.run(
        [sys.executable, "-c", ALONE], capture_output=True, text=True, cwd=folder, timeout=60
    )
    return asked.stdout.splitlines(), asked.stderr


def assert_shows(lines, finding):
    got, expected = lines
    least, most = (float(word) for word in expected.removeprefix("expected").split("to"))
    assert float(got.removeprefix("got")) == pytest.approx(finding.got, rel=1e-12)
    assert (least, most) == finding.expected
    assert not least <= float(got.removeprefix("got")) <= most


@pytest.mark.parametrize(
    ("aspect", "right", "wrong", "way"),
    [
        ("V", "return V  # V", "return V + 0.25", ""),
        ("U_bar", "# bars", "bars['U'] = 2 * bars['U']", ""),
        ("grid_bar", "# bars", "bars['grid'] = -bars['grid']", ""),
        ("V_dot", "return V_dot  # V_dot", "return V_dot - read(U_dot, grid, wx, wy)", ""),
        ("second.V_bar", "", "", ""),
        ("grid_bar", "# bars", "bars['grid'] *= 'U' in needs", "only grid asked for"),
    ],
)
def test_a_script_shows_what_was_wrong(tmp_path, aspect, right, wrong, way):
    backend = Tiny(right, wrong)
    evidence, finding = wrong_answer(backend, aspect, way)
    assert finding.verdict.failing
    script = reproducer(evidence, finding, worker.about(backend))
    assert "stn_ref" not in script
    lines, _ = run(script, tmp_path, backend)
    assert_shows(lines, finding)


def test_the_right_backend_is_not_shown_to_be_wrong(tmp_path):
    """What the scripts above print is the mistake's doing."""
    faulty = Tiny("return V  # V", "return V + 0.25")
    evidence, finding = wrong_answer(faulty, "V")
    lines, _ = run(reproducer(evidence, finding, worker.about(faulty)), tmp_path, Tiny())
    with pytest.raises(AssertionError):
        assert_shows(lines, finding)


def test_an_adapter_says_how_its_backend_is_called(tmp_path):
    evidence, finding = wrong_answer(Bordered(), "V")
    script = reproducer(evidence, finding, worker.about(Bordered()))
    lines, _ = run(script, tmp_path)
    assert_shows(lines, finding)


def test_a_class_that_does_not_say_so_is_called_by_its_name(tmp_path):
    (tmp_path / "tiny.py").write_text(Tiny("# bars", "bars['grid'] *= 'U' in needs").source)
    (tmp_path / "mine.py").write_text(
        "from stn_ref.oracle import Backend\nimport tiny\nclass Mine(Backend):\n"
        "    grid_sample_vjp = staticmethod(tiny.grid_sample_vjp)\n"
    )
    evidence, finding = wrong_answer(
        Tiny("# bars", "bars['grid'] *= 'U' in needs"), "grid_bar", "only grid asked for"
    )
    script = reproducer(evidence, finding, {"name": "mine", "version": "", "snippet": ""}, "mine:Mine")
    (tmp_path / "it.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "it.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": f"{ROOT}:{tmp_path}"},
        timeout=60,
    )
    assert_shows(done.stdout.splitlines(), finding)


def test_a_class_without_a_name_is_left_to_the_reader():
    evidence, finding = wrong_answer(Tiny(), "second.V_bar")
    for target in ("", "/some/where.py:Mine"):
        script = reproducer(evidence, finding, {"name": "mine", "version": "", "snippet": ""}, target)
        assert "# backend = the one that was asked" in script
        compile(script, "it.py", "exec")


LINES = {"name": "mine", "version": "1", "snippet": "from tiny import grid_sample\nV = grid_sample(U, grid)"}
BOTH = {**LINES, "snippet": "U_bar = grid_bar = 0"}


@pytest.mark.parametrize(
    ("about", "aspect", "way", "answers"),
    [
        (LINES, "V", "", True),
        (LINES, "U_bar", "", False),
        (LINES, "V_dot", "", False),
        (BOTH, "grid_bar", "", True),
        (BOTH, "grid_bar", "only grid asked for", False),
        (BOTH, "V", "", False),
        ({**LINES, "snippet": "V = (not Python"}, "V", "", False),
        ({**LINES, "snippet": "def f():\n    V = 1"}, "V", "", False),
    ],
)
def test_plain_lines_are_used_for_what_they_leave_behind(about, aspect, way, answers):
    evidence, finding = wrong_answer(Tiny(), aspect, way)
    script = reproducer(evidence, finding, about, "mine:Mine")
    assert (about["snippet"] in script) == answers
    assert ("from mine import Mine" in script) != answers


def test_plain_lines_find_what_they_need(tmp_path):
    backend = Tiny("return V  # V", "return V + 0.25")
    evidence, finding = wrong_answer(backend, "V")
    about = {
        **LINES,
        "snippet": LINES["snippet"] + "\nassert V_bar.shape == V.shape and padding_mode == 'zeros'",
    }
    lines, _ = run(reproducer(evidence, finding, about), tmp_path, backend)
    assert_shows(lines, finding)


class TestWhatIsNoNumber:
    def test_an_exception(self, tmp_path):
        backend = Tiny("return V  # V", "raise RuntimeError('out of cheese')")
        evidence, finding = wrong_answer(backend, "V")
        assert finding.verdict is Verdict.CRASH
        lines, errors = run(reproducer(evidence, finding, worker.about(backend)), tmp_path, backend)
        assert lines == ["expected an answer"]
        assert "out of cheese" in errors

    def test_the_end_of_the_process(self, tmp_path):
        backend = Tiny("return V  # V", "import os; os._exit(3)")
        evidence, _ = wrong_answer(Tiny(), "V")
        finding = JUDGE.finding(evidence.case, evidence.ask, "", Answer({}, failure="CRASH"), CLAIMS)
        script = reproducer(evidence, finding, worker.about(backend))
        assert run(script, tmp_path, backend)[0] == ["expected an answer"]

    def test_no_end(self):
        evidence, _ = wrong_answer(Tiny(), "V")
        finding = JUDGE.finding(evidence.case, evidence.ask, "", Answer({}, failure="TIMEOUT"), CLAIMS)
        assert "'an answer in time', flush=True)" in reproducer(evidence, finding, worker.about(Tiny()))

    @pytest.mark.parametrize(
        ("wrong", "got"),
        [("return V[..., :-1]", "float64 (2, 3, 3, 3)"), ("return V.astype('f4')", "float32 (2, 3, 3, 4)")],
    )
    def test_another_shape_or_dtype(self, tmp_path, wrong, got):
        backend = Tiny("return V  # V", wrong)
        evidence, finding = wrong_answer(backend, "V")
        assert finding.verdict is Verdict.FAIL_SHAPE
        lines, _ = run(reproducer(evidence, finding, worker.about(backend)), tmp_path, backend)
        assert lines == [f"got      {got}", "expected float64 (2, 3, 3, 4)"]

    def test_a_gradient_that_is_not_there_when_asked_for_alone(self, tmp_path):
        backend = Tiny("# bars", "bars['grid'] = bars['grid'] if 'U' in needs else None")
        case = case_of()
        answers = [worker.run(backend, ask.call) for ask in asks(case)]
        results = JUDGE.results(case, asks(case), answers, CLAIMS)
        [found] = [result for result in results if result.aspect == "grid_bar"]
        assert found.verdict.failing
        script = reproducer(found.evidence, found.finding, worker.about(backend))
        lines, _ = run(script, tmp_path, backend)
        assert lines == ["got      object ()", "expected float64 (2, 3, 4, 2)"]

    def test_a_number_where_nan_must_be(self, tmp_path):
        backend = Tiny("return V  # V", "return np.nan_to_num(V)")
        case, judge = case_of("nan-coordinate"), Judge(PROFILES["paper"])
        [result] = judge.results(case, asks(case)[:1], [worker.run(backend, asks(case)[0].call)], CLAIMS)
        assert result.verdict is Verdict.FAIL_NONFINITE
        script = reproducer(result.evidence, result.finding, worker.about(backend))
        assert run(script, tmp_path, backend)[0] == ["got      0.0", "expected nan or infinite"]

    def test_an_argument_that_is_written_to(self, tmp_path):
        backend = Tiny("return V  # V", "U += 1; return V")
        evidence, finding = wrong_answer(backend, "V")
        assert finding.verdict is Verdict.FAIL_LAYOUT
        lines, _ = run(reproducer(evidence, finding, worker.about(backend)), tmp_path, backend)
        assert lines == ["got      written to: ['U']", "expected written to: []"]

    def test_a_question_that_must_be_refused(self, tmp_path):
        backend = Tiny("flat = V_bar", "V_bar = np.repeat(V_bar[..., :1], 11, -1); flat = V_bar")
        evidence, finding = wrong_answer(backend, "grid_bar", REFUSAL, case_of("many-channels"))
        lines, _ = run(reproducer(evidence, finding, worker.about(backend)), tmp_path, backend)
        assert lines[0].startswith("expected an exception, since V_bar has shape")
        assert lines[1].startswith("got      float64")

    def test_other_bits_when_asked_again(self, tmp_path):
        backend = Tiny("return V  # V", "return V * (1 + np.spacing(1) * np.random.randint(2))")
        evidence, finding = wrong_answer(backend, "V", AGAIN)
        script = reproducer(evidence, finding, worker.about(backend))
        assert "V is wrong (NONDETERMINISTIC)" in script
        got, expected = run(script, tmp_path, backend)[0]
        assert int(got.split()[1]) > 1
        assert expected == "expected 1"

    def test_another_branch_than_that_of_the_profile(self):
        evidence, finding = wrong_answer(Tiny("return V  # V", "return V + 0.25"), "V")
        branch = replace(finding, detail="at kinks and ties it takes mid, expected right")
        assert "another branch: at kinks" in reproducer(evidence, branch, worker.about(Tiny()))


def test_only_what_is_needed_is_in_a_script():
    snippet = """\
import lib

KNOWN = {"a": 1}

@lib.decorated
def asked(x):
    def inner(x):
        return x
    return inner(helper(x))

def other(x):
    return helper(x)

def helper(x):
    return KNOWN[x]
"""
    kept = "\n".join(definition(snippet, "asked"))
    compile(kept, "kept", "exec")
    assert "@lib.decorated\ndef asked" in kept
    assert "def helper" in kept
    assert "KNOWN =" in kept
    assert "def other" not in kept
    assert definition(snippet, "third") == []
