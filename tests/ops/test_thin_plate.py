"""Thin plate splines: through their control points, against SciPy's, and their derivatives."""

import numpy as np
import pytest
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import map_coordinates

from stn_ref import (
    Tensor,
    ThinPlateSpline,
    affine_grid,
    control_grid,
    gradcheck,
    spatial_transform,
    tps_grid,
    vjp,
)
from stn_ref.ops.grids import base_grid
from stn_ref.ops.thin_plate import thin_plate
from stn_ref.pixels import PADDING_MODES, to_pixels

both_conventions = pytest.mark.parametrize("align_corners", [True, False])
RNG = np.random.default_rng(0)
EPS = np.finfo(float).eps


def scattered(k):
    """Control points no two of which are close, and not near one line."""
    angle = np.arange(k) * 2.4  # the seeds of a sunflower
    return np.sqrt((np.arange(k) + 0.7) / k)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def places(control, n=2):
    return control + 0.2 * RNG.normal(size=(n, *control.shape))


def targets(size, align_corners):
    return base_grid(size, align_corners)[..., :2].reshape(-1, 2)


def elsewhere(control, theta, size, align_corners, regularisation=0.0):
    """The same spline by SciPy, (N, H', W', 2)."""
    settings = {"kernel": "thin_plate_spline", "degree": 1, "smoothing": regularisation}
    at = targets(size, align_corners)
    return np.stack([RBFInterpolator(control, p, **settings)(at).reshape(*size, 2) for p in theta])


# By hand


def test_the_control_points_of_the_paper_are_a_grid_of_4_by_4():
    third = 1 / 3
    axis = [-1, -third, third, 1]
    assert control_grid().tolist() == [[x, y] for y in axis for x in axis]
    assert control_grid(3, 2).tolist() == [[x, y] for y in (-1, 0, 1) for x in (-1, 1)]


def test_the_radial_function_and_its_derivatives_by_hand():
    q = np.array([1.0, np.e, 4.0])
    for order, expected in enumerate(
        ([0, np.e / 2, 4 * np.log(2)], [0.5, 1, np.log(2) + 0.5], 0.5 / q, -0.5 / q**2, 1 / q**3, -3 / q**4)
    ):
        np.testing.assert_allclose(thin_plate(q, order=order), expected, rtol=4 * EPS, atol=0)
        assert thin_plate(np.zeros(1), order=order) == 0


def test_one_control_point_moved_among_five_by_hand():
    # Four corners stay, the centre moves by 1 to the right. By symmetry f - x is a + w (phi(r) - the mean of
    # phi over the corners), with a and w such that it is 1 at the centre and 0 at the corners.
    corners = [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]]
    control = np.array([[0.0, 0.0], *corners])
    moved = np.zeros((1, 5, 2))
    moved[0, 0, 0] = 1

    def phi(x, y):
        q = x * x + y * y
        return 0.5 * q * np.log(q) if q else 0.0

    def unscaled(x, y):
        return phi(x, y) - sum(phi(x - a, y - b) for a, b in corners) / 4

    grid = tps_grid(moved, (1, 1, 5, 5), align_corners=True, control_points=control, offsets=True)
    offset = grid[0] - base_grid((5, 5), True)[..., :2]
    axis = np.linspace(-1, 1, 5)
    span = unscaled(0, 0) - unscaled(1, 1)
    expected = [[(unscaled(x, y) - unscaled(1, 1)) / span for x in axis] for y in axis]
    np.testing.assert_allclose(offset[..., 0], expected, rtol=0, atol=1e-14)
    assert not offset[..., 1].any()


@both_conventions
@pytest.mark.parametrize("control", [None, control_grid(2, 3), scattered(9)], ids=["4x4", "2x3", "9"])
def test_control_points_at_their_own_places_are_the_identity(control, align_corners):
    size = (2, 1, 5, 8)
    own = control_grid() if control is None else control
    theta = np.repeat(own[None], 2, axis=0)
    settings = {"align_corners": align_corners, "control_points": control}
    expected = np.repeat(base_grid((5, 8), align_corners)[None, ..., :2], 2, axis=0)
    assert np.array_equal(tps_grid(theta, size, **settings), expected)
    assert np.array_equal(tps_grid(0 * theta, size, **settings, offsets=True), expected)
    spline = ThinPlateSpline(control)
    points = spline.points(theta, size=(5, 8), source=(5, 8), align_corners=align_corners)
    assert np.array_equal(points[1], np.stack(np.indices((5, 8))[::-1], axis=-1))
    assert spline.identity((5, 8)).tolist() == own.reshape(-1).tolist()
    assert not ThinPlateSpline(control, offsets=True).identity((5, 8)).any()
    assert spline.shape((5, 8)) == own.shape


# What a thin plate spline is


@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (3, 4), (4, 4), (2, 5)])
def test_it_goes_through_its_control_points(rows, columns):
    control = control_grid(rows, columns)
    theta = places(control)
    settings = {"align_corners": True, "control_points": control}
    grid = tps_grid(theta, (2, 1, rows, columns), **settings)
    np.testing.assert_allclose(grid.reshape(2, -1, 2), theta, rtol=0, atol=1e-12)
    finer = tps_grid(theta, (2, 1, 2 * rows - 1, 3 * columns - 2), **settings)
    np.testing.assert_allclose(finer[:, ::2, ::3].reshape(2, -1, 2), theta, rtol=0, atol=1e-12)


@both_conventions
@pytest.mark.parametrize("regularisation", [0.0, 1e-3, 0.5, 100.0])
@pytest.mark.parametrize("control", [control_grid(), control_grid(3, 2), scattered(7)], ids=len)
def test_it_is_the_spline_of_scipy(control, regularisation, align_corners):
    theta, size = places(control), (5, 7)
    grid = tps_grid(
        theta,
        (2, 1, *size),
        align_corners=align_corners,
        control_points=control,
        regularisation=regularisation,
    )
    expected = elsewhere(control, theta, size, align_corners, regularisation)
    np.testing.assert_allclose(grid, expected, rtol=0, atol=1e-12)


@both_conventions
@pytest.mark.parametrize("regularisation", [0.0, 2.0])
def test_an_affine_map_of_the_control_points_is_that_map_everywhere(regularisation, align_corners):
    control, affine = scattered(8), RNG.normal(size=(2, 2, 3))
    theta = np.einsum("kj,nij->nki", control, affine[..., :2]) + affine[:, None, :, 2]
    settings = {"control_points": control, "regularisation": regularisation}
    grid = tps_grid(theta, (2, 1, 4, 6), align_corners=align_corners, **settings)
    expected = affine_grid(affine, (2, 1, 4, 6), align_corners=align_corners)
    np.testing.assert_allclose(grid, expected, rtol=0, atol=1e-12)


def test_three_control_points_are_an_affine_map():
    control = np.array([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
    theta = np.array([[[0.0, 0.0], [1.0, 0.5], [-0.5, 1.0]]])
    grid = tps_grid(theta, (1, 1, 3, 3), align_corners=True, control_points=control)
    affine = np.array([[[0.5, -0.25, 0.25], [0.25, 0.5, 0.75]]])
    expected = affine_grid(affine, (1, 1, 3, 3), align_corners=True)
    np.testing.assert_allclose(grid, expected, rtol=0, atol=1e-14)


def test_the_stiffer_the_closer_it_comes_to_the_affine_map_of_least_squares():
    control = scattered(9)
    theta, at = places(control, 1), targets((4, 5), False)
    columns = np.column_stack([np.ones(9), control])
    fit = np.linalg.lstsq(columns, theta[0], rcond=None)[0]
    affine = (np.column_stack([np.ones(20), at]) @ fit).reshape(1, 4, 5, 2)

    def distance(regularisation):
        settings = {"control_points": control, "regularisation": regularisation}
        grid = tps_grid(theta, (1, 1, 4, 5), align_corners=False, **settings)
        return np.abs(grid - affine).max()

    assert distance(0.0) > 0.05
    # (K + l I)^-1 = I / l - K / l^2 + ..., so that ten times l is a tenth of the distance.
    for regularisation in (1e4, 1e5, 1e6):
        assert distance(10 * regularisation) == pytest.approx(distance(regularisation) / 10, rel=1e-2)


@both_conventions
def test_offsets_are_places_less_control_points(align_corners):
    control = scattered(6)
    theta, size = places(control), (2, 1, 4, 5)
    settings = {"align_corners": align_corners, "control_points": control}
    expected = tps_grid(theta, size, **settings)
    assert np.array_equal(tps_grid(theta - control, size, **settings, offsets=True), expected)


def test_theta_may_come_as_numbers_in_a_row():
    theta = places(control_grid())
    grid = tps_grid(theta, (2, 1, 4, 5), align_corners=True)
    assert np.array_equal(tps_grid(theta.reshape(2, 32), (2, 1, 4, 5), align_corners=True), grid)


@both_conventions
@pytest.mark.parametrize(("source", "target"), [((4, 6), (4, 6)), ((5, 3), (3, 9)), ((1, 4), (2, 1))])
def test_points_in_pixels_are_the_grid_in_pixels(source, target, align_corners):
    control = scattered(6)
    spline, theta = ThinPlateSpline(control), places(control)
    settings = {"size": target, "source": source, "align_corners": align_corners}
    points, grid = spline.points(theta, **settings), spline.grid(theta, **settings)
    for k, n in enumerate(reversed(source)):
        # Displacements are the same in both; a sum and a product of coordinates up to 2 are rounded.
        expected = to_pixels(grid[..., k], n, align_corners)
        np.testing.assert_allclose(points[..., k], expected, rtol=0, atol=8 * EPS * (2 * n + 1))


@both_conventions
@pytest.mark.parametrize("padding_mode", PADDING_MODES)
def test_warps_agree_with_scipy(padding_mode, align_corners):
    control = scattered(8)
    theta, U = places(control), RNG.uniform(-1, 1, (2, 3, 6, 9))
    V = spatial_transform(
        U,
        theta,
        (2, 3, 7, 5),
        transformation=ThinPlateSpline(control),
        padding_mode=padding_mode,
        align_corners=align_corners,
    )
    mode = {"zeros": "grid-constant", "border": "nearest"}.get(padding_mode)
    mode = mode or ("mirror" if align_corners else "reflect")
    grid = elsewhere(control, theta, (7, 5), align_corners)
    for n in range(2):
        x, y = (
            (g + 1) * (size - 1) / 2 if align_corners else ((g + 1) * size - 1) / 2
            for g, size in zip(np.moveaxis(grid[n], -1, 0), (9, 6))
        )
        for c in range(3):
            expected = map_coordinates(U[n, c], [y, x], order=1, mode=mode)
            np.testing.assert_allclose(V[n, c], expected, rtol=0, atol=1e-12)


# Derivatives


@pytest.mark.parametrize("offsets", [False, True])
def test_the_derivative_for_theta_is_the_basis(offsets):
    control, size = scattered(5), (3, 4)

    def f(theta):
        shape = (len(theta), 1, *size)
        return tps_grid(theta, shape, align_corners=False, control_points=control, offsets=offsets)

    theta, grid_bar = places(control), RNG.normal(size=(2, *size, 2))
    [theta_bar] = vjp(f, theta)[1](grid_bar)
    # The spline with 1 at one control point and 0 at the others is an element of the basis.
    basis = elsewhere(control, np.eye(5)[:, :, None].repeat(2, axis=2), size, False)[..., 0]
    expected = np.einsum("khw,nhwi->nki", basis, grid_bar)
    np.testing.assert_allclose(theta_bar, expected, rtol=0, atol=1e-13 * 12)


@both_conventions
@pytest.mark.parametrize("offsets", [False, True])
@pytest.mark.parametrize("regularisation", [0.0, 0.3])
def test_derivatives_for_theta_to_second_order(offsets, regularisation, align_corners):
    control = scattered(5)
    settings = {"control_points": control, "offsets": offsets, "regularisation": regularisation}
    gradcheck(
        lambda theta: tps_grid(theta, (len(theta), 1, 3, 4), align_corners=align_corners, **settings),
        (places(control),),
        order=2,
    )


@pytest.mark.parametrize("offsets", [False, True])
@pytest.mark.parametrize("regularisation", [0.0, 0.3])
def test_derivatives_for_the_control_points_to_second_order(offsets, regularisation):
    control = scattered(5)
    settings = {"offsets": offsets, "regularisation": regularisation}
    far = np.linalg.norm(targets((2, 3), False)[:, None] - control, axis=-1)
    assert far.min() > 0.1
    gradcheck(
        lambda theta, control: tps_grid(
            theta, (1, 1, 2, 3), align_corners=False, control_points=control, **settings
        ),
        (places(control, 1), control),
        order=2,
        elements=20,
        directions=2,
    )


def test_where_a_target_lies_on_a_control_point_the_first_derivatives_hold():
    control = control_grid(2, 3)  # which are the targets of an output of 2 x 3

    def f(theta, control):
        return tps_grid(theta, (2, 1, 2, 3), align_corners=True, control_points=control)

    gradcheck(f, (places(control), control))


def test_and_the_second_derivatives_are_finite():
    control = control_grid(2, 3)
    theta, grid_bar = places(control), RNG.normal(size=(2, 2, 3, 2))

    def bars(theta, control):
        def f(theta, control):
            return tps_grid(theta, (2, 1, 2, 3), align_corners=True, control_points=control)

        return vjp(f, theta, control)[1](grid_bar)

    (theta_bar, control_bar), pullback = vjp(bars, theta, control)
    seconds = pullback((RNG.normal(size=theta.shape), RNG.normal(size=control.shape)))
    for bar in (theta_bar, control_bar, *seconds):
        assert np.isfinite(bar).all()
        assert bar.any()


@pytest.mark.parametrize("order", range(4))
def test_derivatives_of_the_radial_function(order):
    # First and second of its derivatives up to the third: to the fifth.
    gradcheck(lambda q: thin_plate(q, order=order), (RNG.uniform(0.3, 2, (2, 4)),), order=2)


def test_derivatives_go_through_the_sampler_to_image_places_and_control_points():
    control = scattered(5)

    def f(U, theta, control):
        settings = {"mode": "bicubic", "padding_mode": "border", "align_corners": False}
        spline = ThinPlateSpline(control)
        return spatial_transform(U, theta, (2, 1, 2, 3), transformation=spline, **settings)

    U, theta = RNG.normal(size=(2, 1, 4, 5)), np.repeat(control[None], 2, axis=0) + 0.1
    gradcheck(f, (U, theta, control), elements=12, directions=2)


def test_control_points_as_a_tensor_are_learnt():
    control = Tensor(scattered(5), requires_grad=True)
    theta = Tensor(places(scattered(5)), requires_grad=True)
    spline = ThinPlateSpline(control)
    V = spatial_transform(
        RNG.normal(size=(2, 1, 4, 4)), theta, (2, 1, 3, 3), transformation=spline, align_corners=True
    )
    V.backward(RNG.normal(size=V.shape))
    assert control.grad.shape == (5, 2)
    assert control.grad.all()
    assert theta.grad.all()
    as_array = ThinPlateSpline(control.data)
    settings = {"size": (3, 3), "source": (4, 4), "align_corners": True}
    found, expected = spline.points(theta.data, **settings).data, as_array.points(theta.data, **settings)
    assert np.array_equal(found, expected)
    control.data[0] += 0.25  # a step of an optimiser
    moved = spline.points(theta.data, **settings).data
    assert np.array_equal(moved, ThinPlateSpline(control.data).points(theta.data, **settings))
    assert not np.array_equal(moved, expected)


# Dtypes, memory


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("as_tensor", [False, True])
def test_the_grid_has_the_dtype_of_theta(dtype, as_tensor):
    control = scattered(6)
    theta = places(control).astype(dtype)
    given = Tensor(control) if as_tensor else control
    grid = tps_grid(theta, (2, 1, 3, 4), align_corners=True, control_points=given)
    assert grid.dtype == dtype
    expected = tps_grid(theta.astype(float), (2, 1, 3, 4), align_corners=True, control_points=control)
    # The basis is rounded once; sums of 6 offsets of up to 1, weighted with up to 2, and the base grid.
    bound = 6 * 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(grid.data if as_tensor else grid, expected, rtol=0, atol=bound)


def test_a_result_is_the_callers_own():
    theta = places(control_grid())
    grid = tps_grid(theta, (2, 1, 4, 5), align_corners=True)
    expected = grid.copy()
    grid[:] = np.nan
    assert np.array_equal(tps_grid(theta, (2, 1, 4, 5), align_corners=True), expected)


def test_control_points_in_another_memory_order_or_dtype_are_the_same_points():
    control = control_grid(3, 3)
    theta, size = places(control), (2, 1, 4, 5)
    expected = tps_grid(theta, size, align_corners=True, control_points=control)
    for same in (np.asfortranarray(control), control.astype(np.float32), control.astype(np.float16)):
        assert np.array_equal(tps_grid(theta, size, align_corners=True, control_points=same), expected)


# Refusals


@pytest.mark.parametrize(
    ("control", "message"),
    [
        (np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [-3.0, -3.0]]), r"the 4 points lie on one line, expe"),
        (np.array([[0.0, 0.0], [1.0, 0.1], [3.0, 0.3]]), r"the 3 points lie on one line, expected three or "),
        (np.array([[0.0, 0.0], [1.0, 0.0]]), r"the 2 points lie on one line, expected three or more that do"),
        (np.zeros((0, 2)), r"the 0 points lie on one line"),
        (np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]), r"holds the same point twice; a point "),
        (np.array([[0.0, 0.0], [1.0, 0.0], [0.0, np.nan]]), r"holds NaN or infinity; every control point ne"),
        (np.array([[0.0, 0.0], [1.0, 0.0], [0.0, -np.inf]]), r"holds NaN or infinity"),
        (np.zeros((4, 3)), r"has shape \(4, 3\), expected \(K, 2\), the last axis \(x, y\)"),
        (np.zeros((2, 4, 2)), r"has shape \(2, 4, 2\), expected \(K, 2\)"),
        (np.zeros(8), r"has shape \(8,\), expected \(K, 2\)"),
    ],
)
def test_control_points_without_a_spline_are_refused(control, message):
    for given in (control, Tensor(control)):
        with pytest.raises(ValueError, match=rf"^thin-plate-spline: control_points:? {message}"):
            ThinPlateSpline(given)
    with pytest.raises(ValueError, match=message):
        tps_grid(np.ones((1, 2 * len(control))), (1, 1, 2, 2), align_corners=True, control_points=control)


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf, "stiff", None, np.ones(2)])
def test_regularisations_are_refused_by_name(value):
    with pytest.raises(
        ValueError, match=r"^thin-plate-spline: regularisation is .*, expected a number of at "
    ):
        ThinPlateSpline(regularisation=value)


@pytest.mark.parametrize(
    ("theta", "size", "message"),
    [
        (
            np.ones((1, 15, 2)),
            (1, 1, 2, 2),
            r"theta has shape \(1, 15, 2\), expected \(1, 16, 2\) or \(1, 32",
        ),
        (np.ones((16, 2)), (1, 1, 2, 2), r"size is \(1, 1, 2, 2\) but theta holds 16 maps"),
        (np.ones((2, 32)), (1, 1, 2, 2), r"size is \(1, 1, 2, 2\) but theta holds 2 maps"),
        (np.ones((1, 32)), (2, 2), r"size is \(2, 2\), expected \(N, C, H', W'\)"),
        (np.ones((1, 32)), (1, 1, 2, 2, 2), r"size is .*expected \(N, C, H', W'\)"),
        (np.ones(()), (1, 1, 2, 2), r"theta has shape \(\), expected \(1, 16, 2\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(theta, size, message):
    with pytest.raises(ValueError, match=rf"^tps_grid: {message}"):
        tps_grid(theta, size, align_corners=True)


def test_types_and_switches_are_refused_by_name():
    theta, size = np.ones((1, 32)), (1, 1, 2, 2)
    with pytest.raises(TypeError, match=r"tps_grid: theta has dtype int64, expected float16, float32 or flo"):
        tps_grid(theta.astype(np.int64), size, align_corners=True)
    with pytest.raises(TypeError, match=r"tps_grid: theta is list .*use np\.asarray\(theta, dtype=float\)"):
        tps_grid(theta.tolist() * 2, (2, 1, 2, 2), align_corners=True)
    with pytest.raises(
        TypeError, match=r"control_points is .*use np\.asarray\(control_points, dtype=float\)"
    ):
        ThinPlateSpline([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    with pytest.raises(TypeError, match=r"control_points has dtype int64"):
        ThinPlateSpline(np.array([[0, 0], [1, 0], [0, 1]]))
    with pytest.raises(TypeError, match=r"thin-plate-spline: offsets is 'no', expected True or False"):
        ThinPlateSpline(offsets="no")
    with pytest.raises(TypeError, match=r"tps_grid: align_corners is 1, expected True or False"):
        tps_grid(theta, size, align_corners=1)
    with pytest.raises(TypeError, match="align_corners"):
        tps_grid(theta, size)


def test_volumes_are_refused_with_what_works_for_them():
    U = np.ones((1, 1, 3, 4, 5))
    message = r"'thin-plate-spline' works in 2 dimensions, not in 3; transformations for 3: affine, .*flow"
    with pytest.raises(ValueError, match=message):
        spatial_transform(
            U, np.ones((1, 32)), U.shape, transformation="thin-plate-spline", align_corners=True
        )
