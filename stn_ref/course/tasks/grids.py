"""Tasks 1, 2 and 7: grids, coordinates, and the way back to theta."""

from collections.abc import Iterator

import numpy as np

from ..variants import Variant
from .model import Array, Check, Task

__all__ = ["TASKS"]


def thetas(rng: np.random.Generator, count: int) -> Array:
    """Maps in which no two numbers are alike."""
    return np.eye(2, 3) + rng.uniform(-0.6, 0.6, (count, 2, 3))


def grids(variant: Variant, rng: np.random.Generator) -> Iterator[Check]:
    """Task 1."""
    size = int(rng.integers(4, 8))
    square, wide, high = (size, size), (size, size + 2), (size + 3, size)
    yield Check("interior", "base_coordinates", (), {"size": size}, f"{size} pixels")
    yield Check("one pixel", "base_coordinates", (), {"size": 1}, "a single pixel")
    yield Check("shape", "base_grid", (), sizes(*wide), "a wide grid", shape_only=True)
    yield Check("interior", "base_grid", (), sizes(*square), "a square grid")
    yield Check("non-square", "base_grid", (), sizes(*wide), "a wide grid")
    yield Check("one pixel", "base_grid", (), sizes(1, 1), "a grid of one point")
    yield Check(
        "shape", "affine_grid", (thetas(rng, 2),), sizes(*high), "2 maps, a high grid", shape_only=True
    )
    yield Check("interior", "affine_grid", (np.eye(2, 3)[None],), sizes(*square), "the identity")
    yield Check("interior", "affine_grid", (thetas(rng, 1),), sizes(*square), "one map, a square grid")
    yield Check("batch", "affine_grid", (thetas(rng, 3),), sizes(*square), "3 maps")
    yield Check("non-square", "affine_grid", (thetas(rng, 1),), sizes(*high), "a high grid")
    yield Check("one pixel", "affine_grid", (thetas(rng, 1),), sizes(1, size), "a grid of one row")


def sizes(height: int, width: int) -> dict[str, int]:
    return {"height": height, "width": width}


def coordinates(variant: Variant, rng: np.random.Generator) -> Iterator[Check]:
    """Task 2."""
    size = int(rng.integers(4, 9))
    for function, most in (("to_pixels", 1.3), ("to_normalised", size + 1.0)):
        for align_corners, aspect in ((True, "centres"), (False, "edges")):
            settings = {"size": size, "align_corners": align_corners}
            x = rng.uniform(-1.3, most, (2, 5))
            x[0, :2] = (-1, 1) if function == "to_pixels" else (0, size - 1)
            says = f"{size} pixels, align_corners={align_corners}"
            yield Check("shape", function, (x,), settings, says, shape_only=True)
            yield Check("back" if function == "to_normalised" else aspect, function, (x,), settings, says)


def chain(variant: Variant, rng: np.random.Generator) -> Iterator[Check]:
    """Task 7."""
    for aspect, says, shape, size in (
        ("shape", "2 images", (2, 3, 4, 2), (5, 7)),
        ("factor", "a square image", (1, 3, 3, 2), (6, 6)),
        ("non-square", "a wide image", (1, 3, 3, 2), (5, 8)),
        ("batch", "3 images", (3, 2, 2, 2), (6, 6)),
    ):
        bar = rng.uniform(-1, 1, shape)
        yield Check(aspect, "grid_cotangent", (bar,), sizes(*size), says, shape_only=aspect == "shape")
    for aspect, says, shape in (
        ("shape", "2 grids", (2, 3, 4, 2)),
        ("sum", "one square grid", (1, 4, 4, 2)),
        ("non-square", "a wide grid", (1, 3, 5, 2)),
        ("batch", "3 grids", (3, 4, 4, 2)),
    ):
        bar = rng.uniform(-1, 1, shape)
        yield Check(aspect, "theta_cotangent", (bar,), {}, says, shape_only=aspect == "shape")


TASKS = (
    Task(
        1,
        "The regular grid and eq. (1)",
        "grids.py",
        ("base_coordinates", "base_grid", "affine_grid"),
        {"shape": 1, "interior": 4, "batch": 2, "non-square": 2, "one pixel": 1},
        grids,
    ),
    Task(
        2,
        "Coordinates, in both conventions",
        "grids.py",
        ("to_pixels", "to_normalised"),
        {"shape": 1, "centres": 3, "edges": 3, "back": 3},
        coordinates,
    ),
    Task(
        7,
        "From the points to theta",
        "chain.py",
        ("grid_cotangent", "theta_cotangent"),
        {"shape": 1, "factor": 3, "sum": 3, "batch": 1, "non-square": 2},
        chain,
        uses=(1,),
    ),
)
