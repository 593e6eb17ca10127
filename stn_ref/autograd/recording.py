"""Whether what is computed is recorded, for each thread by itself."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _State(threading.local):
    """What the current thread is doing: whether it records, and how many transforms it is inside."""

    recording = True
    depth = 0


state = _State()


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording; also usable as a decorator.

    >>> from stn_ref import Tensor
    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> with no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """
    before, state.recording = state.recording, False
    try:
        yield
    finally:
        state.recording = before
