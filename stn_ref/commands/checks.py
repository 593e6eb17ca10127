"""The paper's equations, checked before one's eyes: values against the literal sums, derivatives against
finite differences, and eq. (7) at the kinks."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import equations
from ..autograd.gradcheck import gradcheck
from ..ops import affine_grid, exp, gaussian, grid_sample, spatial_transform
from ..ops.interpolation import KERNELS
from ..ops.transformation import TRANSFORMATIONS
from ..pixels import PADDING_MODES, to_normalised

Array = NDArray[Any]


@dataclass(frozen=True)
class Row:
    """One line of the report; ``ok`` says whether what was expected came out."""

    equation: str
    claim: str
    result: str
    ok: bool

    def __str__(self) -> str:
        return f"{'ok  ' if self.ok else 'FAIL'}  eq. {self.equation:<6}{self.claim:<46} {self.result}"


def image_of(digits: Array) -> Array:
    """Four digits, uint8 (4, 28, 28), as two float64 images of two channels, (2, 2, 12, 15), in [0, 1].

    Their middles, slightly tilted, so that the flat background does not hide a wrong derivative.
    """
    tilt = np.linspace(0, 0.5, 12)[:, None] + np.linspace(0, 0.25, 15)
    return np.asarray(digits[:, 8:20, 6:21] / 255.0 + tilt).reshape(2, 2, 12, 15)


def cells(rng: np.random.Generator, n: int, shape: tuple[int, int], size: tuple[int, int]) -> Array:
    """Pixel coordinates (n, *shape, 2) up to a pixel outside an image (H, W), at least 0.05 from kinks."""
    cell = np.stack([rng.integers(-1, k, (n, *shape)) for k in reversed(size)], axis=-1)
    return np.asarray(cell + rng.uniform(0.05, 0.95, (n, *shape, 2)))


def check_equations(digits: Array, seed: int) -> Iterator[Row]:
    """Equations (1), (5), (6) and (7) on four digits, uint8 (4, 28, 28)."""
    rng = np.random.default_rng(seed)
    U = image_of(digits)
    n, _, height, width = U.shape
    theta = np.eye(2, 3) + rng.normal(0, 0.3, (n, 2, 3))
    grid = _normalised(cells(rng, n, (7, 9), (height, width)), height, width)
    sampler = partial(grid_sample, align_corners=True)

    report = gradcheck(partial(affine_grid, size=(n, 2, 7, 9), align_corners=True), (theta,), raises=False)
    yield _derivative("(1)", "affine grid, derivative for theta", report)
    yield _against_literal_sum(rng)
    for equation, claim, wrt in (
        ("(6)", "sampler, derivative for the image U", (0,)),
        ("(7)", "sampler, derivative for the grid (x, y)", (1,)),
    ):
        report = gradcheck(sampler, (U, grid), wrt=wrt, raises=False)
        yield _derivative(equation, claim, report)
    size = (n, 2, 7, 9)
    whole = partial(spatial_transform, size=size, align_corners=True)
    report = gradcheck(whole, (U, theta), order=2, elements=120, raises=False)
    yield _derivative("(1-7)", "theta to V, first and second order", report)
    on_pixels = _normalised(rng.integers(1, 10, (n, 5, 6, 2)).astype(float), height, width)
    for kink, valid in (("right", True), ("left", True), ("mid", True), ("paper", False)):
        report = gradcheck(partial(sampler, kink=kink), (U, on_pixels), wrt=(1,), raises=False)
        verdict = "between the one-sided slopes" if report.passed else "no sub-gradient"
        claim = f"at pixel centres, kink={kink!r}"
        if kink == "paper":
            claim += " (to the letter)"
        yield Row("(7)", claim, verdict, report.passed == valid)


def check_all_kernels(digits: Array, seed: int, order: int) -> Iterator[Row]:
    """Every kernel, padding and convention of the sampler to the given order."""
    rng = np.random.default_rng(seed)
    U = image_of(digits)
    n, _, height, width = U.shape
    points = cells(rng, n, (4, 5), (height, width))
    points += np.where(rng.random((*points.shape[:-1], 1)) < 0.3, rng.choice([-20, 20], points.shape), 0)
    for mode, padding_mode, align_corners in product(KERNELS, PADDING_MODES, (True, False)):
        grid = _normalised(points, height, width, align_corners)
        settings: dict[str, Any] = {
            "mode": mode,
            "padding_mode": padding_mode,
            "align_corners": align_corners,
        }
        f = partial(grid_sample, **settings)
        report = gradcheck(f, (U, grid), order=order, raises=False, elements=60)
        yield _derivative("(3-7)", f"{mode}, {padding_mode}, align_corners={align_corners}", report)
    widths = partial(_learnt_width, U, _normalised(points, height, width))
    report = gradcheck(widths, (np.array([-0.7, -0.4]),), order=order, raises=False)
    yield _derivative("(3)", "gaussian, derivative for its width", report)


def _learnt_width(U: Array, grid: Array, log_width: Any) -> Any:
    return grid_sample(U, grid, mode=gaussian(exp(log_width)), align_corners=True)


def check_all_transformations(digits: Array, seed: int, order: int) -> Iterator[Row]:
    """Every transformation, from theta to V, on images, and in 3-D on their channels as depth."""
    rng = np.random.default_rng(seed)
    for (name, kind), d in product(TRANSFORMATIONS.items(), (2, 3)):
        if d in kind.dimensions:
            U = image_of(digits) if d == 2 else image_of(digits)[:, None, :, :5, :6]
            n, size = len(U), ((4, 5) if d == 2 else (2, 3, 4))
            theta = kind.identity(size) + rng.normal(0, 0.1, (n, kind.parameters(size)))
            size = (n, U.shape[1], *size)
            whole = partial(spatial_transform, size=size, transformation=kind, align_corners=True)
            report = gradcheck(whole, (U, theta), order=order, raises=False, elements=20)
            yield _derivative("(1-7)", f"{name}, {d}-D, theta to V", report)


def _normalised(points: Array, height: int, width: int, align_corners: bool = True) -> Array:
    axes = [to_normalised(points[..., k], size, align_corners) for k, size in enumerate((width, height))]
    return np.stack(axes, axis=-1)


def _derivative(equation: str, claim: str, report: Any) -> Row:
    found = f"{report.checked} checked, largest difference {report.largest_error:.1e}"
    return Row(equation, claim, found if report.passed else str(report), report.passed)


def _against_literal_sum(rng: np.random.Generator) -> Row:
    """Eq. (5) in exact fractions against the operator, at coordinates that floats hold exactly."""
    U = rng.integers(0, 256, (1, 2, 5, 9)).astype(np.float64)
    points = rng.integers(-8, 80, (1, 6, 8, 2)) / 8
    grid = _normalised(points, 5, 9)  # spans of 4 and 8: exact
    V = grid_sample(U, grid, align_corners=True)
    exact = [[[Fraction(int(u)) for u in row] for row in channel] for channel in U[0]]
    unequal = 0
    for i, j in np.ndindex(6, 8):
        x, y = (Fraction(c) for c in points[0, i, j].tolist())
        literal = equations.eq5_bilinear(exact, x, y)
        unequal += sum(Fraction(float(v)) != e for v, e in zip(V[0, :, i, j], literal))
    found = f"{V.size} values, {V.size - unequal} equal to the exact fraction"
    return Row("(5)", "bilinear sampler against the double sum", found, not unequal)
