"""The affine transformations: what their numbers mean, where they begin, and what bounds they keep."""

import numpy as np
import pytest

from stn_ref import (
    Affine,
    Attention,
    Rigid,
    Rotation,
    Scale,
    Shear,
    Similarity,
    Tensor,
    Translation,
    affine_grid,
    attention_theta,
    gradcheck,
    rigid_theta,
    rotation_theta,
    scale_theta,
    shear_theta,
    similarity_theta,
    spatial_transform,
    translation_theta,
)
from stn_ref.ops.grids import affine_points

both_conventions = pytest.mark.parametrize("align_corners", [True, False])
RNG = np.random.default_rng(0)
EPS = np.finfo(float).eps
PLANE, VOLUME = (4, 6), (3, 4, 5)

EVERY = [
    *(Affine(), Translation(), Scale(), Rotation(), Similarity(), Attention(), Shear(), Rigid()),
    *(Rotation(rigid=True), Similarity(rigid=True), Similarity(rigid=True, bounds=(0.5, 2.0))),
    *(Scale(bounds=(0.5, 2.0)), Similarity(bounds=(-0.5, 1.1)), Attention(bounds=(0.2, 1.7))),
]
IN_SIZES = [(kind, size) for kind in EVERY for size in (PLANE, VOLUME) if len(size) in kind.dimensions]
everywhere = pytest.mark.parametrize(("kind", "size"), IN_SIZES, ids=str)


def batch(kind, size, dtype=float):
    """A batch of one: the identity."""
    return kind.identity(size).reshape(1, *kind.shape(size)).astype(dtype)


# What the numbers are


@pytest.mark.parametrize(
    ("kind", "in_the_plane", "in_volumes"),
    [
        (Affine(), (2, 3), (3, 4)),
        (Translation(), (2,), (3,)),
        (Scale(), (2,), (3,)),
        (Scale(bounds=(0.5, 2.0)), (2,), (3,)),
        (Rotation(), (1,), None),
        (Similarity(), (4,), None),
        (Attention(), (3,), (4,)),
        (Attention(bounds=(0.5, 2.0)), (3,), (4,)),
        (Attention(fixed=0.5), (2,), (3,)),
        (Shear(), (2,), None),
        (Rigid(), (3,), (6,)),
    ],
    ids=str,
)
def test_shapes(kind, in_the_plane, in_volumes):
    assert kind.shape(PLANE) == in_the_plane
    assert kind.parameters(PLANE) == np.prod(in_the_plane) == len(kind.identity(PLANE))
    assert kind.dimensions == ((2, 3) if in_volumes else (2,))
    if in_volumes:
        assert kind.shape(VOLUME) == in_volumes
        assert kind.parameters(VOLUME) == np.prod(in_volumes) == len(kind.identity(VOLUME))


@pytest.mark.parametrize(
    ("kind", "theta", "expected"),
    [
        (Affine(), [[1, 2, 3], [4, 5, 6]], [[1, 2, 3], [4, 5, 6]]),
        (Translation(), [0.5, -0.25], [[1, 0, 0.5], [0, 1, -0.25]]),
        (Scale(), [2, -3], [[2, 0, 0], [0, -3, 0]]),
        (Attention(), [0.5, 0.25, -0.75], [[0.5, 0, 0.25], [0, 0.5, -0.75]]),
        (Attention(fixed=0.5), [0.25, -0.75], [[0.5, 0, 0.25], [0, 0.5, -0.75]]),
        (Shear(), [0.5, 2], [[1, 0.5, 0], [2, 1, 0]]),
        (Rotation(), [0], [[1, 0, 0], [0, 1, 0]]),
        (Similarity(), [2, 0, 0.25, -0.75], [[2, 0, 0.25], [0, 2, -0.75]]),
        (Rigid(), [0, 0.25, -0.75], [[1, 0, 0.25], [0, 1, -0.75]]),
        (Rigid(), [0, 0, 0, 1, 2, 3], [[1, 0, 0, 1], [0, 1, 0, 2], [0, 0, 1, 3]]),
        (Attention(), [0.5, 1, 2, 3], [[0.5, 0, 0, 1], [0, 0.5, 0, 2], [0, 0, 0.5, 3]]),
    ],
    ids=str,
)
def test_matrices_by_hand(kind, theta, expected):
    assert kind.matrix(np.array([theta], float), PLANE, True).tolist() == [expected]


def test_each_is_its_function_of_few_numbers():
    a, b, c, d, e, f = RNG.normal(size=(6, 3))
    shift = np.stack([c, d], axis=1)

    def matrix(kind, *columns):
        return kind.matrix(np.stack(columns, axis=1), PLANE, False)

    in_pixels = {"source": PLANE, "align_corners": False}
    pairs = [
        (matrix(Translation(), c, d), translation_theta(shift)),
        (matrix(Scale(), c, d), scale_theta(shift)),
        (matrix(Rotation(), a), rotation_theta(a)),
        (matrix(Rotation(rigid=True), a), rotation_theta(a, **in_pixels)),
        (matrix(Similarity(), b, a, c, d), similarity_theta(b, a, shift)),
        (matrix(Similarity(rigid=True), b, a, c, d), similarity_theta(b, a, shift, **in_pixels)),
        (matrix(Attention(), b, c, d), attention_theta(b, shift)),
        (matrix(Attention(fixed=0.3), c, d), attention_theta(0.3, shift)),
        (matrix(Shear(), c, d), shear_theta(shift)),
        (matrix(Rigid(), a, c, d), similarity_theta(1.0, a, shift)),
        (matrix(Rigid(), a, b, c, d, e, f), rigid_theta(np.stack([a, b, c], 1), np.stack([d, e, f], 1))),
    ]
    for found, expected in pairs:
        assert np.array_equal(found, expected)


@both_conventions
@everywhere
def test_grid_and_points_are_those_of_the_matrix(kind, size, align_corners):
    theta = RNG.normal(size=(2, *kind.shape(size)))
    source = tuple(n + 1 for n in size)
    matrix = kind.matrix(theta, source, align_corners)
    grid = kind.grid(theta, size=size, source=source, align_corners=align_corners)
    assert np.array_equal(grid, affine_grid(matrix, (2, 1, *size), align_corners=align_corners))
    settings = {"size": size, "source": source, "align_corners": align_corners}
    assert np.array_equal(kind.points(theta, **settings), affine_points(matrix, **settings))


# Where they begin


@both_conventions
@everywhere
def test_the_identity_is_the_identity(kind, size, align_corners):
    d = len(size)
    matrix = kind.matrix(batch(kind, size), size, align_corners)
    if getattr(kind, "bounds", None) is None:
        assert np.array_equal(matrix, np.eye(d, d + 1)[None])
        points = kind.points(batch(kind, size), size=size, source=size, align_corners=align_corners)
        assert np.array_equal(points[0], np.stack(np.indices(size)[::-1], axis=-1))
    else:
        np.testing.assert_allclose(matrix[0], np.eye(d, d + 1), rtol=0, atol=16 * EPS)


BOUNDS = [(0.5, 2.0), (0.0, 1.5), (-3.0, 1.01), (0.999, 50.0), (0.1, 1e6)]
with_bounds = pytest.mark.parametrize("bounds", BOUNDS, ids=str)
KINDS_WITH_BOUNDS = (Scale, Similarity, Attention)
bounded_kinds = pytest.mark.parametrize("kind", KINDS_WITH_BOUNDS)


@bounded_kinds
@with_bounds
def test_inside_the_bounds_the_identity_is_still_the_identity_to_rounding(kind, bounds):
    low, high = bounds
    of_bounds = kind(bounds=bounds)
    raw = of_bounds.identity(PLANE)
    matrix = of_bounds.matrix(batch(of_bounds, PLANE), PLANE, True)
    # The number before the sigmoid is off by a few roundings of itself and of the quotient in its logarithm,
    # which the sigmoid, of slope s (1 - s), and the distance of the bounds pass on; then two products and a
    # sum of the size of the bounds, weighted with s and 1 - s, hence of size 1 and |low|.
    share = (1 - low) / (high - low)
    passed_on = (high - low) * share * (1 - share) * (np.abs(raw[0]) + 4)
    bound = 4 * EPS * (passed_on + 1 + abs(low))
    np.testing.assert_allclose(matrix[0], np.eye(2, 3), rtol=0, atol=bound)


@bounded_kinds
@with_bounds
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_whatever_the_network_says_the_scale_stays_within_its_bounds(kind, bounds, dtype):
    low, high = map(dtype, bounds)
    of_bounds = kind(bounds=bounds)
    raw = np.concatenate([RNG.normal(size=300) * 20, [0, 1e4, -1e4, 1e30, -1e30, 1e-30]]).astype(dtype)
    theta = np.zeros((len(raw), *of_bounds.shape(PLANE)), dtype)
    theta[:, 0] = raw
    scale = of_bounds.matrix(theta, PLANE, True)[:, 0, 0]
    assert scale.dtype == dtype
    assert low <= scale.min() <= scale.max() <= high
    assert scale.max() == high
    assert scale.min() == low


def test_bounds_hold_for_the_scale_and_leave_the_rest_alone():
    rest = RNG.normal(size=(3, 3))
    free = Similarity().matrix(np.column_stack([np.full(3, 1.25), rest]), PLANE, True)
    middle = Similarity(bounds=(0.5, 2.0)).matrix(np.column_stack([np.zeros(3), rest]), PLANE, True)
    assert np.array_equal(middle, free)
    free = Attention().matrix(np.column_stack([np.full(3, 1.25), rest[:, :2]]), PLANE, True)
    middle = Attention(bounds=(0.5, 2.0)).matrix(np.column_stack([np.zeros(3), rest[:, :2]]), PLANE, True)
    assert np.array_equal(middle, free)


def test_fixed_attention_begins_with_the_central_view():
    kind = Attention(fixed=0.5)
    assert kind.identity(PLANE).tolist() == [0, 0]
    U = np.arange(50.0).reshape(2, 1, 5, 5)
    theta = np.repeat(batch(kind, (3, 3)), 2, axis=0)
    V = spatial_transform(U, theta, (2, 1, 3, 3), transformation=kind, align_corners=True)
    assert np.array_equal(V, U[:, :, 1:4, 1:4])
    V = spatial_transform(U, theta + 0.5, (2, 1, 3, 3), transformation=kind, align_corners=True)
    assert np.array_equal(V, U[:, :, 2:, 2:])


# As part of the whole


@both_conventions
@everywhere
def test_spatial_transform_takes_each_by_its_object(kind, size, align_corners):
    U = RNG.normal(size=(2, 2, *size))
    out = (2, 2, *(n - 1 for n in size))
    theta = kind.identity(size).reshape(kind.shape(size)) + 0.1 * RNG.normal(size=(2, *kind.shape(size)))
    V = spatial_transform(U, theta, out, transformation=kind, align_corners=align_corners)
    matrix = kind.matrix(theta, size, align_corners)
    assert np.array_equal(V, spatial_transform(U, matrix, out, align_corners=align_corners))
    flat = theta.reshape(2, -1)
    V_of_flat = spatial_transform(U, flat, out, transformation=kind, align_corners=align_corners)
    assert np.array_equal(V_of_flat, V)


@everywhere
def test_derivatives_for_the_numbers_to_second_order(kind, size):
    theta = kind.identity(size).reshape(kind.shape(size)) + 0.1 * RNG.normal(size=(2, *kind.shape(size)))
    gradcheck(lambda theta: kind.matrix(theta, size, False), (theta,), order=2)


@everywhere
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_matrices_keep_the_dtype_and_tensors_lead_back(kind, size, dtype):
    theta = Tensor(np.repeat(batch(kind, size, dtype), 2, axis=0), requires_grad=True)
    matrix = kind.matrix(theta, size, True)
    assert matrix.dtype == dtype
    matrix.backward(np.random.default_rng(1).normal(size=matrix.shape).astype(dtype))
    assert theta.grad.dtype == dtype
    assert theta.grad.all()


def test_settings_tell_equal_ones_from_others():
    assert Scale(bounds=(0.5, 2.0)) == Scale(bounds=(0.5, 2.0)) != Scale()
    assert Attention(fixed=0.5) != Attention()
    assert Translation() != Shear()
    assert repr(Rotation(rigid=True)) == "Rotation(rigid=True)"


# Refusals


@bounded_kinds
@pytest.mark.parametrize("bounds", [(1.0, 2.0), (0.5, 1.0), (2.0, 0.5), (0.5, np.inf), (np.nan, 2.0)])
def test_bounds_that_do_not_hold_the_identity_are_refused(kind, bounds):
    name = kind.__name__.lower()
    expected = r"expected finite numbers, one below and one above 1, the identity"
    with pytest.raises(ValueError, match=rf"^{name}: the bounds of the scale are \(.*\), {expected}$"):
        kind(bounds=bounds)


@bounded_kinds
@pytest.mark.parametrize("bounds", [2.0, (0.5,), (0.5, 1.5, 2.0), "wide", ("a", "b")])
def test_what_are_no_bounds_is_refused(kind, bounds):
    name = kind.__name__.lower()
    with pytest.raises(TypeError, match=rf"^{name}: bounds is .*, expected \(low, high\), two numbers$"):
        kind(bounds=bounds)


def test_other_settings_that_do_not_fit_are_refused():
    with pytest.raises(
        ValueError, match=r"^attention: got bounds and a fixed scale, expected one of the two"
    ):
        Attention(bounds=(0.5, 2.0), fixed=0.5)
    for kind in (Rotation, Similarity):
        with pytest.raises(
            TypeError, match=rf"^{kind.__name__.lower()}: rigid is 'no', expected True or Fal"
        ):
            kind(rigid="no")


@pytest.mark.parametrize("kind", [Rotation(), Similarity(), Shear()], ids=str)
def test_what_works_in_the_plane_alone_is_refused_for_volumes(kind):
    U = np.ones((1, 1, *VOLUME))
    message = rf"the transformation '{kind.name}' works in 2 dimensions, not in 3; .* for 3: affine, trans"
    with pytest.raises(ValueError, match=f"spatial_transform: {message}"):
        spatial_transform(U, np.zeros((1, 4)), U.shape, transformation=kind, align_corners=True)


def test_a_rigid_turn_needs_two_pixels_along_each_axis_under_align_corners():
    U = np.ones((1, 1, 1, 5))
    settings = {"transformation": Rotation(rigid=True)}
    with pytest.raises(ValueError, match=r"source is \(1, 5\), but under align_corners=True an axis of one"):
        spatial_transform(U, np.zeros((1, 1)), U.shape, **settings, align_corners=True)
    assert np.array_equal(spatial_transform(U, np.zeros((1, 1)), U.shape, **settings, align_corners=False), U)
