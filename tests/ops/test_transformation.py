"""The table of transformations: what is in it, how theta is brought into shape, how a new one is added."""

import inspect

import numpy as np
import pytest

from stn_ref import (
    Affine,
    SpatialTransformer,
    Tensor,
    ThinPlateSpline,
    Transformation,
    Translation,
    affine_grid,
    control_grid,
    exp,
    grid_sample,
    ops,
    spatial_transform,
)
from stn_ref.ops.grids import affine_map, affine_points
from stn_ref.ops.thetas import scale_theta
from stn_ref.ops.transformation import TRANSFORMATIONS, add_to_table, as_transformation, names_for

RNG = np.random.default_rng(0)
PLANE, VOLUME = (4, 5), (2, 4, 5)
every_entry = pytest.mark.parametrize("name", TRANSFORMATIONS)


def subclasses(kind):
    for below in kind.__subclasses__():
        yield below
        yield from subclasses(below)


# The table


def test_every_public_transformation_is_in_the_table_under_its_name():
    classes = {kind for kind in subclasses(Transformation) if kind.__module__.startswith("stn_ref.ops.")}
    assert {type(entry) for entry in TRANSFORMATIONS.values()} == classes
    assert all(name == entry.name for name, entry in TRANSFORMATIONS.items())
    public = {value for value in vars(ops).values() if inspect.isclass(value)}
    assert classes <= public


@every_entry
def test_the_functions_that_take_names_say_this_one(name):
    assert f'"{name}"' in inspect.getdoc(spatial_transform)
    assert as_transformation("f", name) is TRANSFORMATIONS[name]


@every_entry
def test_the_identity_has_as_many_numbers_as_the_shape_says(name):
    kind = TRANSFORMATIONS[name]
    for size in (PLANE, VOLUME):
        if len(size) in kind.dimensions:
            assert kind.parameters(size) == np.prod(kind.shape(size), dtype=int)
            assert kind.identity(size).shape == (kind.parameters(size),)
            assert kind.identity(size).dtype == float


def test_names_for_a_number_of_dimensions():
    assert names_for(2) == list(TRANSFORMATIONS)
    assert names_for(3) == ["affine", "translation", "scale", "attention", "rigid", "flow"]
    assert names_for(4) == []


def test_an_object_is_taken_as_it_is():
    mine = ThinPlateSpline(control_grid(2, 3))
    assert as_transformation("f", mine) is mine


@every_entry
def test_the_linear_ones_have_a_matrix_and_the_others_say_that_they_have_none(name):
    kind = TRANSFORMATIONS[name]
    theta = np.zeros((2, *kind.shape(PLANE)))
    if isinstance(kind, Affine):
        assert kind.matrix(theta, PLANE, True).shape == (2, 2, 3)
    elif name == "projective":
        assert kind.matrix(theta, PLANE, True).shape == (2, 3, 3)
    else:
        with pytest.raises(TypeError, match=rf"^{name}: this transformation has no matrix; the affine ones"):
            kind.matrix(theta, PLANE, True)


# Theta in its shape


@every_entry
def test_theta_is_brought_into_shape(name):
    kind = TRANSFORMATIONS[name]
    for size in (PLANE, VOLUME):
        if len(size) not in kind.dimensions:
            continue
        theta = RNG.normal(size=(3, *kind.shape(size)))
        flat = theta.reshape(3, -1)
        for given in (theta, flat):
            shaped = kind.shaped("f", given, 3, size)
            assert shaped.shape == theta.shape
            assert np.array_equal(shaped, theta)
        shaped = kind.shaped("f", Tensor(flat, requires_grad=True), 3, size)
        assert isinstance(shaped, Tensor)
        assert shaped.requires_grad
        assert kind.shaped("f", flat[:0], 0, size).shape == (0, *theta.shape[1:])


@every_entry
def test_a_theta_without_its_batch_axis_is_refused_with_the_mend(name):
    kind = TRANSFORMATIONS[name]
    one = np.zeros(kind.shape(PLANE))
    message = rf"one '{name}' map for each image; use theta\[None\] for a batch of one"
    with pytest.raises(ValueError, match=rf"^f: theta has shape .*, {message}$"):
        kind.shaped("f", one, 1, PLANE)
    assert kind.shaped("f", one[None], 1, PLANE).shape == (1, *one.shape)
    with pytest.raises(ValueError, match=r"for one map for all use np\.repeat\(theta\[None\], 3, axis=0\)$"):
        kind.shaped("f", one, 3, PLANE)
    assert kind.shaped("f", np.repeat(one[None], 3, axis=0), 3, PLANE).shape == (3, *one.shape)
    with pytest.raises(ValueError, match=r"for one map for all use np\.repeat\(theta, 3, axis=0\)$"):
        kind.shaped("f", one[None], 3, PLANE)


@every_entry
def test_a_theta_with_too_many_numbers_is_refused_with_the_expected_shapes(name):
    kind = TRANSFORMATIONS[name]
    count = kind.parameters(PLANE)
    shape = ", ".join(map(str, (2, *kind.shape(PLANE))))
    with pytest.raises(ValueError, match=rf"^f: theta has shape \(2, {count + 1}\), expected \({shape}\)"):
        kind.shaped("f", np.zeros((2, count + 1)), 2, PLANE)


@pytest.mark.parametrize(
    ("name", "shape", "hint"),
    [
        ("affine", (2, 8), "8 numbers for an image fit 'projective'"),
        ("affine", (2, 3, 3), "9 numbers for an image fit 'projective'"),
        ("translation", (2, 3), "3 numbers for an image fit 'attention' or 'rigid'"),
        ("projective", (2, 2, 3), "6 numbers for an image fit 'affine'"),
        ("similarity", (2, 32), "32 numbers for an image fit 'thin-plate-spline'"),
        ("attention", (2, 40), "40 numbers for an image fit 'flow'"),
        ("rotation", (2, 2), "2 numbers for an image fit 'translation' or 'scale' or 'shear'"),
    ],
)
def test_a_theta_of_another_transformation_is_refused_with_its_name(name, shape, hint):
    with pytest.raises(ValueError, match=rf"^f: theta has shape .*; {hint}$"):
        TRANSFORMATIONS[name].shaped("f", np.zeros(shape), 2, PLANE)


@every_entry
def test_dtypes_and_dimensions_are_refused_by_name(name):
    kind = TRANSFORMATIONS[name]
    theta = np.zeros((2, *kind.shape(PLANE)))
    with pytest.raises(TypeError, match=r"^f: theta has dtype int64, expected float16, float32 or float64"):
        kind.shaped("f", theta.astype(np.int64), 2, PLANE)
    with pytest.raises(TypeError, match=r"^f: theta is .*use np\.asarray\(theta, dtype=float\)"):
        kind.shaped("f", [0.0], 2, PLANE)
    wrong = (2, 3, 4, 5) if 3 in kind.dimensions else VOLUME
    message = rf"^f: the transformation '{name}' works in 2 dimensions, not in {len(wrong)}; transformations"
    with pytest.raises(ValueError, match=message):
        kind.shaped("f", theta, 2, wrong)


@pytest.mark.parametrize("transformation", ["afine", "", None, 3, Affine.name.upper(), ["affine"]])
def test_other_names_are_refused_with_those_that_there_are(transformation):
    names = ", ".join(map(repr, TRANSFORMATIONS))
    expected = f"expected a Transformation or one of {names}"
    with pytest.raises(ValueError, match=rf"^f: transformation is .*, {expected}$"):
        as_transformation("f", transformation)


def test_a_class_is_refused_with_the_way_to_an_object():
    with pytest.raises(ValueError, match=r"; that is a class: use Translation\(\)$"):
        as_transformation("f", Translation)


def test_what_a_new_one_must_say():
    bare = Transformation()
    for call in (
        lambda: bare.shape(PLANE),
        lambda: bare.identity(PLANE),
        lambda: bare.grid(np.zeros((1, 1)), size=PLANE, source=PLANE, align_corners=True),
        lambda: bare.points(np.zeros((1, 1)), size=PLANE, source=PLANE, align_corners=True),
    ):
        with pytest.raises(NotImplementedError):
            call()


# A new one


class LogScale(Transformation):
    """A scale for each axis, by its logarithm."""

    name = "log-scale"

    def shape(self, size):
        return (len(size),)

    def identity(self, size):
        return np.zeros(len(size))

    def grid(self, theta, *, size, source, align_corners):
        return affine_map(scale_theta(exp(theta)), size=size, align_corners=align_corners)

    def points(self, theta, *, size, source, align_corners):
        settings = {"size": size, "source": source, "align_corners": align_corners}
        return affine_points(scale_theta(exp(theta)), **settings)


@pytest.fixture
def log_scale():
    yield add_to_table(LogScale())
    del TRANSFORMATIONS["log-scale"]


def test_a_new_one_works_by_its_name_everywhere(log_scale):
    U, theta = RNG.normal(size=(2, 1, 4, 5)), np.log([[0.5, 2.0], [1.0, 0.25]])
    settings = {"transformation": "log-scale", "align_corners": True}
    V = spatial_transform(U, theta, (2, 1, 3, 3), **settings)
    expected = spatial_transform(U, scale_theta(np.exp(theta)), (2, 1, 3, 3), align_corners=True)
    assert np.array_equal(V, expected)
    with pytest.raises(ValueError, match=r"3 numbers for an image fit 'attention' or 'rigid'"):
        spatial_transform(U, np.zeros((2, 3)), U.shape, **settings)
    grid = log_scale.grid(theta, size=(3, 3), source=(4, 5), align_corners=True)
    assert np.array_equal(grid, affine_grid(scale_theta(np.exp(theta)), (2, 1, 3, 3), align_corners=True))
    assert np.allclose(grid_sample(U, grid, align_corners=True), V)
    transformer = SpatialTransformer(lambda U: theta, (3, 3), **settings)
    assert np.array_equal(transformer(U), V)


def test_after_that_the_table_is_as_before():
    assert "log-scale" not in TRANSFORMATIONS
