"""Running cases: results compared first, then blocks of all peers in turn."""

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cases import Case, inputs
from .checking import complaint, differences
from .processes import Absent, Failed, LeftOut, Peer, Worker

Array = NDArray[Any]
REFERENCE = "stn_ref"


def say(line: str) -> None:
    """Progress, apart from the results."""
    print(line, file=sys.stderr, flush=True)


class Crew:
    """The workers, started when first needed and again after one has died.

    ``absent`` says which peers cannot be had, and why; ``versions`` what the others are.
    """

    def __init__(self, peers: Mapping[str, Peer], patience: float = 300.0) -> None:
        self.peers, self.patience = peers, patience
        self.workers: dict[str, Worker] = {}
        self.absent: dict[str, str] = {}
        self.versions: dict[str, dict[str, str]] = {}

    def get(self, name: str) -> Worker:
        """The worker of that peer; ``Absent`` or ``Failed`` if there is none."""
        if name in self.absent:
            raise Absent(self.absent[name])
        if name not in self.workers:
            try:
                self.workers[name] = worker = Worker(self.peers[name], self.patience)
            except Absent as error:
                self.absent[name] = str(error)
                say(f"  {name}: absent ({error})")
                raise
            self.versions[name] = worker.versions
        return self.workers[name]

    def drop(self, name: str) -> None:
        """Close that worker, so that the next case gets a fresh one."""
        if name in self.workers:
            self.workers.pop(name).close()

    def close(self) -> None:
        """Close all."""
        for name in list(self.workers):
            self.drop(name)

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Run:
    """One case with all its peers; ``results`` is what goes into the JSON."""

    def __init__(self, case: Case, crew: Crew, folder: Path) -> None:
        self.case, self.crew, self.folder = case, crew, folder
        self.results: dict[str, dict[str, Any]] = {}
        self.paths: dict[str, str] = {}
        for name, array in inputs(case).items():
            self.paths[name] = str(folder / f"in-{name}.npy")
            np.save(self.paths[name], array)

    def attempt(self, name: str, f: Callable[[Worker], Any]) -> Any:
        """What ``f`` gives for the worker of that peer; None, with a status, if it cannot."""
        try:
            return f(self.crew.get(name))
        except Absent as error:
            self.results[name] = {"status": "absent", "why": str(error)}
        except LeftOut as error:
            self.results[name] = {"status": "left out", "why": str(error)}
        except Failed as error:
            self.results[name] = {"status": "failed", "why": str(error)}
            self.crew.drop(name)
        return None

    def outputs(self, name: str, dtype: str) -> dict[str, Array] | None:
        """The results of a peer on this case's inputs; the job stays prepared."""
        found = self.attempt(name, lambda worker: self._prepare(worker, dtype, check=True))
        if found is None:
            return None
        return {key: np.load(path) for key, path in found["outputs"].items()}

    def _prepare(self, worker: Worker, dtype: str, check: bool) -> dict[str, Any]:
        return worker.ask(
            "prepare",
            case=self.case.as_dict(),
            inputs=self.paths,
            dtype=dtype,
            check=check,
            out=str(self.folder / "out"),
        )

    def check(self) -> list[str]:
        """The peers whose results agree with stn_ref's, ready to be timed."""
        case = self.case
        dtypes = list(dict.fromkeys(["float64", case.dtype] if case.float64_check else [case.dtype]))
        reference = None  # in the first of the dtypes, the most exact
        ready = []
        for name in sorted(case.peers, key=lambda name: name != REFERENCE):
            measured: dict[str, dict[str, float]] = {}
            wrong = ""
            for dtype in dtypes:
                found = self.outputs(name, dtype)
                if found is None:
                    break
                if reference is None and name == REFERENCE:
                    reference = found
                if reference is not None:
                    measured[dtype] = differences(reference, found)
                    wrong = wrong or complaint(measured[dtype], dtype)
            else:
                self.results[name] = {"status": "ok", "differences": measured}
                if reference is None and case.peers[0] == REFERENCE:
                    self.results[name] |= {"status": "unchecked", "why": "no result of stn_ref to compare"}
                if wrong:
                    self.results[name] |= {"status": "differs", "why": wrong}
                else:
                    ready.append(name)
        return ready

    def time(self, ready: list[str], rounds: int, target: float) -> None:
        """Blocks in turn, another peer first in each round; an interruption keeps whole rounds."""
        if self.case.kind == "step":  # checked without dropout, timed with it
            ready = [
                name
                for name in ready
                if self.attempt(name, lambda worker: self._prepare(worker, self.case.dtype, check=False))
            ]
        for name in ready:
            self.results[name]["seconds"] = []
        for r in range(rounds):
            turn = r % max(1, len(ready))
            for name in [*ready[turn:], *ready[:turn]]:
                if "seconds" not in self.results[name]:
                    continue  # it failed in an earlier round
                found = self.attempt(name, lambda worker: worker.ask("block", target=target))
                if found is not None:
                    self.results[name]["seconds"].append(found["seconds"])
                    self.results[name]["calls"] = found["calls"]


def run_cases(
    cases: Iterable[Case],
    crew: Crew,
    folder: Path,
    record: dict[str, Any],
    save: Callable[[], None],
    *,
    rounds: int,
    target: float,
) -> None:
    """Run each case and put it into ``record``, by name; ``save`` after each, and when interrupted."""
    for case in cases:
        say(f"{case.name}: {case.kind} {'x'.join(map(str, case.shape))} {case.dtype}")
        run = Run(case, crew, folder)
        entry = {"case": case.as_dict(), "peers": run.results}
        try:
            run.time(run.check(), rounds, target)
        finally:
            record[case.name] = entry
            save()
        for name, result in run.results.items():
            if result["status"] in ("failed", "differs"):
                say(f"  {name}: {result['status']}: {result['why']}")
        say(f"  {summary(run.results)}")


def summary(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Minimum times over PyTorch's, or over the first peer's, in one line."""
    best = {name: min(found["seconds"]) for name, found in results.items() if found.get("seconds")}
    if not best:
        return "nothing timed"
    base = "PyTorch" if "PyTorch" in best else next(iter(best))
    return ", ".join(f"{name} {value / best[base]:.2f}" for name, value in best.items())
