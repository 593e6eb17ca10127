"""Task 9: how a spatial transformer begins, and how it learns."""

from collections.abc import Iterator

import numpy as np

from ..variants import Variant
from .model import Array, Check, Task

__all__ = ["TASKS"]


def checks(variant: Variant, rng: np.random.Generator) -> Iterator[Check]:
    """Task 9."""
    for kind in ("affine", "attention", "translation"):
        inputs = int(rng.integers(5, 30))
        yield Check("beginning", "first_head", (), {"transformation": kind, "inputs": inputs}, kind)

    def images(count: int, channels: int, height: int, width: int) -> Array:
        U = rng.uniform(0, 1, (count, channels, height, width))
        return np.moveaxis(U, 1, -1) if variant.channels_last else U

    for aspect, says, count, channels, size in (
        ("forward", "one image", 1, 1, (4, 4)),
        ("forward", "an output that is smaller", 2, 1, (3, 2)),
        ("forward", "2 images of 3 channels", 2, 3, (4, 4)),
    ):
        U = images(count, channels, 4, 4)
        pixels = channels * size[0] * size[1]
        arrays = (
            *(U, 0.02 * rng.uniform(-1, 1, (6, 16 * channels)), np.array([0.8, 0.1, 0.05, -0.1, 0.9, 0.1])),
            *(rng.uniform(-1, 1, (3, pixels)), rng.uniform(-1, 1, 3)),
        )
        yield Check(aspect, "classify", arrays, {"height": size[0], "width": size[1]}, says)
    value, cotangent = rng.uniform(-1, 1, (2, 3, 2))
    yield Check("step", "step", (value, cotangent), {"lr": 0.3}, "as fast as the others")
    yield Check("step", "step", (value, cotangent), {"lr": 0.3, "slower": 0.01}, "a hundred times slower")
    for says, count, number in (
        ("no step", 1, 0),
        ("one step", 1, 1),
        ("5 steps", 1, 5),
        ("2 images, 3 steps", 2, 3),
    ):
        U, target = images(count, 1, 5, 6), images(count, 1, 4, 3)
        theta = np.eye(2, 3) + rng.uniform(-0.1, 0.1, (count, 2, 3))
        yield Check("descent", "align", (U, target, theta), {"lr": 0.01, "steps": number}, says)


TASKS = (
    Task(
        9,
        "Beginning and learning",
        "training.py",
        ("first_head", "classify", "step", "align"),
        {"beginning": 3, "forward": 3, "step": 1, "descent": 3},
        checks,
        uses=(1, 2, 4, 6, 7),
    ),
)
