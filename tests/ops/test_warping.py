"""The whole transformer as one function: what it hands on, and to what its result is equal."""

import inspect
from functools import partial
from typing import Any

import numpy as np
import pytest

from stn_ref import (
    Tensor,
    affine_grid,
    gaussian,
    grid_sample,
    spatial_transform,
    vjp,
)
from stn_ref.ops.sampling import KINKS
from stn_ref.ops.transformation import TRANSFORMATIONS

both_conventions = pytest.mark.parametrize("align_corners", [True, False])
every_transformation = pytest.mark.parametrize("name", TRANSFORMATIONS)
RNG = np.random.default_rng(0)
EPS = np.finfo(float).eps


def near_the_identity(name, n, size, rng=RNG):
    kind = TRANSFORMATIONS[name]
    theta = np.tile(kind.identity(size), (n, 1)) + 0.2 * rng.normal(size=(n, kind.parameters(size)))
    return theta.reshape(n, *kind.shape(size))


def test_it_takes_what_the_sampler_takes():
    common = inspect.signature(grid_sample).parameters
    own = inspect.signature(spatial_transform).parameters
    for name in ("mode", "padding_mode", "align_corners", "kink", "antialias"):
        assert own[name].default is common[name].default
        assert own[name].kind is common[name].kind is inspect.Parameter.KEYWORD_ONLY
    assert set(own) - set(common) == {"theta", "size", "transformation"}


def test_the_kernel_and_the_padding_are_handed_on():
    U = np.array([[[[0.0, 4.0, 0.0, 0.0, 8.0]]]])
    half = np.array([[0.25, 0.0]])  # a pixel is 1 / 2, half a pixel 1 / 4

    def warp(**settings):
        return spatial_transform(
            U, half, U.shape, transformation="translation", align_corners=True, **settings
        )[0, 0, 0].tolist()

    assert warp() == [2, 2, 0, 4, 4]
    assert warp(padding_mode="border") == [2, 2, 0, 4, 8]
    assert warp(padding_mode="reflection") == [2, 2, 0, 4, 4]
    assert warp(mode="nearest", padding_mode="border") == [4, 0, 0, 8, 8]
    # Keys' weights half-way are -3/32, 19/32, 19/32, -3/32.
    assert warp(mode="bicubic") == [4 * 19 / 32, 4 * 19 / 32, -12 / 32 - 24 / 32, 8 * 19 / 32, 8 * 19 / 32]
    wide = warp(mode=gaussian(16.0), padding_mode="border")
    assert max(wide) - min(wide) < 1.5


@pytest.mark.parametrize(
    ("kink", "slope"), [("right", [4, -4, -3]), ("left", [0, 4, -4]), ("mid", [2, 0, -3.5]), ("paper", None)]
)
def test_the_side_of_a_kink_is_handed_on(kink, slope):
    U = np.array([[[[0.0, 0.0, 4.0, 0.0, -3.0]]]])
    still = np.zeros((1, 1, 3, 2))  # three samples, exactly on the pixels 1, 2 and 3

    def warp(flow):
        size = (1, 1, 1, 5)
        at_all = np.zeros((1, 1, 1, 2))
        padded = at_all + flow[:, :, [0, 0, 1, 2, 2]]
        return spatial_transform(U, padded, size, transformation="flow", align_corners=True, kink=kink)

    V_bar = np.array([[[[0.0, 1.0, 1.0, 1.0, 0.0]]]])
    _, pullback = vjp(warp, still)
    [flow_bar] = pullback(V_bar)
    found = flow_bar[0, 0, :, 0] / 2  # a normalised unit is 2 pixels
    assert found.tolist() == (slope if slope else [0, 4, 0])  # eq. (7) to the letter: the pixel itself


def test_antialiasing_averages_what_a_shrunk_picture_skips():
    U = np.tile([0.0, 8.0], 8).reshape(1, 1, 1, 16)  # stripes
    theta = np.array([[[1.0, 0, 0], [0, 1.0, 0]]])
    settings = {"padding_mode": "border", "align_corners": False}
    skipping = spatial_transform(U, theta, (1, 1, 1, 4), **settings, mode="nearest")
    assert set(skipping.ravel().tolist()) == {0.0} or set(skipping.ravel().tolist()) == {8.0}
    averaging = spatial_transform(U, theta, (1, 1, 1, 4), **settings, antialias=True)
    # Of the pixels at distances 0.5 to 3.5 each with weights 7, 5, 3, 1 on both sides: half of each stripe.
    assert np.abs(averaging[0, 0, 0, 1:-1] - 4).max() <= 16 * EPS * 8
    U = RNG.normal(size=(1, 1, 4, 5))
    plain = spatial_transform(U, theta, U.shape, align_corners=True)
    assert np.array_equal(spatial_transform(U, theta, U.shape, align_corners=True, antialias=True), plain)


@every_transformation
@pytest.mark.parametrize(
    ("of_U", "of_theta"),
    [(a, b) for a in (np.float16, np.float32, np.float64) for b in (np.float16, np.float32, np.float64)],
)
def test_the_result_has_the_dtype_of_the_image_and_each_cotangent_that_of_its_own(name, of_U, of_theta):
    rng = np.random.default_rng(1)
    U = rng.normal(size=(2, 2, 4, 5)).astype(of_U)
    theta = near_the_identity(name, 2, (3, 4), rng).astype(of_theta)

    def warp(U, theta):
        return spatial_transform(U, theta, (2, 2, 3, 4), transformation=name, align_corners=True)

    V, pullback = vjp(warp, U, theta)
    U_bar, theta_bar = pullback(np.ones_like(V))
    assert (V.dtype, U_bar.dtype, theta_bar.dtype) == (of_U, of_U, of_theta)
    expected = warp(U.astype(float), theta.astype(float))
    # Coordinates of up to 10 pixels are rounded a dozen times, in single precision at least, worth slopes of
    # up to 8 along both axes.
    eps = max(np.finfo(np.promote_types(t, np.float32)).eps for t in (of_U, of_theta))
    bound = 10 * 12 * eps * 8 * 2 + np.finfo(of_U).eps * np.abs(expected).max()
    np.testing.assert_allclose(V, expected, rtol=0, atol=bound)


@every_transformation
def test_tensors_come_back_for_tensors_and_lead_back_to_both(name):
    U = Tensor(RNG.normal(size=(2, 2, 4, 5)), requires_grad=True)
    theta = Tensor(near_the_identity(name, 2, (3, 4)), requires_grad=True)
    settings = {"transformation": name, "align_corners": False}
    V = spatial_transform(U, theta, (2, 2, 3, 4), **settings)
    assert isinstance(V, Tensor)
    assert np.array_equal(V.data, spatial_transform(U.data, theta.data, (2, 2, 3, 4), **settings))
    V.backward(RNG.normal(size=V.shape))
    assert U.grad.any()
    assert theta.grad.any()
    assert theta.grad.shape == theta.shape


@every_transformation
@both_conventions
@pytest.mark.parametrize(
    ("n", "channels", "size"),
    [(0, 2, (3, 4)), (2, 0, (3, 4)), (2, 2, (0, 4)), (2, 2, (3, 0)), (1, 1, (1, 1))],
)
def test_empty_and_tiny_batches_channels_and_outputs(name, n, channels, size, align_corners):
    kind = TRANSFORMATIONS[name]
    U, theta = np.ones((n, channels, 3, 4)), np.zeros((n, *kind.shape(size)))

    def warp(U, theta):
        out = (n, channels, *size)
        return spatial_transform(U, theta, out, transformation=name, align_corners=align_corners)

    V, pullback = vjp(warp, U, theta)
    assert V.shape == (n, channels, *size)
    U_bar, theta_bar = pullback(np.ones(V.shape))
    assert (U_bar.shape, theta_bar.shape) == (U.shape, theta.shape)
    if not V.size:
        assert not U_bar.any()
        assert not theta_bar.any()


@every_transformation
def test_inputs_are_never_modified_and_need_not_be_writable_or_contiguous(name):
    U, theta = RNG.normal(size=(2, 2, 4, 5)), near_the_identity(name, 2, (3, 4))
    V_bar = RNG.normal(size=(2, 2, 3, 4))

    def both(U, theta, V_bar):
        settings = {"transformation": name, "mode": "bicubic", "align_corners": True}
        V, pullback = vjp(lambda U, theta: spatial_transform(U, theta, V_bar.shape, **settings), U, theta)
        return V, *pullback(V_bar)

    expected = both(U, theta, V_bar)
    for turned in (
        np.asfortranarray,
        lambda a: np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1),
        lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    ):
        inputs = [turned(a) for a in (U, theta, V_bar)]
        for array in inputs:
            array.flags.writeable = False
        before = [array.tobytes() for array in inputs]
        for found, right in zip(both(*inputs), expected):
            assert np.array_equal(found, right)
        assert [array.tobytes() for array in inputs] == before


def test_the_size_may_be_a_list_and_its_channels_do_not_count():
    U, theta = RNG.normal(size=(2, 3, 4, 5)), RNG.normal(size=(2, 2, 3))
    V = spatial_transform(U, theta, (2, 3, 2, 6), align_corners=True)
    assert np.array_equal(spatial_transform(U, theta, [2, 99, 2, 6], align_corners=True), V)
    assert V.shape == (2, 3, 2, 6)


@every_transformation
def test_a_nan_in_theta_concerns_its_own_image_alone(name):
    U, theta = RNG.normal(size=(2, 2, 4, 5)), near_the_identity(name, 2, (3, 4))
    settings = {"transformation": name, "align_corners": True}
    expected = spatial_transform(U, theta, (2, 2, 3, 4), **settings)
    theta[0] = np.nan
    V, pullback = vjp(lambda U, theta: spatial_transform(U, theta, (2, 2, 3, 4), **settings), U, theta)
    U_bar, theta_bar = pullback(np.ones(V.shape))
    assert np.isnan(V[0]).all()
    assert np.array_equal(V[1], expected[1])
    assert np.isfinite(U_bar).all()
    assert not U_bar[0].any()
    assert np.isnan(theta_bar[0]).all()
    assert np.isfinite(theta_bar[1]).all()


@both_conventions
def test_in_pixel_units_the_identity_stays_whole_where_normalised_coordinates_miss_a_pixel(align_corners):
    U, theta = RNG.normal(size=(1, 1, 1, 50)), np.eye(2, 3)[None]
    assert np.array_equal(spatial_transform(U, theta, U.shape, align_corners=align_corners), U)
    grid = affine_grid(theta, U.shape, align_corners=align_corners)
    assert not np.array_equal(grid_sample(U, grid, align_corners=align_corners), U)


def test_settings_are_refused_by_name():
    U, theta = np.ones((1, 1, 4, 5)), np.zeros((1, 2, 3))
    with pytest.raises(TypeError, match=r"^spatial_transform: antialias is 'yes', expected True or False"):
        spatial_transform(U, theta, U.shape, align_corners=True, antialias="yes")
    with pytest.raises(
        ValueError, match=r"^spatial_transform: transformation is 'afine', expected a Transfor"
    ):
        spatial_transform(U, theta, U.shape, transformation="afine", align_corners=True)
    with pytest.raises(
        ValueError, match=r"^spatial_transform: kink is 'both', expected one of 'right', 'left"
    ):
        spatial_transform(U, theta, U.shape, align_corners=True, kink="both")
    assert KINKS == ("right", "left", "mid", "paper")


@pytest.mark.parametrize(("name", "numbers"), [("translation", 2), ("scale", 2), ("attention", 3)])
@pytest.mark.parametrize("padding_mode", ["zeros", "border"])
def test_a_large_output_that_only_scales_and_shifts_equals_the_affine_one(
    name: str, numbers: int, padding_mode: str
) -> None:
    """It is computed one axis after the other."""
    rng = np.random.default_rng(41)
    U, theta = rng.normal(size=(2, 3, 37, 50)), rng.uniform(0.3, 0.9, (2, numbers))
    settings = {"padding_mode": padding_mode, "align_corners": False}
    size, kind = (2, 3, 40, 45), TRANSFORMATIONS[name]

    def as_affine(U: Any, theta: Any) -> Any:
        return spatial_transform(U, kind.matrix(theta, (37, 50), False), size, **settings)

    V, pullback = vjp(partial(spatial_transform, size=size, transformation=name, **settings), U, theta)
    W, expected_pullback = vjp(as_affine, U, theta)
    np.testing.assert_allclose(V, W, rtol=0, atol=1e-14)
    V_bar = rng.normal(size=V.shape)
    for got, want in zip(pullback(V_bar), expected_pullback(V_bar)):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-13 * np.abs(want).max())
