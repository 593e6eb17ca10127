"""One library in a process of its own: ``python -m benchmarks.worker MODULE SETTINGS``.

Requests and answers are JSON, one a line; arrays travel as .npy files. Separate processes because thread
pools that spin spoil each other's times, and because some libraries need an interpreter of their own.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import signal
import sys
import time
import tracemalloc

import numpy as np

MOST_CALLS = 10000


class Bench:
    """What a worker keeps between requests."""

    def __init__(self, module, settings):
        self.module = importlib.import_module(module)
        self.module.setup(settings)
        self.job = None
        self.calls = 1

    def hello(self):
        """Versions, by name."""
        return {"versions": {"Python": platform.python_version(), **self.module.versions()}}

    def prepare(self, case, inputs, dtype, check, out):
        """Build the operation, run it once, save what it gives; ``out`` begins the files' names."""
        self.job = None  # frees the one before
        arrays = {name: np.load(path) for name, path in inputs.items()}
        self.job = self.module.prepare(case, arrays, dtype, check)
        found = self.job.collect(self.job.run())
        self.calls = 0
        outputs = {}
        for name, array in found.items():
            outputs[name] = f"{out}-{name}.npy"
            np.save(outputs[name], np.asarray(array))
        return {"outputs": outputs}

    def block(self, target):
        """The mean time of one call, over as many as fill ``target`` seconds, after one that is not timed."""
        self.job.reset()
        run = self.job.run
        once = self._timed(run, 1)
        if not self.calls:
            once = min(once, self._timed(run, 1), self._timed(run, 1))
            self.calls = max(1, min(MOST_CALLS, round(target / max(once, 1e-9))))
        return {"seconds": self._timed(run, self.calls), "calls": self.calls}

    def memory(self):
        """The most bytes of arrays alive at once during one call, its result included."""
        run = self.job.run
        run()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            result = run()
            peak = tracemalloc.get_traced_memory()[1] - before
            del result
        finally:
            tracemalloc.stop()
        return {"bytes": peak}

    @staticmethod
    def _timed(run, calls):
        start = time.perf_counter()
        for _ in range(calls):
            run()
        return (time.perf_counter() - start) / calls


def answer(bench, request):
    """What a request gives, or an error in words; a refusal is told apart from a failure."""
    do = request.pop("do")
    try:
        return getattr(bench, do)(**request)
    except NotImplementedError as error:
        return {"left_out": str(error)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


# The C library asks the system anew for blocks above a size, until it has been given back a larger one, as
# happens in any longer run. So each process starts like that, whichever cases came before.
STEADY = 30_000_000


def main(module, settings):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes its workers
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not end up among the answers

    def say(what):
        channel.write(json.dumps(what) + "\n")
        channel.flush()

    bytearray(STEADY)
    try:
        bench = Bench(module, json.loads(settings))
    except ImportError as error:
        say({"absent": str(error)})
        return
    say(bench.hello())
    for line in sys.stdin:
        say(answer(bench, json.loads(line)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
