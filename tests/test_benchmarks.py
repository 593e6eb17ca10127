"""The harness of the benchmarks, without looking at a clock: faults of peers, verdicts, the report."""

import ast
import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import __main__ as command
from benchmarks import goals, growth
from benchmarks.cases import Case, all_cases, inputs, machine_cases
from benchmarks.checking import complaint, differences
from benchmarks.processes import FAMILIES, PEERS, Failed, Peer, Worker, with_interpreters
from benchmarks.report import render
from benchmarks.runner import Crew, run_cases

ROOT = Path(__file__).parent.parent
TOY = Case("toy", "tape", ("stn_ref", "PyTorch"), "float64", (4,), length=1)

# A library that doubles x, and the ways in which another may go wrong: each a line put in its place.
PLANTED = """
from __future__ import annotations
import os, time
{at_import}
from benchmarks.peers import Job

def setup(settings):
    print("a library may print")

def versions():
    return {{"planted": "1"}}

calls = [0]

def prepare(case, arrays, dtype, check):
    x = arrays["x"]
    def run():
        calls[0] += 1
        {in_run}
        return 2 * x
    {in_prepare}
    return Job(run, lambda y: {{"y": y}})
"""


@pytest.fixture
def plant(tmp_path, monkeypatch):
    """Makes peers with faults, in a folder that the workers find."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(name: str, at_import: str = "", in_run: str = "pass", in_prepare: str = "pass") -> Peer:
        source = PLANTED.format(at_import=at_import, in_run=in_run, in_prepare=in_prepare)
        module = f"planted_{name.replace(' ', '_')}"
        (tmp_path / f"{module}.py").write_text(source, "utf-8")
        return Peer(name, "planted", module)

    return make


def outcome(tmp_path, *peers, cases=(TOY,), patience=20.0):
    """What running the cases records, by case and peer."""
    record = {}
    with Crew({peer.name: peer for peer in peers}, patience) as crew:
        run_cases(cases, crew, tmp_path, record, lambda: None, rounds=2, target=1e-4)
    return {name: entry["peers"] for name, entry in record.items()}, record


def toy_verdict(record):
    return goals.verdict(goals.Goal("toy", "toy", ("toy",), 1e9), record)


def test_two_that_agree_get_a_ratio(tmp_path, plant):
    found, record = outcome(tmp_path, plant("stn_ref"), plant("PyTorch"))
    for result in found["toy"].values():
        assert result["status"] == "ok"
        assert len(result["seconds"]) == 2
    assert toy_verdict(record).word == goals.MET


def test_a_wrong_result_is_reported_and_not_timed(tmp_path, plant):
    found, record = outcome(tmp_path, plant("stn_ref"), plant("PyTorch", in_run="return 2 * x + 1e-6"))
    wrong = found["toy"]["PyTorch"]
    assert wrong["status"] == "differs"
    assert "y differs by" in wrong["why"]
    assert "seconds" not in wrong
    assert toy_verdict(record).least is None
    assert "PyTorch differs: y differs by" in toy_verdict(record).word


@pytest.mark.parametrize("fault", ["return x[:2]", "return x * float('nan')"])
def test_a_wrong_shape_and_nan_are_wrong_too(tmp_path, plant, fault):
    found, _ = outcome(tmp_path, plant("stn_ref"), plant("PyTorch", in_run=fault))
    assert found["toy"]["PyTorch"]["status"] == "differs"


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"at_import": "import no_such_library"}, "No module named 'no_such_library'"),
        ({}, "its interpreter does not start"),
    ],
)
def test_an_absent_library_is_named_and_the_others_go_on(tmp_path, plant, fault, why):
    peer = plant("PyTorch", **fault)
    if not fault:
        peer = replace(peer, python=str(tmp_path / "nowhere"))
    found, _ = outcome(tmp_path, plant("stn_ref"), peer)
    assert found["toy"]["PyTorch"]["status"] == "absent"
    assert why in found["toy"]["PyTorch"]["why"]
    assert found["toy"]["stn_ref"]["seconds"]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"in_prepare": "os._exit(3)"}, "the process ended with status 3"),
        ({"in_prepare": "os.write(2, b'out of luck\\n'); os._exit(3)"}, "status 3: out of luck"),
        ({"in_run": "calls[0] < 4 or os._exit(4)"}, "the process ended with status 4"),
        ({"in_run": "raise ValueError('bad shape')"}, "ValueError: bad shape"),
    ],
)
def test_a_worker_that_dies_is_reported_and_the_run_goes_on(tmp_path, plant, fault, why):
    cases = [TOY, replace(TOY, name="next")]
    found, record = outcome(tmp_path, plant("stn_ref"), plant("PyTorch", **fault), cases=cases)
    for case in ("toy", "next"):  # a fresh worker for the next case
        assert found[case]["PyTorch"]["status"] == "failed"
        assert why in found[case]["PyTorch"]["why"]
        assert len(found[case]["stn_ref"]["seconds"]) == 2
    assert toy_verdict(record).word.startswith("PyTorch failed: ")


def test_a_worker_that_does_not_answer_is_given_up(tmp_path, plant):
    found, _ = outcome(tmp_path, plant("stn_ref"), plant("PyTorch", in_run="time.sleep(60)"), patience=2.0)
    assert found["toy"]["PyTorch"] == {"status": "failed", "why": "no answer within 2 s"}


def test_what_is_left_out_is_said_in_its_own_words(tmp_path, plant):
    fault = "raise NotImplementedError('not built yet')"
    found, record = outcome(tmp_path, plant("stn_ref", in_prepare=fault), plant("PyTorch"))
    assert found["toy"]["stn_ref"] == {"status": "left out", "why": "not built yet"}
    assert found["toy"]["PyTorch"]["status"] == "unchecked"
    assert toy_verdict(record).word == "not built yet"


def test_a_closed_worker_fails_in_words(plant):
    worker = Worker(plant("stn_ref"))
    worker.process.kill()
    worker.process.wait()
    with pytest.raises(Failed, match="the process ended with status -9"):
        worker.ask("hello")
    worker.close()


def test_differences_are_shares_of_the_largest_number():
    found = differences({"V": np.array([4.0, -8.0])}, {"V": np.array([4.0, -8.8])})
    assert math.isclose(found["V"], 0.1)
    assert complaint(found, "float32") == "V differs by 0.1 in float32 (at most 0.002)"
    assert not complaint({"V": 1e-3, "theta_bar": 0.02}, "float32")
    assert complaint({"theta_bar": 0.02}, "float64")
    assert differences({"V": np.zeros(2)}, {}) == {"V": math.inf}
    assert complaint({"V": math.nan}, "float64")


@given(st.floats(0.5, 2.5), st.floats(1e-9, 1e3))
def test_the_exponent_of_a_power_is_found(power, factor):
    sizes = [4.0**k for k in range(6)]
    values = [factor * size**power for size in sizes]
    assert math.isclose(growth.exponent(sizes, values), power, abs_tol=1e-9)


def test_only_large_sizes_decide_the_exponent():
    sizes = [10.0**k for k in range(1, 9)]
    assert math.isclose(growth.exponent(sizes, [1e3 + size for size in sizes]), 1, abs_tol=1e-3)


@given(st.floats(1, 10), st.floats(0, 1e6))
def test_memory_is_a_multiple_and_a_workspace(slope, workspace):
    outputs = [1e6, 4e6, 16e6]
    found = growth.multiple(outputs, [slope * n + workspace for n in outputs])
    assert math.isclose(found[0], slope, rel_tol=1e-6)
    assert math.isclose(found[1], workspace, rel_tol=1e-6, abs_tol=1)


def record_of(cases=(), **fields):
    """A record as a run begins it."""
    machine = {"processor": "p", "cores": 2, "system": "s", "load": 0, "commit": "", "changed": False}
    settings = {"rounds": 1, "target": 0.01}
    record = {"machine": machine, "settings": settings, "versions": {}, "absent": {}, "limits": {}}
    return {**record, "cases": dict(cases), "growth": {}, "complete": True, **fields}


def entry_of(case, seconds):
    """All peers of a case agreeing, with the seconds given by name or else 1."""
    peers = {name: {"status": "ok", "seconds": [seconds.get(name, 1.0)] * 2} for name in case.peers}
    return case.name, {"case": case.as_dict(), "peers": peers}


def test_every_goal_belongs_to_a_case_that_asks_the_peers():
    cases = {case.name: case for case in all_cases()}
    for goal in goals.GOALS:
        for name in goal.cases:
            assert {"stn_ref", goal.peer} <= set(cases[name].peers)
    assert {peer for case in [*cases.values(), *machine_cases()] for peer in case.peers} == set(PEERS)


@pytest.mark.parametrize("seconds", [None, 1e-6, 100.0])
def test_the_report_has_every_goal(seconds):
    cases = [] if seconds is None else [entry_of(case, {"stn_ref": seconds}) for case in all_cases()]
    lines = render(record_of(cases)).splitlines()
    word = {None: "not measured", 1e-6: goals.MET, 100.0: goals.MISSED}[seconds]
    for goal in goals.GOALS:
        (line,) = [line for line in lines if line.startswith(f"| {goal.label} |")]
        assert line.split(" | ")[-1].removesuffix(" |").endswith(word), line
    assert sum("not measured" in line for line in lines) == (len(goals.GOALS) if seconds is None else 0) + 3


def test_the_limit_itself_meets_the_goal_and_the_worst_case_counts():
    goal = goals.Goal("", "", ("a-fwd", "b-fwd"), 0.5)
    entries = {case.name: case for case in all_cases()}
    record = dict(
        [
            entry_of(entries["a-fwd"], {"stn_ref": 0.125}),
            entry_of(entries["b-fwd"], {"stn_ref": 0.5}),
        ]
    )
    assert goals.verdict(goal, record) == goals.Verdict(goal, 0.5, 0.5, goals.MET)
    assert goals.verdict(replace(goal, limit=0.49), record).word == goals.MISSED
    del record["a-fwd"]
    assert goals.verdict(goal, record).word == "a-fwd: not measured"


def test_growth_is_judged_by_its_worst_axis():
    points = [{"numbers": n, "seconds": n**1.5, "bytes": 5 * n, "output": n, "shape": [n]} for n in (1, 2, 4)]
    text = render(record_of(growth={"pixels-fb": points}))
    assert "| exponent of time over batch, channels or pixels: the largest | <= 1.05 | 1.50 |" in text
    assert "| memory of forward and backward over the output: the worst | <= 4 | 5.00 |" in text
    assert text.count("not met, not all measured") == 2


def test_absent_libraries_and_interruptions_are_in_the_report():
    text = render(record_of(absent={"JAX": "No module named 'jax'"}, complete=False))
    assert "JAX: absent (No module named 'jax')" in text
    assert "interrupted" in text


def test_a_file_is_whole_or_as_before(tmp_path, monkeypatch):
    path = tmp_path / "results.json"
    command.write_atomically(path, "whole")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(command.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        command.write_atomically(path, "half")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["whole"]


def test_the_command_measures_and_reports_again(tmp_path, capsys):
    assert command.main(["--only", "^(tape|copy-16384)$", "--quick", "--out", str(tmp_path)]) == 0
    record = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert record["cases"]["tape"]["peers"]["stn_ref"]["status"] == "ok"
    assert record["complete"]
    assert "| tape overhead of an operation" in capsys.readouterr().out
    report = (tmp_path / "report.md").read_text("utf-8")
    (tmp_path / "report.md").unlink()
    assert command.main(["report", str(tmp_path / "results.json")]) == 0
    assert (tmp_path / "report.md").read_text("utf-8") == report


def test_an_interruption_keeps_what_was_measured(tmp_path, monkeypatch):
    def interrupted(cases, crew, folder, record, save, **_):
        if cases[0].name == "a-fwd":
            record.update([entry_of(cases[0], {"stn_ref": 0.5})])
            raise KeyboardInterrupt
        record[cases[0].name] = {"case": cases[0].as_dict(), "peers": {}}  # nothing has begun

    monkeypatch.setattr(command, "run_cases", interrupted)
    assert command.main(["--out", str(tmp_path)]) == 130
    record = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert not record["complete"]
    assert list(record["cases"]) == ["a-fwd"]
    assert "interrupted" in (tmp_path / "report.md").read_text("utf-8")


def test_the_list_and_wrong_options(capsys):
    assert command.main(["--list"]) == 0
    listed = capsys.readouterr().out.split()
    assert listed == command.names()
    assert len(set(listed)) == len(listed)
    assert command.main(["--only", "no such case"]) == 2
    for wrong in (["--peer", "pytorch"], ["--peer", "what=python"], ["--rounds", "0"], ["--only", "("]):
        with pytest.raises(SystemExit):
            command.main(wrong)
    with pytest.raises(SystemExit):
        command.main(["report", str(ROOT / "setup.cfg")])


def test_an_interpreter_is_for_the_whole_family():
    chosen = with_interpreters({"pytorch": "elsewhere"})
    changed = {name for name, peer in chosen.items() if peer.python != sys.executable}
    assert changed == {name for name, peer in PEERS.items() if peer.family == "pytorch"}
    assert len(changed) == 2
    assert "pytorch" in FAMILIES


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks" / "peers").glob("*.py")), ids=lambda p: p.stem)
def test_peers_run_under_python_3_9_and_only_ours_import_stn_ref(path):
    for file in (path, ROOT / "benchmarks" / "worker.py", ROOT / "benchmarks" / "__init__.py"):
        tree = ast.parse(file.read_text("utf-8"), feature_version=(3, 9))
        modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        plain = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
        modules |= {alias.name for node in plain for alias in node.names}
        uses = any((name or "").split(".")[0] == "stn_ref" for name in modules)
        assert uses == (file.stem in ("ours", "fractions_plain"))


@pytest.mark.parametrize("name", ["a-fb", "g-fwd", "gradcheck", "exact", "step-tutorial-st-cnn-64"])
def test_inputs_are_the_same_each_time_and_some_samples_lie_outside(name):
    (case,) = [case for case in all_cases() if case.name == name]
    first, second = inputs(case), inputs(case)
    for key, array in first.items():
        np.testing.assert_array_equal(array, second[key])
    if name == "a-fb":
        corners = np.array([[x, y, 1] for x in (-1, 1) for y in (-1, 1)]).T
        assert (np.abs(first["theta"] @ corners) > 1).any()


def test_figures_are_drawn_where_matplotlib_is(tmp_path):
    pytest.importorskip("matplotlib")
    from benchmarks.figures import draw

    points = [{"numbers": n, "seconds": n, "bytes": n, "output": n, "shape": [n]} for n in (1, 2, 4)]
    record = record_of([entry_of(case, {}) for case in all_cases()], growth={"pixels-fb": points})
    assert draw(record, tmp_path) == ["ratios", "growth"]
    assert {p.name for p in tmp_path.iterdir()} == {"ratios.svg", "growth.svg"}
    assert draw(record_of(), tmp_path) == []
