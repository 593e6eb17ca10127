"""Task 8: the tape. Programs are run on it, and the values and cotangents that come back are looked at."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..variants import Variant
from .model import Array, Check, Task

__all__ = ["TASKS"]

LONG = 3000  # steps: three times what Python's functions may call themselves


def steps(*program: tuple[Any, ...]) -> dict[str, Any]:
    """The settings of a program."""
    return {"program": [[name, list(operands)] for name, *operands in program]}


def checks(variant: Variant, rng: np.random.Generator) -> Iterator[Check]:
    """Task 8."""

    def numbers(*shape: int) -> Array:
        return rng.uniform(0.5, 1.5, shape)

    def asked(aspect: str, says: str, arrays: tuple[Array, ...], settings: dict[str, Any]) -> Check:
        return Check(aspect, "run", arrays, settings, says)

    a, b = numbers(2, 3), numbers(2, 3)
    yield asked("once", "a product", (a, b), steps(("multiply", 0, 1)))
    yield asked(
        "once",
        "tanh(a b) c",
        (a, b, numbers(2, 3)),
        steps(("multiply", 0, 1), ("tanh", 3), ("multiply", 4, 2)),
    )
    yield asked("once", "a matrix product", (a, numbers(3, 2)), steps(("matmul", 0, 1)))
    yield asked("again", "a a", (a,), steps(("multiply", 0, 0)))
    yield asked("again", "a a + a", (a,), steps(("multiply", 0, 0), ("add", 1, 0)))
    # u is used by v and by w, and w uses v: u's cotangent is whole only when both have given their share.
    diamond = steps(("multiply", 0, 0), ("tanh", 1), ("multiply", 1, 2), ("multiply", 3, 1))
    yield asked("order", "u = a a, v = tanh(u), w = u v u", (a,), diamond)
    late = steps(("multiply", 0, 1), ("add", 2, 1), ("multiply", 2, 3), ("add", 4, 0))
    yield asked("order", "u = a b, v = u + b, w = u v + a", (a, b), late)
    yield asked("unused", "an array that takes no part", (a, b), steps(("tanh", 0)))
    for shape in ((3,), (2, 1), (1, 3), ()):
        yield asked(
            "broadcasting", f"shape {shape} times (2, 3)", (numbers(*shape), b), steps(("multiply", 0, 1))
        )
    for whole, to in (((4, 2, 3), (2, 1)), ((2, 3), ()), ((2, 3), (2, 3))):
        yield Check("broadcasting", "sum_to_shape", (numbers(*whole),), {"shape": to}, f"{whole} to {to}")
    program: list[tuple[Any, ...]] = [("tanh", k) if k % 2 else ("add", k, 0) for k in range(LONG)]
    yield asked("length", f"a chain of {LONG} steps", (numbers(),), steps(*program))


TASKS = (
    Task(
        8,
        "The tape",
        "tape.py",
        ("apply", "sum_to_shape", "order", "backward"),
        {"once": 2, "again": 2, "order": 2, "broadcasting": 2, "length": 1, "unused": 1},
        checks,
    ),
)
