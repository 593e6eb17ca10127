"""The same values in another memory order: a backend that ignores strides gets them wrong.

Like :mod:`.backend` this file runs on Python 3.9 with NumPy alone.
"""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .calls import Array


def laid_out(array: Array, layout: str) -> Array:
    """A copy with the same values, shape and dtype, that lies in memory as ``layout`` says.

    It is one of ``calls.LAYOUTS``:

    - ``"C"``, ``"fortran"``: the first or the last axis outermost, no gaps
    - ``"strided"``: every second element of a larger buffer, with NaN or the largest integer in its gaps
    - ``"reversed"``: all strides are negative
    - ``"channels-last"``: axis 1 innermost, (N, H, W, C); C order below three dimensions
    - ``"broadcast"``: stride 0 along each axis along which nothing changes; C order if there is none
    - ``"read-only"``: C order, and writing is refused; all others are writeable

    Raises
    ------
    ValueError
        If there is no such layout.

    >>> laid_out(np.zeros((2, 3)), "fortran").strides
    (8, 16)
    >>> laid_out(np.array([[1.0, 2.0], [1.0, 2.0]]), "broadcast").strides
    (0, 8)
    """
    if layout not in WAYS:
        raise ValueError(f"laid_out: layout is {layout!r}, expected one of {', '.join(map(repr, WAYS))}")
    laid: Array = WAYS[layout](array)
    return laid


def _c(array: Array) -> Array:
    return np.array(array, order="C")


def _fortran(array: Array) -> Array:
    return np.array(array, order="F")


def _strided(array: Array) -> Array:
    if not array.ndim:
        return _c(array)
    *outer, last = array.shape
    buffer = np.full([*(n + 1 for n in outer), 2 * last + 1], _garbage(array.dtype), array.dtype)
    inside = [slice(1, None)] * len(outer) + [slice(1, None, 2)]
    laid: Array = buffer[tuple(inside)]
    laid[...] = array
    return laid


def _reversed(array: Array) -> Array:
    backwards: tuple[Any, ...] = (..., *[slice(None, None, -1)] * array.ndim)
    laid: Array = _c(array[backwards])[backwards]
    return laid


def _channels_last(array: Array) -> Array:
    if array.ndim < 3:
        return _c(array)
    return np.moveaxis(_c(np.moveaxis(array, 1, -1)), -1, 1)


def _broadcast(array: Array) -> Array:
    laid = _c(array)
    bits = laid[..., None].view(np.uint8)  # so that NaN equals itself, and -0 is not 0
    same = [n > 1 and bool((bits == bits.take([0], axis)).all()) for axis, n in enumerate(laid.shape)]
    strides = [0 if repeats else stride for repeats, stride in zip(same, laid.strides)]
    return as_strided(laid, strides=strides, writeable=True)


def _read_only(array: Array) -> Array:
    laid = _c(array)
    laid.flags.writeable = False
    return laid


def _garbage(dtype: "np.dtype[Any]") -> Any:
    """What a backend would notice that it has read."""
    if dtype.kind in "iu":
        return np.iinfo(dtype).max
    return True if dtype.kind == "b" else np.nan


WAYS = {
    "C": _c,
    "fortran": _fortran,
    "strided": _strided,
    "reversed": _reversed,
    "channels-last": _channels_last,
    "broadcast": _broadcast,
    "read-only": _read_only,
}
