"""ModelNet10 as voxels: solids of 30x30x30, one bit each."""

import os

import numpy as np
from numpy.typing import NDArray

from ..errors import check_choice
from .reading import Field, read_fields

__all__ = ["MODELNET10", "load_voxels"]

MODELNET10 = (
    *("bathtub", "bed", "chair", "desk", "dresser"),
    *("monitor", "night_stand", "sofa", "table", "toilet"),
)
"""The classes in the order of their labels, which is that of the alphabet."""
SPLITS = ("train", "test")
SIDE = 30


def load_voxels(
    path: str | os.PathLike[str], split: str = "train"
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Solids and their classes from an ``.npz`` file with packed bits.

    Parameters
    ----------
    path
        The file, with ``x_train`` (N, 3375) uint8, the 27,000 voxels of a solid in C order, eight in a byte,
        the first in the highest bit; ``y_train`` (N,) uint8; and the same for ``test``.
    split
        "train" or "test".

    Returns
    -------
    solids, labels
        uint8 of shape (N, 1, 30, 30, 30), 1 is matter; the last axis points up (as z does in ModelNet), so
        that (N, C, D, H, W) has the height along W. uint8 of shape (N,), an index into ``MODELNET10``.

    Raises
    ------
    ValueError
        If the file is damaged or holds something else, or ``split`` is unknown.
    OSError
        If it cannot be opened.

    >>> import tempfile
    >>> from pathlib import Path
    >>> corner = np.zeros((1, 30, 30, 30), np.uint8)
    >>> corner[0, 0, 0, 2] = 1
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "one.npz")
    ...     np.savez(path, x_test=np.packbits(corner.reshape(1, -1), axis=1), y_test=np.array([8], np.uint8))
    ...     solids, labels = load_voxels(path, "test")
    >>> solids.shape, np.argwhere(solids[0, 0]).tolist(), MODELNET10[labels[0]]
    ((1, 1, 30, 30, 30), [[0, 0, 2]], 'table')
    """
    check_choice("load_voxels", "split", split, SPLITS)
    packed, labels = read_fields(
        "load_voxels",
        path,
        Field(f"x_{split}", "uint8", (SIDE**3 // 8,)),
        Field(f"y_{split}", "uint8", (), 0, len(MODELNET10) - 1),
    )
    return np.unpackbits(packed, axis=1).reshape(-1, 1, SIDE, SIDE, SIDE), labels
