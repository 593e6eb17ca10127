"""Eq. (1): affine grids against the literal equation, in fractions, and by hand."""

from fractions import Fraction as F

import numpy as np
import pytest

from stn_ref import affine_grid, vjp
from stn_ref.equations import eq1_affine, eq2_attention
from stn_ref.ops.grids import affine_points, base_grid
from stn_ref.pixels import base_coordinates, to_pixels

both_conventions = pytest.mark.parametrize("align_corners", [True, False])
RNG = np.random.default_rng(0)
EPS = np.finfo(float).eps
IDENTITY = np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])


def exact(array):
    return np.vectorize(F, otypes=[object])(array)


@pytest.mark.parametrize(
    ("size", "align_corners"), [((2, 3, 3, 5), True), ((2, 3, 2, 4), False), ((2, 1, 1, 8), False)]
)
def test_a_grid_is_exactly_eq1_where_the_base_grid_is_dyadic(size, align_corners):
    theta = RNG.integers(-16, 17, (2, 2, 3)) / 8
    grid = affine_grid(theta, size, align_corners=align_corners)
    assert grid.shape == (2, *size[2:], 2)
    y_t, x_t = (exact(base_coordinates(n, align_corners)) for n in size[2:])
    for n, i, j in np.ndindex(*grid.shape[:3]):
        assert tuple(exact(grid[n, i, j])) == eq1_affine(exact(theta[n]), x_t[j], y_t[i])


def test_by_hand():
    theta = np.array([[[2.0, 0.0, 0.5], [0.0, -1.0, 0.25]]])
    x = [[-1.5, 0.5, 2.5]] * 2
    y = [[1.25] * 3, [-0.75] * 3]
    grid = affine_grid(theta, (1, 1, 2, 3), align_corners=True)
    np.testing.assert_array_equal(grid, [np.stack([x, y], axis=-1)])
    y = [[0.75] * 3, [-0.25] * 3]  # the rows are at -1/2 and 1/2
    grid = affine_grid(theta, (1, 1, 2, 3), align_corners=False)
    np.testing.assert_array_equal(grid[..., 1], [y])


def test_a_quarter_turn_swaps_the_coordinates():
    turn = np.array([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]])
    grid = affine_grid(turn, (1, 1, 3, 3), align_corners=True)[0]
    same = affine_grid(IDENTITY, (1, 1, 3, 3), align_corners=True)[0]
    np.testing.assert_array_equal(grid[..., 0], -same[..., 1])
    np.testing.assert_array_equal(grid[..., 1], same[..., 0])


def test_eq2_is_a_special_case():
    theta = np.array([eq2_attention(0.5, 0.25, -0.125)], float)
    grid = affine_grid(theta, (1, 1, 3, 5), align_corners=True)
    np.testing.assert_array_equal(grid[0, 0, :, 0], [-0.25, 0.0, 0.25, 0.5, 0.75])
    np.testing.assert_array_equal(grid[0, :, 0, 1], [-0.625, -0.125, 0.375])


@both_conventions
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_identity_gives_the_base_grid_in_the_dtype_of_theta(dtype, align_corners):
    grid = affine_grid(IDENTITY.astype(dtype), (1, 3, 4, 7), align_corners=align_corners)
    assert grid.dtype == dtype
    np.testing.assert_array_equal(grid[0], base_grid((4, 7), align_corners).astype(dtype)[..., :2])
    np.testing.assert_array_equal(grid, -grid[:, ::-1, ::-1])


@both_conventions
def test_the_cotangent_of_theta_gathers_target_coordinates(align_corners):
    theta = RNG.normal(size=(2, 2, 3))
    size = (2, 1, 3, 4)
    grid_bar = RNG.normal(size=(2, 3, 4, 2))
    [theta_bar] = vjp(lambda t: affine_grid(t, size, align_corners=align_corners), theta)[1](grid_bar)
    expected = np.zeros_like(theta)
    y_t, x_t = (base_coordinates(n, align_corners) for n in size[2:])
    for n, i, j in np.ndindex(2, 3, 4):
        expected[n] += np.outer(grid_bar[n, i, j], [x_t[j], y_t[i], 1.0])
    np.testing.assert_allclose(theta_bar, expected, rtol=0, atol=12 * EPS * 12 * 4)


def test_the_cotangent_of_theta_by_hand():
    grid_bar = np.zeros((1, 2, 3, 2))
    grid_bar[0, 1, 0] = [10.0, 100.0]  # at x_t = -1, y_t = 1
    [theta_bar] = vjp(lambda t: affine_grid(t, (1, 1, 2, 3), align_corners=True), IDENTITY)[1](grid_bar)
    np.testing.assert_array_equal(theta_bar, [[[-10, 10, 10], [-100, 100, 100]]])


@both_conventions
@pytest.mark.parametrize("target", [(4, 6), (3, 9), (1, 1)])
@pytest.mark.parametrize("source", [(4, 6), (5, 3), (1, 2)])
def test_points_in_pixels_are_the_normalised_grid_in_pixels(source, target, align_corners):
    theta = RNG.normal(size=(2, 2, 3))
    points = affine_points(theta, size=target, source=source, align_corners=align_corners)
    grid = affine_grid(theta, (2, 1, *target), align_corners=align_corners)
    for k, n in enumerate(reversed(source)):
        expected = to_pixels(grid[..., k], n, align_corners)
        bound = 8 * EPS * (n + 1) * 3 * np.abs(theta).max()
        np.testing.assert_allclose(points[..., k], expected, rtol=0, atol=bound)


@both_conventions
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [(1, 1), (3, 7), (10, 28), (13, 61)])
def test_the_identity_in_pixels_is_exactly_the_pixels(size, dtype, align_corners):
    points = affine_points(IDENTITY.astype(dtype), size=size, source=size, align_corners=align_corners)
    np.testing.assert_array_equal(points[0, ..., 0], np.tile(np.arange(size[1]), (size[0], 1)))
    np.testing.assert_array_equal(points[0, ..., 1].T, np.tile(np.arange(size[0]), (size[1], 1)))


def test_volumes_have_three_coordinates():
    theta = np.array([[[1.0, 0, 0, 0.5], [0, 2, 0, 0], [0, 0, -1, 0]]])
    grid = affine_grid(theta, (1, 1, 2, 3, 5), align_corners=True)
    assert grid.shape == (1, 2, 3, 5, 3)
    np.testing.assert_array_equal(grid[0, 0, 0, :, 0], [-0.5, 0, 0.5, 1, 1.5])
    np.testing.assert_array_equal(grid[0, 0, :, 0, 1], [-2, 0, 2])
    np.testing.assert_array_equal(grid[0, :, 0, 0, 2], [1, -1])


@pytest.mark.parametrize("size", [(0, 1, 3, 4), (2, 0, 3, 4), (2, 1, 0, 4), (2, 1, 3, 0)])
def test_empty_grids(size):
    theta = np.ones((size[0], 2, 3))
    grid, pullback = vjp(lambda t: affine_grid(t, size, align_corners=True), theta)
    assert grid.shape == (size[0], *size[2:], 2)
    [theta_bar] = pullback(np.ones(grid.shape))
    assert theta_bar.shape == theta.shape
    if 0 in size[2:]:
        assert not theta_bar.any()


@both_conventions
def test_an_axis_of_one_pixel_lies_at_zero(align_corners):
    theta = np.array([[[5.0, 7.0, 0.25], [3.0, 2.0, 0.5]]])
    grid = affine_grid(theta, (1, 1, 1, 1), align_corners=align_corners)
    np.testing.assert_array_equal(grid, [[[[0.25, 0.5]]]])


@both_conventions
def test_the_memory_layout_never_changes_a_bit_of_the_result(align_corners):
    theta, grid_bar = RNG.normal(size=(3, 2, 3)), RNG.normal(size=(3, 4, 5, 2))

    def both(theta, grid_bar):
        grid, pullback = vjp(lambda t: affine_grid(t, (3, 1, 4, 5), align_corners=align_corners), theta)
        return grid, pullback(grid_bar)[0]

    expected = both(theta, grid_bar)
    for turned in (
        np.asfortranarray,
        lambda a: np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1),
        lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
        lambda a: np.ascontiguousarray(a[..., ::-1])[..., ::-1],
    ):
        inputs = [turned(theta), turned(grid_bar)]
        for array in inputs:
            array.flags.writeable = False
        for found, right in zip(both(*inputs), expected):
            np.testing.assert_array_equal(found, right)
    repeated = np.broadcast_to(theta[:1], (3, 2, 3))
    np.testing.assert_array_equal(both(repeated, grid_bar)[0], both(repeated.copy(), grid_bar)[0])


SIZE = (1, 1, 2, 2)


@pytest.mark.parametrize(
    ("theta", "size", "message"),
    [
        (np.ones((1, 6)), SIZE, r"theta has shape \(1, 6\), expected \(N, 2, 3\).*reshape\(-1, 2, 3"),
        (np.ones((2, 3)), SIZE, r"theta has shape \(2, 3\), .* use theta\[None\] for a batch of one"),
        (np.ones((1, 3, 3)), SIZE, r"theta has shape \(1, 3, 3\), .* use theta\[:, :2\]"),
        (np.ones((1, 3, 2)), SIZE, r"theta has shape \(1, 3, 2\), expected \(N, 2, 3\)"),
        (IDENTITY, (2, 2), r"size is \(2, 2\), expected \(N, C, H', W'\); use \(N, C, 2, 2\)"),
        (IDENTITY, (1, 1, 2, 2, 2), r"size is .*expected \(N, C, H', W'\)"),
        (IDENTITY, (1, 1, 2.0, 2), r"size is \(1, 1, 2\.0, 2\), expected"),
        (IDENTITY, (1, 1, -2, 2), r"size is \(1, 1, -2, 2\), expected"),
        (IDENTITY, 28, r"size is 28, expected \(N, C, H', W'\)"),
        (IDENTITY, (4, 1, 2, 2), r"size is \(4, 1, 2, 2\) but theta holds 1 maps"),
        (np.ones((1, 3, 4)), SIZE, r"size is \(1, 1, 2, 2\), expected \(N, C, D', H', W'\)"),
    ],
)
def test_refusals(theta, size, message):
    with pytest.raises(ValueError, match=rf"affine_grid: {message}"):
        affine_grid(theta, size, align_corners=True)


@pytest.mark.parametrize("dtype", [np.int64, np.complex128, np.bool_])
def test_other_dtypes_are_refused_by_name(dtype):
    expected = rf"affine_grid: theta has dtype {np.dtype(dtype)}, expected float16, float32 or"
    with pytest.raises(TypeError, match=expected):
        affine_grid(np.ones((1, 2, 3), dtype), SIZE, align_corners=True)


def test_lists_are_refused_with_the_way_to_mend_it():
    with pytest.raises(TypeError, match=r"affine_grid: theta is .* use np\.asarray\(theta"):
        affine_grid([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]], SIZE, align_corners=True)


def test_align_corners_has_no_default_and_is_a_switch():
    with pytest.raises(TypeError, match="align_corners"):
        affine_grid(IDENTITY, SIZE)
    with pytest.raises(TypeError, match=r"affine_grid: align_corners is 'False', expected True or"):
        affine_grid(IDENTITY, SIZE, align_corners="False")
