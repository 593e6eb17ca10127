"""What a child process gives up before it runs anything of a submission.

It runs in the child, which has the standard library only.
"""

import ctypes
import math
import os
import pwd
import resource
import struct
import sys
from collections.abc import Collection, Sequence
from typing import NamedTuple

from . import landlock, seccomp

NOBODY = 65534  # where the system has no name for it
STACK = 8 * 2**20  # bytes
DESCRIPTORS = 64
MARGIN = 5  # seconds of processor time for loading NumPy

KEEP_CAPABILITIES, NO_NEW_PRIVILEGES, DUMPABLE = 8, 38, 4  # of prctl
NEW_NETWORK, NEW_IPC = 0x40000000, 0x08000000  # of unshare
READ_ANYWHERE = 1 << 2  # CAP_DAC_READ_SEARCH
CAPABILITIES = 0x20080522  # the version of the structure

NO_SYSTEM_CALLS = (
    "system calls are not filtered here: a submission may open network connections, unless the system "
    "forbids it, and signal processes of its own user"
)
NO_FILES = (
    "files are not shut off here: a submission may read what its user may, also of the grader's; keep what "
    "it must not see where only root can read, and start the grader as root"
)
NO_MEMORY = "memory is not limited here: the system refuses"


class NotConfined(Exception):
    """A submission must not be run here; the message says why, and what to do."""


class Room(NamedTuple):
    """What a submission can read besides Python itself: libraries, and the folder made for it."""

    libraries: Sequence[str]
    folder: str


def confine(room: Room, seconds: float, memory: int, without: Collection[str]) -> list[str]:
    """Give up all but computing; what of that was not possible, a sentence each.

    ``without`` holds "landlock" or "seccomp" to leave that out, so that the rest can be tested.

    Raises
    ------
    NotConfined
        If this would leave the process with the rights of root.
    OSError
        If the system refuses what it offers.
    """
    missing = _limit(seconds, memory)
    linux = sys.platform == "linux"
    files = linux and "landlock" not in without and landlock.version() > 0
    calls = seccomp.available() and "seccomp" not in without
    readable, listable = _python_folders()
    if os.geteuid() == 0:
        if linux:
            _libc().unshare(NEW_NETWORK | NEW_IPC)  # a second bar, where it is permitted
        _be_nobody([os.__file__, *room.libraries, room.folder], read_anywhere=files)
    if linux:
        _prctl(NO_NEW_PRIVILEGES, 1)
        _prctl(DUMPABLE, 0)
    if files:
        landlock.restrict([*readable, *room.libraries, room.folder], listable)
    else:
        missing.append(NO_FILES)
    if calls:
        seccomp.install()
    else:
        missing.append(NO_SYSTEM_CALLS)
    return missing


def _limit(seconds: float, memory: int) -> list[str]:
    cpu = math.ceil(seconds) + MARGIN
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),  # that there be no other, whoever has others; it does not bind root
        (resource.RLIMIT_NOFILE, DESCRIPTORS),
        (resource.RLIMIT_STACK, STACK),
        (resource.RLIMIT_CPU, cpu),
    ):
        _at_most(what, most)
    try:
        _at_most(resource.RLIMIT_AS, memory)
    except (ValueError, OSError):
        return [NO_MEMORY]
    return []


def _at_most(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    least = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (least, least))


def _python_folders() -> tuple[list[str], list[str]]:
    """What Python and the system's libraries must read, without what is installed next to them."""
    standard = [folder for folder in sys.path if os.path.isdir(folder)]
    libraries = [f"{sys.base_prefix}/lib", *("/lib", "/usr/lib", "/lib64", "/usr/lib64")]
    readable = ["/etc/ld.so.cache"]
    for folder in standard:
        readable += [entry.path for entry in os.scandir(folder) if not entry.name.endswith("-packages")]
    for folder in filter(os.path.isdir, libraries):
        readable += [entry.path for entry in os.scandir(folder) if not entry.name.startswith("python")]
    return readable, standard


def _be_nobody(needed: Sequence[str], read_anywhere: bool) -> None:
    """Become a user with no rights of its own.

    If others cannot read Python itself, as in root's home, then only the right to read remains, which
    Landlock restricts (``read_anywhere``).
    """
    if sys.platform == "linux":
        _prctl(KEEP_CAPABILITIES, 1)
    user, group = nobody()
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)
    closed = next((path for path in needed if not os.access(path, os.R_OK)), None)
    if sys.platform == "linux":
        kept = READ_ANYWHERE if closed and read_anywhere else 0
        header = struct.pack("<Ii", CAPABILITIES, 0)
        if _libc().capset(header, struct.pack("<6I", kept, kept, 0, 0, 0, 0)):
            raise OSError(ctypes.get_errno(), "capset")
    if closed and not read_anywhere:
        raise NotConfined(
            f"a submission is run as a user without rights, who cannot read {closed}; have Python and the "
            "folder of temporary files (TMPDIR) where all may read, or start the grader as an ordinary user"
        )


def nobody() -> tuple[int, int]:
    """The numbers of the user without rights and of its group."""
    try:
        found = pwd.getpwnam("nobody")
        return found.pw_uid, found.pw_gid
    except KeyError:
        return NOBODY, NOBODY


def _prctl(what: int, value: int) -> None:
    if _libc().prctl(what, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl {what}: {os.strerror(ctypes.get_errno())}")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
