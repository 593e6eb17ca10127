"""PyTorch on the CPU; setting ``threads``."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import torch
from torch import nn
from torch.nn.functional import affine_grid, cross_entropy, grid_sample

from benchmarks.peers import Job, named, sampler_inputs
from benchmarks.peers.chains import chain_inputs

LR = 0.01


def setup(settings):
    torch.set_num_threads(settings["threads"])
    torch.set_num_interop_threads(1)


def versions():
    return {"PyTorch": torch.__version__, "NumPy": np.__version__}


def prepare(case, arrays, dtype, check):
    kinds = {"sampler": sampler, "step": step, "gradcheck": checker, "tape": tape}
    return kinds[case["kind"]](case, arrays, dtype, check)


def warp(U, theta, size):
    return grid_sample(U, affine_grid(theta, size, align_corners=True), align_corners=True)


def sampler(case, arrays, dtype, check):
    U, theta, V_bar = (torch.from_numpy(x) for x in sampler_inputs(case, arrays, dtype))
    if case["memory"] == "channels last":
        U = U.contiguous(memory_format=torch.channels_last)
    size = list(V_bar.shape)
    with torch.no_grad():
        V = warp(U, theta, size)
    if not V.is_contiguous():
        V_bar = V_bar.contiguous(memory_format=torch.channels_last)  # as V

    def forward():
        with torch.no_grad():
            return (warp(U, theta, size),)

    def forward_and_backward():
        leaves = U.detach().requires_grad_(), theta.detach().requires_grad_()
        V = warp(*leaves, size)
        V.backward(V_bar)
        return V, leaves[0].grad, leaves[1].grad

    run = forward if case["operation"] == "forward" else forward_and_backward
    return Job(run, lambda found: named(*(x.detach().numpy() for x in found)))


class Standardise(nn.Module):
    def forward(self, x):
        return (x - 0.1307) / 0.3081


class Transformer(nn.Module):
    def __init__(self, localisation):
        super().__init__()
        self.localisation = localisation

    def forward(self, x):
        return warp(x, self.localisation(x).view(-1, 2, 3), list(x.shape))


def paper_cnn():
    """As ``stn_ref.nn.networks.paper_network``; parameter names too."""
    classifier = nn.Sequential(
        *(nn.Conv2d(1, 32, 9), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(32, 32, 7), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(128, 10)),
    )
    return nn.Sequential(OrderedDict(classifier=classifier))


def tutorial_st_cnn():
    """As ``stn_ref.nn.networks.tutorial_network``; parameter names too."""
    classifier = nn.Sequential(
        *(nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(10, 20, 5), nn.Dropout(0.5), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(320, 50), nn.ReLU(), nn.Dropout(0.5), nn.Linear(50, 10)),
    )
    localisation = nn.Sequential(
        *(nn.Conv2d(1, 8, 7), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(8, 10, 5), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(90, 32), nn.ReLU(), nn.Linear(32, 6)),
    )
    parts = {"standardise": Standardise(), "transformer": Transformer(localisation), "classifier": classifier}
    return nn.Sequential(OrderedDict(parts))


def step(case, arrays, dtype, check):
    kind = getattr(torch, dtype)
    images, labels = torch.from_numpy(arrays["images"]).to(kind), torch.from_numpy(arrays["labels"])
    model = (paper_cnn() if case["network"] == "paper CNN" else tutorial_st_cnn()).to(kind)
    weights = {name: torch.from_numpy(arrays[name]).to(kind) for name in model.state_dict()}

    def reset():
        model.load_state_dict(weights)

    reset()
    model.train(not check)
    optimiser = torch.optim.SGD(model.parameters(), LR)

    def run():
        optimiser.zero_grad()
        loss = cross_entropy(model(images), labels)
        loss.backward()
        optimiser.step()
        return loss

    def collect(first):
        return {"loss": np.array([first.item(), run().item(), run().item()])}

    return Job(run, collect, reset)


def checker(case, arrays, dtype, check):
    inputs = [torch.tensor(arrays[name], requires_grad=True) for name in ("U", "grid")]

    def run():
        return torch.autograd.gradcheck(lambda U, grid: grid_sample(U, grid, align_corners=True), inputs)

    return Job(run, lambda passed: {"passed": np.array(float(passed))})


def tape(case, arrays, dtype, check):
    start, factor, y_bar = (torch.from_numpy(x) for x in chain_inputs(arrays, dtype))

    def run():
        x, w = start.detach().requires_grad_(), factor.detach().requires_grad_()
        y = x
        for _ in range(case["length"] // 2):
            y = y * w
            y = y + x
        y.backward(y_bar)
        return y, x.grad, w.grad

    return Job(run, lambda found: dict(zip(("y", "x_bar", "w_bar"), (x.detach().numpy() for x in found))))
