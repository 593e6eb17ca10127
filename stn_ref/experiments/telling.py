"""What is told of a sweep while it goes on: the runs that end, and how long the rest will take."""

import sys
import time
from typing import TextIO

from .experiment import Row, Run
from .sweep import Sweep

__all__ = ["Teller", "duration"]


def duration(seconds: float) -> str:
    """A time in words, as exact as it needs to be.

    >>> [duration(seconds) for seconds in (4.2, 95, 4000, 400_000)]
    ['4 s', '95 s', '1 h 7 min', '111 h']
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes < 600 else f"{round(minutes / 60):,} h"


class Teller:
    """A line for each run that ends.

    The time left is what the runs to come will take at the speed of those done: a run of the same network on
    the same data if there was one, else of any.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = sys.stdout if stream is None else stream
        self.rates: dict[tuple[str, str], float] = {}  # seconds per image seen
        self.done = 0

    def __call__(self, sweep: Sweep, run: Run, row: Row) -> None:
        self.done += 1
        if row["samples_seen"]:
            self.rates[run.model, run.dataset] = row["seconds"] / row["samples_seen"]
        left = sweep.left()
        what = f"trial with {run.candidate.lr:g}" if run.trial else f"seed {run.seed}"
        if run.trial and "ST" in run.model:
            what += f" x {run.candidate.localisation:g}"
        state = f"{row['error']:.2f} %" if row.get("failed") is None else f"{row['error']:.2f} %, failed"
        ahead = f"; {len(left)} to go" + self._time(sweep, left) if left else ""
        print(
            f"{time.strftime('%H:%M:%S')}  {run.dataset}  {run.model}, {what}: {state} "
            f"({duration(row['seconds'])}){ahead}",
            file=self.stream,
            flush=True,
        )

    def _time(self, sweep: Sweep, left: list[Run]) -> str:
        if not self.rates:
            return ""
        usual = sum(self.rates.values()) / len(self.rates)
        seconds = sum(
            self.rates.get((run.model, run.dataset), usual) * run.setting["train"] * run.setting["epochs"]
            for run in left
        )
        return f", about {duration(seconds / sweep.crew.size)}"
