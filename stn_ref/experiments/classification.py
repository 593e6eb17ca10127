"""Runs that end in a test error: a network learns labels."""

import math
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..nn import SGD, Adam, Module, Optimiser, SpatialTransformer, stepwise
from ..nn.networks import localisation_prefixes
from ..training import Diverged, Epoch, fit, logits_of, rights
from ..training.metrics import Outside, network_input
from .experiment import Candidate, Row, Run

__all__ = ["Prepared", "base_and_transformer", "classify", "first_images", "pack_bits", "unpack_bits"]

Array = NDArray[Any]
SAVE_EVERY = 30.0  # seconds
SHOWN = 12  # images of which the row keeps what the transformers did


class Prepared(NamedTuple):
    """What a run needs.

    ``images`` and ``labels`` to learn from, distorted anew in each epoch by ``distort``; ``watched`` is
    measured after each epoch, ``measured`` at the end, each images and labels as the network sees them.
    """

    model: Module
    images: Any
    labels: Array
    measured: tuple[Array, Array]
    watched: tuple[Array, Array] | None = None
    distort: Callable[[Any, np.random.Generator], Any] | None = None
    data: str = ""
    epochs: int | None = None
    """Other than the setting's."""


def classify(run: Run, checkpoint: Path, prepare: Callable[[Run], Prepared]) -> Row:
    """Train as the run says, going on from ``checkpoint`` if it is there, and measure the error in %.

    With Adam, and the learning rate divided by ten after each third of the schedule, as the paper divides it
    twice; or, where the setting names SGD, with that and one learning rate throughout.
    """
    prepared, setting = prepare(run), run.setting
    model = prepared.model
    epochs = setting["epochs"] if prepared.epochs is None else prepared.epochs
    multipliers = dict.fromkeys(localisation_prefixes(model), run.candidate.localisation)
    optimiser: Optimiser
    if setting.get("optimiser") == "SGD":
        optimiser = SGD(model.named_parameters(), run.candidate.lr, multipliers=multipliers)
    else:
        steps = epochs * -(-len(prepared.labels) // setting["batch_size"])
        thirds = stepwise(-(-steps // 3))
        optimiser = Adam(model.named_parameters(), run.candidate.lr, multipliers=multipliers, schedule=thirds)
    failed = None
    try:
        history = fit(
            model,
            optimiser,
            prepared.images,
            prepared.labels,
            epochs=epochs,
            batch_size=setting["batch_size"],
            seed=run.seed,
            distort=prepared.distort,
            validation=prepared.watched,
            checkpoint=checkpoint,
            save_every=SAVE_EVERY,
            resume=True,
        )
    except Diverged as error:  # a result, and the model is as it was before
        history, failed = error.history, str(error)
    images, labels = prepared.measured
    outside = Outside(model)
    wrong = ~rights(logits_of(model, images, outside=outside), labels)
    return {
        **run.configuration,
        "error": 100 * float(wrong.mean()),
        "errors": int(wrong.sum()),
        "measured_on": len(wrong),
        "wrong": pack_bits(wrong),
        "samples_seen": sum(1 for _ in history) * len(prepared.labels),
        "seconds": sum(epoch.seconds for epoch in history),
        "processor_seconds": sum(epoch.processor for epoch in history),
        "parameters": model.parameter_count(),
        "data": prepared.data,
        "failed": failed,
        "epochs": [_told(epoch) for epoch in history],
        "outside": outside.means(),
        "transformers": _transformers(model, images[:SHOWN]),
        "machine": versions(),
    }


def base_and_transformer(name: str) -> tuple[Candidate, ...]:
    """Six candidates for any network: six learning rates, or two with three slower localisation networks.

    >>> len(base_and_transformer("CNN")), base_and_transformer("ST-CNN Aff")[-1]
    (6, Candidate(lr=0.006, localisation=0.01))
    """
    if "ST" in name:
        return tuple(Candidate(lr, slower) for lr in (0.002, 0.006) for slower in (1.0, 0.1, 0.01))
    return tuple(Candidate(lr) for lr in (0.002, 0.0006, 0.001, 0.003, 0.006, 0.01))


def first_images(run: Run, prepare: Callable[[Run], Prepared]) -> Array:
    """Those of which the rows keep what the transformers did, as the network sees them."""
    return network_input("first_images", prepare(run).measured[0][:SHOWN])


def pack_bits(bits: Any) -> str:
    """Truth values as hexadecimal digits, four to a digit, the first one highest.

    >>> pack_bits([True, False, False, False, True]), unpack_bits("88", 5).tolist()
    ('88', [True, False, False, False, True])
    """
    return np.packbits(np.asarray(bits, bool)).tobytes().hex()


def unpack_bits(text: str, count: int) -> NDArray[np.bool_]:
    """The truth values in what :func:`pack_bits` gave."""
    packed = np.frombuffer(bytes.fromhex(text), np.uint8)
    return np.unpackbits(packed, count=count).astype(bool)


def versions() -> dict[str, str]:
    """With what a row was computed."""
    return {
        "stn_ref": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def _told(epoch: Epoch) -> Row:
    validation = epoch.validation
    return {
        "loss": epoch.loss,
        "train_error": 100 * (1 - epoch.accuracy),
        "validation_error": None if validation is None else 100 * (1 - validation.accuracy),
        "outside": epoch.outside,
        "seconds": epoch.seconds,
    }


def _transformers(model: Module, images: Array) -> Row:
    """What each transformer did to the first images: its theta, to be drawn later."""
    logits_of(model, images)
    found = {}
    for prefix, module in model.modules():
        if isinstance(module, SpatialTransformer) and module.report is not None:
            theta = np.asarray(module.report.theta, np.float64)
            found[prefix.rstrip(".")] = {
                "transformation": module.report.transformation.name,
                "size": list(module.report.size[2:]),
                "source": list(module.report.source or images.shape[2:]),
                "align_corners": module.report.align_corners,
                "theta": [[_rounded(number) for number in row.ravel()] for row in theta],
            }
    return found


def _rounded(number: float) -> float | None:
    """To six digits, which is enough for a picture; JSON has no NaN."""
    return float(f"{number:.6g}") if math.isfinite(number) else None
