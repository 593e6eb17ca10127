"""Calls and answers as bytes, between two processes whose versions of Python and NumPy may differ.

A message is a prefix with two lengths, a JSON head, and the bytes of its arrays. Reading one can go wrong but
never runs anything, so that a broken backend cannot harm the process that judges it.

Like :mod:`..backend` this file runs on Python 3.9 with NumPy alone.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..calls import Answer, Array, Call

PREFIX = struct.Struct("<QQ")  # bytes of the head and of the arrays
ALIGNED = 16  # bytes
LARGEST = 2**40  # bytes of a message; a longer one is noise on the pipe
CHUNK = 2**20  # at most so many bytes are read at once, whatever a prefix promises
NUMBERS = "biufc"  # kinds of dtypes whose bytes are their values


class Garbled(ValueError):
    """Bytes that are no message."""


def packed(said: Any, arrays: Sequence[Array] = ()) -> bytes:
    """A message of what JSON can say, and of arrays of numbers."""
    head = _padded(json.dumps([said, [(array.dtype.str, array.shape) for array in arrays]]).encode())
    body = [_padded(array.tobytes()) for array in arrays]
    return b"".join([PREFIX.pack(len(head), sum(map(len, body))), head, *body])


def unpacked(message: bytearray) -> tuple[Any, list[Array]]:
    """What :func:`packed` was given, but tuples as lists; the arrays are parts of ``message``, writeable.

    >>> unpacked(bytearray(packed({"a": None}, [np.arange(3, dtype=np.int8)])))
    ({'a': None}, [array([0, 1, 2], dtype=int8)])
    """
    try:
        start = PREFIX.size + PREFIX.unpack_from(message)[0]
        said, described = json.loads(message[PREFIX.size : start])
        arrays = []
        for name, shape in described:
            dtype, count = np.dtype(name), math.prod(shape)
            if dtype.kind not in NUMBERS:
                raise Garbled(f"an array of dtype {dtype}")
            arrays.append(np.frombuffer(message, dtype, count, start).reshape(shape))
            start += -(-count * dtype.itemsize // ALIGNED) * ALIGNED
    except (ValueError, TypeError, RecursionError, OverflowError, struct.error) as error:
        raise Garbled(f"a message that cannot be read: {error}") from error
    return said, arrays


class Reader:
    """Messages of at most ``largest`` bytes from a file descriptor, which may be a non-blocking one."""

    def __init__(self, descriptor: int, largest: int = LARGEST) -> None:
        self.descriptor = descriptor
        self._largest = largest
        self._read = bytearray()

    def next(self) -> bytearray | None:
        """The next message, or None if it is not all there yet and reading does not block.

        Raises
        ------
        EOFError
            If nothing more can come.
        Garbled
            If what comes is no message.
        """
        while len(self._read) < self._wanted():
            try:
                part = os.read(self.descriptor, min(self._wanted() - len(self._read), CHUNK))
            except BlockingIOError:
                return None
            if not part:
                raise EOFError
            self._read += part
        message, self._read = self._read, bytearray()
        return message

    def _wanted(self) -> int:
        if len(self._read) < PREFIX.size:
            return PREFIX.size
        size = int(sum(PREFIX.unpack_from(self._read)))
        if size > self._largest:
            raise Garbled(f"a message that claims to have {size} bytes")
        return PREFIX.size + size


def packed_call(call: Call) -> bytes:
    said = {**call._asdict(), "arrays": list(call.arrays)}
    return packed(said, list(call.arrays.values()))


def unpacked_call(message: bytearray) -> Call:
    """The call; sequences in its settings have become tuples."""
    said, arrays = unpacked(message)
    return Call(said["method"], dict(zip(said["arrays"], arrays)), _tuples(said["settings"]), said["layout"])


def packed_answer(answer: Answer) -> bytes:
    present = {name: array for name, array in answer.outputs.items() if array is not None}
    said = {**answer._asdict(), "outputs": list(answer.outputs), "present": list(present)}
    return packed(said, list(present.values()))


def unpacked_answer(message: bytearray) -> Answer:
    said, arrays = unpacked(message)
    try:
        present = dict(zip(said["present"], arrays))
        return Answer(
            {str(name): present.get(name) for name in said["outputs"]},
            unsupported=str(said["unsupported"]),
            failure=str(said["failure"]),
            detail=str(said["detail"]),
            overwritten=tuple(map(str, said["overwritten"])),
        )
    except (KeyError, TypeError) as error:
        raise Garbled(f"an answer without {error}") from error


def unpacked_start(message: bytearray) -> dict[str, Any]:
    """The first message of a worker: what its backend claims, or "failed" and why."""
    said, _ = unpacked(message)
    if not isinstance(said, dict):
        raise Garbled("a first message that is no dict")
    return _tuples(said)


def _tuples(said: dict[str, Any]) -> dict[str, Any]:
    """A dict that was said, with its lists made tuples again."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}


def _padded(part: bytes) -> bytes:
    return part + b" " * (-len(part) % ALIGNED)
