"""Task 10: the same map for other libraries."""

from collections.abc import Iterator

import numpy as np

from ..variants import Variant
from .grids import thetas
from .model import Check, Task

__all__ = ["TASKS"]

SIZES = (  # of the output and of the image
    ("square", (5, 5), (5, 5)),
    ("smaller", (4, 4), (6, 6)),
    ("non-square", (4, 7), (6, 5)),
)


def checks(variant: Variant, rng: np.random.Generator) -> Iterator[Check]:
    """Task 10."""
    for says, size, source in SIZES:
        for function in ("to_opencv", "to_scipy", "to_pytorch"):
            aspect = "non-square" if says == "non-square" else function
            settings = {"size": size, "source": source}
            yield Check(aspect, function, (thetas(rng, 2),), settings, f"{source} to {size}")
    degrees = float(rng.uniform(20, 70))
    for source in ((5, 5), (4, 7)):
        aspect = "rotation" if source == (5, 5) else "non-square"
        yield Check(aspect, "rotation", (), {"degrees": degrees, "source": source}, f"an image of {source}")


TASKS = (
    Task(
        10,
        "The same map for OpenCV, SciPy and PyTorch",
        "conversions.py",
        ("to_opencv", "to_scipy", "to_pytorch", "rotation"),
        {"to_opencv": 3, "to_scipy": 1, "to_pytorch": 2, "rotation": 1, "non-square": 3},
        checks,
    ),
)
