"""Memory for intermediate arrays that each thread uses again and again.

Fresh memory is slow: the system hands it out page by page, each one cleared, and takes it back as soon as it
is free. What a kernel needs only until it returns lies here instead, at most ``LIMIT`` bytes for each thread.
Nothing that a kernel returns does.
"""

import math
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
LIMIT = 2**24  # bytes
PAGE, LINE = 4096, 64  # bytes of a page of memory, and of a line of the cache


class Workspace:
    """A stack of uninitialised arrays, taken one after the other and given back all at once.

    >>> with Workspace() as space:
    ...     a, b = space.empty((2, 3), np.dtype("f")), space.empty((4,), np.dtype("d"))
    ...     space.taken
    2
    >>> space.taken
    0
    """

    __slots__ = ("_arrays", "_held", "_memory", "_users", "taken")

    def __init__(self) -> None:
        self._arrays: list[Array] = []  # the last one handed out at each place of the stack
        self._memory: list[Array] = []
        self.taken, self._users, self._held = 0, 0, 0

    def __enter__(self) -> "Workspace":
        self._users += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._users -= 1
        if not self._users:
            self.taken = 0

    def empty(self, shape: tuple[int, ...], dtype: "np.dtype[Any]") -> Array:
        """An uninitialised array."""
        place, self.taken = self.taken, self.taken + 1
        if place < len(self._arrays):
            array = self._arrays[place]
            if array.shape == shape and array.dtype is dtype:
                return array
        return self._other(place, shape, dtype)

    def _other(self, place: int, shape: tuple[int, ...], dtype: "np.dtype[Any]") -> Array:
        """An array of another form than before at this place of the stack."""
        size = math.prod(shape) * dtype.itemsize
        if place == len(self._arrays):
            self._arrays.append(np.empty(0))
            self._memory.append(np.empty(0, np.uint8))
        memory = self._memory[place]
        offset = place * 7 * LINE % PAGE  # arrays at the same offset in a page get into each other's way
        if len(memory) < size + PAGE:
            if self._held - len(memory) + size + PAGE > LIMIT:
                return np.empty(shape, dtype)
            self._held += size + PAGE - len(memory)
            memory = self._memory[place] = np.empty(size + PAGE, np.uint8)
        self._arrays[place] = memory[offset : offset + size].view(dtype).reshape(shape)
        return self._arrays[place]

    def release(self, taken: int) -> None:
        """Give back all but so many arrays."""
        self.taken = taken


_threads = threading.local()


def workspace() -> Workspace:
    """That of the current thread."""
    try:
        space: Workspace = _threads.space
    except AttributeError:
        space = _threads.space = Workspace()
    return space
