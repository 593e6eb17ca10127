"""MyGrad: eager, with tensors over NumPy arrays."""

from __future__ import annotations

import mygrad
import numpy as np

from benchmarks.peers import Job, base_grid, named, sampler_inputs
from benchmarks.peers.chains import chain_inputs
from benchmarks.peers.fancy import warp


def setup(settings):
    pass


def versions():
    return {"MyGrad": mygrad.__version__, "NumPy": np.__version__}


def plain(x):
    return x.data if isinstance(x, mygrad.Tensor) else x


def prepare(case, arrays, dtype, check):
    return {"sampler": sampler, "tape": tape}[case["kind"]](case, arrays, dtype)


def sampler(case, arrays, dtype):
    U, theta, V_bar = sampler_inputs(case, arrays, dtype)
    base = base_grid(V_bar.shape[2:], dtype)

    def forward():
        with mygrad.no_autodiff:
            return (plain(warp(mygrad, plain, mygrad.tensor(U), mygrad.tensor(theta), base, V_bar.shape)),)

    def forward_and_backward():
        leaves = mygrad.tensor(U), mygrad.tensor(theta)
        V = warp(mygrad, plain, *leaves, base, V_bar.shape)
        V.backward(V_bar)
        return V.data, leaves[0].grad, leaves[1].grad

    run = forward if case["operation"] == "forward" else forward_and_backward
    return Job(run, lambda found: named(*found))


def tape(case, arrays, dtype):
    start, factor, y_bar = chain_inputs(arrays, dtype)

    def run():
        x, w = mygrad.tensor(start), mygrad.tensor(factor)
        y = x
        for _ in range(case["length"] // 2):
            y = y * w
            y = y + x
        y.backward(y_bar)
        return y.data, x.grad, w.grad

    return Job(run, lambda found: dict(zip(("y", "x_bar", "w_bar"), found)))
