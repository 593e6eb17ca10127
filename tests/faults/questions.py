"""A fixed set of small questions to a backend, and its answers to them."""

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from stn_ref.faults import Plain

SETTINGS = [
    {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    for mode, padding_mode, align_corners in product(Plain.modes, Plain.padding_modes, (True, False))
]
ODD = (np.nan, np.inf, -np.inf, 1e10, -1e10, 2.0**31, -(2.0**31), 2.0**62, 1e38, -1e38, 1e-30)
CONTROL_POINTS = np.array([[-1.0, -1], [1, -1], [-1, 1], [1, 1], [0, 0.25]])


def normal(seed: int, *shape: int, dtype: Any = np.float64) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def anywhere(
    shape: tuple[int, ...], size: tuple[int, ...], align_corners: bool, dtype: Any = np.float64
) -> np.ndarray:
    """A grid for an image of ``shape``: on kinks, on ties, between them, and far beyond the border."""
    rng = np.random.default_rng(3)
    sizes = np.array(shape[:1:-1])
    quarters = rng.integers(-12, 24, size=(shape[0], *size, len(size))) / 4
    points = np.where(rng.random(quarters.shape) < 0.5, quarters, rng.uniform(-2, 6, size=quarters.shape))
    spans = np.maximum(sizes - align_corners, 1)
    return ((points - (sizes - 1) / 2) / spans * 2).astype(dtype)


def with_odd(grid: np.ndarray) -> np.ndarray:
    """The same with NaN, infinity and huge numbers in the first places, one coordinate at a time."""
    grid = grid.copy()
    rows = grid.reshape(-1, grid.shape[-1])
    largest = float(np.finfo(grid.dtype).max)
    for row, (axis, odd) in enumerate(product(range(grid.shape[-1]), (*ODD, largest, -largest))):
        rows[row, axis] = odd
    return grid


class Question(NamedTuple):
    method: str
    arrays: dict[str, np.ndarray]
    settings: dict[str, Any]

    def ask(self, backend: Any) -> dict[str, np.ndarray]:
        """What it answers, the second time too, and what its arguments are like afterwards."""
        arrays = {name: array.copy(order="K") for name, array in self.arrays.items()}
        found = dict(arrays)
        for time in ("first", "second"):
            answer = getattr(backend, self.method)(**arrays, **self.settings)
            answers = answer if isinstance(answer, dict) else {"": answer}
            found |= {f"{time} {name}": np.array(array) for name, array in answers.items()}
        return found


def samplings(U: np.ndarray, grid: np.ndarray, how: dict[str, Any]) -> Iterator[Question]:
    """All that can be asked of a sampler."""
    V_bar = normal(5, *U.shape[:2], *grid.shape[1:-1])
    U_dot, grid_dot = normal(6, *U.shape), normal(7, *grid.shape)
    yield Question("grid_sample", {"U": U, "grid": grid}, how)
    for needs in (["U", "grid"], ["grid"]):
        arrays = {"U": U, "grid": grid, "V_bar": V_bar}
        yield Question("grid_sample_vjp", arrays, {"needs": needs, **how})
    yield Question("grid_sample_jvp", {"U": U, "grid": grid, "U_dot": U_dot, "grid_dot": grid_dot}, how)
    arrays = {"U": U, "grid": grid, "V_bar": V_bar, "U_bar_bar": U_dot, "grid_bar_bar": grid_dot}
    yield Question("grid_sample_vjp_vjp", arrays, {"needs": ["U", "grid", "V_bar"], **how})


def generators(align_corners: bool) -> Iterator[Question]:
    """All that can be asked of grid generators."""
    theta, places = normal(8, 2, 2, 3), normal(9, 2, 5, 2)
    for size in ((2, 1, 4, 5), (2, 1, 1, 3)):
        how = {"size": size, "align_corners": align_corners}
        grid_bar = normal(10, 2, *size[2:], 2)
        yield Question("affine_grid", {"theta": theta}, how)
        yield Question("affine_grid_vjp", {"theta": theta, "grid_bar": grid_bar}, how)
        arrays = {"places": places, "control_points": CONTROL_POINTS}
        yield Question("tps_grid", arrays, how)
        yield Question("tps_grid_vjp", {**arrays, "grid_bar": grid_bar}, how)


def with_infinity(U: np.ndarray) -> np.ndarray:
    U = U.copy()
    U[0, 0, -1, -1] = np.inf
    return U


def questions_to_samplers() -> Iterator[Question]:
    images = [normal(1, 2, 3, 4, 5), np.asfortranarray(normal(1, 2, 3, 4, 5)), normal(4, 2, 1, 1, 3)]
    for U, how in product(images, SETTINGS):
        yield from samplings(U, anywhere(U.shape, (6, 7), how["align_corners"]), how)
    for how in SETTINGS:
        U = images[0]
        grid = anywhere(U.shape, (6, 7), how["align_corners"])
        yield from samplings(U, with_odd(grid), how)
        yield Question("grid_sample", {"U": with_infinity(U), "grid": grid}, how)


def shuffled(questions: Iterator[Question]) -> list[Question]:
    """Different ones next to each other, so that the first few tell most faults."""
    found = list(questions)
    return [found[n] for n in np.random.default_rng(0).permutation(len(found))]


QUESTIONS = [*generators(True), *generators(False), *shuffled(questions_to_samplers())]
