"""How time and memory grow with the batch, the channels and the pixels; what importing costs."""

import math
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .cases import OPERATIONS, Case
from .processes import ROOT, Peer
from .runner import REFERENCE, Crew, Run, say

AXES = {
    "batch": [(4**k, 1, 28, 28) for k in range(1, 8)],
    "channels": [(2, 4**k, 28, 28) for k in range(7)],
    "pixels": [(1, 1, 2**k, 2**k) for k in range(5, 13)],
}
LARGEST = 3  # so many of the largest sizes decide the exponent


def cases(axis: str, operation: str) -> list[Case]:
    """stn_ref alone, over growing sizes."""
    return [
        Case(
            f"growth-{axis}-{operation}-{math.prod(shape)}",
            *("sampler", (REFERENCE,)),
            shape=shape,
            operation=OPERATIONS[operation],
        )
        for shape in AXES[axis]
    ]


def measure(
    crew: Crew,
    folder: Path,
    record: dict[str, Any],
    save: Callable[[], None],
    *,
    rounds: int,
    target: float,
    wanted: Callable[[str], bool] = lambda name: True,
) -> None:
    """Times and peaks into ``record``, by axis and operation."""
    for axis in AXES:
        for operation in OPERATIONS:
            if not wanted(f"growth-{axis}-{operation}"):
                continue
            say(f"growth-{axis}-{operation}")
            points = record.setdefault(f"{axis}-{operation}", [])
            crew.drop(REFERENCE)  # whatever it keeps from larger cases would count as memory
            for case in cases(axis, operation):
                run = Run(case, crew, folder)
                run.time(run.check(), rounds, target)
                found = run.results[REFERENCE]
                peak = run.attempt(REFERENCE, lambda worker: worker.ask("memory"))
                if not found.get("seconds") or peak is None:
                    say(f"  {run.results[REFERENCE]}")
                    break
                numbers = math.prod(case.shape)
                points.append(
                    {
                        "shape": list(case.shape),
                        "numbers": numbers,
                        "seconds": min(found["seconds"]),
                        "bytes": peak["bytes"],
                        "output": 4 * numbers,
                    }
                )
            save()


def exponent(sizes: Sequence[float], values: Sequence[float], largest: int = LARGEST) -> float:
    """The slope on a log-log plot through the largest sizes: 1 is linear growth."""
    pairs = sorted(zip(sizes, values))[-largest:]
    return statistics.linear_regression(
        [math.log(size) for size, _ in pairs], [math.log(value) for _, value in pairs]
    ).slope


def multiple(outputs: Sequence[float], peaks: Sequence[float], largest: int = LARGEST) -> tuple[float, float]:
    """Slope and intercept of peak memory over the output, at large sizes: the multiple and the workspace."""
    pairs = sorted(zip(outputs, peaks))[-largest:]
    line = statistics.linear_regression([x for x, _ in pairs], [y for _, y in pairs])
    return line.slope, line.intercept


def summary(points: Sequence[Mapping[str, Any]]) -> dict[str, float] | None:
    """Exponent of time, multiple of memory, bytes of workspace; None with fewer than two points."""
    if len(points) < 2:
        return None
    columns = {key: [float(p[key]) for p in points] for key in ("numbers", "seconds", "bytes", "output")}
    slope, workspace = multiple(columns["output"], columns["bytes"])
    return {
        "exponent": exponent(columns["numbers"], columns["seconds"]),
        "multiple": slope,
        "workspace": workspace,
    }


_IMPORT = """
import time
start = time.perf_counter()
import numpy, scipy
middle = time.perf_counter()
import stn_ref
print(middle - start, time.perf_counter() - middle)
"""


def import_time(peer: Peer, times: int) -> dict[str, float] | None:
    """Seconds to import NumPy and SciPy, and stn_ref beyond them: the least of several fresh interpreters."""
    found = []
    for _ in range(times + 1):  # the first one writes the bytecode
        done = subprocess.run(
            [peer.python, "-c", _IMPORT], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            say(f"  import: {done.stderr.strip().splitlines()[-1:]}")
            return None
        found.append([float(x) for x in done.stdout.split()])
    below, ours = (min(column) for column in zip(*found[1:]))
    return {"numpy and scipy": below, "stn_ref": ours}
