"""Homographies: by hand, against a resampling of another make, and at the horizon."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from stn_ref import (
    Projective,
    Tensor,
    affine_grid,
    gradcheck,
    grid_sample,
    index,
    projective_grid,
    spatial_transform,
    vjp,
)
from stn_ref.ops.grids import base_grid
from stn_ref.ops.projective import perspective
from stn_ref.ops.transformation import TRANSFORMATIONS
from stn_ref.pixels import PADDING_MODES, to_pixels

PROJECTIVE = TRANSFORMATIONS["projective"]
both_conventions = pytest.mark.parametrize("align_corners", [True, False])
paddings = pytest.mark.parametrize("padding_mode", PADDING_MODES)
RNG = np.random.default_rng(0)
EPS = np.finfo(float).eps


def normal(*shape):
    return RNG.normal(size=shape)


def homographies(n, rng=RNG):
    """With z' between 0.4 and 1.6 all over the output."""
    H = np.eye(3) + rng.uniform(-0.3, 0.3, (n, 3, 3))
    H[:, 2, 2] = 1
    return H


# By hand


@both_conventions
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_identity_gives_the_base_grid(dtype, align_corners):
    theta = np.array([[1, 0, 0, 0, 1, 0, 0, 0]], dtype)
    grid = projective_grid(theta, (1, 3, 4, 7), align_corners=align_corners)
    assert grid.dtype == dtype
    assert np.array_equal(grid[0], base_grid((4, 7), align_corners, dtype)[..., :2])


def test_a_square_becomes_a_trapezoid():
    # (x', y', z') = (2 x, 3 y - 1, 3 - y): the upper side halved, the lower one kept.
    H = np.array([[[2.0, 0.0, 0.0], [0.0, 3.0, -1.0], [0.0, -1.0, 3.0]]])
    grid = projective_grid(H, (1, 1, 2, 2), align_corners=True)
    assert grid[0].tolist() == [[[-0.5, -1], [0.5, -1]], [[-1, 1], [1, 1]]]
    grid = projective_grid(H, (1, 1, 3, 3), align_corners=True)
    assert grid[0, 1].tolist() == [[-2 / 3, -1 / 3], [0, -1 / 3], [2 / 3, -1 / 3]]
    grid = projective_grid(H, (1, 1, 2, 2), align_corners=False)  # corners at +-1/2
    assert grid[0].tolist() == [[[-1 / 3.5, -2.5 / 3.5], [1 / 3.5, -2.5 / 3.5]], [[-0.4, 0.2], [0.4, 0.2]]]


def test_eight_numbers_are_a_matrix_with_a_one_at_the_end():
    H = homographies(3)
    eight, size = H.reshape(3, 9)[:, :8], (3, 1, 4, 5)
    expected = projective_grid(H, size, align_corners=True)
    assert np.array_equal(projective_grid(eight, size, align_corners=True), expected)
    U = normal(3, 2, 6, 7)
    settings = {"transformation": "projective", "align_corners": True}
    V = spatial_transform(U, H, size, **settings)
    assert np.array_equal(spatial_transform(U, eight, size, **settings), V)
    assert np.array_equal(PROJECTIVE.matrix(eight, (6, 7), True), H)
    assert PROJECTIVE.matrix(H, (6, 7), True) is H
    assert (PROJECTIVE.shape((6, 7)), PROJECTIVE.parameters((6, 7))) == ((8,), 8)


@both_conventions
def test_a_factor_changes_nothing(align_corners):
    H, size = homographies(2), (2, 1, 4, 5)
    expected = projective_grid(H, size, align_corners=align_corners)
    for factor in (4.0, -0.125):
        assert np.array_equal(projective_grid(factor * H, size, align_corners=align_corners), expected)
    found = projective_grid(-3.7 * H, size, align_corners=align_corners)
    # Each sum of 3 terms of size 1.6 is off by 4 roundings in each version, and is divided by at least 0.4.
    np.testing.assert_allclose(found, expected, rtol=0, atol=2 * 2 * 4 * EPS * 1.6 / 0.4**2)


@both_conventions
@pytest.mark.parametrize("size", [(1, 1), (4, 5), (3, 8)])
def test_an_affine_map_is_a_special_case(size, align_corners):
    theta, U = normal(2, 2, 3), normal(2, 3, 6, 5)
    H = np.concatenate([theta, np.tile([0.0, 0.0, 1.0], (2, 1, 1))], axis=1)
    grid = projective_grid(H, (2, 1, *size), align_corners=align_corners)
    expected = affine_grid(theta, (2, 1, *size), align_corners=align_corners)
    bound = 4 * EPS * 3 * np.abs(theta).max()  # sums of 3 terms; z' is exactly 1
    np.testing.assert_allclose(grid, expected, rtol=0, atol=bound)
    V = spatial_transform(U, H, (2, 3, *size), transformation="projective", align_corners=align_corners)
    expected = spatial_transform(U, theta, (2, 3, *size), align_corners=align_corners)
    # In pixels three times as much, since they are half a span long; slopes are at most twice the pixels.
    np.testing.assert_allclose(V, expected, rtol=0, atol=3 * bound * 2 * 2 * np.abs(U).max())


@both_conventions
@pytest.mark.parametrize("target", [(4, 6), (3, 9), (1, 1)])
@pytest.mark.parametrize("source", [(4, 6), (5, 3), (1, 2)])
def test_points_in_pixels_are_the_grid_in_pixels(source, target, align_corners):
    H = homographies(2)
    settings = {"size": target, "source": source, "align_corners": align_corners}
    points, grid = PROJECTIVE.points(H, **settings), PROJECTIVE.grid(H, **settings)
    for k, n in enumerate(reversed(source)):
        expected = to_pixels(grid[..., k], n, align_corners)
        # x' and z' up to 1.6 in 8 roundings each, z' at least 0.4, a unit half the image.
        bound = 2 * 8 * EPS * 1.6 / 0.4**2 * (n + 1) / 2 + EPS * n
        np.testing.assert_allclose(points[..., k], expected, rtol=0, atol=bound)


@both_conventions
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [(1, 1), (3, 7), (10, 28)])
def test_the_identity_in_pixels_is_exactly_the_pixels(size, dtype, align_corners):
    theta = PROJECTIVE.identity(size).astype(dtype)[None]
    points = PROJECTIVE.points(theta, size=size, source=size, align_corners=align_corners)
    assert np.array_equal(points[0], np.stack(np.indices(size)[::-1], axis=-1))


# Against a resampling of another make


def elsewhere(U, H, size, padding_mode, align_corners):
    """The same warp by SciPy; H is homogeneous and for volumes (4, 4), x first."""
    mode = {"zeros": "grid-constant", "border": "nearest"}.get(padding_mode)
    mode = mode or ("mirror" if align_corners else "reflect")

    def normalised(pixels, n):
        return (2 * pixels - (n - 1)) / max(1, n - 1 if align_corners else n)

    targets = np.meshgrid(*(normalised(np.arange(n), n) for n in size), indexing="ij")
    homogeneous = np.stack([*reversed(targets), np.ones(size)])
    V = np.empty((*U.shape[:2], *size))
    for n in range(len(U)):
        *sources, z = np.tensordot(H[n], homogeneous, axes=1)
        pixels = [
            (x / z + 1) * (k - 1) / 2 if align_corners else ((x / z + 1) * k - 1) / 2
            for x, k in zip(reversed(sources), U.shape[2:])
        ]
        for c in range(U.shape[1]):
            V[n, c] = map_coordinates(U[n, c], pixels, order=1, mode=mode)
    return V


SIZES = [((6, 9), (6, 9)), ((7, 4), (5, 8)), ((5, 11), (9, 3)), ((12, 10), (1, 6))]


@paddings
@both_conventions
@pytest.mark.parametrize(("source", "target"), SIZES)
def test_homographies_agree_with_scipy(source, target, padding_mode, align_corners):
    U, H = RNG.uniform(-1, 1, (3, 2, *source)), homographies(3)
    V = spatial_transform(
        U,
        H,
        (3, 2, *target),
        transformation="projective",
        padding_mode=padding_mode,
        align_corners=align_corners,
    )
    expected = elsewhere(U, H, target, padding_mode, align_corners)
    np.testing.assert_allclose(V, expected, rtol=0, atol=1e-12)


@paddings
@both_conventions
@pytest.mark.parametrize(("source", "target"), SIZES)
def test_affine_maps_agree_with_scipy(source, target, padding_mode, align_corners):
    U, theta = RNG.uniform(-1, 1, (3, 2, *source)), normal(3, 2, 3)
    settings = {"padding_mode": padding_mode, "align_corners": align_corners}
    V = spatial_transform(U, theta, (3, 2, *target), **settings)
    H = np.concatenate([theta, np.tile([0.0, 0.0, 1.0], (3, 1, 1))], axis=1)
    np.testing.assert_allclose(V, elsewhere(U, H, target, **settings), rtol=0, atol=1e-12)


@paddings
@both_conventions
def test_affine_maps_of_volumes_agree_with_scipy(padding_mode, align_corners):
    U, theta = RNG.uniform(-1, 1, (2, 2, 4, 6, 5)), normal(2, 3, 4)
    settings = {"padding_mode": padding_mode, "align_corners": align_corners}
    V = spatial_transform(U, theta, (2, 2, 5, 3, 7), **settings)
    H = np.concatenate([theta, np.tile([0.0, 0.0, 0.0, 1.0], (2, 1, 1))], axis=1)
    np.testing.assert_allclose(V, elsewhere(U, H, (5, 3, 7), **settings), rtol=0, atol=1e-12)


# The horizon: z' = x, which is 0 in the middle column of an output of 5 columns

IMAGE = np.random.default_rng(1).normal(size=(2, 2, 4, 6))
SIZE = (2, 2, 3, 5)
# At the middle column x' is 0.3 and 0.4, y' is y + 0.1 and y - 0.2, which for a y of -1, 0 and 1 is not 0.
HORIZON = np.array(
    [
        [[0.5, 0.0, 0.3], [0.2, 1.0, 0.1], [1.0, 0.0, 0.0]],
        [[0.5, 0.0, -0.4], [0.1, 1.0, -0.2], [1.0, 0.0, 0.0]],
    ]
)
OTHERS = np.array([0, 1, 3, 4])


def settings_of(padding_mode, **others):
    return {"padding_mode": padding_mode, "align_corners": True, **others}


def in_one_step(padding_mode, **others):
    settings = settings_of(padding_mode, transformation="projective", **others)
    return lambda U, theta: spatial_transform(U, theta, SIZE, **settings)


def in_two_steps(padding_mode, **others):
    def f(U, theta):
        grid = projective_grid(theta, SIZE, align_corners=True)
        return grid_sample(U, grid, **settings_of(padding_mode, **others))

    return f


def without_the_column(padding_mode, **others):
    def f(U, theta):
        grid = index(projective_grid(theta, SIZE, align_corners=True), key=(slice(None), slice(None), OTHERS))
        return grid_sample(U, grid, **settings_of(padding_mode, **others))

    return f


steps = pytest.mark.parametrize("warp", [in_one_step, in_two_steps])
modes = pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic", "lanczos3"])


def test_points_at_infinity_are_infinite():
    grid = projective_grid(HORIZON, SIZE, align_corners=True)
    assert grid[0, :, 2].tolist() == [[np.inf, -np.inf], [np.inf, np.inf], [np.inf, np.inf]]
    assert grid[1, :, 2].tolist() == [[-np.inf, -np.inf], [-np.inf, -np.inf], [-np.inf, np.inf]]
    assert np.isfinite(grid[:, :, OTHERS]).all()
    nowhere = projective_grid(np.array([[1.0, 0, 0, 0, 1, 0, -1, 0]]), (1, 1, 2, 2), align_corners=True)
    assert nowhere[0, 0, 1].tolist() == [np.inf, -np.inf]
    none = projective_grid(np.zeros((1, 3, 3)), (1, 1, 2, 2), align_corners=True)
    assert np.isnan(none).all()


@steps
@modes
@paddings
def test_at_infinity_the_sampler_gives_the_limit(warp, mode, padding_mode):
    V = warp(padding_mode, mode=mode)(IMAGE, HORIZON)[..., 2]
    if padding_mode == "zeros":
        assert not V.any()
    elif padding_mode == "reflection":
        assert np.isnan(V).all()
    else:  # the corner in whose direction it lies
        corners = np.stack([IMAGE[0][:, [0, -1, -1], -1], IMAGE[1][:, [0, 0, -1], 0]])
        # The weights of a kernel add up to 1 in at most 16 roundings along each axis.
        np.testing.assert_allclose(V, corners, rtol=32 * EPS, atol=0)


def both(f, U, theta, V_bar):
    V, pullback = vjp(f, U, theta)
    return V, *pullback(V_bar)


def check_the_others(warp, theta, padding_mode, mode, **others):
    """All but the middle column has the values and cotangents that it has without the middle column."""
    V_bar = np.random.default_rng(2).normal(size=SIZE)
    V, U_bar, theta_bar = both(warp(padding_mode, mode=mode, **others), IMAGE, theta, V_bar)
    assert np.isfinite(U_bar).all()
    assert np.isfinite(theta_bar).all()
    alone = without_the_column(padding_mode, mode=mode, **others)
    V_alone, U_alone, theta_alone = both(alone, IMAGE, theta, V_bar[..., OTHERS])
    # Coordinates of up to 10 pixels are off by 8 roundings, which values, slopes and weights feel up to
    # 12-fold; up to 48 of them are summed, times cotangents of up to 3 and coordinates of up to 6.
    bound = 8 * 10 * EPS * 12
    np.testing.assert_allclose(V[..., OTHERS], V_alone, rtol=0, atol=bound)
    np.testing.assert_allclose(theta_bar, theta_alone, rtol=0, atol=48 * 3 * 6 * bound)
    far = V_bar[..., 2]
    if padding_mode == "border":  # what the edge pixel is worth to its sample
        U_alone = U_alone.copy()
        for n, k, row, column in ((0, 0, 0, -1), (0, 1, -1, -1), (0, 2, -1, -1), (1, 0, 0, 0), (1, 1, 0, 0)):
            U_alone[n, :, row, column] += far[n, :, k]
        U_alone[1, :, -1, 0] += far[1, :, 2]
    if padding_mode != "reflection" or np.isnan(V[..., 2]).all():
        np.testing.assert_allclose(U_bar, U_alone, rtol=0, atol=24 * 3 * bound)


@steps
@modes
@paddings
def test_a_point_at_infinity_leaves_the_others_alone(warp, mode, padding_mode):
    check_the_others(warp, HORIZON, padding_mode, mode)


@steps
@modes
@paddings
@pytest.mark.parametrize("z", [1e-17, 1e-30, 1e-160, 1e-300, 5e-324])
def test_a_point_nearly_at_infinity_or_one_that_overflows_does_so_too(warp, mode, padding_mode, z):
    nearly = HORIZON.copy()
    nearly[:, 2, 2] = z
    V = warp(padding_mode, mode=mode)(IMAGE, nearly)
    assert np.isnan(V[..., 2]).all() == (padding_mode == "reflection" and z < 1e-308)
    if padding_mode != "reflection":
        expected = warp(padding_mode, mode=mode)(IMAGE, HORIZON)
        np.testing.assert_allclose(V[..., 2], expected[..., 2], rtol=32 * EPS, atol=0)
    check_the_others(warp, nearly, padding_mode, mode)


@paddings
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("z", [0.0, 6e-8, 1e-20, 1e-44])
def test_nor_does_it_matter_in_single_precision_or_to_wider_kernels(padding_mode, dtype, antialias, z):
    theta = HORIZON.astype(dtype)
    theta[:, 2, 2] = z
    warp, V_bar = in_one_step(padding_mode, antialias=antialias), np.ones(SIZE, dtype)
    V, U_bar, theta_bar = both(warp, IMAGE.astype(dtype), theta, V_bar)
    assert V.dtype == U_bar.dtype == theta_bar.dtype == dtype
    assert np.isfinite(V[..., OTHERS]).all()
    assert np.isfinite(U_bar).all()
    assert np.isfinite(theta_bar).all()


@paddings
@pytest.mark.parametrize("z", [0.0, 1e-30, 1e-308])
def test_at_infinity_second_derivatives_are_finite_and_those_of_the_others(padding_mode, z):
    theta = HORIZON.copy()
    theta[:, 2, 2] = z
    V_bar, theta_tangent = np.random.default_rng(3).normal(size=SIZE), normal(*theta.shape)

    def theta_bar(f, V_bar):
        return lambda theta: vjp(f, IMAGE, theta)[1](V_bar)[1]

    settings = {"mode": "bicubic"}
    [found] = vjp(theta_bar(in_one_step(padding_mode, **settings), V_bar), theta)[1](theta_tangent)
    alone = theta_bar(without_the_column(padding_mode, **settings), V_bar[..., OTHERS])
    [expected] = vjp(alone, theta)[1](theta_tangent)
    # As above, with the slopes' slopes, another tangent of up to 3 and another factor 6.
    bound = 8 * 10 * EPS * 12 * 48 * (3 * 6) ** 2
    np.testing.assert_allclose(found, expected, rtol=0, atol=bound)


def test_beyond_the_horizon_the_map_goes_on_as_the_formula_says():
    H = np.array([[[1.0, 0, 0], [0, 0, 1], [0, 1, 0]]])  # (x / y, 1 / y)
    grid = projective_grid(H, (1, 1, 4, 2), align_corners=False)  # y at -3/4, -1/4, 1/4, 3/4
    assert grid[0, 2].tolist() == [[-2, 4], [2, 4]]
    assert np.array_equal(grid[0, :2], -grid[0, :1:-1, ::-1] * [-1, 1])


# Derivatives


@both_conventions
@pytest.mark.parametrize("form", [(8,), (3, 3)])
def test_derivatives_of_the_grid_to_second_order(form, align_corners):
    theta = homographies(2).reshape(2, 9)[:, : np.prod(form)].reshape(2, *form)
    gradcheck(
        lambda theta: projective_grid(theta, (len(theta), 1, 3, 4), align_corners=align_corners),
        (theta,),
        order=2,
    )


@both_conventions
@pytest.mark.parametrize("form", [(8,), (3, 3)])
def test_derivatives_of_the_warp_to_second_order(form, align_corners):
    rng = np.random.default_rng(4)
    theta = homographies(2, rng).reshape(2, 9)[:, : np.prod(form)].reshape(2, *form)

    def warp(U, theta):
        settings = {"mode": "cubic-spline", "padding_mode": "border", "align_corners": align_corners}
        return spatial_transform(U, theta, (len(U), 1, 3, 2), transformation="projective", **settings)

    gradcheck(warp, (rng.normal(size=(2, 1, 4, 3)), theta), order=2, elements=40, directions=2)


def test_derivatives_of_the_perspective_are_zero_at_infinity_alone():
    h = np.array([[4.0, 6.0, 2.0], [1.0, -1.0, 0.0], [1.0, 1.0, 1e-17], [0.0, 0.0, 0.0], [1.0, 1.0, 1e-10]])
    x, pullback = vjp(perspective, h)
    np.testing.assert_array_equal(x[:2], [[2, 3], [np.inf, -np.inf]])
    [h_bar] = pullback(np.tile([1.0, 10.0], (5, 1)))
    assert h_bar[0].tolist() == [0.5, 5, -16]  # 1 / 2, 10 / 2, -(1 * 4 + 10 * 6) / 4
    assert not h_bar[1:4].any()
    np.testing.assert_allclose(h_bar[4], [1e10, 1e11, -11e20], rtol=8 * EPS)


def test_tensors_come_back_for_tensors():
    theta = Tensor(homographies(2).reshape(2, 9)[:, :8], requires_grad=True)
    grid = projective_grid(theta, (2, 1, 3, 4), align_corners=True)
    assert isinstance(grid, Tensor)
    grid.backward(normal(*grid.shape))
    assert theta.grad.shape == (2, 8)
    assert theta.grad.all()


# Refusals


@pytest.mark.parametrize(
    ("theta", "size", "message"),
    [
        (np.ones(8), (1, 1, 2, 2), r"theta has shape \(8,\), expected \(N, 8\) or \(N, 3, 3\); use "
         r"theta\[None\] for a batch of one"),
        (np.ones((3, 3)), (1, 1, 2, 2), r"theta has shape \(3, 3\), .*use theta\[None\]"),
        (np.ones((2, 9)), (2, 1, 2, 2), r"theta has shape \(2, 9\), .*use theta\.reshape\(-1, 3, 3\)"),
        (np.ones((2, 2, 3)), (2, 1, 2, 2), r"theta has shape \(2, 2, 3\), .*an affine map is a homography "
         r"with the third row \(0, 0, 1\)"),
        (np.ones((2, 7)), (2, 1, 2, 2), r"theta has shape \(2, 7\), expected \(N, 8\) or \(N, 3, 3\)$"),
        (np.ones((2, 8)), (1, 1, 2, 2), r"size is \(1, 1, 2, 2\) but theta holds 2 maps"),
        (np.ones((2, 8)), (2, 2), r"size is \(2, 2\), expected \(N, C, H', W'\)"),
        (np.ones((2, 8)), (2, 1, 2, 2, 2), r"size is .*expected \(N, C, H', W'\)"),
    ],
)  # fmt: skip
def test_shapes_that_do_not_fit_are_refused(theta, size, message):
    with pytest.raises(ValueError, match=rf"^projective_grid: {message}"):
        projective_grid(theta, size, align_corners=True)


@pytest.mark.parametrize("dtype", [np.int64, np.complex128, np.bool_])
def test_other_dtypes_are_refused_by_name(dtype):
    expected = rf"projective_grid: theta has dtype {np.dtype(dtype)}, expected float16, float32 or float64"
    with pytest.raises(TypeError, match=expected):
        projective_grid(np.ones((1, 8), dtype), (1, 1, 2, 2), align_corners=True)
    for form in ((8,), (3, 3)):
        with pytest.raises(TypeError, match=rf"spatial_transform: theta has dtype {np.dtype(dtype)}"):
            in_one_step("zeros")(IMAGE, np.ones((2, *form), dtype))


def test_lists_and_switches_are_refused_with_the_way_to_mend_it():
    with pytest.raises(TypeError, match=r"projective_grid: theta is .*use np\.asarray\(theta, dtype=float\)"):
        projective_grid([[1.0] * 8], (1, 1, 2, 2), align_corners=True)
    with pytest.raises(TypeError, match="align_corners"):
        projective_grid(np.ones((1, 8)), (1, 1, 2, 2))
    with pytest.raises(TypeError, match=r"projective_grid: align_corners is 'True', expected True or False"):
        projective_grid(np.ones((1, 8)), (1, 1, 2, 2), align_corners="True")


def test_volumes_are_refused_with_what_works_for_them():
    U = np.ones((1, 1, 3, 4, 5))
    message = r"'projective' works in 2 dimensions, not in 3; transformations for 3: affine, .*flow"
    for kind in ("projective", Projective()):
        with pytest.raises(ValueError, match=message):
            spatial_transform(U, np.ones((1, 8)), U.shape, transformation=kind, align_corners=True)
