"""Models and losses that workers must refuse or report; in a module of their own, which workers import."""

import os

import numpy as np

from stn_ref.nn import Flatten, Linear, Module, Sequential
from stn_ref.ops import cross_entropy


class Linearly(Module):
    """Linear in the pixels; a base for what goes wrong."""

    def __init__(self):
        self.net = Sequential(Flatten(), Linear(36, 4, rng=np.random.default_rng(0)))

    def forward(self, x):
        return self.net(x)


class Raising(Linearly):
    seen = 0

    def forward(self, x):
        self.seen += 1
        if self.seen == 3 and self.training:
            raise ValueError("three is too many")
        return self.net(x)


class Exiting(Linearly):
    def forward(self, x):
        os._exit(3)


class Rebinding(Linearly):
    def forward(self, x):
        self.net[1].bias.data = self.net[1].bias.data * 0
        return self.net(x)


class Writing(Linearly):
    def forward(self, x):
        self.net[1].bias.data *= 0
        return self.net(x)


class GloballyRandom(Linearly):
    def forward(self, x):
        return self.net(x * np.float32(np.random.rand()))  # noqa: NPY002


class NotRebuilt(Linearly):
    def __setstate__(self, state):
        raise LookupError("not here")


class NotPicklable(Linearly):
    def __init__(self):
        super().__init__()
        self.scale = lambda x: x


def total(logits, labels):
    """A sum, not a mean."""
    return cross_entropy(logits, labels) * np.float32(len(labels))


THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def threads(logits, labels):
    """The number of BLAS threads where this runs, if all variables agree."""
    [number] = {int(os.environ.get(name, 0)) for name in THREADS}
    return cross_entropy(logits, labels) * np.float32(0) + np.float32(number)
