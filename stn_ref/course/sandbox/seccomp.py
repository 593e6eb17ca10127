"""Seccomp: Linux lets a process give up all system calls but some, for good and without any privilege.

What is left is what computing, importing and printing need. There is no way to make a process, a thread or a
socket, to open a file for writing, to signal or look into another process, or to change what was given up.

It runs in the child, which has the standard library only.
"""

import ctypes
import errno
import os
import struct
import sys
from typing import NamedTuple

# System calls, each with its number on x86_64 and on aarch64, which does not have all of them.
ALLOWED = """
read 0 63, write 1 64, close 3 57, stat 4 -, fstat 5 80, lstat 6 -, poll 7 -, lseek 8 62, mmap 9 222,
mprotect 10 226, munmap 11 215, brk 12 214, rt_sigaction 13 134, rt_sigprocmask 14 135,
rt_sigreturn 15 139, pread64 17 67, readv 19 65, writev 20 66, access 21 -, pipe 22 -, select 23 -,
sched_yield 24 124, mremap 25 216, madvise 28 233, dup 32 23, dup2 33 -, nanosleep 35 101,
getitimer 36 102, alarm 37 -, setitimer 38 103, getpid 39 172, exit 60 93, uname 63 160,
getcwd 79 17, chdir 80 49, fchdir 81 50, readlink 89 -, gettimeofday 96 169, getrlimit 97 163,
getrusage 98 165, sysinfo 99 179, times 100 153, getuid 102 174, getgid 104 176, geteuid 107 175,
getegid 108 177, getppid 110 173, sigaltstack 131 132, statfs 137 43, gettid 186 178, time 201 -,
futex 202 98, sched_getaffinity 204 123, getdents64 217 61, restart_syscall 219 128,
clock_gettime 228 113, clock_getres 229 114, clock_nanosleep 230 115, exit_group 231 94,
newfstatat 262 79, readlinkat 267 78, faccessat 269 48, pselect6 270 72, ppoll 271 73,
set_robust_list 273 99, epoll_create1 291 20, dup3 292 24, pipe2 293 59, getcpu 309 168,
getrandom 318 278, membarrier 324 283, statx 332 291, rseq 334 293, faccessat2 439 439
"""
OPEN, OPENAT, FCNTL, IOCTL = (2, None), (257, 56), (72, 25), (16, 29)
KILL, TGKILL, PRLIMIT = (62, 129), (234, 131), (302, 261)
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # the column above, and the kernel's name
ENOSYS_FROM = 424  # of later calls the C library asks whether they are there, and has another way

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
HARMLESS_FCNTL = (0, 1, 2, 3, 4, 1030)  # to duplicate a descriptor, and to get and set its flags

LOAD, IF_EQUAL, IF_ANY_BIT, IF_AT_LEAST, RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # where in what a filter is given
ALLOW, KILL_PROCESS, FAIL = 0x7FFF0000, 0x80000000, 0x00050000
SET_FILTER, FILTER = 22, 2  # of prctl


class Step(NamedTuple):
    """An instruction of a filter; the jumps are over so many that follow."""

    code: int
    value: int
    if_true: int = 0
    if_false: int = 0


def allowed() -> dict[str, tuple[int | None, ...]]:
    """The numbers of the system calls that are left as they are."""
    entries = [entry.split() for entry in ALLOWED.split(",")]
    return {name: tuple(None if n == "-" else int(n) for n in numbers) for name, *numbers in entries}


def available() -> bool:
    """Whether the calls of this machine are known."""
    return sys.platform == "linux" and sys.maxsize > 2**32 and os.uname().machine in MACHINES


def install() -> None:
    """Give up all other system calls.

    Raises
    ------
    OSError
        If the system refuses.
    """
    steps = b"".join(
        struct.pack("<HBBI", step.code, step.if_true, step.if_false, step.value)
        for step in program(os.getpid(), os.uname().machine)
    )
    buffer = ctypes.create_string_buffer(steps, len(steps))
    filtered = ctypes.create_string_buffer(
        struct.pack("@HP", len(steps) // 8, ctypes.addressof(buffer)), struct.calcsize("@HP")
    )
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(SET_FILTER, FILTER, filtered, 0, 0):
        raise OSError(ctypes.get_errno(), f"seccomp: {os.strerror(ctypes.get_errno())}")


def program(own: int, machine: str) -> list[Step]:
    """The filter for a process whose number is ``own``."""
    column, architecture = MACHINES[machine]

    def rule(numbers: tuple[int | None, ...], *steps: Step) -> list[Step]:
        number = numbers[column]
        return [] if number is None else [Step(IF_EQUAL, number, 0, len(steps)), *steps]

    steps = [
        *(Step(LOAD, ARCHITECTURE), Step(IF_EQUAL, architecture, 1), Step(RETURN, KILL_PROCESS)),
        Step(LOAD, NUMBER),
    ]
    for numbers in allowed().values():
        steps += rule(numbers, Step(RETURN, ALLOW))
    for numbers, place in ((OPEN, 1), (OPENAT, 2)):
        steps += rule(
            numbers,
            Step(LOAD, _argument(place)),
            *(Step(IF_ANY_BIT, WRITING, 0, 1), Step(RETURN, FAIL | errno.EROFS), Step(RETURN, ALLOW)),
        )
    steps += rule(KILL, *_only(0, (own,)))  # such as that of os.abort
    steps += rule(TGKILL, *_only(0, (own,)))
    steps += rule(PRLIMIT, *_only(0, (0,)))  # its own limits, which can only be lowered
    steps += rule(FCNTL, *_only(1, HARMLESS_FCNTL))  # others have signals sent
    steps += rule(IOCTL, Step(RETURN, FAIL | errno.ENOTTY))
    return [
        *steps,
        *(Step(IF_AT_LEAST, ENOSYS_FROM, 0, 1), Step(RETURN, FAIL | errno.ENOSYS)),
        Step(RETURN, FAIL | errno.EPERM),
    ]


def _only(place: int, values: tuple[int, ...]) -> list[Step]:
    """Allow a call if an argument has one of the values."""
    steps = [Step(LOAD, _argument(place))]
    for value in values:
        steps += [Step(IF_EQUAL, value, 0, 1), Step(RETURN, ALLOW)]
    return [*steps, Step(RETURN, FAIL | errno.EPERM)]


def _argument(place: int) -> int:
    """Where the lower half of an argument is; those looked at here have no more."""
    return FIRST_ARGUMENT + 8 * place
