"""`stn-ref data`: the table, the check and the fetching, as a user meets them."""

import os
from pathlib import Path

import numpy as np
import pytest

from stn_ref import cli
from stn_ref.commands import data
from stn_ref.data.catalogue import datasets, state
from stn_ref.data.mnist import BUNDLED

REAL = os.environ.get("STN_REF_DATA")


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STN_REF_DATA", raising=False)


def voxels(folder: Path, name: str = "modelnet10_vox30_packbits.npz", classes: int = 10) -> Path:
    folder.mkdir(exist_ok=True)
    labels = np.arange(classes, dtype=np.uint8)
    solids = np.zeros((classes, 3375), np.uint8)
    np.savez(folder / name, x_train=solids, y_train=labels, x_test=solids, y_test=labels)
    return folder


def test_the_table_fits_eighty_columns_and_says_what_is_there(
    tmp_path: Path, small_mnist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mnist").symlink_to(small_mnist)
    assert cli.main(["data", "list", "--data", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    table, _, notes = out.partition("\n\n")
    rows = {line.split()[0]: line for line in table.splitlines()[1:]}
    assert list(rows) == list(datasets())
    assert max(map(len, out.splitlines())) <= max(80, len(f"Looked for in {tmp_path}."))
    assert max(map(len, table.splitlines())) <= 80
    assert rows["digits"].endswith("checksum ok")
    assert rows["mnist"].endswith("differs")
    assert rows["cub"].endswith("absent")
    assert "CC BY-SA 3.0" in rows["mnist"]
    assert f"Looked for in {tmp_path}." in notes


def test_the_table_takes_the_folder_from_the_variable_and_works_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["data", "list"]) == 0
    assert "No folder given: use --data DIR or set STN_REF_DATA." in capsys.readouterr().out
    voxels(tmp_path / "modelnet10")
    monkeypatch.setenv("STN_REF_DATA", str(tmp_path))
    assert cli.main(["data", "list"]) == 0
    [row] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("modelnet10")]
    assert row.endswith("differs")


def test_a_whole_set_passes_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["data", "check", "digits", str(BUNDLED)]) == 0
    out = capsys.readouterr().out
    assert out.count("checksum ok") == 5
    assert "train: 5,000 read to the end" in out
    assert "test: 1,000 read to the end" in out


def test_a_set_with_other_bytes_fails_the_check_but_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["data", "check", "modelnet10", str(voxels(tmp_path))]) == 1
    out = capsys.readouterr().out
    assert "modelnet10_vox30_packbits.npz: differs" in out
    assert "test: 10 read to the end" in out


def test_what_cannot_be_read_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["data", "check", "modelnet10", str(voxels(tmp_path, classes=11))]) == 1
    assert "train: load_voxels: " in capsys.readouterr().out


def test_a_missing_file_fails_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train_32x32.mat").write_bytes(b"no")
    assert cli.main(["data", "check", "svhn-cropped", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "train_32x32.mat: differs" in out
    assert "test_32x32.mat: missing" in out


def test_one_file_is_checked_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["data", "check", "digits", str(BUNDLED / "train-labels-idx1-ubyte.gz")]) == 0
    archive = tmp_path / "CUB_200_2011.tgz"
    archive.write_bytes(b"cut off")
    assert cli.main(["data", "check", "cub", str(archive)]) == 1
    assert "CUB_200_2011.tgz: differs" in capsys.readouterr().out
    assert cli.main(["data", "check", "mnist", str(archive)]) == 2
    assert "has the name of no file of mnist, whose are train-images" in capsys.readouterr().err


@pytest.mark.full_data
@pytest.mark.parametrize("name", [name for name in datasets() if name != "digits"])
def test_the_real_sets_pass_the_check(name: str) -> None:
    if REAL is None or state(name, REAL) == "absent":
        pytest.skip(f"STN_REF_DATA names no folder with {name}")
    assert cli.main(["data", "check", name, REAL]) == 0


def test_every_set_has_a_reader_for_the_check() -> None:
    assert set(data.READERS) == set(datasets())
    assert set(data.SPLITS) <= set(datasets())


def test_fetching_says_where_files_go_and_how_to_read_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fetch(name: str, directory: str) -> list[tuple[str, Path]]:
        assert name == "svhn-cropped"
        folder = Path(directory, name)
        folder.mkdir()
        (folder / "train_32x32.mat").touch()
        return [("fetched", folder / "train_32x32.mat")]

    monkeypatch.setattr(data, "fetch", fetch)
    assert cli.main(["data", "fetch", "svhn-cropped", "--to", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert f"fetched: {tmp_path / 'svhn-cropped' / 'train_32x32.mat'}" in out
    assert "Terms: non-commercial, http://ufldl.stanford.edu/housenumbers/" in out
    assert "stn_ref.data.load_svhn_cropped(folder" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fetch", "mnist"], "no folder to fetch into; give --to DIR"),
        (["fetch", "cub", "--to", "."], "cub is not fetched: its terms are non-commercial research"),
        (["fetch", "nothing", "--to", "."], "name is 'nothing', expected one of 'digits'"),
        (["check", "cub", "no/such/folder"], "cub is neither in no/such/folder/CUB_200_2011 nor in"),
    ],
)
def test_what_cannot_be_done_is_explained(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["data", *arguments]) == 2
    assert message in capsys.readouterr().err
