"""The data sets that this package can read: what they are, under which terms, and where they lie.

Nothing here opens a connection. ``stn-ref data list`` prints the table, ``fetching.py`` downloads what may be
downloaded without asking anybody.
"""

import functools
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import check_choice
from .idx import OFFICIAL_FILES, IdxError, Official, identify
from .mnist import BUNDLED, ENVIRONMENT_VARIABLE, accepted_names

__all__ = ["Dataset", "File", "dataset", "datasets", "find", "find_file", "state"]

MATCHES, DIFFERS, NO_CHECKSUM, MISSING = "checksum ok", "differs", "no checksum", "missing"
ABSENT, INCOMPLETE, PRESENT = "absent", "incomplete", "present"

OSSCI = "https://ossci-datasets.s3.amazonaws.com/mnist/"
ZALANDO = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
STANFORD = "http://ufldl.stanford.edu/housenumbers/"
SVHN_TERMS = "non-commercial"
CUB_LISTS = ("images.txt", "image_class_labels.txt", "train_test_split.txt", "bounding_boxes.txt")
_SHA256 = """
mnist_cluttered_40x40.npz     951f81b297226e1ed81a96a544ee14cbf50a5523b4f3cd45f0e99d9565425e3b
svhn_512.npz                  943eca8f95d45d32933fe502e557fbf22e172972c8d6a77574fce12e404fd344
modelnet10_vox30_packbits.npz bdfb71233a22532dd341b62f8481b91a7d4519617835825018edea1853f288f3
"""
SHA256 = dict(line.split() for line in _SHA256.strip().splitlines())


@dataclass(frozen=True)
class File:
    """A file of a data set: its name below the set's folder, and how the published one is recognised.

    ``others`` are names that it may have as well. ``checksum`` is "md5:..." or "sha256:...", "" if none is
    published; ``official`` recognises a file of MNIST's kind unpacked or packed anew too.
    """

    name: str
    checksum: str = ""
    url: str = ""
    others: tuple[str, ...] = ()
    official: Official | None = None

    def locate(self, folder: Path) -> Path | None:
        """Where it is in ``folder``, None if it is not."""
        return next((folder / n for n in (self.name, *self.others) if (folder / n).is_file()), None)

    def verdict(self, path: Path) -> str:
        """Whether ``path`` is the published file: "checksum ok", "differs", or "no checksum".

        >>> File("README").verdict(BUNDLED / "NOTICE.txt")
        'no checksum'
        """
        if self.official is not None:
            return MATCHES if _identity(path) == self.official else DIFFERS
        algorithm, _, expected = self.checksum.partition(":")
        if not expected:
            return NO_CHECKSUM
        with open(path, "rb") as file:
            return MATCHES if _digest(file, algorithm) == expected else DIFFERS


@dataclass(frozen=True)
class Dataset:
    """A data set: what it is, whose, under which terms, its files, and how it is read.

    ``folder`` is its name under ``STN_REF_DATA``. ``archives`` are the packed files as published, where those
    below ``files`` come out of them. ``bundled`` says whether its licence would let a part of it be
    distributed with this package. ``get`` says how a user comes by it, "" if it can be fetched. ``load`` is
    the call that reads it, with its folder as ``folder``.
    """

    name: str
    what: str
    folder: str
    licence: str
    home: str
    files: tuple[File, ...]
    load: str
    bundled: bool = False
    archives: tuple[File, ...] = ()
    get: str = ""

    def is_in(self, folder: Path) -> bool:
        """Whether at least one of its files is there, and none that is known to be another set's."""
        found = [(file, path) for file in self.files if (path := file.locate(folder)) is not None]
        return bool(found) and not any(_of_another_set(file, path) for file, path in found)


def dataset(name: str) -> Dataset:
    """The data set of that name.

    Raises
    ------
    ValueError
        If there is none; the message lists the names.

    >>> dataset("mnist").licence
    'CC BY-SA 3.0'
    """
    check_choice("dataset", "name", name, tuple(datasets()))
    return datasets()[name]


def find(name: str, directory: str | os.PathLike[str] | None = None) -> Path:
    """The folder that holds a data set.

    Parameters
    ----------
    name
        As in ``stn-ref data list``.
    directory
        The set's own folder, or one that holds it under its usual name (``mnist``, ``mnist-cluttered``,
        ``CUB_200_2011``, ...); default: the folder that STN_REF_DATA names. The bundled digits need none.

    Raises
    ------
    ValueError
        If there is no data set of that name.
    FileNotFoundError
        If it is not there, or no folder was given.

    >>> find("digits") == BUNDLED
    True
    >>> find("cub", "no/such/folder")
    Traceback (most recent call last):
    ...
    FileNotFoundError: find: cub is neither in no/such/folder/CUB_200_2011 nor in no/such/folder; ...
    """
    wanted = dataset(name)
    if name == "digits" and directory is None:
        return BUNDLED
    base = directory or os.environ.get(ENVIRONMENT_VARIABLE)
    if not base:
        raise FileNotFoundError(
            f"find: no folder was given for {name}; give the one that holds it (--data DIR) or name it in "
            f"{ENVIRONMENT_VARIABLE}; `stn-ref data list` shows which sets there are"
        )
    candidates = (Path(base, wanted.folder), Path(base))
    for folder in candidates:
        if wanted.is_in(folder):
            return folder
    raise FileNotFoundError(
        f"find: {name} is neither in {candidates[0]} nor in {candidates[1]}; give the folder with "
        f"{wanted.files[0].name}, or one that has it under {wanted.folder} (--data DIR or "
        f"{ENVIRONMENT_VARIABLE}); `stn-ref data list` shows where it comes from"
    )


def find_file(name: str, directory: str | os.PathLike[str] | None = None) -> Path:
    """The file of a data set that is one file; parameters and errors as for :func:`find`.

    >>> find_file("svhn-512", "no/such/folder")
    Traceback (most recent call last):
    ...
    FileNotFoundError: find: svhn-512 is neither in no/such/folder/svhn-512 nor in no/such/folder; ...
    """
    folder, (file,) = find(name, directory), dataset(name).files
    return file.locate(folder) or folder / file.name


def state(name: str, directory: str | os.PathLike[str] | None = None) -> str:
    """How a data set is there: "checksum ok", "differs", "present" (nobody published a checksum),
    "incomplete" or "absent".

    >>> state("digits"), state("cub", "no/such/folder")
    ('checksum ok', 'absent')
    """
    try:
        folder = find(name, directory)
    except FileNotFoundError:
        return ABSENT
    paths = [(file, file.locate(folder)) for file in dataset(name).files]
    verdicts = {MISSING if path is None else file.verdict(path) for file, path in paths}
    for verdict, overall in ((MISSING, INCOMPLETE), (DIFFERS, DIFFERS), (NO_CHECKSUM, PRESENT)):
        if verdict in verdicts:
            return overall
    return MATCHES


@functools.cache
def datasets() -> dict[str, Dataset]:
    """All data sets by name.

    >>> [name for name, each in datasets().items() if not each.get]
    ['digits', 'mnist', 'fashion-mnist', 'svhn-cropped']
    """
    return {each.name: each for each in (*_digits(), *_house_numbers(), *_others())}


def _digits() -> tuple[Dataset, ...]:
    sums = [line.split() for line in (BUNDLED / "SHA256SUMS").read_text("utf-8").splitlines()]
    return (
        Dataset(
            "digits", "6,000 digits of MNIST, bundled", "digits", "CC BY-SA 3.0",
            "http://yann.lecun.com/exdb/mnist/",
            tuple(File(name, f"sha256:{digest}") for digest, name in sums),
            "load_bundled(split)",
            bundled=True,
        ),
        Dataset(
            "mnist", "60,000 + 10,000 digits, 28x28", "mnist", "CC BY-SA 3.0",
            "http://yann.lecun.com/exdb/mnist/",
            _idx_files("MNIST", OSSCI),
            "load_mnist(folder, split)",
            bundled=True,
        ),
        Dataset(
            "fashion-mnist", "60,000 + 10,000 clothes, 28x28", "fashion-mnist", "MIT",
            "https://github.com/zalandoresearch/fashion-mnist",
            _idx_files("Fashion-MNIST", ZALANDO),
            "load_mnist(folder, split)",
            bundled=True,
        ),
        Dataset(
            "mnist-cluttered", "12,000 cluttered digits, 40x40", "mnist-cluttered", "not stated",
            "https://github.com/daviddao/spatial-transformer-tensorflow",
            (_summed("mnist_cluttered_40x40.npz", "mnist_sequence1_sample_5distortions5x5.npz"),),
            'load_cluttered(folder / "mnist_cluttered_40x40.npz", split)',
            get="no licence is stated; the file is data/mnist_sequence1_sample_5distortions5x5.npz there",
        ),
    )  # fmt: skip


def _house_numbers() -> tuple[Dataset, ...]:
    return (
        Dataset(
            "svhn-cropped", "99,289 digits off houses, 32x32", "svhn-cropped", SVHN_TERMS, STANFORD,
            (
                File("train_32x32.mat", "md5:e26dedcc434d2e4c54c9b2d4a06d8373", f"{STANFORD}train_32x32.mat"),
                File("test_32x32.mat", "md5:eb5a983be6a315427106f1b164d9cef3", f"{STANFORD}test_32x32.mat"),
            ),
            'load_svhn_cropped(folder / f"{split}_32x32.mat")',
        ),
        Dataset(
            "svhn-full", "46,470 pictures of house numbers", "svhn-full", SVHN_TERMS, STANFORD,
            (File("train/digitStruct.mat"), File("test/digitStruct.mat")),
            "load_svhn_numbers(folder / split)",
            get="no checksum is known, so it is not fetched; take train.tar.gz and test.tar.gz, unpack both",
        ),
        Dataset(
            "svhn-512", "512 house numbers, 64x64", "svhn-512", SVHN_TERMS, STANFORD,
            (_summed("svhn_512.npz"),),
            'load_svhn_sample(folder / "svhn_512.npz", split)',
            get="this small file for development is not published; use svhn-cropped or svhn-full",
        ),
    )  # fmt: skip


def _others() -> tuple[Dataset, ...]:
    return (
        Dataset(
            "cub", "pictures of birds, 200 classes", "CUB_200_2011", "research only",
            "https://www.vision.caltech.edu/datasets/cub_200_2011/",
            tuple(File(name) for name in CUB_LISTS),
            "load_cub(folder, split, size)",
            archives=(File("CUB_200_2011.tgz", "md5:97eceeb196236b17998738112f37df78"),),
            get="its terms are non-commercial research; read them there, take CUB_200_2011.tgz and unpack it",
        ),
        Dataset(
            "modelnet10", "4,899 furniture voxels, 30x30x30", "modelnet10", "academic use",
            "https://modelnet.cs.princeton.edu/",
            (_summed("modelnet10_vox30_packbits.npz"),),
            'load_voxels(folder / "modelnet10_vox30_packbits.npz", split)',
            get="its terms are academic use; read them there, and make voxels of the models",
        ),
    )  # fmt: skip


def _idx_files(title: str, url: str) -> tuple[File, ...]:
    files = []
    for official in OFFICIAL_FILES:
        if official.dataset == title:
            raw, packed, *others = accepted_names(official.split, official.kind)
            checksum = f"md5:{official.archive_md5}"
            files.append(File(packed, checksum, url + packed, (raw, *others), official))
    return tuple(files)


def _summed(name: str, *others: str) -> File:
    return File(name, f"sha256:{SHA256[name]}", others=others)


def _of_another_set(file: File, path: Path) -> bool:
    """MNIST and Fashion-MNIST have the same file names; what is neither may be anybody's own."""
    if file.official is None:
        return False
    known = _identity(path)
    return known is not None and known.dataset != file.official.dataset


def _identity(path: Path) -> Official | None:
    try:
        return identify(path)
    except IdxError:
        return None  # damaged; who reads it is told where


def _digest(file: Any, algorithm: str) -> str:
    digest = hashlib.new(algorithm, usedforsecurity=False)
    while part := file.read(1 << 20):
        digest.update(part)
    return digest.hexdigest()
