"""A sweep: what is chosen, what is kept, who carries it out, and what happens when somebody dies."""

import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from stn_ref.experiments import Candidate
from stn_ref.experiments.executors import Crew, crew
from stn_ref.experiments.store import InUse, Store
from stn_ref.experiments.sweep import Asked, RunFailed, Sweep
from stn_ref.experiments.telling import Teller

from .tiny import TINY, checkpoints, tiny_sweep, without_times

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep from beginning to end: its folder, what was told, and its rows."""
    folder = tmp_path_factory.mktemp("swept")
    told = []
    sweep = tiny_sweep(folder, told=lambda sweep, run, row: told.append((run, row, len(sweep.left()))))
    return folder, told, sweep.run(), sweep


def test_each_cell_is_tried_with_each_candidate_then_run_with_each_seed(swept):
    _, told, rows, sweep = swept
    trials = [(run.model, run.candidate.lr) for run, _, _ in told if run.trial]
    assert trials == [(model, lr) for model in ("FCN", "ST-FCN Aff") for lr in (0.002, 0.01)]
    assert [(row["model"], row["seed"]) for row in rows] == [
        ("FCN", 0),
        ("FCN", 1),
        ("ST-FCN Aff", 0),
        ("ST-FCN Aff", 1),
    ]
    for row in rows:
        errors = {trial["lr"]: trial["error"] for trial in sweep.trials[row["model"], "R"]}
        assert errors[row["lr"]] == min(errors.values())


def test_trials_are_measured_on_the_validation_set_and_runs_on_the_test_set(swept):
    _, told, _, _ = swept
    for run, row, _ in told:
        assert row["measured_on"] == (40 if run.trial else 60)
        if run.trial:
            assert row["error"] == pytest.approx(row["epochs"][-1]["validation_error"])


def test_seeds_differ_and_the_same_seed_gives_the_same_bits(swept, tmp_path):
    _, _, rows, _ = swept
    assert rows[0]["wrong"] != rows[1]["wrong"]
    assert [without_times(row) for row in tiny_sweep(tmp_path).run()] == [without_times(row) for row in rows]


def test_how_many_are_left_goes_down_to_nothing(swept):
    """The runs of cells not yet decided are counted in."""
    assert [left for *_, left in swept[1]] == [7, 6, 5, 4, 3, 2, 1, 0]


def test_what_was_done_is_not_done_again_and_leaves_no_checkpoint(swept):
    folder, _, rows, _ = swept
    assert not checkpoints(folder)
    again = []
    assert tiny_sweep(folder, told=lambda *told: again.append(told)).run() == rows
    assert again == []


def test_another_schedule_is_another_run(swept):
    folder, _, _, _ = swept
    longer = replace(TINY, setting={**TINY.setting, "epochs": 3})
    store = Store(folder)
    (own, other) = (e.runs(("FCN", "R"), 1, Candidate(0.002), quick=False)[0] for e in (TINY, longer))
    assert store.result(own) != store.result(other)
    assert store.get(other) is None
    assert store.result(replace(own, data="elsewhere")) == store.result(own)


def test_a_raised_revision_makes_results_of_before_strangers(swept):
    run = TINY.runs(("FCN", "R"), 1, Candidate(0.002), quick=False)[0]
    newer = replace(TINY, revision=2).runs(("FCN", "R"), 1, Candidate(0.002), quick=False)[0]
    assert run.name != newer.name


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text[:-20], "is no whole result"),
        (lambda text: text.replace('"seed": 0', '"seed": 7'), "holds the result of another run"),
    ],
)
def test_a_damaged_result_is_refused_by_name(swept, tmp_path, damage, words):
    shutil.copytree(swept[0], tmp_path / "copy")
    path = next((tmp_path / "copy" / "table1").glob("FCN R 0 *.json"))
    path.write_text(damage(path.read_text()))
    with pytest.raises(ValueError, match=words) as error:
        tiny_sweep(tmp_path / "copy").run()
    assert str(path) in str(error.value)


# Executors. With another number of BLAS threads the last bits are others: processes have one each.


@pytest.fixture(scope="module")
def by_processes(tmp_path_factory):
    return tiny_sweep(tmp_path_factory.mktemp("processes"), "processes", 2).run()


def test_processes_come_to_the_same_numbers(swept, by_processes):
    for own, other in zip(swept[2], by_processes):
        assert own["lr"] == other["lr"]
        for a, b in zip(own["epochs"], other["epochs"]):
            assert a["loss"] == pytest.approx(b["loss"], rel=1e-5)


def test_any_number_of_processes_comes_to_the_same_bits(by_processes, tmp_path):
    rows = tiny_sweep(tmp_path, "processes", 1).run()
    assert [without_times(row) for row in rows] == [without_times(row) for row in by_processes]


def test_a_dask_cluster_comes_to_the_same_bits(swept, tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        sweep = tiny_sweep(tmp_path, f"dask:{cluster.scheduler_address}", None)
        with closing(sweep.crew):
            rows = sweep.run()
    assert [without_times(row) for row in rows] == [without_times(row) for row in swept[2]]


MPI = """
import json, sys
from tests.experiments.tiny import tiny_sweep
if __name__ == "__main__":
    print(json.dumps(tiny_sweep(sys.argv[1], "mpi", None).run()))
"""


def test_mpi_comes_to_the_same_bits(by_processes, tmp_path):
    pytest.importorskip("mpi4py")
    if shutil.which("mpiexec") is None:
        pytest.skip("mpiexec is not installed")
    (tmp_path / "script.py").write_text(MPI)
    command = ["mpiexec", "-n", "2", sys.executable, "-m", "mpi4py.futures", tmp_path / "script.py"]
    allowed = {
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    ended = subprocess.run(
        [*command, tmp_path / "runs"],
        env={**os.environ, **allowed, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    rows = json.loads(ended.stdout)
    assert [without_times(row) for row in rows] == [without_times(row) for row in by_processes]


def test_an_executor_that_is_none_is_refused():
    with pytest.raises(ValueError, match="expected processes, threads, dask:ADDRESS or mpi"):
        crew("dask")
    with pytest.raises(ValueError, match="expected 1 or more"):
        crew("threads", 0)


# Deaths


class Mortal(ThreadPoolExecutor):
    """Breaks down, as a pool of processes does, at the first ``deaths`` tasks that it is given in all."""

    deaths = 0
    made = 0

    def __init__(self):
        super().__init__(1)
        Mortal.made += 1

    def submit(self, *task):
        if Mortal.deaths:
            Mortal.deaths -= 1
            broken = Future()
            broken.set_exception(BrokenProcessPool("a process was terminated abruptly"))
            return broken
        return super().submit(*task)


def test_a_run_whose_worker_died_is_given_out_anew(swept, tmp_path, monkeypatch):
    monkeypatch.setattr(Mortal, "deaths", 2)
    monkeypatch.setattr(Mortal, "made", 0)
    sweep = Sweep(TINY, Asked(2), Store(tmp_path), Crew(Mortal, 1, "mortal"), lambda *_: None)
    assert [without_times(row) for row in sweep.run()] == [without_times(row) for row in swept[2]]
    assert Mortal.made == 3


def test_at_the_third_death_the_run_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(Mortal, "deaths", 3)
    sweep = Sweep(TINY, Asked(2), Store(tmp_path), Crew(Mortal, 1, "mortal"), lambda *_: None)
    with pytest.raises(RunFailed, match=r"a worker died 3 times while the run 'FCN R 0 \w+' was under way"):
        sweep.run()


def test_a_run_that_raises_an_error_is_told_by_name(tmp_path):
    too_large = replace(TINY, setting={**TINY.setting, "train": 6000})
    with pytest.raises(RunFailed, match=r"the run 'FCN R 0 \w+' failed: ValueError: table1: .* give the"):
        tiny_sweep(tmp_path, experiment=too_large).run()


def test_two_sweeps_do_not_work_on_the_same_run(tmp_path):
    store = Store(tmp_path)
    run = TINY.trials(("FCN", "R"))[0]
    with store.at_work(run), pytest.raises(InUse, match="held by another process"), store.at_work(run):
        pass
    with store.at_work(run):  # and afterwards it is free again
        pass


KILLED = """
import os, signal, sys, threading
from tests.experiments.tiny import tiny_sweep

def told(sweep, run, row):
    print(os.getpid(), *sorted(sweep_processes(sweep)), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

def sweep_processes(sweep):
    import multiprocessing
    return [process.pid for process in multiprocessing.active_children()]

if __name__ == "__main__":
    tiny_sweep(sys.argv[1], "processes", 2, told).run()
"""


def test_workers_end_when_the_sweep_is_killed_and_it_goes_on(by_processes, tmp_path):
    (tmp_path / "script.py").write_text(KILLED)
    ended = subprocess.run(
        [sys.executable, tmp_path / "script.py", tmp_path / "runs"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,  # which ends only when the last process that could write is gone
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    assert len(ended.stdout.split()) == 3  # the sweep and two workers
    rows = tiny_sweep(tmp_path / "runs", "processes", 2).run()
    assert [without_times(row) for row in rows] == [without_times(row) for row in by_processes]


# Telling


def test_a_line_for_each_run_and_the_time_left(swept, tmp_path, capsys):
    tiny_sweep(tmp_path, told=Teller()).run()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    assert all(line[8:].startswith("  R  ") for line in lines)
    assert "FCN, trial with 0.002: " in lines[0]
    assert "; 7 to go, about " in lines[0]
    assert "ST-FCN Aff, seed 1: " in lines[-1]
    assert "to go" not in lines[-1]
