"""The networks of the Gluon and MXNet tutorials, on plain digits; what a slow localisation network is for."""

from functools import partial

import numpy as np

from ..nn.networks import tutorial_network
from .classification import Prepared, classify, first_images
from .digits import split
from .experiment import Candidate, Experiment, Quoted, Run

MULTIPLIERS = {"ST-CNN": 1.0, "ST-CNN slow localisation": 0.01, "CNN": 1.0}


def prepare(run: Run) -> Prepared:
    """The tutorials' network on digits as they are."""
    train, validation, test = split(run)
    network = tutorial_network(np.random.default_rng(run.seed), transformer=run.model != "CNN")
    return Prepared(
        network,
        train.images,
        train.labels,
        measured=(test.images, test.labels),
        watched=(validation.images, validation.labels),
        data=train.public_name,
    )


TUTORIAL = Experiment(
    name="tutorial",
    title="The tutorials' networks",
    question="What do the networks of the Gluon and MXNet tutorials reach on plain digits, with and without "
    "the transformer, and with and without the multiplier 0.01 on the localisation network's learning rate?",
    measure="test error, %",
    cells=tuple((model, "plain") for model in MULTIPLIERS),
    setting={
        "train": 55_000,
        "validation": 5_000,
        "test": 10_000,
        "epochs": 20,
        "batch_size": 64,
        "optimiser": "SGD",
    },
    quick={
        "train": 4_000,
        "validation": 1_000,
        "test": 1_000,
        "epochs": 8,
        "batch_size": 16,
        "optimiser": "SGD",
    },
    candidates=lambda model: (Candidate(0.01, MULTIPLIERS[model]),),
    carry_out=partial(classify, prepare=prepare),
    paper_protocol="its log: SGD, learning rate 0.01, batches of 64, 20 epochs of 60,000 "
    "digits: 8.04 % after the first, 4.32 after the second, 1.48 after the last",
    paper_samples=20 * 60_000,
    examples=partial(first_images, prepare=prepare),
    quoted=(Quoted("ST-CNN", "plain", 1.48),),
    quoted_from="Gluon tutorial",
    compared=(("CNN", "ST-CNN"), ("ST-CNN", "ST-CNN slow localisation")),
    choices="The learning rate stays as it is, as in the tutorials. 5,000 digits are held out to watch it.",
)
