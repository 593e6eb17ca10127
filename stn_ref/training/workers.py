"""``fit(..., workers=N)``: the gradient of a batch from several processes, the same bits for any N.

A batch is cut into shards by its size alone. Each shard goes through a copy of the model in some process, as
if it were a batch of its own, and the gradients are added in the order of the shards, each times its share
of the batch. Who computes which shard, and when, therefore changes nothing.

Parameters, images and gradients lie in shared memory; the pipes carry a few words for each shard.
"""

import pickle
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..nn import Module
from ..nn.spatial_transformer import TransformReport
from .batch import Passed
from .metrics import Loss, Outside
from .processes import LostWorker, Processes
from .shared import Field, Task, generators, views

__all__ = ["Crew", "LostWorker", "bounds"]

Array = NDArray[Any]
WHOLE, SHARD, MOST = 32, 64, 16  # up to 32 images are one shard; else 64 to a shard, in up to 16 shards


def bounds(n: int) -> list[tuple[int, int]]:
    """Where the shards of a batch of ``n`` images begin and end.

    They are few, since each costs some time beside what its images cost, and a power of two, so that as many
    workers have equally much to do.

    >>> bounds(33), [len(bounds(n)) for n in (32, 64, 128, 256, 512, 10_000)]
    ([(0, 16), (16, 33)], [1, 2, 2, 4, 8, 16])
    """
    count = 1 if n <= WHOLE else 2
    while n > SHARD * count and count < MOST:
        count *= 2
    return list(pairwise(n * i // count for i in range(count + 1)))


class Crew:
    """Workers that share each batch; they are started at the first one.

    Parameters
    ----------
    model : Module
    loss : callable
    count : int
        How many processes; never more than there are shards.
    batch_size : int
        The size of the largest batch.

    Raises
    ------
    TypeError
        If model or loss cannot be pickled.
    """

    def __init__(self, model: Module, loss: Loss, count: int, batch_size: int) -> None:
        self.model, self.batch_size = model, batch_size
        self.payload = _pickled(model, loss)
        shards = len(bounds(batch_size))
        self.count = min(count, shards)
        self.division: str | None = f"up to {WHOLE} whole, then {SHARD} to a shard, at most {MOST}"
        self.note = ""
        if count > shards:
            self.note = (
                f"of {count} workers {shards} will do: a batch of {batch_size} has {shards} "
                f"shard{'s' * (shards > 1)}"
            )
        self.processes: Processes | None = None
        self.fields: dict[Any, Field] = {}
        self.arrays: dict[Any, Array] = {}
        self.batches = 0

    def forward(self, x: Array, labels: Array) -> Passed:
        """As :func:`stn_ref.training.batch.forward`, but the workers do both passes in one go.

        Raises
        ------
        LostWorker
            If one ends or raises an error.
        """
        processes, parameters = self.ready_for(x, labels), dict(self.model.named_parameters())
        self.arrays["images"][: len(x)] = x
        self.arrays["labels"][: len(x)] = labels
        for name, p in parameters.items():
            self.arrays[name][...] = p.data
        # The model's own generators move on with each batch, and are kept in checkpoints.
        words = [rng.bit_generator.random_raw(4).tolist() for rng in generators(self.model)]
        learnt = [p.requires_grad for p in parameters.values()]
        training = [module.training for _, module in self.model.modules()]
        cuts = bounds(len(x))
        shares = [(stop - start) / len(x) for start, stop in cuts]
        answers = processes.answers(
            Task(self.batches, shard, *cut, share, words, learnt, training)
            for shard, (cut, share) in enumerate(zip(cuts, shares))
        )
        self.batches += 1
        loss, outside = 0.0, Outside(self.model)
        for share, answer in zip(shares, answers):
            loss += share * answer.loss
            outside.join(answer.outside)
        for name, transformer in outside.transformers.items():
            transformer.report = _joined([a.reports[name] for a in answers if name in a.reports])

        def backward() -> None:
            for i, (name, p) in enumerate(parameters.items()):
                shards = [answer.shard for answer in answers if answer.has_gradient[i]]
                p.grad = total([self.arrays[shard, name] for shard in shards])

        return Passed(loss, sum(answer.correct for answer in answers), outside.sums, backward)

    def ready_for(self, x: Array, labels: Array) -> Processes:
        """Memory for batches like this one, and workers that know it."""
        own = {name: (p.shape, p.dtype.str) for name, p in self.model.named_parameters()}
        fields: dict[Any, Field] = {
            "images": ((self.batch_size, *x.shape[1:]), x.dtype.str),
            "labels": ((self.batch_size, *labels.shape[1:]), labels.dtype.str),
            **own,
        }
        for shard in range(len(bounds(self.batch_size))):
            fields |= {(shard, name): field for name, field in own.items()}
        if self.processes is None or fields != self.fields:
            self.close()
            self.processes = Processes(self.count, fields, self.payload)
            self.fields, self.arrays = fields, views(self.processes.memory, fields)
        return self.processes

    def close(self) -> None:
        """End the workers."""
        processes, self.processes, self.arrays = self.processes, None, {}
        if processes is not None:
            processes.close()


def total(gradients: list[Array]) -> Array | None:
    """The sum, always in this order; None if there are none."""
    if not gradients:
        return None
    found: Array = gradients[0].copy()
    for gradient in gradients[1:]:
        found += gradient
    return found


def _pickled(model: Module, loss: Loss) -> bytes:
    """Model and loss, together, since the loss may speak of the model's parameters."""
    try:
        return pickle.dumps((model, loss), protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # what cannot be pickled says so with several kinds of errors
        culprit = "model"
        try:
            pickle.dumps(model)
        except Exception:
            pass
        else:
            culprit = "loss"
        raise TypeError(
            f"fit: workers need copies of the {culprit}, but it cannot be pickled: {error}. Make it of "
            "classes and functions that stand at the top of a module (no lambda), or train without workers"
        ) from error


def _joined(reports: list[TransformReport]) -> TransformReport | None:
    """The reports of the shards as one of the batch."""
    if not reports:
        return None
    size = (sum(report.size[0] for report in reports), *reports[0].size[1:])
    return replace(reports[0], theta=np.concatenate([report.theta for report in reports]), size=size)
