"""Numbers made of digits: what is drawn is what the labels say, and stands where it should."""

import numpy as np
import pytest
from scipy import ndimage

from stn_ref.data import OnCanvas, digit_sequences, digit_strips, load_bundled
from stn_ref.data.sequences import LENGTHS

NO_DIGIT = 10


def rng(seed=0):
    return np.random.default_rng(seed)


def dots():
    """A digit k is a dot of brightness 20 (k + 1), somewhere in its image."""
    images, labels = np.zeros((10, 28, 28), np.uint8), np.arange(10, dtype=np.uint8)
    for k in labels:
        images[k, 4 + k : 9 + k, 20 - 2 * k : 25 - 2 * k] = 20 * (k + 1)
    return images, labels


def read(canvas):
    """The dots of a canvas from left to right, as a label."""
    found, count = ndimage.label(canvas > 0, structure=np.ones((3, 3)))
    which = np.arange(1, count + 1)
    columns = [place[1] for place in ndimage.center_of_mass(canvas > 0, found, which)]
    digits = np.round(ndimage.maximum(canvas, found, which) / 20).astype(int) - 1
    ordered = digits[np.argsort(columns)].tolist()
    return ordered + [NO_DIGIT] * (5 - count)


@pytest.mark.parametrize("size", [64, 128])
def test_the_labels_say_what_is_drawn_from_left_to_right(size):
    canvases, sequences = digit_sequences(*dots(), 100, size, rng())
    assert (canvases.shape, canvases.dtype) == ((100, 1, size, size), np.uint8)
    assert (sequences.shape, sequences.dtype) == ((100, 5), np.uint8)
    assert [read(canvas[0]) for canvas in canvases] == sequences.tolist()


def test_a_wrong_label_would_be_seen():
    canvases, sequences = digit_sequences(*dots(), 20, 64, rng())
    sequences[7, 0] = (sequences[7, 0] + 1) % 10
    wrong = [read(canvas[0]) != label for canvas, label in zip(canvases, sequences.tolist())]
    assert np.flatnonzero(wrong).tolist() == [7]


def test_lengths_are_as_frequent_as_stated_and_digits_uniform():
    count = 4000
    _, sequences = digit_strips(*dots(), count, rng())
    lengths = (sequences != NO_DIGIT).sum(axis=1)
    expected = count * np.array(LENGTHS)
    assert (abs(np.bincount(lengths, minlength=6)[1:] - expected) < 4 * np.sqrt(expected)).all()
    digits = np.bincount(sequences[sequences != NO_DIGIT], minlength=10)
    assert (abs(digits - digits.mean()) < 4 * np.sqrt(digits.mean())).all()
    padded = sequences == NO_DIGIT
    assert (padded[:, 1:] >= padded[:, :-1]).all()


def middles(canvases):
    """The middle of the box around each canvas's ink, (N, 2), from the canvas's own middle."""
    boxes = [ndimage.find_objects((canvas[0] > 0).astype(int))[0] for canvas in canvases]
    ends = np.array([[(s.start, s.stop - 1) for s in box] for box in boxes])
    return ends.mean(axis=2) - (canvases.shape[2] - 1) / 2


def test_the_tight_crop_has_the_number_near_its_middle_and_the_loose_one_less_so():
    digits = load_bundled("train")
    strips, _ = digit_strips(digits.images, digits.labels, 150, rng())
    tight, loose = (abs(middles(OnCanvas(size)(strips, rng(1)))) for size in (64, 128))
    # Turned ink need not fill the turned box, so that its own box may lie a little aside of that one.
    assert 3 < tight.max() <= 4 + 1.5
    assert (loose.max(axis=0) > 12).all()
    assert loose.max() <= 16 + 2


def test_numbers_span_a_good_part_of_the_tight_crop_and_are_no_smaller_in_the_loose_one():
    block = np.full((1, 28, 28), 255, np.uint8), np.zeros(1, np.uint8)
    strips, sequences = digit_strips(*block, 150, rng())
    several = (sequences != NO_DIGIT).sum(axis=1) > 1
    width = {
        size: (OnCanvas(size)(strips, rng(1))[:, 0] > 0).any(axis=1).sum(axis=1)[several]
        for size in (64, 128)
    }
    assert width[64].min() > 0.7 * 64
    assert 1.2 * width[64].mean() < width[128].mean() < 1.6 * width[64].mean()


def test_digits_are_centred_in_their_cells_whole():
    digits = load_bundled("test")
    strips, sequences = digit_strips(digits.images, digits.labels, 50, rng())
    assert strips.shape == (50, 20, 108)
    cells = np.pad(strips, ((0, 0), (0, 0), (0, 2))).reshape(50, 20, 5, 22)
    assert not cells[..., 20:].any()
    assert (cells.any(axis=(1, 3)) == (sequences != NO_DIGIT)).all()
    inks = set(digits.images.sum(axis=(1, 2)).tolist())
    assert set(cells.sum(axis=(1, 3))[sequences != NO_DIGIT].tolist()) <= inks


def test_the_seed_makes_the_bytes_and_each_placing_is_another():
    first, second = (digit_sequences(*dots(), 30, 64, rng(5)) for _ in range(2))
    assert all(a.tobytes() == b.tobytes() for a, b in zip(first, second))
    assert (digit_sequences(*dots(), 30, 64, rng(6))[0] != first[0]).any()
    strips, _ = digit_strips(*dots(), 30, rng())
    generator = rng()
    assert (OnCanvas(64)(strips, generator) != OnCanvas(64)(strips, generator)).any()
    assert str(OnCanvas(64)) == "OnCanvas(size=64)"  # by which a checkpoint knows it


def test_refusals():
    images, labels = dots()
    with pytest.raises(ValueError, match="10 digits and labels 9, expected equally many"):
        digit_sequences(images, labels[1:], 3, 64, rng())
    with pytest.raises(ValueError, match="at least one"):
        digit_sequences(images[:0], labels[:0], 3, 64, rng())
    with pytest.raises(TypeError, match=r"images is .* expected uint8"):
        digit_sequences(images / 255, labels, 3, 64, rng())
    with pytest.raises(ValueError, match=r"size is 32.*64 or more"):
        digit_sequences(images, labels, 3, 32, rng())
