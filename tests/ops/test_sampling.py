"""The sampler against the literal equations, exactly where floats allow it, and on all odd input."""

from fractions import Fraction as F
from itertools import product
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stn_ref import (
    BICUBIC,
    BILINEAR,
    NEAREST,
    Kernel,
    affine_grid,
    equations,
    grid_sample,
    spatial_transform,
    vjp,
)
from stn_ref.kernels.sampling import Setup
from stn_ref.ops.sampling import KINKS, sample, slopes, splat
from stn_ref.pixels import PADDING_MODES, to_normalised, to_pixels

MODES = ("nearest", "bilinear", "bicubic")
BY_NAME = {"nearest": NEAREST, "bilinear": BILINEAR, "bicubic": BICUBIC}
EPS = np.finfo(float).eps
INF, NAN = np.inf, np.nan

paddings = pytest.mark.parametrize("padding_mode", PADDING_MODES)
modes = pytest.mark.parametrize("mode", MODES)
kinks = pytest.mark.parametrize("kink", KINKS)
both_conventions = pytest.mark.parametrize("align_corners", [True, False])
floating = pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])


def setup(mode="bilinear", padding_mode="zeros", align_corners=True, kink="right"):
    return Setup(BY_NAME[mode], padding_mode, align_corners, kink)


def exact(array):
    return np.vectorize(F, otypes=[object])(array)


def integers(rng, *shape):
    return rng.integers(-9, 10, shape).astype(float)


def dyadic_points(rng, n, sizes, count):
    """Pixel coordinates in eighths from three pixels before to three beyond the image, (n, count, d)."""
    columns = [rng.integers(-24, 8 * (size + 2) + 1, (n, count)) / 8 for size in sizes]
    for k, size in enumerate(sizes):  # every pixel centre is among them, and both borders
        columns[k][:, : size + 4] = np.arange(-2, size + 2)
    for column in columns[1:]:
        rng.shuffle(column, axis=1)
    return np.stack(columns, axis=-1)


def extended(U, reach, padding_mode, align_corners):
    """U with ``reach`` pixels more on each side, as the padding mode says; U is (N, C, *S)."""
    widths = ((0, 0), (0, 0), *((reach, reach) for _ in U.shape[2:]))
    if padding_mode == "zeros":
        return np.pad(U, widths)
    if padding_mode == "border":
        return np.pad(U, widths, "edge")
    return np.pad(U, widths, "reflect" if align_corners else "symmetric")


def keys(t, a=F(-3, 4)):
    """Keys' cubic convolution kernel as his paper gives it."""
    t = abs(t)
    if t <= 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0 * t


def keys_slope(t, a=F(-3, 4)):
    sign, t = (1 if t >= 0 else -1), abs(t)
    if t <= 1:
        return sign * (3 * (a + 2) * t**2 - 2 * (a + 3) * t)
    return sign * (3 * a * t**2 - 10 * a * t + 8 * a) if t < 2 else 0 * t


def literal_value(image, x, y, mode):
    if mode == "nearest":
        return equations.eq4_integer(image, x, y)
    return equations.eq3_sample(image, x, y, {"bilinear": equations.hat, "bicubic": keys}[mode])


def literal_slopes(image, x, y, mode, kink):
    """The derivative for x and for y, each a list over channels."""
    if mode == "nearest":
        return [[0] * len(image)] * 2
    if mode == "bilinear":
        return [
            equations.eq7_dV_dx(image, x, y, kink),
            equations.eq7_dV_dy(image, x, y, kink),
        ]
    return [
        equations.eq3_sample(image, x, y, keys_slope, keys),
        equations.eq3_sample(image, x, y, keys, keys_slope),
    ]


# The literal equations, exactly


@paddings
@both_conventions
@modes
@pytest.mark.parametrize("shape", [(2, 2, 3, 4), (1, 2, 1, 3), (1, 1, 2, 1)])
def test_values_are_exactly_those_of_the_equations(mode, padding_mode, align_corners, shape):
    rng = np.random.default_rng(0)
    U = integers(rng, *shape)
    points = dyadic_points(rng, shape[0], shape[:1:-1], 24)
    V = sample(U, points, setup=setup(mode, padding_mode, align_corners))
    reach = 8
    image = exact(extended(U, reach, padding_mode, align_corners))
    for n, p in np.ndindex(*points.shape[:2]):
        x, y = (F(c) + reach for c in points[n, p].tolist())
        window = image[n, :, floor(y) - 2 : floor(y) + 4, floor(x) - 2 : floor(x) + 4]
        x, y = x - floor(x) + 2, y - floor(y) + 2  # what is further away has weight 0
        assert exact(V[n, :, p]).tolist() == literal_value(window, x, y, mode)


@paddings
@both_conventions
@pytest.mark.parametrize(
    ("mode", "kink"), [*(("bilinear", kink) for kink in KINKS), ("nearest", "left"), ("bicubic", "mid")]
)
def test_cotangents_are_exactly_those_of_the_equations(mode, kink, padding_mode, align_corners):
    rng = np.random.default_rng(1)
    U = integers(rng, 2, 2, 3, 4)
    points = dyadic_points(rng, 2, (4, 3), 24)
    V_bar = integers(rng, 2, 2, 24)
    settings = setup(mode, padding_mode, align_corners, kink)
    _, pullback = vjp(lambda U, points: sample(U, points, setup=settings), U, points)
    U_bar, points_bar = pullback(V_bar)
    reach = 8
    image = exact(extended(U, reach, padding_mode, align_corners))
    # Which pixel stands where in the extended image; 0 is none.
    numbers = extended(np.arange(1.0, 13).reshape(1, 1, 3, 4), reach, padding_mode, align_corners)[
        0, 0
    ].astype(int)
    U_expected = np.full((2, 2, 13), F(0))
    hat_or_keys = {"bilinear": equations.hat, "bicubic": keys}.get(mode)
    for n, p in np.ndindex(2, 24):
        x, y = (F(c) + reach for c in points[n, p].tolist())
        top, left = floor(y) - 2, floor(x) - 2
        window = image[n, :, top : top + 6, left : left + 6]
        x, y = x - left, y - top
        for k, slope in enumerate(literal_slopes(window, x, y, mode, kink)):
            expected = sum(F(v) * s for v, s in zip(V_bar[n, :, p].tolist(), slope))
            assert F(points_bar[n, p, k]) == expected
        for i, j in np.ndindex(6, 6):
            if hat_or_keys:
                weight = hat_or_keys(x - j) * hat_or_keys(y - i)
            else:
                weight = int(equations.half_up(x) == j and equations.half_up(y) == i)
            if weight:
                U_expected[n, :, numbers[top + i, left + j]] += weight * exact(V_bar[n, :, p])
    assert (exact(U_bar).reshape(2, 2, 12) == U_expected[:, :, 1:]).all()


def test_the_row_of_the_paper_reading_gives_four_slopes_at_its_pixels():
    row = np.array([[[[3.0, 5.0, 9.0, 4.0, 1.0]]]])
    grid = np.array([[[[x, 0.0] for x in (-0.5, 0.0, 0.5)]]])  # x_px = 1, 2, 3
    for kink, expected in {
        "right": [4, -5, -3],
        "left": [2, 4, -5],
        "mid": [3, -0.5, -4],
        "paper": [5, 9, 4],
    }.items():
        _, pullback = vjp(lambda g, kink=kink: grid_sample(row, g, align_corners=True, kink=kink), grid)
        [grid_bar] = pullback(np.ones((1, 1, 1, 3)))
        # Eq. (7) is in pixels; the step to normalised coordinates has the factor (W - 1) / 2 = 2.
        assert (grid_bar[0, 0, :, 0] / 2).tolist() == expected


@pytest.mark.parametrize(("size", "align_corners"), [((5, 9), True), ((4, 8), False)], ids=["True", "False"])
@kinks
def test_in_normalised_coordinates_too_the_equations_hold_exactly(size, align_corners, kink):
    # Spans are powers of two, so that no step is rounded.
    rng = np.random.default_rng(2)
    (H, W), U = size, integers(rng, 2, 3, *size)
    points = dyadic_points(rng, 2, (W, H), 20).reshape(2, 4, 5, 2)
    grid = np.stack([to_normalised(points[..., k], n, align_corners) for k, n in enumerate((W, H))], axis=-1)
    V, pullback = vjp(lambda U, grid: grid_sample(U, grid, align_corners=align_corners, kink=kink), U, grid)
    V_bar = integers(rng, *V.shape)
    U_bar, grid_bar = pullback(V_bar)
    U_expected = np.full(U.shape, F(0))
    factors = [F(W - align_corners, 2), F(H - align_corners, 2)]
    for n, i, j in np.ndindex(2, 4, 5):
        x, y = map(F, points[n, i, j].tolist())
        v_bar = exact(V_bar[n, :, i, j])
        image = exact(U[n])
        assert exact(V[n, :, i, j]).tolist() == equations.eq5_bilinear(image, x, y)
        for k, eq7 in enumerate((equations.eq7_dV_dx, equations.eq7_dV_dy)):
            expected = (v_bar * eq7(image, x, y, kink)).sum() * factors[k]
            assert F(grid_bar[n, i, j, k]) == expected
        U_expected[n] += v_bar[:, None, None] * np.array(equations.eq6_dV_dU(H, W, x, y))
    assert (exact(U_bar) == U_expected).all()


# The literal equations, to rounding


FLOATS = st.floats(-2, 6) | st.floats(-2, 6).map(round).map(float)


@given(st.lists(st.floats(-100, 100), min_size=24, max_size=24), FLOATS, FLOATS, st.sampled_from(KINKS))
def test_any_point_agrees_with_the_equations_to_rounding(numbers, x, y, kink):
    U = np.array(numbers).reshape(1, 2, 3, 4)
    points = np.array([[[x, y]]])
    _, pullback = vjp(lambda U, p: sample(U, p, setup=setup(kink=kink)), U, points)
    V = sample(U, points, setup=setup(kink=kink))
    U_bar, points_bar = pullback(np.array([[[1.0], [3.0]]]))
    image, x, y = exact(U[0]), F(x), F(y)
    # A fraction, two weights, their product, the product with a pixel, three sums: 8 roundings
    # of half an eps, on weights that add up to at most 1.
    largest = F(float(np.abs(U).max()))
    bound = 4 * F(EPS) * largest
    for found, expected in zip(V[0, :, 0].tolist(), equations.eq5_bilinear(image, x, y)):
        assert abs(F(found) - expected) <= bound
    weights = np.array(equations.eq6_dV_dU(3, 4, x, y))
    for c, v_bar in enumerate((1, 3)):
        assert (abs(exact(U_bar[0, c]) - v_bar * weights) <= 3 * 4 * F(EPS)).all()
    for k, eq7 in enumerate((equations.eq7_dV_dx, equations.eq7_dV_dy)):
        one, other = eq7(image, x, y, kink)
        # Two pixels instead of one a weight, and the sum over channels weighs 1 + 3.
        assert abs(F(points_bar[0, 0, k]) - (one + 3 * other)) <= 2 * 4 * 2 * bound


@given(FLOATS, FLOATS)
def test_the_nearest_pixel_is_exactly_that_of_eq4(x, y):
    U = np.arange(1.0, 13).reshape(1, 1, 3, 4)
    V = sample(U, np.array([[[x, y]]]), setup=setup("nearest"))
    assert V.tolist() == [[equations.eq4_integer(U[0].tolist(), x, y)]]


def test_nearest_ties_go_up_without_rounding_the_sum_with_a_half():
    U = np.array([[[[1.0, 2.0, 3.0, 4.0]]]])
    below = 0.49999999999999994
    assert below + 0.5 == 1  # which is why
    x = np.array([-0.5, below, 0.5, 1.5, 2.5, 2.4999999999999996, 3.5, -0.5000000000000001])
    points = np.stack([x, 0 * x], axis=-1)[None]
    V = sample(U, points, setup=setup("nearest"))
    assert V.tolist() == [[[1, 1, 2, 3, 4, 3, 0, 0]]]


# Toy cases by hand


PICTURE = np.arange(1.0, 13.0).reshape(1, 1, 3, 4)
SQUARE = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)


def warped(U, rows, size=None, **settings):
    theta = np.repeat(np.array([rows], float), len(U), axis=0).astype(U.dtype)
    return spatial_transform(U, theta, size or U.shape, **settings)


IDENTITY = [[1, 0, 0], [0, 1, 0]]


@floating
@modes
@paddings
@both_conventions
def test_the_identity_returns_the_image_bit_for_bit(mode, padding_mode, align_corners, dtype):
    rng = np.random.default_rng(3)
    U = rng.normal(size=(2, 3, 7, 10)).astype(dtype)
    U[0, 0, 0, 0], U[0, 1, 6, 9], U[1, 2, 3, 4] = INF, -INF, NAN
    U[1, 1, 2:4, 5:8], U[0, 2, 6] = -0.0, 0.0
    V = warped(U, IDENTITY, mode=mode, padding_mode=padding_mode, align_corners=align_corners)
    assert V.dtype == dtype
    assert np.array_equal(V, U, equal_nan=True)
    defined = ~np.isnan(U)
    assert np.array_equal(np.signbit(V[defined]), np.signbit(U[defined]))


@both_conventions
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (28, 28), (9, 50)])
def test_through_a_grid_the_identity_returns_the_image_to_rounding(size, align_corners):
    U = np.random.default_rng(4).uniform(-1, 1, (2, 3, *size))
    theta = np.repeat(np.array([IDENTITY], float), 2, axis=0)
    grid = affine_grid(theta, U.shape, align_corners=align_corners)
    V = grid_sample(U, grid, align_corners=align_corners)
    # Coordinates of at most the size are rounded a few times; slopes are at most 2 a pixel and axis.
    assert np.abs(V - U).max() <= 4 * EPS * 2 * sum(size)


@modes
@both_conventions
def test_a_quarter_turn_is_rot90(mode, align_corners):
    # Row i, column j of the result is read at x = y_t, y = -x_t: from row 2 - j, column i.
    V = warped(SQUARE, [[0, 1, 0], [-1, 0, 0]], mode=mode, align_corners=align_corners)
    assert V.tolist() == [[[[7, 4, 1], [8, 5, 2], [9, 6, 3]]]]
    assert np.array_equal(V, np.rot90(SQUARE, -1, axes=(2, 3)))
    V = warped(SQUARE, [[0, -1, 0], [1, 0, 0]], mode=mode, align_corners=align_corners)
    assert np.array_equal(V, np.rot90(SQUARE, 1, axes=(2, 3)))


@both_conventions
def test_a_quarter_turn_of_a_picture_that_is_not_square(align_corners):
    U = np.arange(15.0).reshape(1, 1, 3, 5)
    V = warped(U, [[0, -1, 0], [1, 0, 0]], (1, 1, 5, 3), align_corners=align_corners)
    assert np.array_equal(V, np.rot90(U, 1, axes=(2, 3)))


@modes
@paddings
@both_conventions
def test_flips_mirror_the_picture(mode, padding_mode, align_corners):
    settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    V = warped(PICTURE, [[-1, 0, 0], [0, 1, 0]], **settings)
    assert np.array_equal(V, PICTURE[..., ::-1])
    V = warped(PICTURE, [[1, 0, 0], [0, -1, 0]], **settings)
    assert np.array_equal(V, PICTURE[..., ::-1, :])


@modes
@pytest.mark.parametrize(
    ("padding_mode", "align_corners", "column"),
    [
        ("zeros", False, [0, 0, 0]),
        ("border", False, [4, 8, 12]),
        ("reflection", False, [4, 8, 12]),
        ("zeros", True, [0, 0, 0]),
        ("border", True, [4, 8, 12]),
        ("reflection", True, [3, 7, 11]),
    ],
)
def test_a_shift_by_one_pixel_brings_in_the_padding(mode, padding_mode, align_corners, column):
    U = np.concatenate([PICTURE] * 2, axis=0)[..., :4]
    step = 2 / (3 if align_corners else 4)
    theta = np.array([[[1, 0, step], [0, 1, 0]]] * 2)
    V = spatial_transform(
        U, theta, U.shape, mode=mode, padding_mode=padding_mode, align_corners=align_corners
    )
    expected = np.concatenate([PICTURE[..., 1:], np.reshape(column, (1, 1, 3, 1))], axis=-1)
    # 2 / 3 * 3 / 2 may miss the pixel by a rounding, and slopes are at most 12.
    np.testing.assert_allclose(V, np.repeat(expected, 2, axis=0), rtol=0, atol=16 * EPS * 12)


def test_a_crop_takes_the_middle():
    U = np.arange(25.0).reshape(1, 1, 5, 5)
    V = warped(U, [[0.5, 0, 0], [0, 0.5, 0]], (1, 1, 3, 3), align_corners=True)
    assert V.tolist() == U[:, :, 1:4, 1:4].tolist()
    U = np.arange(16.0).reshape(1, 1, 4, 4)
    V = warped(U, [[0.5, 0, 0], [0, 0.5, 0]], (1, 1, 2, 2), align_corners=False)
    assert V.tolist() == U[:, :, 1:3, 1:3].tolist()


def test_the_four_corners_of_the_normalised_square():
    corners = np.array([[[[-1.0, -1], [1, -1]], [[-1, 1], [1, 1]]]])
    V = grid_sample(PICTURE, corners, align_corners=True)
    assert V.tolist() == [[[[1, 4], [9, 12]]]]  # the centres of the corner pixels
    V = grid_sample(PICTURE, corners, align_corners=False)
    assert V.tolist() == [[[[0.25, 1], [2.25, 3]]]]  # outer corners: a quarter of the weight is inside
    for padding_mode in ("border", "reflection"):
        V = grid_sample(PICTURE, corners, padding_mode=padding_mode, align_corners=False)
        assert V.tolist() == [[[[1, 4], [9, 12]]]]


def test_the_first_coordinate_is_x():
    grid = np.array([[[[1.0, 0.0]]]])  # the right edge, half way down
    assert grid_sample(PICTURE, grid, align_corners=True) == 8


@pytest.mark.parametrize(
    ("padding_mode", "align_corners", "kink", "at_the_last", "at_the_first"),
    [
        ("zeros", True, "right", -1, 2),
        ("zeros", False, "right", -1, 2),
        ("zeros", True, "left", -3, 3),
        ("border", True, "right", 0, 2),
        ("border", False, "right", 0, 2),
        ("border", True, "left", -3, 0),
        ("border", True, "mid", -1.5, 1),
        ("reflection", True, "right", 3, 2),
        ("reflection", True, "left", -3, -2),
        ("reflection", True, "mid", 0, 0),
        ("reflection", False, "right", 0, 2),
    ],
)
def test_derivatives_at_the_border(padding_mode, align_corners, kink, at_the_last, at_the_first):
    row = np.array([[[[3.0, 5.0, 9.0, 4.0, 1.0]]]])
    points = np.array([[[4.0, 0.0], [0.0, 0.0]]])
    settings = setup("bilinear", padding_mode, align_corners, kink)
    [points_bar] = vjp(lambda p: sample(row, p, setup=settings), points)[1](np.ones((1, 1, 2)))
    assert points_bar[0, :, 0].tolist() == [at_the_last, at_the_first]


@both_conventions
def test_a_constant_image_has_no_slope_inside(align_corners):
    U = np.full((1, 2, 5, 7), 7.0)
    points = np.stack(np.meshgrid(np.arange(6) * 1.0, np.arange(4) * 1.0), axis=-1)[None]
    for kink in ("right", "left", "mid"):
        inside = points + 1 if kink != "right" else points
        inside = inside[:, :-1, :-1]
        settings = setup("bilinear", "zeros", align_corners, kink)
        [points_bar] = vjp(lambda p, s=settings: sample(U, p, setup=s), inside)[1](
            np.ones((1, 2, *inside.shape[1:3]))
        )
        assert not points_bar.any()


@both_conventions
@pytest.mark.parametrize("size", [(2, 3, 4, 6), (2, 3, 5, 2)])
def test_spatial_transform_is_affine_grid_then_grid_sample(size, align_corners):
    rng = np.random.default_rng(5)
    U, theta = rng.uniform(-1, 1, (2, 3, 5, 7)), rng.uniform(-1, 1, (2, 2, 3))

    def in_two_steps(U, theta):
        return grid_sample(
            U, affine_grid(theta, size, align_corners=align_corners), align_corners=align_corners
        )

    def in_one(U, theta):
        return spatial_transform(U, theta, size, align_corners=align_corners)

    V, pullback = vjp(in_one, U, theta)
    V_expected, expected = vjp(in_two_steps, U, theta)
    V_bar = rng.uniform(-1, 1, V.shape)
    # Coordinates of up to 16 pixels, rounded 8 times, each worth a slope of 2 along both axes.
    bound = 16 * 8 * EPS * 4
    np.testing.assert_allclose(V, V_expected, rtol=0, atol=bound)
    U_bar, theta_bar = pullback(V_bar)
    U_bar_expected, theta_bar_expected = expected(V_bar)
    terms = V[0].size * 7  # of all samples and channels, times coordinates of at most 7
    np.testing.assert_allclose(U_bar, U_bar_expected, rtol=0, atol=V[0, 0].size * bound)
    np.testing.assert_allclose(theta_bar, theta_bar_expected, rtol=0, atol=terms * bound)


def test_a_kernel_object_is_taken_in_place_of_a_name():
    rng = np.random.default_rng(6)
    U, grid = rng.normal(size=(2, 2, 4, 5)), rng.uniform(-1.2, 1.2, (2, 3, 3, 2))
    hat = Kernel("my hat", [(1.0, [1.0, -1.0])])
    assert np.array_equal(
        grid_sample(U, grid, mode=hat, align_corners=True), grid_sample(U, grid, align_corners=True)
    )


# The transpose


@paddings
@both_conventions
@modes
@pytest.mark.parametrize("orders", [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0)])
def test_splat_is_exactly_the_transpose_of_sample(mode, padding_mode, align_corners, orders):
    rng = np.random.default_rng(7)
    U, V = integers(rng, 2, 3, 3, 4), integers(rng, 2, 3, 20)
    points = dyadic_points(rng, 2, (4, 3), 20)
    for kink in KINKS if mode == "bilinear" else ("right",):
        settings = {"setup": setup(mode, padding_mode, align_corners, kink), "orders": orders}
        forward = (exact(V) * exact(sample(U, points, **settings))).sum()
        back = (exact(splat(V, points, shape=(3, 4), **settings)) * exact(U)).sum()
        assert forward == back


def test_slopes_are_the_sum_over_channels_of_the_raised_samples():
    rng = np.random.default_rng(8)
    U, V = integers(rng, 2, 3, 3, 4), integers(rng, 2, 3, 20)
    points = dyadic_points(rng, 2, (4, 3), 20)
    S = slopes(U, points, V, setup=setup())
    for k, raised in enumerate(((1, 0), (0, 1))):
        expected = (V * sample(U, points, setup=setup(), orders=raised)).sum(1)
        assert np.array_equal(S[..., k], expected)


def test_splat_adds_up_where_samples_meet():
    V = np.array([[[1.0, 10.0, 100.0]]])
    points = np.array([[[0.5, 0.0], [0.5, 0.0], [2.0, 0.0]]])
    U = splat(V, points, shape=(1, 3), setup=setup())
    assert U.tolist() == [[[[5.5, 5.5, 100]]]]


# Odd coordinates


def odd_coordinates(dtype):
    largest = float(np.finfo(dtype).max)
    finite = [1e4, 60000.0, 1e10, 2.0**31, 2.0**62, 2.0**63, 1e38, 1e300, largest]
    finite = [c for c in finite if c <= largest]
    return np.array([sign * c for c in (*finite, INF) for sign in (1, -1)] + [NAN], dtype)


def folded(x_px, size, padding_mode, align_corners):
    """A coordinate near the image at which the padded image is the same; NaN where there is none."""
    if np.isnan(x_px) or (padding_mode == "reflection" and np.isinf(x_px)):
        return NAN
    if padding_mode == "reflection":
        period = 2 * (size - align_corners)
        return float(F(float(x_px)) % period) if period else 0.0
    if np.isinf(x_px):
        return float(np.clip(x_px, -8, size + 8))
    cell = floor(x_px)
    return float(min(max(cell, -8), size + 8) + F(float(x_px)) - cell)


@modes
@paddings
@both_conventions
@floating
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("shape", [(5, 7), (1, 4), (4, 1)])
def test_coordinates_of_any_magnitude(mode, padding_mode, align_corners, dtype, axis, shape):
    rng = np.random.default_rng(9)
    H, W = shape
    odd = odd_coordinates(dtype)
    U = rng.normal(size=(1, 2, H, W)).astype(dtype)
    grid = np.full((1, 1, len(odd), 2), 0.3, dtype)
    grid[..., axis] = odd
    settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    V, pullback = vjp(lambda U, grid: grid_sample(U, grid, **settings), U, grid)
    V_bar = rng.normal(size=V.shape).astype(dtype)
    U_bar, grid_bar = pullback(V_bar)

    # The same samples near the image, and those without a meaning left out.
    wide = np.promote_types(dtype, np.float32)
    near = np.empty(grid.shape, wide)
    for k, n in enumerate((W, H)):
        x_px = to_pixels(grid[..., k].astype(wide), n, align_corners)
        near[..., k] = [[[folded(x, n, padding_mode, align_corners) for x in x_px[0, 0]]]]
    undefined = np.isnan(near).any(-1)
    assert (
        undefined[0, 0].tolist()
        == (np.isnan(odd) | (np.isinf(odd) & (padding_mode == "reflection"))).tolist()
    )
    near[undefined] = 0
    _, expected_pullback = vjp(
        lambda U, p: sample(U, p, setup=setup(mode, padding_mode, align_corners)),
        U.astype(wide),
        near,
    )
    V_expected = sample(U.astype(wide), near, setup=setup(mode, padding_mode, align_corners))
    lost = np.broadcast_to(undefined[:, None], V.shape)
    U_expected, points_expected = expected_pullback(np.where(lost, 0, V_bar).astype(wide))
    halves = np.array([(n - align_corners) / 2 for n in (W, H)], wide)
    grid_expected = (points_expected * halves).astype(dtype)

    assert np.isnan(V[lost]).all()
    assert np.array_equal(V[~lost], V_expected.astype(dtype)[~lost])
    assert np.isnan(grid_bar[undefined]).all()
    assert np.array_equal(grid_bar[~undefined], grid_expected[~undefined])
    assert np.array_equal(U_bar, U_expected.astype(dtype))
    size = (W, H)[axis]
    if size == 1 and align_corners:
        return  # all finite coordinates mean the one pixel there is
    if padding_mode == "zeros":
        assert not V[~lost].any()
        assert not U_bar.any()
    if padding_mode == "border":
        edge = grid.astype(wide)
        edge[..., axis] = to_normalised(np.where(odd < 0, 0, size - 1), size, align_corners)
        V_edge = grid_sample(U.astype(wide), edge, **settings)
        # Half a dozen roundings in the weights and in their sum; bicubic weights add up to < 2.
        bound = 2 * 6 * np.finfo(dtype).eps * np.abs(U).max()
        np.testing.assert_allclose(V[~lost], V_edge[~lost], rtol=0, atol=bound)


@modes
@paddings
@both_conventions
@pytest.mark.parametrize("odd", [NAN, INF, -INF, 1e10, -(2.0**62)])
def test_an_odd_coordinate_touches_no_other_sample(mode, padding_mode, align_corners, odd):
    rng = np.random.default_rng(10)
    U, grid = rng.normal(size=(3, 2, 4, 5)), rng.uniform(-1.3, 1.3, (3, 3, 2, 2))
    V_bar = rng.normal(size=(3, 2, 3, 2))
    settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}

    def all_three(grid, V_bar):
        V, pullback = vjp(lambda U, g: grid_sample(U, g, **settings), U, grid)
        return (V, *pullback(V_bar))

    changed = grid.copy()
    changed[1, 2, 0, 0] = odd
    V, U_bar, grid_bar = all_three(grid, V_bar)
    V_odd, U_bar_odd, grid_bar_odd = all_three(changed, V_bar)
    here = np.zeros((3, 3, 2), bool)
    here[1, 2, 0] = True
    elsewhere = np.broadcast_to(~here[:, None], V.shape)
    assert np.array_equal(V_odd[elsewhere], V[elsewhere])
    assert np.array_equal(grid_bar_odd[~here], grid_bar[~here])
    assert np.array_equal(U_bar_odd[[0, 2]], U_bar[[0, 2]])
    undefined = np.isnan(odd) or (np.isinf(odd) and padding_mode == "reflection")
    assert np.isnan(V_odd[1, :, 2, 0]).all() == undefined
    assert np.isnan(grid_bar_odd[1, 2, 0]).all() == undefined
    assert np.isfinite(U_bar_odd).all()
    if undefined or padding_mode == "zeros":  # nothing comes to U from there
        V_bar_without = V_bar.copy()
        V_bar_without[1, :, 2, 0] = 0
        _, U_bar_without, _ = all_three(grid, V_bar_without)
        assert np.array_equal(U_bar_odd, U_bar_without)


def test_an_infinite_pixel_with_weight_zero_does_not_count():
    U = np.array([[[[INF, 1.0, NAN, 2.0]]]])
    points = np.array([[[1.0, 0.0], [3.0, 0.0], [0.5, 0.0], [2.5, 0.0]]])
    V = sample(U, points, setup=setup())
    np.testing.assert_array_equal(V, [[[1, 2, INF, NAN]]])
    assert sample(U, np.array([[[1.2, 0.3]]]), setup=setup("nearest")) == 1


def test_an_infinite_cotangent_stays_with_the_pixels_of_its_sample():
    V = np.array([[[INF, 1.0, NAN]]])
    points = np.array([[[0.0, 0.0], [1.5, 0.0], [4.0, 0.0]]])
    U = splat(V, points, shape=(1, 5), setup=setup())
    np.testing.assert_array_equal(U, [[[[INF, 0.5, 0.5, 0, NAN]]]])


# Sizes


@modes
@paddings
@both_conventions
@pytest.mark.parametrize(
    ("shape", "out"),
    [
        ((0, 2, 3, 4), (2, 2)),
        ((2, 0, 3, 4), (2, 2)),
        ((2, 2, 3, 4), (0, 2)),
        ((2, 2, 3, 4), (2, 0)),
        ((0, 0, 3, 4), (0, 0)),
    ],
)
def test_empty_batches_channels_and_outputs(mode, padding_mode, align_corners, shape, out):
    settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    U, grid = np.ones(shape), np.zeros((shape[0], *out, 2))
    V, pullback = vjp(lambda U, g: grid_sample(U, g, **settings), U, grid)
    assert V.shape == (*shape[:2], *out)
    U_bar, grid_bar = pullback(V)
    assert (U_bar.shape, grid_bar.shape) == (U.shape, grid.shape)
    theta = np.ones((shape[0], 2, 3))
    size = (shape[0], 7, *out)
    V, pullback = vjp(lambda U, t: spatial_transform(U, t, size, **settings), U, theta)
    assert V.shape == (*shape[:2], *out)
    assert pullback(V)[1].shape == theta.shape


@modes
@paddings
@both_conventions
def test_a_single_pixel(mode, padding_mode, align_corners):
    U = np.full((2, 3, 1, 1), 5.0)
    settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    V = grid_sample(U, np.zeros((2, 2, 2, 2)), **settings)
    assert np.array_equal(V, np.full((2, 3, 2, 2), 5.0))
    # Far away: under align_corners one pixel is everywhere, else it ends.
    V = grid_sample(U, np.full((2, 1, 1, 2), 9.0), **settings)
    here = align_corners or padding_mode != "zeros"
    assert np.array_equal(V, np.full((2, 3, 1, 1), 5.0 if here else 0.0))


@pytest.mark.parametrize("align_corners", [True, False])
def test_one_pixel_high_and_one_pixel_wide(align_corners):
    row = np.array([[[[1.0, 3.0, 9.0]]]])
    x = 0.5 if align_corners else 1 / 3  # x_px = 1.5
    for U, grid in ((row, [[[[x, 0.0]]]]), (row.transpose(0, 1, 3, 2), [[[[0.0, x]]]])):
        V = grid_sample(U, np.array(grid), align_corners=align_corners)
        np.testing.assert_allclose(V, [[[[6.0]]]], rtol=4 * EPS)


# Dtypes and memory


@modes
@paddings
@both_conventions
def test_half_precision_is_computed_in_single_and_rounded_once(mode, padding_mode, align_corners):
    rng = np.random.default_rng(11)
    U = rng.normal(size=(2, 2, 9, 30)).astype(np.float16)
    grid = rng.uniform(-1.2, 1.2, (2, 4, 5, 2)).astype(np.float16)
    theta = rng.uniform(-1, 1, (2, 2, 3)).astype(np.float16)
    V_bar = rng.normal(size=(2, 2, 4, 5)).astype(np.float16)
    settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    for f, where in (
        (lambda U, grid: grid_sample(U, grid, **settings), grid),
        (lambda U, theta: spatial_transform(U, theta, V_bar.shape, **settings), theta),
    ):
        V, pullback = vjp(f, U, where)
        V_single, single = vjp(f, U.astype(np.float32), where.astype(np.float32))
        assert V.dtype == np.float16
        assert np.array_equal(V, V_single.astype(np.float16))
        bars, singles = pullback(V_bar), single(V_bar.astype(np.float32))
        assert [bar.dtype for bar in bars] == [np.float16] * 2
        assert np.array_equal(bars[0], singles[0].astype(np.float16))
        assert np.array_equal(bars[1], singles[1].astype(np.float16))


@pytest.mark.parametrize(
    ("U_dtype", "grid_dtype"), list(product([np.float16, np.float32, np.float64], repeat=2))
)
def test_the_result_has_the_dtype_of_the_image_and_each_cotangent_its_own(U_dtype, grid_dtype):
    rng = np.random.default_rng(12)
    U, grid = integers(rng, 2, 3, 5, 9).astype(U_dtype), np.zeros((2, 2, 4, 2), grid_dtype)
    grid[..., 0], grid[..., 1] = 0.125, 0.25  # quarters of pixels
    theta = np.zeros((2, 2, 3), grid_dtype)
    for f, where in (
        (lambda U, g: grid_sample(U, g, align_corners=True), grid),
        (lambda U, t: spatial_transform(U, t, (2, 3, 2, 4), align_corners=True), theta),
    ):
        V, pullback = vjp(f, U, where)
        assert V.dtype == U_dtype
        exact_V = f(U.astype(float), where.astype(float))
        assert np.array_equal(V, exact_V.astype(U_dtype))
        bars = pullback(np.ones(V.shape, U_dtype))
        assert [bar.dtype for bar in bars] == [U_dtype, grid_dtype]


def memory_layouts(array):
    """The same numbers in other memory; all read-only."""
    layouts = {
        "fortran": np.asfortranarray(array),
        "channels last": np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 1, -1)), -1, 1),
        "every other": np.repeat(array, 2, axis=-1)[..., ::2],
        "backwards": np.ascontiguousarray(array[..., ::-1, :])[..., ::-1, :],
        "inside a larger one": np.pad(array, 1)[(slice(1, -1),) * array.ndim],
    }
    for layout in layouts.values():
        assert np.array_equal(layout, array)
        layout.flags.writeable = False
    return layouts


@modes
@paddings
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_memory_layout_never_changes_a_bit_of_the_result(mode, padding_mode, dtype):
    rng = np.random.default_rng(13)
    U = rng.normal(size=(2, 3, 4, 5)).astype(dtype)
    grid = rng.uniform(-1.3, 1.3, (2, 6, 3, 2)).astype(dtype)
    V_bar = rng.normal(size=(2, 3, 6, 3)).astype(dtype)
    settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": False}

    def all_three(U, grid, V_bar):
        V, pullback = vjp(lambda U, g: grid_sample(U, g, **settings), U, grid)
        return (V, *pullback(V_bar))

    expected = all_three(U, grid, V_bar)
    turned = [memory_layouts(array) for array in (U, grid, V_bar)]
    for layout in turned[0]:
        inputs = [layouts[layout] for layouts in turned]
        for name, found, right in zip(("V", "U", "grid"), all_three(*inputs), expected):
            assert np.array_equal(found, right), f"{name} with {layout} memory"


@both_conventions
def test_the_memory_layout_never_changes_a_bit_of_a_spatial_transform(align_corners):
    rng = np.random.default_rng(19)
    U, theta = rng.normal(size=(2, 3, 4, 5)), rng.normal(size=(2, 2, 3))
    V_bar = rng.normal(size=(2, 3, 6, 3))

    def all_three(U, theta, V_bar):
        V, pullback = vjp(
            lambda U, t: spatial_transform(U, t, V_bar.shape, align_corners=align_corners),
            U,
            theta,
        )
        return (V, *pullback(V_bar))

    expected = all_three(U, theta, V_bar)
    turned = [memory_layouts(array) for array in (U, theta, V_bar)]
    for layout in turned[0]:
        inputs = [layouts[layout] for layouts in turned]
        for name, found, right in zip(("V", "U", "theta"), all_three(*inputs), expected):
            assert np.array_equal(found, right), f"{name} with {layout} memory"


def test_one_image_or_one_grid_for_all_may_be_broadcast():
    rng = np.random.default_rng(14)
    U, grid = rng.normal(size=(1, 3, 4, 5)), rng.uniform(-1.3, 1.3, (1, 6, 3, 2))
    flat = np.broadcast_to(U[:, :1, :, :1], (4, 3, 4, 5))  # stride 0 along three axes
    many_grids = np.broadcast_to(grid, (4, 6, 3, 2))
    for image in (np.broadcast_to(U, (4, 3, 4, 5)), flat):
        V_bar = np.broadcast_to(rng.normal(size=(1, 3, 1, 1)), (4, 3, 6, 3))
        V, pullback = vjp(lambda U, g: grid_sample(U, g, align_corners=True), image, many_grids)
        V_copied, pullback_copied = vjp(
            lambda U, g: grid_sample(U, g, align_corners=True), image.copy(), many_grids.copy()
        )
        assert np.array_equal(V, V_copied)
        for found, expected in zip(pullback(V_bar), pullback_copied(V_bar.copy())):
            assert np.array_equal(found, expected)


@modes
@paddings
def test_inputs_are_never_modified(mode, padding_mode):
    rng = np.random.default_rng(15)
    U, grid = rng.normal(size=(2, 3, 4, 5)), rng.uniform(-2, 2, (2, 6, 3, 2))
    theta, V_bar = rng.normal(size=(2, 2, 3)), rng.normal(size=(2, 3, 6, 3))
    grid[0, 0, 0, 0], grid[0, 1, 0, 1], grid[1, 0] = NAN, INF, 1e38
    settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": True}
    before = [array.tobytes() for array in (U, grid, theta, V_bar)]
    vjp(lambda U, g: grid_sample(U, g, **settings), U, grid)[1](V_bar)
    vjp(lambda U, t: spatial_transform(U, t, V_bar.shape, **settings), U, theta)[1](V_bar)
    assert [array.tobytes() for array in (U, grid, theta, V_bar)] == before
    assert all(array.flags.writeable for array in (U, grid, theta, V_bar))


# Three dimensions


def literal_volume(U, x, y, z, kernels):
    """Eq. (3) with one more sum."""
    k_x, k_y, k_z = kernels
    total = F(0)
    for d, n, m in np.ndindex(*U.shape):
        total += F(U[d, n, m]) * k_x(x - m) * k_y(y - n) * k_z(z - d)
    return total


def hat_slope(t):
    """To the right: as in eq. (7)."""
    return -1 if 0 <= t < 1 else (1 if -1 <= t < 0 else 0)


@paddings
@both_conventions
@pytest.mark.parametrize(
    ("mode", "kernel", "slope"),
    [
        ("bilinear", equations.hat, hat_slope),
        ("bicubic", keys, keys_slope),
        ("nearest", lambda t: int(F(-1, 2) <= t < F(1, 2)), lambda t: 0),
    ],
)
def test_volumes_follow_the_equations_exactly(mode, kernel, slope, padding_mode, align_corners):
    rng = np.random.default_rng(16)
    U, V_bar = integers(rng, 1, 1, 2, 3, 4), integers(rng, 1, 1, 10)
    points = dyadic_points(rng, 1, (4, 3, 2), 10)
    settings = setup(mode, padding_mode, align_corners)
    V, pullback = vjp(lambda U, p: sample(U, p, setup=settings), U, points)
    U_bar, points_bar = pullback(V_bar)
    reach = 8
    image = extended(U, reach, padding_mode, align_corners)[0, 0]
    for p in range(10):
        coordinates = [F(c) + reach for c in points[0, p].tolist()]
        corner = [floor(c) - 2 for c in coordinates]
        window = image[tuple(slice(c, c + 6) for c in reversed(corner))]
        near = [c - low for c, low in zip(coordinates, corner)]
        assert F(V[0, 0, p]) == literal_volume(window, *near, [kernel] * 3)
        for k in range(3):
            kernels = [slope if axis == k else kernel for axis in range(3)]
            expected = F(V_bar[0, 0, p]) * literal_volume(window, *near, kernels)
            assert F(points_bar[0, p, k]) == expected
    assert (exact(V) * exact(V_bar)).sum() == (exact(U) * exact(U_bar)).sum()


@modes
@both_conventions
def test_the_identity_returns_a_volume_bit_for_bit(mode, align_corners):
    U = np.random.default_rng(17).normal(size=(2, 2, 3, 4, 5))
    theta = np.repeat(np.eye(3, 4)[None], 2, axis=0)
    V = spatial_transform(U, theta, U.shape, mode=mode, align_corners=align_corners)
    assert np.array_equal(V, U)


def test_a_volume_is_flipped_along_its_depth_by_the_third_coordinate():
    U = np.arange(24.0).reshape(1, 1, 2, 3, 4)
    theta = np.array([[[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, 0]]])
    V = spatial_transform(U, theta, U.shape, align_corners=True)
    assert np.array_equal(V, U[:, :, ::-1])


@modes
@paddings
def test_odd_coordinates_in_volumes(mode, padding_mode):
    rng = np.random.default_rng(18)
    U = rng.normal(size=(1, 2, 2, 3, 4))
    for axis, odd in product(range(3), odd_coordinates(np.float64)):
        grid = np.zeros((1, 1, 1, 2, 3))
        grid[0, 0, 0, 1, axis] = odd
        V, pullback = vjp(
            lambda U, g: grid_sample(U, g, mode=mode, padding_mode=padding_mode, align_corners=False),
            U,
            grid,
        )
        U_bar, grid_bar = pullback(np.ones(V.shape))
        undefined = np.isnan(odd) or (np.isinf(odd) and padding_mode == "reflection")
        assert np.isnan(V).any((0, 1, 2, 3)).tolist() == [False, undefined]
        assert np.isnan(grid_bar).any(-1)[0, 0, 0].tolist() == [False, undefined]
        assert np.isfinite(U_bar).all()


# Refusals


U, GRID = np.ones((2, 3, 4, 5)), np.zeros((2, 6, 7, 2))
THETA = np.ones((2, 2, 3))


@pytest.mark.parametrize(
    ("image", "grid", "message"),
    [
        (U[0], GRID, r"U has shape \(3, 4, 5\), expected \(N, C, H, W\).*use U\[None\] for a batch"),
        (U[0, 0], GRID, r"U has shape \(4, 5\), .*use U\[None, None\]"),
        (np.ones((2, 3, 0, 5)), GRID, r"U has shape \(2, 3, 0, 5\), an image without pixels"),
        (U, np.zeros((2, 2, 6, 7)), r"grid has shape \(2, 2, 6, 7\), expected \(N, H', W', 2\); the "
         r"last axis holds \(x, y\)\. It looks channel-first: use np\.moveaxis\(grid, 1, -1\)"),
        (U, GRID[0], r"grid has shape \(6, 7, 2\), .*use grid\[None\] for a batch of one"),
        (U, np.zeros((2, 6, 7, 3)), r"grid has shape \(2, 6, 7, 3\), expected \(N, H', W', 2\)"),
        (U, GRID[:1], r"grid has shape \(1, 6, 7, 2\) but U has shape .*np\.broadcast_to\(grid, \(2,"),
        (np.ones((2, 3, 4, 5, 6)), GRID, r"grid has shape .*\(N, D', H', W', 3\).*\(x, y, z\)"),
    ],
)  # fmt: skip
def test_shapes_that_do_not_fit_are_refused(image, grid, message):
    with pytest.raises(ValueError, match=rf"grid_sample: {message}"):
        grid_sample(image, grid, align_corners=True)


@pytest.mark.parametrize(
    ("image", "theta", "size", "message"),
    [
        (U[0], THETA, U.shape, r"U has shape \(3, 4, 5\), expected \(N, C, H, W\)"),
        (U, THETA[:1], U.shape, r"theta has shape \(1, 2, 3\), .* one 'affine' map for each .*np\.repeat"),
        (U, np.ones((2, 3, 4)), U.shape, r"theta has shape \(2, 3, 4\), expected \(2, 2, 3\)"),
        (U, np.ones((2, 8)), U.shape, r"theta has shape \(2, 8\), .*8 numbers for an image fit 'projective'"),
        (U, THETA, (4, 5), r"size is \(4, 5\), .*use \(N, C, 4, 5\)"),
        (U, THETA, (1, 3, 4, 5), r"size is \(1, 3, 4, 5\) but"),
    ],
)
def test_spatial_transform_refuses_what_does_not_fit(image, theta, size, message):
    with pytest.raises(ValueError, match=rf"spatial_transform: {message}"):
        spatial_transform(image, theta, size, align_corners=True)


CALLS = {
    "grid_sample": lambda U=U, where=GRID, **settings: grid_sample(U, where, **settings),
    "spatial_transform": lambda U=U, where=THETA, **settings: spatial_transform(
        U, where, U.shape, **settings
    ),
}
both_functions = pytest.mark.parametrize("name", list(CALLS))


@both_functions
@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.bool_, np.complex128, np.longdouble])
def test_other_dtypes_are_refused_by_name(name, dtype):
    call, where = CALLS[name], {"grid_sample": GRID, "spatial_transform": THETA}[name]
    argument = {"grid_sample": "grid", "spatial_transform": "theta"}[name]
    came = rf"has dtype {np.dtype(dtype)}, expected float16, float32 or float64"
    with pytest.raises(TypeError, match=rf"{name}: U {came}"):
        call(U=U.astype(dtype), align_corners=True)
    with pytest.raises(TypeError, match=rf"{name}: {argument} {came}"):
        call(where=where.astype(dtype), align_corners=True)


@both_functions
def test_lists_are_refused_with_the_way_to_mend_it(name):
    with pytest.raises(TypeError, match=rf"{name}: \w+ is .*use np\.asarray\("):
        CALLS[name](where=[[1.0]], align_corners=True)


@both_functions
@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("mode", "bilinaer", r"one of 'nearest', 'bilinear', 'bicubic', .* or a Kernel"),
        ("padding_mode", "zero", r"one of 'zeros', 'border', 'reflection'"),
        ("padding_mode", None, r"one of 'zeros', 'border', 'reflection'"),
        ("kink", "centre", r"one of 'right', 'left', 'mid', 'paper'"),
    ],
)
def test_settings_are_refused_by_name(name, setting, value, expected):
    with pytest.raises(ValueError, match=rf"{name}: {setting} is {value!r}, expected {expected}"):
        CALLS[name](**{setting: value}, align_corners=True)


@both_functions
def test_align_corners_has_no_default_and_is_a_switch(name):
    with pytest.raises(TypeError, match="align_corners"):
        CALLS[name]()
    for value in ("False", None, 1):
        with pytest.raises(TypeError, match=rf"{name}: align_corners is {value!r}, expected True or False"):
            CALLS[name](align_corners=value)
    CALLS[name](align_corners=np.True_)


@both_conventions
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("kink", ["left", "mid"])
def test_a_kink_far_beyond_the_image_is_read_from_the_same_side_as_its_mirror_image(
    mode, kink, align_corners
):
    U, V = np.random.default_rng(6).normal(size=(1, 1, 4, 5)), np.ones((1, 1, 1))
    settings = setup(mode, "reflection", align_corners, kink)
    far = 2.0**60  # floats are 256 apart there
    period = 2 * (5 - align_corners)
    near, beyond = (slopes(U, np.array([[[x, 0.5]]]), V, setup=settings) for x in (far % period, far))
    np.testing.assert_array_equal(beyond, near)
