"""The table of data sets: it tells the truth about files, and finds them."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from stn_ref import data
from stn_ref.data import catalogue, idx
from stn_ref.data.catalogue import File, dataset, datasets, find, state
from stn_ref.data.idx import OFFICIAL_FILES, save_idx
from stn_ref.data.mnist import BUNDLED, load_digits, load_mnist


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv("STN_REF_DATA", raising=False)


def idx_files(folder: Path, fill: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for stem, label in (("train", 1), ("t10k", 2)):
        save_idx(folder / f"{stem}-images-idx3-ubyte.gz", np.full((label, 28, 28), fill, np.uint8))
        save_idx(folder / f"{stem}-labels-idx1-ubyte.gz", np.full(label, fill, np.uint8))
    return folder


def test_every_entry_says_whose_it_is_under_which_terms_and_how_to_read_it():
    for name, each in datasets().items():
        assert each.name == name
        assert each.home.startswith("http")
        assert each.licence
        assert each.files
        reader = each.load.split("(")[0]
        assert callable(getattr(data, reader)), name


def test_what_can_be_fetched_has_an_address_and_a_checksum_for_each_file():
    for each in datasets().values():
        fetched = not each.get and each.name != "digits"
        for file in each.files:
            assert bool(file.url) == fetched
            assert not fetched or file.checksum.startswith("md5:")


def test_only_what_its_licence_allows_is_marked_as_one_to_bundle():
    assert {name for name, each in datasets().items() if each.bundled} == {"digits", "mnist", "fashion-mnist"}


def test_the_official_files_of_both_sets_are_all_there():
    listed = [file.official for name in ("mnist", "fashion-mnist") for file in dataset(name).files]
    assert sorted(map(str, listed)) == sorted(map(str, OFFICIAL_FILES))


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_a_verdict_is_by_checksum(tmp_path, algorithm):
    path = tmp_path / "a.npz"
    path.write_bytes(b"content")
    file = File("a.npz", f"{algorithm}:{hashlib.new(algorithm, b'content').hexdigest()}")
    assert file.verdict(path) == "checksum ok"
    path.write_bytes(b"Content")
    assert file.verdict(path) == "differs"
    assert File("a.npz").verdict(path) == "no checksum"


@pytest.mark.parametrize("name", ["mnist", "modelnet10"])
def test_a_set_is_found_under_its_folder_in_its_folder_and_by_the_variable(tmp_path, monkeypatch, name):
    folder = idx_files(tmp_path / "mnist") if name == "mnist" else tmp_path / "modelnet10"
    folder.mkdir(exist_ok=True)
    (folder / "modelnet10_vox30_packbits.npz").touch()
    assert find(name, tmp_path) == find(name, folder) == folder
    for base in (tmp_path, folder):
        monkeypatch.setenv("STN_REF_DATA", str(base))
        assert find(name) == folder


def test_a_missing_set_says_what_to_give_and_where_to_look(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        find("svhn-512", tmp_path)
    message = str(caught.value)
    assert str(tmp_path / "svhn-512") in message
    for words in ("svhn_512.npz", "--data DIR", "STN_REF_DATA", "stn-ref data list"):
        assert words in message
    with pytest.raises(FileNotFoundError, match=r"no folder was given for cub; .*STN_REF_DATA"):
        find("cub")


def test_an_unknown_name_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(ValueError, match=r"name is 'mnits', expected one of 'digits', 'mnist'"):
        find("mnits", tmp_path)


def test_mnist_and_fashion_mnist_are_told_apart_by_content(tmp_path, monkeypatch):
    folder = idx_files(tmp_path / "any name", fill=7)
    assert find("mnist", folder) == find("fashion-mnist", folder) == folder  # anybody's own
    known = {}
    for file in dataset("fashion-mnist").files:
        assert file.official is not None
        with idx.gzip.open(folder / file.name) as content:
            known[hashlib.md5(content.read()).hexdigest()] = file.official
    monkeypatch.setattr(idx, "_BY_MD5", known)
    assert find("fashion-mnist", folder) == folder
    assert state("fashion-mnist", folder) == "checksum ok"
    with pytest.raises(FileNotFoundError, match="find: mnist is neither in"):
        find("mnist", folder)


def test_the_state_says_what_is_wrong(tmp_path):
    assert state("mnist", tmp_path) == "absent"
    idx_files(tmp_path)
    assert state("mnist", tmp_path) == "differs"
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(b"\x1f\x8bdamaged")
    assert state("mnist", tmp_path) == "differs"
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    assert state("mnist", tmp_path) == "incomplete"
    for name in catalogue.CUB_LISTS:
        (tmp_path / name).touch()
    assert state("cub", tmp_path) == "present"


def test_the_bundled_digits_are_whole_and_need_no_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("STN_REF_DATA", str(tmp_path))
    assert find("digits") == BUNDLED
    assert state("digits") == "checksum ok"
    assert state("digits", tmp_path) == "absent"


def test_digits_are_read_from_a_folder_of_all_sets_too(tmp_path, monkeypatch):
    idx_files(tmp_path / "mnist", fill=5)
    assert load_digits(tmp_path).name == f"train digits from {tmp_path / 'mnist'}"
    monkeypatch.setenv("STN_REF_DATA", str(tmp_path))
    assert load_digits().images[0, 0, 0] == 5
    idx_files(tmp_path, fill=6)  # files in the folder itself come first
    assert load_digits().images[0, 0, 0] == 6
    assert load_mnist(tmp_path, "test").images[0, 0, 0] == 6
