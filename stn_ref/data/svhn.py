"""SVHN, the Street View House Numbers, in its official formats, and a small sample of it.

Cropped digits are ``train_32x32.mat`` and ``test_32x32.mat`` (MATLAB 5, read by SciPy). Full numbers are a
folder of PNG files beside ``digitStruct.mat``, which is HDF5 (MATLAB 7.3) and needs h5py; cropping them needs
Pillow; both come with the extra ``svhn``. The files say 10 for the digit 0, what is returned says 0.
"""

import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import check_choice, describe, optional
from .cub import Box, read_picture, resize
from .reading import Field, read_fields

__all__ = [
    *("NO_DIGIT", "HouseNumber", "SvhnSample", "box_around", "crop_numbers"),
    *("load_svhn_cropped", "load_svhn_numbers", "load_svhn_sample"),
]

NO_DIGIT = 10
"""The eleventh class of each of the five heads: the number has no digit there."""
LONGEST = 5
ENLARGED = 1.3
SPLITS = ("train", "test")
STRUCT = "digitStruct.mat"
COMPRESSED = 15  # the type of such an element in a MATLAB 5 file
DAMAGED = (OSError, KeyError, ValueError, TypeError, IndexError, AttributeError, RuntimeError, OverflowError)
BOX_FIELDS = ("left", "top", "width", "height")
Array = NDArray[Any]


@dataclass(frozen=True)
class HouseNumber:
    """One picture of a house number.

    ``name`` is the file in its folder; ``boxes`` float64 of shape (K, 4), (left, top, width, height) in
    pixels from the picture's corner; ``labels`` uint8 of shape (K,), the digits 0 to 9 in reading order.
    """

    name: str
    boxes: NDArray[np.float64]
    labels: NDArray[np.uint8]


@dataclass(frozen=True)
class SvhnSample:
    """One split of the sample: M numbers, and their N digits one by one.

    ``digits`` uint8 (N, 3, 32, 32) and ``labels`` uint8 (N,), 0 to 9. ``numbers`` uint8 (M, 3, 64, 64),
    ``sequences`` uint8 (M, 5), padded with ``NO_DIGIT``, and ``boxes`` float32 (M, 5, 4), (left, top, right,
    bottom) of each digit in pixels of ``numbers``, NaN where there is none.
    """

    digits: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    numbers: NDArray[np.uint8]
    sequences: NDArray[np.uint8]
    boxes: NDArray[np.float32]


def load_svhn_cropped(path: str | os.PathLike[str]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Single digits from ``train_32x32.mat``, ``test_32x32.mat`` or ``extra_32x32.mat``.

    Returns
    -------
    images, labels
        uint8 of shape (N, 3, 32, 32); uint8 of shape (N,), 0 to 9. The file has ``X`` (32, 32, 3, N) uint8
        and ``y`` (N, 1), 1 to 10, where 10 means the digit 0.

    Raises
    ------
    ValueError
        If the file is damaged or holds something else.
    OSError
        If it cannot be opened.

    >>> import tempfile
    >>> from scipy.io import savemat
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "two.mat")
    ...     savemat(path, {"X": np.zeros((32, 32, 3, 2), np.uint8), "y": np.array([[10], [7]], np.uint8)},
    ...             do_compression=True)
    ...     images, labels = load_svhn_cropped(path)
    >>> images.shape, labels
    ((2, 3, 32, 32), array([0, 7], dtype=uint8))
    """
    operator = "load_svhn_cropped"
    X, y = _read_mat(operator, path)
    mend = "Give train_32x32.mat or test_32x32.mat, or fetch it again."
    if X.dtype != np.uint8 or X.ndim != 4 or X.shape[:3] != (32, 32, 3):
        raise ValueError(
            f"{operator}: {path}: X is a {describe(X)}, expected uint8 of shape (32, 32, 3, N). {mend}"
        )
    if y.shape != (X.shape[3], 1) or y.dtype.kind not in "uif":
        raise ValueError(
            f"{operator}: {path}: y is a {describe(y)}, expected shape ({X.shape[3]}, 1), one number for "
            f"each image of X. {mend}"
        )
    return np.ascontiguousarray(np.moveaxis(X, (3, 2), (0, 1))), _digits(y[:, 0], f"{operator}: {path}: y")


def load_svhn_numbers(folder: str | os.PathLike[str]) -> tuple[HouseNumber, ...]:
    """What ``digitStruct.mat`` in ``folder`` says about the pictures beside it, in its order.

    No picture is opened. A large file takes a while: it is a tree of references.

    Raises
    ------
    ModuleNotFoundError
        Without h5py, the extra ``svhn``.
    FileNotFoundError
        If the file is not there.
    ValueError
        If the file is damaged or something in it is not as in the official one.

    >>> load_svhn_numbers("no/such/folder")
    Traceback (most recent call last):
    ...
    FileNotFoundError: load_svhn_numbers: no/such/folder/digitStruct.mat does not exist; ...
    """
    path = Path(folder, STRUCT)
    if not path.is_file():
        raise FileNotFoundError(
            f"load_svhn_numbers: {path} does not exist; give the folder train or test of the unpacked "
            f"archive, which holds 1.png, 2.png, ... and {STRUCT}"
        )
    h5py = optional("h5py", extra="svhn", purpose=f"reading {STRUCT}")
    place = "/digitStruct"
    numbers: list[HouseNumber] = []
    try:
        with h5py.File(path, "r") as file:
            names, groups = (file["digitStruct"][field][:, 0] for field in ("name", "bbox"))
            for k in range(max(len(names), len(groups))):
                place = f"/digitStruct, entry {k + 1}"
                numbers.append(_house_number(file, names[k], groups[k]))
    except DAMAGED as error:
        raise ValueError(
            f"load_svhn_numbers: {path}: {place}: {error}; expected as in the official file a name such as "
            f"1.png and, for each of its digits, {', '.join(BOX_FIELDS)} and label (1 to 10). Fetch the "
            "archive again."
        ) from error
    return tuple(numbers)


def crop_numbers(
    folder: str | os.PathLike[str], numbers: Sequence[HouseNumber], size: int = 64
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The pictures around their digits, at ``size`` x ``size``, and the digits for the five heads.

    The protocol is that of Goodfellow et al., "Multi-digit number recognition from Street View imagery using
    deep convolutional neural networks" (2014, arXiv:1312.6082), section 5.1, which the paper takes its crops
    of 64 pixels from: the smallest box around the boxes of all digits, 30 % wider and 30 % higher, resized
    without regard to its shape. What they leave open is chosen here: the box grows equally on both sides,
    and ends where the picture does; resizing is bilinear, with averaging where it shrinks.

    ``numbers`` are from :func:`load_svhn_numbers`, none longer than five digits; ``folder`` has the pictures.

    Returns
    -------
    images, sequences
        uint8 of shape (N, 3, size, size); uint8 of shape (N, 5), digits 0 to 9, then 10 for "no digit".

    Raises
    ------
    ModuleNotFoundError
        Without Pillow, the extra ``svhn``.
    OSError
        If a picture is missing.
    ValueError
        If a number has more than five digits, a picture is damaged, or a box lies outside its picture.

    >>> crop_numbers("no/such/folder", [], size=16)[0].shape
    (0, 3, 16, 16)
    """
    images = np.empty((len(numbers), 3, size, size), np.uint8)
    sequences = np.full((len(numbers), LONGEST), NO_DIGIT, np.uint8)
    for k, number in enumerate(numbers):
        path = Path(folder, number.name)
        if len(number.labels) > LONGEST:
            raise ValueError(
                f"crop_numbers: {path} has {len(number.labels)} digits, expected at most {LONGEST}; leave it "
                f"out: [n for n in numbers if len(n.labels) <= {LONGEST}]"
            )
        picture = read_picture("crop_numbers", path)
        box = box_around(number.boxes, *picture.size)
        if not (box[0] < box[2] and box[1] < box[3]):
            raise ValueError(
                f"crop_numbers: {path} is {picture.width}x{picture.height} pixels, its digits lie outside; "
                f"expected pictures and {STRUCT} from one archive. Unpack both again."
            )
        images[k] = resize(picture, box, size)
        sequences[k, : len(number.labels)] = number.labels
    return images, sequences


def box_around(boxes: NDArray[np.float64], width: float, height: float) -> Box:
    """The box around boxes (K, 4), 30 % wider and higher, cut at the picture: (left, top, right, bottom).

    >>> box_around(np.array([[40.0, 20.0, 10.0, 20.0], [50.0, 20.0, 10.0, 20.0]]), 100, 42)
    (37.0, 17.0, 63.0, 42.0)
    """
    low = boxes[:, :2].min(axis=0)
    high = (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
    margin = (ENLARGED - 1) / 2 * (high - low)
    left, top = np.maximum(low - margin, 0)
    right, bottom = np.minimum(high + margin, (width, height))
    return float(left), float(top), float(right), float(bottom)


def load_svhn_sample(path: str | os.PathLike[str], split: str = "train") -> SvhnSample:
    """One split of ``svhn_512.npz``, a few hundred numbers for development.

    The file has, for ``train`` and ``test``, ``x_`` (N, 32, 32, 3) and ``y_`` (N,) digit by digit, ``full_``
    (M, 64, 64, 3), ``seq_`` (M, 5) int8 padded with -1, ``box_`` (M, 5, 4) float32 padded with NaN.

    Errors as in :func:`stn_ref.data.cluttered.read_fields`.

    >>> load_svhn_sample("svhn_512.npz", "valid")
    Traceback (most recent call last):
    ...
    ValueError: load_svhn_sample: split is 'valid', expected one of 'train', 'test'
    """
    operator = "load_svhn_sample"
    check_choice(operator, "split", split, SPLITS)
    digits, labels = read_fields(
        operator, path, Field(f"x_{split}", "uint8", (32, 32, 3)), Field(f"y_{split}", "uint8", (), 0, 9)
    )
    numbers, sequences, boxes = read_fields(
        operator,
        path,
        Field(f"full_{split}", "uint8", (64, 64, 3)),
        Field(f"seq_{split}", "int8", (LONGEST,), -1, 9),
        Field(f"box_{split}", "float32", (LONGEST, 4)),
    )
    there = sequences >= 0
    if (there[:, 1:] > there[:, :-1]).any() or (np.isfinite(boxes) != there[..., None]).any():
        raise ValueError(
            f"{operator}: {path}: seq_{split} and box_{split} do not belong together; expected digits first "
            "and then -1, and a box of four numbers exactly where there is a digit. Fetch the file again."
        )
    digits, numbers = (np.ascontiguousarray(np.moveaxis(images, -1, 1)) for images in (digits, numbers))
    padded = np.where(there, sequences, NO_DIGIT).astype(np.uint8)
    return SvhnSample(digits, labels, numbers, padded, boxes)


def _read_mat(operator: str, path: str | os.PathLike[str]) -> tuple[Array, Array]:
    from scipy.io import loadmat  # slow to import, and wanted here only

    with open(path, "rb") as file:
        try:
            _check_elements(file)
            arrays = loadmat(file, variable_names=["X", "y"])
        except Exception as error:  # SciPy raises whatever a damaged file leads it to
            raise ValueError(
                f"{operator}: {path}: this is no whole MATLAB 5 file, compressed as the official ones are "
                f"({error}); expected train_32x32.mat or test_32x32.mat. Fetch it again, or write your own "
                f"by scipy.io.savemat(..., do_compression=True). {STRUCT} is read by load_svhn_numbers."
            ) from error
    missing = [name for name in ("X", "y") if name not in arrays]
    if missing:
        raise ValueError(
            f"{operator}: {path}: there is no array {missing[0]}; expected X (the images) and y (the "
            "labels). Give train_32x32.mat or test_32x32.mat."
        )
    return arrays["X"], arrays["y"]


def _check_elements(file: BinaryIO) -> None:
    """Each element is whole and compressed: SciPy can crash on a damaged one that is not."""
    place, end = 128, file.seek(0, os.SEEK_END)
    while place != end:
        file.seek(place)
        kind, size = struct.unpack("<II", file.read(8).ljust(8, b"\0"))
        place += 8 + size
        if kind != COMPRESSED or place > end:
            raise ValueError(f"element of type {kind} and {size} bytes before byte {min(place, end)}")
    file.seek(0)


def _house_number(file: Any, name_reference: Any, group_reference: Any) -> HouseNumber:
    """One entry of the open HDF5 file; raises one of DAMAGED if it is not as it should be."""
    name = "".join(chr(code) for code in file[name_reference][:, 0])
    if Path(name).name != name or "\\" in name:  # it would lead out of the folder
        raise ValueError(f"name is {name!r}")
    group = file[group_reference]
    columns = [_column(file, group[field]) for field in (*BOX_FIELDS, "label")]
    if len({len(column) for column in columns}) != 1:
        raise ValueError(f"its fields have {', '.join(str(len(column)) for column in columns)} values")
    boxes = np.stack(columns[:4], axis=1)
    if not (len(boxes) and np.isfinite(boxes).all() and (boxes[:, 2:] > 0).all()):
        raise ValueError(f"its boxes are {boxes.tolist()}")
    return HouseNumber(name, boxes, _digits(columns[4], "label"))


def _column(file: Any, numbers: Any) -> NDArray[np.float64]:
    """One field of all digits of a picture: MATLAB keeps one number as it is, several as references."""
    values = numbers[:, 0]
    if values.dtype.kind == "O":
        values = [file[reference][0, 0] for reference in values]
    return np.asarray(values, np.float64)


def _digits(codes: Array, field: str) -> NDArray[np.uint8]:
    """Codes 1 to 10 as digits 1 to 9, 0; ``field`` is what an error calls them."""
    wrong = ~np.isin(codes, np.arange(1, 11))
    if wrong.any():
        raise ValueError(
            f"{field} is {codes[wrong][0]:g} for digit {wrong.argmax() + 1} of {codes.size}, expected 1 to "
            "9, or 10 for the digit 0"
        )
    return (codes % 10).astype(np.uint8)
