"""Thin plate splines: the enclosures hold the truth, and tell right backends from wrong ones."""

from decimal import Decimal, localcontext
from fractions import Fraction as F

import numpy as np
import pytest

from stn_ref.faults import FAULTS, Plain
from stn_ref.oracle.questions.grid_cases import GridSetting
from stn_ref.oracle.questions.tps_cases import make_tps_case
from stn_ref.oracle.truth.intervals import Interval
from stn_ref.oracle.truth.tps import TPS_ASPECTS, TpsAspects, enclosed_solution, pixel_centres
from stn_ref.oracle.verdicts import Verdict

from .splines import DTYPES, FAMILIES, arithmetic, aspects_of, cases, findings

CORNERS = np.array([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])


def solution_of(case):
    points = tuple(map(tuple, case.arrays["control_points"].astype(float).tolist()))
    return enclosed_solution(points, case.size[2:], case.setting.align_corners)


# The truth


def solved_in_decimals(control, targets):
    """The basis by another route: the coefficients of splines through unit vectors, by Gauss and Jordan."""

    def phi(a, b):
        q = sum((decimal(s) - decimal(t)) ** 2 for s, t in zip(a, b))
        return q * q.ln() / 2 if q else q

    rows = [[*(phi(c, other) for other in control), Decimal(1), *map(decimal, c)] for c in control]
    k = len(control)
    rows += [[*(rows[j][k + i] for j in range(k)), *[Decimal(0)] * 3] for i in range(3)]
    rows = [[*row, *(Decimal(i == j) for j in range(k))] for i, row in enumerate(rows)]
    n = len(rows)
    for i in range(n):
        best = max(range(i, n), key=lambda j: abs(rows[j][i]))
        rows[i], rows[best] = rows[best], rows[i]
        rows[i] = [number / rows[i][i] for number in rows[i]]
        for j in set(range(n)) - {i}:
            rows[j] = [number - rows[j][i] * own for number, own in zip(rows[j], rows[i])]
    at = [[*(phi(x, c) for c in control), Decimal(1), *map(decimal, x)] for x in targets]
    return [[F(sum(b * row[n + i] for b, row in zip(x, rows))) for x in at] for i in range(k)]


def decimal(x):
    x = F(x)
    return Decimal(x.numerator) / Decimal(x.denominator)


@pytest.mark.parametrize("family", ["tps-irregular", "tps-on-control-points", "tps-affine", "tps-singleton"])
def test_the_basis_against_decimals(family):
    for case in cases("float64", families=[family]):
        control = case.arrays["control_points"].tolist()
        with localcontext() as context:
            context.prec = 100
            targets = pixel_centres(case.size[2:], case.setting.align_corners)
            expected = solved_in_decimals(control, targets)
        for row, found in zip(expected, solution_of(case)):
            for exact, enclosed in zip(row, found):
                assert exact in enclosed
                assert enclosed.width < F(1, 2**200)


@pytest.mark.parametrize("family", FAMILIES)
def test_affine_maps_are_reproduced(family):
    """The weights of each target add up to 1, and the control points so weighted are the target."""
    for case in cases("float64", families=[family]):
        control, solution = case.arrays["control_points"].tolist(), solution_of(case)
        targets = pixel_centres(case.size[2:], case.setting.align_corners)
        for p, (x, y) in enumerate(targets):
            weights = solution[: len(control), p]
            for column, exact in zip(zip(*[(1, *c) for c in control]), (1, x, y)):
                total = sum((w * number for w, number in zip(weights, column)), Interval.of(0))
                assert F(exact) in total
                assert total.width < F(1, 2**190)


def test_control_points_come_where_they_should():
    for case in cases("float64", families=["tps-on-control-points"]):
        k = len(case.arrays["control_points"])
        for (i, j), weight in np.ndenumerate(solution_of(case)[:k]):
            assert F(i == j) in weight  # target j is control point j
            assert weight.width < F(1, 2**190)


@pytest.mark.parametrize("corners", [True, False])
def test_answers_are_known_to_30_digits(corners):
    case = make_tps_case("tps-irregular", GridSetting(corners, "float64"))
    with localcontext() as context:
        context.prec = 60
        targets = pixel_centres(case.size[2:], corners)
        basis = solved_in_decimals(case.arrays["control_points"].tolist(), targets)
    basis = np.array(basis)
    exact = {
        "grid": basis.T @ fractions(case.arrays["places"]),
        "places_bar": basis @ fractions(case.arrays["grid_bar"]).reshape(2, len(targets), 2),
    }
    for aspect, numbers in exact.items():
        enclosure = aspects_of(case).enclosure(aspect)
        for number, high, low in zip(numbers.ravel(), enclosure.high.ravel(), enclosure.low.ravel()):
            assert abs(F(float(high)) + F(float(low)) - number) < F(1, 2**100)


def fractions(x):
    return np.frompyfunc(F, 1, 1)(np.asarray(x, np.float64))


def test_the_identity_and_0_are_exact():
    [case, _] = cases("float64", families=["tps-identity"])
    high = aspects_of(case).enclosure("grid").high
    np.testing.assert_array_equal(high[0, :, 0], [[-1, y] for y in high[0, :, 0, 1]])
    assert np.array_equal(high, Plain().affine_grid(np.eye(2, 3)[None], case.size, align_corners=True))
    case.arrays["grid_bar"][:] = 0
    enclosure = aspects_of(case).enclosure("places_bar")
    assert not enclosure.high.any()
    assert not enclosure.slack.any()


# Wrong backends


class BendsTooMuch(Plain):
    """The bending part is too large by one part in ten thousand."""

    def influence(self, targets, control):
        return 1.0001 * super().influence(targets, control)


class MixedConventions(Plain):
    def base_grid(self, size, align_corners):
        return super().base_grid(size, not align_corners)


class Transposed(Plain):
    """The control points are taken for (y, x)."""

    def basis(self, control, size, align_corners):
        return super().basis(control[:, ::-1], size, align_corners)


SPLINES = {name: fault for name, fault in FAULTS.items() if fault.theme == "splines"}
WRONG = {name: fault.make() for name, fault in SPLINES.items() if not fault.equivalent}
WRONG |= {wrong.__name__: wrong() for wrong in (BendsTooMuch, MixedConventions, Transposed)}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_backends_are_found_out(name):
    """By every case that can tell: both aspects, both conventions."""
    for case in cases("float64", families=["tps-random", "tps-irregular"]):
        for finding in findings(WRONG[name], case):
            assert finding.verdict.failing, case.id


@pytest.mark.parametrize("name", [name for name in WRONG if name != "BendsTooMuch"])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_wrong_backends_are_found_out_with_fewer_digits(name, dtype):
    found = [f.verdict.failing for case in cases(dtype) for f in findings(WRONG[name], case)]
    assert any(found)


@pytest.mark.parametrize("name", [name for name, fault in SPLINES.items() if fault.equivalent])
@pytest.mark.parametrize("dtype", DTYPES)
def test_equivalent_backends_pass(name, dtype):
    for case in cases(dtype):
        for finding in findings(SPLINES[name].make(), case):
            assert finding.verdict.passing, (case.id, finding)


def test_log_of_0_enters_where_pixels_lie_on_control_points():
    class AtTargetsOnly(Plain):
        def influence(self, targets, control):
            return FAULTS["tps-log-zero"].make().influence(targets, control)

    for name, verdicts in (
        ("tps-on-control-points", {Verdict.FAIL_NONFINITE}),
        ("tps-affine", {Verdict.PASS, Verdict.EXACT}),
    ):
        for case in cases("float64", families=[name]):
            assert {f.verdict for f in findings(AtTargetsOnly(), case)} <= verdicts


# Questions


@pytest.mark.parametrize("family", FAMILIES)
def test_cases_are_small_numbers_of_every_dtype(family):
    for case in cases(*DTYPES, families=[family]):
        again = make_tps_case(family, case.setting)
        assert case.id == f"{family}/{case.setting.id}"
        assert case.about.endswith(".")
        for name, array in case.arrays.items():
            assert array.dtype == case.setting.dtype
            assert np.array_equal(array, again.arrays[name])
            assert np.array_equal(array * 1024, np.rint(array * np.float64(1024)))
        shapes = {aspect: aspects_of(case).shape(aspect) for aspect in TPS_ASPECTS}
        assert shapes == {"grid": case.arrays["grid_bar"].shape, "places_bar": case.arrays["places"].shape}


def test_a_case_depends_on_its_seed():
    one, other = (make_tps_case("tps-random", GridSetting(True, "float32"), seed) for seed in (0, 1))
    assert not np.array_equal(one.arrays["places"], other.arrays["places"])


def test_an_output_without_pixels():
    empty = np.zeros((2, 0, 3, 2))
    aspects = TpsAspects(np.array([CORNERS] * 2), empty, (2, 1, 0, 3), CORNERS, False, arithmetic("float64"))
    assert aspects.enclosure("grid").high.shape == empty.shape
    assert np.array_equal(aspects.enclosure("places_bar").high, np.zeros((2, 4, 2)))


@pytest.mark.parametrize(
    "control", [CORNERS[:2], CORNERS[[0, 1, 1]], np.array([[-1.0, -1], [0, 0], [0.5, 0.5]])]
)
def test_points_through_which_there_is_no_single_spline_are_refused(control):
    with pytest.raises(ValueError, match=r"\d control points; expected at least three, no two equal"):
        TpsAspects(control[None], np.ones((1, 2, 2, 2)), (1, 1, 2, 2), control, True, arithmetic("float64"))
