"""Affine grids: exact numbers against eq. (1) over fractions, and the sets around them against other ways."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stn_ref import affine_grid, vjp
from stn_ref.equations import eq1_affine
from stn_ref.oracle.questions.affine_cases import AFFINE_FAMILIES, make_affine_case
from stn_ref.oracle.questions.grid_cases import GridSetting
from stn_ref.oracle.truth.affine import AffineAspects
from stn_ref.oracle.truth.enclosures import Arithmetic
from stn_ref.oracle.truth.profiles import PROFILES

UNITS = {"float32": 2.0**-24, "float64": 2.0**-53}
every_family = pytest.mark.parametrize("family", AFFINE_FAMILIES)
both_conventions = pytest.mark.parametrize("corners", [True, False])
both_dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def aspects(theta, grid_bar, size, corners, dtype="float64", profile="paper"):
    arithmetic = Arithmetic(UNITS[dtype], float(np.finfo(dtype).tiny))
    return AffineAspects(theta, grid_bar, size, corners, PROFILES[profile], arithmetic)


def of_case(family, corners, dtype="float64", d=2):
    case = make_affine_case(family, GridSetting(corners, dtype, d))
    return case, aspects(case.arrays["theta"], case.arrays["grid_bar"], case.size, corners, dtype)


def centre(i, n, corners, lone=0):
    """The normalised coordinate of a pixel's centre."""
    if corners:
        return Fraction(2 * i, n - 1) - 1 if n > 1 else Fraction(lone)
    return Fraction(2 * i + 1, n) - 1


def pair(x):
    return float(x), float(x - Fraction(float(x)))


def fractions(row):
    return [Fraction(float(t)) for t in row]


@settings(max_examples=25)
@given(
    st.lists(st.floats(-9, 9) | st.floats(-1e-3, 1e-3), min_size=6, max_size=6),
    st.tuples(st.integers(1, 4), st.integers(1, 5)),
    st.booleans(),
)
def test_a_grid_is_eq_1_of_the_pixel_centres(numbers, target, corners):
    theta = np.array(numbers).reshape(1, 2, 3)
    own = aspects(theta, np.zeros((1, *target, 2)), (1, 1, *target), corners)
    enclosure = own.enclosure("grid")
    for i, j in product(*(range(n) for n in target)):
        x_t, y_t = centre(j, target[1], corners), centre(i, target[0], corners)
        point = eq1_affine([fractions(row) for row in theta[0]], x_t, y_t)
        found = zip(enclosure.high[0, i, j], enclosure.low[0, i, j])
        assert list(found) == [pair(coordinate) for coordinate in point]


@both_conventions
@pytest.mark.parametrize("d", [2, 3])
def test_the_cotangent_of_theta_is_the_transpose(corners, d):
    case, own = of_case("affine-random", corners, d=d)
    enclosure = own.enclosure("theta_bar")
    target, grid_bar = case.size[2:], case.arrays["grid_bar"]
    for n in range(case.size[0]):
        total = [[Fraction(0)] * (d + 1) for _ in range(d)]
        for place in np.ndindex(*target):
            point = [centre(i, size, corners) for i, size in zip(place, target)][::-1] + [Fraction(1)]
            for k, bar in enumerate(fractions(grid_bar[(n, *place)])):
                total[k] = [t + bar * x for t, x in zip(total[k], point)]
        for k, m in np.ndindex(d, d + 1):
            assert (enclosure.high[n, k, m], enclosure.low[n, k, m]) == pair(total[k][m])


def test_a_turned_pixel_grid_by_hand():
    """A quarter turn of 2 x 3 pixels."""
    theta = np.array([[[0.0, -1.0, 0.25], [1.0, 0.0, 0.0]]])
    grid = aspects(theta, np.zeros((1, 2, 3, 2)), (1, 1, 2, 3), True).enclosure("grid").high[0]
    assert grid[..., 0].tolist() == [[1.25] * 3, [-0.75] * 3]  # 1/4 - y
    assert grid[..., 1].tolist() == [[-1, 0, 1]] * 2  # x


@pytest.mark.parametrize(("profile", "lone"), [("paper", 0), ("onnx", -1), ("torch", 0)])
def test_a_lone_pixel_has_the_coordinate_of_its_profile(profile, lone):
    theta = np.array([[[2.0, 0.0, 0.5], [0.0, 4.0, 0.25]]])
    own = aspects(theta, np.zeros((1, 1, 1, 2)), (1, 1, 1, 1), True, profile=profile)
    assert own.enclosure("grid").high.ravel().tolist() == [2 * lone + 0.5, 4 * lone + 0.25]
    edges = aspects(theta, np.zeros((1, 1, 1, 2)), (1, 1, 1, 1), False, profile=profile)
    assert edges.enclosure("grid").high.ravel().tolist() == [0.5, 0.25]


# Right answers, each written in another way


def base(n, corners, kind, way):
    """Coordinates of pixel centres, in a dtype."""
    if corners and n == 1:
        return np.zeros(1, kind)
    if way == "linspace":
        ends = np.linspace(kind(-1), kind(1), n).astype(kind)
        return ends if corners else ends * (kind(n - 1) / kind(n))
    span = kind(n - 1 if corners else n)
    return (
        np.arange(n).astype(kind) * (kind(2) / span) + (kind(1) / span if not corners else kind(0)) - kind(1)
    )


def answers(theta, grid_bar, size, corners, way, order):
    """A grid and its cotangent."""
    kind = theta.dtype.type
    rows = [base(n, corners, kind, way) for n in reversed(size[2:])]
    spread = [axis.ravel() for axis in np.meshgrid(*reversed(rows), indexing="ij")][::-1]
    columns = [*spread, np.ones_like(spread[0])]
    grid = np.zeros((len(theta), theta.shape[1], spread[0].size), kind)
    for m in order:
        grid += theta[:, :, m, None] * columns[m]
    bars = np.moveaxis(grid_bar.reshape(len(theta), spread[0].size, theta.shape[1]), 1, -1)
    theta_bar = np.zeros_like(theta)
    for p in range(spread[0].size)[:: 1 if order[0] == 0 else -1]:
        theta_bar += bars[..., p, None] * np.array([column[p] for column in columns], kind)
    return np.moveaxis(grid, 1, -1).reshape(grid_bar.shape), theta_bar


@every_family
@both_conventions
@both_dtypes
def test_no_right_answer_is_called_wrong(family, corners, dtype):
    for d in (2, 3):
        case, own = of_case(family, corners, dtype, d)
        sets = own.enclosure("grid"), own.enclosure("theta_bar")
        arrays = case.arrays["theta"], case.arrays["grid_bar"]
        for way, order in product(("steps", "linspace"), ([*range(d + 1)], [*range(d + 1)][::-1])):
            for right, answer in zip(sets, answers(*arrays, case.size, corners, way, order)):
                assert answer.dtype == dtype
                assert (right.miss(answer) <= 1).all()


@both_dtypes
def test_the_package_itself_is_right(dtype):
    for family, corners in product(AFFINE_FAMILIES, (True, False)):
        case, own = of_case(family, corners, dtype)

        def function(theta, size=case.size, corners=corners):
            return affine_grid(theta, size, align_corners=corners)

        grid, pullback = vjp(function, case.arrays["theta"])
        [theta_bar] = pullback(case.arrays["grid_bar"])
        for aspect, answer in (("grid", grid), ("theta_bar", theta_bar)):
            assert (own.enclosure(aspect).miss(answer) <= 1).all()


@both_dtypes
@pytest.mark.parametrize("aspect", ["grid", "theta_bar"])
def test_one_in_ten_thousand_is_too_much_and_bounds_are_near_the_error(dtype, aspect):
    case, own = of_case("affine-random", True, dtype)
    way = answers(case.arrays["theta"], case.arrays["grid_bar"], case.size, True, "steps", [0, 1, 2])
    answer = way[aspect == "theta_bar"]
    enclosure = own.enclosure(aspect)
    assert enclosure.miss(answer).max() > 0.01
    assert (enclosure.miss(answer * answer.dtype.type(1.0001)) > 1).mean() > 0.8


def test_the_other_convention_is_wrong():
    case, own = of_case("affine-identity", True)
    wrong = affine_grid(case.arrays["theta"], case.size, align_corners=False)
    assert (own.enclosure("grid").miss(wrong) > 1).mean() > 0.8


def test_shapes_and_nothing():
    case, own = of_case("affine-empty", True, d=3)
    assert own.shape("grid") == (0, *case.size[2:], 3)
    assert own.enclosure("grid").high.shape == own.shape("grid")
    assert own.enclosure("theta_bar").high.shape == own.shape("theta_bar") == (0, 3, 4)


def test_without_the_rounding_of_pixel_centres_a_right_answer_would_be_called_wrong(monkeypatch):
    monkeypatch.setattr("stn_ref.oracle.truth.affine.BASE", 0)
    monkeypatch.setattr(Arithmetic, "gamma", lambda self, k: self.unit)
    case, own = of_case("affine-random", True, "float32")
    grid, _ = answers(case.arrays["theta"], case.arrays["grid_bar"], case.size, True, "steps", [0, 1, 2])
    assert own.enclosure("grid").miss(grid).max() > 1
