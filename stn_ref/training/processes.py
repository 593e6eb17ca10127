"""The processes behind ``fit(..., workers=N)``: how they start, what they say, and that they end.

They share memory without a name, which the system takes back when the last of them is gone, however it
ended. A worker ends when its pipe does, so that none outlives this process.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any, NamedTuple

from .shared import Answer, Failure, Field, Task, room
from .worker import main

__all__ = ["BLAS_THREADS", "LostWorker", "Processes", "as_workers_need_it"]

AHEAD = 2  # tasks that a worker may have at a time, so that it need not wait for the next one
PATIENCE = 2.0  # seconds that a worker gets to end by itself
BLAS_THREADS = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
)
_environment = threading.Lock()


class LostWorker(Exception):
    """A worker ended or raised an error; ``number`` counts from 1, ``traceback`` is its own or ""."""

    def __init__(self, number: int, what: str, traceback: str = "") -> None:
        super().__init__(what)
        self.number, self.traceback = number, traceback


class _Worker(NamedTuple):
    number: int
    process: Any
    pipe: Any


class Processes:
    """Workers that are ready, ``count`` of them, each with the pickled model and loss in ``payload``.

    ``memory`` is what they share with this process, with room for ``fields``.

    Raises
    ------
    LostWorker
        If one cannot begin.
    """

    def __init__(self, count: int, fields: Mapping[Any, Field], payload: bytes) -> None:
        context = multiprocessing.get_context("spawn")  # a fork has the locks of all threads, and one thread
        self.memory = context.RawArray("B", room(list(fields.values())))
        self.workers: list[_Worker] = []
        self.count, self.ready = count, False
        try:
            for number in range(1, count + 1):
                pipe, end = context.Pipe()
                process = context.Process(
                    target=main,
                    args=(end, self.memory, fields, payload),
                    name=f"stn_ref worker {number}",
                    daemon=True,
                )
                with as_workers_need_it():
                    process.start()
                    self.workers.append(_Worker(number, process, pipe))
                end.close()
            for _ in self.workers:
                self.message()  # each says that it is ready, or why not
        except BaseException:
            self.close()
            raise
        self.ready = True

    def answers(self, tasks: Iterator[Task]) -> list[Answer]:
        """Have the tasks done, by whoever is free; the answers in the order of the shards."""
        found: dict[int, Answer] = {}
        given = 0

        def give(worker: _Worker) -> None:
            nonlocal given
            task = next(tasks, None)
            if task is not None:
                try:
                    worker.pipe.send(task)
                except OSError:
                    raise self.lost(worker) from None
                given += 1

        for _ in range(AHEAD):
            for worker in self.workers:
                give(worker)
        while len(found) < given:
            worker, answer = self.message()
            found[answer.shard] = answer
            give(worker)
        return [found[shard] for shard in sorted(found)]

    def message(self) -> tuple[_Worker, Any]:
        """What some worker says next, or :class:`LostWorker`."""
        ready = wait([end for w in self.workers for end in (w.pipe, w.process.sentinel)])
        speaking = [worker for worker in self.workers if worker.pipe in ready]
        if not speaking:  # what a worker said before its end would come first
            raise self.lost(next(w for w in self.workers if w.process.sentinel in ready))
        worker = speaking[0]
        try:
            said = worker.pipe.recv()
        except (EOFError, OSError):
            raise self.lost(worker) from None
        if isinstance(said, Failure):
            raise LostWorker(worker.number, f"{self.name(worker)} raised {said.error}", said.traceback)
        return worker, said

    def name(self, worker: _Worker) -> str:
        return f"worker {worker.number} of {self.count} (process {worker.process.pid})"

    def lost(self, worker: _Worker) -> LostWorker:
        """A worker that is gone, and how it went."""
        worker.process.join(PATIENCE)
        code = worker.process.exitcode
        if code is None:
            how = "closed its pipe"
        elif code < 0:
            how = f"was killed by signal {-code} ({_signal_name(-code)})"
        else:
            how = f"ended with exit code {code}; what it printed stands above"
            if not self.ready:
                how += (
                    ". A script that trains with workers does so under `if __name__ == '__main__':`, since "
                    "each worker imports it"
                )
        return LostWorker(worker.number, f"{self.name(worker)} {how}")

    def close(self) -> None:
        """End the workers; one that does not end is killed."""
        workers, self.workers = self.workers, []
        for worker in workers:
            worker.pipe.close()
        for worker in workers:
            for force in (None, worker.process.terminate, worker.process.kill):
                if force is not None:
                    force()
                worker.process.join(PATIENCE)
                if worker.process.exitcode is not None:
                    worker.process.close()
                    break


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"


@contextmanager
def as_workers_need_it() -> Iterator[None]:
    """What a process started in here inherits: one BLAS thread, and no ear for Ctrl-C.

    Both must hold before it imports NumPy. The variables of this process are put back, which NumPy has read
    long ago.

    >>> before = os.environ.get("OMP_NUM_THREADS")
    >>> with as_workers_need_it():
    ...     os.environ["OMP_NUM_THREADS"]
    '1'
    >>> os.environ.get("OMP_NUM_THREADS") == before
    True
    """
    with _environment:
        before = {name: os.environ.get(name) for name in BLAS_THREADS}
        mask = _block_interrupts()
        try:
            os.environ.update(dict.fromkeys(BLAS_THREADS, "1"))
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
            if mask is not None:
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _block_interrupts() -> Any:
    """Hold Ctrl-C back in this thread; the mask as it was, None where there is no such thing."""
    if not hasattr(signal, "pthread_sigmask"):
        return None
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # started later it would undo the mask
    return signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
