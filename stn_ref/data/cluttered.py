"""The published 40x40 cluttered digits."""

import os

import numpy as np
from numpy.typing import NDArray

from ..errors import check_choice
from .reading import Field, read_fields

__all__ = ["load_cluttered"]

SPLITS = ("train", "valid", "test")
SIDE = 40


def load_cluttered(
    path: str | os.PathLike[str], split: str = "train"
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Digits moved about and cluttered with pieces of others, as published in one ``.npz`` file.

    Parameters
    ----------
    path
        The file, with ``X_train`` (N, 1600) float32 in 0 to 1 and ``y_train`` (N, 1) int32, and the same for
        ``valid`` and ``test``.
    split
        "train", "valid" or "test".

    Returns
    -------
    images, labels
        float32 of shape (N, 1, 40, 40), 0 is background and 1 ink; uint8 of shape (N,), 0 to 9.

    Raises
    ------
    ValueError
        If the file is damaged or holds something else, or ``split`` is unknown.
    OSError
        If it cannot be opened.

    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "two.npz")
    ...     np.savez(path, X_test=np.zeros((2, 1600), np.float32), y_test=np.array([[4], [1]], np.int32))
    ...     images, labels = load_cluttered(path, "test")
    >>> images.shape, labels
    ((2, 1, 40, 40), array([4, 1], dtype=uint8))
    """
    check_choice("load_cluttered", "split", split, SPLITS)
    images, labels = read_fields(
        "load_cluttered",
        path,
        Field(f"X_{split}", "float32", (SIDE * SIDE,), 0, 1),
        Field(f"y_{split}", "int32", (1,), 0, 9),
    )
    return images.reshape(-1, 1, SIDE, SIDE), labels[:, 0].astype(np.uint8)
