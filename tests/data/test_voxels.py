"""Packed solids: every bit in its place."""

import numpy as np
import pytest

from stn_ref.data.voxels import MODELNET10, load_voxels

SOLIDS = (np.random.default_rng(5).random((3, 30, 30, 30)) < 0.1).astype(np.uint8)
PACKED = np.packbits(SOLIDS.reshape(3, -1), axis=1)
LABELS = np.array([0, 9, 8], np.uint8)


def test_bits_come_back_in_their_places(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=PACKED, y_train=LABELS)
    solids, labels = load_voxels(tmp_path / "a.npz", "train")
    assert solids.shape == (3, 1, 30, 30, 30)
    assert solids.dtype == np.uint8
    assert (solids[:, 0] == SOLIDS).all()
    assert labels.tolist() == [0, 9, 8]


def test_a_bit_of_known_place(tmp_path):
    packed = np.zeros((1, 3375), np.uint8)
    packed[0, 1] = 0b0100_0000  # bit 9 in all
    np.savez(tmp_path / "a.npz", x_test=packed, y_test=LABELS[:1])
    solids, _ = load_voxels(tmp_path / "a.npz", "test")
    assert np.argwhere(solids).tolist() == [[0, 0, 0, 0, 9]]


def test_classes_are_ten_in_the_order_of_the_alphabet():
    assert len(MODELNET10) == 10
    assert list(MODELNET10) == sorted(MODELNET10)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x_train": PACKED[:, :-1]}, r"x_train is a uint8 array of shape \(3, 3374\), expected uint8"),
        ({"x_train": SOLIDS}, r"x_train is a uint8 array of shape \(3, 30, 30, 30\)"),
        ({"y_train": LABELS + np.uint8(1)}, "y_train has values 1 to 10, expected .* values 0 to 9"),
        ({"y_train": LABELS[:2]}, "y_train has 2 items but x_train has 3"),
        ({"y_train": LABELS.astype(int)}, "y_train is a int64 array"),
    ],
)
def test_what_are_not_packed_solids_is_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **{"x_train": PACKED, "y_train": LABELS, **arrays})
    with pytest.raises(ValueError, match=message):
        load_voxels(tmp_path / "a.npz", "train")


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="split is 'valid', expected one of 'train', 'test'"):
        load_voxels("a.npz", "valid")
