"""Volumes seen along their depth."""

import numpy as np
import pytest

from stn_ref import Tensor, flatten_depth, gradcheck, spatial_transform

HOWS = ("sum", "mean", "max")
EPS = np.finfo(float).eps


def test_the_depth_becomes_one_number_by_hand():
    V = np.array([[[[[1.0, 8.0]]], [[[3.0, -4.0]]]]]).reshape(1, 1, 2, 1, 2)  # two slices of 1 x 2
    assert flatten_depth(V).tolist() == [[[[4, 4]]]]
    assert flatten_depth(V, how="mean").tolist() == [[[[2, 2]]]]
    assert flatten_depth(V, how="max").tolist() == [[[[3, 8]]]]


@pytest.mark.parametrize("how", HOWS)
def test_batch_channels_rows_and_columns_stay(how):
    V = np.random.default_rng(0).normal(size=(2, 3, 4, 5, 6))
    projection = flatten_depth(V, how=how)
    assert projection.shape == (2, 3, 5, 6)
    expected = {"sum": V.sum(axis=2), "mean": V.mean(axis=2), "max": V.max(axis=2)}[how]
    np.testing.assert_allclose(projection, expected, rtol=0, atol=4 * EPS * np.abs(V).sum(axis=2).max())


@pytest.mark.parametrize("how", HOWS)
def test_derivatives_agree_with_differences(how):
    rng = np.random.default_rng(1)
    V = rng.permutation(48).reshape(2, 1, 3, 2, 4) / 8.0  # no two equal, so that the maximum has no kink
    assert gradcheck(lambda V: flatten_depth(V, how=how), (V,), order=2).passed


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_dtype_stays_and_tensors_give_tensors(how, dtype):
    V = np.ones((1, 2, 3, 4, 5), dtype)
    assert flatten_depth(V, how=how).dtype == dtype
    projection = flatten_depth(Tensor(V, requires_grad=True), how=how)
    assert isinstance(projection, Tensor)
    assert projection.dtype == dtype


def test_no_images_no_channels_and_one_slice():
    assert flatten_depth(np.ones((0, 1, 2, 3, 4))).shape == (0, 1, 3, 4)
    assert flatten_depth(np.ones((1, 0, 2, 3, 4)), how="mean").shape == (1, 0, 3, 4)
    V = np.random.default_rng(2).normal(size=(1, 2, 1, 3, 4))
    for how in HOWS:
        assert np.array_equal(flatten_depth(V, how=how), V[:, :, 0])


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (3, 4, 5), (1, 2, 3, 4, 5, 6), ()])
def test_what_is_no_volume_is_refused(shape):
    with pytest.raises(ValueError, match=r"^flatten_depth: V has shape \(.*\), expected \(N, C, D, H, W\)"):
        flatten_depth(np.ones(shape))


@pytest.mark.parametrize("how", ["median", None, "SUM"])
def test_other_ways_are_refused_by_name(how):
    message = rf"^flatten_depth: how is {how!r}, expected one of 'sum', 'mean', 'max'"
    with pytest.raises(ValueError, match=message):
        flatten_depth(np.ones((1, 1, 2, 3, 4)), how=how)


@pytest.mark.parametrize("V", [np.ones((1, 1, 2, 3, 4), int), [[1.0]], np.ones((1, 1, 1, 1, 1), complex)])
def test_what_is_not_floating_is_refused(V):
    with pytest.raises(TypeError, match=r"^flatten_depth: V .*expected"):
        flatten_depth(V)


QUARTER_TURNS = {
    # x_s = z_t and z_s = -x_t: what lay along x is the depth now, and what was behind is on the left.
    "about y": ([[0, 0, 1, 0], [0, 1, 0, 0], [-1, 0, 0, 0]], lambda U: U.sum(4).swapaxes(2, 3)[..., ::-1]),
    # y_s = z_t and z_s = -y_t: what lay along y is the depth now, and what was behind is on top.
    "about x": ([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0]], lambda U: U.sum(3)[:, :, ::-1]),
    "about z": ([[0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 1, 0]], lambda U: np.rot90(U.sum(2), -1, (2, 3))),
}


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("axis", QUARTER_TURNS)
def test_turned_by_a_quarter_a_volume_is_seen_from_another_side(axis, align_corners):
    rows, seen = QUARTER_TURNS[axis]
    U = np.random.default_rng(3).integers(-9, 10, (2, 3, 4, 4, 4)).astype(float)
    theta = np.repeat(np.array([rows], float), 2, axis=0)
    V = flatten_depth(spatial_transform(U, theta, U.shape, align_corners=align_corners))
    assert np.array_equal(V, seen(U))


def test_a_small_volume_turned_about_y_by_hand():
    # Slices [[1, 2], [3, 4]] in front and [[5, 6], [7, 8]] behind. Seen from its side x = 1, the rows
    # are 2 + 1 and 6 + 5, 4 + 3 and 8 + 7, what was behind comes first.
    U = np.arange(1.0, 9.0).reshape(1, 1, 2, 2, 2)
    theta = np.array([QUARTER_TURNS["about y"][0]], float)
    V = flatten_depth(spatial_transform(U, theta, U.shape, align_corners=True))
    assert V.tolist() == [[[[11, 3], [15, 7]]]]


def test_gradients_flow_through_a_turn_and_a_projection():
    rng = np.random.default_rng(4)
    U = rng.normal(size=(1, 2, 2, 3, 4))
    theta = np.array([[[0.8, 0.1, 0.3, 0.03], [-0.2, 0.9, 0.1, 0.05], [-0.3, 0.2, 0.7, 0.02]]])

    def seen(U, theta):
        turned = spatial_transform(U, theta, (1, 2, 2, 2, 3), mode="bicubic", align_corners=False)
        return flatten_depth(turned)

    assert gradcheck(seen, (U, theta), order=1, elements=12).passed
