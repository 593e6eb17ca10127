"""One process of ``fit(..., workers=N)``: takes shards of a batch, gives back their gradients.

A worker keeps nothing that decides about the next shard: parameters come from shared memory, and the model's
generators are seeded anew for each. So it does not matter who computes which.
"""

import pickle
import random
import signal
import traceback
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autograd.recording import no_grad
from ..autograd.tensor import Tensor, plain
from ..nn import Module
from .batch import forward
from .metrics import Loss, Outside
from .shared import Answer, Failure, Field, Task, generators, views

__all__ = ["main"]

Array = NDArray[Any]
# When glibc is given back a block of this size (the largest that counts is below 32 MiB), it keeps what is
# freed later on, instead of asking the system for the same pages in every step.
KEPT = 30_000_000


def main(pipe: Any, memory: Any, fields: Mapping[Any, Field], payload: bytes) -> None:
    """Answer tasks until whoever sends them is gone; ``payload`` is the pickled model and loss."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; it closes the pipe
    answer: Any = "ready"
    np.empty(KEPT, np.uint8)
    try:
        model, loss = pickle.loads(payload)
        worker = _Worker(model, loss, views(memory, fields))
    except Exception as error:
        answer = _failure(error)
    while True:
        try:
            pipe.send(answer)
            task = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            answer = worker.answer(task)
        except BaseException as error:
            answer = _failure(error)


def _failure(error: BaseException) -> Failure:
    return Failure(f"{type(error).__name__}: {error}", traceback.format_exc())


class _Worker:
    """A copy of the model and what is needed to pass shards through it."""

    def __init__(self, model: Module, loss: Loss, arrays: Mapping[Any, Array]) -> None:
        self.model, self.loss, self.arrays = model, loss, arrays
        self.parameters = dict(model.named_parameters())
        self.modules = [module for _, module in model.modules()]
        self.generators = generators(model)
        self.transformers = Outside(model).transformers
        self.batch = -1

    def answer(self, task: Task) -> Answer:
        """The gradient of a shard, into shared memory, and the rest of what it gave."""
        first = self.batch < 0
        self.prepare(task)
        chance = _global_chance()
        part = slice(task.start, task.stop)
        # Copies: a model may keep what it saw, and shared memory changes with the next batch.
        x, labels = self.arrays["images"][part].copy(), self.arrays["labels"][part].copy()

        def check(logits: Array) -> None:
            if first:
                check_mean(self.loss, logits, labels)

        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            passed = forward(self.model, self.loss, x, labels, share=task.share, check=check)
            passed.backward()
        self.check_unchanged()
        if chance != _global_chance():
            raise ValueError(
                "workers: the model or the loss draws from NumPy's global generator or from the module "
                "random, of which each process has its own; give its module a numpy.random.Generator as an "
                "attribute, or train without workers"
            )
        for name, p in self.parameters.items():
            if p.grad is not None:
                self.arrays[task.shard, name][...] = p.grad
        reports = {name: t.report for name, t in self.transformers.items() if t.report is not None}
        has_gradient = [p.grad is not None for p in self.parameters.values()]
        return Answer(task.shard, passed.loss, passed.correct, passed.outside, reports, has_gradient)

    def prepare(self, task: Task) -> None:
        """Parameters, flags and generators as the task wants them."""
        if task.batch != self.batch:
            self.batch = task.batch
            self.given = {name: self.arrays[name].copy() for name in self.parameters}
            for array in self.given.values():
                array.flags.writeable = False  # a model that changes a parameter itself is to be found out
        for p, given, learnt in zip(self.parameters.values(), self.given.values(), task.learnt):
            p.data = given
            if p.requires_grad != learnt:
                p.requires_grad = learnt
        for module, training in zip(self.modules, task.training):
            module.training = training
        for rng, words in zip(self.generators, task.words):
            kind: Any = type(rng.bit_generator)
            seed = np.random.SeedSequence(words, spawn_key=(task.shard,))
            rng.bit_generator.state = kind(seed).state

    def check_unchanged(self) -> None:
        for name, p in self.parameters.items():
            if p.data is not self.given[name]:
                raise ValueError(
                    f"workers: the forward pass of the model changes its parameter {name}, which would be "
                    "lost in a process of its own; train without workers"
                )


def check_mean(loss: Loss, logits: Array, labels: Array) -> None:
    """Refuse a loss that is not the mean over the images: shards of it do not add up to a batch.

    >>> from stn_ref.ops import cross_entropy
    >>> logits, labels = np.eye(4), np.array([0, 1, 1, 2])
    >>> check_mean(cross_entropy, logits, labels)
    >>> check_mean(lambda logits, labels: logits.sum(), logits, labels)
    Traceback (most recent call last):
    ...
    ValueError: workers: the loss of 4 images is 4, but the mean of those of 2 and 2 of them is 2; ...
    """
    n, half = len(labels), len(labels) // 2
    if not half:
        return
    with no_grad():
        whole, first, rest = (
            float(plain(loss(Tensor(logits[part]), labels[part])))
            for part in (slice(None), slice(None, half), slice(half, None))
        )
    parts = (half * first + (n - half) * rest) / n
    # Far above rounding, far below what a sum in place of a mean makes.
    if abs(whole - parts) > 0.01 * max(abs(whole), abs(first), abs(rest)):
        raise ValueError(
            f"workers: the loss of {n} images is {whole:.6g}, but the mean of those of {half} and {n - half} "
            f"of them is {parts:.6g}; with workers it must be the mean over the images, so that shards of a "
            "batch add up to the batch"
        )


def _global_chance() -> tuple[Any, ...]:
    """The state of the generators that no module owns."""
    state: Any = np.random.get_state(legacy=False)  # noqa: NPY002
    return state["state"]["pos"], state["state"]["key"].tobytes(), state["has_gauss"], random.getstate()
