"""Addition: pairs drawn evenly, sums that are right, channels distorted apart."""

import numpy as np
import pytest

from stn_ref.data import load_bundled
from stn_ref.data.distortions import digit_pairs, rotate_scale_translate, rotate_scale_translate_pairs

TEST = load_bundled("test")
# Digits of one pixel, each as bright as its number.
NUMBERS, LABELS = np.arange(10, dtype=np.uint8)[:, None, None], np.arange(10, dtype=np.uint8)


def generator(seed=0):
    return np.random.default_rng(seed)


def test_sums_are_those_of_the_digits_drawn():
    pairs, sums = digit_pairs(NUMBERS, LABELS, 500, generator())
    assert (pairs.dtype, pairs.shape, sums.dtype, sums.shape) == (np.uint8, (500, 2, 1, 1), np.uint8, (500,))
    assert np.array_equal(pairs[:, 0, 0, 0] + pairs[:, 1, 0, 0], sums)
    assert set(sums) == set(range(19))


def test_all_pairs_are_equally_likely():
    n = 20000
    pairs, _ = digit_pairs(NUMBERS, LABELS, n, generator())
    counts = np.bincount(10 * pairs[:, 0, 0, 0] + pairs[:, 1, 0, 0], minlength=100)
    assert (np.abs(counts - n / 100) < 5 * np.sqrt(n / 100)).all()  # each is binomial, of 1 in 100


def test_the_seed_decides_and_nothing_is_touched():
    images, labels = TEST.images.copy(), TEST.labels.copy()
    images.flags.writeable = labels.flags.writeable = False
    (pairs, sums), (again, _), (other, _) = (digit_pairs(images, labels, 30, generator(s)) for s in (1, 1, 2))
    assert pairs.tobytes() == again.tobytes() != other.tobytes()
    pairs.flags.writeable = False
    first, second = (rotate_scale_translate_pairs(pairs, generator()) for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert sums.max() <= 18


def test_each_channel_has_an_rts_of_its_own():
    alone = TEST.images[:20]
    out = rotate_scale_translate_pairs(np.stack([alone, alone], axis=1), generator())
    assert (out.dtype, out.shape) == (np.float32, (20, 2, 42, 42))
    assert (out[:, 0] != out[:, 1]).any(axis=(1, 2)).all()
    expected = rotate_scale_translate(np.repeat(alone, 2, axis=0), generator())
    assert out.tobytes() == expected.tobytes()


def test_none_are_asked_for():
    pairs, sums = digit_pairs(TEST.images, TEST.labels, 0, generator())
    assert (pairs.shape, sums.shape) == ((0, 2, 28, 28), (0,))
    assert rotate_scale_translate_pairs(pairs, generator()).shape == (0, 2, 42, 42)


def test_what_is_refused():
    with pytest.raises(ValueError, match="digit_pairs: images holds 10 digits and labels 9, expected"):
        digit_pairs(NUMBERS, LABELS[:9], 1, generator())
    with pytest.raises(ValueError, match="images holds 0 digits and labels 0, expected equally many, "):
        digit_pairs(NUMBERS[:0], LABELS[:0], 0, generator())
    with pytest.raises(TypeError, match=r"digit_pairs: labels is int64 array .*, expected uint8 of shape"):
        digit_pairs(NUMBERS, LABELS.astype(np.int64), 1, generator())
    with pytest.raises(ValueError, match=r"pairs has shape \(1000, 28, 28\), expected \(N, 2, H, W\)"):
        rotate_scale_translate_pairs(TEST.images, generator())
    with pytest.raises(ValueError, match=r"pairs has shape \(1, 3, 28, 28\), .* two digits for each sum"):
        rotate_scale_translate_pairs(TEST.images[None, :3], generator())
