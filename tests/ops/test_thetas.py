"""Affine maps from few numbers: by hand, rigid in pixels, against SciPy's rotations; their derivatives."""

from functools import partial

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from stn_ref import (
    Tensor,
    attention_theta,
    bounded,
    gradcheck,
    grid_sample,
    rigid_theta,
    rotation_theta,
    scale_theta,
    shear_theta,
    similarity_theta,
    spatial_transform,
    translation_theta,
)
from stn_ref.equations import eq2_attention
from stn_ref.ops.grids import affine_grid, affine_points

both_conventions = pytest.mark.parametrize("align_corners", [True, False])
RNG = np.random.default_rng(0)
EPS = np.finfo(float).eps
QUARTER = np.pi / 2
IN_PIXELS = {"source": (3, 5), "align_corners": True}


def normal(*shape):
    return RNG.normal(size=shape)


# By hand


def test_a_shift_alone():
    theta = translation_theta(np.array([[0.5, -0.25], [1.0, 2.0]]))
    assert theta.tolist() == [[[1, 0, 0.5], [0, 1, -0.25]], [[1, 0, 1], [0, 1, 2]]]
    theta = translation_theta(np.array([[0.5, -0.25, 2.0]]))
    assert theta.tolist() == [[[1, 0, 0, 0.5], [0, 1, 0, -0.25], [0, 0, 1, 2]]]


def test_attention_is_exactly_eq2():
    scale, shift = np.array([0.5, -2.0]), np.array([[0.25, -0.75], [3.0, 0.0]])
    theta = attention_theta(scale, shift)
    assert theta.tolist() == [eq2_attention(s, *t) for s, t in zip(scale.tolist(), shift.tolist())]


def test_one_scale_for_all_may_be_a_number_or_hold_one():
    shift = normal(2, 3)
    expected = attention_theta(np.array([0.5, 0.5]), shift)
    assert expected[1, :, :3].tolist() == [[0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]
    for scale in (0.5, np.float32(0.5), np.array(0.5)):
        assert np.array_equal(attention_theta(scale, shift), expected)
    learnt = Tensor(0.5, requires_grad=True)
    theta_bar = RNG.integers(-9, 10, (2, 3, 4)).astype(float)
    attention_theta(learnt, shift).backward(theta_bar)
    assert learnt.grad == np.trace(theta_bar, axis1=1, axis2=2).sum()


def test_a_scale_for_each_axis_and_a_flip():
    theta = scale_theta(np.array([[-1.0, 0.5]]))
    assert theta.tolist() == [[[-1, 0, 0], [0, 0.5, 0]]]
    theta = scale_theta(np.array([[1.0, 2.0, -3.0]]))
    assert theta.tolist() == [[[1, 0, 0, 0], [0, 2, 0, 0], [0, 0, -3, 0]]]


def test_a_shear_along_x_and_along_y():
    assert shear_theta(np.array([[0.5, 0.0], [0.0, -2.0]])).tolist() == [
        [[1, 0.5, 0], [0, 1, 0]],
        [[1, 0, 0], [-2, 1, 0]],
    ]


def test_a_quarter_turn_to_rounding():
    # cos(pi / 2), pi / 2 rounded, is half an eps at most.
    theta = rotation_theta(np.array([QUARTER, -QUARTER]))
    expected = [[[0, -1, 0], [1, 0, 0]], [[0, 1, 0], [-1, 0, 0]]]
    np.testing.assert_allclose(theta, expected, rtol=0, atol=EPS)


def test_a_similarity_is_a_scaled_turn_and_a_shift():
    angle, scale, shift = np.array([np.pi / 6]), np.array([2.0]), np.array([[0.25, -0.5]])
    expected = [[[np.sqrt(3), -1, 0.25], [1, np.sqrt(3), -0.5]]]
    np.testing.assert_allclose(similarity_theta(scale, angle, shift), expected, rtol=0, atol=4 * EPS)
    assert np.array_equal(similarity_theta(2.0, angle, shift), similarity_theta(scale, angle, shift))
    none = np.zeros((1, 2))
    assert np.array_equal(similarity_theta(1.0, angle, none), rotation_theta(angle))


SQUARE = np.arange(9.0).reshape(1, 1, 3, 3)


@both_conventions
def test_what_the_maps_do_to_a_picture(align_corners):
    def warp(theta, U=SQUARE):
        return spatial_transform(U, theta, U.shape, mode="nearest", align_corners=align_corners)

    turned = warp(rotation_theta(np.array([QUARTER])))  # the frame clockwise, the picture the other way
    assert np.array_equal(turned, np.rot90(SQUARE, 1, axes=(2, 3)))
    assert np.array_equal(warp(scale_theta(np.array([[-1.0, 1.0]]))), SQUARE[..., ::-1])
    assert np.array_equal(warp(scale_theta(np.array([[1.0, -1.0]]))), SQUARE[..., ::-1, :])
    one_pixel = 2 / (2 if align_corners else 3)
    moved = warp(translation_theta(np.array([[one_pixel, 0.0]])))
    assert moved[0, 0].tolist() == [[1, 2, 0], [4, 5, 0], [7, 8, 0]]
    moved = warp(translation_theta(np.array([[0.0, one_pixel]])))
    assert moved[0, 0].tolist() == [[3, 4, 5], [6, 7, 8], [0, 0, 0]]


def test_a_crop_reads_the_part_that_scale_and_shift_say():
    U = np.arange(25.0).reshape(1, 1, 5, 5)
    crop = attention_theta(0.5, np.array([[0.5, -0.5]]))  # the upper right quarter
    V = spatial_transform(U, crop, (1, 1, 3, 3), align_corners=True)
    assert np.array_equal(V, U[..., :3, 2:])


# Rigid in pixels


def distances(points):
    points = points.reshape(-1, points.shape[-1])
    return np.linalg.norm(points[:, None] - points[None], axis=-1)


@both_conventions
@pytest.mark.parametrize("source", [(4, 9), (7, 3), (2, 11)])
def test_with_a_source_a_turn_keeps_the_distances_of_pixels_and_without_it_does_not(source, align_corners):
    angle = np.array([0.7])
    pixels = distances(np.stack(np.indices(source)[::-1], axis=-1))
    settings = {"size": source, "source": source, "align_corners": align_corners}
    in_pixels = {"source": source, "align_corners": align_corners}
    # A coordinate is a sum of 3 products of numbers up to the larger side times the aspect, which
    # is at most 10; a distance is off by twice as much along both axes.
    bound = 2 * np.sqrt(2) * 4 * EPS * max(source) * 10

    turned = affine_points(rotation_theta(angle, **in_pixels), **settings)[0]
    np.testing.assert_allclose(distances(turned), pixels, rtol=0, atol=bound)
    turned = affine_points(rotation_theta(angle), **settings)[0]
    assert np.abs(distances(turned) - pixels).max() > 0.5

    similar = similarity_theta(0.5, angle, np.array([[0.25, 0.5]]), **in_pixels)
    turned = affine_points(similar, **settings)[0]
    np.testing.assert_allclose(distances(turned), 0.5 * pixels, rtol=0, atol=bound)


@both_conventions
def test_on_a_square_a_turn_is_rigid_either_way(align_corners):
    angle = np.array([0.7, -2.0])
    expected = rotation_theta(angle)
    found = rotation_theta(angle, source=(6, 6), align_corners=align_corners)
    assert np.array_equal(found, expected)


@both_conventions
def test_a_quarter_turn_rigid_in_pixels_of_a_picture_that_is_not_square(align_corners):
    # In a picture of 3 x 5 the centre stays, and the middle column becomes the middle of the row.
    U = np.arange(15.0).reshape(1, 1, 3, 5)
    theta = rotation_theta(np.array([QUARTER]), source=(3, 5), align_corners=align_corners)
    V = spatial_transform(U, theta, U.shape, mode="nearest", align_corners=align_corners)
    turned = np.rot90(U, 1, axes=(2, 3))  # 5 x 3, of which the output sees the middle three rows
    assert np.array_equal(V[..., 1:4], turned[..., 1:4, :])
    assert not V[..., [0, 4]].any()


# Volumes


def test_a_turn_of_a_volume_is_that_of_scipy():
    angles, shift = RNG.uniform(-4, 4, (20, 3)), normal(20, 3)
    theta = rigid_theta(angles, shift)
    expected = Rotation.from_euler("xyz", angles).as_matrix()
    # Two products of matrices with entries up to 1: sums of 3 terms, each a few roundings.
    np.testing.assert_allclose(theta[..., :3], expected, rtol=0, atol=2 * 3 * 4 * EPS)
    assert np.array_equal(theta[..., 3], shift)


def test_each_axis_alone_turns_towards_the_one_that_follows():
    quarters = QUARTER * np.eye(3)
    turns = rigid_theta(quarters, np.zeros((3, 3)))[..., :3]
    x, y, z = np.eye(3)
    for turn, (a, b, fixed) in zip(turns, ((y, z, x), (z, x, y), (x, y, z))):
        np.testing.assert_allclose(turn @ a, b, rtol=0, atol=EPS)
        np.testing.assert_allclose(turn @ b, -a, rtol=0, atol=EPS)
        assert np.array_equal(turn @ fixed, fixed)


# Bounds


def test_bounded_by_hand():
    x = np.array([-np.inf, -1000.0, 0.0, np.log(3.0), 1000.0, np.inf])
    np.testing.assert_allclose(bounded(x, -1.0, 3.0), [-1, -1, 1, 2, 3, 3], rtol=0, atol=4 * EPS)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("low", "high"), [(0.5, 2.0), (-0.78, 0.61), (0.1, 0.3), (-1.37, -0.68), (1e-3, 1e3), (0.9, 1.1)]
)
def test_bounded_never_leaves_its_bounds(low, high, dtype):
    x = np.concatenate([RNG.normal(size=500) * 30, [0, 1e-300, -1e-300, 40, -40, 1e30, -1e30]])
    y = bounded(x.astype(dtype), low, high)
    assert dtype(low) <= y.min() <= y.max() <= dtype(high)
    assert y[-2:].tolist() == [dtype(high), dtype(low)]


def test_bounds_whose_rounded_distance_leads_beyond_are_not_left_either():
    low, high = -1.37, 0.3
    assert (high - low) + low > high  # which is why
    assert bounded(np.array([1000.0]), low, high) == high


# Derivatives

CASES = {
    "translation": (translation_theta, (normal(2, 2),)),
    "translation of a volume": (translation_theta, (normal(2, 3),)),
    "attention": (attention_theta, (normal(2), normal(2, 2))),
    "attention in a volume": (attention_theta, (normal(2), normal(2, 3))),
    "scale": (scale_theta, (normal(2, 2),)),
    "scale of a volume": (scale_theta, (normal(2, 3),)),
    "shear": (shear_theta, (normal(2, 2),)),
    "rotation": (rotation_theta, (normal(2),)),
    "rotation in pixels": (partial(rotation_theta, **IN_PIXELS), (normal(2),)),
    "similarity": (similarity_theta, (normal(2), normal(2), normal(2, 2))),
    "similarity in pixels": (
        partial(similarity_theta, **IN_PIXELS),
        (normal(2), normal(2), normal(2, 2)),
    ),
    "rigid": (rigid_theta, (normal(2, 3), normal(2, 3))),
    "bounded": (partial(bounded, low=0.5, high=2.0), (normal(2, 3),)),
}
every_case = pytest.mark.parametrize("name", CASES)


@every_case
def test_derivatives_to_second_order(name):
    f, inputs = CASES[name]
    gradcheck(f, inputs, order=2)


@every_case
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_dtype_is_kept_and_the_result_is_right_to_its_rounding(name, dtype):
    f, inputs = CASES[name]
    rounded = [x.astype(dtype) for x in inputs]
    theta = f(*rounded)
    assert theta.dtype == dtype
    assert theta.shape[0] == 2
    expected = f(*(x.astype(float) for x in rounded))
    # At most a dozen operations, each rounded once, on numbers that nowhere cancel to less than the largest.
    bound = 12 * np.finfo(dtype).eps * max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(theta, expected, rtol=0, atol=bound)


@every_case
def test_tensors_come_back_for_tensors_and_lead_back_to_them(name):
    f, inputs = CASES[name]
    tensors = [Tensor(x, requires_grad=True) for x in inputs]
    theta = f(*tensors)
    assert isinstance(theta, Tensor)
    assert np.array_equal(theta.data, f(*inputs))
    theta.backward(normal(*theta.shape))
    assert all(t.grad.shape == x.shape and t.grad.any() for t, x in zip(tensors, inputs))


@every_case
def test_an_empty_batch_gives_an_empty_batch(name):
    f, inputs = CASES[name]
    assert f(*(x[:0] for x in inputs)).shape == (0, *f(*inputs).shape[1:])


def test_the_map_goes_through_grid_and_sampler_with_its_derivative():
    U = normal(2, 2, 4, 5)

    def f(U, scale, angle, shift):
        theta = similarity_theta(bounded(scale, 0.5, 2.0), angle, shift)
        return grid_sample(U, affine_grid(theta, (2, 2, 3, 4), align_corners=False), align_corners=False)

    inputs = (U, normal(2) * 0.1, np.array([0.3, -0.2]), np.array([[0.11, 0.07], [-0.13, 0.05]]))
    gradcheck(f, inputs, elements=30, directions=2)


# Refusals

ANGLE, SHIFT = np.zeros(2), np.zeros((2, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: translation_theta(np.zeros(2)), r"translation_theta: shift has shape \(2,\), expected "
         r"\(N, 2\) or \(N, 3\); use shift\[None\] for a batch of one"),
        (lambda: translation_theta(np.zeros((2, 4))), r"translation_theta: shift has shape \(2, 4\), "
         r"expected \(N, 2\) or \(N, 3\)$"),
        (lambda: shear_theta(np.zeros((1, 3))), r"shear_theta: shear has shape \(1, 3\), expected \(N, 2\)$"),
        (lambda: scale_theta(np.zeros(3)), r"scale_theta: scale has shape \(3,\), .*use scale\[None\]"),
        (lambda: attention_theta(np.ones(3), SHIFT), r"attention_theta: scale has shape \(3,\) and shift "
         r"\(2, 2\), expected \(2,\), or one number for all"),
        (lambda: attention_theta(np.ones((2, 1)), SHIFT), r"attention_theta: scale has shape \(2, 1\), "
         r"expected \(N,\); use scale\.reshape\(-1\)"),
        (lambda: rotation_theta(np.zeros((2, 1))), r"rotation_theta: angle has shape \(2, 1\), expected "
         r"\(N,\); use angle\.reshape\(-1\)"),
        (lambda: rotation_theta(np.zeros(())), r"rotation_theta: angle has shape \(\), expected \(N,\); use"),
        (lambda: similarity_theta(1.0, np.zeros(3), SHIFT), r"similarity_theta: angle has shape \(3,\) and "
         r"shift \(2, 2\), expected \(2,\)$"),
        (lambda: rigid_theta(np.zeros((2, 3)), np.zeros((1, 3))), r"rigid_theta: angles has shape \(2, 3\) "
         r"and shift \(1, 3\), expected \(1, 3\)$"),
        (lambda: rigid_theta(np.zeros((2, 2)), np.zeros((2, 3))), r"rigid_theta: angles has shape \(2, 2\), "
         r"expected \(N, 3\)"),
        (lambda: rotation_theta(ANGLE, source=(3, 4)), r"rotation_theta: to be rigid in pixels it needs both "
         r"source=\(H, W\) and align_corners, got source=\(3, 4\), align_corners=None"),
        (lambda: similarity_theta(1.0, ANGLE, SHIFT, align_corners=True), r"similarity_theta: to be rigid in "
         r"pixels .*got source=None, align_corners=True"),
        (lambda: rotation_theta(ANGLE, source=(2, 3, 4), align_corners=True), r"rotation_theta: source is "
         r"\(2, 3, 4\), expected \(H, W\)"),
        (lambda: rotation_theta(ANGLE, source=5, align_corners=True), r"rotation_theta: source is 5, exp"),
        (lambda: similarity_theta(1.0, ANGLE, SHIFT, source=(1, 5), align_corners=True),
         r"similarity_theta: source is \(1, 5\), but under align_corners=True an axis of one pixel has no"),
        (lambda: bounded(ANGLE, 2.0, 2.0), r"bounded: the bounds are 2\.0 and 2\.0, expected a lower and a "),
        (lambda: bounded(ANGLE, 0.0, np.inf), r"bounded: the bounds are 0\.0 and inf, .* both finite"),
        (lambda: bounded(ANGLE, np.nan, 1.0), r"bounded: the bounds are nan and 1\.0, expected"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@every_case
@pytest.mark.parametrize("dtype", [np.int64, np.complex128, np.bool_])
def test_other_dtypes_are_refused_by_name(name, dtype):
    f, inputs = CASES[name]
    operator = getattr(f, "func", f).__name__
    for k in range(len(inputs)):
        mixed = [np.ones(x.shape, dtype) if i == k else x for i, x in enumerate(inputs)]
        with pytest.raises(TypeError, match=rf"{operator}: \w+ has dtype {np.dtype(dtype)}, expected float"):
            f(*mixed)


def test_what_is_no_array_is_refused_with_the_way_to_mend_it():
    with pytest.raises(TypeError, match=r"rotation_theta: angle is 0\.1, .*use np\.asarray\(angle, dtype="):
        rotation_theta(0.1)
    with pytest.raises(TypeError, match=r"translation_theta: shift is .*use np\.asarray\(shift, dtype=float"):
        translation_theta([[0.5, 0.5]])
    for scale in ("half", [0.5, 0.5], None):
        with pytest.raises(TypeError, match=r"attention_theta: scale is .*, expected a number or \(N,\)"):
            attention_theta(scale, SHIFT)
    with pytest.raises(TypeError, match=r"rotation_theta: align_corners is 'yes', expected True or False"):
        rotation_theta(ANGLE, source=(3, 4), align_corners="yes")
