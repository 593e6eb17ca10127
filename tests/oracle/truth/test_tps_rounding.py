"""The bound for rounding in thin plate splines: no right backend breaks it, however it goes about it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import lu

import stn_ref
from stn_ref.faults import FAULTS, Plain
from stn_ref.faults.grids import squared_distances
from stn_ref.oracle.questions.grid_cases import GridSetting
from stn_ref.oracle.questions.tps_cases import make_tps_case, tps_cases
from stn_ref.oracle.truth import tps_rounding
from stn_ref.oracle.truth.enclosures import Arithmetic
from stn_ref.oracle.truth.tps_rounding import TpsRounding, phi_with_bound
from stn_ref.oracle.verdicts import Verdict

from .splines import DTYPES, aspects_of, cases, findings

# Its parts


@given(st.integers(0, 2**32 - 1), st.integers(4, 30), st.sampled_from([0.0, 1.0]))
def test_phi_stays_within_its_bound(seed, digits, moved):
    """phi for a moved point, and with all roundings, that of the logarithm of r for one."""
    rng = np.random.default_rng(seed)
    unit, control = 2.0**-digits, rng.uniform(-1, 1, (5, 2))
    shift = moved * 6 * unit
    x = control + rng.choice([0, 1, unit, 8 * unit], control.shape) * rng.uniform(-1, 1, control.shape)
    value, bound = phi_with_bound(x, control, shift, Arithmetic(unit, 0.0))
    q = squared_distances(x + shift * rng.choice([-1, 1], x.shape), control)
    q = q * (1 + 8 * unit * rng.choice([-1, 1], q.shape))
    r = np.sqrt(q) * (1 + unit * rng.choice([-1, 1], q.shape))
    got = q * np.log(np.where(q > 0, r, 1)) * (1 + 6 * unit * rng.choice([-1, 1], q.shape))
    assert (np.abs(got - value) <= bound + 2.0**-48 * np.abs(value)).all()


SINGLE = Arithmetic(2.0**-24, 2.0**-126)


def rounding_of(case, arithmetic=SINGLE):
    """The bounds for a case, and its system, right sides and solution in float64."""
    control = case.arrays["control_points"]
    _, system, right = InItsDtype("").parts(control.dtype, case.size, control, case.setting.align_corners)
    solution = np.linalg.solve(system, right)
    return TpsRounding(control, right[-2:].T, solution, arithmetic, arithmetic), system, right, solution


def test_a_system_set_up_in_float32_is_within_the_bounds(monkeypatch):
    monkeypatch.setattr(tps_rounding, "GROWTH", 0)  # no elimination
    for case, single in zip(cases("float64"), cases("float32")):
        case.arrays["control_points"][:] = single.arrays["control_points"]
        rounding, system, right, _ = rounding_of(case)
        control, corners = single.arrays["control_points"], case.setting.align_corners
        _, system_32, right_32 = InItsDtype("").parts(control.dtype, case.size, control, corners)
        assert (np.abs(system_32 - system) <= rounding.of_system).all()
        assert (np.abs(right_32 - right) <= rounding.of_right).all()


@pytest.mark.parametrize("constant", [1, 2, 1 / np.log(10)])
def test_elimination_is_within_the_bounds(constant):
    """Theorem 9.4 of Higham 2002, for a constant times phi, and for the affine unknowns first or last.

    With T = diag(sqrt(c), 1 / sqrt(c)) the system of c phi is T L T, so that an error in it is one in L.
    """
    for case in cases("float64"):
        rounding, system, _, _ = rounding_of(case)
        n = len(system)
        scale = np.sqrt([constant] * (n - 3) + [1 / constant] * 3)
        scale = np.outer(scale, scale)
        for order in (np.arange(n), np.roll(np.arange(n), 3)):
            permuted = np.ix_(order, order)
            lower, upper = lu((scale * system)[permuted], permute_l=True)
            error = SINGLE.gamma(3 * n) * (np.abs(lower) @ np.abs(upper)) / scale[permuted]
            assert (error <= rounding.of_system[permuted]).all()


def test_products_are_within_the_bounds(monkeypatch):
    """Of the inverse and the places, then with b; or of b and the grid's cotangent, then with the inverse."""
    monkeypatch.setattr(tps_rounding, "GROWTH", 0)
    for case in cases("float64"):
        rounding, _, right, _ = rounding_of(case)
        k, inverse, right = len(case.arrays["control_points"]), np.abs(rounding.inverse), np.abs(right)
        places, bar = case.arrays["places"], case.arrays["grid_bar"].reshape(-1, right.shape[1], 2)
        of_coefficients = SINGLE.gamma(len(inverse)) * (inverse[:, :k] @ np.abs(places))
        assert (right.T @ of_coefficients <= rounding.of_grid(places)).all()
        of_sums = SINGLE.gamma(right.shape[1]) * (right @ np.abs(bar))
        assert (inverse[:k] @ of_sums <= rounding.of_places_bar(bar)).all()


def test_the_bounds_are_attained():
    """A backend may solve a system that is off by as much as it may be, with the worst of all signs."""
    for seed in range(20):
        case = random_case(seed, "float64")
        rounding, system, right, solution = rounding_of(case, Arithmetic(2.0**-20, 0.0))
        assert rounding.known
        k = len(case.arrays["control_points"])
        for places in (case.arrays["places"], 0 * case.arrays["places"]):
            control, base = case.arrays["control_points"], right[-2:].T
            coefficients = rounding.inverse[:, :k] @ (places - control)
            for p, signs in enumerate(np.sign(solution.T)):
                worst = np.sign(coefficients[0, :, p % 2])[:, None]
                dL, db = -rounding.of_system * worst * signs, rounding.of_right * worst
                moved = np.linalg.solve(system + dL, right + db)
                residual = np.abs(db - dL @ moved)
                assert (residual[:, p] <= rounding.residual[:, p] * (1 + 1e-6)).all()
                assert (residual[:, p] >= rounding.residual[:, p] / 2).all()
                change = np.abs((moved[:k].T @ (places - control) + base) - solution[:k].T @ places)
                assert (change <= rounding.of_grid(places)).all()
                assert change[0, p, p % 2] >= rounding.of_grid(places)[0, p, p % 2] / 8
                bar = case.arrays["grid_bar"].reshape(2, -1, 2)
                change = np.abs((moved - solution)[:k] @ bar)
                assert (change <= rounding.of_places_bar(bar)).all()


# Backends


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
    case = make_tps_case("tps-irregular", GridSetting(bool(seed % 2), dtype), seed)
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


def test_places_may_be_multiplied_in_half_precision():
    """Far away, so that little else is rounded."""
    for case in cases("float16"):
        case.arrays["places"][:] += 100
        for backend in RIGHT[:2]:
            for finding in findings(backend, case):
                assert finding.verdict.passing, (case.id, finding)


def test_bounds_are_small():
    for dtype, most in (("float32", 1e-2), ("float64", 1e-11)):
        for case in cases(dtype, families=["tps-random", "tps-irregular"]):
            assert aspects_of(case).enclosure("grid").slack.max() < most


def test_nothing_is_said_where_rounding_leaves_nothing():
    case = make_tps_case("tps-random", GridSetting(True, "float64"))
    aspects = aspects_of(case, Arithmetic(2.0**-8, 0.0))
    assert {finding.verdict for finding in findings(Plain(), case, aspects)} == {Verdict.UNDECIDED}
    log_of_0 = FAULTS["tps-log-zero"].make()
    assert {finding.verdict for finding in findings(log_of_0, case, aspects)} == {Verdict.FAIL_NONFINITE}
