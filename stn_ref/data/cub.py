"""Caltech-UCSD Birds-200-2011 in its official layout, and the reading of pictures (needs Pillow).

    images.txt               1 001.Black_footed_Albatross/name.jpg      (below images/)
    image_class_labels.txt   1 1
    train_test_split.txt     1 0                                        (1 is training)
    bounding_boxes.txt       1 60.0 27.0 325.0 304.0                    (left, top, width, height in pixels)

``images.txt`` decides which pictures there are, so that a folder may hold a part of the classes.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import check_choice, optional
from .catalogue import CUB_LISTS

__all__ = ["Bird", "load_cub", "load_pictures", "read_birds", "read_picture", "resize"]

CLASSES = 200
SPLITS = ("train", "test")
Box = tuple[float, float, float, float]
T = TypeVar("T")


@dataclass(frozen=True)
class Bird:
    """One picture: its number in the lists, its file, class, split, and box.

    ``label`` is the official class less 1, so 0 to 199. ``box`` is (left, top, width, height) in pixels.
    """

    number: int
    path: Path
    label: int
    train: bool
    box: Box


def load_cub(
    folder: str | os.PathLike[str], split: str = "train", size: int = 224
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pictures and classes of one split; see :func:`read_birds` and :func:`load_pictures`.

    Returns
    -------
    images, labels
        uint8 of shape (N, 3, size, size); int64 of shape (N,), 0 to 199.

    >>> load_cub("no/such/folder")
    Traceback (most recent call last):
    ...
    FileNotFoundError: read_birds: no/such/folder/images.txt does not exist; ...
    """
    check_choice("load_cub", "split", split, SPLITS)
    birds = [bird for bird in read_birds(folder) if bird.train == (split == "train")]
    labels = np.array([bird.label for bird in birds], np.int64)
    return load_pictures([bird.path for bird in birds], size), labels


def read_birds(folder: str | os.PathLike[str]) -> tuple[Bird, ...]:
    """All records of the folder ``CUB_200_2011``, in the order of ``images.txt``; opens no picture.

    Raises
    ------
    FileNotFoundError
        If one of the four lists is missing.
    ValueError
        If a line is not as in the official lists, a number comes twice, or the lists are of different
        pictures.

    >>> import tempfile
    >>> lists = {"images": "7 002.Laysan_Albatross/a.jpg", "image_class_labels": "7 2",
    ...          "train_test_split": "7 1", "bounding_boxes": "7 2.0 3.0 20.5 10.0"}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, line in lists.items():
    ...         _ = Path(folder, f"{name}.txt").write_text(line)
    ...     [bird] = read_birds(folder)
    >>> bird.number, bird.path.name, bird.label, bird.train, bird.box
    (7, 'a.jpg', 1, True, (2.0, 3.0, 20.5, 10.0))
    """
    folder = Path(folder)
    in_images, in_labels, in_split, in_boxes = (folder / name for name in CUB_LISTS)
    paths = _read_list(in_images, _picture_name, "a file below images/, such as 001.A_bird/b.jpg")
    lists: list[dict[int, Any]] = [
        _read_list(in_labels, _label, f"a class from 1 to {CLASSES}"),
        _read_list(in_split, _is_train, "1 (training) or 0 (test)"),
        _read_list(in_boxes, _box, "left, top, width and height in pixels"),
    ]
    for name, of_list in zip(CUB_LISTS[1:], lists):
        odd = sorted(paths.keys() ^ of_list.keys())
        if odd:
            where = "images.txt" if odd[0] in paths else name
            raise ValueError(
                f"read_birds: {folder / name}: it lists {len(of_list)} pictures and images.txt {len(paths)}; "
                f"number {odd[0]} is in {where} only. All lists must be of the same pictures; take them from "
                "one set."
            )
    labels, train, boxes = lists
    return tuple(
        Bird(number, folder / "images" / name, labels[number], train[number], boxes[number])
        for number, name in paths.items()
    )


def load_pictures(paths: Sequence[str | os.PathLike[str]], size: int) -> NDArray[np.uint8]:
    """The middle squares of pictures, as wide as the shorter side, at ``size`` pixels: (N, 3, size, size).

    Errors as in :func:`read_picture`.

    >>> load_pictures([], 8).shape
    (0, 3, 8, 8)
    """
    images = np.empty((len(paths), 3, size, size), np.uint8)
    for image, path in zip(images, paths):
        picture = read_picture("load_pictures", path)
        width, height = picture.size
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        image[:] = resize(picture, (left, top, left + side, top + side), size)
    return images


def read_picture(operator: str, path: str | os.PathLike[str]) -> Any:
    """A Pillow image in RGB, wholly decoded; grey ones are made RGB.

    Raises
    ------
    ModuleNotFoundError
        Without Pillow.
    OSError
        If the file is missing.
    ValueError
        If it is not a whole picture.
    """
    pillow = optional("PIL.Image", extra="birds", purpose="reading pictures", package="Pillow")
    with open(path, "rb") as file:
        try:
            return pillow.open(file).convert("RGB")
        except (OSError, ValueError, SyntaxError, pillow.DecompressionBombError) as error:
            raise ValueError(
                f"{operator}: {path}: this is no whole picture ({error}); expected a JPEG or PNG file. Fetch "
                "it again."
            ) from error


def resize(picture: Any, box: Box, size: int) -> NDArray[np.uint8]:
    """What is in ``box`` (left, top, right, bottom in pixels) at ``size`` x ``size``: uint8 (3, size, size).

    Bilinear, with averaging where it shrinks, and to the fraction of a pixel.
    """
    pillow = optional("PIL.Image", extra="birds", purpose="reading pictures", package="Pillow")
    small = picture.resize((size, size), pillow.Resampling.BILINEAR, box=box)
    return np.moveaxis(np.asarray(small, np.uint8), -1, 0)


def _read_list(path: Path, parse: Callable[[str], T], expected: str) -> dict[int, T]:
    """Number to what follows it, line by line."""
    if not path.is_file():
        raise FileNotFoundError(
            f"read_birds: {path} does not exist; give the folder CUB_200_2011 of the unpacked archive, which "
            f"holds {', '.join(CUB_LISTS)} and images/."
        )
    found: dict[int, T] = {}
    for line_number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), start=1):
        number, _, rest = line.strip().partition(" ")
        try:
            value = parse(rest.strip())
            new = int(number) not in found
        except ValueError:
            raise ValueError(
                f"read_birds: {path}: line {line_number} is {line[:60]!r}, expected a number, a space, and "
                f"{expected}. Take the file from the archive again."
            ) from None
        if not new:
            raise ValueError(
                f"read_birds: {path}: line {line_number} has number {number} for the second time; each "
                "picture has one line. Take the file from the archive again."
            )
        found[int(number)] = value
    return found


def _picture_name(text: str) -> str:
    if not text or text.startswith("/") or "\\" in text or ".." in text.split("/"):
        raise ValueError(text)  # it would lead out of the folder
    return text


def _label(text: str) -> int:
    if not 1 <= int(text) <= CLASSES:
        raise ValueError(text)
    return int(text) - 1


def _is_train(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError(text)
    return text == "1"


def _box(text: str) -> Box:
    left, top, width, height = (float(word) for word in text.split())
    if not (np.isfinite([left, top]).all() and 0 < width < np.inf and 0 < height < np.inf):
        raise ValueError(text)
    return left, top, width, height
