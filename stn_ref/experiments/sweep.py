"""All runs of an experiment, on any executor: those that choose learning rates, then one for each seed.

What was done before is not done again. A run whose worker dies is given out anew, and goes on from its
checkpoint; at the third death it is given up, with the reason.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field, replace
from importlib import import_module

from .executors import Crew
from .experiment import Candidate, Experiment, Row, Run
from .store import InUse, Store

__all__ = ["Asked", "RunFailed", "Sweep", "best", "carry_out"]

DEATHS = 3
PATIENCE = 5.0  # seconds between two attempts at a run that another process is at work on
Cell = tuple[str, str]


class RunFailed(ChildProcessError):
    """A run cannot be carried out; the message says why."""


@dataclass(frozen=True)
class Asked:
    """What is asked of an experiment."""

    seeds: int = 3
    quick: bool = False
    data: str | None = None


def carry_out(run: Run, folder: str) -> Row:
    """Have the result of a run, from the store or by training; this is what an executor is given.

    Raises
    ------
    InUse
        If another process is at work on it.
    """
    store = Store(folder)
    experiment: Experiment = import_module("stn_ref.experiments").EXPERIMENTS[run.experiment]
    with store.at_work(run) as checkpoint:
        row = store.get(run)
        if row is None:
            row = experiment.carry_out(run, checkpoint)
            store.put(run, row)
    return row


def best(rows: list[Row]) -> Candidate:
    """The candidate with the smallest validation error; of equal ones the slowest.

    >>> rows = [{"error": error, "lr": lr, "localisation_lr": 1.0} for error, lr in ((3, 0.1), (2, 0.2))]
    >>> best(rows)
    Candidate(lr=0.2, localisation=1.0)
    """
    row = min(rows, key=lambda row: (row["error"], row["lr"], row["localisation_lr"]))
    return Candidate(row["lr"], row["localisation_lr"])


@dataclass
class Sweep:
    """An experiment under way.

    ``told`` is called with each row that comes in. ``chosen`` holds the candidates that are decided on,
    ``waiting`` the runs that nobody works on yet.
    """

    experiment: Experiment
    asked: Asked
    store: Store
    crew: Crew
    told: Callable[["Sweep", Run, Row], None]
    chosen: dict[Cell, Candidate] = field(default_factory=dict)
    trials: dict[Cell, list[Row]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    waiting: list[Run] = field(default_factory=list)
    deaths: dict[str, int] = field(default_factory=dict)

    def run(self) -> list[Row]:
        """Everything; the rows of the runs, in order of cell and seed.

        Raises
        ------
        RunFailed
            If a run raises an error, or its workers keep dying.
        KeyboardInterrupt
            At Ctrl-C; what is under way is lost up to its last checkpoint.
        """
        self._plan()
        executor = self.crew.make()
        running: dict[Future[Row], Run] = {}
        try:
            while self.waiting or running:
                while self.waiting and len(running) < self.crew.size:
                    run = self.waiting.pop(0)
                    running[executor.submit(carry_out, run, str(self.store.folder))] = run
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                if any(isinstance(future.exception(), BrokenExecutor) for future in done):
                    self._bury(list(running.values()))
                    running.clear()
                    executor.shutdown(cancel_futures=True)
                    executor = self.crew.make()
                for future in [future for future in done if future in running]:
                    self._finished(running.pop(future), future)
        except BaseException:
            _stop(executor)
            raise
        executor.shutdown()
        order = {cell: i for i, cell in enumerate(self.cells())}
        return sorted(self.rows, key=lambda row: (order[row["model"], row["dataset"]], row["seed"]))

    def cells(self) -> tuple[Cell, ...]:
        """The cells that are asked for."""
        quick = self.experiment.quick_cells if self.asked.quick else ()
        return quick or self.experiment.cells

    def left(self) -> list[Run]:
        """The runs that are still to come, those not yet chosen for included."""
        return [*self.waiting, *(run for cell in self._undecided() for run in self.runs(cell, FIRST))]

    def _plan(self) -> None:
        """Take what the store has, and line up what it has not."""
        for cell in self.cells():
            trials = [] if self.asked.quick else self._with_data(self.experiment.trials(cell))
            if not trials:
                self._decide(cell, self.experiment.candidates(cell[0])[0])
                continue
            self.trials[cell] = []
            for run in trials:
                self._take_or_wait(run)

    def _take_or_wait(self, run: Run) -> None:
        row = self.store.get(run)
        if row is None:
            self.waiting.append(run)
        else:
            self._keep(run, row)

    def _keep(self, run: Run, row: Row) -> None:
        cell = run.model, run.dataset
        if not run.trial:
            self.rows.append(row)
            return
        self.trials[cell].append(row)
        if len(self.trials[cell]) == len(self.experiment.trials(cell)):
            self._decide(cell, best(self.trials[cell]))

    def _decide(self, cell: Cell, candidate: Candidate) -> None:
        self.chosen[cell] = candidate
        for run in self.runs(cell, candidate):
            self._take_or_wait(run)

    def runs(self, cell: Cell, candidate: Candidate) -> list[Run]:
        """Those of a cell, one for each seed."""
        return self._with_data(self.experiment.runs(cell, self.asked.seeds, candidate, self.asked.quick))

    def _with_data(self, runs: list[Run]) -> list[Run]:
        return [replace(run, data=self.asked.data) for run in runs]

    def _undecided(self) -> Iterator[Cell]:
        return (cell for cell in self.cells() if cell not in self.chosen)

    def _finished(self, run: Run, future: Future[Row]) -> None:
        error = future.exception()
        if isinstance(error, InUse):  # by a worker whose parent was killed, and who will notice at any moment
            time.sleep(PATIENCE)
            self.waiting.insert(0, run)
        elif error is not None:
            raise RunFailed(f"the run {run.name!r} failed: {type(error).__name__}: {error}") from error
        else:
            row = future.result()
            self._keep(run, row)
            self.told(self, run, row)

    def _bury(self, runs: list[Run]) -> None:
        """Workers died: give their runs out anew, unless one of them has cost too many."""
        for run in runs:
            self.deaths[run.name] = self.deaths.get(run.name, 0) + 1
            if self.deaths[run.name] == DEATHS:
                raise RunFailed(
                    f"a worker died {DEATHS} times while the run {run.name!r} was under way, perhaps for "
                    "want of memory; try fewer --workers"
                )
        self.waiting[:0] = runs


FIRST = Candidate(0.0)  # in place of one that is not chosen yet


def _stop(executor: Executor) -> None:
    """At once: without waiting for what is under way, which goes on from its checkpoint another time."""
    processes = getattr(executor, "_processes", None) or {}
    executor.shutdown(wait=False, cancel_futures=True)
    for process in list(processes.values()):
        process.terminate()
