"""The published cluttered digits, and the refusal of every other .npz file."""

import numpy as np
import pytest

from stn_ref.data.cluttered import load_cluttered
from stn_ref.data.reading import Field, read_fields

RNG = np.random.default_rng(3)
IMAGES = RNG.random((4, 1600), np.float32)
LABELS = np.array([[9], [0], [4], [1]], np.int32)
WHOLE = {"X_train": IMAGES, "y_train": LABELS, "X_valid": IMAGES[:1], "y_valid": LABELS[:1]}


def refused(path, **arrays):
    if arrays:
        np.savez(path, **{**WHOLE, **arrays})
    with pytest.raises(ValueError) as caught:
        load_cluttered(path)
    message = str(caught.value)
    assert message.startswith(f"load_cluttered: {path}: ")
    return message


def test_rows_become_pictures(tmp_path):
    np.savez(tmp_path / "a.npz", **WHOLE)
    images, labels = load_cluttered(tmp_path / "a.npz", "train")
    assert (images.shape, images.dtype, labels.dtype) == ((4, 1, 40, 40), np.float32, np.uint8)
    assert labels.tolist() == [9, 0, 4, 1]
    assert images[2, 0, 3, 5] == IMAGES[2, 3 * 40 + 5]
    assert len(load_cluttered(tmp_path / "a.npz", "valid")[1]) == 1


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X_train": IMAGES[:, 1:]}, "X_train is a float32 array of shape (4, 1599), expected float32 of"),
        ({"X_train": IMAGES.astype("f8")}, "X_train is a float64 array"),
        ({"X_train": IMAGES * 255}, "expected float32 of shape (N, 1600), values 0 to 1"),
        ({"X_train": np.full_like(IMAGES, np.nan)}, "X_train has values nan to nan"),
        ({"y_train": LABELS + 1}, "y_train has values 1 to 10, expected int32 of shape (N, 1), values 0"),
        ({"y_train": LABELS[:, 0]}, "y_train is a int32 array of shape (4,)"),
        ({"y_train": LABELS[:3]}, "y_train has 3 items but X_train has 4; they must be equally many"),
        ({"X_train": np.array([{}])}, "X_train cannot be read (Object arrays cannot be loaded"),
    ],
)
def test_what_is_not_that_set_is_refused(tmp_path, arrays, message):
    assert message in refused(tmp_path / "a.npz", **arrays)


def test_a_missing_array_is_named_with_those_that_are_there(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=IMAGES)
    message = refused(tmp_path / "a.npz")
    assert "there is no array X_train; the file holds x_train, expected X_train: float32" in message


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04 cut off"])
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    assert "this is no whole .npz file" in refused(tmp_path / "a.npz")


def test_a_single_array_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", IMAGES)
    assert "this is a single array (float32 array of shape (4, 1600))" in refused(tmp_path / "a.npy")


def test_a_pickle_is_not_opened(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"cos\nsystem\n(S'touch opened'\ntR.")
    assert "this is no whole .npz file" in refused(tmp_path / "a.npz")


@pytest.mark.parametrize("compressed", [False, True])
def test_one_flipped_byte_in_the_pixels_is_noticed(tmp_path, compressed):
    path = tmp_path / "a.npz"
    (np.savez_compressed if compressed else np.savez)(path, **WHOLE)
    content = bytearray(path.read_bytes())
    content[3000] ^= 1
    path.write_bytes(content)
    assert "X_train cannot be read" in refused(path)


def test_a_cut_file_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, **WHOLE)
    path.write_bytes(path.read_bytes()[:-100])
    assert "this is no whole .npz file" in refused(path)


def test_an_empty_set_is_a_set(tmp_path):
    np.savez(tmp_path / "a.npz", X_test=IMAGES[:0], y_test=LABELS[:0])
    assert load_cluttered(tmp_path / "a.npz", "test")[0].shape == (0, 1, 40, 40)


def test_a_number_alone_is_no_field(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.uint8(3))
    with pytest.raises(ValueError, match=r"x is a uint8 array of shape \(\), expected uint8 of shape \(N,\)"):
        read_fields("load", tmp_path / "a.npz", Field("x", "uint8"))


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="split is 'all', expected one of 'train', 'valid', 'test'"):
        load_cluttered("a.npz", "all")
