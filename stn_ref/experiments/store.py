"""Where runs are kept: the result of each in a file, written whole or not at all; a checkpoint meanwhile."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..files import PathLike, write_atomically
from ..training import previous_path
from .experiment import Row, Run

__all__ = ["InUse", "Store"]


class InUse(RuntimeError):
    """Another process is at work on the same run."""


class Store:
    """A folder of results and checkpoints, by the names of the runs.

    >>> import tempfile
    >>> from stn_ref.experiments.experiment import Candidate
    >>> run = Run("table1", "CNN", "R", 0, {}, Candidate(0.001), "0.1.0/1")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(folder)
    ...     store.put(run, {**run.configuration, "error": 1.5})
    ...     store.get(run)["error"], store.checkpoint(run).exists()
    (1.5, False)
    """

    def __init__(self, folder: PathLike) -> None:
        self.folder = Path(folder)

    def result(self, run: Run) -> Path:
        """The file of its result."""
        return self.folder / run.experiment / f"{run.name}.json"

    def checkpoint(self, run: Run) -> Path:
        """The file of its checkpoint, which is removed when the result is there."""
        return self.folder / run.experiment / "unfinished" / f"{run.name}.npz"

    def get(self, run: Run) -> Row | None:
        """Its result, if there is one.

        Raises
        ------
        ValueError
            If the file is not what :meth:`put` wrote.
        """
        path = self.result(run)
        try:
            row = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise ValueError(f"{path} is no whole result ({error}); remove it, and run again") from None
        expected = run.configuration
        found = {name: row.get(name) for name in expected} if isinstance(row, dict) else row
        if found != json.loads(json.dumps(expected)):
            raise ValueError(f"{path} holds the result of another run, {found}; remove it, and run again")
        result: Row = row
        return result

    def put(self, run: Run, row: Row) -> None:
        """Keep the result, and let go of the checkpoint."""
        path = self.result(run)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, (json.dumps(row, allow_nan=False) + "\n").encode())
        checkpoint = self.checkpoint(run)
        for used in (checkpoint, previous_path(checkpoint)):
            used.unlink(missing_ok=True)

    @contextmanager
    def at_work(self, run: Run) -> Iterator[Path]:
        """Alone at work on a run, until the process ends, however it does; the path of its checkpoint.

        Raises
        ------
        InUse
            If another process is.
        """
        checkpoint = self.checkpoint(run)
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        lock = checkpoint.with_suffix(".lock")
        with open(lock, "w") as file:
            if not _locked(file.fileno()):
                raise InUse(f"{lock} is held by another process, which is at work on the run {run.name!r}")
            yield checkpoint
            with suppress(OSError):
                lock.unlink()


def _locked(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:  # no such locks on this system: two sweeps in one folder are then the user's care
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
