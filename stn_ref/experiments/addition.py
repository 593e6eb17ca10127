"""MNIST addition: two digits, each distorted by itself, of which the sum is asked."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import Digits, digit_pairs, rotate_scale_translate_pairs
from ..nn.networks import Task, digit_network
from .classification import Prepared, classify, first_images
from .digits import fixed_rng, split
from .experiment import Candidate, Experiment, Quoted, Run

MODELS = ("FCN", "CNN", "ST-FCN Aff", "2xST-FCN Aff")
Labelled = tuple[NDArray[Any], NDArray[Any]]
SUMS = Task(size=42, channels=2, classes=19)
RATES = {
    "base": (Candidate(0.001), Candidate(0.002), Candidate(0.004)),
    "ST": (Candidate(0.002, 0.01), Candidate(0.001, 0.01), Candidate(0.002, 0.001)),
}


def prepare(run: Run) -> Prepared:
    """A network for pairs of digits, as many as there are digits, drawn once and distorted in each epoch."""
    train, validation, test = split(run)
    pairs, sums = _pairs(run, "train", train)
    watched = _distorted(run, "validation", validation)
    return Prepared(
        digit_network(run.model, np.random.default_rng(run.seed), SUMS),
        pairs,
        sums,
        measured=watched if run.trial else _distorted(run, "test", test),
        watched=watched,
        distort=rotate_scale_translate_pairs,
        data=train.public_name,
    )


def _pairs(run: Run, purpose: str, digits: Digits) -> Labelled:
    rng = fixed_rng(run, f"{purpose} pairs")
    return digit_pairs(digits.images, digits.labels, len(digits), rng)


def _distorted(run: Run, purpose: str, digits: Digits) -> Labelled:
    pairs, sums = _pairs(run, purpose, digits)
    return rotate_scale_translate_pairs(pairs, fixed_rng(run, purpose)), sums


ADDITION = Experiment(
    name="addition",
    title="Adding two digits",
    question="Two digits are given in two channels, each rotated, scaled and translated by itself, and their "
    "sum is asked. Do two transformers side by side learn to straighten one each, which a single one cannot "
    "do for both?",
    measure="test error, %",
    cells=tuple((model, "RTS pairs") for model in MODELS),
    setting={
        "train": 55_000,
        "validation": 5_000,
        "test": 10_000,
        "epochs": 30,
        "trial_epochs": 6,
        "batch_size": 64,
    },
    quick={"train": 4_000, "validation": 500, "test": 500, "epochs": 12, "batch_size": 64},
    candidates=lambda model: RATES["ST" if "ST" in model else "base"],
    carry_out=partial(classify, prepare=prepare),
    examples=partial(first_images, prepare=prepare),
    paper_protocol="as for Table 1; the best transformer of each kind",
    paper_samples=150_000 * 256,
    quoted=tuple(Quoted(model, "RTS pairs", value) for model, value in zip(MODELS, (47.7, 14.7, 18.5, 5.8))),
    compared=(("FCN", "ST-FCN Aff"), ("ST-FCN Aff", "2xST-FCN Aff"), ("CNN", "2xST-FCN Aff")),
    choices="What one digit says of a sum is little, and for many epochs no network does better than chance. "
    "Transformers that learn meanwhile run out of the image: at a tenth of the learning rate, and with SGD "
    "and momentum too, most of their samples lay outside after three epochs. So their localisation networks "
    "learn a hundred or a thousand times more slowly than the rest.",
)
