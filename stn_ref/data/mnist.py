"""Handwritten digits: MNIST and look-alikes from a folder of IDX files, or the bundled subset."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import check_choice
from .idx import Official, identify, load_idx

__all__ = ["Digits", "load_bundled", "load_digits", "load_mnist"]

BUNDLED = Path(__file__).parent / "digits"
ENVIRONMENT_VARIABLE = "STN_REF_DATA"
SPLITS = ("train", "test")
STEMS = {"train": "train", "test": "t10k"}
ENDINGS = {"images": "idx3-ubyte", "labels": "idx1-ubyte"}


@dataclass(frozen=True)
class Digits:
    """Images with their labels, and where they came from.

    ``images``: uint8, shape (N, 28, 28), 0 is background and 255 ink. ``labels``: uint8, shape
    (N,), 0 to 9. ``name``: a few words for reports. ``note``: what a reader of a result should
    know, or "".

    >>> digits = load_bundled("test")
    >>> digits.images.shape, digits.labels[:10].tolist() != digits.labels[10:20].tolist()
    ((1000, 28, 28), True)
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    name: str
    note: str = ""

    @property
    def public_name(self) -> str:
        """``name`` without the folder, for results that others read.

        >>> Digits(np.zeros((1, 28, 28)), np.zeros(1), "MNIST train set from a/folder").public_name
        'MNIST train set'
        """
        return self.name.partition(" from ")[0]

    def __len__(self) -> int:
        return len(self.images)


def load_digits(directory: str | os.PathLike[str] | None = None, split: str = "train") -> Digits:
    """Digits from ``directory``, else the folder that STN_REF_DATA names, else the bundled ones.

    The folder holds the files themselves, or a folder ``mnist`` with them, beside other data sets.
    ``name`` of the result says which. ``split`` is "train" or "test". Errors as in
    :func:`load_mnist`.

    >>> len(load_digits(BUNDLED, "test"))
    1000
    """
    if directory is not None:
        return load_mnist(_folder_of_digits(directory), split)
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        digits = load_mnist(_folder_of_digits(named), split)
        return replace(digits, name=f"{digits.name} (by {ENVIRONMENT_VARIABLE})")
    return load_bundled(split)


def load_bundled(split: str) -> Digits:
    """The bundled, balanced subset of real MNIST: 5,000 digits to train, 1,000 to test.

    Each run of ten, from the first on, holds every class once, so any prefix is balanced to within
    one digit per class. MNIST is copyright Yann LeCun and Corinna Cortes, CC BY-SA 3.0; see
    ``digits/NOTICE.txt``.

    >>> train = load_bundled("train")
    >>> train.name, np.bincount(train.labels[:50]).tolist()
    ('bundled MNIST subset, train set', [5, 5, 5, 5, 5, 5, 5, 5, 5, 5])
    """
    digits = load_mnist(BUNDLED, split)
    return replace(digits, name=f"bundled MNIST subset, {split} set", note="")


def load_mnist(directory: str | os.PathLike[str], split: str) -> Digits:
    """Digits from a folder with images and labels in the IDX files of MNIST.

    Parameters
    ----------
    directory
        The folder. Accepted names are ``train-images-idx3-ubyte`` and ``train-labels-idx1-ubyte``
        (for the test split ``t10k-...``), with a dot in place of the dash before ``idx`` too, raw
        or ``.gz``. The first that exists, in this order, is read.
    split
        "train" or "test".

    Returns
    -------
    Digits
        ``note`` is "" for the official MNIST or Fashion-MNIST files; otherwise it says that these
        are not.

    Raises
    ------
    FileNotFoundError
        If the folder or one of its two files is missing.
    IdxError
        If a file is not a whole IDX file.
    ValueError
        If ``split`` is unknown, shapes, dtypes, counts or labels are not those of digits, or the
        official files are mixed up (images of one data set, labels of another, the wrong split).

    >>> load_mnist("no/such/folder", "train")
    Traceback (most recent call last):
    ...
    FileNotFoundError: load_mnist: directory no/such/folder does not exist; give the folder ...
    """
    check_choice("load_mnist", "split", split, SPLITS)
    folder = Path(directory)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"load_mnist: directory {folder} does not exist; give the folder that holds "
            f"{accepted_names(split, 'images')[0]}[.gz] and its labels."
        )
    images_path = _find(folder, split, "images")
    labels_path = _find(folder, split, "labels")
    images, labels = load_idx(images_path), load_idx(labels_path)
    _check_images(images, images_path)
    _check_labels(labels, labels_path)
    if len(images) != len(labels):
        raise ValueError(
            f"load_mnist: {images_path} holds {len(images)} images but {labels_path} holds "
            f"{len(labels)} labels; they must be equally many, in the same order. Take both files "
            "from the same set."
        )
    name, note = _provenance(folder, split, identify(images_path), identify(labels_path))
    return Digits(images, labels, name, note)


def accepted_names(split: str, kind: str) -> list[str]:
    """The file names under which the images or labels of a split are looked for, in order.

    >>> accepted_names("test", "labels")[1]
    't10k-labels-idx1-ubyte.gz'
    """
    stem, ending = f"{STEMS[split]}-{kind}", ENDINGS[kind]
    return [f"{stem}{joint}{ending}{suffix}" for joint in "-." for suffix in ("", ".gz")]


def _folder_of_digits(directory: str | os.PathLike[str]) -> Path:
    """The folder itself if it holds any of the files; else its ``mnist``, if it has that."""
    folder = Path(directory)
    names = (name for split in SPLITS for kind in ENDINGS for name in accepted_names(split, kind))
    if (folder / "mnist").is_dir() and not any((folder / name).is_file() for name in names):
        return folder / "mnist"
    return folder


def _find(folder: Path, split: str, kind: str) -> Path:
    names = accepted_names(split, kind)
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(
        f"load_mnist: {folder} holds no file with the {split} {kind}; accepted names: {', '.join(names)}."
    )


def _check_images(images: NDArray[Any], path: Path) -> None:
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        raise ValueError(
            f"load_mnist: {path} holds {images.dtype} of shape {images.shape}, expected uint8 "
            "images of shape (N, 28, 28)."
        )


def _check_labels(labels: NDArray[Any], path: Path) -> None:
    if labels.dtype != np.uint8 or labels.ndim != 1:
        raise ValueError(
            f"load_mnist: {path} holds {labels.dtype} of shape {labels.shape}, expected uint8 "
            "labels of shape (N,)."
        )
    wrong = np.flatnonzero(labels > 9)
    if wrong.size:
        raise ValueError(
            f"load_mnist: {path}: label {wrong[0]} (counted from 0) is {labels[wrong[0]]}, "
            f"expected 0 to 9; {wrong.size} of {labels.size} labels are out of range."
        )


def _provenance(
    folder: Path, split: str, images: Official | None, labels: Official | None
) -> tuple[str, str]:
    """Name and note; refuses official files that stand in the wrong place."""
    for kind, file in (("images", images), ("labels", labels)):
        if file is not None and (file.split, file.kind) != (split, kind):
            raise ValueError(
                f"load_mnist: {folder}: the file with the {split} {kind} is, by its checksum, "
                f"{file.title}; it stands under the wrong name."
            )
    if images is None or labels is None:
        return (
            f"{split} digits from {folder}",
            "By their checksums these are not the official files of MNIST or Fashion-MNIST.",
        )
    if images.dataset != labels.dataset:
        raise ValueError(
            f"load_mnist: {folder}: the images are {images.title} but the labels are "
            f"{labels.title}, by their checksums. Take both files from the same set."
        )
    return f"{images.dataset} {split} set from {folder}", ""
