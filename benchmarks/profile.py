"""Where the time of a sampler, of an operation on the tape, and of a gradient check goes.

Run it on a quiet machine: ``OPENBLAS_NUM_THREADS=1 python -m benchmarks.profile``. Prints Markdown tables of
microseconds, each column from the fastest of several runs.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

from stn_ref import Tensor, gradcheck, grid_sample, spatial_transform
from stn_ref.autograd import node
from stn_ref.kernels import channels_last, choice, planar

from .cases import SIZES, mild_thetas

RUNS = 30
Row = tuple[str, list[tuple[Any, str]]]  # a name, and the functions whose time it is, none within another

PLANAR: list[Row] = [
    ("the image into its ring", [(planar.Planar, "padded")]),
    ("eq. (1), cells, fractions", [(planar.Planar, "cells")]),
    ("weights", [(planar.Planar, "sides"), (planar, "products")]),
    ("reading the taps", [(planar.Planar, "index"), (planar.Planar, "taps")]),
    ("sums over taps", [(planar, "combine"), (planar, "weighted")]),
    ("adding up eq. (6)", [(planar, "add_at")]),
]
MANY: list[Row] = [
    ("channels last in memory", [(channels_last, "channels_last")]),
    ("eq. (1), cells, weights", [(channels_last.ChannelsLast, "_axes")]),
    ("the sparse matrix", [(channels_last.ChannelsLast, "_matrix")]),
    ("inner products of eq. (7)", [(channels_last, "inner_products")]),
]
BOTH: list[Row] = [
    ("is every number finite", [(choice.Sampler, "tame")]),
    ("was an input written to", [(node, "fingerprint"), (node, "is_changed")]),
    ("into .grad", [(node.Leaf, "accumulate")]),
]


@contextmanager
def clocks(rows: list[Row]) -> Iterator[dict[str, float]]:
    """Seconds spent in the functions of each row."""
    spent = dict.fromkeys((name for name, _ in rows), 0.0)

    def clocked(row: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **settings: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **settings)
            finally:
                spent[row] += time.perf_counter() - start

        return run

    with ExitStack() as stack:
        for row, functions in rows:
            for owner, name in functions:
                stack.enter_context(patch.object(owner, name, clocked(row, getattr(owner, name))))
        yield spent


def sampler(case: str) -> Callable[[], None]:
    """Forward and backward of a case, for instance "a" or "a float64"."""
    letter, dtype = case[0], "float64" if "float64" in case else "float32"
    rng = np.random.default_rng(0)
    shape = SIZES[letter]
    U, V_bar = (rng.normal(size=shape).astype(dtype) for _ in range(2))
    theta = mild_thetas(shape[0], len(shape) - 2, rng).astype(dtype)

    def run() -> None:
        leaf, theta_leaf = Tensor(U, requires_grad=True), Tensor(theta, requires_grad=True)
        spatial_transform(leaf, theta_leaf, shape, align_corners=True).backward(V_bar)

    return run


def fastest(run: Callable[[], None], rows: list[Row]) -> dict[str, float]:
    """Seconds by row, and in all, of the fastest run."""
    run()
    best: dict[str, float] = {"in all": np.inf}
    for _ in range(RUNS):
        with clocks(rows) as spent:
            start = time.perf_counter()
            run()
            total = time.perf_counter() - start
        if total < best["in all"]:
            rest = total - sum(spent.values())
            best = {**spent, "all else": rest, "in all": total}
    return best


def samplers(cases: list[str], rows: list[Row]) -> None:
    columns = {case: fastest(sampler(case), [*rows, *BOTH]) for case in cases}
    print(f"\n| forward and backward, us | {' | '.join(cases)} |\n|---|{'---:|' * len(cases)}")
    for row in next(iter(columns.values())):
        print(f"| {row} | {' | '.join(f'{columns[case][row] * 1e6:,.0f}' for case in cases)} |")


def least(run: Callable[[], Any], repeats: int) -> float:
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        for _ in range(repeats):
            run()
        times.append((time.perf_counter() - start) / repeats)
    return min(times)


def tape(length: int = 200) -> None:
    """A chain of small operations, beside the same NumPy functions without a tape."""
    x, w = np.linspace(0.5, 1.0, 4), np.linspace(1.0, 1.5, 4)

    def on_the_tape() -> None:
        y = leaf = Tensor(x, requires_grad=True)
        for k in range(length):
            y = y * w if k % 2 else y + w
        y.backward(np.ones(4))
        assert leaf.grad is not None

    def bare() -> None:
        y = x
        for k in range(length):
            y = np.multiply(y, w) if k % 2 else np.add(y, w)
        y_bar = np.ones(4)
        for k in reversed(range(length)):
            if k % 2:
                y_bar = np.multiply(y_bar, w)

    print("\n| an operation, forward and backward, us | |\n|---|---:|")
    print(f"| on the tape | {least(on_the_tape, 3) / length * 1e6:.2f} |")
    print(f"| the NumPy calls alone | {least(bare, 3) / length * 1e6:.2f} |")


def checks() -> None:
    """A full gradient check, beside the calls of the sampler that it cannot do without."""
    rng = np.random.default_rng(0)
    U, grid = rng.normal(size=(2, 2, 5, 6)), rng.uniform(-0.9, 0.9, (2, 4, 5, 2))
    calls = 0

    def f(U: Any, grid: Any) -> Any:
        nonlocal calls
        calls += 1
        return grid_sample(U, grid, align_corners=True)

    gradcheck(f, (U, grid))
    needed = calls
    alone = least(lambda: grid_sample(U, grid, align_corners=True), 10)
    print("\n| a full gradient check of U (2, 2, 5, 6) | |\n|---|---:|")
    print(f"| in all, us | {least(lambda: gradcheck(f, (U, grid)), 1) * 1e6:,.0f} |")
    print(f"| calls of the sampler | {needed} |")
    print(f"| one call for the inputs alone, us | {alone * 1e6:.0f} |")


def main() -> None:
    samplers(["a", "a float64", "b", "e", "f", "g"], PLANAR)
    samplers(["c", "d"], MANY)
    tape()
    checks()


if __name__ == "__main__":
    main()
