"""Chainer's own spatial transformer functions, with its NumPy kernels."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import chainer
    import chainer.functions as F

import numpy as np

from benchmarks.peers import Job, named, sampler_inputs
from benchmarks.peers.chains import chain_inputs


def setup(settings):
    warnings.simplefilter("ignore")


def versions():
    return {"Chainer": chainer.__version__, "NumPy": np.__version__}


def prepare(case, arrays, dtype, check):
    return {"sampler": sampler, "tape": tape}[case["kind"]](case, arrays, dtype)


def sampler(case, arrays, dtype):
    U, theta, V_bar = sampler_inputs(case, arrays, dtype)
    size = V_bar.shape[2:]

    def warp(U, theta):
        return F.spatial_transformer_sampler(U, F.spatial_transformer_grid(theta, size))

    def forward():
        with chainer.no_backprop_mode():
            return (warp(U, theta).array,)

    def forward_and_backward():
        leaves = chainer.Variable(U), chainer.Variable(theta)
        V = warp(*leaves)
        V.grad = V_bar
        V.backward()
        return V.array, leaves[0].grad, leaves[1].grad

    run = forward if case["operation"] == "forward" else forward_and_backward
    return Job(run, lambda found: named(*found))


def tape(case, arrays, dtype):
    start, factor, y_bar = chain_inputs(arrays, dtype)

    def run():
        x, w = chainer.Variable(start), chainer.Variable(factor)
        y = x
        for _ in range(case["length"] // 2):
            y = y * w
            y = y + x
        y.grad = y_bar
        y.backward()
        return y.array, x.grad, w.grad

    return Job(run, lambda found: dict(zip(("y", "x_bar", "w_bar"), found)))
