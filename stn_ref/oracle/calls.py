"""What is asked of a backend and what comes back: one call of one of its methods.

Like :mod:`.backend` this file runs on Python 3.9 with NumPy alone.
"""

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
LAYOUTS = ("C", "fortran", "strided", "reversed", "channels-last", "broadcast", "read-only")


class Call(NamedTuple):
    """A method of a backend with its arguments: ``arrays`` and ``settings``, both by name."""

    method: str
    arrays: dict[str, Array]
    settings: dict[str, Any]
    layout: str = "C"
    """How the arrays lie in memory when the backend gets them; their values are the same in each."""


class Answer(NamedTuple):
    """What came of a call. Exactly one of ``outputs``, ``unsupported`` and ``failure`` says something."""

    outputs: dict[str, Any]
    """Arrays by name: "" for a method that returns one array; None for a missing cotangent."""
    unsupported: str = ""
    """Why the backend says that it does not do this."""
    failure: str = ""
    """One of "CRASH", "TIMEOUT" and "ERROR" (an exception)."""
    detail: str = ""
    """Of a failure: the signal, the limit, or the exception with the last lines of its traceback."""
    overwritten: tuple[str, ...] = ()
    """Arguments that the backend wrote to."""
