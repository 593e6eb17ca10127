"""Where a grid reads an image, how far rounding may move it, and which cells that leaves."""

from fractions import Fraction
from itertools import product
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stn_ref.oracle.truth import places as places_module
from stn_ref.oracle.truth.double_double import DoubleDouble
from stn_ref.oracle.truth.places import Places, Reading, cubic_pieces, kernel_weights
from stn_ref.oracle.truth.profiles import PROFILES
from stn_ref.pixels import to_normalised

UNITS = {"float16": 2.0**-11, "float32": 2.0**-24, "float64": 2.0**-53}
MODES = ("nearest", "bilinear", "bicubic")
PADDINGS = ("zeros", "border", "reflection")


def along_x(
    g, size=5, mode="bilinear", padding="zeros", corners=True, profile="paper", dtype="float64", **more
):
    """The axis of samples at normalised coordinates ``g`` in one row of ``size`` pixels."""
    profile = PROFILES[profile] if isinstance(profile, str) else profile
    reading = Reading(mode, padding, corners, profile, UNITS[dtype], **more)
    g = np.atleast_1d(np.asarray(g, float))
    grid = np.stack([g, np.zeros_like(g)], -1)[None, None]
    return Places(grid, (1, size), reading).axes[0]


def at_pixels(x, size=5, corners=True, **more):
    return along_x(to_normalised(np.asarray(x, float), size, corners), size, corners=corners, **more)


def exact_pixel(g, size, corners):
    g = Fraction(float(g))
    return (g + 1) * (size - 1) / 2 if corners else ((g + 1) * size - 1) / 2


@settings(max_examples=60)
@given(
    st.floats(-30, 30) | st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 9), st.booleans()
)
def test_a_pixel_coordinate_is_exact(g, size, corners):
    axis = along_x(g, size, corners=corners)
    number = axis.x[0, 0]
    found = Fraction(int(number.mantissa), 2**number.exponent)
    assert found == exact_pixel(g, size, corners)
    assert axis.cells[0, 0, 0] == floor(found)


WAYS_TO_PIXELS = [
    lambda g, s, size, one, two: (g + one) * s / two + (size - one - s) / two,
    lambda g, s, size, one, two: ((g + one) * s + (size - one - s)) / two,
    lambda g, s, size, one, two: (g * s + (size - one)) / two,
    lambda g, s, size, one, two: g * (s / two) + (size - one) / two,
    lambda g, s, size, one, two: (g / two + one / two) * s + (size - one - s) / two,
]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("corners", [True, False])
def test_no_way_to_work_out_a_pixel_coordinate_leaves_its_reach(dtype, corners):
    kind = np.dtype(dtype).type
    rng = np.random.default_rng(0)
    for size in (1, 2, 3, 5, 28, 513):
        g = np.concatenate([rng.uniform(-1.2, 1.2, 200), rng.uniform(-9, 9, 50)]).astype(dtype)
        span = kind(size - 1 if corners else size)
        axis = along_x(g, size, corners=corners, dtype=dtype)
        for way in WAYS_TO_PIXELS:
            x = way(g, span, kind(size), kind(1), kind(2))
            assert x.dtype == dtype
            off = [abs(Fraction(float(a)) - exact_pixel(b, size, corners)) for a, b in zip(x, g)]
            decided = ~axis.wide[0] & ((axis.reach[0] > 0) | (np.abs(axis.x.float()[0]) < 1e3))
            inside = np.abs(axis.x.float()[0] - (size - 1) / 2) < size / 2 + 3
            for error, reach, counts in zip(off, axis.reach[0], decided & inside):
                assert not counts or error <= Fraction(reach)


def test_coordinates_with_few_digits_have_no_reach_where_a_pixel_is_a_power_of_2():
    sixteenths = np.arange(-24, 25) / 16
    for size, corners in ((5, True), (8, False), (2049, True), (1, True), (1, False)):
        assert not along_x(sixteenths, size, corners=corners, dtype="float32").reach.any()
    assert along_x(sixteenths[1], 6, corners=True, dtype="float32").reach > 0
    assert along_x(1 / 3, 5, corners=True).reach > 0
    assert along_x(1 + 2.0**-20, 2049, corners=True, dtype="float32").reach > 0


def test_a_quantised_coordinate_always_has_its_quantum_for_reach():
    assert (at_pixels([1, 1.5, 2.25], profile="opencv").reach >= 1 / 32).all()


def test_reach_grows_with_operations_and_the_unit():
    one = along_x(1 / 3, 6, operations=1).reach
    assert along_x(1 / 3, 6, operations=4).reach == 4 * one
    assert along_x(1 / 3, 6, operations=1, dtype="float32").reach == 2.0**29 * one
    assert along_x(1 / 3, 6, operations=4, padding="reflection").reach == 8 * one


def assert_constant_beyond(g, padding, corners, dtype):
    """Nothing is uncertain at these coordinates right of an image, nor at their negatives."""
    for sign, edge in ((1, 6), (-1, 0)):
        axis = along_x(sign * np.array(g), 7, padding=padding, corners=corners, dtype=dtype)
        assert not axis.wide.any()
        assert not axis.reach.any()
        assert (axis.index == (edge if padding == "border" else 7)).all()


constant_beyond = pytest.mark.parametrize("padding", ["zeros", "border"])
both_conventions = pytest.mark.parametrize("corners", [True, False])


@constant_beyond
@both_conventions
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_huge_coordinates_are_decided_where_nothing_changes_any_more(padding, corners, dtype):
    assert_constant_beyond([2.0**e for e in (10, 24, 31, 62, 100, 127)], padding, corners, dtype)


@constant_beyond
@both_conventions
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_so_are_the_largest_ones(padding, corners, dtype):
    assert_constant_beyond([float(np.finfo(dtype).max)], padding, corners, dtype)


def test_huge_coordinates_between_mirrors_are_undecided_from_a_quarter_of_a_pixel_on():
    axis = along_x([2.0**20, 2.0**40, 2.0**51, 2.0**60, 1e300], 7, padding="reflection")
    assert axis.wide[0].tolist() == [False, False, True, True, True]
    assert not axis.reach[axis.wide].any()
    assert not axis.touches[axis.wide].any()


@pytest.mark.parametrize("padding", PADDINGS)
def test_coordinates_that_are_not_finite(padding):
    axis = along_x([np.nan, np.inf, -np.inf, 0], padding=padding)
    no_limit = padding == "reflection"
    assert axis.undefined[0].tolist() == [True, no_limit, no_limit, False]
    assert axis.odd[0].tolist() == [True, True, True, False]
    if not no_limit:
        assert axis.index[0, :, 0, 1:3].tolist() == ([[4, 0]] * 2 if padding == "border" else [[5, 5]] * 2)
    assert along_x([np.inf], padding=padding, profile="torch").undefined.all()


# Cells


def test_at_a_whole_coordinate_both_cells_are_meant_the_right_one_first():
    axis = at_pixels([2])
    assert axis.at_kink.all()
    assert axis.cells[:, 0, 0].tolist() == [2, 1]
    assert axis.floats(0)[:, :, 0, 0].tolist() == [[1, 0], [0, 1]]
    assert axis.floats(1)[:, :, 0, 0].tolist() == [[-1, 1], [-1, 1]]
    assert axis.index[:, :, 0, 0].tolist() == [[2, 3], [1, 2]]


def test_between_pixels_there_is_one_cell():
    axis = at_pixels([1.25, 2.5])
    assert not axis.touches.any()
    assert axis.cells.shape[0] == 1
    assert axis.floats(0)[0, :, 0].tolist() == [[0.75, 0.5], [0.25, 0.5]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("side", [1, -1])
def test_next_to_a_whole_coordinate_the_cell_beyond_it_is_meant_too(dtype, side):
    kind = np.dtype(dtype).type
    g = np.nextafter(kind(0.5), kind(9 * side))  # at pixel 3 of 0..4, or next to it
    axis = along_x(g, dtype=dtype)
    assert not axis.at_kink.any()
    assert sorted(axis.cells[:, 0, 0]) == [2, 3]
    assert axis.cells[0, 0, 0] == (3 if side > 0 else 2)
    twice = kind(0.5) + side * 64 * np.finfo(kind).eps
    assert along_x(twice, dtype=dtype).cells.shape[0] == 1


@pytest.mark.parametrize(
    ("profile", "padding", "x", "pixel"),
    [
        ("paper", "zeros", 0.5, 1),
        ("paper", "zeros", 1.5, 2),
        ("paper", "zeros", -0.5, 0),
        ("torch", "zeros", 0.5, 0),
        ("torch", "zeros", 1.5, 2),
        ("torch", "zeros", 2.5, 2),
        ("torch", "zeros", -0.5, 0),
        ("jax", "zeros", 0.5, 1),
        ("jax", "zeros", -0.5, -1),
        ("jax", "zeros", 2.5, 3),
        ("paper", "reflection", -1.5, -1),
        ("torch", "reflection", -1.5, -2),
        ("jax", "reflection", -1.5, -2),
        ("scipy", "reflection", -1.5, -2),  # 1.5 after folding, and then half up
    ],
)
def test_which_pixel_is_nearest_at_a_tie(profile, padding, x, pixel):
    axis = at_pixels([x], mode="nearest", padding=padding, profile=profile)
    assert axis.cells[0, 0, 0] == pixel
    assert sorted(axis.cells[:, 0, 0]) == [floor(x), floor(x) + 1]
    assert axis.at_kink.all()


def test_nearest_has_no_second_pixel_away_from_ties():
    axis = at_pixels([1, 1.25, 1.75, 2.4375], mode="nearest")
    assert axis.cells[:, 0].tolist() == [[1, 1, 2, 2]]


@pytest.mark.parametrize("d", [2, 3])
def test_choices_along_several_axes_combine(d):
    reading = Reading("bilinear", "zeros", True, PROFILES["paper"], UNITS["float64"])
    here = Places(np.zeros((1, 1, d)), (3,) * d, reading)
    assert (here.choices, here.taps) == (2**d, 2**d)
    assert here.kinks.all()
    centre = sum(3**k for k in range(d))
    weights = here.floats((0,) * d)[:, :, 0, 0]
    assert (here.index[:, :, 0, 0][weights == 1] == centre).all()
    assert weights.sum() == 2**d


# Weights


def keys(t, a):
    t = abs(t)
    if t >= 2:
        return Fraction(0)
    return (a + 2) * t**3 - (a + 3) * t**2 + 1 if t < 1 else a * (t**3 - 5 * t**2 + 8 * t - 4)


@pytest.mark.parametrize("profile", ["paper", "jax"])
def test_bicubic_weights_are_those_of_keys(profile):
    x = np.arange(-24, 96) / 16
    axis = at_pixels(x, mode="bicubic", profile=profile)
    a = Fraction(PROFILES[profile].cubic)
    for p, value in enumerate(x):
        cell, at = floor(value), Fraction(value)
        expected = [float(keys(at - cell - k, a)) for k in (-1, 0, 1, 2)]
        assert axis.floats(0)[0, :, 0, p].tolist() == expected
    assert (axis.floats(0).sum(1) == 1).all()
    for order in (1, 2):
        assert (axis.floats(order).sum(1) == 0).all()


@pytest.mark.parametrize("a", [-0.75, -0.5])
@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_of_weights_are_those_of_the_polynomials(a, order):
    """By differences of a polynomial of degree 3: exact ones, from four points beside each other."""
    from stn_ref.oracle.truth.dyadic import Dyadic

    def weights(t, of_order=0):
        return kernel_weights("bicubic", Dyadic.of(np.array([t])), of_order, a).float()[:, 0]

    h = 0.125
    w = [weights(0.5 + k * h) for k in (-2, -1, 0, 1, 2)]
    differences = [(w[0] - 8 * w[1] + 8 * w[3] - w[4]) / (12 * h), (w[1] - 2 * w[2] + w[3]) / h**2]
    np.testing.assert_allclose(weights(0.5, order), differences[order - 1], rtol=0, atol=1e-13)


def test_the_pieces_of_keys_meet_with_equal_slopes():
    for a in (-0.75, -0.5):
        outer, inner = cubic_pieces(a)[0][0], cubic_pieces(a)[1][0]
        value = [sum(c for c in piece) for piece in (inner, outer)]
        slope = [sum(k * c for k, c in enumerate(piece)) for piece in (inner, outer)]
        assert value == [0, 0]
        assert slope[0] == slope[1]


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("corners", [True, False])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_which_pixel_a_tap_reads(padding, corners, size):
    axis = along_x(np.linspace(-6, 6, 49), size, mode="bicubic", padding=padding, corners=corners)
    row = list(range(size))
    period = row + row[-2:0:-1] if corners and size > 1 else row + row[::-1]
    for p, k in product(range(49), range(4)):
        n = int(axis.cells[0, 0, p]) + k - 1
        if padding == "zeros":
            expected = n if 0 <= n < size else size
        else:
            expected = min(max(n, 0), size - 1) if padding == "border" else period[n % len(period)]
        assert axis.index[0, k, 0, p] == expected


def test_double_double_agrees_with_exact_numbers(monkeypatch):
    rng = np.random.default_rng(0)
    grid = rng.uniform(-1.3, 1.3, (1, 50, 2))
    reading = Reading("bicubic", "reflection", False, PROFILES["paper"], UNITS["float64"])
    exact = Places(grid, (4, 7), reading)
    monkeypatch.setattr(places_module, "MOST_EXACTLY", 0)
    quick = Places(grid, (4, 7), reading)
    assert isinstance(quick.axes[0].x, DoubleDouble)
    assert quick.error > exact.error == 0
    for orders in ((0, 0), (1, 0), (0, 2), (1, 1)):
        (a, b), (c, d) = exact.weights(orders).pair(), quick.weights(orders).pair()
        assert (np.abs((a - c) + (b - d)) <= quick.error * (1 + exact.cancelled(orders))).all()
    assert (exact.index == quick.index).all()
    grid[0, 0] = 2.0**-200  # for which double-double has no room
    assert not isinstance(Places(grid, (4, 7), reading).axes[0].x, DoubleDouble)
