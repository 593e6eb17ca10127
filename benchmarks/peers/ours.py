"""stn_ref, through its public functions; setting ``calls``: "one" (spatial_transform) or "two"."""

from __future__ import annotations

import numpy as np
import scipy

from benchmarks.peers import Job, laid_out, named, sampler_inputs
from benchmarks.peers.chains import chain_inputs
from stn_ref import Tensor, __version__, affine_grid, cross_entropy, gradcheck, grid_sample, spatial_transform
from stn_ref.nn import SGD
from stn_ref.nn.networks import paper_network, tutorial_network

SETTINGS = {"calls": "one"}
LR = 0.01


def setup(settings):
    SETTINGS.update(settings)


def versions():
    return {"stn_ref": __version__, "NumPy": np.__version__, "SciPy": scipy.__version__}


def prepare(case, arrays, dtype, check):
    kinds = {"sampler": sampler, "step": step, "gradcheck": checker, "tape": tape, "exact": exact}
    return kinds[case["kind"]](case, arrays, dtype, check)


def warp(U, theta, size):
    if SETTINGS["calls"] == "one":
        return spatial_transform(U, theta, size, align_corners=True)
    return grid_sample(U, affine_grid(theta, size, align_corners=True), align_corners=True)


def sampler(case, arrays, dtype, check):
    U, theta, V_bar = sampler_inputs(case, arrays, dtype)
    size = V_bar.shape
    if not warp(U, theta, size).flags.c_contiguous:
        V_bar = laid_out(V_bar, dtype, "channels last")  # as V

    def forward():
        return (warp(U, theta, size),)

    def forward_and_backward():
        leaves = Tensor(U, requires_grad=True), Tensor(theta, requires_grad=True)
        V = warp(*leaves, size)
        V.backward(V_bar)
        return V.data, leaves[0].grad, leaves[1].grad

    run = forward if case["operation"] == "forward" else forward_and_backward
    return Job(run, lambda found: named(*found))


def network(name, weights, dtype):
    rng = np.random.default_rng(0)
    model = paper_network(rng) if name == "paper CNN" else tutorial_network(rng)
    load(model, weights, dtype)
    return model


def load(model, weights, dtype):
    for name, p in model.named_parameters():
        p.data = np.array(weights[name], dtype=dtype)


def step(case, arrays, dtype, check):
    images, labels = np.array(arrays["images"], dtype=dtype), arrays["labels"]
    model = network(case["network"], arrays, dtype)
    model.train(not check)  # without dropout in the comparison: its masks differ between libraries
    optimiser = SGD(model.named_parameters(), LR)

    def run():
        optimiser.zero_grad()
        loss = cross_entropy(model(images), labels)
        loss.backward()
        optimiser.step()
        return loss

    def collect(first):
        return {"loss": np.array([first.item(), run().item(), run().item()])}

    return Job(run, collect, lambda: load(model, arrays, dtype))


def checker(case, arrays, dtype, check):
    inputs = np.array(arrays["U"]), np.array(arrays["grid"])

    def run():
        return gradcheck(lambda U, grid: grid_sample(U, grid, align_corners=True), inputs)

    return Job(run, lambda report: {"passed": np.array(float(report.passed))})


def tape(case, arrays, dtype, check):
    start, factor, y_bar = chain_inputs(arrays, dtype)

    def run():
        x, w = Tensor(start, requires_grad=True), Tensor(factor, requires_grad=True)
        y = x
        for _ in range(case["length"] // 2):
            y = y * w
            y = y + x
        y.backward(y_bar)
        return y.data, x.grad, w.grad

    return Job(run, lambda found: dict(zip(("y", "x_bar", "w_bar"), found)))


def exact(case, arrays, dtype, check):
    from stn_ref.oracle import exact_bilinear

    U, points = arrays["U"][0], arrays["points"]
    return Job(lambda: exact_bilinear(U, points[..., 0], points[..., 1])[0], lambda V: {"V": V})
