"""Maps composed, inverted, as boxes, under the other convention and as the matrices of SciPy, PIL and OpenCV.

The libraries themselves judge the matrices: each warps a random image as it likes. A homography's points are
computed here from its definition.
"""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from stn_ref import Tensor, affine_grid, concatenate, gradcheck, grid_sample, spatial_transform
from stn_ref.ops.conversions import (
    box_to_theta,
    compose,
    invert,
    matrix_to_theta,
    rescale_theta,
    theta_to_box,
    theta_to_matrix,
)
from stn_ref.ops.grids import affine_points, base_grid
from stn_ref.pixels import to_pixels

EPS = np.finfo(float).eps
both_conventions = pytest.mark.parametrize("align_corners", [True, False])
IDENTITY = np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
FORMS = [("opencv", 2, 3), ("opencv", 3, 3), ("scipy", 2, 3), ("scipy", 3, 4), ("pil", 2, 3), ("pil", 3, 3)]
forms = pytest.mark.parametrize(("library", "rows", "columns"), FORMS)
MAPS = [(2, 3), (3, 4), (3, 3)]
maps = pytest.mark.parametrize(("rows", "columns"), MAPS)


def some_maps(rng, n, rows, columns):
    """Maps in general position, far from singular; a homography's horizon lies far outside the output."""
    theta = rng.uniform(-0.3, 0.3, (n, rows, columns)) + 0.9 * np.eye(rows, columns)
    if rows == columns:
        theta[:, -1] *= 0.5
    return theta


def points_of(theta, size, source, align_corners):
    """Source pixel coordinates of all output pixels, x first: by definition, for a homography too."""
    base = base_grid(size, align_corners)
    moved = np.einsum("nij,...j->n...i", theta, base)
    if theta.shape[1] == theta.shape[2]:
        moved = moved[..., :-1] / moved[..., -1:]
    parts = [to_pixels(moved[..., k], n, align_corners) for k, n in enumerate(reversed(source))]
    return np.stack(parts, axis=-1)


@st.composite
def map_and_sizes(draw, rows, columns, n=2):
    """Maps, and different numbers of pixels along all axes of output and source."""
    d = columns - 1
    pixels = draw(st.lists(st.integers(2, 9), min_size=2 * d, max_size=2 * d, unique=True))
    numbers = draw(st.lists(st.floats(-1, 1), min_size=n * rows * columns, max_size=n * rows * columns))
    theta = np.array(numbers).reshape(n, rows, columns) + 4 * np.eye(rows, columns)
    return theta, tuple(pixels[:d]), tuple(pixels[d:])


# Composition and inverse


def test_compose_by_hand():
    zoom = np.array([[[2.0, 0.0, 0.0], [0.0, 4.0, 0.0]]])
    shift = np.array([[[1.0, 0.0, 0.5], [0.0, 1.0, -1.0]]])
    np.testing.assert_array_equal(compose(zoom, shift), [[[2, 0, 1], [0, 4, -4]]])
    np.testing.assert_array_equal(compose(shift, zoom), [[[2, 0, 0.5], [0, 4, -1]]])
    np.testing.assert_array_equal(compose(shift, zoom, shift), [[[2, 0, 1.5], [0, 4, -5]]])
    np.testing.assert_array_equal(compose(shift), shift)


@both_conventions
def test_one_warp_by_the_composition_is_two_warps(align_corners):
    U = np.random.default_rng(0).normal(size=(1, 2, 3, 5))
    turn = np.array([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]])
    flip = np.array([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    settings = {"align_corners": align_corners}
    between = spatial_transform(U, turn, (1, 2, 5, 3), **settings)
    twice = spatial_transform(between, flip, (1, 2, 5, 3), **settings)
    np.testing.assert_array_equal(between, np.rot90(U, 1, (2, 3)))
    np.testing.assert_array_equal(twice, between[..., ::-1])
    once = spatial_transform(U, compose(turn, flip), (1, 2, 5, 3), **settings)
    np.testing.assert_array_equal(once, twice)
    other = spatial_transform(U, compose(flip, turn), (1, 2, 5, 3), **settings)
    assert np.abs(other - twice).max() > 1  # the order matters


@maps
def test_composition_sends_points_where_the_maps_do_one_after_the_other(rows, columns):
    rng = np.random.default_rng(1)
    first, second = (some_maps(rng, 3, rows, columns) for _ in range(2))
    points = rng.uniform(-1, 1, (3, 7, columns - 1))

    def send(theta, points):
        moved = np.einsum("nij,nkj->nki", theta, np.concatenate([points, np.ones((3, 7, 1))], axis=2))
        return moved[..., :-1] / moved[..., -1:] if rows == columns else moved

    composed = compose(first, second)
    assert composed.shape == first.shape
    expected = send(first, send(second, points))
    np.testing.assert_allclose(send(composed, points), expected, rtol=0, atol=100 * EPS)
    assert np.abs(send(compose(second, first), points) - expected).max() > 0.01


def test_an_affine_map_among_homographies_is_one_of_them():
    rng = np.random.default_rng(2)
    affine, homography = some_maps(rng, 2, 2, 3), some_maps(rng, 2, 3, 3)
    row = np.tile([[[0.0, 0.0, 1.0]]], (2, 1, 1))
    as_homography = np.concatenate([affine, row], axis=1)
    np.testing.assert_array_equal(compose(affine, homography), compose(as_homography, homography))
    product = homography @ as_homography
    np.testing.assert_allclose(compose(homography, affine), product, rtol=0, atol=4 * EPS)


@maps
def test_a_single_map_serves_for_a_batch(rows, columns):
    rng = np.random.default_rng(3)
    one, many = some_maps(rng, 1, rows, columns), some_maps(rng, 4, rows, columns)
    repeated = np.repeat(one, 4, axis=0)
    np.testing.assert_array_equal(compose(one, many), compose(repeated, many))
    np.testing.assert_array_equal(compose(many, one), compose(many, repeated))
    assert compose(one, many[:0]).shape == (0, rows, columns)


@pytest.mark.parametrize(("rows", "columns"), MAPS)
@given(data=st.data())
def test_invert_undoes(rows, columns, data):
    theta, _, _ = data.draw(map_and_sizes(rows, columns))
    inverse = invert(theta)
    assert inverse.shape == theta.shape
    # The diagonal is at least 3 and the others add up to 2 at most (a row): the norms of the matrix and its
    # inverse are at most 7 and 1, and elimination errs by 3 k^3 eps of that; a shift of 1 doubles it.
    for product in (compose(theta, inverse), compose(inverse, theta)):
        expected = np.broadcast_to(np.eye(rows, columns), theta.shape)
        np.testing.assert_allclose(product, expected, rtol=0, atol=2 * 3 * 27 * 7 * EPS)


def test_invert_by_hand():
    theta = np.array([[[0.0, -2.0, 1.0], [4.0, 0.0, 8.0]], IDENTITY[0]])  # x_s = 1 - 2 y_t, y_s = 8 + 4 x_t
    inverse = invert(theta)
    np.testing.assert_array_equal(inverse, [[[0, 0.25, -2], [-0.5, 0, 0.5]], IDENTITY[0]])
    assert not np.signbit(inverse[1]).any()


@both_conventions
def test_a_warp_by_the_inverse_leads_back(align_corners):
    U = np.random.default_rng(4).normal(size=(1, 1, 4, 6))
    theta = np.array([[[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]]])
    there = spatial_transform(U, theta, (1, 1, 6, 4), align_corners=align_corners)
    back = spatial_transform(there, invert(theta), U.shape, align_corners=align_corners)
    np.testing.assert_array_equal(back, U)


@pytest.mark.parametrize(
    "flat",
    [
        [[0.0, 0.0], [0.0, 0.0]],
        [[1.0, 2.0], [2.0, 4.0]],
        [[0.1, 0.3], [0.3, 0.9]],  # elimination finds a determinant of 2e-17, by rounding alone
        [[0.7, 0.9], [4.9, 6.3]],
        [[1e-200, 2e-200], [2e200, 4e200]],
    ],
)
def test_invert_names_a_singular_map(flat):
    theta = np.concatenate([IDENTITY, np.insert(np.array([flat]), 2, 0.5, axis=2)])
    with pytest.raises(ValueError, match=r"invert: theta\[1\] is singular: .*determinant 0, up to rounding"):
        invert(theta)


def test_invert_names_a_singular_homography_and_a_singular_map_of_volumes():
    homography = np.arange(9.0).reshape(1, 3, 3)
    with pytest.raises(ValueError, match=r"invert: theta\[0\] is singular"):
        invert(homography)
    volume = np.insert(homography, 3, 1.0, axis=2)
    with pytest.raises(ValueError, match=r"invert: theta\[0\] is singular"):
        invert(volume)


def test_scales_alone_make_no_map_singular():
    theta = np.array([[[1e-200, 0.0, 0.0], [0.0, 1e200, 0.0]], [[1.0, 1e-20, 0.0], [1.0, 2e-20, 0.0]]])
    expected = [[[1e200, 0, 0], [0, 1e-200, 0]], [[2, -1, 0], [-1e20, 1e20, 0]]]
    np.testing.assert_allclose(invert(theta), expected, rtol=4 * EPS)


def test_invert_lets_nan_through_and_leaves_the_others_alone():
    inverse = invert(np.concatenate([np.full((1, 2, 3), np.nan), IDENTITY]))
    assert np.isnan(inverse[0]).all()
    np.testing.assert_array_equal(inverse[1], IDENTITY[0])


# Boxes


@both_conventions
def test_the_box_of_the_identity_is_the_image(align_corners):
    edge = 0.0 if align_corners else 0.5
    box = theta_to_box(IDENTITY, (3, 5), align_corners=align_corners)
    np.testing.assert_array_equal(box, [[-edge, -edge, 4 + edge, 2 + edge]])
    np.testing.assert_array_equal(box_to_theta(box, (3, 5), align_corners=align_corners), IDENTITY)


def test_boxes_by_hand():
    theta = np.array([[[0.5, 0.0, 0.25], [0.0, -0.5, 0.0]], [[0.0, 1.0, 0.0], [0.5, 0.0, 0.0]]])
    box = theta_to_box(theta, (5, 9), align_corners=True)  # 4 and 2 pixels a unit, from the centre (4, 2)
    np.testing.assert_array_equal(box, [[3, 1, 7, 3], [0, 1, 8, 3]])
    box = theta_to_box(theta, (4, 8), align_corners=False)  # 4 and 2 pixels a unit, from (3.5, 1.5)
    np.testing.assert_array_equal(box, [[2.5, 0.5, 6.5, 2.5], [-0.5, 0.5, 7.5, 2.5]])
    upright = box_to_theta(np.array([[3.0, 1.0, 7.0, 3.0]]), (5, 9), align_corners=True)
    np.testing.assert_array_equal(upright, [[[0.5, 0, 0.25], [0, 0.5, 0]]])


@both_conventions
@given(data=st.data())
def test_the_box_is_the_smallest_around_the_corners(data, align_corners):
    theta, _, source = data.draw(map_and_sizes(2, 3))
    corners = np.array([[x, y, 1.0] for x in (-1, 1) for y in (-1, 1)])
    points = np.einsum("nij,kj->nki", theta, corners)
    x, y = (to_pixels(points[..., k], source[1 - k], align_corners) for k in range(2))
    expected = np.stack([x.min(1), y.min(1), x.max(1), y.max(1)], axis=1)
    found = theta_to_box(theta, source, align_corners=align_corners)
    np.testing.assert_allclose(found, expected, rtol=0, atol=8 * EPS * 7 * 9)


@both_conventions
@given(data=st.data())
def test_boxes_and_upright_maps_go_there_and_back(data, align_corners):
    theta, _, source = data.draw(map_and_sizes(2, 3))
    theta = theta * [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]
    box = theta_to_box(theta, source, align_corners=align_corners)
    settings = {"size": source, "align_corners": align_corners}
    # A theta up to 5 is a box up to 6 * 9 / 2 + 4 pixels; an error there counts twice over a span of 1.
    np.testing.assert_allclose(box_to_theta(box, **settings), theta, rtol=0, atol=8 * EPS * 31 * 2)
    again = theta_to_box(box_to_theta(box, **settings), **settings)
    np.testing.assert_allclose(again, box, rtol=0, atol=8 * EPS * 31)


def test_a_box_may_be_a_point_and_lie_outside():
    box = np.array([[-3.0, 20.0, -3.0, 20.0]])
    theta = box_to_theta(box, (3, 5), align_corners=True)
    np.testing.assert_array_equal(theta, [[[0, 0, -2.5], [0, 0, 19]]])
    np.testing.assert_array_equal(theta_to_box(theta, (3, 5), align_corners=True), box)


def test_an_axis_of_one_pixel_has_a_box_but_no_unit():
    np.testing.assert_array_equal(theta_to_box(IDENTITY, (1, 3), align_corners=True), [[0, 0, 2, 0]])
    box = np.array([[0.0, -0.5, 2.0, 0.5]])
    theta = box_to_theta(box, (1, 3), align_corners=False)
    np.testing.assert_allclose(theta, [[[2 / 3, 0, 0], [0, 1, 0]]], rtol=EPS)
    with pytest.raises(ValueError, match=r"box_to_theta: size is \(1, 3\), but under align_corners=True"):
        box_to_theta(box, (1, 3), align_corners=True)


# The other convention


def test_rescaling_by_hand():
    theta = np.array([[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]])
    found = rescale_theta(theta, (2, 3), (4, 5), align_corners=True)
    # Spans (x, y): source 4, 3 -> 5, 4; target 2, 1 -> 3, 2.
    rows, columns = np.array([4 / 5, 3 / 4]), np.array([3 / 2, 2 / 1, 1.0])
    np.testing.assert_allclose(found, [np.outer(rows, columns)], rtol=4 * EPS)
    before = points_of(theta, (2, 3), (4, 5), True)
    np.testing.assert_allclose(points_of(found, (2, 3), (4, 5), False), before, rtol=0, atol=32 * EPS)
    assert np.abs(points_of(theta, (2, 3), (4, 5), False) - before).max() > 0.1  # the conventions do differ


@both_conventions
@pytest.mark.parametrize(("rows", "columns"), MAPS)
@given(data=st.data())
def test_the_rescaled_map_does_the_same_in_pixels(rows, columns, data, align_corners):
    theta, size, source = data.draw(map_and_sizes(rows, columns))
    if rows == columns:
        theta[:, -1] = [0.1, 0.05, 1.0]
    other = rescale_theta(theta, size, source, align_corners=align_corners)
    assert other.shape == theta.shape
    before = points_of(theta, size, source, align_corners)
    after = points_of(other, size, source, not align_corners)
    bound = 100 * EPS * np.abs(before).max()
    np.testing.assert_allclose(after, before, rtol=0, atol=bound)
    if rows < columns:
        settings = {"size": size, "source": source}
        before = affine_points(theta, **settings, align_corners=align_corners)
        after = affine_points(other, **settings, align_corners=not align_corners)
        np.testing.assert_allclose(after, before, rtol=0, atol=bound)
    back = rescale_theta(other, size, source, align_corners=not align_corners)
    np.testing.assert_allclose(back, theta, rtol=0, atol=8 * EPS * 5)


def test_an_output_axis_of_one_pixel_is_no_obstacle():
    theta = np.array([[[0.5, 0.25, 0.125], [0.25, 0.5, -0.5]]])
    for align_corners in (True, False):
        other = rescale_theta(theta, (1, 3), (4, 5), align_corners=align_corners)
        points = [
            affine_points(t, size=(1, 3), source=(4, 5), align_corners=flag)
            for t, flag in ((theta, align_corners), (other, not align_corners))
        ]
        np.testing.assert_allclose(points[1], points[0], rtol=0, atol=16 * EPS)
        back = rescale_theta(other, (1, 3), (4, 5), align_corners=not align_corners)
        np.testing.assert_allclose(back, theta, rtol=4 * EPS)


def test_a_source_axis_of_one_pixel_has_no_unit_under_true():
    with pytest.raises(ValueError, match=r"rescale_theta: source is \(1, 5\), but under align_corners=True"):
        rescale_theta(IDENTITY, (3, 3), (1, 5), align_corners=False)
    other = rescale_theta(IDENTITY, (3, 3), (1, 5), align_corners=True)
    points = affine_points(other, size=(3, 3), source=(1, 5), align_corners=False)
    np.testing.assert_array_equal(points[..., 1], np.zeros((1, 3, 3)))


# Matrices


def test_matrices_by_hand():
    shift = np.array([[[1.0, 0.0, 0.5], [0.0, 1.0, -1.0]]])  # x_s = x_t + 2, y_s = y_t - 1 pixels
    setting = {"size": (3, 9), "source": (3, 9), "align_corners": True}
    opencv = theta_to_matrix(shift, **setting, library="opencv")
    np.testing.assert_array_equal(opencv, [[[1, 0, 2], [0, 1, -1]]])
    scipy = theta_to_matrix(shift, **setting, library="scipy")
    np.testing.assert_array_equal(scipy, [[[1, 0, -1], [0, 1, 2], [0, 0, 1]]])
    pil = theta_to_matrix(shift, **setting, library="pil")
    np.testing.assert_array_equal(pil, [[1, 0, 2, 0, 1, -1]])
    half = np.array([[[0.5, 0.0, 0.0], [0.0, 1.0, 0.0]]])  # x_s = 2 + x_t / 2; in PIL's, 2.25 + x_t / 2
    np.testing.assert_array_equal(theta_to_matrix(half, **setting, library="opencv")[0, 0], [0.5, 0.0, 2.0])
    np.testing.assert_array_equal(theta_to_matrix(half, **setting, library="pil")[0, :3], [0.5, 0.0, 2.25])


@pytest.mark.parametrize("library", ["opencv", "scipy", "pil"])
@both_conventions
@pytest.mark.parametrize("size", [(2, 2), (3, 7), (10, 28), (13, 61)])
def test_the_identity_is_exactly_the_identity(size, align_corners, library):
    matrix = theta_to_matrix(IDENTITY, size, size, align_corners=align_corners, library=library)
    expected = {"opencv": np.eye(2, 3), "scipy": np.eye(3), "pil": np.eye(2, 3).reshape(6)}[library]
    np.testing.assert_array_equal(matrix, expected[None])


@forms
@both_conventions
@given(data=st.data())
def test_matrices_send_pixels_where_theta_does_and_lead_back(library, rows, columns, data, align_corners):
    theta, size, source = data.draw(map_and_sizes(rows, columns))
    if rows == columns:
        theta[:, -1] = theta[:, -1] / [16, 16, 1] + [0, 0, 4]
    setting = {"size": size, "source": source, "align_corners": align_corners, "library": library}
    matrix = theta_to_matrix(theta, **setting)
    pixels = np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"), axis=-1).reshape(-1, columns - 1)
    if library != "scipy":
        pixels = pixels[:, ::-1]
    first = 0.5 if library == "pil" else 0.0
    j = np.concatenate([pixels + first, np.ones((len(pixels), 1))], axis=1)
    M = matrix
    if library == "pil":
        M = np.concatenate([M, np.ones((2, rows * columns - M.shape[1]))], axis=1).reshape(2, rows, columns)
    sent = np.einsum("nij,kj->nki", M, j)
    if M.shape[1] == columns:
        sent = sent[..., :-1] / sent[..., -1:]
    points = points_of(theta, size, source, align_corners).reshape(2, -1, columns - 1)
    expected = points[..., ::-1] if library == "scipy" else points
    # Up to 5 * 9 pixels in a coordinate, plus a centre and its image; some 10 roundings on the way.
    np.testing.assert_allclose(sent - first, expected, rtol=0, atol=20 * EPS * 8 * 5 * 9 * 9)

    back = matrix_to_theta(matrix, **setting)
    assert back.shape == theta.shape
    if library == "pil" and rows == columns:  # known up to a factor
        theta, back = theta / theta[:, -1:, -1:], back / back[:, -1:, -1:]
    np.testing.assert_allclose(back, theta, rtol=0, atol=20 * EPS * 8 * 5 * 9 * 9)
    np.testing.assert_allclose(
        theta_to_matrix(matrix_to_theta(matrix, **setting), **setting),
        matrix,
        rtol=0,
        atol=20 * EPS * 8 * 405,
    )


def test_the_same_matrix_comes_of_both_conventions():
    theta = some_maps(np.random.default_rng(5), 2, 2, 3)
    other = rescale_theta(theta, (3, 4), (5, 7), align_corners=True)
    for library in ("opencv", "scipy", "pil"):
        one, two = (
            theta_to_matrix(t, (3, 4), (5, 7), align_corners=flag, library=library)
            for t, flag in ((theta, True), (other, False))
        )
        np.testing.assert_allclose(one, two, rtol=0, atol=32 * EPS)


def test_output_axes_of_one_pixel_lead_back_and_source_axes_have_no_unit():
    theta = some_maps(np.random.default_rng(6), 2, 2, 3)
    setting = {"size": (1, 4), "align_corners": True, "library": "opencv"}
    matrix = theta_to_matrix(theta, source=(5, 7), **setting)
    np.testing.assert_array_equal(matrix[:, :, 1], theta[:, :, 1] * [6, 4])  # S_x and S_y: T_y counts as 1
    found = matrix_to_theta(matrix, source=(5, 7), **setting)
    np.testing.assert_allclose(found, theta, rtol=0, atol=32 * EPS)
    matrix = theta_to_matrix(theta, source=(1, 7), **setting)
    np.testing.assert_array_equal(matrix[:, 1], np.zeros((2, 3)))  # always its only row
    message = r"matrix_to_theta: source is \(1, 7\), but under align_corners=True an axis of one pixel"
    with pytest.raises(ValueError, match=message):
        matrix_to_theta(matrix, source=(1, 7), **setting)


# The libraries themselves


@both_conventions
@pytest.mark.parametrize(("size", "source"), [((4, 7), (6, 5)), ((3, 5, 4), (4, 3, 6)), ((1, 6), (5, 1))])
def test_scipy_warps_alike(size, source, align_corners):
    d = len(size)
    rng = np.random.default_rng(7)
    U = rng.normal(size=(3, 2, *source))
    theta = some_maps(rng, 3, d, d + 1)
    matrix = theta_to_matrix(theta, size, source, align_corners=align_corners, library="scipy")
    out = (3, 2, *size)
    warps = [
        spatial_transform(U, theta, out, align_corners=align_corners),
        grid_sample(U, affine_grid(theta, out, align_corners=align_corners), align_corners=align_corners),
    ]
    for n, c in np.ndindex(3, 2):
        warped = ndimage.affine_transform(
            U[n, c], matrix[n], output_shape=size, order=1, mode="grid-constant"
        )
        for warp in warps:
            np.testing.assert_allclose(warp[n, c], warped, rtol=0, atol=1e-12)


def test_scipy_would_notice_another_library_or_convention():
    rng = np.random.default_rng(8)
    U, theta = rng.normal(size=(6, 5)), some_maps(rng, 1, 2, 3)
    right = spatial_transform(U[None, None], theta, (1, 1, 4, 7), align_corners=True)[0, 0]

    def warped(matrix):
        settings = {"output_shape": (4, 7), "order": 1, "mode": "grid-constant"}
        return ndimage.affine_transform(U, matrix, **settings)

    def matrix(align_corners, library):
        return theta_to_matrix(theta, (4, 7), (6, 5), align_corners=align_corners, library=library)[0]

    np.testing.assert_allclose(warped(matrix(True, "scipy")), right, rtol=0, atol=1e-12)
    for wrong in (matrix(False, "scipy"), matrix(True, "opencv"), matrix(True, "pil").reshape(2, 3)):
        assert np.abs(warped(wrong) - right).max() > 0.1


def single_image(*shape):
    """Pixels that float32 holds exactly, so that the libraries' float images do too."""
    return np.random.default_rng(9).integers(-64, 65, shape) / 16


# Maps between pixels that every library must read exactly, in pixel units: x_s = M (x_t, y_t, 1).
EXACT = {
    "shift": [[1, 0, 2], [0, 1, -1]],
    "flip": [[-1, 0, 4], [0, 1, 0]],
    "quarter turn": [[0, -1, 4], [1, 0, 0]],
    "other quarter turn": [[0, 1, 0], [-1, 0, 5]],
    "half a pixel": [[1, 0, 0.5], [0, 1, 0.5]],
    "twice as large": [[0.5, 0, 0.75], [0, 0.5, 1.25]],
}
exact_maps = pytest.mark.parametrize("name", list(EXACT))
SIZE, SOURCE = (7, 4), (6, 5)  # H' != H, W' != W, neither is square


def theta_of(name, align_corners, size=SIZE):
    matrix = np.array([EXACT[name]], float)
    return matrix_to_theta(matrix, size, SOURCE, align_corners=align_corners, library="opencv")


def by_pil(image, method, data, size=SIZE):
    Image = pytest.importorskip("PIL.Image")
    image = Image.fromarray(image.astype(np.float32))
    out = image.transform((size[1], size[0]), Image.Transform[method], tuple(data), Image.Resampling.BILINEAR)
    return np.asarray(out)


def inside(points):
    """Where PIL reads the image: up to its edges. A little margin, where rounding may decide."""
    limits = np.array([n - 0.5 for n in reversed(SOURCE)])
    within = ((points > -0.5 + 1e-6) & (points < limits - 1e-6)).all(axis=-1)
    without = ((points < -0.5 - 1e-6) | (points > limits + 1e-6)).any(axis=-1)
    return within, without


@exact_maps
@both_conventions
def test_pil_warps_alike(name, align_corners):
    U = single_image(*SOURCE)
    theta = theta_of(name, align_corners)
    data = theta_to_matrix(theta, SIZE, SOURCE, align_corners=align_corners, library="pil")[0]
    settings = {"padding_mode": "border", "align_corners": align_corners}
    expected = spatial_transform(U[None, None], theta, (1, 1, *SIZE), **settings)[0, 0]
    points = affine_points(theta, size=SIZE, source=SOURCE, align_corners=align_corners)[0]
    within, without = inside(points)
    assert within.sum() >= 4
    found = by_pil(U, "AFFINE", data)
    np.testing.assert_allclose(found[within], expected[within], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(found[without], 0)


@both_conventions
@pytest.mark.parametrize(("rows", "method"), [(2, "AFFINE"), (3, "PERSPECTIVE")])
def test_pil_warps_alike_by_maps_in_general_position(rows, method, align_corners):
    U = single_image(*SOURCE)
    theta = some_maps(np.random.default_rng(10), 4, rows, 3)
    theta[:, :2] *= 0.8
    matrix = theta_to_matrix(theta, SIZE, SOURCE, align_corners=align_corners, library="pil")
    points = points_of(theta, SIZE, SOURCE, align_corners)
    for n in range(4):
        within, without = inside(points[n])
        assert within.sum() >= 4
        x, y = np.moveaxis(points[n], -1, 0)
        expected = ndimage.map_coordinates(U, [y, x], order=1, mode="nearest")
        found = by_pil(U, method, matrix[n])
        bound = np.finfo(np.float32).eps * np.abs(U).max()  # PIL rounds to float32 at the end
        np.testing.assert_allclose(found[within], expected[within], rtol=0, atol=bound)
        np.testing.assert_array_equal(found[without], 0)


@both_conventions
def test_pil_would_notice_the_centres_of_another_library(align_corners):
    U, theta = single_image(*SOURCE), theta_of("twice as large", align_corners)
    setting = {"size": SIZE, "source": SOURCE, "align_corners": align_corners}
    right, wrong = (
        by_pil(U, "AFFINE", theta_to_matrix(theta, **setting, library=library)[0].ravel())
        for library in ("pil", "opencv")
    )
    assert np.abs(right - wrong).max() > 0.1


def by_opencv(image, matrix, size=SIZE):
    cv2 = pytest.importorskip("cv2")
    warp = cv2.warpAffine if len(matrix) == 2 else cv2.warpPerspective
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return warp(image.astype(np.float32), matrix, (size[1], size[0]), flags=flags)


def steepest(image):
    """The largest difference between neighbours along each axis, with the zeros around the image."""
    padded = np.pad(image, 1)
    return sum(np.abs(np.diff(padded, axis=axis)).max() for axis in (0, 1))


@exact_maps
@both_conventions
def test_opencv_warps_alike(name, align_corners):
    U = single_image(*SOURCE)
    theta = theta_of(name, align_corners)
    matrix = theta_to_matrix(theta, SIZE, SOURCE, align_corners=align_corners, library="opencv")[0]
    expected = spatial_transform(U[None, None], theta, (1, 1, *SIZE), align_corners=align_corners)[0, 0]
    # All its coordinates are multiples of 1/4, which its 1/32 of a pixel hold; rounding may move them by eps.
    bound = 32 * np.finfo(np.float32).eps * steepest(U)
    np.testing.assert_allclose(by_opencv(U, matrix), expected, rtol=0, atol=bound)


@both_conventions
@pytest.mark.parametrize("rows", [2, 3])
def test_opencv_warps_alike_by_maps_in_general_position(rows, align_corners):
    U = single_image(*SOURCE)
    theta = some_maps(np.random.default_rng(11), 4, rows, 3)
    matrix = theta_to_matrix(theta, SIZE, SOURCE, align_corners=align_corners, library="opencv")
    points = points_of(theta, SIZE, SOURCE, align_corners)
    for n in range(4):
        x, y = np.moveaxis(points[n], -1, 0)
        expected = ndimage.map_coordinates(U, [y, x], order=1, mode="grid-constant")
        # Up to version 4 coordinates are rounded to 1/32 of a pixel, after two roundings to 1/1024.
        bound = (1 / 64 + 1 / 1024) * steepest(U)
        np.testing.assert_allclose(by_opencv(U, matrix[n]), expected, rtol=0, atol=bound)


@both_conventions
def test_opencv_would_notice_the_centres_or_axes_of_another_library(align_corners):
    U, theta = single_image(*SOURCE), theta_of("twice as large", align_corners)
    setting = {"size": SIZE, "source": SOURCE, "align_corners": align_corners}
    right = by_opencv(U, theta_to_matrix(theta, **setting, library="opencv")[0])
    pil = theta_to_matrix(theta, **setting, library="pil")[0].reshape(2, 3)
    scipy = theta_to_matrix(theta, **setting, library="scipy")[0, :2]
    for wrong in (pil, scipy):
        assert np.abs(by_opencv(U, wrong) - right).max() > 0.1


# Derivatives, dtypes, Tensors


def of_matrices(align_corners):
    """(function, inputs) for each form of a matrix."""
    for library, rows, columns in FORMS:
        theta = some_maps(np.random.default_rng(12), 2, rows, columns)
        size, source = ((3, 4), (5, 2)) if columns == 3 else ((3, 4, 2), (5, 2, 3))
        setting = {"size": size, "source": source, "align_corners": align_corners, "library": library}
        yield lambda theta, setting=setting: theta_to_matrix(theta, **setting), (theta,)
        matrix = theta_to_matrix(theta, **setting)
        if library != "scipy":  # SciPy's last row has to stay as it is
            yield lambda matrix, setting=setting: matrix_to_theta(matrix, **setting), (matrix,)
            continue

        def affine(part, last=matrix[:, -1:], setting=setting):
            return matrix_to_theta(concatenate([part, last.astype(part.dtype)], axis=1), **setting)

        yield affine, (matrix[:, :-1],)


def of_maps(align_corners):
    """(function, inputs) for all other conversions, away from kinks."""
    rng = np.random.default_rng(13)
    setting = {"align_corners": align_corners}
    for rows, columns in MAPS:
        size, source = ((3, 4), (5, 2)) if columns == 3 else ((3, 4, 2), (5, 2, 3))
        first, second = some_maps(rng, 2, rows, columns), some_maps(rng, 1, rows, columns)
        yield compose, (first, second)
        yield invert, (first,)
        yield lambda t, size=size, source=source: rescale_theta(t, size, source, **setting), (first,)
    yield compose, (some_maps(rng, 2, 2, 3), some_maps(rng, 2, 3, 3), some_maps(rng, 1, 2, 3))
    tilted = np.array([[[0.5, -0.25, 0.1], [0.375, 0.75, -0.2]], [[-0.5, 0.3, 0.0], [-0.2, 0.6, 0.4]]])
    yield lambda t: theta_to_box(t, (5, 3), **setting), (tilted,)
    yield lambda b: box_to_theta(b, (5, 3), **setting), (np.array([[0.5, 1.0, 2.0, 3.5]]),)


FUNCTIONS = [
    pytest.param(f, inputs, id=f"{k}-{align_corners}")
    for align_corners in (True, False)
    for k, (f, inputs) in enumerate((*of_maps(align_corners), *of_matrices(align_corners)))
]
functions = pytest.mark.parametrize(("f", "inputs"), FUNCTIONS)


@functions
def test_derivatives_of_first_and_second_order(f, inputs):
    assert gradcheck(f, inputs, order=2).passed


@functions
def test_arrays_give_arrays_and_tensors_tensors(f, inputs):
    plain = f(*inputs)
    assert type(plain) is np.ndarray
    tensor = f(*(Tensor(x, requires_grad=True) for x in inputs))
    assert tensor.requires_grad
    np.testing.assert_array_equal(tensor.data, plain)


@functions
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_dtypes_stay_and_are_rounded_once(f, inputs, dtype):
    narrow = [x.astype(dtype) for x in inputs]
    found, exact = f(*narrow), f(*(x.astype(np.float64) for x in narrow))
    assert found.dtype == dtype
    eps = np.finfo(dtype).eps if dtype == np.float16 else 100 * np.finfo(dtype).eps
    np.testing.assert_allclose(found, exact, rtol=0, atol=eps * np.abs(exact).max())


@functions
def test_inputs_stay_as_they_are_and_memory_does_not_matter(f, inputs):
    expected = f(*inputs)
    others = [np.asfortranarray(x) for x in inputs]
    for x in others:
        x.flags.writeable = False
    np.testing.assert_array_equal(f(*others), expected)


@both_conventions
@pytest.mark.parametrize("n", [0, 1])
def test_empty_batches_and_batches_of_one(n, align_corners):
    for library, rows, columns in FORMS:
        theta = some_maps(np.random.default_rng(14), n, rows, columns)
        size = (3, 4, 2)[: columns - 1]
        setting = {"size": size, "source": size, "align_corners": align_corners, "library": library}
        matrix = theta_to_matrix(theta, **setting)
        assert len(matrix) == n
        assert matrix_to_theta(matrix, **setting).shape == theta.shape
        assert invert(theta).shape == compose(theta, theta).shape == theta.shape
        assert rescale_theta(theta, size, size, align_corners=align_corners).shape == theta.shape
    box = theta_to_box(np.repeat(IDENTITY, n, axis=0), (3, 4), align_corners=align_corners)
    assert box.shape == (n, 4)
    assert box_to_theta(box, (3, 4), align_corners=align_corners).shape == (n, 2, 3)


# Refusals

VOLUME = np.eye(3, 4)[None]
HOMOGRAPHY = np.eye(3)[None]


@pytest.mark.parametrize(
    ("thetas", "message"),
    [
        ((), r"got no maps, expected at least one: compose\(first, second\)"),
        (
            (IDENTITY, VOLUME),
            r"the maps have shapes \(1, 2, 3\), \(1, 3, 4\), expected maps of the plane alone",
        ),
        ((HOMOGRAPHY, VOLUME), r"the maps have shapes \(1, 3, 3\), \(1, 3, 4\), expected"),
        (
            (np.repeat(IDENTITY, 2, axis=0), np.repeat(IDENTITY, 3, axis=0)),
            r"the maps have shapes \(2, 2, 3\), \(3, 2, 3\), .*equal N or 1; .*np\.broadcast_to",
        ),
        ((IDENTITY, IDENTITY[0]), r"thetas\[1\] has shape \(2, 3\), .* use thetas\[1\]\[None\]"),
        ((np.ones((1, 6)),), r"thetas\[0\] has shape \(1, 6\), .* use thetas\[0\]\.reshape\(-1, 2, 3\)"),
        ((np.ones((1, 8)),), r"thetas\[0\] has shape \(1, 8\), .* append the ninth number, 1"),
        ((np.ones((1, 4, 4)),), r"thetas\[0\] has shape \(1, 4, 4\), .* use thetas\[0\]\[:, :3\]"),
    ],
)
def test_compose_refuses(thetas, message):
    with pytest.raises(ValueError, match=f"compose: {message}"):
        compose(*thetas)


WIDE_SIZE = (1, 1, 3, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: invert(IDENTITY[0]), r"invert: theta has shape \(2, 3\), .*theta\[None\]"),
        (
            lambda: theta_to_box(VOLUME, (3, 4), align_corners=True),
            r"theta_to_box: theta has shape \(1, 3, 4\), expected affine maps \(N, 2, 3\)",
        ),
        (
            lambda: theta_to_box(HOMOGRAPHY, (3, 4), align_corners=True),
            r"theta_to_box: theta has shape \(1, 3, 3\), expected affine maps",
        ),
        (
            lambda: theta_to_box(IDENTITY, WIDE_SIZE, align_corners=True),
            r"theta_to_box: size is \(1, 1, 3, 4\), expected \(H, W\), .*use size\[2:\]",
        ),
        (
            lambda: theta_to_box(IDENTITY, (0, 4), align_corners=True),
            r"theta_to_box: size is \(0, 4\), expected \(H, W\), numbers of pixels from 1 on",
        ),
        (
            lambda: box_to_theta(np.ones(4), (3, 4), align_corners=True),
            r"box_to_theta: box has shape \(4,\), expected \(N, 4\).* use box\[None\]",
        ),
        (
            lambda: box_to_theta(np.ones((2, 2, 2)), (3, 4), align_corners=True),
            r"box_to_theta: box has shape \(2, 2, 2\), expected \(N, 4\)",
        ),
        (
            lambda: box_to_theta(np.array([[0, 0, 1, 1], [2, 1, 3, 0.5]]), (3, 4), align_corners=True),
            r"box_to_theta: box\[1\] is \[2\.0, 1\.0, 3\.0, 0\.5\], .*y_0 <= y_1; .*width and a height",
        ),
        (
            lambda: rescale_theta(VOLUME, (3, 4), (3, 4, 5), align_corners=True),
            r"rescale_theta: size is \(3, 4\), expected \(D, H, W\)",
        ),
        (
            lambda: rescale_theta(IDENTITY, (3, 4), WIDE_SIZE, align_corners=True),
            r"rescale_theta: source is \(1, 1, 3, 4\), expected \(H, W\).*use source\[2:\]",
        ),
    ],
)
def test_maps_and_boxes_of_another_form_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("theta", "library", "message"),
    [
        (IDENTITY, "cv2", r"library is 'cv2', expected one of 'opencv', 'scipy', 'pil'"),
        (VOLUME, "opencv", r"theta has shape \(1, 3, 4\), expected \(N, 2, 3\) or \(N, 3, 3\) .*no volumes"),
        (
            VOLUME,
            "pil",
            r"theta has shape \(1, 3, 4\), .* for library='pil'; it warps no volumes, SciPy does",
        ),
        (HOMOGRAPHY, "scipy", r"theta has shape \(1, 3, 3\), .*knows no homographies, OpenCV and PIL do"),
        (IDENTITY[0], "scipy", r"theta has shape \(2, 3\), .*use theta\[None\]"),
    ],
)
def test_maps_that_a_library_does_not_know_are_refused(theta, library, message):
    with pytest.raises(ValueError, match=f"theta_to_matrix: {message}"):
        theta_to_matrix(theta, (3, 4), (3, 4), align_corners=True, library=library)


@pytest.mark.parametrize(
    ("matrix", "library", "message"),
    [
        (IDENTITY, "PIL", r"library is 'PIL', expected one of"),
        (IDENTITY[0], "opencv", r"matrix has shape \(2, 3\), .*use matrix\[None\]"),
        (IDENTITY, "scipy", r"matrix has shape \(1, 2, 3\), .* append the row \(0, \.\.\., 0, 1\)"),
        (IDENTITY, "pil", r"matrix has shape \(1, 2, 3\), expected \(N, 6\) or \(N, 8\) .*in one row"),
        (np.eye(4)[None], "opencv", r"matrix has shape \(1, 4, 4\), expected \(N, 2, 3\) or \(N, 3, 3\)"),
        (
            np.stack([np.eye(3), np.ones((3, 3))]),
            "scipy",
            r"matrix\[1\] has the last row \[1\.0, 1\.0, 1\.0\], expected \[0\.0, 0\.0, 1\.0\], an affine",
        ),
    ],
)
def test_matrices_of_another_form_are_refused(matrix, library, message):
    with pytest.raises(ValueError, match=f"matrix_to_theta: {message}"):
        matrix_to_theta(matrix, (3, 4), (3, 4), align_corners=True, library=library)


def test_a_homography_that_pil_cannot_write_is_refused():
    # The weight is 1 + x_t, and x_t = -1 is the left edge, where PIL's x is 0.
    theta = np.array([np.eye(3), [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]])
    with pytest.raises(ValueError, match=r"theta_to_matrix: theta\[1\] sends the corner \(0, 0\) of PIL's"):
        theta_to_matrix(theta, (3, 4), (3, 4), align_corners=False, library="pil")


SETTING = {"size": (3, 4), "source": (3, 4)}
CALLS = {
    "theta_to_box": lambda x, flag: theta_to_box(x, (3, 4), align_corners=flag),
    "box_to_theta": lambda x, flag: box_to_theta(x, (3, 4), align_corners=flag),
    "rescale_theta": lambda x, flag: rescale_theta(x, **SETTING, align_corners=flag),
    "theta_to_matrix": lambda x, flag: theta_to_matrix(x, **SETTING, align_corners=flag, library="pil"),
    "matrix_to_theta": lambda x, flag: matrix_to_theta(x, **SETTING, align_corners=flag, library="pil"),
}
GOOD = {"box_to_theta": np.ones((1, 4)), "matrix_to_theta": np.ones((1, 6))}


@pytest.mark.parametrize("name", [*CALLS, "invert", "compose"])
def test_other_dtypes_and_lists_are_refused_by_name(name):
    call = CALLS.get(name, lambda x, _: {"invert": invert, "compose": compose}[name](x))
    good = GOOD.get(name, IDENTITY)
    for dtype in (np.int64, np.complex128, np.bool_):
        with pytest.raises(TypeError, match=rf"{name}: \S+ has dtype {np.dtype(dtype)}, expected float16"):
            call(good.astype(dtype), True)
    with pytest.raises(TypeError, match=rf"{name}: \S+ is .* use np\.asarray\("):
        call(good.tolist(), True)


@pytest.mark.parametrize("name", CALLS)
def test_align_corners_is_a_switch_without_a_default(name):
    good = GOOD.get(name, IDENTITY)
    with pytest.raises(TypeError, match=rf"{name}: align_corners is 'False', expected True or False"):
        CALLS[name](good, "False")
    parameter = inspect.signature(globals()[name]).parameters["align_corners"]
    assert (parameter.kind, parameter.default) == (parameter.KEYWORD_ONLY, parameter.empty)
