"""TC and co-localisation: digits unchanged, pieces from where they may come from, boxes that are true."""

import numpy as np
import pytest

from stn_ref.data import load_bundled
from stn_ref.data.distortions import place_digits, to_unit, translate_clutter

DIGITS = load_bundled("test").images[:40]
UNIT = to_unit(DIGITS)


def generator(seed=0):
    return np.random.default_rng(seed)


def painted(images, greys):
    """All ink of image k in the grey k, so that each pixel tells where it came from."""
    return np.where(images > 0, np.asarray(greys, np.uint8)[:, None, None], np.uint8(0))


def greys_in(frames):
    """The greys of each frame of a batch, without the background."""
    return [set(np.rint(frame[frame > 0] * 255).astype(int).tolist()) for frame in frames]


def test_tc_without_pieces_is_the_digit_unchanged_somewhere():
    out = translate_clutter(DIGITS, generator(), pieces=0)
    corners = set()
    for frame, digit in zip(out[:, 0], UNIT[:, 0], strict=True):
        rows, columns = np.nonzero(frame)
        digit_rows, digit_columns = np.nonzero(digit)
        top, left = rows[0] - digit_rows[0], columns.min() - digit_columns.min()
        assert (frame[top : top + 28, left : left + 28] == digit).all()
        assert np.count_nonzero(frame) == np.count_nonzero(digit)
        corners.add((top, left))
    assert len(corners) > len(DIGITS) // 2


def test_tc_places_reach_every_corner_position():
    dot = np.zeros((4000, 28, 28), np.uint8)
    dot[:, 0, 0] = 255
    _, _, rows, columns = np.nonzero(translate_clutter(dot, generator(), pieces=0))
    assert set(rows) == set(columns) == set(range(60 - 28 + 1))


def test_tc_clutter_only_brightens_and_comes_from_others():
    batch = painted(DIGITS, range(1, len(DIGITS) + 1))
    clean = translate_clutter(batch, generator(5), pieces=0)
    full = translate_clutter(batch, generator(5))
    assert (full >= clean).all()
    added = np.where(full > clean, full, 0)
    for own, sources in enumerate(greys_in(added)):
        assert own + 1 not in sources
        assert len(sources) <= 6
        assert np.count_nonzero(added[own]) <= 6 * 36
    assert np.count_nonzero(added.any(axis=(1, 2, 3))) > 0.9 * len(added)


def test_pieces_come_from_the_source_alone_and_from_all_of_it():
    batch, source = painted(DIGITS, [1] * 40), painted(load_bundled("train").images[:30], range(11, 41))
    source = source[:, 3:-2, 4:-4]  # of another size than the digits
    greys = greys_in(translate_clutter(batch, generator(), size=84, pieces=16, source=source))
    assert set().union(*greys) == {1, *range(11, 41)}  # 640 pieces are cut from these 30
    assert max(map(len, greys)) <= 17


def test_one_image_alone_may_have_a_source():
    out = translate_clutter(painted(DIGITS[:1], [1]), generator(), source=painted(DIGITS[1:3], [2, 3]))
    assert greys_in(out) == [{1, 2, 3}]


def test_the_source_is_not_touched():
    source = DIGITS.copy()
    source.flags.writeable = False
    placed = place_digits(source, generator(), pieces=16, source=source)
    assert (
        placed.images.tobytes()
        == place_digits(DIGITS, generator(), pieces=16, source=DIGITS).images.tobytes()
    )


@pytest.mark.parametrize("settings", [{}, {"pieces": 0}, {"size": 84, "pieces": 16, "source": DIGITS[:5]}])
def test_translated_digits_are_those_that_were_placed(settings):
    placed = place_digits(DIGITS, generator(), **{"size": 60, "pieces": 6} | settings)
    assert placed.images.tobytes() == translate_clutter(DIGITS, generator(), **settings).tobytes()


def test_the_frame_tells_where_the_digit_is():
    placed = place_digits(DIGITS, generator(), pieces=16, source=load_bundled("train").images[:100])
    alone = place_digits(DIGITS, generator())
    assert placed.images.shape == alone.images.shape == (40, 1, 84, 84)
    assert np.array_equal(placed.frames, alone.frames)  # as far as the digits go, the same chance
    for clean, full, (x, y, width, height), digit in zip(alone.images, placed.images, alone.frames, UNIT):
        assert (width, height) == (28, 28)
        assert np.array_equal(clean[:, y : y + 28, x : x + 28], digit)
        assert np.count_nonzero(clean) == np.count_nonzero(digit)
        assert (full[:, y : y + 28, x : x + 28] >= digit).all()
    assert (placed.images > alone.images).any(axis=(1, 2, 3)).all()


def test_the_ink_box_holds_the_ink_and_nothing_around():
    placed = place_digits(DIGITS[:, :, 2:], generator())  # the frames of these are not square
    assert (placed.frames[:, 2:] == [26, 28]).all()
    for image, (x, y, width, height) in zip(placed.images[:, 0], placed.ink):
        rows, columns = np.nonzero(image)
        assert (columns.min(), rows.min()) == (x, y)
        assert (columns.max(), rows.max()) == (x + width - 1, y + height - 1)


def test_an_image_without_ink_has_its_frame_in_both():
    placed = place_digits(np.zeros((3, 28, 28), np.uint8), generator())
    assert np.array_equal(placed.ink, placed.frames)


def test_an_empty_batch_has_no_boxes():
    placed = place_digits(DIGITS[:0], generator(), pieces=2, source=DIGITS)
    assert (placed.images.shape, placed.frames.shape, placed.ink.shape) == ((0, 1, 84, 84), (0, 4), (0, 4))


def test_tc_pieces_have_their_size():
    ones = np.full((2, 28, 28), 255, np.uint8)
    background = np.zeros((1, 28, 28), np.uint8)
    for seed in range(10):
        # The only other image is all ink, so that the piece is a full square.
        out = translate_clutter(np.concatenate([background, ones[:1]]), generator(seed), pieces=1)
        rows, columns = np.nonzero(out[0, 0])
        assert np.ptp(rows) == np.ptp(columns) == 5
        assert len(rows) == 36


def test_refused_are_one_image_alone_what_does_not_fit_and_a_source_without_pieces():
    with pytest.raises(ValueError, match=r"translate_clutter: .* the others of the batch; give at least two"):
        translate_clutter(DIGITS[:1], generator())
    assert translate_clutter(DIGITS[:1], generator(), pieces=0).shape == (1, 1, 60, 60)
    with pytest.raises(ValueError, match="images are 28x28; they must fit into the frame, size = 27"):
        translate_clutter(DIGITS, generator(), size=27)
    with pytest.raises(ValueError, match="images are 28x28; they must hold a piece, piece_size = 29"):
        translate_clutter(DIGITS, generator(), piece_size=29)
    with pytest.raises(ValueError, match="place_digits: source are 28x5; they must hold a piece, piece_s"):
        place_digits(DIGITS, generator(), pieces=1, source=DIGITS[:, :, :5])
    with pytest.raises(ValueError, match="place_digits: source holds no image to cut pieces from"):
        place_digits(DIGITS, generator(), pieces=1, source=DIGITS[:0])
    with pytest.raises(TypeError, match=r"place_digits: source is float32 array .*, expected uint8"):
        place_digits(DIGITS, generator(), pieces=1, source=UNIT)
