"""Who carries out the runs: processes, threads, Dask or MPI, each an executor of ``concurrent.futures``."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from ..errors import optional
from ..training.processes import as_workers_need_it

__all__ = ["Crew", "crew"]

CHECKED = 0.5  # seconds between two looks whether the parent is still there
KEPT = 30_000_000  # bytes; see stn_ref.training.worker


class Crew(NamedTuple):
    """How to get an executor, anew if one broke down, and how many runs it can carry out at a time.

    ``close`` lets go of a cluster when no executor is needed any more.
    """

    make: Callable[[], Executor]
    size: int
    name: str
    close: Callable[[], None] = lambda: None


def crew(where: str, workers: int | None = None) -> Crew:
    """An executor by its name on the command line.

    Parameters
    ----------
    where : "processes", "threads", "dask:ADDRESS" or "mpi"
        ``ADDRESS`` is that of a Dask scheduler, such as ``tcp://10.0.0.1:8786``. With MPI, the command runs
        under ``mpiexec -n N python -m mpi4py.futures -m stn_ref reproduce ...``.
    workers : int or None
        How many runs at a time; as many as there are processors, or places in the cluster, if None.

    Raises
    ------
    ValueError
        If there is no such executor.
    ModuleNotFoundError
        If the library for it is not installed.

    >>> crew("threads", 2).size
    2
    """
    kind, _, address = where.partition(":")
    if workers is not None and workers < 1:
        raise ValueError(f"reproduce: {workers} workers cannot do anything; expected 1 or more")
    here = workers or _processors()
    if where == "processes":
        return Crew(lambda: _processes(here), here, f"{here} processes")
    if where == "threads":
        return Crew(lambda: ThreadPoolExecutor(here), here, f"{here} threads")
    if kind == "dask" and address:
        distributed: Any = optional("distributed", extra="dask", purpose="a Dask cluster")
        client = distributed.Client(address)
        places = workers or sum(client.nthreads().values())
        name = f"{places} places at {address}"
        return Crew(lambda: client.get_executor(pure=False), places, name, client.close)
    if where == "mpi":
        futures: Any = optional("mpi4py.futures", extra="mpi", purpose="running under MPI")
        executor = futures.MPIPoolExecutor(workers)
        return Crew(lambda: executor, executor.num_workers, f"{executor.num_workers} MPI processes")
    raise ValueError(
        f"reproduce: there is no executor {where!r}; expected processes, threads, dask:ADDRESS or mpi"
    )


def _processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processes(count: int) -> Executor:
    executor = ProcessPoolExecutor(
        count, mp_context=multiprocessing.get_context("spawn"), initializer=_begin, initargs=(os.getpid(),)
    )
    with as_workers_need_it():  # one process is launched with each of the first tasks
        for _ in range(count):
            executor.submit(time.sleep, 0)
    return executor


def _begin(parent: int) -> None:
    """In a new process: Ctrl-C is the parent's, and without the parent there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    np.empty(KEPT, np.uint8)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(CHECKED)
    os._exit(1)
