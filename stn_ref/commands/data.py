"""The data sets: which there are, whether they are whole, and fetching them, as `stn-ref data` does."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..data.catalogue import DIFFERS, MISSING, Dataset, File, dataset, datasets, find, find_file, state
from ..data.cluttered import load_cluttered
from ..data.cub import load_cub
from ..data.fetching import fetch
from ..data.mnist import ENVIRONMENT_VARIABLE, load_mnist
from ..data.svhn import LONGEST, crop_numbers, load_svhn_cropped, load_svhn_numbers, load_svhn_sample
from ..data.voxels import load_voxels

SPLITS = {"mnist-cluttered": ("train", "valid", "test")}  # of the others: train and test
SMALL = 8  # pixels of a picture that is opened only to see whether it is whole


def run(options: Any) -> int:
    """Do what the command line says; returns the exit status."""
    if options.data_command == "list":
        return show(options.data)
    if options.data_command == "check":
        return check(options.name, Path(options.path))
    return fetch_and_tell(options.name, options.to or os.environ.get(ENVIRONMENT_VARIABLE))


def show(directory: str | None) -> int:
    """Print the table of all data sets, at most 80 columns wide."""
    base = directory or os.environ.get(ENVIRONMENT_VARIABLE)
    rows = [("name", "what", "terms", "there")]
    for name, each in datasets().items():
        rows.append((name, each.what, each.licence, state(name, None if name == "digits" else directory)))
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("  ".join(word.ljust(width) for word, width in zip(row, widths)).rstrip())
    missing = f"No folder given: use --data DIR or set {ENVIRONMENT_VARIABLE}."
    print(f"\nLooked for in {base}." if base else f"\n{missing}")
    print("`present`: the files are there, but no checksum of them is known.")
    print("`stn-ref data fetch NAME` downloads one, or says where it comes from.")
    return 0


def check(name: str, path: Path) -> int:
    """Compare a data set's files with those published, then read them to the end."""
    wanted = dataset(name)
    if path.is_file():
        return _tell([(path.name, _known(wanted, path).verdict(path))])
    folder = find(name, path)
    located = [(file, file.locate(folder)) for file in wanted.files]
    status = _tell([(f.name, MISSING if there is None else f.verdict(there)) for f, there in located])
    for split in SPLITS.get(name, ("train", "test")):
        try:
            print(f"  {split}: {READERS[name](folder, split):,} read to the end")
        except (ValueError, OSError) as error:
            print(f"  {split}: {error}")
            status = 1
    return status


def fetch_and_tell(name: str, directory: str | None) -> int:
    """Download a data set and say where it went."""
    if directory is None:
        raise ValueError(
            f"no folder to fetch into; give --to DIR, where the folder {dataset(name).folder} will be made, "
            f"or name it in {ENVIRONMENT_VARIABLE}"
        )
    for what, path in fetch(name, directory):
        print(f"{what}: {path}", flush=True)
    print(f"Terms: {dataset(name).licence}, {dataset(name).home}")
    print(f"Read it by stn_ref.data.{dataset(name).load}, where folder is {find(name, directory)}")
    return 0


def _known(wanted: Dataset, path: Path) -> File:
    """The file of the data set that has this name."""
    files = (*wanted.files, *wanted.archives)
    for file in files:
        if path.name in {Path(name).name for name in (file.name, *file.others)}:
            return file
    raise ValueError(
        f"{path} has the name of no file of {wanted.name}, whose are "
        f"{', '.join(file.name for file in files)}; give one of these, or the folder"
    )


def _tell(verdicts: list[tuple[str, str]]) -> int:
    for name, verdict in verdicts:
        print(f"  {name}: {verdict}")
    return 1 if {DIFFERS, MISSING} & {verdict for _, verdict in verdicts} else 0


def _crops(folder: Path, split: str) -> int:
    numbers = load_svhn_numbers(folder / split)
    crop_numbers(folder / split, [each for each in numbers if len(each.labels) <= LONGEST], SMALL)
    return len(numbers)


READERS: dict[str, Callable[[Path, str], int]] = {
    "digits": lambda folder, split: len(load_mnist(folder, split)),
    "mnist": lambda folder, split: len(load_mnist(folder, split)),
    "fashion-mnist": lambda folder, split: len(load_mnist(folder, split)),
    "mnist-cluttered": lambda folder, split: len(
        load_cluttered(find_file("mnist-cluttered", folder), split)[1]
    ),
    "svhn-cropped": lambda folder, split: len(load_svhn_cropped(folder / f"{split}_32x32.mat")[1]),
    "svhn-full": _crops,
    "svhn-512": lambda folder, split: len(load_svhn_sample(find_file("svhn-512", folder), split).numbers),
    "cub": lambda folder, split: len(load_cub(folder, split, SMALL)[1]),
    "modelnet10": lambda folder, split: len(load_voxels(find_file("modelnet10", folder), split)[1]),
}
