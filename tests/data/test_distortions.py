"""The distortions: by hand where a hand can do it, by invariants where chance decides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stn_ref.data import distortions
from stn_ref.data.distortions import (
    DISTORTIONS,
    distort,
    rotate,
    rotate_scale_translate,
    similar,
    similarity_to_source,
    theta_from_pixels,
    to_unit,
    warp,
    warping,
)
from stn_ref.data.mnist import load_bundled

DIGITS = load_bundled("test").images[:40]
UNIT = to_unit(DIGITS)
SHAPES = dict.fromkeys(DISTORTIONS, (28, 28)) | {"RTS": (42, 42), "TC": (60, 60)}
ULP = np.finfo(np.float32).eps  # of values up to 1


def generator(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_shape_dtype_and_range(kind):
    out = distort(DIGITS, kind, generator())
    assert out.shape == (len(DIGITS), 1, *SHAPES[kind])
    assert out.dtype == np.float32
    assert out.min() == 0
    assert 0.5 < out.max() <= 1


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_the_seed_decides_every_byte(kind):
    first, again, other = (distort(DIGITS, kind, generator(seed)) for seed in (3, 3, 4))
    assert first.tobytes() == again.tobytes()
    assert kind == "none" or first.tobytes() != other.tobytes()


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_the_input_is_not_touched_and_may_have_any_layout(kind):
    frozen = np.asfortranarray(DIGITS)
    frozen.flags.writeable = False
    expected = distort(DIGITS.copy(), kind, generator())
    assert distort(frozen, kind, generator()).tobytes() == expected.tobytes()


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_an_empty_batch_stays_empty(kind):
    assert distort(DIGITS[:0], kind, generator()).shape == (0, 1, *SHAPES[kind])


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_an_image_without_ink_stays_without(kind):
    assert not distort(np.zeros((3, 28, 28), np.uint8), kind, generator()).any()


@pytest.mark.parametrize("kind", ["R", "RTS", "P", "E"])
def test_the_chunks_of_a_batch_do_not_show(kind, monkeypatch):
    whole = distort(DIGITS, kind, generator())
    monkeypatch.setattr(warping, "POINTS", 7 * 42 * 42)
    assert distort(DIGITS, kind, generator()).tobytes() == whole.tobytes()


@pytest.mark.parametrize("turns", [-1, 0, 1, 2])
def test_quarter_turns_are_those_of_rot90(turns):
    out = rotate(DIGITS, generator(), degrees=(90 * turns, 90 * turns))
    np.testing.assert_allclose(out, np.rot90(UNIT, turns, axes=(2, 3)), rtol=0, atol=ULP)


def test_whole_pixel_shifts_are_exact_in_any_frame():
    to_source = np.array([[[1.0, 0.0, -5.0], [0.0, 1.0, -9.0]]] * len(DIGITS))
    expected = np.zeros((len(DIGITS), 1, 42, 47), np.float32)
    expected[:, :, 9 : 9 + 28, 5 : 5 + 28] = UNIT
    np.testing.assert_allclose(warp(DIGITS, to_source, (42, 47)), expected, rtol=0, atol=ULP)


def test_doubling_interpolates_half_way():
    to_source = similarity_to_source([0.0], 2.0, (0, 0), (0, 0))
    out = warp(np.array([[[0, 102, 255]]], np.uint8), to_source, (1, 5))
    np.testing.assert_allclose(out[0, 0, 0], [0, 0.2, 0.4, 0.7, 1], rtol=0, atol=ULP)


@given(
    degrees=st.floats(-180, 180),
    scale=st.floats(0.5, 2),
    centres=st.tuples(*[st.floats(0, 40)] * 4),
)
def test_the_similarity_does_what_its_words_say(degrees, scale, centres):
    """A step to the right of the source's centre is seen turned counter-clockwise, y being down."""
    source, target = np.array(centres[:2]), np.array(centres[2:])
    [to_source] = similarity_to_source([degrees], scale, source, target)
    angle = np.radians(degrees)
    seen = target + scale * np.array([np.cos(angle), -np.sin(angle)])
    np.testing.assert_allclose(to_source @ [*target, 1], source, atol=1e-12)
    np.testing.assert_allclose(to_source @ [*seen, 1], source + [1, 0], atol=1e-12)


@pytest.mark.parametrize("align_corners", [True, False])
@given(
    to_source=st.lists(st.floats(-3, 3), min_size=6, max_size=6),
    source=st.tuples(st.integers(2, 30), st.integers(2, 30)),
    target=st.tuples(st.integers(2, 30), st.integers(2, 30)),
    point=st.tuples(st.floats(0, 30), st.floats(0, 30)),
)
def test_theta_and_the_pixel_map_agree_at_every_point(align_corners, to_source, source, target, point):
    def half(size):
        return (size[::-1] - np.array(align_corners)) / 2

    def centre(size):
        return (np.array(size[::-1]) - 1) / 2

    matrix = np.reshape(to_source, (1, 2, 3))
    [theta] = theta_from_pixels(matrix, source, target, align_corners=align_corners)
    x_t = (np.array(point) - centre(target)) / half(np.array(target))
    x_s = theta @ [*x_t, 1]
    by_theta = x_s * half(np.array(source)) + centre(source)
    np.testing.assert_allclose(by_theta, matrix[0] @ [*point, 1], atol=1e-10)


def test_theta_refuses_an_axis_without_scale():
    identity = np.eye(2, 3)[None]
    with pytest.raises(ValueError, match=r"theta_from_pixels: source is \(1, 5\); with align_corn"):
        theta_from_pixels(identity, (1, 5), (4, 4), align_corners=True)
    assert np.isfinite(theta_from_pixels(identity, (1, 5), (4, 4), align_corners=False)).all()


def test_rts_loses_no_ink(monkeypatch):
    """The same maps into a frame with a margin all round show nothing in the margin."""
    maps = []
    monkeypatch.setattr(similar, "warp", lambda *arguments: maps.append(arguments))
    many = load_bundled("test").images[:300]
    rotate_scale_translate(many, generator())
    [(images, to_source, size)] = maps
    margin = 8
    wider = to_source.copy()
    wider[..., 2] -= margin * to_source[..., :2].sum(axis=-1)
    out = warp(images, wider, (size[0] + 2 * margin, size[1] + 2 * margin))
    inside = out[:, :, margin:-margin, margin:-margin]
    assert (inside == warp(images, to_source, size)).mean() > 0.99  # the margin only moved the frame
    assert out.sum(dtype=np.float64) == pytest.approx(inside.sum(dtype=np.float64), rel=1e-12)
    # The places are not timid: ink comes near to each side of the frame.
    assert all(side.any() for side in (inside[..., 0], inside[..., -1], inside[..., 0, :]))


def test_rts_without_turn_and_scale_moves_mass_and_creates_none():
    still = {"degrees": (0.0, 0.0), "scale": (1.0, 1.0)}
    out = rotate_scale_translate(DIGITS, generator(), **still)
    np.testing.assert_allclose(out.sum(axis=(1, 2, 3)), UNIT.sum(axis=(1, 2, 3)), rtol=1e-5)


def test_rts_scales_mass_by_the_area():
    doubled = {"degrees": (0.0, 0.0), "scale": (2.0, 2.0), "size": 84}
    out = rotate_scale_translate(DIGITS, generator(), **doubled)
    np.testing.assert_allclose(out.sum(axis=(1, 2, 3)), 4 * UNIT.sum(axis=(1, 2, 3)), rtol=1e-5)


def test_rts_centres_what_cannot_fit():
    full = np.full((1, 28, 28), 255, np.uint8)
    out = rotate_scale_translate(full, generator(), degrees=(45, 45), scale=(1.2, 1.2))
    np.testing.assert_allclose(out, out[:, :, ::-1, ::-1], atol=1e-6)


def test_rts_angles_and_scales_cover_their_ranges(monkeypatch):
    maps = []
    monkeypatch.setattr(similar, "warp", lambda *arguments: maps.append(arguments[1]))
    rotate_scale_translate(np.repeat(DIGITS[:1], 4000, axis=0), generator())
    cosine, sine = maps[0][:, 0, 0], maps[0][:, 1, 0]
    scales, degrees = 1 / np.hypot(cosine, sine), np.degrees(np.arctan2(sine, cosine))
    for values, low, high in ((scales, 0.7, 1.2), (degrees, -45.0, 45.0)):
        slack = 0.01 * (high - low)
        assert low - 1e-9 <= values.min() < low + slack
        assert high - slack < values.max() <= high + 1e-9
        assert abs(values.mean() - (low + high) / 2) < 5 * (high - low) / np.sqrt(12 * 4000)


def test_r_angles_cover_their_range(monkeypatch):
    maps = []
    monkeypatch.setattr(similar, "warp", lambda *arguments: maps.append(arguments[1]))
    rotate(np.repeat(DIGITS[:1], 4000, axis=0), generator())
    degrees = np.degrees(np.arctan2(maps[0][:, 1, 0], maps[0][:, 0, 0]))
    assert -90 - 1e-9 <= degrees.min() < -88
    assert 88 < degrees.max() <= 90 + 1e-9


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_other_arrays_are_refused(kind):
    with pytest.raises(TypeError, match=r"images is float32 array of shape \(40, 1, 28, 28\), expe"):
        distort(UNIT, kind, generator())
    with pytest.raises(ValueError, match=r"images has shape \(28, 28\), expected \(N, H, W\); use images\[N"):
        distort(DIGITS[0], kind, generator())
    with pytest.raises(ValueError, match=r"images has shape \(40, 1, 28, 28\), .*; use images\[:, 0\], with"):
        distort(DIGITS[:, None], kind, generator())


@pytest.mark.parametrize("scale", [(0, 1), (1.2, 0.7), (0.7, np.inf), (np.nan, 1), 0.7])
@pytest.mark.parametrize("name", ["rotate_scale_translate", "project", "elastic", "digit_volumes"])
def test_a_scale_that_is_no_positive_range_is_refused(name, scale):
    with pytest.raises(ValueError, match=rf"{name}: scale is .*, expected \(low, high\) with 0 < low"):
        getattr(distortions, name)(DIGITS, generator(), scale=scale)


def test_an_unknown_distortion_is_refused():
    with pytest.raises(ValueError, match="distort: kind is 'Q', expected one of 'none', 'R', 'RTS"):
        distort(DIGITS, "Q", generator())
