"""Widths of kernels: learnt ones, given ones, and those that follow the grid against aliasing."""

from functools import partial
from itertools import product

import numpy as np
import pytest
from scipy import ndimage

from stn_ref import (
    BICUBIC,
    BILINEAR,
    CUBIC_SPLINE,
    LANCZOS,
    NEAREST,
    Kernel,
    Tensor,
    bicubic,
    exp,
    gaussian,
    grad,
    gradcheck,
    grid_sample,
    spatial_transform,
    stack,
    vjp,
)
from stn_ref.nn import Adam
from stn_ref.ops.grids import affine_points
from stn_ref.ops.widths import WIDEST, local_scale
from stn_ref.pixels import PADDING_MODES, to_normalised

EPS = np.finfo(float).eps
INF, NAN = np.inf, np.nan
IDENTITY = np.eye(2, 3)[None]

paddings = pytest.mark.parametrize("padding_mode", PADDING_MODES)
both_conventions = pytest.mark.parametrize("align_corners", [True, False])


def by_name(kernel):
    return kernel.name


def normalised(points, sizes, align_corners):
    """Pixel coordinates (..., d) as a grid, for an image of ``sizes`` (W, H(, D))."""
    columns = [to_normalised(points[..., k], n, align_corners) for k, n in enumerate(sizes)]
    return np.stack(columns, axis=-1)


def distances(points, widths, ends):
    """How near |x - m| / w comes to one of the ends, times w: the distance to the nearest kink."""
    t = points - np.floor(points)
    offsets = np.arange(-70, 71).reshape(-1, *[1] * points.ndim)
    return min(np.abs(np.abs(t - offsets) - end * widths).min() for end in ends)


# A width that is given


PEAK = np.array([[[[0.0, 0.0, 6.0, 0.0, 0.0]]]])
MIDDLE = np.zeros((1, 1, 1, 2))


def middle(width, U=PEAK, kernel=BILINEAR, **settings):
    """The sample at the pixel in the middle of a row; one value."""
    settings = {"padding_mode": "border", "align_corners": True, **settings}
    return grid_sample(U, MIDDLE, mode=kernel.widened(width), **settings)[0, 0, 0, 0]


@pytest.mark.parametrize("width", [1.125, 1.5, 1.75])
def test_the_hat_as_a_function_of_its_width_in_closed_form(width):
    # Its neighbours weigh 1 - 1/w each, so that the peak of 6 becomes 6 / (3 - 2/w) = 6 w / (3 w - 2).
    s = 3 * width - 2
    for f, expected in ((middle, 6 * width / s), (grad(middle), -12 / s**2), (grad(grad(middle)), 72 / s**3)):
        assert float(f(width)) == pytest.approx(expected, rel=64 * EPS)


def test_a_wider_hat_by_hand():
    assert middle(2.0) == 3  # 1/4, 1/2, 1/4
    assert middle(4.0) == pytest.approx(1.5, rel=8 * EPS)  # 4/4 of 1 + 2 (3 + 2 + 1)/4, and beyond the border
    row = np.array([[[[1.0, 2.0, 4.0, 8.0, 16.0]]]])
    assert middle(2.0, row) == 2 / 4 + 4 / 2 + 8 / 4
    assert middle(2.0, row.transpose(0, 1, 3, 2)) == 2 / 4 + 4 / 2 + 8 / 4
    assert middle((2.0, 1.0), row) == 2 / 4 + 4 / 2 + 8 / 4  # x first
    assert middle((1.0, 2.0), row) == 4


def test_so_narrow_that_no_pixel_is_in_reach_gives_0():
    U = np.ones((1, 1, 1, 4))  # the middle lies between two pixels
    assert middle(0.25, U) == 0
    assert grad(middle)(0.25, U) == 0
    assert middle(0.5625, U) == 1


@pytest.mark.parametrize(
    ("kink", "slope", "width_slope"), [("right", 4.5, 3.0), ("left", 2.25, -0.75), ("mid", 3.375, 1.125)]
)
def test_at_its_kinks_the_widened_hat_has_the_derivatives_just_beside_them(kink, slope, width_slope):
    # With w = 2 a pixel has kinks at t = 0 and t = +-2. The weights 1/2, 1, 1/2 of 2, 4 and 8 have the sum
    # 2 and give 9/2. To the right 2 and 4 lose 1/2 a pixel, 8 and 16 gain it: (-1 - 2 + 4 + 8) / 2 = 9/2;
    # to the left (-1/2 - 1 + 2 + 4) / 2 = 9/4. A weight grows with w by |t| / w^2, the sum too. A little to
    # the right of this place 1 is out of reach and 16 within it: (2/4 + 8/4 + 16/2 - 9/2) / 2 = 3; to the
    # left the other way round: (1/2 + 2/4 + 8/4 - 9/2) / 2 = -3/4.
    row = np.array([[[[1.0, 2.0, 4.0, 8.0, 16.0]]]])

    def f(grid, width):
        settings = {"padding_mode": "border", "align_corners": True, "kink": kink}
        return grid_sample(row, grid, mode=BILINEAR.widened(width), **settings)

    V, pullback = vjp(f, MIDDLE, np.array([2.0, 1.0]))
    assert V == 4.5
    grid_bar, width_bar = pullback(np.ones(V.shape))
    assert grid_bar[0, 0, 0].tolist() == [2 * slope, 0]  # a unit of the grid is (W - 1) / 2 = 2 pixels
    assert width_bar.tolist() == [width_slope, 0]


def test_position_and_width_are_read_at_the_same_place_beside_a_kink():
    """The pixel at the end of the kernel stays there while both move: a constant 0 has no slope."""
    U = np.zeros((1, 1, 1, 9))
    U[..., 4] = 1

    def stays(s):
        grid = stack([s * 0.5, s * 0.0], axis=-1).reshape(1, 1, 1, 2)  # 2 s pixels right of the centre
        kernel = BILINEAR.widened(stack([s * 2.0, s * 0.0 + 1.0], axis=-1))
        return grid_sample(U, grid, mode=kernel, align_corners=True).sum()

    for s in (1.0, 1.5):
        assert grad(stays)(np.array(s)) == 0


def test_shrunk_by_an_odd_factor_the_gradient_is_a_slope_of_the_function():
    """15 to 5 pixels: every sample lies on kinks of its kernel, and theta moves both place and width."""
    U = np.random.default_rng(0).uniform(size=(1, 1, 15, 15))

    def shrunk(theta):
        settings = {"align_corners": False, "antialias": True, "padding_mode": "border", "kink": "mid"}
        return spatial_transform(U, theta, (1, 1, 5, 5), transformation="scale", **settings)

    assert gradcheck(shrunk, (np.ones((1, 2)),)).passed


@pytest.mark.parametrize("kink", ["mid"])
@pytest.mark.parametrize("width", [1.0, 2.0, 3.0])
def test_at_its_kinks_the_mean_derivative_for_the_width_lies_between_those_of_both_sides(width, kink):
    U = np.random.default_rng(20).normal(size=(1, 1, 3, 5))

    def blurred(width):
        settings = {"padding_mode": "border", "align_corners": True, "kink": kink}
        return spatial_transform(U, IDENTITY, U.shape, mode=BILINEAR.widened(width), **settings)

    assert gradcheck(blurred, (np.array(width),)).passed


def test_a_width_that_is_a_function_is_asked_for_anew_each_time():
    U, log_width = np.random.default_rng(4).normal(size=(1, 1, 4, 5)), Tensor(0.3, requires_grad=True)
    kernel = gaussian(lambda: exp(log_width))
    for _ in range(2):  # a width worked out once would have been freed by the first backward
        grid_sample(U, MIDDLE, mode=kernel, align_corners=True).sum().backward()
    expected = grad(lambda w: grid_sample(U, MIDDLE, mode=gaussian(exp(w)), align_corners=True).sum())(0.3)
    assert float(log_width.grad) == pytest.approx(2 * float(expected), rel=8 * EPS)


def test_widths_for_all_for_each_axis_and_for_each_sample_agree():
    rng = np.random.default_rng(0)
    U, grid = rng.normal(size=(2, 3, 5, 6)), rng.uniform(-1.2, 1.2, (2, 3, 4, 2))
    V = grid_sample(U, grid, mode=BILINEAR.widened(1.5), align_corners=True)
    full = np.full((2, 3, 4, 2), 1.5)
    for width in (np.array(1.5), [1.5, 1.5], (1.5, 1.5), full[:1, :1, :1], full[..., :1], full, Tensor(full)):
        again = grid_sample(U, grid, mode=BILINEAR.widened(width), align_corners=True)
        assert np.array_equal(again.data if isinstance(again, Tensor) else again, V)
    assert np.array_equal(grid_sample(U, grid, mode=BILINEAR.widened(np.array(2)), align_corners=True),
                          grid_sample(U, grid, mode=BILINEAR.widened(2.0), align_corners=True))  # fmt: skip


def test_every_sample_is_taken_with_its_own_width():
    rng = np.random.default_rng(1)
    U, grid = rng.normal(size=(2, 2, 5, 6)), rng.uniform(-1.2, 1.2, (2, 3, 4, 2))
    widths = rng.uniform(0.6, 3.0, (2, 3, 4, 2))
    V = grid_sample(U, grid, mode=BICUBIC.widened(widths), align_corners=False)
    for n, i, j in np.ndindex(2, 3, 4):
        alone = grid_sample(
            U[n : n + 1],
            grid[n : n + 1, i : i + 1, j : j + 1],
            mode=BICUBIC.widened(tuple(widths[n, i, j])),
            align_corners=False,
        )
        assert np.array_equal(V[n, :, i, j], alone[0, :, 0, 0])


@paddings
@both_conventions
def test_a_wide_kernel_is_a_filter_of_the_whole_image(padding_mode, align_corners):
    U = np.random.default_rng(2).normal(size=(1, 1, 6, 9))
    mode = {"zeros": "constant", "border": "nearest", "reflection": "mirror" if align_corners else "reflect"}
    for width, kernel, taps in (
        (2.0, BILINEAR, [1, 2, 1]),
        (3.0, BILINEAR, [1, 2, 3, 2, 1]),
        (3.0, NEAREST, [1, 1, 1]),
    ):
        settings = {"padding_mode": padding_mode, "align_corners": align_corners}
        V = spatial_transform(U, IDENTITY, U.shape, mode=kernel.widened(width), **settings)
        expected = U[0, 0]
        for axis in (0, 1):
            weights = np.array(taps) / sum(taps)
            expected = ndimage.correlate1d(expected, weights, axis=axis, mode=mode[padding_mode])
        np.testing.assert_allclose(V[0, 0], expected, rtol=0, atol=32 * EPS * np.abs(U).max())


@pytest.mark.parametrize(
    ("kernel", "ends", "width", "padding_mode", "align_corners", "order"),
    [
        (BILINEAR, (0.0, 1.0), 1.4375, "zeros", True, 2),
        (BILINEAR, (0.0, 1.0), 1.4375, "reflection", False, 1),
        (BICUBIC, (1.0, 2.0), 1.4375, "reflection", False, 2),
        (CUBIC_SPLINE, (1.0, 2.0), 1.3125, "border", True, 1),
        (LANCZOS, (3.0,), 0.8125, "zeros", False, 1),
        (gaussian(1.0), (4.0,), 0.5625, "reflection", True, 1),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_gradients_flow_to_image_grid_and_width(kernel, ends, width, padding_mode, align_corners, order):
    rng = np.random.default_rng(3)
    U = rng.normal(size=(1, 2, 3, 4))
    points = rng.integers(-1, 4, (1, 1, 2, 2)) + rng.choice([0.15625, 0.28125, 0.84375], (1, 1, 2, 2))
    assert distances(points, width, ends) >= 1 / 32  # so that no difference straddles a kink
    grid = normalised(points, (4, 3), align_corners)

    def sampled(U, grid, width):
        settings = {"padding_mode": padding_mode, "align_corners": align_corners}
        return grid_sample(U, grid, mode=kernel.widened(width), **settings)

    assert gradcheck(sampled, (U, grid, np.array(width)), order=order, elements=6, directions=1).passed


@pytest.mark.parametrize("shape", [(), (2,), (2, 1, 1, 1), (2, 1, 3, 2)])
def test_widths_of_every_shape_have_gradients(shape):
    rng = np.random.default_rng(4)
    U = rng.normal(size=(2, 1, 3, 4))
    theta = np.array([[[0.6, 0.1, 0.05], [-0.1, 0.7, 0.03]]] * 2) + rng.uniform(-0.02, 0.02, (2, 2, 3))
    phi = rng.uniform(0.2, 0.5, shape)

    def transformed(U, theta, phi):
        # exp(...) of a parameter stays positive
        settings = {"mode": BICUBIC.widened(exp(phi)), "padding_mode": "border", "align_corners": False}
        return spatial_transform(U, theta, (2, 1, 1, 3), **settings)

    order = 2 if shape == (2,) else 1
    assert gradcheck(transformed, (U, theta, phi), order=order, elements=4, directions=1).passed
    single = [x.astype(np.float32) for x in (U, theta, phi)]
    V, pullback = vjp(transformed, *single)
    assert V.dtype == np.float32
    assert [bar.dtype for bar in pullback(V)] == [np.float32] * 3
    assert [bar.shape for bar in pullback(V)] == [x.shape for x in single]
    assert gradcheck(transformed, single, elements=6, directions=1).passed


def test_the_width_of_a_tensor_gets_a_gradient_in_its_own_dtype():
    U, grid = np.random.default_rng(5).normal(size=(1, 1, 4, 5)), np.full((1, 1, 1, 2), 0.3)
    for dtype in (np.float16, np.float32, np.float64):
        width = Tensor(np.array([1.5, 1.25], dtype), requires_grad=True)
        grid_sample(U, grid, mode=BILINEAR.widened(width), align_corners=True).sum().backward()
        assert width.grad.dtype == dtype
        assert width.grad.shape == (2,)
        assert width.grad.all()


@pytest.mark.parametrize(
    ("width", "message"),
    [
        (0, r"is 0, expected more than 0 and at most 64 pixels, .*\(4, 5\); .*lambda: exp\(log_width\)"),
        (-1.5, r"is -1\.5, expected more than 0"),
        (NAN, r"is nan, expected more than 0"),
        (INF, r"is inf, expected more than 0"),
        (64.5, r"is 64\.5, expected more than 0 and at most 64 pixels"),
        ([1.0, 0.0], r"is 0, expected more than 0"),
        (Tensor(np.array([2.0, -3.0])), r"is -3, expected more than 0"),
        ([1.0, 2.0, 3.0], r"has shape \(3,\), expected \(\), \(2,\) with x first, or .* \(2, 6, 7, 2\)"),
        (np.ones((6, 2)), r"has shape \(6, 2\), expected"),
    ],
    ids=str,
)
def test_widths_out_of_range_or_shape_are_refused(width, message):
    U, grid = np.ones((2, 3, 4, 5)), np.zeros((2, 6, 7, 2))
    with pytest.raises(ValueError, match=rf"^grid_sample: the width of the kernel 'bilinear' {message}"):
        grid_sample(U, grid, mode=BILINEAR.widened(width), align_corners=True)
    theta = np.ones((2, 2, 3))
    with pytest.raises(ValueError, match=r"^spatial_transform: the width of the kernel 'bilinear'"):
        spatial_transform(U, theta, (2, 3, 6, 7), mode=BILINEAR.widened(width), align_corners=True)


@pytest.mark.parametrize(
    "width", ["wide", 2j, {}, [[1.0], [2.0, 3.0]], np.array("wide"), np.array(2j), np.array([None])], ids=str
)
def test_widths_that_are_no_numbers_are_refused(width):
    U, grid = np.ones((2, 3, 4, 5)), np.zeros((2, 6, 7, 2))
    message = r"^grid_sample: the width of the kernel 'gaussian' is .*, expected a positive number, array or"
    with pytest.raises(TypeError, match=message):
        grid_sample(U, grid, mode=gaussian(width), align_corners=True)


def test_the_larger_the_image_and_the_smaller_the_radius_the_wider_a_kernel_may_be():
    for U, kernel, limit in (
        (np.ones((1, 1, 1, 100)), BILINEAR, 200),
        (np.ones((1, 1, 1, 100)), NEAREST, 400),
        (np.ones((1, 1, 3, 4)), bicubic(), 32),
    ):
        # It sees all of the image from anywhere within it, so that a wider one would hardly differ.
        V = middle((limit, 1.0), U, kernel)
        assert abs(V - 1) <= 4 * limit * EPS
        with pytest.raises(ValueError, match=rf"at most {limit} pixels"):
            grid_sample(U, MIDDLE, mode=kernel.widened(limit * 1.001), align_corners=True)


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_antialias_is_a_switch(value):
    with pytest.raises(TypeError, match=rf"grid_sample: antialias is {value!r}, expected True or False"):
        grid_sample(PEAK, MIDDLE, align_corners=True, antialias=value)


# Odd coordinates


ODD = [1e10, -(2.0**62), 1e38, -1e300, INF, -INF, NAN]


@paddings
@both_conventions
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("antialias", [True, False])
def test_an_odd_coordinate_touches_no_other_sample(padding_mode, align_corners, dtype, antialias):
    rng = np.random.default_rng(6)
    U, grid = rng.normal(size=(2, 2, 4, 5)).astype(dtype), rng.uniform(-1.3, 1.3, (2, 3, 4, 2)).astype(dtype)
    V_bar = rng.normal(size=(2, 2, 3, 4)).astype(dtype)
    kernel = BILINEAR if antialias else gaussian(dtype(0.75))  # whose radius is 3 pixels
    settings = {"padding_mode": padding_mode, "align_corners": align_corners, "antialias": antialias}

    def all_three(grid, V_bar):
        V, pullback = vjp(lambda U, g: grid_sample(U, g, mode=kernel, **settings), U, grid)
        return (V, *pullback(V_bar))

    V, U_bar, grid_bar = all_three(grid, V_bar)
    largest = float(np.finfo(dtype).max)
    for odd in (c for c in ODD if not np.isfinite(c) or abs(c) <= largest):
        changed = grid.copy()
        changed[1, 1, 2, 0] = odd
        V_odd, U_bar_odd, grid_bar_odd = all_three(changed, V_bar)
        here = np.zeros((2, 3, 4), bool)
        here[1, 1, 2] = True
        if antialias:  # its four neighbours may be wider or narrower for it
            here[1, 0, 2] = here[1, 2, 2] = here[1, 1, 1] = here[1, 1, 3] = True
        elsewhere = np.broadcast_to(~here[:, None], V.shape)
        assert np.array_equal(V_odd[elsewhere], V[elsewhere])
        assert np.array_equal(U_bar_odd[0], U_bar[0])
        assert np.isfinite(U_bar_odd).all()
        undefined = np.isnan(odd) or (np.isinf(odd) and padding_mode == "reflection")
        lost = np.zeros((2, 3, 4), bool)
        lost[1, 1, 2] = undefined
        assert np.array_equal(np.isnan(V_odd), np.broadcast_to(lost[:, None], V.shape))
        assert np.array_equal(np.isnan(grid_bar_odd), np.broadcast_to(lost[..., None], grid.shape))
        assert np.isfinite(grid_bar_odd[~lost]).all()
        if not antialias:
            assert np.array_equal(grid_bar_odd[~here], grid_bar[~here])
        if padding_mode == "zeros" and not undefined:
            assert not V_odd[1, :, 1, 2].any()


@both_conventions
@pytest.mark.parametrize("kernel", [BILINEAR, BICUBIC, gaussian(0.5)], ids=by_name)
def test_far_away_a_wide_kernel_sees_the_edge_or_nothing_or_a_mirror_image(kernel, align_corners):
    rng = np.random.default_rng(7)
    U = rng.normal(size=(1, 2, 4, 8 + align_corners))  # a half span of 4 pixels: nothing is rounded
    width, size = 1.75 if kernel.width is None else 0.875, U.shape[3]
    period = 2 * (size - align_corners)
    for far in (2.0**40, -(2.0**45), 2.0**52):
        assert far % period == 0
        for padding_mode in PADDING_MODES:
            # All of them are whole numbers of periods, of 16 pixels.
            grid = normalised(np.array([[[[far - 4, 1.25], [-4, 1.25]]]]), (size, 4), align_corners)
            settings = {"padding_mode": padding_mode, "align_corners": align_corners}
            V = grid_sample(U, grid, mode=kernel.widened(width), **settings)
            if padding_mode == "reflection":
                assert np.array_equal(V[..., 0], V[..., 1])
            else:
                edge = U[..., -1:] if far > 0 else U[..., :1]
                edge = np.broadcast_to(edge, U.shape)
                expected = grid_sample(edge, grid[..., 1:, :], mode=kernel.widened(width), **settings)
                if padding_mode == "zeros":
                    expected = 0 * expected
                assert V[..., :1] == pytest.approx(expected, rel=0, abs=64 * EPS * np.abs(U).max())


# The scale of a grid


def scales_of(matrix, size, source=None, **settings):
    """The local scales of an affine map in pixels, (N, ..., d); sizes are equal, so that matrix counts."""
    d = len(size)
    theta = np.concatenate([np.array(matrix, float), np.full((d, 1), 0.1)], axis=1)[None]
    source = source or size
    return local_scale(affine_points(theta, size=size, source=source, align_corners=False))


@pytest.mark.parametrize("size", [(5, 6), (3, 4, 5)])
def test_the_identity_flips_and_enlargements_have_scale_1_exactly(size):
    d = len(size)
    for matrix in (np.eye(d), -np.eye(d), 0.5 * np.eye(d)):
        assert (scales_of(matrix, size) == 1).all()
    assert (scales_of(np.eye(d)[::-1], (4,) * d) == 1).all()


@pytest.mark.parametrize("degrees", [0, 10, 45, 90, 123])
def test_a_rotation_widens_nothing(degrees):
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    # Coordinates of up to 6 pixels are rounded, and so are their differences.
    np.testing.assert_allclose(scales_of(turn, (7, 7)), 1, rtol=8 * 8 * EPS)
    np.testing.assert_allclose(scales_of(2.5 * turn, (7, 7)), 2.5, rtol=8 * 8 * EPS)
    around_y = np.eye(3)
    around_y[::2, ::2] = turn
    np.testing.assert_allclose(scales_of(around_y, (5, 5, 5)), 1, rtol=8 * 8 * EPS)


def test_each_source_axis_has_its_own_scale():
    assert scales_of([[3, 0], [0, 2]], (4, 4)).reshape(-1, 2).tolist() == [[3, 2]] * 16
    assert scales_of([[3, 0], [0, 0.5]], (4, 4)).reshape(-1, 2).tolist() == [[3, 1]] * 16
    # 3 along x_t and 4 along y_t: x_s changes by 5 in the direction in which it grows most.
    np.testing.assert_allclose(scales_of([[3, 4], [0, 1]], (4, 4)), [[[[5, 1]] * 4] * 4], rtol=32 * EPS)
    volume = scales_of(np.diag([2, 3, 5]), (2, 2, 2)).reshape(-1, 3)
    np.testing.assert_allclose(volume, [[2, 3, 5]] * 8, rtol=32 * EPS)


def test_the_output_size_counts_too():
    # 12 pixels seen by 4: each is 3 pixels from the next.
    np.testing.assert_allclose(scales_of(np.eye(2), (4, 4), (12, 8)), [[[[2, 3]] * 4] * 4], rtol=8 * EPS)


def test_differences_are_central_and_one_sided_at_the_ends():
    x = np.array([0.0, 2.0, 6.0, 14.0, 30.0])
    points = np.stack([x, 0 * x], axis=-1)[None, None]
    assert local_scale(points)[0, 0, :, 0].tolist() == [2, 3, 6, 12, 16]
    assert local_scale(points)[0, 0, :, 1].tolist() == [1] * 5
    assert np.array_equal(local_scale(points.transpose(0, 2, 1, 3))[0, :, 0], local_scale(points)[0, 0])


def test_an_axis_of_one_sample_and_no_samples_at_all():
    assert local_scale(np.zeros((1, 1, 1, 2))).tolist() == [[[[1, 1]]]]
    assert local_scale(np.zeros((0, 2, 2, 2))).shape == (0, 2, 2, 2)
    assert local_scale(np.zeros((1, 0, 2, 2))).shape == (1, 0, 2, 2)
    V = grid_sample(PEAK, MIDDLE, align_corners=True, antialias=True)
    assert V == 6


def test_the_scale_is_capped():
    x = np.array([0.0, 31.0, 64.0, 1e4, 1e30])
    points = np.stack([x, 0 * x], axis=-1)[None, None]
    assert local_scale(points)[0, 0, :, 0].tolist() == [31, 32, 32, 32, 32]
    assert WIDEST == 32
    for dtype in (np.float32, np.float64):  # no overflow, not even of squares
        largest = np.finfo(dtype).max
        points = np.array([[[[-largest, 0], [largest, 0], [-largest, 0]]]], dtype)
        assert local_scale(points)[..., 0].tolist() == [[[32, 1, 32]]]  # the middle lies between equals
        assert local_scale(points).dtype == dtype


@pytest.mark.parametrize("odd", [NAN, INF, -INF])
def test_neighbours_that_are_not_finite_do_not_count(odd):
    x = np.arange(0, 21, 3.0)
    points = np.stack(np.meshgrid(x, np.arange(0, 9, 2.0)), axis=-1)[None]
    points[0, 2, 3, 0] = odd
    scale = local_scale(points)
    alone = scale[0, 2, 3].copy()
    scale[0, 2, 3] = [3, 2]
    assert (scale == [3, 2]).all()
    assert alone.tolist() == [1, 1]  # it has no neighbours of its own
    # Two of them side by side, at a border: what is left between them and the other border has one side.
    points[0, 2, 1, 0] = odd
    scale = local_scale(points)[0, 2, :, 0]
    assert scale.tolist() == [1, 1, 1, 1, 3, 3, 3]  # 0 and 2 have no neighbour in x, and none in y changes x


# Against aliasing


@paddings
@both_conventions
@pytest.mark.parametrize("kernel", [BILINEAR, BICUBIC, NEAREST, CUBIC_SPLINE, LANCZOS], ids=by_name)
def test_where_the_grid_does_not_shrink_nothing_changes(kernel, padding_mode, align_corners):
    rng = np.random.default_rng(8)
    U = rng.normal(size=(2, 2, 5, 9))
    settings = {"mode": kernel, "padding_mode": padding_mode, "align_corners": align_corners}
    V_bar = rng.normal(size=(2, 2, 4, 6))
    angle = 0.3  # enlarged and turned in pixels
    points = np.stack(np.meshgrid(np.arange(6) * 0.7 + 0.6, np.arange(4) * 0.7 + 0.8), axis=-1)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    grid = np.repeat(normalised(points @ turn, (9, 5), align_corners)[None], 2, axis=0)

    def with_and_without(U, grid, antialias):
        V, pullback = vjp(lambda U, g: grid_sample(U, g, antialias=antialias, **settings), U, grid)
        return (V, *pullback(V_bar))

    plain, widened = (with_and_without(U, grid, antialias) for antialias in (False, True))
    # The same weights, but as t / 1 instead of the fraction, and divided by their sum: some ten roundings
    # of each of up to 12 weights, those of the slopes up to 4 times as large, those of U's coefficients
    # up to 9 times; a unit of the grid is 4.5 pixels, and 24 samples of 2 channels meet in a pixel.
    bound = 10 * 12 * 4 * 9 * 4.5 * EPS * np.abs(U).max()
    for found, expected, count in zip(widened, plain, (1, 24, 2)):
        assert np.abs(found - expected).max() <= bound * count


@paddings
@both_conventions
def test_bilinear_samples_in_eighths_do_not_change_by_a_bit(padding_mode, align_corners):
    rng = np.random.default_rng(9)
    sizes = (9, 5) if align_corners else (8, 4)
    U = rng.normal(size=(2, 3, *sizes[::-1]))
    settings = {"padding_mode": padding_mode, "align_corners": align_corners}
    start = rng.integers(-16, 48, (2, 1, 1, 2)) / 8
    steps = np.stack(np.meshgrid(np.arange(5) * 0.875, np.arange(4) * 1.0), axis=-1)
    grid = normalised(start + steps, sizes, align_corners)
    theta = np.repeat(IDENTITY, 2, axis=0)
    transforms = (
        (lambda U, grid, a: grid_sample(U, grid, antialias=a, **settings), grid),
        (lambda U, theta, a: spatial_transform(U, theta, U.shape, antialias=a, **settings), theta),
    )
    for transform, where in transforms:
        results = []
        for antialias in (False, True):
            V, pullback = vjp(partial(transform, a=antialias), U, where)
            V_bar = np.random.default_rng(21).normal(size=V.shape)
            results.append((V, *pullback(V_bar)))
        for k, (plain, widened) in enumerate(zip(*results)):
            if k == 0:
                assert np.array_equal(plain, widened)
            else:  # the cotangents are summed in another order
                np.testing.assert_allclose(plain, widened, rtol=0, atol=1e-14 * np.abs(widened).max() * 60)


@both_conventions
@pytest.mark.parametrize("kernel", [NEAREST, BILINEAR, BICUBIC, CUBIC_SPLINE, LANCZOS, gaussian(0.7)],
                         ids=by_name)  # fmt: skip
def test_a_constant_image_stays_constant(kernel, align_corners):
    U = np.full((1, 2, 20, 31), 7.0)
    theta = np.array([[[1.1, 0.4, 0.2], [-0.5, 0.9, -0.1]]])
    settings = {"padding_mode": "border", "align_corners": align_corners, "antialias": True}
    V = spatial_transform(U, theta, (1, 2, 5, 6), mode=kernel, **settings)
    # Sums of two times up to 100 products with weights that sum to 1.
    np.testing.assert_allclose(V, 7, rtol=400 * EPS)


@paddings
@pytest.mark.parametrize("factor", [2, 3, 4, 5])
def test_shrinking_by_a_whole_factor_averages_with_a_hat(padding_mode, factor):
    rng = np.random.default_rng(10)
    U = rng.normal(size=(1, 1, 6 * factor, 4 * factor))
    settings = {"padding_mode": padding_mode, "align_corners": False, "antialias": True}
    V = spatial_transform(U, IDENTITY, (1, 1, 6, 4), **settings)
    # The middle of the first `factor` pixels; where that is between two pixels, of an even number of taps.
    t = np.arange(1 - factor, factor) if factor % 2 else np.arange(0.5 - factor, factor)
    weights = 1 - np.abs(t) / factor
    mode = {"zeros": "constant", "border": "nearest", "reflection": "reflect"}[padding_mode]
    expected = U[0, 0]
    for axis in (0, 1):
        expected = ndimage.correlate1d(expected, weights / weights.sum(), axis=axis, mode=mode)
    expected = expected[factor // 2 :: factor, factor // 2 :: factor]
    np.testing.assert_allclose(V[0, 0], expected, rtol=0, atol=8 * factor * EPS * np.abs(U).max())


@pytest.mark.parametrize(("down", "across"), [(2, 2), (2, 3), (4, 1)])
def test_shrinking_with_the_nearest_pixel_takes_the_mean_of_an_area(down, across):
    U = np.random.default_rng(11).normal(size=(2, 2, 3 * down, 5 * across))
    theta = np.repeat(IDENTITY, 2, axis=0)
    V = spatial_transform(U, theta, (2, 2, 3, 5), mode="nearest", align_corners=False, antialias=True)
    expected = U.reshape(2, 2, 3, down, 5, across).mean(axis=(3, 5))
    np.testing.assert_allclose(V, expected, rtol=0, atol=down * across * EPS * np.abs(U).max())


def zone_plate(x, y, size):
    """Rings around the middle, whose frequency grows to one half per pixel, the limit, at the edges."""
    return np.cos(np.pi * ((x - size / 2) ** 2 + (y - size / 2) ** 2) / size)


@pytest.mark.parametrize(
    ("mode", "fewer_errors", "fainter_ghosts"),
    # Measured: 41, 3.6, 6.0 and 6.2 times, and 8.5, 16, 20 and 20 times.
    [("nearest", 20, 4), ("bilinear", 2, 8), ("bicubic", 3, 10), ("lanczos3", 3, 10)],
)
def test_a_zone_plate_shrinks_without_ghosts(mode, fewer_errors, fainter_ghosts):
    size, factor, fine = 128, 4, 16
    small = size // factor

    def plate(per_pixel):
        x = (np.arange(size * per_pixel) + 0.5) / per_pixel
        return zone_plate(x, x[:, None], size)

    area = (small, factor * fine)
    truth = plate(fine).reshape(*area, *area).mean(axis=(1, 3))  # of the areas of the output's pixels
    x = (np.arange(small) + 0.5) * factor - size / 2
    beyond = np.hypot(x, x[:, None]) > 1.5 * size / 2 / factor  # rings too fine for the output
    errors, ghosts = [], []
    for antialias in (False, True):
        settings = {"padding_mode": "reflection", "align_corners": False, "antialias": antialias}
        V = spatial_transform(plate(1)[None, None], IDENTITY, (1, 1, small, small), mode=mode, **settings)
        errors.append(np.sqrt(((V[0, 0] - truth) ** 2).mean()))
        ghosts.append(np.sqrt((V[0, 0][beyond] ** 2).mean()))
    assert errors[1] * fewer_errors < errors[0]
    assert ghosts[1] * fainter_ghosts < ghosts[0]


def test_a_kernel_with_a_width_widens_by_the_product():
    U = np.random.default_rng(12).normal(size=(1, 1, 12, 12))
    settings = {"padding_mode": "border", "align_corners": False}
    V = spatial_transform(U, IDENTITY, (1, 1, 4, 4), mode=gaussian(0.5), antialias=True, **settings)
    expected = spatial_transform(U, IDENTITY, (1, 1, 4, 4), mode=gaussian(1.5), **settings)
    np.testing.assert_allclose(V, expected, rtol=0, atol=32 * EPS * np.abs(U).max())


SHRINKING = np.array([[[0.7, 0.1, 0.04], [-0.05, 0.9, 0.07]]])


@pytest.mark.parametrize(
    ("kernel", "padding_mode", "order"),
    [
        (BICUBIC, "zeros", 2),
        (BICUBIC, "border", 1),
        (CUBIC_SPLINE, "reflection", 1),
        (LANCZOS, "reflection", 1),
        (gaussian(0.4), "zeros", 1),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_gradients_flow_through_scale_and_sampler(kernel, padding_mode, order):
    U = np.random.default_rng(13).normal(size=(1, 1, 3, 4))

    def shrunk(U, theta):
        settings = {"padding_mode": padding_mode, "align_corners": False, "antialias": True}
        return spatial_transform(U, theta, (1, 1, 2, 2), mode=kernel, **settings)

    # All scales are above 1 and below the cap; the kernel has no kinks, but its second derivative jumps.
    points = affine_points(SHRINKING, size=(2, 2), source=(3, 4), align_corners=False)
    scales = local_scale(points)
    assert 1.25 < scales.min() < scales.max() < 2
    width = 1 if kernel.width is None else kernel.width
    assert distances(points, scales * width, [end for end, _ in kernel.pieces]) > 1e-3
    assert gradcheck(shrunk, (U, SHRINKING), order=order, elements=6, directions=1).passed


def test_gradients_of_the_widened_hat_away_from_its_kinks():
    U = np.random.default_rng(14).normal(size=(1, 1, 5, 6))
    points = np.array([[[[0.3, 0.4], [2.5, 0.7]], [[0.2, 3.1], [3.2, 2.8]]]])
    scales = local_scale(points)
    assert distances(points, scales, (0, 1)) > 0.03
    grid = normalised(points, (6, 5), False)

    def shrunk(U, grid):
        return grid_sample(U, grid, align_corners=False, antialias=True)

    assert gradcheck(shrunk, (U, grid), order=2, elements=4, directions=1).passed


def test_volumes_shrink_too():
    U = np.random.default_rng(15).normal(size=(1, 2, 4, 6, 9))
    settings = {"align_corners": False, "antialias": True}
    V = spatial_transform(U, np.eye(3, 4)[None], (1, 2, 2, 2, 3), mode="nearest", **settings)
    expected = U.reshape(1, 2, 2, 2, 2, 3, 3, 3).mean(axis=(3, 5, 7))
    np.testing.assert_allclose(V, expected, rtol=0, atol=18 * EPS * np.abs(U).max())
    constant = spatial_transform(
        np.full(U.shape, 3.0), np.eye(3, 4)[None], (1, 2, 2, 2, 3), padding_mode="border", **settings
    )
    np.testing.assert_allclose(constant, 3, rtol=64 * EPS)
    volume = np.random.default_rng(16).normal(size=(1, 1, 2, 3, 4))
    theta = np.array([[[0.7, 0.1, 0.1, 0.05], [-0.1, 0.9, 0.1, 0.02], [0.1, -0.1, 1.3, 0.01]]])

    def shrunk(U, theta):
        return spatial_transform(U, theta, (1, 1, 1, 2, 2), mode="bicubic", **settings)

    assert gradcheck(shrunk, (volume, theta), elements=6, directions=1).passed


# A width is learnt


def test_the_width_of_a_blur_is_found_by_gradient_descent():
    U = np.random.default_rng(17).normal(size=(1, 1, 16, 16))

    def blurred(width):
        settings = {"padding_mode": "reflection", "align_corners": True}
        return spatial_transform(U, IDENTITY, U.shape, mode=gaussian(width), **settings)

    target = blurred(1.5)
    log_width = Tensor(np.log(np.array(0.7)), requires_grad=True)
    optimiser = Adam([("log_width", log_width)], lr=0.03)
    for _ in range(120):
        optimiser.zero_grad()
        error = blurred(exp(log_width)) - target
        (error * error).mean().backward()
        optimiser.step()
    assert abs(np.exp(log_width.data) - 1.5) < 0.02 * 1.5


def test_a_kernel_of_ones_own_widens_like_the_others():
    triangle = Kernel("triangle", [(1.0, lambda t: 1 - t)])
    U, grid = np.random.default_rng(18).normal(size=(2, 2, 5, 6)), np.full((2, 2, 3, 2), 0.3)
    grid += np.random.default_rng(19).uniform(-0.5, 0.5, grid.shape)
    for width, antialias in product((None, 1.75, [1.25, 3.0]), (True, False)):
        kernels = [k if width is None else k.widened(width) for k in (BILINEAR, triangle)]
        settings = {"align_corners": True, "antialias": antialias}
        expected, found = (grid_sample(U, grid, mode=kernel, **settings) for kernel in kernels)
        np.testing.assert_allclose(found, expected, rtol=0, atol=8 * EPS * np.abs(U).max())
