"""Dense flow: a displacement for every output pixel."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from stn_ref import (
    Flow,
    Tensor,
    affine_grid,
    flow_grid,
    gradcheck,
    spatial_transform,
    translation_theta,
    vjp,
)
from stn_ref.ops.grids import base_grid
from stn_ref.pixels import span, to_pixels

both_conventions = pytest.mark.parametrize("align_corners", [True, False])
RNG = np.random.default_rng(0)
EPS = np.finfo(float).eps


def warp(U, flow, align_corners, **settings):
    size = (*U.shape[:2], *flow.shape[1:-1])
    return spatial_transform(U, flow, size, transformation="flow", align_corners=align_corners, **settings)


def test_by_hand():
    flow = np.zeros((1, 2, 3, 2))
    flow[0, 1, 0] = [0.5, -0.25]
    grid = flow_grid(flow, align_corners=True)
    assert grid[0].tolist() == [[[-1, -1], [0, -1], [1, -1]], [[-0.5, 0.75], [0, 1], [1, 1]]]
    grid = flow_grid(flow, align_corners=False)
    assert grid[0, 1, 0].tolist() == [-2 / 3 + 0.5, 0.25]


@both_conventions
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("size", [(1, 1), (4, 7), (2, 3, 4)])
def test_no_flow_is_the_identity(size, dtype, align_corners):
    flow = np.zeros((2, *size, len(size)), dtype)
    grid = flow_grid(flow, align_corners=align_corners)
    assert grid.dtype == dtype
    assert np.array_equal(grid[1], base_grid(size, align_corners, dtype)[..., :-1])
    assert np.array_equal(Flow().identity(size).reshape(Flow().shape(size)), flow[0])
    points = Flow().points(flow, size=size, source=size, align_corners=align_corners)
    assert np.array_equal(points[1], np.stack(np.indices(size)[::-1], axis=-1))


@both_conventions
@pytest.mark.parametrize("size", [(4, 5), (2, 3, 4)])
def test_the_same_flow_everywhere_is_a_shift(size, align_corners):
    shift = RNG.normal(size=(2, len(size)))
    flow = np.broadcast_to(shift.reshape(2, *(1 for _ in size), -1), (2, *size, len(size)))
    expected = affine_grid(translation_theta(shift), (2, 1, *size), align_corners=align_corners)
    np.testing.assert_allclose(flow_grid(flow, align_corners=align_corners), expected, rtol=0, atol=8 * EPS)


@both_conventions
def test_a_flow_in_whole_pixels_moves_pixels(align_corners):
    U = np.arange(20.0).reshape(1, 1, 4, 5)
    pixels = RNG.integers(-2, 3, (1, 4, 5, 2)).astype(float)
    flow = pixels * 2 / [span(5, align_corners), span(4, align_corners)]
    V = warp(U, flow, align_corners, mode="nearest")
    for i, j in np.ndindex(4, 5):
        x, y = (pixels[0, i, j] + [j, i]).astype(int)
        assert V[0, 0, i, j] == (U[0, 0, y, x] if 0 <= x < 5 and 0 <= y < 4 else 0)


@both_conventions
@pytest.mark.parametrize(("source", "target"), [((4, 6), (4, 6)), ((5, 3), (3, 9)), ((3, 4, 2), (2, 3, 5))])
def test_points_in_pixels_are_the_grid_in_pixels(source, target, align_corners):
    flow = RNG.normal(size=(2, *target, len(target)))
    settings = {"size": target, "source": source, "align_corners": align_corners}
    points, grid = Flow().points(flow, **settings), Flow().grid(flow, **settings)
    assert np.array_equal(grid, flow_grid(flow, align_corners=align_corners))
    for k, n in enumerate(reversed(source)):
        expected = to_pixels(grid[..., k], n, align_corners)
        # Coordinates of up to 5 half images are rounded a few times.
        np.testing.assert_allclose(points[..., k], expected, rtol=0, atol=8 * EPS * 5 * n)


@both_conventions
@pytest.mark.parametrize("size", [(5, 7), (3, 4, 5)])
def test_warps_agree_with_scipy(size, align_corners):
    d = len(size)
    U, flow = RNG.uniform(-1, 1, (2, 2, 4, 6, 3)[: d + 2]), 0.3 * RNG.normal(size=(2, *size, d))
    V = warp(U, flow, align_corners)
    own = [(2 * np.arange(n) - (n - 1)) / span(n, align_corners) for n in size]
    base = np.stack(np.meshgrid(*own, indexing="ij")[::-1], axis=-1)
    for n, c in np.ndindex(2, 2):
        halves = [span(k, align_corners) / 2 for k in reversed(U.shape[2:])]
        middle = [(k - 1) / 2 for k in reversed(U.shape[2:])]
        pixels = np.moveaxis((base + flow[n]) * halves + middle, -1, 0)[::-1]
        expected = map_coordinates(U[n, c], pixels, order=1, mode="grid-constant")
        np.testing.assert_allclose(V[n, c], expected, rtol=0, atol=1e-12)


def test_numbers_in_a_row_will_do():
    U, flow = RNG.normal(size=(2, 1, 4, 5)), RNG.normal(size=(2, 3, 2, 2))
    settings = {"transformation": "flow", "align_corners": True}
    V = spatial_transform(U, flow, (2, 1, 3, 2), **settings)
    assert np.array_equal(spatial_transform(U, flow.reshape(2, 12), (2, 1, 3, 2), **settings), V)


def test_a_pixel_depends_on_its_own_flow_alone():
    flow, grid_bar = RNG.normal(size=(2, 3, 4, 2)), RNG.normal(size=(2, 3, 4, 2))
    [flow_bar] = vjp(lambda flow: flow_grid(flow, align_corners=True), flow)[1](grid_bar)
    assert np.array_equal(flow_bar, grid_bar)
    U, flow = RNG.normal(size=(1, 2, 4, 5)), 0.2 * RNG.normal(size=(1, 3, 2, 2))
    V_bar = np.zeros((1, 2, 3, 2))
    V_bar[0, :, 1, 1] = [3, 5]
    [flow_bar] = vjp(lambda flow: warp(U, flow, False), flow)[1](V_bar)
    others = np.ones((3, 2), bool)
    others[1, 1] = False
    assert flow_bar[0, 1, 1].all()
    assert not flow_bar[0, others].any()


@both_conventions
@pytest.mark.parametrize("size", [(2, 3), (2, 1, 3)])
def test_derivatives_to_second_order(size, align_corners):
    d = len(size)
    gradcheck(
        lambda flow: flow_grid(flow, align_corners=align_corners),
        (RNG.normal(size=(2, *size, d)),),
        order=2,
    )
    flow = RNG.uniform(-0.3, 0.3, (2, *size, d))
    settings = {"mode": "cubic-spline", "padding_mode": "border"}
    gradcheck(
        lambda U, flow: warp(U, flow, align_corners, **settings),
        (RNG.normal(size=(2, 1, 3, 2, 2)[: d + 2]), flow),
        order=2,
        elements=20,
        directions=2,
    )


def test_tensors_come_back_for_tensors():
    flow = Tensor(RNG.normal(size=(2, 3, 4, 2)), requires_grad=True)
    grid = flow_grid(flow, align_corners=False)
    assert isinstance(grid, Tensor)
    grid_bar = RNG.normal(size=grid.shape)
    grid.backward(grid_bar)
    assert np.array_equal(flow.grad, grid_bar)


@pytest.mark.parametrize("shape", [(0, 3, 4, 2), (2, 0, 4, 2), (2, 3, 0, 2), (1, 0, 2, 3, 3)])
def test_empty_flows(shape):
    assert flow_grid(np.zeros(shape), align_corners=True).shape == shape


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 2, 3, 4), r"has shape \(1, 2, 3, 4\), expected \(N, H', W', 2\), or \(N, D', H', W', 3\) for "
         r"volumes; it looks channel-first: use np\.moveaxis\(flow, 1, -1\)"),
        ((1, 3, 2, 3, 4), r"has shape .*it looks channel-first"),
        ((3, 4, 2), r"has shape \(3, 4, 2\), expected \(N, H', W', 2\)"),
        ((1, 3, 4, 3), r"has shape \(1, 3, 4, 3\), expected \(N, H', W', 2\)"),
        ((1, 2, 3, 4, 2), r"has shape \(1, 2, 3, 4, 2\), .*\(N, D', H', W', 3\)"),
        ((), r"has shape \(\), expected"),
    ],
)  # fmt: skip
def test_shapes_that_do_not_fit_are_refused(shape, message):
    with pytest.raises(ValueError, match=rf"^flow_grid: flow {message}"):
        flow_grid(np.zeros(shape), align_corners=True)


def test_a_flow_of_another_shape_than_the_output_is_refused():
    U, settings = np.ones((2, 1, 4, 5)), {"transformation": "flow", "align_corners": True}
    message = (
        r"theta has shape \(2, 2, 4, 5\), expected \(2, 4, 5, 2\) or \(2, 40\), .*; it looks channel-first"
    )
    with pytest.raises(ValueError, match=rf"{message}: use np\.moveaxis\(theta, 1, -1\)"):
        spatial_transform(U, np.zeros((2, 2, 4, 5)), U.shape, **settings)
    with pytest.raises(ValueError, match=r"theta has shape \(2, 3, 5, 2\), expected \(2, 4, 5, 2\)"):
        spatial_transform(U, np.zeros((2, 3, 5, 2)), U.shape, **settings)


def test_types_and_switches_are_refused_by_name():
    with pytest.raises(
        TypeError, match=r"flow_grid: flow has dtype int64, expected float16, float32 or float"
    ):
        flow_grid(np.zeros((1, 2, 3, 2), np.int64), align_corners=True)
    with pytest.raises(TypeError, match=r"flow_grid: flow is .*use np\.asarray\(flow, dtype=float\)"):
        flow_grid([[[[0.0, 0.0]]]], align_corners=True)
    with pytest.raises(TypeError, match=r"flow_grid: align_corners is 0, expected True or False"):
        flow_grid(np.zeros((1, 2, 3, 2)), align_corners=0)
    with pytest.raises(TypeError, match="align_corners"):
        flow_grid(np.zeros((1, 2, 3, 2)))
