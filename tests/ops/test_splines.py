"""The prefilter: splines that pass through the pixels, whatever lies beyond the border."""

from itertools import product

import numpy as np
import pytest
from scipy import ndimage

from stn_ref import (
    BICUBIC,
    CUBIC_SPLINE,
    QUADRATIC_SPLINE,
    Kernel,
    Setup,
    gradcheck,
    grid_sample,
    spatial_transform,
)
from stn_ref.ops.splines import spline_coefficients
from stn_ref.pixels import PADDING_MODES, base_coordinates, to_normalised

EPS = np.finfo(float).eps
# The B-spline of degree 5; at a pixel it takes 66 parts of 120, and 26 and 1 of the next ones.
QUINTIC_SPLINE = Kernel(
    "quintic-spline",
    [
        (1.0, [66 / 120, 0.0, -60 / 120, 0.0, 30 / 120, -10 / 120]),
        (2.0, [51 / 120, 75 / 120, -210 / 120, 150 / 120, -45 / 120, 5 / 120]),
        (3.0, [243 / 120, -405 / 120, 270 / 120, -90 / 120, 15 / 120, -1 / 120]),
    ],
    prefiltered=True,
)
SPLINES = (QUADRATIC_SPLINE, CUBIC_SPLINE, QUINTIC_SPLINE)
# How much the filter of an axis enlarges at most: the alternating image, of which 1/2, 1/3, 16/120 is left.
CONDITIONS = {"quadratic-spline": 2.0, "cubic-spline": 3.0, "quintic-spline": 7.5}

splines = pytest.mark.parametrize("kernel", SPLINES, ids=lambda kernel: kernel.name)
paddings = pytest.mark.parametrize("padding_mode", PADDING_MODES)
both_conventions = pytest.mark.parametrize("align_corners", [True, False])


def setup(kernel, padding_mode="zeros", align_corners=True):
    return Setup(kernel, padding_mode, align_corners, "right")


def at_pixels(U, align_corners):
    """The grid of all pixel centres."""
    axes = [base_coordinates(n, align_corners) for n in U.shape[2:]]
    grid = np.stack([*reversed(np.meshgrid(*axes, indexing="ij"))], axis=-1)
    return np.broadcast_to(grid, (len(U), *grid.shape))


@splines
@paddings
@both_conventions
@pytest.mark.parametrize("shape", [(2, 2, 7, 10), (1, 1, 1, 6), (1, 2, 2, 1), (1, 1, 1, 1), (1, 1, 3, 4, 5)])
def test_a_spline_passes_through_the_pixels(kernel, padding_mode, align_corners, shape):
    U = np.random.default_rng(0).normal(size=shape)
    settings = {"mode": kernel, "padding_mode": padding_mode, "align_corners": align_corners}
    V = grid_sample(U, at_pixels(U, align_corners), **settings)
    assert np.abs(V - U).max() <= 1e-13 * np.abs(U).max()
    theta = np.repeat(np.eye(len(shape) - 2, len(shape) - 1)[None], len(U), axis=0)
    V = spatial_transform(U, theta, shape, **settings)
    assert np.abs(V - U).max() <= 1e-13 * np.abs(U).max()


def test_without_its_prefilter_a_spline_does_not():
    U = np.random.default_rng(0).normal(size=(1, 1, 7, 10))
    blurred = Kernel("blurred", CUBIC_SPLINE.pieces)
    V = grid_sample(U, at_pixels(U, True), mode=blurred, padding_mode="reflection", align_corners=True)
    expected = ndimage.correlate(U[0, 0], np.outer([1, 4, 1], [1, 4, 1]) / 36, mode="mirror")
    np.testing.assert_allclose(V[0, 0], expected, rtol=0, atol=16 * EPS * np.abs(U).max())


@pytest.mark.parametrize(
    ("align_corners", "mode", "size"),
    [
        (True, "mirror", (7, 10)),
        (True, "mirror", (2, 5)),
        # SciPy's "reflect" overwrites c[0] before its last use, an error of pole^(2 size): up to 7e-5 on two
        # pixels. Its splines of degree 5, with the pole -0.43, pass through 24 pixels to 1e-17.
        (False, "reflect", (24, 30)),
    ],
)
@pytest.mark.parametrize(
    ("kernel", "degree"), [(QUADRATIC_SPLINE, 2), (CUBIC_SPLINE, 3), (QUINTIC_SPLINE, 5)]
)
def test_values_are_those_of_scipy(kernel, degree, align_corners, mode, size):
    # Its other boundaries differ by design: "nearest" and "grid-constant" filter the image as extended by 12
    # pixels, so that coefficients go on beyond the border otherwise than the image does.
    rng = np.random.default_rng(1)
    U = rng.normal(size=(2, 3, *size))
    points = rng.uniform(-1.5, 1.5, (2, 4, 5, 2)) * np.array(size[::-1])
    points[0, 0, :2] = [[0, 0], [size[1] - 1, size[0] - 1]]
    grid = np.stack([to_normalised(points[..., k], n, align_corners) for k, n in enumerate(size[::-1])], -1)
    settings = {"padding_mode": "reflection", "align_corners": align_corners}
    V = grid_sample(U, grid, mode=kernel, **settings)
    for n, c in np.ndindex(2, 3):
        where = [points[n, ..., 1], points[n, ..., 0]]
        expected = ndimage.map_coordinates(U[n, c], where, order=degree, mode=mode)
        np.testing.assert_allclose(V[n, c], expected, rtol=0, atol=1e-12 * np.abs(U).max())


@splines
@paddings
@both_conventions
@pytest.mark.parametrize("shape", [(2, 3, 5, 6), (1, 1, 1, 2), (1, 2, 4, 3, 2)])
def test_the_transposed_filter_is_the_transpose(kernel, padding_mode, align_corners, shape):
    rng = np.random.default_rng(2)
    U, c = rng.normal(size=(2, *shape))
    settings = {"setup": setup(kernel, padding_mode, align_corners)}
    forward = (c * spline_coefficients(U, **settings)).sum()
    back = (spline_coefficients(c, transposed=True, **settings) * U).sum()
    # The filter enlarges by its condition number along each axis, and every sum has so many terms.
    size = CONDITIONS[kernel.name] ** (len(shape) - 2) * np.abs(c).sum() * np.abs(U).max()
    assert abs(forward - back) <= 16 * EPS * size


def test_the_filter_of_two_pixels_by_hand():
    # With a mirror about the centres, pixel 0 sees 4/6 c0 + 2/6 c1, and pixel 1 the reverse.
    U = np.array([[[[1.0, 4.0]]]])
    c = spline_coefficients(U, setup=setup(CUBIC_SPLINE, "reflection", True))
    np.testing.assert_allclose(c, [[[[-2.0, 7.0]]]], rtol=8 * EPS)
    # With zeros 4/6 c0 + 1/6 c1 = 1 and 1/6 c0 + 4/6 c1 = 4; along y there is 4/6 of the row itself.
    c = spline_coefficients(U, setup=setup(CUBIC_SPLINE, "zeros", True))
    np.testing.assert_allclose(c, [[[[0.0, 9.0]]]], rtol=8 * EPS, atol=32 * EPS)


@splines
@paddings
@both_conventions
def test_a_constant_stays_constant_where_the_image_goes_on(kernel, padding_mode, align_corners):
    U = np.full((1, 1, 4, 5), 7.0)
    c = spline_coefficients(U, setup=setup(kernel, padding_mode, align_corners))
    if padding_mode == "zeros":
        assert np.abs(c - 7).max() > 1
    else:
        np.testing.assert_allclose(c, U, rtol=16 * CONDITIONS[kernel.name] ** 2 * EPS)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_filter_keeps_the_dtype(dtype):
    U = np.random.default_rng(3).normal(size=(2, 1, 4, 5)).astype(dtype)
    for kernel in SPLINES:
        c = spline_coefficients(U, setup=setup(kernel))
        assert c.dtype == dtype
        exact = spline_coefficients(U.astype(float), setup=setup(kernel))
        size = CONDITIONS[kernel.name] ** 2 * np.abs(exact).max()
        assert np.abs(c - exact).max() <= 16 * np.finfo(dtype).eps * size


def test_a_nan_pixel_stays_in_its_image_and_channel():
    U = np.random.default_rng(4).normal(size=(2, 2, 4, 5))
    settings = {"setup": setup(CUBIC_SPLINE, "border")}
    expected = spline_coefficients(U, **settings)
    U[0, 1, 2, 3] = np.nan
    c = spline_coefficients(U, **settings)
    assert np.isnan(c[0, 1]).any()
    untouched = [(0, 0), (1, 0), (1, 1)]
    assert all(np.array_equal(c[at], expected[at]) for at in untouched)


def test_a_filter_that_cannot_be_inverted_is_refused():
    # 1/2 of a pixel and 1/4 of each neighbour: of the alternating image nothing is left.
    wide = Kernel("wide", [(2.0, [0.5, -0.25])], prefiltered=True)
    U = np.ones((1, 1, 4, 4))
    with pytest.raises(ValueError, match=r"'wide' cannot .* 4 pixels .*'reflection': .* singular"):
        spline_coefficients(U, setup=setup(wide, "reflection", True))


def test_a_kernel_that_is_an_interpolator_already_is_not_changed_by_a_prefilter():
    U = np.random.default_rng(5).normal(size=(1, 2, 5, 6))
    filtered = Kernel("bicubic", BICUBIC.pieces, prefiltered=True)
    for padding_mode, align_corners in product(PADDING_MODES, (True, False)):
        assert np.array_equal(spline_coefficients(U, setup=setup(filtered, padding_mode, align_corners)), U)


@pytest.mark.parametrize("kernel", [QUADRATIC_SPLINE, CUBIC_SPLINE], ids=lambda kernel: kernel.name)
@pytest.mark.parametrize(("padding_mode", "align_corners"), [("zeros", True), ("border", False)])
def test_gradients_flow_through_filter_and_sampler(kernel, padding_mode, align_corners):
    rng = np.random.default_rng(6)
    U = rng.normal(size=(2, 1, 3, 4))
    points = rng.integers(-1, 3, (2, 2, 2, 2)) + rng.uniform(0.05, 0.45, (2, 2, 2, 2))
    grid = np.stack([to_normalised(points[..., k], n, align_corners) for k, n in enumerate((4, 3))], axis=-1)

    def sampled(U, grid):
        settings = {"padding_mode": padding_mode, "align_corners": align_corners}
        return grid_sample(U, grid, mode=kernel, **settings)

    assert gradcheck(sampled, (U, grid), order=2, elements=60).passed


def test_empty_batches_and_channels():
    for shape in ((0, 2, 3, 4), (2, 0, 3, 4)):
        grid = np.zeros((shape[0], 2, 2, 2))
        V = grid_sample(np.ones(shape), grid, mode="cubic-spline", align_corners=True)
        assert V.shape == (*shape[:2], 2, 2)


@pytest.mark.parametrize("mode", ["quadratic-spline", "cubic-spline"])
def test_half_precision_is_filtered_in_single_and_rounded_once(mode):
    rng = np.random.default_rng(11)
    U = rng.normal(size=(2, 2, 7, 6)).astype(np.float16)
    grid = rng.uniform(-1, 1, (2, 4, 5, 2)).astype(np.float16)
    V = grid_sample(U, grid, mode=mode, align_corners=True)
    single = grid_sample(U.astype(np.float32), grid.astype(np.float32), mode=mode, align_corners=True)
    np.testing.assert_array_equal(V, single.astype(np.float16))
