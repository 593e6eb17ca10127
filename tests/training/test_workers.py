"""Workers: the same bits for any number of them, and an end to all of them whatever happens."""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from stn_ref import Tensor
from stn_ref.nn import SGD, Flatten, Linear, Sequential, SpatialTransformer, fan_in_uniform
from stn_ref.ops.interpolation import BILINEAR
from stn_ref.ops.thin_plate import ThinPlateSpline
from stn_ref.training import (
    CheckpointError,
    Diverged,
    Interrupted,
    SilentProgress,
    WorkerFailed,
    fit,
    load_checkpoint,
    processes,
    workers,
)

from . import faulty

ROOT = Path(__file__).parent.parent.parent


def named_memory():
    """Files behind shared memory of this process, as multiprocessing names them."""
    return list(Path("/dev/shm").glob(f"pym-{os.getpid()}-*"))


@pytest.fixture(autouse=True)
def nothing_is_left():
    """No process outlives a run, and no memory, and the environment is as before."""
    environment = {name: os.environ.get(name) for name in processes.BLAS_THREADS}
    yield
    assert multiprocessing.active_children() == []
    assert named_memory() == []
    assert {name: os.environ.get(name) for name in processes.BLAS_THREADS} == environment


@pytest.fixture
def fine(monkeypatch):
    """One image to a shard: four shards in a batch of the small run, and two in its last one."""
    monkeypatch.setattr(workers, "WHOLE", 1)
    monkeypatch.setattr(workers, "SHARD", 1)


@pytest.fixture(scope="module")
def whole():
    """What one worker makes of the small run, and its history; filled by the first test that asks."""
    return {}


def outcome_of_one(small, whole):
    if not whole:
        run = small.Run()
        whole["history"] = run.fit(workers=1)
        whole["outcome"] = run.outcome()
    return whole["outcome"]


def train(small, model, **settings):
    optimiser = SGD(model.named_parameters(), lr=0.1)
    settings = {"epochs": 1, "batch_size": 7, "seed": 0, "workers": 1, **settings}
    return fit(model, optimiser, small.images, small.labels, **settings)


# The same bits


@pytest.mark.parametrize("count", [2, 3])
def test_any_number_of_workers_gives_the_same_bits(small, whole, fine, count):
    """A network with a transformer and dropout, Adam, and a last batch of two after batches of four."""
    expected = outcome_of_one(small, whole)
    run = small.Run()
    history = run.fit(workers=count)
    assert run.outcome() == expected
    assert history == whole["history"]
    assert set(history[-1].outside) == {"transformer"}
    assert history.note == ""


def as_many_shards_as_workers(monkeypatch):
    monkeypatch.setattr(workers, "bounds", lambda n: [(0, n // 2), (n // 2, n)])


def added_as_they_arrive(monkeypatch):
    """The last first, which nothing forbids where there are two workers."""
    in_order = processes.Processes.answers
    monkeypatch.setattr(
        processes.Processes,
        "answers",
        lambda self, tasks: in_order(self, tasks)[:: 1 if self.count == 1 else -1],
    )


def other_chance_for_each_worker(monkeypatch):
    """Dropout seeded by who draws, not by what is drawn for."""
    give = processes.Task._replace

    def answers(self, tasks, honest=processes.Processes.answers):
        return honest(self, (give(t, words=[[t.shard % self.count]] * len(t.words)) for t in tasks))

    monkeypatch.setattr(processes.Processes, "answers", answers)


@pytest.mark.parametrize(
    "plant", [as_many_shards_as_workers, added_as_they_arrive, other_chance_for_each_worker]
)
def test_the_test_of_bits_finds_what_depends_on_the_workers(small, whole, fine, monkeypatch, plant):
    expected = outcome_of_one(small, whole)
    plant(monkeypatch)
    run = small.Run()
    run.fit(workers=2)
    assert run.outcome() != expected


class StopAt(SilentProgress):
    def __init__(self, batches, how):
        self.left, self.how = batches, how

    def batch(self, *told):
        self.left -= 1
        if not self.left:
            self.how()


def ctrl_c():
    raise KeyboardInterrupt


def test_a_run_is_taken_up_by_another_number_of_workers(small, whole, fine, tmp_path):
    expected = outcome_of_one(small, whole)
    path = tmp_path / "a.npz"
    with pytest.raises(Interrupted, match=r"in epoch 2 of 3, after 1 of 4 batches"):
        small.Run().fit(workers=2, checkpoint=path, progress=StopAt(5, ctrl_c))
    with pytest.raises(
        CheckpointError, match=r"another division of batches by workers: up to 1 whole.*, here None"
    ):
        small.Run().fit(checkpoint=path, resume=True)
    run = small.Run()
    assert run.fit(workers=1, checkpoint=path, resume=True) == whole["history"]
    assert run.outcome() == expected


class Freezing(SilentProgress):
    """The classifier is frozen in the second of three epochs."""

    def __init__(self, model):
        self.model = model

    def epoch(self, record, epochs):
        for p in self.model.classifier.parameters():
            p.requires_grad = record.number != 1


def test_a_batch_of_one_shard_gives_the_bits_of_no_workers(small):
    """Dropout aside, which draws otherwise; a parameter frozen on the way is frozen in the workers too."""
    outcomes = []
    for count in (None, 0, 1):
        run = small.Run()
        run.model.classifier[3].p = 0.0
        history = run.fit(workers=count, progress=Freezing(run.model))
        outcomes.append((run.outcome()[:2], history))
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert run.model.transformer.report.theta.shape == (2, 2, 3)


def test_what_a_transformer_learns_beside_its_network_is_learnt_in_workers_too(small):
    states = []
    for count in (None, 1):
        rng = np.random.default_rng(0)
        points = Tensor(rng.uniform(-1, 1, (4, 2)).astype(np.float32), requires_grad=True)
        width = Tensor(np.float32(1), requires_grad=True)
        heads = [Linear(36, size, rng=rng, initialiser=fan_in_uniform) for size in (8, 6)]
        settings = [{"transformation": ThinPlateSpline(points)}, {"mode": BILINEAR.widened(width)}]
        chain = [SpatialTransformer(Sequential(Flatten(), h), **s) for h, s in zip(heads, settings)]
        model = Sequential(*chain, Flatten(), Linear(36, 4, rng=rng))
        before = model.state_dict()
        train(small, model, workers=count)
        states.append(model.state_dict())
    assert all((value == states[1][name]).all() for name, value in states[0].items())
    learnt = [name for name in before if "learnt" in name]
    assert learnt == ["0.learnt.transformation.control_points", "1.learnt.kernel.width"]
    assert all((before[name] != states[1][name]).any() for name in learnt)


def test_shards_of_any_size_add_up_to_the_batch(small, monkeypatch):
    """Uneven ones too: their gradients weigh as much as they have images."""
    monkeypatch.setattr(workers, "bounds", lambda n: [(0, 1), (1, n)])
    results = []
    for count in (None, 2):
        run = small.Run("SGD")
        run.model.classifier[3].p = 0.0
        history = run.fit(workers=count, epochs=1)
        results.append((run.model.state_dict(), history))
        report = run.model.transformer.report
    assert report.theta.shape[0] == report.size[0] == 2
    (one, first), (other, second) = results
    eps = np.finfo(np.float32).eps
    assert all(np.abs(one[name] - other[name]).max() < 100 * eps for name in one)
    assert first[0].loss == pytest.approx(second[0].loss, rel=1e-5)
    assert first[0].accuracy == second[0].accuracy
    assert first[0].outside == pytest.approx(second[0].outside)


def test_shards_depend_on_the_size_of_the_batch_alone():
    for n in (1, 32, 33, 64, 100, 128, 129, 256, 1000, 5000):
        cuts = workers.bounds(n)
        assert [stop for _, stop in cuts] == [start for start, _ in cuts[1:]] + [n]
        assert cuts[0][0] == 0
        sizes = [stop - start for start, stop in cuts]
        assert max(sizes) - min(sizes) <= 1
        assert len(cuts) & (len(cuts) - 1) == 0


def test_more_workers_than_shards_are_not_started(small, fine):
    started = []

    class Counting(SilentProgress):
        def batch(self, *told):
            started.append(len(multiprocessing.active_children()))
            assert named_memory() == []  # while they work, too: a kill could not remove it

    history = small.Run().fit(workers=5, epochs=1, batch_size=2, progress=Counting())
    assert set(started) == {2}
    assert history.note == "of 5 workers 2 will do: a batch of 2 has 2 shards"


def test_images_may_change_between_epochs(small):
    kinds = iter([np.float32, np.float64])

    def another_kind(images, rng):
        return images[:, None].astype(next(kinds)) / 255

    assert len(small.Run().fit(workers=1, epochs=2, distort=another_kind)) == 2


def test_divergence_is_found_and_undone(small, fine):
    run = small.Run("SGD")
    run.optimiser.lr = 3e38
    before = run.model.state_dict()
    with pytest.raises(
        Diverged, match=r"the loss is nan.* 3e\+38.*; 100% of the samples of the spatial tran"
    ):
        run.fit(workers=2)
    assert all((before[name] == value).all() for name, value in run.model.state_dict().items())


# What workers run on


def test_each_worker_has_one_blas_thread_and_this_process_keeps_its_own(small, monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    model = faulty.Linearly()
    optimiser = SGD(model.named_parameters(), lr=0.1)
    settings = {"epochs": 1, "batch_size": 14, "seed": 0, "workers": 1, "loss": faulty.threads}
    for name in faulty.THREADS:
        monkeypatch.setenv(name, "2")
    assert fit(model, optimiser, small.images, small.labels, **settings)[0].loss == 1.0
    assert {os.environ[name] for name in faulty.THREADS} == {"2"}


# Failures


def kill_one():
    os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)


def test_a_worker_that_is_killed_is_named_and_nothing_is_lost(small, whole, fine, tmp_path):
    expected = outcome_of_one(small, whole)
    path = tmp_path / "a.npz"
    run = small.Run()
    begun = time.perf_counter()
    with pytest.raises(WorkerFailed) as stop:
        run.fit(workers=2, checkpoint=path, progress=StopAt(5, kill_one))
    assert time.perf_counter() - begun < 10
    assert re.fullmatch(
        r"fit: worker [12] of 2 \(process \d+\) was killed by signal 9 \(SIGKILL\); stopped in epoch 2 of 3, "
        r"after 1 of 4 batches; saved to .*a\.npz; go on with the same call and resume=True",
        str(stop.value),
    )
    assert (stop.value.epoch, stop.value.batch, stop.value.checkpoint) == (2, 1, path)
    assert stop.value.worker in (1, 2)
    other = small.Run()
    load_checkpoint(path).restore(other.model, other.optimiser)
    assert run.outcome() == other.outcome()
    resumed = small.Run()
    resumed.fit(workers=1, checkpoint=path, resume=True)
    assert resumed.outcome() == expected


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (faulty.Exiting, r"worker 1 of 1 \(process \d+\) ended with exit code 3; what it printed"),
        (
            faulty.Rebinding,
            "raised ValueError: workers: the forward pass .* changes its parameter net.1.bias",
        ),
        (faulty.Writing, "raised ValueError: output array is read-only"),
        (faulty.GloballyRandom, "raised ValueError: workers: .* draws from NumPy's global generator"),
        (faulty.NotRebuilt, r"raised LookupError: not here; stopped in epoch 1 of 1, after 0 of 2 batches"),
    ],
)
def test_what_cannot_be_right_in_workers_is_refused_by_name(small, make, words):
    with pytest.raises(WorkerFailed, match=words):
        train(small, make())


def test_an_error_in_a_worker_comes_with_its_traceback(small, fine):
    with pytest.raises(WorkerFailed, match="three is too many; stopped") as stop:
        train(small, faulty.Raising(), workers=2)
    assert "faulty.py" in stop.value.traceback
    assert "in forward" in stop.value.traceback
    assert str(stop.value).endswith("ValueError: three is too many")


def test_a_loss_that_is_no_mean_is_refused(small):
    with pytest.raises(WorkerFailed, match="with workers it must be the mean over the images"):
        train(small, faulty.Linearly(), loss=faulty.total)


def test_what_cannot_be_pickled_is_refused_before_anything_is_written(small, tmp_path):
    path = tmp_path / "a.npz"
    with pytest.raises(TypeError, match=r"fit: workers need copies of the model, but it cannot be pickled: "):
        train(small, faulty.NotPicklable(), checkpoint=path)
    with pytest.raises(TypeError, match=r"copies of the loss, but it cannot be pickled: .*\(no lambda\)"):
        train(small, faulty.Linearly(), checkpoint=path, loss=lambda logits, labels: logits.sum())
    assert not path.exists()


@pytest.mark.parametrize("count", [-1, 1.5, True, "2"])
def test_a_wrong_number_of_workers_is_refused(small, count):
    with pytest.raises(ValueError, match=f"fit: workers is {count!r}, expected a whole number of at least 0"):
        small.Run().fit(workers=count)


# Signals

SCRIPT = """
import multiprocessing, os, signal, sys
import numpy as np
from stn_ref.nn import SGD, Flatten, Linear, Sequential
from stn_ref.training import Interrupted, SilentProgress, fit

class Signalling(SilentProgress):
    def batch(self, epoch, epochs, batch, batches, loss):
        if batch == 3:
            print(len(multiprocessing.active_children()), flush=True)
            os.kill(0 if sys.argv[1] == "SIGINT" else os.getpid(), getattr(signal, sys.argv[1]))

if __name__ == "__main__":
    model = Sequential(Flatten(), Linear(4, 2, rng=np.random.default_rng(0)))
    images, labels = np.zeros((400, 2, 2), np.uint8), np.zeros(400, int)
    settings = {"epochs": 1, "batch_size": 40, "seed": 0, "workers": 2, "progress": Signalling()}
    try:
        fit(model, SGD(model.named_parameters(), lr=0.1), images, labels, **settings)
    except Interrupted as stop:
        print(stop, multiprocessing.active_children())
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGKILL"])
def test_workers_end_quietly_when_the_run_does(tmp_path, name):
    """Ctrl-C goes to all of them at once; after SIGKILL nobody tells them, but their pipe ends."""
    (tmp_path / "script.py").write_text(SCRIPT)
    begun = subprocess.Popen(
        [sys.executable, tmp_path / "script.py", name],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    out, err = begun.communicate(timeout=60)  # returns when the last process that can write is gone
    assert err == ""
    if name == "SIGINT":
        said = (
            "fit: stopped in epoch 1 of 1, after 3 of 10 batches; nothing was saved, since no checkpoint was"
        )
        assert out.splitlines() == ["2", f"{said} asked for []"]
    else:
        assert out == "2\n"
        assert begun.returncode == -signal.SIGKILL


def test_a_script_without_a_guard_is_told_so(tmp_path):
    script = SCRIPT.replace('if __name__ == "__main__":', "if True:")
    (tmp_path / "script.py").write_text(script)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, tmp_path / "script.py", "SIGINT"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "does so under `if __name__ == '__main__':`" in ended.stderr
