"""The bound for rounding in thin plate splines: no right backend breaks it, however it goes about it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stn_ref
from stn_ref.faults import FAULTS, Plain
from stn_ref.faults.grids import squared_distances
from stn_ref.oracle.questions.tps_cases import TpsSetting, make_tps_case, tps_cases
from stn_ref.oracle.truth.enclosures import Arithmetic
from stn_ref.oracle.truth.tps_rounding import phi_with_bound
from stn_ref.oracle.verdicts import Verdict

from .splines import DTYPES, aspects_of, cases, findings


@given(st.integers(0, 2**32 - 1), st.integers(4, 40), st.sampled_from([0.0, 1.0]))
def test_phi_stays_within_its_bound(seed, digits, moved):
    """phi for a moved point, and with all roundings, that of the logarithm of r for one."""
    rng = np.random.default_rng(seed)
    unit, control = 2.0**-digits, rng.uniform(-1, 1, (5, 2))
    shift = moved * 6 * unit
    x = control + rng.choice([0, 1, unit, 8 * unit], control.shape) * rng.uniform(-1, 1, control.shape)
    value, bound = phi_with_bound(x, control, shift, Arithmetic(unit, 0.0))
    q = squared_distances(x + shift * rng.choice([-1, 1], x.shape), control)
    q = q * (1 + 4 * unit * rng.choice([-1, 1], q.shape))
    r = np.sqrt(q) * (1 + unit * rng.choice([-1, 1], q.shape))
    got = q * np.log(np.where(q > 0, r, 1)) * (1 + 2 * unit * rng.choice([-1, 1], q.shape))
    assert (np.abs(got - value) <= bound + 2.0**-48).all()


class InItsDtype(Plain):
    """Solves in the dtype of the places, in one of the usual ways."""

    def __init__(self, way):
        self.way = way

    def tps_grid(self, places, size, *, control_points, align_corners):
        inverse, system, right = self.parts(places.dtype, size, control_points, align_corners)
        y = np.concatenate([places, np.zeros((len(places), 3, 2), places.dtype)], axis=1)
        if self.way == "coefficients":
            points = right.T @ np.linalg.solve(system, y)
        elif self.way == "inverse":
            points = right.T @ (inverse @ y)
        elif self.way == "basis":
            points = np.linalg.solve(system, right).T @ y
        else:
            own = np.concatenate([control_points, np.zeros((3, 2), places.dtype)])
            points = (right.T @ inverse) @ (y - own) + right[-2:].T
        return points.reshape(size[0], *size[2:], 2)

    def tps_grid_vjp(self, places, size, grid_bar, *, control_points, align_corners):
        inverse, system, right = self.parts(places.dtype, size, control_points, align_corners)
        points_bar = grid_bar.reshape(size[0], right.shape[1], 2)
        if self.way == "coefficients":
            solved = np.linalg.solve(system, right @ points_bar)
        elif self.way == "inverse":
            solved = inverse @ (right @ points_bar)
        else:
            solved = np.linalg.solve(system, right) @ points_bar
        return solved[:, : len(control_points)]

    def parts(self, dtype, size, control, align_corners):
        targets = self.base_grid(size, align_corners)[:, :2].astype(dtype)
        bending, influence = (self.phi(squared_distances(x, control)) for x in (control, targets))
        affine, at_targets = (np.column_stack([np.ones(len(x)), x]) for x in (control, targets))
        system = np.block([[bending, affine], [affine.T, np.zeros((3, 3))]]).astype(dtype)
        right = np.column_stack([influence, at_targets]).T.astype(dtype)
        return np.linalg.inv(system), system, right


class Noisy(InItsDtype):
    """Its dtype has few digits: phi and the pixel centres are off by up to some units of the last place."""

    def __init__(self, way, unit, seed):
        super().__init__(way)
        self.unit, self.rng = unit, np.random.default_rng(seed)

    def noise(self, x, units):
        return self.unit * units * self.rng.choice([-1, 1], x.shape)

    def phi(self, q):
        return super().phi(q) * (1 + self.noise(q, 6))

    def base_grid(self, size, align_corners):
        base = super().base_grid(size, align_corners)
        return base + self.noise(base, 5)


WAYS = ("coefficients", "inverse", "basis", "displacements")


class Ours(Plain):
    """``stn_ref`` by its public functions."""

    def tps_grid(self, places, size, **how):
        return stn_ref.tps_grid(places, size, **how)

    def tps_grid_vjp(self, places, size, grid_bar, **how):
        return stn_ref.vjp(lambda places: self.tps_grid(places, size, **how), places)[1](grid_bar)[0]


RIGHT = [Ours(), Plain(), *map(InItsDtype, WAYS)]


@pytest.mark.parametrize("dtype", DTYPES)
def test_right_backends_pass(dtype):
    for case in tps_cases((True, False), [dtype]):
        aspects = aspects_of(case)
        for backend in RIGHT if dtype != "float16" else RIGHT[:2]:  # NumPy does not solve in float16
            for finding in findings(backend, case, aspects):
                assert finding.verdict.passing, (case.id, finding)


def random_case(seed, dtype):
    """Places anywhere, and control points too, but not nearly on top of each other."""
    rng = np.random.default_rng(seed)
    case = make_tps_case("tps-irregular", TpsSetting(bool(seed % 2), dtype), seed)
    control = case.arrays["control_points"]
    near = True
    while near:
        control[:] = rng.uniform(-1.2, 1.2, control.shape)
        near = (squared_distances(control, control) + np.eye(len(control))).min() < 0.01
    for name in ("places", "grid_bar"):
        case.arrays[name][:] = rng.normal(size=case.arrays[name].shape)
    return case


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_false_alarms(dtype):
    for seed in range(25):
        case = random_case(seed, dtype)
        aspects = aspects_of(case)
        for backend in RIGHT:
            for finding in findings(backend, case, aspects):
                assert finding.verdict.passing, (seed, finding)


@pytest.mark.parametrize("way", WAYS)
def test_errors_as_large_as_they_may_be_are_within_the_bound(way):
    """Far above those of float64, so that they can be told from it."""
    unit, worst = 2.0**-30, 0.0
    for seed in range(20):
        case = random_case(seed, "float64")
        found = findings(Noisy(way, unit, seed), case, aspects_of(case, Arithmetic(unit, 0.0)))
        worst = max(worst, *(finding.ratio for finding in found))
    assert 1 / 500 < worst < 1  # the bound for elimination is far larger, and it is done in float64 here


def test_bounds_are_small():
    for dtype, most in (("float32", 1e-2), ("float64", 1e-11)):
        for case in cases(dtype, families=["tps-random", "tps-irregular"]):
            assert aspects_of(case).enclosure("grid").slack.max() < most


def test_nothing_is_said_where_rounding_leaves_nothing():
    case = make_tps_case("tps-random", TpsSetting(True, "float64"))
    aspects = aspects_of(case, Arithmetic(2.0**-8, 0.0))
    assert {finding.verdict for finding in findings(Plain(), case, aspects)} == {Verdict.UNDECIDED}
    log_of_0 = FAULTS["tps-log-zero"].make()
    assert {finding.verdict for finding in findings(log_of_0, case, aspects)} == {Verdict.FAIL_NONFINITE}
