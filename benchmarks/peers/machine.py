"""What the machine can do: copies of float32 arrays, and one matrix product."""

from __future__ import annotations

import numpy as np

from benchmarks.peers import Job


def setup(settings):
    pass


def versions():
    return {"NumPy": np.__version__}


def prepare(case, arrays, dtype, check):
    a = np.ones(case["shape"], np.float32)
    b = np.zeros_like(a)  # written to, so that its pages exist
    b.fill(0)
    if case["kind"] == "copy":
        return Job(lambda: np.copyto(b, a), lambda _: {})
    c = np.ones_like(a)
    return Job(lambda: np.matmul(a, b, out=c), lambda _: {})
