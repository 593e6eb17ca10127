"""What the processes of a training run have in common: memory, and what they tell each other."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..nn import Module
from ..nn.spatial_transformer import TransformReport
from .metrics import Sums

__all__ = ["Answer", "Failure", "Field", "Task", "generators", "room", "views"]

Array = NDArray[Any]
Field = tuple[tuple[int, ...], str]  # shape and dtype of an array
ALIGNED = 64  # bytes, a cache line: no two arrays share one


class Task(NamedTuple):
    """Images ``start`` to ``stop`` of the batch in shared memory, its shard number ``shard``.

    ``batch`` tells batches apart; ``share`` is the shard's part of the batch; ``words`` holds, for each
    generator of the model, what to seed it with; ``learnt`` and ``training`` are the flags of parameters and
    modules.
    """

    batch: int
    shard: int
    start: int
    stop: int
    share: float
    words: list[list[int]]
    learnt: list[bool]
    training: list[bool]


class Answer(NamedTuple):
    """What came of a task; its gradients are in shared memory, those of parameters that have any."""

    shard: int
    loss: float
    correct: int
    outside: Sums
    reports: dict[str, TransformReport]
    has_gradient: list[bool]


class Failure(NamedTuple):
    """What a worker was stopped by: its error in a line, and the traceback."""

    error: str
    traceback: str


def generators(model: Module) -> list[np.random.Generator]:
    """The generators of a model, each once, in an order that a copy of the model has too."""
    return list({id(rng): rng for _, rng in model.named_generators()}.values())


def room(fields: Sequence[Field]) -> int:
    """How many bytes arrays of these shapes and dtypes take.

    >>> room([((3,), "<f4"), ((2, 2), "<f8")])
    128
    """
    return sum(_padded(field) for field in fields)


def views(memory: Any, fields: Mapping[Any, Field]) -> dict[Any, Array]:
    """Arrays on ``memory``, a buffer of at least ``room(fields.values())`` bytes, one behind the other.

    >>> memory = bytearray(128)
    >>> one = views(memory, {"a": ((3,), "<f4"), "b": ((2, 2), "<f8")})
    >>> other = views(memory, {"a": ((3,), "<f4"), "b": ((2, 2), "<f8")})
    >>> one["b"][:] = 5; float(other["b"].sum())
    20.0
    """
    found, start, whole = {}, 0, np.frombuffer(memory, np.uint8)
    for name, (shape, dtype) in fields.items():
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        found[name] = whole[start : start + size].view(dtype).reshape(shape)
        start += _padded((shape, dtype))
    return found


def _padded(field: Field) -> int:
    shape, dtype = field
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return -(-size // ALIGNED) * ALIGNED
