"""The filter of system calls, run here as the kernel would run it, for machines other than this one too."""

import errno
import os
import re
import struct
from pathlib import Path

import pytest

from stn_ref.course.sandbox import seccomp

OWN = 4711
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
SPECIAL = {
    "open": seccomp.OPEN,
    "openat": seccomp.OPENAT,
    "fcntl": seccomp.FCNTL,
    "ioctl": seccomp.IOCTL,
    "kill": seccomp.KILL,
    "tgkill": seccomp.TGKILL,
    "prlimit64": seccomp.PRLIMIT,
}
OTHER_NAMES = {"fstatat": "newfstatat"}  # of the same number


def decision(machine, number, *arguments, architecture=None):
    """What the filter says of a call: "allow", "kill" or an error number."""
    program = seccomp.program(OWN, machine)
    architecture = architecture or seccomp.MACHINES[machine][1]
    data = struct.pack("<IIQ6Q", number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    place, value = 0, 0
    while True:
        step = program[place]
        place += 1
        if step.code == seccomp.RETURN:
            known = {seccomp.ALLOW: "allow", seccomp.KILL_PROCESS: "kill"}
            return known.get(step.value, step.value - seccomp.FAIL)
        if step.code == seccomp.LOAD:
            [value] = struct.unpack_from("<I", data, step.value)
            continue
        holds = {
            seccomp.IF_EQUAL: value == step.value,
            seccomp.IF_ANY_BIT: bool(value & step.value),
            seccomp.IF_AT_LEAST: value >= step.value,
        }[step.code]
        place += step.if_true if holds else step.if_false


@pytest.mark.parametrize("machine", seccomp.MACHINES)
def test_what_is_known_of_a_call_decides(machine):
    column = seccomp.MACHINES[machine][0]
    openat, kill, fcntl = seccomp.OPENAT[column], seccomp.KILL[column], seccomp.FCNTL[column]
    for numbers in seccomp.allowed().values():
        if numbers[column] is not None:
            assert decision(machine, numbers[column]) == "allow"
    assert decision(machine, openat, 0, 0, os.O_RDONLY | os.O_CLOEXEC) == "allow"
    for flag in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC):
        assert decision(machine, openat, 0, 0, flag) == errno.EROFS
    assert [decision(machine, kill, whom) for whom in (OWN, 0, 1, 2**64 - 1)] == ["allow", *[errno.EPERM] * 3]
    assert decision(machine, fcntl, 0, 8) == errno.EPERM
    assert decision(machine, seccomp.IOCTL[column]) == errno.ENOTTY
    assert decision(machine, seccomp.PRLIMIT[column], OWN) == errno.EPERM
    assert [decision(machine, number) for number in (435, 2**30 + 1)] == [errno.ENOSYS] * 2
    assert decision(machine, 0, architecture=0x40000003) == "kill"


@pytest.mark.parametrize("machine", seccomp.MACHINES)
def test_the_numbers_are_those_of_the_kernel(machine):
    if not HEADERS[machine].exists():
        pytest.skip("needs the headers of the kernel")
    pairs = re.findall(r"#define\s+__NR(?:3264)?_(\w+)\s+(\d+)", HEADERS[machine].read_text())
    known = {OTHER_NAMES.get(name, name): int(number) for name, number in pairs}
    column = seccomp.MACHINES[machine][0]
    stated = {name: numbers[column] for name, numbers in {**seccomp.allowed(), **SPECIAL}.items()}
    assert stated == {name: known.get(name) for name in stated}


@pytest.mark.parametrize("machine", seccomp.MACHINES)
def test_no_call_that_makes_or_reaches_another_process_is_allowed(machine):
    names = {*seccomp.allowed(), *SPECIAL}
    assert not names & {"clone", "clone3", "fork", "vfork", "execve", "socket", "ptrace", "setsid", "prctl"}
    assert len(seccomp.program(OWN, machine)) < 4096  # the most that the kernel takes
