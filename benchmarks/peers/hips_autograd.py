"""HIPS autograd: eager, its tape recorded by tracing the Python code."""

from __future__ import annotations

from importlib.metadata import version

import autograd.numpy as anp
import numpy as np
from autograd import make_vjp
from autograd.tracer import getval

from benchmarks.peers import Job, base_grid, named, sampler_inputs
from benchmarks.peers.chains import chain_inputs
from benchmarks.peers.fancy import warp


def setup(settings):
    pass


def versions():
    return {"autograd": version("autograd"), "NumPy": np.__version__}


def plain(x):
    while hasattr(x, "_value"):
        x = getval(x)
    return x


def prepare(case, arrays, dtype, check):
    return {"sampler": sampler, "tape": tape}[case["kind"]](case, arrays, dtype)


def sampler(case, arrays, dtype):
    U, theta, V_bar = sampler_inputs(case, arrays, dtype)
    base = base_grid(V_bar.shape[2:], dtype)

    def f(pair):
        return warp(anp, plain, pair[0], pair[1], base, V_bar.shape)

    def forward():
        return (f((U, theta)),)

    def forward_and_backward():
        pullback, V = make_vjp(f)((U, theta))
        return (V, *pullback(V_bar))

    run = forward if case["operation"] == "forward" else forward_and_backward
    return Job(run, lambda found: named(*found))


def tape(case, arrays, dtype):
    x, w, y_bar = chain_inputs(arrays, dtype)

    def f(pair):
        y = pair[0]
        for _ in range(case["length"] // 2):
            y = y * pair[1]
            y = y + pair[0]
        return y

    def run():
        pullback, y = make_vjp(f)((x, w))
        return (y, *pullback(y_bar))

    return Job(run, lambda found: dict(zip(("y", "x_bar", "w_bar"), found)))
