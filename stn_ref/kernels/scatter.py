"""Adding numbers into an array at given places, where a place may come more than once: eq. (6)'s sum.

SciPy's sparse matrices do the same when they are written out densely, in a compiled loop that is faster
than ``np.add.at`` and ``np.bincount``. The loop itself is private to SciPy; without it ``np.bincount`` does
the work. It checks no index, so that is done here.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def add_at(total: Array, index: Array, offsets: Sequence[int], values: Sequence[Array]) -> None:
    """``total[index + offset] += value`` for each of the offsets, adding up where an index repeats.

    ``total`` is 1-D and contiguous, ``index`` int32; ``values`` have its shape and the dtype of ``total``.

    >>> total = np.zeros(4)
    >>> add_at(total, np.array([0, 0, 2], np.int32), [1], [np.array([1.0, 2.0, 4.0])])
    >>> total
    array([0., 3., 0., 4.])
    """
    check_indices(index, len(total) - max(offsets))
    index = np.ascontiguousarray(index).reshape(-1)
    for offset, value in zip(offsets, values):
        _add(total[offset:], index, np.ascontiguousarray(value).reshape(-1))


def _add(total: Array, index: Array, value: Array) -> None:
    csr_todense = compiled_loop()
    if csr_todense is None:
        total += np.bincount(index, value, len(total)).astype(total.dtype)
    else:  # a sparse matrix of one row
        ends = np.array([0, len(index)], np.int32)
        csr_todense(1, len(total), ends, index, value, total.reshape(1, -1))


@cache
def compiled_loop() -> Any:
    """SciPy's, or None if this SciPy has none; imported here, since that takes long."""
    try:
        from scipy.sparse._sparsetools import csr_todense
    except ImportError:
        return None
    return csr_todense


def check_indices(index: Array, limit: int) -> None:
    """Refuse an int32 index below 0, or of ``limit`` or more."""
    if index.size and int(index.view(np.uint32).max()) >= limit:  # below 0 is huge, unsigned
        raise IndexError(
            f"indices are between {index.min()} and {index.max()}, expected at least 0 and less than {limit}"
        )
