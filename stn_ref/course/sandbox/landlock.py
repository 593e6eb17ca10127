"""Landlock: Linux lets a process give up all files but some, for good and without any privilege.

It runs in the child, which has the standard library only.
"""

import ctypes
import os
import struct
from collections.abc import Iterable

CREATE, ADD, RESTRICT = 444, 445, 446  # numbers of the system calls, the same on every architecture
VERSION = 1  # a flag of the first one
BENEATH = 1  # the kind of rule
READ_FILE, READ_FOLDER = 1 << 2, 1 << 3
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # how many there are, by version
CONNECTING = 3  # binding and connecting a socket, from version 4
SCOPES = 3  # abstract sockets, and signals to others, from version 6


def version() -> int:
    """That of Landlock in this system; 0 if there is none."""
    return max(0, int(_libc().syscall(CREATE, None, ctypes.c_size_t(0), VERSION)))


def restrict(readable: Iterable[str], listable: Iterable[str]) -> None:
    """Let this process open nothing but ``readable`` files and folders, and only to read.

    What is directly or indirectly in a ``listable`` folder can be listed, but not opened.

    Raises
    ------
    OSError
        If the system refuses.
    """
    number = version()
    handled = struct.pack("<Q", (1 << FILE_RIGHTS[min(number, max(FILE_RIGHTS))]) - 1)
    if number >= 4:
        handled += struct.pack("<Q", CONNECTING)
    if number >= 6:
        handled += struct.pack("<Q", SCOPES)
    rules = _checked(_libc().syscall(CREATE, handled, ctypes.c_size_t(len(handled)), 0))
    try:
        for path in listable:
            _allow(rules, path, READ_FOLDER)
        for path in readable:
            _allow(rules, path, READ_FILE | (READ_FOLDER if os.path.isdir(path) else 0))
        _checked(_libc().syscall(RESTRICT, rules, 0))
    finally:
        os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no leave
    try:
        _checked(_libc().syscall(ADD, rules, BENEATH, struct.pack("<Qi", rights, place), 0))
    finally:
        os.close(place)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock: {os.strerror(ctypes.get_errno())}")
    return result
