"""The digits of an experiment: training, validation and test set, distorted."""

from typing import Any, TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ..data import Digits, distort, load_digits
from ..data.distortions import DISTORTIONS
from ..nn.networks import Task, digit_network
from .classification import Prepared
from .experiment import Run

__all__ = ["fixed_rng", "prepare_digits", "split"]

Seen: TypeAlias = tuple[NDArray[Any], NDArray[Any]]
SIZES = {"none": 28, "R": 28, "P": 28, "E": 28, "RTS": 42, "TC": 60}


def prepare_digits(run: Run) -> Prepared:
    """A digit network for run.dataset, one of the distortions.

    The training set is distorted anew in each epoch; the validation set, the end of the official training
    set, and the test set are distorted once, the same for all networks and seeds.
    """
    train, validation, test = split(run)
    watched = _once(run, "validation", validation)
    network = digit_network(run.model, np.random.default_rng(run.seed), Task(SIZES[run.dataset]))
    return Prepared(
        network,
        train.images,
        train.labels,
        measured=watched if run.trial else _once(run, "test", test),
        watched=watched,
        distort=DISTORTIONS[run.dataset],
        data=train.public_name,
    )


def split(run: Run) -> tuple[Digits, Digits, Digits]:
    """Training, validation and test set, as many as ``run.setting`` says."""
    whole, test = (load_digits(run.data, name) for name in ("train", "test"))
    setting = run.setting
    needed = setting["train"] + setting["validation"]
    if len(whole) < needed or len(test) < setting["test"]:
        raise ValueError(
            f"{run.experiment}: {whole.name} has {len(whole):,} digits and its test set {len(test):,}, but "
            f"{needed:,} and {setting['test']:,} are needed; give the folder of the whole MNIST with --data, "
            "or take --quick, for which the bundled digits are enough"
        )
    return (
        _part(whole, slice(0, setting["train"])),
        _part(whole, slice(len(whole) - setting["validation"], None)),
        _part(test, slice(0, setting["test"])),
    )


def fixed_rng(run: Run, purpose: str) -> np.random.Generator:
    """The same for all networks and seeds of an experiment."""
    return np.random.default_rng(crc32(f"{run.experiment} {run.dataset} {purpose}".encode()))


def _once(run: Run, purpose: str, digits: Digits) -> Seen:
    return distort(digits.images, run.dataset, fixed_rng(run, purpose)), digits.labels


def _part(digits: Digits, which: slice) -> Digits:
    return Digits(digits.images[which], digits.labels[which], digits.name, digits.note)
