"""Digits from folders, the bundled subset, and the script that makes it."""

import gzip
import hashlib
import shutil

import numpy as np
import pytest

from stn_ref.data import idx, make_digits, mnist
from stn_ref.data.catalogue import find
from stn_ref.data.idx import IdxError, save_idx
from stn_ref.data.make_digits import pick_balanced
from stn_ref.data.mnist import BUNDLED, load_bundled, load_digits, load_mnist

RNG = np.random.default_rng(7)
IMAGES = RNG.integers(0, 256, (20, 28, 28), dtype=np.uint8)
LABELS = np.tile(np.arange(10, dtype=np.uint8), 2)


@pytest.fixture
def folder(tmp_path):
    """A folder with a small data set in the format of MNIST."""
    for stem in ("train", "t10k"):
        save_idx(tmp_path / f"{stem}-images-idx3-ubyte.gz", IMAGES)
        save_idx(tmp_path / f"{stem}-labels-idx1-ubyte.gz", LABELS)
    return tmp_path


def known(monkeypatch, folder, *files):
    """Let files of the folder count as official: (file name, data set, split, kind)."""
    table = {}
    for name, *what in files:
        content = gzip.decompress((folder / name).read_bytes())
        table[hashlib.md5(content).hexdigest()] = idx.Official(*what, "", "")
    monkeypatch.setattr(idx, "_BY_MD5", table)


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_folder_is_read(folder, split):
    digits = load_mnist(folder, split)
    assert (digits.images == IMAGES).all()
    assert (digits.labels == LABELS).all()
    assert len(digits) == 20
    assert str(folder) in digits.name
    assert "not the official files" in digits.note


@pytest.mark.parametrize(
    "name",
    [
        "train-images-idx3-ubyte",
        "train-images-idx3-ubyte.gz",
        "train-images.idx3-ubyte",
        "train-images.idx3-ubyte.gz",
    ],
)
def test_each_accepted_name_is_found(folder, name):
    (folder / "train-images-idx3-ubyte.gz").unlink()
    save_idx(folder / name, IMAGES)
    assert (load_mnist(folder, "train").images == IMAGES).all()


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere does not exist; give the folder that"):
        load_mnist(tmp_path / "nowhere", "train")


def test_a_missing_file_is_named_with_the_names_it_could_have(folder):
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError) as caught:
        load_mnist(folder, "test")
    message = str(caught.value)
    assert "holds no file with the test labels" in message
    assert all(name in message for name in mnist.accepted_names("test", "labels"))


@pytest.mark.parametrize("load", [lambda s: load_mnist(".", s), load_bundled, lambda s: load_digits(None, s)])
def test_an_unknown_split_is_refused(load):
    with pytest.raises(ValueError, match="split is 'valid', expected one of 'train', 'test'"):
        load("valid")


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (IMAGES[:, :-1], LABELS, r"uint8 of shape \(20, 27, 28\), expected uint8 images of shape"),
        (IMAGES[0], LABELS, r"uint8 of shape \(28, 28\), expected"),
        (IMAGES.astype("f4"), LABELS, r"float32 of shape \(20, 28, 28\), expected uint8"),
        (IMAGES, LABELS.astype("i4"), r"int32 of shape \(20,\), expected uint8 labels"),
        (IMAGES, LABELS[:, None], r"uint8 of shape \(20, 1\), expected uint8 labels"),
        (IMAGES[:7], LABELS, r"holds 7 images but .* holds 20 labels; they must be equally many"),
        (IMAGES, LABELS + np.uint8(1), r"label 9 \(counted from 0\) is 10, expected 0 to 9; 2 of"),
    ],
)
def test_what_are_not_digits_is_refused(folder, images, labels, message):
    save_idx(folder / "train-images-idx3-ubyte.gz", images)
    save_idx(folder / "train-labels-idx1-ubyte.gz", labels)
    with pytest.raises(ValueError, match=message):
        load_mnist(folder, "train")


def test_a_damaged_file_is_refused_by_name(folder):
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(IdxError, match=r"train-images-idx3-ubyte\.gz: the gzip data is damaged"):
        load_mnist(folder, "train")


def test_official_files_are_named_and_carry_no_note(folder, monkeypatch):
    known(
        monkeypatch,
        folder,
        ("train-images-idx3-ubyte.gz", "MNIST", "train", "images"),
        ("train-labels-idx1-ubyte.gz", "MNIST", "train", "labels"),
    )
    digits = load_mnist(folder, "train")
    assert digits.name == f"MNIST train set from {folder}"
    assert digits.note == ""


@pytest.mark.parametrize(
    ("images_are", "labels_are", "message"),
    [
        (("MNIST", "test"), ("MNIST", "train"), "train images is, by its checksum, MNIST test"),
        (("MNIST", "train"), ("MNIST", "test"), "train labels is, by its checksum, MNIST test"),
        (("MNIST", "train"), ("Fashion-MNIST", "train"), "but the labels are Fashion-MNIST train"),
    ],
)
def test_official_files_in_the_wrong_place_are_refused(folder, monkeypatch, images_are, labels_are, message):
    known(
        monkeypatch,
        folder,
        ("train-images-idx3-ubyte.gz", *images_are, "images"),
        ("train-labels-idx1-ubyte.gz", *labels_are, "labels"),
    )
    with pytest.raises(ValueError, match=message):
        load_mnist(folder, "train")


def test_load_digits_says_which_source_it_used(folder, monkeypatch):
    monkeypatch.delenv("STN_REF_DATA", raising=False)
    assert load_digits(split="test").name == "bundled MNIST subset, test set"
    assert load_digits(folder).name == f"train digits from {folder}"
    monkeypatch.setenv("STN_REF_DATA", str(folder))
    assert load_digits().name == f"train digits from {folder} (by STN_REF_DATA)"
    assert load_digits(BUNDLED).name == f"train digits from {BUNDLED}"


@pytest.mark.parametrize(("split", "count"), [("train", 5000), ("test", 1000)])
def test_every_ten_bundled_digits_hold_every_class(split, count):
    digits = load_bundled(split)
    assert digits.images.shape == (count, 28, 28)
    assert (np.sort(digits.labels.reshape(-1, 10), axis=1) == np.arange(10)).all()
    # In an order of their own each time.
    assert len({tuple(ten) for ten in digits.labels.reshape(-1, 10).tolist()}) == count // 10


def test_bundled_digits_are_different_from_each_other():
    both = np.concatenate([load_bundled(split).images for split in ("train", "test")])
    assert len({image.tobytes() for image in both}) == len(both)


def test_bundled_files_match_their_checksums_and_notice():
    lines = (BUNDLED / "SHA256SUMS").read_text().splitlines()
    sums = dict(reversed(line.split("  ")) for line in lines)
    assert {*sums, "SHA256SUMS"} == {path.name for path in BUNDLED.iterdir()}
    for name, expected in sums.items():
        assert hashlib.sha256((BUNDLED / name).read_bytes()).hexdigest() == expected, name
    notice = (BUNDLED / "NOTICE.txt").read_text()
    for words in ("Yann LeCun", "Corinna Cortes", "Share Alike 3.0", "500", "unchanged"):
        assert words in notice


def test_pick_balanced_gives_different_indices_and_every_class_in_each_ten():
    labels = np.random.default_rng(3).integers(0, 10, 500, dtype=np.uint8)
    picked = pick_balanced(labels, 20, seed=1)
    assert len(set(picked.tolist())) == 200
    assert (np.sort(labels[picked].reshape(20, 10), axis=1) == np.arange(10)).all()
    assert (pick_balanced(labels, 20, seed=1) == picked).all()
    assert (pick_balanced(labels, 20, seed=2) != picked).any()


def test_pick_balanced_refuses_a_class_too_small():
    with pytest.raises(ValueError, match="class 3 has 1 digits, expected at least per_class = 2"):
        pick_balanced(np.delete(LABELS, 3), 2, seed=0)


@pytest.fixture
def made(folder, tmp_path, monkeypatch):
    """The script's output for a small set: its arguments, and the folder it filled."""
    monkeypatch.setattr(make_digits, "PER_CLASS", {"train": 2, "test": 1})
    out = tmp_path / "out"
    arguments = ["--data", str(folder), "--out", str(out)]
    assert make_digits.main(arguments) == 0
    return arguments, out


def test_the_script_copies_pixels_unchanged(made):
    _, out = made
    digits = load_mnist(out, "test")
    originals = {(image.tobytes(), label) for image, label in zip(IMAGES, LABELS, strict=True)}
    assert {(i.tobytes(), n) for i, n in zip(digits.images, digits.labels, strict=True)} < originals


def test_the_script_gives_the_same_bytes_twice(made):
    arguments, out = made
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    shutil.rmtree(out)
    make_digits.main(arguments)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first


def test_the_check_accepts_what_was_made_with_any_compression(made, capsys):
    arguments, out = made
    assert make_digits.main([*arguments, "--check"]) == 0
    assert "as it would be made" in capsys.readouterr().out
    path = out / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 1))
    assert make_digits.differences(out, {path.name: path.read_bytes()}) == []


@pytest.mark.parametrize(
    ("name", "spoil", "line"),
    [
        ("NOTICE.txt", None, "NOTICE.txt: missing"),
        ("NOTICE.txt", b"other", "NOTICE.txt: not what would be made"),
        ("t10k-labels-idx1-ubyte.gz", b"other", "t10k-labels-idx1-ubyte.gz: not what would be"),
        ("SHA256SUMS", b"other", "SHA256SUMS: not the checksums of the files that are there"),
    ],
)
def test_the_check_finds_each_difference(made, capsys, name, spoil, line):
    arguments, out = made
    capsys.readouterr()
    (out / name).unlink()
    if spoil is not None:
        (out / name).write_bytes(spoil)
    assert make_digits.main([*arguments, "--check"]) == 1
    assert line in capsys.readouterr().out


@pytest.mark.full_data
def test_the_bundled_files_are_what_the_script_makes(full_mnist):
    assert make_digits.main(["--data", str(full_mnist), "--check"]) == 0


@pytest.mark.full_data
@pytest.mark.parametrize("split", ["train", "test"])
def test_the_official_files_are_recognised(full_mnist, split):
    assert load_mnist(full_mnist, split).name == f"MNIST {split} set from {full_mnist}"


@pytest.fixture
def full_mnist():
    """The folder of the full MNIST set, if STN_REF_DATA names one."""
    try:
        folder = find("mnist")
    except FileNotFoundError as error:
        pytest.skip(str(error))
    if load_mnist(folder, "train").note:
        pytest.skip("STN_REF_DATA does not name a folder with the official MNIST files")
    return folder
