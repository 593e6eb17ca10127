"""House numbers in their official formats, from small files made here."""

import struct
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from stn_ref.data.svhn import (
    NO_DIGIT,
    HouseNumber,
    box_around,
    crop_numbers,
    load_svhn_cropped,
    load_svhn_numbers,
    load_svhn_sample,
)

RNG = np.random.default_rng(11)
X = RNG.integers(0, 256, (32, 32, 3, 4), np.uint8)
Y = np.array([[10], [1], [9], [2]], np.uint8)


def test_cropped_digits_are_turned_and_ten_means_zero(tmp_path):
    savemat(tmp_path / "a.mat", {"X": X, "y": Y}, do_compression=True)
    images, labels = load_svhn_cropped(tmp_path / "a.mat")
    assert (images.shape, images.dtype, labels.dtype) == ((4, 3, 32, 32), np.uint8, np.uint8)
    assert images[2, 1, 5, 7] == X[5, 7, 1, 2]
    assert labels.tolist() == [0, 1, 9, 2]
    assert images.flags.c_contiguous


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": X}, r"there is no array y; expected X \(the images\) and y"),
        ({"y": Y}, "there is no array X"),
        ({"X": X[1:], "y": Y}, r"X is a uint8 array of shape \(31, 32, 3, 4\), expected uint8"),
        ({"X": X.astype(float), "y": Y}, "X is a float64 array"),
        ({"X": X.T, "y": Y}, r"X is a uint8 array of shape \(4, 3, 32, 32\)"),
        ({"X": X, "y": Y[:3]}, r"y is a uint8 array of shape \(3, 1\), expected shape \(4, 1\), one number"),
        ({"X": X, "y": Y - np.uint8(1)}, "y is 0 for digit 2 of 4, expected 1 to 9, or 10 for the digit 0"),
        ({"X": X, "y": Y + 0.5}, "y is 10.5 for digit 1 of 4"),
        ({"X": X, "y": "text"}, "y is a <U4 array"),
    ],
)
def test_what_are_not_cropped_digits_is_refused(tmp_path, arrays, message):
    path = tmp_path / "a.mat"
    savemat(path, arrays, do_compression=True)
    with pytest.raises(ValueError, match=message) as caught:
        load_svhn_cropped(path)
    assert str(caught.value).startswith(f"load_svhn_cropped: {path}: ")


@pytest.mark.parametrize("kept", [0, 3, 60, 128, 131, 200, 3000, -1])
def test_a_cut_file_is_refused(tmp_path, kept):
    path = tmp_path / "a.mat"
    savemat(path, {"X": X, "y": Y}, do_compression=True)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"a\.mat: (this is no whole MATLAB 5 file|there is no array X)"):
        load_svhn_cropped(path)


@pytest.mark.parametrize("place", [129, 135, 140, 1000])
def test_a_changed_byte_is_noticed(tmp_path, place):
    path = tmp_path / "a.mat"
    savemat(path, {"X": X, "y": Y}, do_compression=True)
    content = bytearray(path.read_bytes())
    content[place] ^= 16
    path.write_bytes(content)
    with pytest.raises(ValueError, match="this is no whole MATLAB 5 file"):
        load_svhn_cropped(path)


def test_an_uncompressed_file_is_refused_because_damage_in_it_can_crash(tmp_path):
    savemat(tmp_path / "a.mat", {"X": X, "y": Y})
    with pytest.raises(ValueError, match=r"element of type 14 .* do_compression=True"):
        load_svhn_cropped(tmp_path / "a.mat")


def test_the_other_format_is_refused_with_its_reader(tmp_path):
    path = tmp_path / "digitStruct.mat"
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + struct.pack("<H2s", 0x200, b"IM") + bytes(900))
    with pytest.raises(ValueError, match=r"digitStruct\.mat is read by load_svhn_numbers"):
        load_svhn_cropped(path)


def test_a_missing_file_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.mat"):
        load_svhn_cropped(tmp_path / "none.mat")


FIELDS = ("height", "label", "left", "top", "width")
ENTRIES = [
    ("1.png", [dict(zip(FIELDS, (12, 1, 20, 10, 6))), dict(zip(FIELDS, (10, 10, 26, 8, 6)))]),
    ("2.png", [dict(zip(FIELDS, (7, 7, -1, 0, 5)))]),
]


def write_struct(path: Path, entries, damage=lambda file: None):
    """digitStruct.mat as MATLAB writes it: one digit's fields as numbers, several digits' as references."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w", userblock_size=512) as file:
        kept = file.create_group("#refs#")

        def reference(data):
            return kept.create_dataset(str(len(kept)), data=data).ref

        names, groups = [], []
        for k, (name, digits) in enumerate(entries):
            names.append(reference(np.array([[ord(letter)] for letter in name], np.uint16)))
            group = kept.create_group(f"bbox{k}")
            for field in FIELDS:
                values = [np.array([[digit[field]]], float) for digit in digits if field in digit]
                if len(values) != 1:
                    values = [[reference(value)] for value in values]
                    group.create_dataset(field, data=np.array(values, h5py.ref_dtype).reshape(-1, 1))
                else:
                    group.create_dataset(field, data=values[0])
            groups.append(group.ref)
        struct = file.create_group("digitStruct")
        for field, references in (("name", names), ("bbox", groups)):
            struct.create_dataset(field, data=np.array([[r] for r in references], h5py.ref_dtype))
        damage(file)


def test_numbers_of_one_digit_and_of_several_are_read(tmp_path):
    write_struct(tmp_path / "digitStruct.mat", ENTRIES)
    two, one = load_svhn_numbers(tmp_path)
    assert (two.name, one.name) == ("1.png", "2.png")
    assert two.boxes.tolist() == [[20, 10, 6, 12], [26, 8, 6, 10]]
    assert two.labels.tolist() == [1, 0]
    assert one.boxes.tolist() == [[-1, 0, 5, 7]]
    assert one.labels.tolist() == [7]
    assert (one.boxes.dtype, one.labels.dtype) == (np.float64, np.uint8)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("../a.png", {}, r"entry 2: name is '\.\./a\.png'"),
        ("", {}, "entry 2"),
        ("2.png", {"label": 11}, "entry 2: label is 11 for digit 1 of 1, expected 1 to 9, or 10"),
        ("2.png", {"width": 0}, r"entry 2: its boxes are \[\[-1.0, 0.0, 0.0, 7.0\]\]"),
        ("2.png", {"top": float("nan")}, "entry 2: its boxes are"),
    ],
)
def test_an_entry_that_is_not_as_it_should_be_is_named(tmp_path, name, change, message):
    write_struct(tmp_path / "digitStruct.mat", [ENTRIES[0], (name, [{**ENTRIES[1][1][0], **change}])])
    with pytest.raises(ValueError, match=message) as caught:
        load_svhn_numbers(tmp_path)
    assert "expected as in the official file a name such as 1.png" in str(caught.value)


def test_fields_of_different_lengths_are_refused(tmp_path):
    first, second = ENTRIES[0][1]
    shorter = {field: value for field, value in second.items() if field != "top"}
    write_struct(tmp_path / "digitStruct.mat", [("1.png", [first, shorter])])
    with pytest.raises(ValueError, match="entry 1: its fields have 2, 1, 2, 2, 2 values"):
        load_svhn_numbers(tmp_path)


def drop_struct(file):
    del file["digitStruct"]


def drop_label(file):
    del file["#refs#/bbox1/label"]


def drop_last_name(file):
    names = file["digitStruct/name"][:1]
    del file["digitStruct/name"]
    file["digitStruct/name"] = names


@pytest.mark.parametrize(
    ("damage", "place"),
    [(drop_struct, "/digitStruct: "), (drop_label, "entry 2: .*label"), (drop_last_name, "entry 2: ")],
)
def test_a_missing_part_is_named_by_its_place(tmp_path, damage, place):
    write_struct(tmp_path / "digitStruct.mat", ENTRIES, damage)
    with pytest.raises(ValueError, match=place):
        load_svhn_numbers(tmp_path)


def test_what_is_no_hdf5_file_is_refused(tmp_path):
    pytest.importorskip("h5py")
    (tmp_path / "digitStruct.mat").write_bytes(b"not this")
    with pytest.raises(ValueError, match=r"digitStruct\.mat: /digitStruct: .*signature.*Fetch the archive"):
        load_svhn_numbers(tmp_path)


def test_the_box_is_three_tenths_larger_and_ends_with_the_picture():
    boxes = np.array([[40.0, 20.0, 20.0, 40.0], [60.0, 10.0, 40.0, 20.0]])
    assert box_around(boxes, 1000, 1000) == pytest.approx((31, 2.5, 109, 67.5))
    assert box_around(boxes, 105, 60) == pytest.approx((31, 2.5, 105, 60))
    assert box_around(boxes - [[38, 9, 0, 0]], 1000, 1000)[:2] == (0, 0)


def test_crops_show_what_is_in_the_box(tmp_path):
    image = pytest.importorskip("PIL.Image")
    picture = RNG.integers(0, 256, (30, 50, 3), np.uint8)
    image.fromarray(picture).save(tmp_path / "1.png")
    # 20x10 grows to 26x13 around its middle, (17, 8.5) to (43, 21.5): two rows to a pixel, and two columns
    numbers = [
        HouseNumber("1.png", np.array([[20.0, 10.0, 10, 10], [30, 10, 10, 10]]), np.array([4, 0], np.uint8)),
        HouseNumber("1.png", np.array([[5.0, 5.0, 100, 100]]), np.array([3], np.uint8)),
    ]
    images, sequences = crop_numbers(tmp_path, numbers, size=13)
    assert (images.shape, images.dtype) == ((2, 3, 13, 13), np.uint8)
    assert sequences.tolist() == [[4, 0, 10, 10, 10], [3, 10, 10, 10, 10]]
    assert sequences.dtype == np.uint8
    by_hand = image.fromarray(picture).resize((13, 13), image.Resampling.BILINEAR, box=(17, 8.5, 43, 21.5))
    assert (images[0] == np.asarray(by_hand).transpose(2, 0, 1)).all()
    whole = image.fromarray(picture).resize((13, 13), image.Resampling.BILINEAR)
    assert (images[1] == np.asarray(whole).transpose(2, 0, 1)).all()


def test_what_cannot_be_cropped_is_refused(tmp_path):
    image = pytest.importorskip("PIL.Image")
    image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(tmp_path / "1.png")
    box = np.array([[0.0, 0.0, 1.0, 1.0]])
    six = HouseNumber("1.png", np.repeat(box, 6, axis=0), np.arange(6, dtype=np.uint8))
    with pytest.raises(ValueError, match=r"1\.png has 6 digits, expected at most 5; leave it out"):
        crop_numbers(tmp_path, [six])
    outside = HouseNumber("1.png", box + [[20, 0, 0, 0]], np.array([1], np.uint8))
    with pytest.raises(ValueError, match="is 9x9 pixels, its digits lie outside"):
        crop_numbers(tmp_path, [outside])
    with pytest.raises(FileNotFoundError, match=r"2\.png"):
        crop_numbers(tmp_path, [HouseNumber("2.png", box, np.array([1], np.uint8))])


def sample(**changes):
    boxes = np.full((2, 5, 4), np.nan, np.float32)
    boxes[0, :2], boxes[1, :1] = [1, 2, 3, 4], [5, 6, 7, 8]
    arrays = {
        "x_test": np.moveaxis(X, -1, 0)[:3],
        "y_test": np.array([0, 7, 3], np.uint8),
        "full_test": RNG.integers(0, 256, (2, 64, 64, 3), np.uint8),
        "seq_test": np.array([[0, 7, -1, -1, -1], [3, -1, -1, -1, -1]], np.int8),
        "box_test": boxes,
    }
    return {**arrays, **changes}


def test_the_sample_is_read_with_channels_first_and_the_eleventh_class(tmp_path):
    arrays = sample()
    np.savez(tmp_path / "a.npz", **arrays)
    read = load_svhn_sample(tmp_path / "a.npz", "test")
    assert read.digits.shape == (3, 3, 32, 32)
    assert read.labels.tolist() == [0, 7, 3]
    assert (read.numbers == arrays["full_test"].transpose(0, 3, 1, 2)).all()
    assert read.sequences.tolist() == [[0, 7, *[NO_DIGIT] * 3], [3, *[NO_DIGIT] * 4]]
    assert read.boxes[1, 0].tolist() == [5, 6, 7, 8]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("seq_test", np.array([[0, -1, 7, -1, -1], [3, -1, -1, -1, -1]], np.int8), "do not belong together"),
        ("box_test", np.full((2, 5, 4), np.nan, np.float32), "seq_test and box_test do not belong together"),
        ("seq_test", np.full((2, 5), 10, np.int8), "seq_test has values 10 to 10"),
        ("full_test", np.zeros((2, 32, 32, 3), np.uint8), "full_test is a uint8 array"),
        ("y_test", np.zeros(2, np.uint8), "y_test has 2 items but x_test has 3"),
    ],
)
def test_a_wrong_sample_is_refused(tmp_path, name, value, message):
    np.savez(tmp_path / "a.npz", **sample(**{name: value}))
    with pytest.raises(ValueError, match=message):
        load_svhn_sample(tmp_path / "a.npz", "test")
