"""What workers gain, and what they change: a step of training without workers and with 1 and 2.

Run it on a quiet machine: ``OPENBLAS_NUM_THREADS=1 python -m benchmarks.workers``. The settings take turns,
and the shortest time of a step counts. Prints a Markdown table of times and ratios to the time without
workers, and how far a gradient that is put together from shards lies from that of the whole batch.
"""

import argparse
import time
from collections.abc import Sequence

import numpy as np

from stn_ref.nn import SGD, Adam, Dropout, Module
from stn_ref.nn.networks import paper_network, tutorial_network
from stn_ref.training import SilentProgress, fit

NETWORKS = {"paper-cnn": paper_network, "tutorial-st-cnn": tutorial_network}
STEPS = 8  # in a turn


class Clock(SilentProgress):
    """The shortest time between two batches."""

    def __init__(self) -> None:
        self.last, self.best = 0.0, float("inf")

    def batch(self, epoch: int, epochs: int, batch: int, batches: int, loss: float) -> None:
        now = time.perf_counter()
        if batch > 1:
            self.best = min(self.best, now - self.last)
        self.last = now


def seconds(network: Module, batch_size: int, workers: int | None) -> float:
    """For one step, from the images of a batch to the next weights."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (STEPS * batch_size, 28, 28)).astype(np.uint8)
    labels = rng.integers(0, 10, len(images))
    clock = Clock()
    optimiser = Adam(network.named_parameters(), lr=1e-6)
    settings = {"epochs": 1, "batch_size": batch_size, "seed": 0, "validation": (images[:1], labels[:1])}
    fit(network, optimiser, images, labels, workers=workers, progress=clock, **settings)
    return clock.best


def difference(network: Module, batch_size: int) -> float:
    """Between the gradients with one worker and with none, as a share of the largest element."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (batch_size, 28, 28)).astype(np.uint8)
    labels = rng.integers(0, 10, batch_size)
    for _, module in network.modules():
        if isinstance(module, Dropout):
            module.p = 0.0  # it draws otherwise in shards
    start = network.state_dict()
    found = []
    for workers in (None, 1):
        network.load_state_dict(start)
        optimiser = SGD(network.named_parameters(), lr=1e-3)
        fit(network, optimiser, images, labels, epochs=1, batch_size=batch_size, seed=0, workers=workers)
        found.append(np.concatenate([np.ravel(p.grad) for p in network.parameters()]))
    whole, shards = found
    return float(np.abs(whole - shards).max() / np.abs(whole).max())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args(arguments)
    settings = [None, *options.workers]
    print("| network | batch | no workers |", *(f"{n} worker{'s' * (n > 1)} |" for n in options.workers))
    print("|---" * (len(settings) + 2) + "|")
    for name, make in NETWORKS.items():
        for batch_size in (64, 256):
            best = dict.fromkeys(settings, float("inf"))
            for _ in range(options.rounds):
                for workers in settings:
                    taken = seconds(make(np.random.default_rng(0)), batch_size, workers)
                    best[workers] = min(best[workers], taken)
            cells = [f"{best[n] * 1e3:.1f} ms, {best[None] / best[n]:.2f}x |" for n in options.workers]
            print(f"| {name} | {batch_size} | {best[None] * 1e3:.1f} ms |", *cells, flush=True)
    for name, make in NETWORKS.items():
        print(
            f"{name}: gradients of 256 images differ by {difference(make(np.random.default_rng(0)), 256):.1e}"
        )


if __name__ == "__main__":
    main()
