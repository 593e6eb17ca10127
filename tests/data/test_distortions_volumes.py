"""Volumes: turned by hand, against rotations of another make, and by what no turn changes."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from stn_ref.data import load_bundled
from stn_ref.data.distortions import digit_volumes, to_unit, turn_voxels, volumes, warp, warping
from stn_ref.data.distortions.volumes import turns_to_source

DIGITS = load_bundled("test").images[:6]
STILL = {"degrees": ((0, 0),) * 3, "scale": (1, 1)}
INK = to_unit(DIGITS).sum(axis=(1, 2, 3), dtype=np.float64)
MODELS = (np.random.default_rng(1).random((3, 7, 7, 7)) < 0.3).astype(np.uint8)
ULP = np.finfo(np.float32).eps  # of values up to 1


def generator(seed=0):
    return np.random.default_rng(seed)


def mass(batch):
    return batch.sum(axis=(1, 2, 3, 4), dtype=np.float64)


def about(axis, low, high):
    """Ranges for a turn about one of x, y and z."""
    return tuple((low, high) if k == axis else (0, 0) for k in range(3))


# Digits


def test_shape_dtype_range_and_seed():
    assert digit_volumes(DIGITS[:1], generator()).shape == (1, 1, 60, 60, 60)
    first, again, other = (digit_volumes(DIGITS, generator(seed), size=30) for seed in (3, 3, 4))
    assert (first.dtype, first.shape) == (np.float32, (6, 1, 30, 30, 30))
    assert first.min() == 0
    assert 0.5 < first.max() <= 1
    assert first.tobytes() == again.tobytes() != other.tobytes()


def test_a_digit_that_does_not_turn_is_itself_in_each_of_its_slices():
    """In a frame without any room beside the digit's it stands in the middle, on whole voxels."""
    digit = np.full((1, 5, 5), 204, np.uint8)
    digit[0, 1, 3] = 51
    out = digit_volumes(digit, generator(), size=5, thickness=3, degrees=STILL["degrees"], scale=(1, 1))
    # Along the depth there is room, from -1 to 5 with the voxel that interpolation adds on each side.
    np.testing.assert_allclose(out[0, 0].sum(axis=0), 3 * to_unit(digit)[0, 0], rtol=0, atol=4 * ULP)


@pytest.mark.parametrize("thickness", [1, 8])
def test_ink_is_moved_and_none_made_or_lost(thickness):
    out = digit_volumes(DIGITS, generator(), size=40, thickness=thickness, **STILL)
    np.testing.assert_allclose(mass(out), thickness * INK, rtol=1e-5)


def test_a_scale_of_two_makes_eight_times_the_ink():
    out = digit_volumes(DIGITS, generator(), size=60, **STILL | {"scale": (2, 2)})
    np.testing.assert_allclose(mass(out), 8 * 8 * INK, rtol=1e-5)


def test_no_ink_leaves_the_volume(monkeypatch):
    """The same maps into a volume with a margin all round show nothing in the margin."""
    calls = []
    monkeypatch.setattr(volumes, "warp", lambda *arguments: calls.append(arguments))
    digit_volumes(load_bundled("test").images[:150, ::2, ::2], generator(), size=18, thickness=5)
    [(bodies, to_source, size)] = calls
    margin = 3
    wider = to_source.copy()
    wider[..., 3] -= margin * to_source[..., :3].sum(axis=-1)
    out = warp(bodies, wider, tuple(n + 2 * margin for n in size))
    inside = out[(..., *[slice(margin, -margin)] * 3)]
    assert out.sum(dtype=np.float64) == pytest.approx(inside.sum(dtype=np.float64), rel=1e-12)
    # The places are not timid: ink comes near to each side of the frame.
    assert all(inside.take(side, axis).any() for side in ([0, 1], [-2, -1]) for axis in (2, 3, 4))


def test_what_cannot_fit_stands_in_the_middle():
    full = np.full((1, 9, 9), 255, np.uint8)
    out = digit_volumes(full, generator(), size=8, thickness=9, degrees=((30, 30),) * 3)
    np.testing.assert_allclose(out, out[:, :, ::-1, ::-1, ::-1], rtol=0, atol=4 * ULP)


def test_angles_and_scales_cover_their_ranges(monkeypatch):
    angles, maps = [], []
    monkeypatch.setattr(volumes, "warp", lambda *arguments: maps.append(arguments[1]))
    turn = volumes.turns_to_source
    monkeypatch.setattr(volumes, "turns_to_source", lambda degrees: angles.append(degrees) or turn(degrees))
    n, ranges = 4000, ((-45, 45), (-10, 30), (-90, 0))
    digit_volumes(np.repeat(DIGITS[:1], n, axis=0), generator(), degrees=ranges)
    scales = np.cbrt(1 / np.linalg.det(maps[0][..., :3]))
    for values, (low, high) in zip([scales, *angles[0].T], [(0.7, 1.2), *ranges]):
        slack = 0.01 * (high - low)
        assert low - 1e-9 <= values.min() < low + slack
        assert high - slack < values.max() <= high + 1e-9
        assert abs(values.mean() - (low + high) / 2) < 5 * (high - low) / np.sqrt(12 * n)


def test_the_parts_of_a_batch_do_not_show(monkeypatch):
    whole = digit_volumes(DIGITS, generator(), size=20)
    monkeypatch.setattr(warping, "POINTS", 1)
    assert digit_volumes(DIGITS, generator(), size=20).tobytes() == whole.tobytes()


# Turns


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("turns", [-1, 1, 2])
def test_quarter_turns_are_those_of_rot90_about_each_axis(axis, turns):
    """Along z one sees rows, columns to the right; along x slices, rows to the right; along y columns."""
    plane = [(2, 3), (4, 2), (3, 4)][axis]
    out = turn_voxels(MODELS, generator(), degrees=about(axis, 90 * turns, 90 * turns))
    expected = np.rot90(MODELS[:, None], turns, axes=plane)
    np.testing.assert_allclose(out, expected, rtol=0, atol=ULP)


def test_the_turns_come_in_their_order():
    """Of another make: the turn about z first, then y, then x; ours are counter-clockwise, its are not."""
    degrees = generator().uniform(-180, 180, size=(50, 3))
    expected = Rotation.from_euler("zyx", -degrees[:, ::-1], degrees=True).as_matrix()
    found = np.swapaxes(turns_to_source(degrees), 1, 2)  # of what is turned: the inverse of the map back
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


# Models


def test_by_default_models_turn_about_their_last_axis():
    """A rod along it stays, and what stands at its end goes all the way round."""
    model = np.zeros((1, 9, 9, 9), np.uint8)
    model[0, 4, 4, :] = model[0, 4, 7, 8] = 1
    out = turn_voxels(np.repeat(model, 200, axis=0), generator())[:, 0]
    np.testing.assert_allclose(out[:, 4, 4], 1, rtol=0, atol=ULP)
    assert not out[:, :3, :, :7].any()
    z, y = np.einsum("nzyx,zyd->dn", out[..., 8:], np.moveaxis(np.indices((9, 9)) - 4.0, 0, -1))
    directions = np.arctan2(z, y)
    np.testing.assert_allclose(np.hypot(z, y), 3, rtol=0, atol=0.5)  # a voxel is spread over its neighbours
    assert np.ptp(directions) > 1.95 * np.pi
    assert np.diff(np.sort(directions)).max() < 0.1 * 2 * np.pi


def test_models_may_come_with_their_channel():
    alone, with_channel = (turn_voxels(models, generator()) for models in (MODELS, MODELS[:, None]))
    assert (alone.dtype, alone.shape) == (np.float32, (3, 1, 7, 7, 7))
    assert alone.tobytes() == with_channel.tobytes()


def test_inputs_are_not_touched():
    digits, models = DIGITS.copy(), MODELS.copy()
    digits.flags.writeable = models.flags.writeable = False
    digit_volumes(digits, generator(), size=8)
    turn_voxels(models, generator())


def test_an_empty_batch_stays_empty():
    assert digit_volumes(DIGITS[:0], generator()).shape == (0, 1, 60, 60, 60)
    assert turn_voxels(MODELS[:0], generator()).shape == (0, 1, 7, 7, 7)


def test_what_is_refused():
    with pytest.raises(TypeError, match=r"digit_volumes: images is float32 array .*, expected uint8 of"):
        digit_volumes(to_unit(DIGITS), generator())
    with pytest.raises(ValueError, match="digit_volumes: thickness is 0 and size 60, expected numbers"):
        digit_volumes(DIGITS, generator(), thickness=0)
    for distortion, images in ((digit_volumes, DIGITS), (turn_voxels, MODELS)):
        with pytest.raises(ValueError, match=rf"{distortion.__name__}: degrees has shape \(2,\), expected"):
            distortion(images, generator(), degrees=(-45, 45))
    with pytest.raises(ValueError, match=r"models has shape \(3, 2, 7, 7, 7\), expected \(N, D, H, W\)"):
        turn_voxels(np.stack([MODELS, MODELS], axis=1), generator())
    with pytest.raises(ValueError, match=r"models holds 255, expected 0, empty, and 1, full; use \(mod"):
        turn_voxels(MODELS * np.uint8(255), generator())
