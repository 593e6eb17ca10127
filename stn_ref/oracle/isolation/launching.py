"""How a worker process begins: in a fresh interpreter, or as a copy of this process."""

import ctypes
import gc
import json
import os
import re
import signal
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple, NoReturn, Protocol

from ..backend import Backend
from . import start
from .serving import Ends, Limits, serve

ONE_BLAS_THREAD = {
    **dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1"),
    **dict.fromkeys(("VECLIB_MAXIMUM_THREADS", "BLIS_NUM_THREADS"), "1"),
}
OPENMP = re.compile(r"/lib(g|i)?omp[^/]*\.so[^/]*$")  # of GCC, Intel and LLVM


class Child(Protocol):
    """A process that was started."""

    pid: int

    def poll(self) -> int | None:
        """Its exit code, that of a signal negative; None while it runs."""


class Opening(NamedTuple):
    """What a new process is given; ``others`` are the other ends of its pipes."""

    ends: Ends
    others: tuple[int, int]
    limits: Limits


Begin = Callable[[Opening], Child]


def fresh(target: str, python: str | None, path: Sequence[str]) -> Begin:
    """How to begin a worker in a new interpreter, ``python`` or one like this one."""
    folders = [*path, os.getcwd()]
    if not python:
        folders += sys.path

    def begin(opening: Opening) -> Child:
        ends = opening.ends
        settings = {
            "target": target,
            "path": folders,
            "whole_path": not python,
            "ends": ends,
            "limits": opening.limits,
        }
        return subprocess.Popen(
            [python or sys.executable, start.__file__, json.dumps(settings)],
            stdin=subprocess.DEVNULL,
            stdout=ends.log,
            stderr=ends.log,
            pass_fds=ends,
            env={**os.environ, **ONE_BLAS_THREAD},
            start_new_session=True,  # Ctrl-C is for this process alone
        )

    return begin


def forked(backend: Backend) -> Begin:
    """How to begin a worker with ``backend`` as it is, which no other interpreter could make."""

    def begin(opening: Opening) -> Child:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with warnings.catch_warnings():
                # Of threads whose locks nobody will free: there is no other way, and a limit to waiting.
                warnings.filterwarnings("ignore", r"(?s).*fork")
                pid = os.fork()
            if not pid:
                _be_the_child(backend, opening)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return _Forked(pid)

    return begin


def _be_the_child(backend: Backend, opening: Opening) -> NoReturn:
    """Serve, and end without whatever else this process would have done."""
    code = 1
    try:
        os.setsid()
        gc.freeze()  # what the other process has made is its own to finalise
        for descriptor in opening.others:
            os.close(descriptor)
        ends = opening.ends
        with open(os.devnull, "rb") as nothing:
            for old, new in ((nothing.fileno(), 0), (ends.log, 1), (ends.log, 2)):
                os.dup2(old, new)
        warnings.resetwarnings()
        _use_one_thread()
        serve(lambda: backend, ends, opening.limits)
        code = 0
    except BaseException:
        os.write(opening.ends.log, traceback.format_exc().encode(errors="backslashreplace"))
    finally:
        os._exit(code)


def _use_one_thread() -> None:
    """OpenMP waits for its threads for ever, as a fork does not copy them; one thread needs no others."""
    with suppress(OSError), open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        for library in {line.split(maxsplit=5)[-1].strip() for line in maps if OPENMP.search(line)}:
            ctypes.CDLL(library).omp_set_num_threads(1)


class _Forked:
    """A forked process, as :class:`subprocess.Popen` has others."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code
