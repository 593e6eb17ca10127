"""Equations (1)-(7), in fractions, against values computed by hand and against their own meaning."""

from fractions import Fraction as F
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stn_ref import equations as eq

ROW = [[[3, 5, 9, 4, 1]]]
TWO_CHANNELS = [[[1, 2, 4], [3, 5, 9]], [[0, -8, 16], [8, 0, 24]]]

COORDINATES = st.fractions(-3, 7, max_denominator=16)
IMAGES = st.tuples(st.integers(1, 4), st.integers(1, 5)).flatmap(
    lambda shape: st.lists(
        st.lists(
            st.lists(st.integers(-9, 9), min_size=shape[1], max_size=shape[1]),
            min_size=shape[0],
            max_size=shape[0],
        ),
        min_size=1,
        max_size=2,
    )
)


def difference_quotient(U, x, y, *, along_x, side):
    """The exact one-sided difference quotient of eq. (5), within the cell on that side."""
    t = x if along_x else y
    step = (floor(t) + 1 - t if side == "right" else ceil(t) - 1 - t) * F(2, 3)
    moved = eq.eq5_bilinear(U, x + step, y) if along_x else eq.eq5_bilinear(U, x, y + step)
    return [(after - before) / step for after, before in zip(moved, eq.eq5_bilinear(U, x, y))]


def test_eq1_multiplies_the_target_coordinate_with_its_one_by_theta():
    theta = [[F(1, 2), -1, F(1, 4)], [2, F(1, 3), -1]]
    # x: 1/2 * 1/2 - 1 * 3 + 1/4    y: 2 * 1/2 + 1/3 * 3 - 1
    assert eq.eq1_affine(theta, F(1, 2), 3) == (F(-5, 2), 1)


def test_eq2_is_an_isotropic_scale_and_a_translation():
    assert eq.eq2_attention(F(1, 2), F(1, 4), -1) == [[F(1, 2), 0, F(1, 4)], [0, F(1, 2), -1]]


def test_eq2_put_into_eq1_scales_and_then_moves():
    theta = eq.eq2_attention(F(1, 2), F(1, 4), -1)
    assert eq.eq1_affine(theta, 1, F(1, 2)) == (F(3, 4), F(-3, 4))


def test_eq3_takes_a_kernel_for_each_coordinate():
    # Rows at y = 2 weigh 2^2 and 1^2; along x a quarter of the way: 5/4 and 13/4.
    [value] = eq.eq3_sample([[[1, 2], [3, 4]]], F(1, 4), F(2), eq.hat, lambda t: t * t)
    assert value == F(33, 4)  # 4 * 5/4 + 13/4


def test_eq3_uses_one_kernel_for_both_coordinates_if_one_is_given():
    assert eq.eq3_sample([[[1, 2], [3, 4]]], F(1), F(0), lambda t: t * t + 1) == [
        1 * 2 * 1 + 2 * 1 * 1 + 3 * 2 * 2 + 4 * 1 * 2
    ]


@pytest.mark.parametrize(
    ("x", "y", "V"),
    [
        (F(0), F(0), [1, 0]),
        (F(3, 8), F(5, 8), [3, 8]),
        (F(1, 2), F(0), [2, -8]),  # ties go up
        (F(3, 2), F(1, 2), [9, 24]),
        (F(-1, 2), F(0), [1, 0]),
        (F(-5, 8), F(0), [0, 0]),
        (F(5, 2), F(0), [0, 0]),
    ],
)
def test_eq4_copies_the_nearest_pixel(x, y, V):
    assert eq.eq4_integer(TWO_CHANNELS, x, y) == V


def test_half_up_does_not_round_the_sum_with_a_half():
    below = 0.49999999999999994
    assert floor(below + 0.5) == 1  # what it avoids
    assert [eq.half_up(t) for t in (below, 0.5, 1.5, -0.5, -below, 2.0**53)] == [
        *(0, 1, 2, 0, 0),
        2**53,
    ]


@pytest.mark.parametrize(
    ("x", "y", "V"),
    [
        (F(1), F(1), [5, 0]),  # at a pixel
        (F(1, 4), F(0), [F(5, 4), -2]),  # between two
        (F(3, 2), F(1, 4), [3 * F(3, 4) + 7 * F(1, 4), 4 * F(3, 4) + 12 * F(1, 4)]),
        (F(5, 2), F(0), [2, 8]),  # outside, it tapers off to zero over one pixel
        (F(-1, 4), F(5, 4), [3 * F(9, 16), 8 * F(9, 16)]),
        (F(3), F(0), [0, 0]),
        (F(-1), F(-1), [0, 0]),
    ],
)
def test_eq5_weighs_the_four_pixels_around_the_point(x, y, V):
    assert eq.eq5_bilinear(TWO_CHANNELS, x, y) == V


def test_eq6_holds_the_weight_of_each_pixel():
    assert eq.eq6_dV_dU(2, 3, F(5, 4), F(1, 3)) == [
        [0, F(3, 4) * F(2, 3), F(1, 4) * F(2, 3)],
        [0, F(3, 4) * F(1, 3), F(1, 4) * F(1, 3)],
    ]


@given(IMAGES, COORDINATES, COORDINATES, st.fractions(-5, 5, max_denominator=7), st.data())
def test_eq6_is_exactly_the_derivative_of_eq5(U, x, y, change, data):
    H, W = len(U[0]), len(U[0][0])
    n, m = data.draw(st.integers(0, H - 1)), data.draw(st.integers(0, W - 1))
    changed = [[[*row] for row in channel] for channel in U]
    changed[0][n][m] += change
    before, after = eq.eq5_bilinear(U, x, y), eq.eq5_bilinear(changed, x, y)
    # Eq. (5) is linear in U, so a difference of any size is the derivative times the change.
    assert after[0] - before[0] == change * eq.eq6_dV_dU(H, W, x, y)[n][m]
    assert after[1:] == before[1:]  # and no other channel feels it


READINGS = {
    "right": [4, -5, -3],
    "left": [2, 4, -5],
    "mid": [3, F(-1, 2), -4],
    "paper": [5, 9, 4],
}


@pytest.mark.parametrize("kink", eq.KINKS)
def test_eq7_at_the_pixels_of_a_row_has_four_readings(kink):
    slopes = [eq.eq7_dV_dx(ROW, F(x), F(0), kink)[0] for x in (1, 2, 3)]
    assert slopes == READINGS[kink]


@pytest.mark.parametrize("kink", eq.KINKS)
def test_eq7_down_a_column_reads_as_along_a_row(kink):
    column = [[[number] for number in ROW[0][0]]]
    slopes = [eq.eq7_dV_dy(column, F(0), F(y), kink)[0] for y in (1, 2, 3)]
    assert slopes == READINGS[kink]


def test_eq7_without_a_kink_takes_the_right_slope():
    assert eq.eq7_dV_dx(ROW, F(1), F(0)) == eq.eq7_dV_dx(ROW, F(1), F(0), "right") == [4]
    assert eq.eq7_dV_dy(TWO_CHANNELS, F(0), F(0)) == [2, 8]


@pytest.mark.parametrize("kink", eq.KINKS)
def test_eq7_between_pixels_is_the_slope_of_the_cell_in_every_reading(kink):
    # y = 1/4: three quarters of the upper row's slope and a quarter of the lower row's.
    slopes = eq.eq7_dV_dx(TWO_CHANNELS, F(5, 3), F(1, 4), kink)
    assert slopes == [F(3, 4) * 2 + F(1, 4) * 4, F(3, 4) * 24 + F(1, 4) * 24]
    slopes = eq.eq7_dV_dy(TWO_CHANNELS, F(1, 4), F(2, 3), kink)
    assert slopes == [F(3, 4) * 2 + F(1, 4) * 3, F(3, 4) * 8 + F(1, 4) * 8]


@given(IMAGES, COORDINATES, COORDINATES, st.sampled_from(["right", "left"]))
def test_eq7_right_and_left_are_exactly_the_one_sided_difference_quotients(U, x, y, side):
    assert eq.eq7_dV_dx(U, x, y, side) == difference_quotient(U, x, y, along_x=True, side=side)
    assert eq.eq7_dV_dy(U, x, y, side) == difference_quotient(U, x, y, along_x=False, side=side)


@given(IMAGES, COORDINATES, COORDINATES)
def test_eq7_mid_is_the_mean_of_right_and_left(U, x, y):
    for eq7 in (eq.eq7_dV_dx, eq.eq7_dV_dy):
        right, left = eq7(U, x, y, "right"), eq7(U, x, y, "left")
        assert eq7(U, x, y, "mid") == [F(r + l_) / 2 for r, l_ in zip(right, left)]


@pytest.mark.parametrize("y", [F(1), F(5, 4)])
@pytest.mark.parametrize("x", [F(1), F(2)])
def test_a_constant_image_has_no_slope_except_to_the_letter_of_the_paper(x, y):
    constant = [[[7] * 4] * 3]
    for kink in ("right", "left", "mid"):
        assert eq.eq7_dV_dx(constant, x, y, kink) == [0]
    assert eq.eq7_dV_dx(constant, x, y, "paper") == [7]


@pytest.mark.parametrize(
    ("kink", "at_the_first", "at_the_last"),
    [("right", 2, -1), ("left", 3, -3), ("mid", F(5, 2), -2), ("paper", 3, 1)],
)
def test_eq7_at_the_border_sees_zeros_outside(kink, at_the_first, at_the_last):
    assert eq.eq7_dV_dx(ROW, F(0), F(0), kink) == [at_the_first]
    assert eq.eq7_dV_dx(ROW, F(4), F(0), kink) == [at_the_last]


def test_the_equations_take_floats_as_they_take_fractions():
    assert eq.eq5_bilinear([[[1.0, 2.0], [3.0, 4.0]]], 0.25, 0.5) == [2.25]
    assert eq.eq7_dV_dx([[[1.0, 2.0], [3.0, 5.0]]], 0.25, 0.5) == [1.5]
