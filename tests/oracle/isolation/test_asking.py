"""A backend may do anything; what comes of it is the answer of one call, and the run goes on.

Here it is asked in a copy of this process, which begins faster than a fresh interpreter.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from stn_ref.oracle.isolation import processes, serving
from stn_ref.oracle.isolation.asking import BackendNotLoaded, InProcess, Isolated

from ..asking import Does, Doubles, call, is_doubled, only

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Isolated needs a POSIX system")
ROOT = Path(__file__).parents[2]
LIMIT = 0.3  # seconds for a call
FAILED = 20.0  # seconds after which a test no longer waits for what should be there at once


def says(pipe):
    """What comes from a pipe; b"" if none is left that could write to it."""
    assert select.select([pipe], [], [], FAILED)[0], "nothing came"
    return os.read(pipe, 100)


def hold_everything(_):
    ctypes.PyDLL(None).sleep(100)  # C code that lets no other thread run


def block_signals_and_sleep(_):
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    time.sleep(100)


def loop(_):
    while True:
        pass


def print_for_ever(_):
    while True:
        print("x" * 100)


def hang_beside_a_thread(_):
    threading.Thread(target=time.sleep, args=(100,)).start()
    loop(_)


def close_everything(_):
    os.closerange(3, 256)


CRASHES = {
    "segfault": (lambda _: ctypes.string_at(0), "killed by SIGSEGV\nFatal Python error: Segmentation fault"),
    "abort": (lambda _: os.abort(), "killed by SIGABRT\n"),
    "exit": (lambda _: print("so long") or os._exit(0), "exit code 0\nso long"),
    "kill": (lambda _: os.kill(os.getpid(), signal.SIGKILL), "killed by SIGKILL"),
    "close": (close_everything, ""),
}
HANGS = {
    "loop": (loop, "in loop"),
    "sleep": (block_signals_and_sleep, "in block_signals_and_sleep"),
    "hold": (hold_everything, "in hold_everything"),
    "print": (print_for_ever, "in print_for_ever"),
    "thread": (hang_beside_a_thread, "in hang_beside_a_thread"),
}


def answers_around(name, instead):
    with Isolated(Does(**{name: instead}), time_limit=LIMIT) as backend:
        [[before, answer, after]] = backend.ask([[call(), call(name), call()]])
    assert is_doubled(before)
    assert is_doubled(after)
    return answer


@pytest.mark.parametrize("name", CRASHES)
def test_a_crash_is_the_answer_of_its_call_and_the_job_goes_on(name):
    instead, detail = CRASHES[name]
    answer = answers_around(name, instead)
    assert answer.failure == "CRASH"
    assert detail in answer.detail
    assert "stn_ref/oracle" not in answer.detail


@pytest.mark.parametrize("name", HANGS)
def test_a_hang_is_the_answer_of_its_call_and_the_job_goes_on(name):
    instead, where = HANGS[name]
    answer = answers_around(name, instead)
    assert answer.failure == "TIMEOUT"
    assert answer.detail.startswith(f"no answer within {LIMIT} s; it was in\n")
    assert where in answer.detail


def test_a_process_that_is_stopped_is_a_timeout(monkeypatch):
    monkeypatch.setattr(processes, "GRACE", 0.1)
    answer = answers_around("stop", lambda _: os.kill(os.getpid(), signal.SIGSTOP))
    assert (answer.failure, answer.detail) == ("TIMEOUT", f"no answer within {LIMIT} s")


def test_the_limit_is_for_each_call_not_for_a_job():
    def naps(U):
        time.sleep(0.6 * LIMIT)
        return 2 * U

    with Isolated(Does(nap=naps), time_limit=LIMIT) as backend:
        [answers] = backend.ask([[call("nap")] * 3])
    assert all(map(is_doubled, answers))


def test_memory_beyond_the_limit_is_an_error():
    def hoards(_):
        return np.ones(2**40, np.uint8)

    with Isolated(Does(hoard=hoards), memory_limit=2**36) as backend:
        [[answer, after]] = backend.ask([[call("hoard"), call()]])
    assert answer.failure == "ERROR"
    assert "MemoryError" in answer.detail
    assert is_doubled(after)


def test_printing_does_not_disturb_the_answers():
    def prints(U):
        print("noise", flush=True)
        os.write(1, b"more noise")
        return 2 * U

    with Isolated(Does(print=prints)) as backend:
        [answers] = backend.ask([[call("print")] * 3])
    assert all(map(is_doubled, answers))


def test_endless_printing_does_not_fill_the_disk(monkeypatch):
    monkeypatch.setattr(serving, "MOST_WRITTEN", 10**5)
    answer = answers_around("print", print_for_ever)
    assert answer.failure == "ERROR"
    assert "File too large" in answer.detail


def test_a_crash_is_told_with_what_its_own_call_has_printed():
    with Isolated(Does(say=lambda _: print("earlier"), end=lambda _: print("now") or os._exit(1))) as backend:
        [[_, answer]] = backend.ask([[call("say"), call("end")]])
    assert answer.detail == "ended the process with exit code 1\nnow"


def test_a_key_pressed_in_the_terminal_is_not_for_the_worker():
    with Isolated(Does(session=lambda _: float(os.getsid(0)))) as backend:
        assert only(backend, call("session")).outputs[""] != os.getsid(0)


def test_a_warning_is_no_error_even_where_it_would_be_one_here():
    def warns(U):
        warnings.warn("slow", stacklevel=1)
        return 2 * U

    with Isolated(Does(warn=warns)) as backend:
        assert is_doubled(only(backend, call("warn")))


@pytest.mark.torch
def test_a_copied_process_does_not_wait_for_threads_that_were_not_copied():
    torch = pytest.importorskip("torch")
    ones = np.ones(10**6)

    def adds_in_parallel(_):
        return torch.from_numpy(ones) + 1

    assert adds_in_parallel(0)[0] == 2
    with Isolated(Does(add=adds_in_parallel)) as backend:
        assert only(backend, call("add")).outputs[""][0] == 2


def test_answers_come_in_order_and_the_process_is_the_same_within_and_between_jobs():
    seen = []

    def counts(_):
        seen.append(1)
        return float(len(seen))

    with Isolated(Does(count=counts)) as backend:
        jobs = [[call("count")] * n for n in (1, 0, 3, 2)]
        found = [[float(answer.outputs[""]) for answer in answers] for answers in backend.ask(jobs)]
    assert found == [[1], [], [2, 3, 4], [5, 6]]
    assert not seen


def test_jobs_are_taken_at_most_two_ahead_and_computed_meanwhile():
    """The second job is done while the answer to the first one is held."""
    taken = []
    done, pipe = os.pipe()

    def tells(U):
        os.write(pipe, b"done")
        return 2 * U

    def jobs():
        for k in range(5):
            taken.append(k)
            yield [call("tell" if k == 1 else "bilinear")]

    with Isolated(Does(tell=tells)) as backend:
        answers = backend.ask(jobs())
        assert not taken
        assert is_doubled(next(answers)[0])
        assert says(done) == b"done"
        assert taken == [0, 1]
        assert all(is_doubled(answer) for [answer] in answers)
    assert taken == [0, 1, 2, 3, 4]
    os.close(done)
    os.close(pipe)


def test_messages_larger_than_any_pipe_pass_both_ways():
    large = np.random.default_rng(0).random((2, 1, 300, 400))
    with Isolated(Does()) as backend:
        for answers in backend.ask([[call(U=large)] * 2] * 2):
            assert all(np.array_equal(answer.outputs[""], 2 * large) for answer in answers)


def test_answers_nobody_waits_for_are_not_those_of_the_next_question():
    with Isolated(Does()) as backend:
        asked = backend.ask([[call()], [call(U=np.ones((1, 1, 2, 2)))], [call()]])
        next(asked)
        with pytest.raises(ValueError, match="while the answers of an earlier ask are awaited"):
            next(backend.ask([[call()]]))
        asked.close()
        assert is_doubled(only(backend, call()))


def children():
    """The processes that this one has started and that are not yet gone, zombies too, where Linux tells."""
    listed = Path("/proc/self/task").glob("*/children")
    return {pid for thread in listed for pid in thread.read_text().split()}


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before, others = len(os.listdir("/dev/fd")), children()
    for instead in (loop, os.abort, lambda _: 1.0):
        with Isolated(Does(odd=instead), time_limit=LIMIT) as backend:
            only(backend, call("odd"))
            assert not list(tmp_path.iterdir())
    with pytest.raises(BackendNotLoaded):
        Isolated("no_such_module:Backend").__enter__()
    assert len(os.listdir("/dev/fd")) == before
    assert children() <= others


def test_what_the_backend_has_started_ends_with_it():
    """A pipe is open for as long as any of its heirs is."""
    heirs, pipe = os.pipe()

    def starts_another(_):
        if os.fork() == 0:
            time.sleep(100)
        os._exit(3)

    with Isolated(Does(start=starts_another, hang=loop), time_limit=LIMIT) as backend:
        os.close(pipe)
        [[answer]] = backend.ask([[call("start")]])
        assert "exit code 3" in answer.detail
        assert says(heirs) == b""
    os.close(heirs)


@pytest.mark.parametrize("mode", ["wait", "hang"])
def test_a_worker_ends_when_its_parent_is_killed(mode):
    """A pipe is open for as long as any of its heirs is."""
    source = f"""
import os, sys, time
from stn_ref.oracle.isolation.asking import Isolated
from tests.oracle.asking import Does, call
started, pipe = map(int, sys.argv[1:])
def wait(U):
    os.write(started, b"x")
    return U
def hang(U):
    os.write(started, b"x")
    while True:
        pass
def jobs():
    yield [call({mode!r})]
    time.sleep(100)
with Isolated(Does(hang=hang, wait=wait), time_limit={2 * LIMIT}) as backend:
    list(backend.ask(jobs()))
"""
    (started, tell), (heirs, pipe) = os.pipe(), os.pipe()
    parent = subprocess.Popen(
        [sys.executable, "-c", source, str(tell), str(pipe)],
        pass_fds=[tell, pipe],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    os.close(tell)
    os.close(pipe)
    assert says(started) == b"x"
    parent.kill()
    parent.wait()
    assert says(heirs) == b""
    os.close(started)
    os.close(heirs)


# Before and after.


class Versioned(Does):
    """Ends its process when it is started more often than ``starts`` times."""

    def __init__(self, file, starts):
        super().__init__(end=lambda _: os._exit(1))
        self.file, self.starts = file, starts

    @property
    def version(self):
        with open(self.file, "a") as file:
            file.write("x")
            if file.tell() > self.starts:
                file.flush()
                os._exit(9)
        return "1"


def test_a_claim_of_the_wrong_type_is_refused():
    backend = Does()
    backend.modes = "bilinear"
    with pytest.raises(TypeError, match=r"modes is 'bilinear', expected a tuple of str"):
        InProcess(backend)
    with pytest.raises(BackendNotLoaded, match=r"modes is 'bilinear', expected a tuple of str"):
        Isolated(backend).__enter__()


def test_a_process_that_crashes_when_it_starts_is_not_tried_again(tmp_path):
    with pytest.raises(BackendNotLoaded, match=r"Versioned could not be loaded: ended .* with exit code 9"):
        Isolated(Versioned(tmp_path / "starts", starts=0)).__enter__()
    assert (tmp_path / "starts").read_text() == "x"


def test_a_backend_that_no_longer_starts_is_given_up_after_five_times(tmp_path):
    with Isolated(Versioned(tmp_path / "starts", starts=1)) as backend:
        answers = backend.ask([[call(), call("end")], [call()]])
        assert is_doubled(next(answers)[0])
        with pytest.raises(BackendNotLoaded, match="exit code 9"):
            next(answers)
    assert (tmp_path / "starts").read_text() == "x" * 6


@pytest.mark.parametrize("target", [3, Doubles])
def test_what_is_neither_a_name_nor_a_backend_is_refused(target):
    with pytest.raises(TypeError, match=r"expected 'module:Class' or .* or an object whose class"):
        Isolated(target)


def test_it_is_used_in_a_with_statement():
    backend = Isolated(Doubles())
    with pytest.raises(ValueError, match="use it as `with Isolated"):
        _ = backend.about
    with pytest.raises(ValueError, match="ask outside of `with"):
        next(backend.ask([[call()]]))
