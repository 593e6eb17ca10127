"""Translated, cluttered digits: the paper's, in 60x60, and a published set of others, in 40x40."""

from functools import partial

import numpy as np

from ..data import find_file, load_cluttered
from ..nn.networks import Task, digit_network
from .classification import Prepared, base_and_transformer, classify, first_images
from .digits import prepare_digits
from .experiment import Experiment, Quoted, Run

MODELS = ("FCN", "CNN", "ST-FCN Aff", "ST-CNN Aff")
PUBLISHED = "40x40"


def prepare(run: Run) -> Prepared:
    """A network for digits in clutter.

    Those of the paper are made anew in each epoch. The published ones are what they are, 10,000 to learn
    from: as many epochs more of them make up for that.
    """
    if run.dataset != PUBLISHED:
        return prepare_digits(run)
    path, setting = find_file("mnist-cluttered", run.data), run.setting
    (images, labels), validation, test = (load_cluttered(path, split) for split in ("train", "valid", "test"))
    return Prepared(
        digit_network(run.model, np.random.default_rng(run.seed), Task(40)),
        images,
        labels,
        measured=validation if run.trial else test,
        watched=validation,
        data="published 40x40 cluttered digits",
        epochs=max(1, setting["epochs"] * setting["train"] // len(labels)),
    )


CLUTTER = Experiment(
    name="clutter",
    title="Digits in clutter",
    question="Does a transformer help to find a digit that is anywhere in a larger image, among pieces of "
    "other digits? TC: 60x60 with six 6x6 pieces, as in the paper; 40x40: a published set.",
    measure="test error, %",
    cells=tuple((model, dataset) for dataset in ("TC", PUBLISHED) for model in MODELS),
    setting={
        "train": 55_000,
        "validation": 5_000,
        "test": 10_000,
        "epochs": 6,
        "trial_epochs": 1,
        "batch_size": 64,
    },
    quick={"train": 4_000, "validation": 500, "test": 500, "epochs": 5, "batch_size": 64},
    quick_cells=tuple((model, "TC") for model in MODELS),
    candidates=base_and_transformer,
    carry_out=partial(classify, prepare=prepare),
    examples=partial(first_images, prepare=prepare),
    paper_protocol="as for Table 1",
    paper_samples=150_000 * 256,
    quoted=tuple(Quoted(model, "TC", value) for model, value in zip(MODELS, (13.2, 3.5, 2.0, 1.7))),
    compared=(("FCN", "ST-FCN Aff"), ("CNN", "ST-CNN Aff")),
    choices="For the published 40x40 set others report about 8.5 % for a CNN and 2.6 % with a transformer.",
)
