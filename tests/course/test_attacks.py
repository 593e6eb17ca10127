"""Hostile submissions: each fails safely, with a clear category, and harms nothing but its own score."""

import os
import secrets
import sys
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import stn_ref
from stn_ref.course.sandbox import Category, Limits, Question, Sandbox, SandboxError

from .attacks import ATTACKS, SECOND_BARS

PACKAGE = Path(stn_ref.__file__).parent
LIMITS = Limits(seconds=0.3, wait=20.0, memory=600 * 2**20, printed=500)
IMPATIENT = replace(LIMITS, wait=1.0)
FULL = pytest.mark.skipif(sys.platform != "linux", reason="needs Landlock and seccomp, which Linux has")
HONEST = "def task(x):\n    return 2 * x\n"


class Grader:
    """A judge of ``task(x)``, and what an attack is after: a secret, and a folder open to everybody."""

    def __init__(self, world: Path) -> None:
        self.secret, self.token = secrets.token_hex(), f"planted-{secrets.token_hex(8)}"
        self.world = world
        self.secret_file = world / "answers"
        self.secret_file.write_text(f"[1.0]  # {self.secret}")
        os.chmod(self.secret_file, 0o666)
        os.chmod(world, 0o777)

    def filled(self, source):
        for name in ("world", "token", "secret_file", "secret"):
            source = source.replace(f"@{name}", str(getattr(self, name)))
        return source.replace("@package", str(PACKAGE)).replace("@above", str(PACKAGE.parent))

    def ask(self, source, limits=LIMITS, times=1, without=()):
        """The replies to some questions, and whether all of them are right."""
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "task.py").write_text(self.filled(source), "utf-8")
            with Sandbox(folder, limits, without=without) as sandbox:
                self.not_prevented = sandbox.not_prevented
                return judged(sandbox, times)

    def traces(self):
        """Files that an attack has left, and processes that run a child's program."""
        folders = [self.world, *map(Path, ("/tmp", "/var/tmp", "/dev/shm"))]
        files = [p for folder in folders if folder.is_dir() for p in folder.glob(f"{self.token}*")]
        assert self.secret_file.read_text() == f"[1.0]  # {self.secret}"
        running = []
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if b"/program/grader/" in (entry / "cmdline").read_bytes() and self.is_own(entry):
                    running.append(entry)
        return files + running

    def is_own(self, process):
        """Whether it is a child of this process, or of none; others may be grading at the same time."""
        parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
        return parent in (str(os.getpid()), "1")


def judged(sandbox, times):
    random = np.random.default_rng()
    asked = [random.normal(size=(2, 3)) for _ in range(times)]
    replies = sandbox.ask([Question("task.py", "task", [x.copy()]) for x in asked])
    return replies, all(
        len(r.arrays) == 1 and np.array_equal(r.array, 2 * x) for r, x in zip(replies, asked, strict=True)
    )


@pytest.fixture(scope="module")
def grader():
    with tempfile.TemporaryDirectory() as world:
        yield Grader(Path(world))


@pytest.fixture(scope="module")
def neighbour():
    """Another student's sandbox, which is open all the time."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "task.py").write_text(HONEST)
        with Sandbox(folder) as sandbox:
            yield sandbox


@pytest.mark.parametrize("name", ATTACKS)
@FULL
def test_an_attack_fails_safely(name, grader, neighbour, monkeypatch):
    monkeypatch.setenv("SECRET", grader.secret)
    attack = ATTACKS[name]
    before = grader.traces()  # of the neighbour
    limits = IMPATIENT if "no answer" in attack.words else LIMITS
    replies, right = grader.ask(attack.source, limits, times=2 if Category.OK in attack.expected else 1)
    if grader.not_prevented:
        pytest.skip(f"not prevented here: {grader.not_prevented}")
    assert {reply.category for reply in replies} <= set(attack.expected), replies
    assert attack.words in replies[0].message
    assert right is attack.honest
    assert all(reply.message.isprintable() and len(reply.message) < 500 for reply in replies)
    assert all(len(reply.printed) < 600 and grader.secret not in reply.printed for reply in replies)
    assert grader.traces() == before
    replies, right = judged(neighbour, 1)
    assert right, replies


@pytest.mark.parametrize("name", SECOND_BARS["seccomp"])
@FULL
def test_files_users_and_limits_hold_by_themselves(name, grader):
    holds_without("seccomp", name, grader)


@pytest.mark.parametrize("name", SECOND_BARS["landlock"])
@FULL
def test_the_filter_of_system_calls_holds_by_itself(name, grader):
    holds_without("landlock", name, grader)


def holds_without(layer, name, grader):
    attack, before = ATTACKS[name], grader.traces()
    try:
        [reply], right = grader.ask(attack.source, without=[layer])
    except SandboxError as error:
        pytest.skip(str(error))  # a root whose Python nobody else can read
    assert len(grader.not_prevented) == 1
    assert reply.category in attack.expected, reply
    assert right is attack.honest
    assert grader.traces() == before
