"""The IDX reader: whole files come back as they went, and nothing else gets through."""

import gzip
import hashlib
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from stn_ref.data import idx
from stn_ref.data.idx import IdxError, identify, load_idx, save_idx
from stn_ref.files import write_atomically

DTYPES = [np.dtype(name) for name in ("u1", "i1", "i2", "i4", "f4", "f8")]
ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
)
IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
WHOLE = b"\0\0\x08\x03" + struct.pack(">3I", 2, 3, 4) + bytes(range(24))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("idx")


def written(folder: Path, content: bytes, name: str = "file") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def refused(path: Path) -> str:
    with pytest.raises(IdxError) as caught:
        load_idx(path)
    message = str(caught.value)
    assert message.startswith(f"load_idx: {path}: ")
    return message.removeprefix(f"load_idx: {path}: ")


@given(array=ARRAYS, name=st.sampled_from(["raw", "zipped.gz"]))
def test_what_is_saved_is_what_is_loaded(folder, array, name):
    save_idx(folder / name, array)
    back = load_idx(folder / name)
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()
    assert back.flags.writeable


def test_the_bytes_of_a_file_by_hand(folder):
    assert load_idx(written(folder, WHOLE)).tolist() == IMAGES.tolist()
    save_idx(folder / "out", IMAGES)
    assert (folder / "out").read_bytes() == WHOLE


def test_elements_are_big_endian(folder):
    path = written(folder, b"\0\0\x0b\x01\0\0\0\x02\x01\x02\xff\xfe")
    assert load_idx(path).tolist() == [0x0102, -2]
    save_idx(folder / "out", np.array([0x0102, -2], dtype="<i2"))
    assert (folder / "out").read_bytes() == path.read_bytes()


def test_content_decides_whether_a_file_is_zipped_not_its_name(folder):
    zipped_without_suffix = written(folder, gzip.compress(WHOLE), "images")
    raw_with_suffix = written(folder, WHOLE, "images.gz")
    assert (load_idx(zipped_without_suffix) == IMAGES).all()
    assert (load_idx(raw_with_suffix) == IMAGES).all()


def test_non_contiguous_arrays_are_saved_in_c_order(folder):
    save_idx(folder / "t", IMAGES.transpose(2, 0, 1)[::2])
    assert (load_idx(folder / "t") == IMAGES.transpose(2, 0, 1)[::2]).all()


def test_zipped_files_carry_no_time_and_no_name(folder):
    save_idx(folder / "one.gz", IMAGES)
    save_idx(folder / "two.gz", IMAGES)
    assert (folder / "one.gz").read_bytes() == (folder / "two.gz").read_bytes()
    assert (folder / "one.gz").read_bytes()[3:8] == bytes(5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file ends at byte 0, inside the magic number"),
        (b"\0\0\x08", "the file ends at byte 3, inside the magic number"),
        (b"\x01\0\x08\x03", "bytes 0-3 (magic) are 01 00 08 03, expected 00 00 then a type code"),
        (b"<!DOCTYPE html>", "It looks like a web page saved under this name."),
        (b"\0\0\x07\x01", "byte 2 (element type) is 07, expected one of 08 = uint8, 09 = int8, 0b"),
        (WHOLE[:13], "the file ends at byte 13, inside the dimensions; byte 3 announces 3 of them"),
        (
            WHOLE[:-1],
            "the file ends at byte 39, inside the elements; its header announces shape (2",
        ),
        (WHOLE + b"\0", "there are bytes after byte 40, where shape (2, 3, 4) of uint8 ends."),
        (b"\0\0\x08\x03" + b"\xff" * 12, "the file ends at byte 16, inside the elements"),
        (b"\0\0\x08\xff" + bytes(4 * 255), "which NumPy cannot hold"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "zipped"])
def test_each_damage_is_named_with_file_place_and_expectation(folder, content, message, pack):
    assert message in refused(written(folder, pack(content)))


@pytest.mark.parametrize("whole", [WHOLE, gzip.compress(WHOLE)], ids=["raw", "zipped"])
def test_every_proper_prefix_is_refused(folder, whole):
    for cut in range(len(whole)):
        refused(written(folder, whole[:cut]))


@given(position=st.integers(0, 15), flip=st.integers(1, 255))
def test_a_damaged_header_is_refused(folder, position, flip):
    damaged = bytearray(WHOLE)
    damaged[position] ^= flip
    assume(damaged[2] != 0x09)  # int8 has the size of uint8: as good a file
    refused(written(folder, bytes(damaged)))


@given(position=st.integers(10, len(gzip.compress(WHOLE)) - 1), flip=st.integers(1, 255))
def test_damage_inside_gzip_is_found_or_harmless(folder, position, flip):
    damaged = bytearray(gzip.compress(WHOLE, mtime=0))
    damaged[position] ^= flip
    try:
        read = load_idx(written(folder, bytes(damaged)))
    except IdxError:
        return
    # The last byte of the compressed stream has bits that nobody reads.
    assert read.tolist() == IMAGES.tolist()


def test_gzip_damage_names_how_far_it_was_good(folder):
    message = refused(written(folder, gzip.compress(WHOLE)[:-3]))
    assert re.match(r"the gzip data is damaged or cut off after about \d+ unpacked bytes", message)


def test_missing_file_is_an_ordinary_os_error(folder):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_idx(folder / "nowhere")


@pytest.mark.parametrize("dtype", ["int64", "float16", "complex64", "uint16", "bool"])
def test_dtypes_that_idx_has_not_are_refused(folder, dtype):
    with pytest.raises(TypeError, match=f"save_idx: array has dtype {dtype}, expected one that"):
        save_idx(folder / "never", np.zeros(3, dtype))
    assert not (folder / "never").exists()


def test_a_dimension_too_long_for_idx_is_refused(folder):
    endless = np.broadcast_to(np.uint8(0), (2**32,))
    with pytest.raises(ValueError, match="each below 2"):
        save_idx(folder / "never", endless)


def test_the_table_of_official_files_is_complete():
    assert {(f.dataset, f.split, f.kind) for f in idx.OFFICIAL_FILES} == {
        (dataset, split, kind)
        for dataset in ("MNIST", "Fashion-MNIST")
        for split in ("train", "test")
        for kind in ("images", "labels")
    }
    assert len(idx._BY_MD5) == 2 * len(idx.OFFICIAL_FILES)


@pytest.fixture
def one_known_file(monkeypatch):
    """A table in which WHOLE stands for an official file."""
    known = idx.Official("MNIST", "train", "images", "", hashlib.md5(WHOLE).hexdigest())
    monkeypatch.setattr(idx, "_BY_MD5", {known.content_md5: known})
    return known


@pytest.mark.parametrize("level", [None, 1, 9])
def test_content_is_recognised_however_it_is_packed(folder, one_known_file, level):
    content = WHOLE if level is None else gzip.compress(WHOLE, level)
    assert identify(written(folder, content)) == one_known_file


def test_another_file_is_not_recognised_and_not_refused(folder, one_known_file):
    assert identify(written(folder, WHOLE[:-1] + b"\0")) is None
    assert identify(written(folder, gzip.compress(WHOLE[:-1] + b"\0"))) is None


def test_identify_refuses_damaged_gzip(folder):
    with pytest.raises(IdxError, match="gzip data is damaged"):
        identify(written(folder, gzip.compress(WHOLE)[:-3]))


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "kept"
    write_atomically(path, b"old")

    def failing(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", failing)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("kept", b"old")]
