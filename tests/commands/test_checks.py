"""The checks that `demo` and `gradcheck` print: they hold, and they would not with a mistake planted."""

from typing import Any

import numpy as np
import pytest

from stn_ref.commands.checks import (
    cells,
    check_all_kernels,
    check_all_transformations,
    check_equations,
    image_of,
)
from stn_ref.data import load_bundled
from stn_ref.kernels.choice import Sampler
from stn_ref.ops import grids
from stn_ref.ops.interpolation import KERNELS
from stn_ref.ops.transformation import TRANSFORMATIONS

DIGITS = load_bundled("test").images[:4]


@pytest.mark.parametrize("seed", range(2))
def test_all_that_is_claimed_of_the_equations_holds(seed: int) -> None:
    rows = list(check_equations(DIGITS, seed))
    assert [row for row in rows if not row.ok] == []
    assert {row.equation for row in rows} == {"(1)", "(5)", "(6)", "(7)", "(1-7)"}


def test_every_kernel_padding_and_convention_is_checked() -> None:
    rows = list(check_all_kernels(DIGITS, 0, order=1))
    assert len({row.claim for row in rows}) == len(KERNELS) * 3 * 2 + 1
    assert [row for row in rows if not row.ok] == []


def test_every_transformation_is_checked_in_each_of_its_dimensions() -> None:
    rows = list(check_all_transformations(DIGITS, 0, order=1))
    assert len({row.claim for row in rows}) == sum(len(t.dimensions) for t in TRANSFORMATIONS.values())
    assert [row for row in rows if not row.ok] == []


def fails(equation: str) -> bool:
    return any(row.equation == equation and not row.ok for row in check_equations(DIGITS, 0))


def test_a_wrong_sign_in_eq_7_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Sampler.slopes
    monkeypatch.setattr(Sampler, "slopes", lambda *args: -right(*args))
    assert fails("(7)")
    assert not fails("(6)")


def test_a_wrong_scatter_in_eq_6_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Sampler.splat
    monkeypatch.setattr(Sampler, "splat", lambda *args: right(*args)[..., ::-1])
    assert fails("(6)")


def test_a_wrong_value_in_eq_5_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Sampler.sample
    monkeypatch.setattr(Sampler, "sample", lambda *args: right(*args) * (1 + 1e-15))
    assert fails("(5)")


def test_a_missing_column_in_eq_1_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = grids._gather_theta

    def without_translation(bar: Any, base: Any) -> Any:
        return right(bar, base) * np.array([1.0, 1.0, 0.0])

    monkeypatch.setattr(grids, "_gather_theta", without_translation)
    assert fails("(1)")


def test_the_points_keep_away_from_the_kinks() -> None:
    points = cells(np.random.default_rng(0), 3, (20, 20), (5, 7))
    assert np.abs(points - np.rint(points)).min() > 0.049
    assert points.min() > -1
    assert points[..., 0].max() < 7
    assert points[..., 1].max() < 5


def test_the_image_is_made_of_real_digits_and_flat_nowhere() -> None:
    U = image_of(DIGITS)
    assert U.shape == (2, 2, 12, 15)
    assert np.abs(np.diff(U, axis=-1)).min() > 0
