"""The right answers, by arrays of exact numbers and by the paper's equations over fractions."""

from fractions import Fraction
from itertools import product
from math import prod

import numpy as np
import pytest

from stn_ref.equations import eq4_integer, eq5_bilinear, eq6_dV_dU, eq7_dV_dx, eq7_dV_dy
from stn_ref.oracle.questions.cases import Setting, make_case
from stn_ref.oracle.truth import literal
from stn_ref.oracle.truth.aspects import SAMPLER_ASPECTS, SamplerAspects
from stn_ref.oracle.truth.enclosures import Arithmetic
from stn_ref.oracle.truth.literal import LiteralSample, literal_cotangent
from stn_ref.oracle.truth.places import Reading
from stn_ref.oracle.truth.profiles import PROFILES

UNIT = 2.0**-53
DOUBLE = Arithmetic(UNIT, float(np.finfo(np.float64).tiny))
OF_A_SAMPLE = ("V", "grid_bar", "V_dot", "second.grid", "second.V_bar")
PAPER = PROFILES["paper"]


def reading_of(setting, profile=PAPER):
    return Reading(setting.mode, setting.padding_mode, setting.align_corners, profile, UNIT)


def aspects_of(case, profile=PAPER):
    return SamplerAspects(case.arrays, reading_of(case.setting, profile), DOUBLE)


def pair(number):
    return float(number), float(number - Fraction(float(number)))


def rows(array, own, aspect):
    """(N, P, channels or coordinates)."""
    if aspect in ("grid_bar", "second.grid"):
        return array.reshape(own.n, prod(own.target), own.d)
    return np.moveaxis(array.reshape(own.n, own.channels, prod(own.target)), 1, -1)


def assert_both_ways_agree(case, samples=2, profile=PAPER):
    """At a few samples of each case: the one in the middle of the image, and others towards its border."""
    own = aspects_of(case, profile)
    distance = np.abs(own.arrays["grid"]).max(-1).reshape(own.n, -1)
    outwards = [divmod(int(k), distance.shape[1]) for k in np.argsort(distance, axis=None)]
    points = [outwards[len(outwards) * k // (samples + 1)] for k in range(samples)]
    for aspect in OF_A_SAMPLE:
        enclosure = own.enclosure(aspect)
        high, low = (rows(array, own, aspect) for array in (enclosure.high, enclosure.low))
        for n, p in points:
            numbers = LiteralSample(own.arrays, own.reading, n, p).aspect(aspect)
            assert [pair(number) for number in numbers] == list(zip(high[n, p], low[n, p])), aspect


MODES, PADDINGS = ("nearest", "bilinear", "bicubic"), ("zeros", "border", "reflection")
every_setting = pytest.mark.parametrize(
    ("mode", "padding", "corners"), list(product(MODES, PADDINGS, (True, False)))
)


@every_setting
def test_both_ways_agree_to_the_last_bit(mode, padding, corners):
    case = make_case("random", Setting(mode, padding, corners, "float64", 2))
    assert_both_ways_agree(case, samples=1 if mode == "bicubic" else 2)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("family", ["kinks", "ties"])
def test_both_ways_agree_at_kinks_and_ties(mode, family):
    assert_both_ways_agree(make_case(family, Setting(mode, "reflection", False, "float64", 2)))


@pytest.mark.parametrize(
    "family", ["far", "one-pixel-high", "identity", "one-ulp", "large-and-small-numbers"]
)
@pytest.mark.parametrize("padding", PADDINGS)
def test_both_ways_agree_beyond_the_border_and_in_odd_images(family, padding):
    assert_both_ways_agree(make_case(family, Setting("bilinear", padding, True, "float32", 2)))
    if family == "far":
        assert_both_ways_agree(make_case(family, Setting("bicubic", padding, False, "float32", 2)), samples=1)


@pytest.mark.parametrize(
    ("family", "mode", "padding"),
    [
        ("kinks", "bilinear", "reflection"),
        ("random", "nearest", "border"),
        ("random", "bicubic", "zeros"),
    ],
)
def test_both_ways_agree_on_volumes(family, mode, padding):
    case = make_case(family, Setting(mode, padding, False, "float64", 3))
    assert_both_ways_agree(case, samples=1 if mode == "bicubic" else 2)


def test_both_ways_agree_on_the_other_cubic_kernel():
    case = make_case("random", Setting("bicubic", "border", True, "float64", 2))
    assert_both_ways_agree(case, profile=PROFILES["jax"])
    assert not np.array_equal(
        aspects_of(case).enclosure("V").high, aspects_of(case, PROFILES["jax"]).enclosure("V").high
    )


EQ_6 = [
    *(
        ("random", mode, padding, corners, 2)
        for mode, padding in product(MODES[:2], PADDINGS)
        for corners in (True, False)
    ),
    ("random", "bicubic", "zeros", True, 2),
    ("random", "bicubic", "reflection", False, 2),
    ("collisions", "bilinear", "border", False, 2),
    ("kinks", "bilinear", "zeros", True, 2),
    ("random", "bilinear", "reflection", True, 3),
]


@pytest.mark.parametrize(("family", "mode", "padding", "corners", "d"), EQ_6)
def test_the_cotangent_of_the_image_is_that_of_eq_6(family, mode, padding, corners, d):
    own = aspects_of(make_case(family, Setting(mode, padding, corners, "float64", d)))
    enclosure = own.enclosure("U_bar")
    expected = literal_cotangent(own.arrays, own.reading, 1)
    assert len(expected) > 3
    for place in np.ndindex(enclosure.high[1].shape):
        found = enclosure.high[(1, *place)], enclosure.low[(1, *place)]
        assert found == pair(expected.get(place, Fraction(0)))


# The transposes: every derivative of first and second order against another one


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize(
    ("mode", "padding"), [("bilinear", "border"), ("bicubic", "reflection"), ("nearest", "zeros")]
)
def test_tangents_and_cotangents_are_transposes(mode, padding, d):
    """<V_bar, V_dot> = <U_bar, U_dot> + <grid_bar, grid_dot>, and the same one order higher."""
    case = make_case("random", Setting(mode, padding, True, "float64", d))
    a, own = case.arrays, aspects_of(case)
    right = {aspect: own.enclosure(aspect).high for aspect in SAMPLER_ASPECTS}
    moved = (a["U_dot"] * right["U_bar"]).sum() + (a["grid_dot"] * right["grid_bar"]).sum()
    assert (a["V_bar"] * right["V_dot"]).sum() == pytest.approx(moved, rel=1e-12)
    pulled = (a["U_bar_bar"] * right["U_bar"]).sum() + (a["grid_bar_bar"] * right["grid_bar"]).sum()
    assert (a["V_bar"] * right["second.V_bar"]).sum() == pytest.approx(pulled, rel=1e-12)
    by_image = (a["U"] * right["second.U"]).sum()
    assert by_image == pytest.approx((a["grid_bar_bar"] * right["grid_bar"]).sum(), rel=1e-12)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_the_second_order_of_the_grid_is_a_slope_of_the_first_one(mode):
    """Along one coordinate, inside a cell, as fractions: the difference over the step, to the step."""
    case = make_case("random", Setting(mode, "border", True, "float64", 2))
    own, step = aspects_of(case), Fraction(1, 2**40)

    def pulled(n, p, k, by):
        arrays = {name: array.copy() for name, array in own.arrays.items()}
        arrays["grid"].reshape(own.n, -1, 2)[n, p, k] = (
            Fraction(arrays["grid"].reshape(own.n, -1, 2)[n, p, k]) + by
        )
        sample = LiteralSample(arrays, own.reading, n, p)
        moves = own.arrays["grid_bar_bar"].reshape(own.n, -1, 2)[n, p]
        by_grid = sum(Fraction(float(s)) * bar for s, bar in zip(moves, sample.aspect("grid_bar")))
        cotangent = own.arrays["V_bar"][n].reshape(own.channels, -1)[:, p]
        through = zip(sample.value("U_bar_bar", (0, 0)), cotangent)
        return by_grid + sum(value * Fraction(float(weight)) for value, weight in through)

    high = own.enclosure("second.grid").high.reshape(own.n, -1, 2)
    for n, p, k in ((0, 1, 0), (0, 5, 1), (1, 3, 0), (1, 8, 1)):
        slope = (pulled(n, p, k, step) - pulled(n, p, k, -step)) / (2 * step)
        assert float(slope) == pytest.approx(high[n, p, k], rel=1e-3, abs=1e-3)


# Values by hand, and the page of equations itself

ROW = np.array([[[[3.0, 5.0, 9.0, 4.0, 1.0]]]])


def by_hand(aspect, x, U=ROW, mode="bilinear", padding="zeros", corners=True, **arrays):
    """Of samples at pixels ``x`` of a row."""
    size = U.shape[-1]
    x = np.asarray(x, float)
    g = (2 * x - (size - 1)) / (size - 1 if corners else size)
    grid = np.stack([g, np.zeros_like(g)], -1)[None, None]
    given = {"U": U, "grid": grid, "V_bar": np.ones((*U.shape[:2], 1, len(x))), **arrays}
    reading = Reading(mode, padding, corners, PAPER, UNIT)
    return SamplerAspects(given, reading, DOUBLE).enclosure(aspect)


def test_values_in_a_row_by_hand():
    assert by_hand("V", [1.25, 2.5, -0.5, 4.5, 9]).high.ravel().tolist() == [6, 6.5, 1.5, 0.5, 0]
    assert by_hand("V", [-0.5, 4.5, 9], padding="border").high.ravel().tolist() == [3, 1, 1]
    assert by_hand("V", [-1.25, 5.0], padding="reflection").high.ravel().tolist() == [6, 4]
    assert by_hand("V", [1.5, 2.25, -0.5], mode="nearest").high.ravel().tolist() == [9, 9, 3]


def test_slopes_in_a_row_by_hand():
    """In normalised coordinates, which are twice as long as pixels here."""
    assert by_hand("grid_bar", [1.25, 2.5, -0.5]).high[0, 0, :, 0].tolist() == [8, -10, 6]
    at_kinks = by_hand("grid_bar", [1, 2])
    assert at_kinks.high[0, 0, :, 0].tolist() == [8, -10]  # the right ones
    assert sorted(set(at_kinks.choices[:, 0, 0, 0, 0])) == [4, 8]
    assert sorted(set(at_kinks.choices[:, 0, 0, 1, 0])) == [-10, 8]


def test_bicubic_half_way_by_hand():
    """Keys' kernel with a = -3/4 is 19/32 at 1/2 and -3/32 at 3/2."""
    assert by_hand("V", [1.5], mode="bicubic").high[0, 0, 0] == (19 * (5 + 9) - 3 * (3 + 4)) / 32


def test_eq_7_to_the_letter_gives_the_pixel():
    size = 5
    x = (2 * np.arange(1.0, 4) - (size - 1)) / (size - 1)
    grid = np.stack([x, np.zeros(3)], -1)[None, None]
    arrays = {"U": ROW, "grid": grid, "V_bar": np.ones((1, 1, 1, 3))}
    own = SamplerAspects(arrays, Reading("bilinear", "zeros", True, PAPER, UNIT), DOUBLE)
    assert own.readings_of_eq7()[0, 0, :, 0].tolist() == [2 * 5, 2 * 9, 2 * 4]


def test_the_literal_way_is_the_page_of_equations():
    rng = np.random.default_rng(0)
    U = rng.integers(-9, 9, (1, 2, 4, 5)).astype(float)
    grid = rng.integers(-40, 41, (1, 3, 4, 2)) / 32
    V_bar = np.ones((1, 2, 3, 4))
    pixels = [[[Fraction(u) for u in row] for row in channel] for channel in U[0].tolist()]
    arrays = {"U": U, "grid": grid, "V_bar": V_bar}
    for p, (g, h) in enumerate(grid.reshape(-1, 2)):
        x, y = (Fraction(g) + 1) * 2, (Fraction(h) + 1) * Fraction(3, 2)
        reading = Reading("bilinear", "zeros", True, PAPER, UNIT)
        sample = LiteralSample(arrays, reading, 0, p)
        assert sample.value("U", (0, 0)) == eq5_bilinear(pixels, x, y)
        assert sample.value("U", (1, 0)) == eq7_dV_dx(pixels, x, y)
        assert sample.value("U", (0, 1)) == eq7_dV_dy(pixels, x, y)
        assert sample.aspect("grid_bar") == [
            2 * sum(eq7_dV_dx(pixels, x, y)),
            Fraction(3, 2) * sum(eq7_dV_dy(pixels, x, y)),
        ]
        nearest = LiteralSample(arrays, Reading("nearest", "zeros", True, PAPER, UNIT), 0, p)
        assert nearest.value("U", (0, 0)) == eq4_integer(pixels, x, y)
        one = {**arrays, "grid": grid.reshape(1, 1, -1, 2)[:, :, p : p + 1], "V_bar": np.ones((1, 1, 1, 1))}
        cotangent = literal_cotangent(one, reading, 0)
        weights = eq6_dV_dU(4, 5, x, y)
        assert all(cotangent.get((0, n, m), 0) == weights[n][m] for n in range(4) for m in range(5))


@pytest.mark.parametrize("aspect", SAMPLER_ASPECTS)
@pytest.mark.parametrize("shape", [(0, 2, 3, 4), (2, 0, 3, 4)])
def test_of_nothing_comes_nothing_in_the_right_shape(aspect, shape):
    n, c = shape[:2]
    arrays = {
        "U": np.ones(shape),
        "U_dot": np.ones(shape),
        "U_bar_bar": np.ones(shape),
        "V_bar": np.ones((n, c, 5, 6)),
        **{name: np.full((n, 5, 6, 2), 0.3) for name in ("grid", "grid_dot", "grid_bar_bar")},
    }
    own = SamplerAspects(arrays, Reading("bilinear", "zeros", True, PAPER, UNIT), DOUBLE)
    enclosure = own.enclosure(aspect)
    assert enclosure.high.shape == own.shape(aspect)
    assert not enclosure.high.any()
    assert not enclosure.slack.any()


# These checks would notice


def test_another_kernel_in_one_of_the_ways_is_noticed(monkeypatch):
    monkeypatch.setattr(literal, "hat", lambda t: max(0 * t, 1 - t * t))
    with pytest.raises(AssertionError):
        assert_both_ways_agree(make_case("random", Setting("bilinear", "zeros", True, "float64", 2)))


def test_another_mirror_in_one_of_the_ways_is_noticed(monkeypatch):
    right = LiteralSample._bounce

    def once(self, n, size):
        return right(self, n, size) if -size <= n < 2 * size else 0

    monkeypatch.setattr(LiteralSample, "_bounce", once)
    with pytest.raises(AssertionError):
        assert_both_ways_agree(
            make_case("far", Setting("bilinear", "reflection", True, "float64", 2)), samples=9
        )
