"""NumPy's own buffer, out of the way.

An operation on strided arrays whose rows are shorter than the buffer of NumPy copies them together there
first, which takes three times as long as the operation itself. It does so for the sake of casts; without any,
it can work on the rows as they lie.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

ROW = 512  # numbers; rows shorter than that are still copied together


@contextmanager
def unbuffered() -> Iterator[None]:
    """Let NumPy work on strided rows as they lie, in this thread; not good for operations that cast.

    >>> with unbuffered():
    ...     np.getbufsize()
    512
    """
    before = np.setbufsize(ROW)
    try:
        yield
    finally:
        np.setbufsize(before)
