"""A run small enough to be trained hundreds of times, with everything in it that a checkpoint must keep."""

from types import SimpleNamespace

import numpy as np
import pytest

from stn_ref.data import rotate
from stn_ref.nn import (
    SGD,
    Adam,
    Dropout,
    Flatten,
    Linear,
    ReLU,
    Sequential,
    SpatialTransformer,
    cosine,
    identity_transform,
)
from stn_ref.training import fit

_rng = np.random.default_rng(7)
IMAGES = _rng.integers(0, 256, (14, 6, 6)).astype(np.uint8)
LABELS = (np.arange(14) % 4).astype(np.uint8)
SETTINGS = {"epochs": 3, "batch_size": 4, "seed": 5, "distort": rotate}


def make_model():
    rng = np.random.default_rng(1)
    head = Linear(36, 6, rng=rng)
    identity_transform(head)
    return Sequential(
        transformer=SpatialTransformer(Sequential(Flatten(), head), (6, 5)),
        classifier=Sequential(
            Flatten(), Linear(30, 8, rng=rng), ReLU(), Dropout(0.5, rng=rng), Linear(8, 4, rng=rng)
        ),
    )


def make_optimiser(model, kind="Adam"):
    parameters = model.named_parameters()
    multipliers = {"transformer.localisation": 0.1}
    if kind == "Adam":
        return Adam(parameters, lr=0.01, multipliers=multipliers, schedule=cosine(12))
    return SGD(parameters, lr=0.1, momentum=0.9, multipliers=multipliers)


class SmallRun:
    """A fresh model and optimiser, and `fit` on the small set."""

    images, labels, settings = IMAGES, LABELS, SETTINGS

    def __init__(self, kind="Adam"):
        self.model = make_model()
        self.optimiser = make_optimiser(self.model, kind)

    def fit(self, **settings):
        return fit(self.model, self.optimiser, IMAGES, LABELS, **{**SETTINGS, **settings})

    def outcome(self):
        """Everything that must be equal, bit for bit, at the end of two runs."""
        kept = self.optimiser.state_dict()
        arrays = {**self.model.state_dict(), **{f"optimiser/{k}": v for k, v in kept["state"].items()}}
        states = [rng.bit_generator.state for _, rng in self.model.named_generators()]
        return {k: (v.dtype, v.tobytes()) for k, v in arrays.items()}, kept["steps"], states


@pytest.fixture
def small():
    return SimpleNamespace(Run=SmallRun, model=make_model, images=IMAGES, labels=LABELS)
