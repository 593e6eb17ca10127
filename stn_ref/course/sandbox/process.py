"""A child process as seen by the grader: what comes through its pipes, how it ended, and that it does."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO

from ...oracle.isolation.launching import ONE_BLAS_THREAD
from ...oracle.isolation.wire import PREFIX, Garbled, Reader
from .questions import Category, Limits, printable

HEADING = 2**16  # bytes of a reply without its arrays
PART = 2**16  # bytes that are read at a time of what is printed
KILLED = {
    "SIGABRT": ": it aborted",
    "SIGSEGV": ": recursion without end, or memory that is not its own",
    "SIGKILL": ": by itself, or by the system for the memory or time that it used",
}
SETTLING = 1.0  # seconds that a process which closed its pipe gets to end, so that it can be said how


class Lost(Exception):
    """There will be no reply."""

    def __init__(self, category: Category, message: str) -> None:
        super().__init__(message)
        self.category, self.message = category, message


class ChildProcess:
    """A process that has begun, from a script; :meth:`close` ends it and all of its group.

    ``settings`` go to the script, with the numbers of the two pipes that it is to use.

    Raises
    ------
    OSError
        If the system has no more processes or descriptors.
    """

    def __init__(self, script: Path, home: Path, settings: Mapping[str, Any], limits: Limits) -> None:
        self._limits = limits
        self._printed = bytearray()
        with ExitStack() as ours, ExitStack() as theirs:
            inbox, self._outbox = _pipe(theirs, ours)
            self._inbox, outbox = _pipe(ours, theirs)
            self._output, printing = _pipe(ours, theirs)
            for end in (self._inbox, self._outbox, self._output):
                os.set_blocking(end.fileno(), False)
            numbers = {"inbox": inbox.fileno(), "outbox": outbox.fileno()}
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-B", "-S", str(script), json.dumps({**settings, **numbers})],
                stdin=subprocess.DEVNULL,
                stdout=printing,
                stderr=printing,
                pass_fds=tuple(numbers.values()),
                cwd=home,
                env={"HOME": str(home), "TMPDIR": str(home), "LC_ALL": "C.UTF-8", **ONE_BLAS_THREAD},
                start_new_session=True,  # a group of its own, which can be killed as a whole
            )
            ours.callback(self._end)
            self._ours = ours.pop_all()
        self._reader = Reader(self._inbox.fileno(), limits.result + 2 * HEADING)
        self._listened_to = [self._inbox, self._output]

    def exchange(self, message: bytes, until: float) -> bytearray:
        """Send a message, and return the one that answers it.

        Raises
        ------
        Lost
            If it has not come when the clock (:func:`time.monotonic`) shows ``until``, or cannot come.
        Garbled
            If something else comes, or more.
        """
        unsent = memoryview(message)
        while True:
            try:
                reply = self._reader.next()
            except EOFError:
                raise self._lost() from None
            self._listen()
            if reply is not None:
                if unsent or self._ready(self._inbox):
                    raise Garbled("a reply that was not asked for")
                if PREFIX.unpack_from(reply)[0] > HEADING:
                    raise Garbled("a reply with a long heading")
                return reply
            left = until - time.monotonic()
            if left <= 0:
                raise Lost(Category.TIME, "")
            if self._wait(left, writing=bool(unsent)):
                unsent = unsent[self._send(unsent) :]

    def printed(self) -> str:
        """What was printed since the last call, as far as it is kept."""
        self._listen()
        text = self._printed.decode(errors="backslashreplace")
        self._printed.clear()
        return printable(text, self._limits.printed)

    def close(self) -> None:
        self._ours.close()

    def _wait(self, seconds: float, writing: bool) -> bool:
        """Wait until there is something to read, or until one can write; whether one can."""
        poll = select.poll()
        for end in self._listened_to:
            poll.register(end, select.POLLIN)
        if writing:
            poll.register(self._outbox, select.POLLOUT)
        return self._outbox.fileno() in dict(poll.poll(1000 * seconds))

    def _send(self, message: memoryview) -> int:
        """Send a part of it; how many bytes are dealt with."""
        try:
            return os.write(self._outbox.fileno(), message)
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            return len(message)  # reading will tell

    def _listen(self) -> None:
        """Take what was printed, so that nobody waits for room in the pipe; keep the beginning."""
        if self._output in self._listened_to and self._ready(self._output):
            part = os.read(self._output.fileno(), PART)
            if not part:
                self._listened_to.remove(self._output)
            room = 4 * self._limits.printed + 1 - len(self._printed)  # a character has up to 4 bytes
            self._printed += part[: max(0, room)]

    def _ready(self, end: BinaryIO) -> bool:
        poll = select.poll()
        poll.register(end, select.POLLIN)
        return bool(poll.poll(0))

    def _lost(self) -> Lost:
        """Why a process ended, or closed its pipe."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(SETTLING)
        code = self._process.returncode
        if code is None:
            return Lost(Category.GARBLED, "closed the grader's pipe")
        if code >= 0:
            return Lost(Category.ENDED, f"ended the process with exit code {code}")
        if -code in (signal.SIGXCPU, signal.SIGALRM):
            return Lost(Category.TIME, f"took longer than {self._limits.seconds:g} s")
        name = f"signal {-code}"
        with suppress(ValueError):  # of a signal without a name
            name = signal.Signals(-code).name
        return Lost(Category.ENDED, f"was killed by {name}{KILLED.get(name, '')}")

    def _end(self) -> None:
        """Kill the process and its group, and take back its entry in the system's table."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()


def _pipe(reading: ExitStack, writing: ExitStack) -> tuple[BinaryIO, BinaryIO]:
    """Two ends, each closed by its stack."""
    inward, outward = os.pipe()
    return (
        reading.enter_context(open(inward, "rb", buffering=0)),
        writing.enter_context(open(outward, "wb", buffering=0)),
    )
