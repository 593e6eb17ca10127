"""The parent's side of a worker: which peers there are, and how to talk to one in its process."""

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parent.parent
PATIENCE = 300.0  # seconds for one answer


@dataclass(frozen=True)
class Peer:
    """A library as it is measured: a module of ``peers`` and its settings.

    ``family`` is what ``--peer NAME=PYTHON`` calls it; ``python`` the interpreter that runs it.
    """

    name: str
    family: str
    module: str
    threads: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict)
    python: str = sys.executable

    def environment(self) -> dict[str, str]:
        """What the process is told about threads."""
        n = str(self.threads)
        told = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), n)
        if self.family == "jax":  # which also keeps to one core, see its module
            told |= {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "JAX_PLATFORMS": "cpu"}
        return told


def _peer(name: str, family: str, module: str, threads: int = 1, **settings: Any) -> Peer:
    return Peer(name, family, f"benchmarks.peers.{module}", threads, {"threads": threads, **settings})


PEERS = {
    peer.name: peer
    for peer in (
        _peer("stn_ref", "stn_ref", "ours", calls="one"),
        _peer("stn_ref two calls", "stn_ref", "ours", calls="two"),
        _peer("PyTorch", "pytorch", "pytorch"),
        _peer("PyTorch 2 threads", "pytorch", "pytorch", threads=2),
        _peer("JAX", "jax", "jax_jit", form="gather"),
        _peer("JAX map_coordinates", "jax", "jax_jit", form="map_coordinates"),
        _peer("Chainer", "chainer", "chainer_numpy"),
        _peer("autograd", "autograd", "hips_autograd"),
        _peer("MyGrad", "mygrad", "mygrad_eager"),
        _peer("SciPy", "scipy", "scipy_ndimage"),
        _peer("Fractions", "stn_ref", "fractions_plain"),
        _peer("NumPy", "numpy", "machine"),
    )
}
FAMILIES = tuple(dict.fromkeys(peer.family for peer in PEERS.values()))


class Absent(Exception):
    """The library cannot be imported there."""


class Failed(Exception):
    """The worker reported an error, died, or did not answer."""


class LeftOut(Exception):
    """The peer has no such operation, and says so."""


class Worker:
    """A peer in its process, from the start to :meth:`close`.

    Raises
    ------
    Absent, Failed
        From the start on; ``Failed`` with the last line that the process wrote to its standard error.
    """

    def __init__(self, peer: Peer, patience: float = PATIENCE) -> None:
        self.peer, self.patience, self._rest = peer, patience, b""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed in close)
        try:
            self.process = subprocess.Popen(
                [peer.python, "-m", "benchmarks.worker", peer.module, json.dumps(dict(peer.settings))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                cwd=ROOT,
                env={**os.environ, **peer.environment()},
            )
        except OSError as error:
            self._errors.close()
            raise Absent(f"its interpreter does not start: {error}") from error
        try:
            self.versions: dict[str, str] = self._answer()["versions"]
        except BaseException:
            self.close()
            raise

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        line = json.dumps({"do": do, **arguments}) + "\n"
        try:
            self._pipe(self.process.stdin).write(line.encode())
            self._pipe(self.process.stdin).flush()
        except BrokenPipeError:
            raise Failed(self._last_words()) from None
        return self._answer()

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        if pipe is None:
            raise Failed("its process has no pipes")
        return pipe

    def _answer(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._line())
        if "absent" in found:
            raise Absent(found["absent"])
        if "left_out" in found:
            raise LeftOut(found["left_out"])
        if "error" in found:
            raise Failed(found["error"])
        return found

    def _line(self) -> bytes:
        """One line of the worker's answers, waited for with patience."""
        stdout = self._pipe(self.process.stdout)
        end = time.monotonic() + self.patience
        while b"\n" not in self._rest:
            ready, _, _ = select.select([stdout], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                raise Failed(f"no answer within {self.patience:g} s")
            more = os.read(stdout.fileno(), 1 << 16)
            if not more:
                raise Failed(self._last_words())
            self._rest += more
        line, self._rest = self._rest.split(b"\n", 1)
        return line

    def _last_words(self) -> str:
        """How the process ended, and the last line it wrote."""
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:
            return "stopped answering"
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "no message")
        return f"the process ended with status {code}: {last}"

    def close(self) -> None:
        """End the process and free what it held."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._errors.close()


def with_interpreters(choices: Mapping[str, str]) -> dict[str, Peer]:
    """The peers, each with the interpreter chosen for its family."""
    return {
        name: replace(peer, python=choices[peer.family]) if peer.family in choices else peer
        for name, peer in PEERS.items()
    }
