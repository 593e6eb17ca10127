"""A worker process as seen by the one that asks: what it says, and how it ended."""

import os
import select
import signal
import tempfile
import time
from contextlib import ExitStack, suppress

from .launching import Begin, Opening
from .serving import Ends, Limits
from .wire import Reader

LOOK = 0.1  # seconds from one look at whether the process lives to the next, while it is silent
GRACE = 1.0  # seconds beyond a limit after which a process is ended that should have ended itself
SETTLING = 2.0  # seconds that a process which closed its pipe gets to end, so that it can be said how
PIPE = 2**20  # bytes that a message may have and be sent without waiting for the other end
MOST = 2**16  # bytes of what a process printed last that are looked at
LINES, WIDTH = 20, 160  # of that are shown
FRAMES = 5  # of where it was when its time was up
OWN_FRAME = os.path.join("stn_ref", "oracle", "isolation", "worker.py")


class Lost(Exception):
    """The process is gone; ``failure`` is "CRASH" or "TIMEOUT"."""

    def __init__(self, failure: str, detail: str) -> None:
        super().__init__(detail)
        self.failure, self.detail = failure, detail


class WorkerProcess:
    """A worker that has begun; :meth:`close` ends it, and all that it started."""

    def __init__(self, begin: Begin, limits: Limits) -> None:
        self._unsent = memoryview(b"")
        with ExitStack() as ours, ExitStack() as theirs:
            inbox, self._outbox = os.pipe()
            self._inbox, outbox = os.pipe()
            for stack, descriptors in ((ours, (self._inbox, self._outbox)), (theirs, (inbox, outbox))):
                for descriptor in descriptors:
                    stack.callback(os.close, descriptor)
                    _widen(descriptor)
            self._log = ours.enter_context(tempfile.TemporaryFile()).fileno()
            self._trace = ours.enter_context(tempfile.TemporaryFile()).fileno()
            ends = Ends(inbox, outbox, self._log, self._trace)
            self._child = begin(Opening(ends, (self._inbox, self._outbox), limits))
            ours.callback(self._end)
            self._ours = ours.pop_all()
        os.set_blocking(self._inbox, False)
        os.set_blocking(self._outbox, False)
        self._reader = Reader(self._inbox)

    def post(self, message: bytes) -> None:
        """Send as much as can be sent now, and the rest while waiting."""
        self._unsent = memoryview(bytes(self._unsent) + message)
        self._send()

    def receive(self, limit: float) -> bytearray:
        """The next message.

        Raises
        ------
        Lost
            If the process ends, as it does by itself when its time is up; or if nothing has moved for longer
            than ``limit`` seconds.
        Garbled
            If it sends what is no message.
        """
        last = time.monotonic()
        while True:
            try:
                message = self._reader.next()
            except EOFError:
                raise self._lost(limit) from None
            if message is not None:
                return message
            ended = self._child.poll() is not None
            if self._moves(0.0 if ended else LOOK):
                last = time.monotonic()
            elif ended:
                raise self._lost(limit)
            elif time.monotonic() > last + limit + GRACE:
                raise Lost("TIMEOUT", f"no answer within {limit:g} s")

    def close(self) -> None:
        self._ours.close()

    def _moves(self, seconds: float) -> bool:
        """Wait until something can be read or sent, and send it; False if there was nothing."""
        poll = select.poll()
        poll.register(self._inbox, select.POLLIN)
        if self._unsent:
            poll.register(self._outbox, select.POLLOUT)
        ready = [descriptor for descriptor, _ in poll.poll(1000 * seconds)]
        if self._outbox in ready:
            self._send()
        return bool(ready)

    def _send(self) -> None:
        try:
            while self._unsent:
                self._unsent = self._unsent[os.write(self._outbox, self._unsent) :]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self._unsent = memoryview(b"")  # reading will tell

    def _lost(self, limit: float) -> Lost:
        """Why a process ended, or closed its pipe."""
        code = self._code(SETTLING)
        if trace := _text(self._trace):
            return Lost("TIMEOUT", f"no answer within {limit:g} s; it was in\n{_innermost(trace)}")
        if code is None:
            what = "it closed the pipe to the process that asks"
        elif code < 0:
            what = f"killed by {_signal_name(-code)}"
        else:
            what = f"ended the process with exit code {code}"
        return Lost("CRASH", f"{what}\n{_last_printed(self._log)}".strip())

    def _code(self, seconds: float) -> int | None:
        """The exit code, if it comes in time."""
        until = time.monotonic() + seconds
        while (code := self._child.poll()) is None and time.monotonic() < until:
            time.sleep(0.001)
        return code

    def _end(self) -> None:
        """Kill the process and its group, and take back its entry in the system's table."""
        with suppress(ProcessLookupError, PermissionError):  # there is no group before it has made one
            os.killpg(self._child.pid, signal.SIGKILL)
        if self._child.poll() is None:
            os.kill(self._child.pid, signal.SIGKILL)
        self._code(SETTLING)


def _widen(descriptor: int) -> None:
    """Let a pipe hold more, where the system can."""
    import fcntl

    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE)


def _text(file: int) -> str:
    """The end of a file, without moving the place at which the worker writes."""
    start = max(0, os.fstat(file).st_size - MOST)
    return os.pread(file, MOST, start).decode(errors="backslashreplace")


def _last_printed(log: int) -> str:
    """The last lines that a worker has printed, without the frames below those of the backend."""
    kept, below = [], False
    for line in _text(log).splitlines():
        below = line.startswith("  File ") and (below or OWN_FRAME in line)
        if not below and not line.startswith("Extension modules: "):
            kept.append(line[:WIDTH])
    return "\n".join(kept[-LINES:]).strip("\n")


def _innermost(trace: str) -> str:
    """Where the main thread was, from the watchdog's list, which has it last: the last call first."""
    frames = [line for line in trace.split("most recent call first")[-1].splitlines() if "File " in line]
    own = [k for k, line in enumerate(frames) if OWN_FRAME in line]
    return "\n".join(frames[: min([FRAMES, *own])])


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
