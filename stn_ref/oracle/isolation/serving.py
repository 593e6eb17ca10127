"""The life of a worker process: load a backend, then answer calls until whoever asks is gone.

A time limit holds even where no Python code can run: the watchdog of :mod:`faulthandler` is a thread that
needs no lock. It writes down where the backend is and ends the process, also when nobody is left to do so.

Like :mod:`..backend` this file runs on Python 3.9 with NumPy alone.
"""

from __future__ import annotations

import faulthandler
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ..backend import Backend
from .loading import NotLoaded, hint
from .wire import Reader, packed, packed_answer, unpacked_call
from .worker import about, run, told

MOST_WRITTEN = 2**30  # bytes of a file, so that endless printing does not fill the disk


class Limits(NamedTuple):
    """Seconds of a call and of the start, and bytes of memory; None for as much as there is."""

    time: float
    start: float
    memory: int | None


class Ends(NamedTuple):
    """What a worker has open: two pipes, the file that it prints to, and that of its watchdog."""

    inbox: int
    outbox: int
    log: int
    trace: int


def serve(make: Callable[[], Backend], ends: Ends, limits: Limits) -> None:
    """Answer calls with the backend that ``make`` gives; return when there is nobody to answer."""
    _settle(ends, limits)
    try:
        with _watched(ends, limits.start):
            backend = make()
            said = about(backend)
    except BaseException as error:
        why = str(error) if isinstance(error, NotLoaded) else f"{told(error)}\n{hint(error)}".strip()
        _send(ends, packed({"failed": why}))
        return
    reader = Reader(ends.inbox)
    try:
        _send(ends, packed(said))
        while True:
            message = reader.next()
            assert message is not None  # this end blocks
            _forget_what_was_printed(ends)
            with _watched(ends, limits.time):
                answer = run(backend, unpacked_call(message))
            _send(ends, packed_answer(answer))
    except (EOFError, BrokenPipeError):
        return


def _settle(ends: Ends, limits: Limits) -> None:
    """What holds for the whole life of the process."""
    import resource

    for descriptor in ends:
        os.set_inheritable(descriptor, False)  # what the backend starts is not to keep them open
    sys.stdout = sys.stderr = open(  # noqa: SIM115
        ends.log, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
    )
    faulthandler.enable(ends.log)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, MOST_WRITTEN)
    if limits.memory is not None:
        _limit(resource.RLIMIT_AS, limits.memory)


def _limit(what: int, most: int) -> None:
    import resource

    _, hard = resource.getrlimit(what)
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


@contextmanager
def _watched(ends: Ends, seconds: float) -> Iterator[None]:
    """End this process if what is done in here takes longer."""
    faulthandler.dump_traceback_later(seconds, exit=True, file=ends.trace)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def _forget_what_was_printed(ends: Ends) -> None:
    """So that the file does not grow, and holds what belongs to one call."""
    if os.fstat(ends.log).st_size:
        os.ftruncate(ends.log, 0)
        os.lseek(ends.log, 0, os.SEEK_SET)


def _send(ends: Ends, message: bytes) -> None:
    rest = memoryview(message)
    while rest:
        rest = rest[os.write(ends.outbox, rest) :]
