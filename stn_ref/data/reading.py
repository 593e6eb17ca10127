"""Reading ``.npz`` files of numbers safely: what must be in one is told first, and checked."""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import describe

__all__ = ["Field", "check_field", "read_fields"]


@dataclass(frozen=True)
class Field:
    """What an array in a file must be: its name, dtype, the shape of one item, and its range if it has one.

    >>> print(Field("y_train", "int32", (1,), 0, 9))
    y_train: int32 of shape (N, 1), values 0 to 9
    """

    name: str
    dtype: str
    item: tuple[int, ...] = ()
    least: float | None = None
    most: float | None = None

    @property
    def expected(self) -> str:
        """The array in words."""
        shape = ", ".join(["N", *map(str, self.item)]) + ("" if self.item else ",")
        values = "" if self.least is None else f", values {self.least:g} to {self.most:g}"
        return f"{self.dtype} of shape ({shape}){values}"

    def __str__(self) -> str:
        return f"{self.name}: {self.expected}"


def read_fields(operator: str, path: str | os.PathLike[str], *fields: Field) -> list[NDArray[Any]]:
    """The arrays of those names from an ``.npz`` file, checked, equally many items in each.

    Nothing but numbers is read: a file with pickled objects is refused.

    Raises
    ------
    ValueError
        If the file is damaged or is no ``.npz`` file, if an array is missing or is not as its field says, or
        if counts differ.
    OSError
        If it cannot be opened.

    >>> read_fields("load", "no/such/file.npz", Field("x", "uint8"))
    Traceback (most recent call last):
    ...
    FileNotFoundError: ... No such file or directory: 'no/such/file.npz'
    """
    arrays: list[NDArray[Any]] = []
    with open(path, "rb") as file:
        archive = _open(operator, path, file)
        for field in fields:
            if field.name not in archive.files:
                raise ValueError(
                    f"{operator}: {path}: there is no array {field.name}; the file holds "
                    f"{', '.join(archive.files) or 'nothing'}, expected {field}. Give the file of that set."
                )
            arrays.append(_read(operator, path, archive, field))
    for field, array in zip(fields, arrays):
        if len(array) != len(arrays[0]):
            raise ValueError(
                f"{operator}: {path}: {field.name} has {len(array)} items but {fields[0].name} has "
                f"{len(arrays[0])}; they must be equally many, in the same order. Fetch the file again."
            )
    return arrays


def check_field(operator: str, path: str | os.PathLike[str], field: Field, array: Any) -> None:
    """Refuse an array that is not what ``field`` says.

    >>> check_field("load", "a.npz", Field("y", "uint8", (), 0, 9), np.array([3, 12], np.uint8))
    Traceback (most recent call last):
    ...
    ValueError: load: a.npz: y has values 3 to 12, expected uint8 of shape (N,), values 0 to 9. ...
    """
    came = ""
    if array.dtype != field.dtype or array.ndim != 1 + len(field.item) or array.shape[1:] != field.item:
        came = f"is a {describe(array)}"
    elif field.least is not None and field.most is not None and array.size:
        least, most = array.min(), array.max()
        if not (field.least <= least and most <= field.most):  # NaN is refused too
            came = f"has values {least:g} to {most:g}"
    if came:
        raise ValueError(
            f"{operator}: {path}: {field.name} {came}, expected {field.expected}. "
            "Give the file of that data set, or fetch it again."
        )


def _open(operator: str, path: str | os.PathLike[str], file: Any) -> Any:
    try:
        archive = np.load(file, allow_pickle=False)
    except Exception as error:  # NumPy raises whatever a damaged file leads it to
        raise ValueError(
            f"{operator}: {path}: this is no whole .npz file ({error}); expected an archive of NumPy arrays. "
            "Fetch it again."
        ) from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise ValueError(
            f"{operator}: {path}: this is a single array ({describe(archive)}), expected an .npz archive "
            "with several, by name. Give the .npz file of that data set."
        )
    return archive


def _read(operator: str, path: str | os.PathLike[str], archive: Any, field: Field) -> NDArray[Any]:
    try:
        array: NDArray[Any] = archive[field.name]
    except Exception as error:  # as above
        raise ValueError(
            f"{operator}: {path}: {field.name} cannot be read ({error}); expected {field.expected}. The file "
            "is damaged or holds Python objects, which are never read; fetch it again."
        ) from error
    check_field(operator, path, field, array)
    return array
