"""Asking a backend in a process of its own, so that a crash or a hang is the answer of one call."""

import os
import sys
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import reduce
from itertools import islice
from typing import Any

from ...errors import describe
from ..backend import Backend
from ..calls import Answer, Call
from . import worker
from .launching import Begin, forked, fresh
from .loading import FORMS
from .processes import Lost, WorkerProcess
from .serving import Limits
from .wire import Garbled, packed_call, unpacked_answer, unpacked_start

AHEAD = 2  # jobs that a worker may have, so that it need not wait while an answer is judged
STARTS = 5  # in a row that may fail before it is given up


class BackendNotLoaded(ValueError):
    """There is no backend to ask; the message says why, and what to do."""


class InProcess:
    """A backend asked directly, in this process and without protection: for backends that are trusted.

    >>> InProcess(Backend()).about["methods"]
    ()
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.about = worker.about(backend)

    def __enter__(self) -> "InProcess":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def ask(self, jobs: Iterable[Sequence[Call]]) -> Iterator[list[Answer]]:
        """The answers of each job, as :meth:`Isolated.ask` gives them."""
        for job in jobs:
            with warnings.catch_warnings():  # of NaN and overflow, which are asked for on purpose
                warnings.simplefilter("ignore")
                answers = [worker.run(self.backend, call) for call in job]
            yield answers


class Isolated:
    """A backend asked in a process of its own, which is started anew when it crashes or hangs.

    Parameters
    ----------
    target : str or Backend
        ``"module:Class"`` or ``"path/to/file.py:Class"``; or a backend. One that a fresh interpreter can
        make by its name, without arguments, is made there. Any other one (defined in ``__main__``, in a
        notebook or in a function, or with attributes of its own) is asked in a copy of this process.
    python : str, optional
        Another interpreter, which needs no more than NumPy and what the backend needs.
    time_limit, start_limit : float
        Seconds that a call, and that loading the backend, may take.
    memory_limit : int, optional
        Bytes of address space, for interpreter and libraries too.
    path : sequence of str
        Folders from which to import, before all others and the current one.

    Raises
    ------
    BackendNotLoaded
        From ``with`` and from :meth:`ask`, if no process can be started.
    TypeError, ValueError
        If ``target`` is neither a name nor a backend, or cannot be made in ``python``.

    >>> import numpy as np
    >>> theta = np.ones((1, 2, 3))
    >>> call = Call("affine_grid", {"theta": theta}, {"size": (1, 1, 2, 2), "align_corners": True})
    >>> with Isolated("stn_ref.oracle.backend:Backend") as backend:
    ...     [[answer]] = backend.ask([[call]])
    >>> answer.unsupported
    'no affine_grid'
    """

    def __init__(
        self,
        target: str | Backend,
        *,
        python: str | None = None,
        time_limit: float = 10.0,
        start_limit: float = 120.0,
        memory_limit: int | None = None,
        path: Sequence[str] = (),
    ) -> None:
        self._begin = _beginning(target, python, path)
        self._limits = Limits(time_limit, start_limit, memory_limit)
        self._what = target if isinstance(target, str) else type(target).__name__
        if python:
            self._what += f", in {python} (Python 3.9 or later, with NumPy and what the backend needs),"
        self._about: dict[str, Any] | None = None
        self._process: WorkerProcess | None = None
        self._calls: deque[Call] = deque()  # asked and not answered
        self._entered = False

    @property
    def about(self) -> dict[str, Any]:
        """Its name, version and other claims, the ``methods`` it has, and its ``python`` and ``numpy``."""
        if self._about is None:
            raise ValueError("Isolated: it has not been started; use it as `with Isolated(...) as backend:`")
        return self._about

    def __enter__(self) -> "Isolated":
        self._start()
        self._entered = True
        return self

    def __exit__(self, *_: object) -> None:
        self._entered = False
        self._forget()

    def ask(self, jobs: Iterable[Sequence[Call]]) -> Iterator[list[Answer]]:
        """The answers to the calls of each job, in order.

        The calls of a job are asked of one process one after the other. Jobs are taken from ``jobs`` as they
        are needed, at most two ahead, so that the backend computes while an answer is judged. A call that
        crashes or takes too long has that for an answer, and the next one is asked of a new process. A
        process that ends between two calls, by what an earlier one left behind, is a crash of the next one.

        Raises
        ------
        BackendNotLoaded
            If a process that has crashed cannot be started again.
        """
        if not self._entered:
            raise ValueError("Isolated: ask outside of `with Isolated(...) as backend:`")
        if self._calls:
            raise ValueError("Isolated: ask was called while the answers of an earlier ask are awaited")
        source = iter(jobs)
        ahead: deque[int] = deque()  # the number of calls of each job
        try:
            while True:
                for job in islice(source, AHEAD - len(ahead)):
                    ahead.append(len(job))
                    for call in job:
                        self._calls.append(call)
                        self._give(call)
                if not ahead:
                    return
                yield [self._answer() for _ in range(ahead.popleft())]
        finally:
            if self._calls:  # whoever asked has lost interest
                self._forget()

    def _give(self, call: Call) -> None:
        if self._process is not None:
            self._process.post(packed_call(call))

    def _answer(self) -> Answer:
        """What comes of the first call that is not answered."""
        if self._process is None:
            self._start()
        assert self._process is not None
        try:
            answer = unpacked_answer(self._process.receive(self._limits.time))
        except Lost as lost:
            self._stop()
            answer = Answer({}, failure=lost.failure, detail=lost.detail)
        except Garbled as error:
            self._stop()
            answer = Answer({}, failure="CRASH", detail=f"it wrote to the pipe of its process: {error}")
        self._calls.popleft()
        return answer

    def _start(self) -> None:
        """Begin a process and give it the calls that are not answered."""
        for left in reversed(range(STARTS if self._about else 1)):
            try:
                self._begin_one()
                break
            except BackendNotLoaded:
                if not left:
                    raise
        for call in self._calls:
            self._give(call)

    def _begin_one(self) -> None:
        try:
            process = WorkerProcess(self._begin, self._limits)
        except OSError as error:
            raise BackendNotLoaded(f"{self._what}: its process cannot be started: {error}") from None
        with ExitStack() as unless_it_begins:
            unless_it_begins.callback(process.close)
            try:
                said = unpacked_start(process.receive(self._limits.start))
            except (Lost, Garbled) as error:
                raise BackendNotLoaded(f"{self._what} could not be loaded: {error}") from None
            if "failed" in said:
                raise BackendNotLoaded(f"{self._what} could not be loaded: {said['failed']}")
            unless_it_begins.pop_all()
        self._process, self._about = process, said

    def _forget(self) -> None:
        """End the process, and forget what was asked of it."""
        self._calls.clear()
        self._stop()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.close()


def _beginning(target: Any, python: str | None, path: Sequence[str]) -> Begin:
    """In which way a process for ``target`` begins."""
    if os.name != "posix":
        raise BackendNotLoaded(
            "Isolated needs the pipes and signals of a POSIX system (Linux, macOS, WSL); use InProcess, "
            "which does not survive a crash"
        )
    if isinstance(target, str):
        return fresh(target, python, path)
    if not isinstance(target, Backend):
        raise TypeError(
            f"Isolated: target is {describe(target)}, expected {FORMS} or an object whose class derives from "
            "Backend"
        )
    name = _name(target)
    if name:
        return fresh(name, python, path)
    if python:
        raise ValueError(
            f"Isolated: {type(target).__name__} has attributes of its own or cannot be imported by name, so "
            f"that {python} cannot make it; put its class into a file and give {FORMS}"
        )
    return forked(target)


def _name(backend: Backend) -> str:
    """By which a fresh interpreter makes the same backend; "" if there is no such name."""
    kind = type(backend)
    if vars(backend) or not _can_be_imported(kind.__module__):
        return ""
    try:
        found: Any = reduce(getattr, kind.__qualname__.split("."), sys.modules[kind.__module__])
        kind()
    except Exception:
        return ""
    return f"{kind.__module__}:{kind.__qualname__}" if found is kind else ""


def _can_be_imported(module: str) -> bool:
    """Whether a fresh interpreter would find the module where this one did."""
    origin = None
    folders: Sequence[str] | None = None
    names = module.split(".")
    for k in range(len(names)):
        name = ".".join(names[: k + 1])
        specs = (finder.find_spec(name, folders) for finder in sys.meta_path)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is None:
            return False
        folders, origin = spec.submodule_search_locations, spec.origin
    return module != "__main__" and origin == getattr(sys.modules.get(module), "__file__", None)
