"""Grading a submission: what is asked of it, task by task, and what its answers are worth."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..files import PathLike
from .diagnosis import Message, diagnosis
from .mistakes.known import results
from .sandbox import Limits, Question, Reply, Sandbox
from .sources import conventions, textbook
from .tasks import TASKS, Check, Task
from .variants import variant

__all__ = [
    "Answering",
    "AspectGrade",
    "Grade",
    "TaskGrade",
    "asked",
    "checks_for",
    "grade",
    "graded",
    "judged",
]

Arrays = tuple[NDArray[Any], ...]
CONVENTIONS = "conventions.py"
PRINTED = 10_000  # characters of what a submission printed, that are kept
HIDDEN_ROUNDS = 2  # of each check, with other numbers


@dataclass(frozen=True)
class AspectGrade:
    """What an aspect of a task has earned; ``message`` is the first thing that went wrong with it."""

    aspect: str
    points: float
    worth: int
    message: Message | None = None
    hidden: bool = False
    """Whether the message comes from a test that students cannot see."""


@dataclass(frozen=True)
class TaskGrade:
    """All aspects of a task."""

    task: Task
    aspects: tuple[AspectGrade, ...]

    @property
    def points(self) -> float:
        return sum(aspect.points for aspect in self.aspects)


@dataclass(frozen=True)
class Grade:
    """A graded submission."""

    name: str
    term: str
    tasks: tuple[TaskGrade, ...]
    printed: str = ""
    not_prevented: tuple[str, ...] = field(default=(), compare=False)

    @property
    def points(self) -> float:
        return sum(task.points for task in self.tasks)

    @property
    def worth(self) -> int:
        return sum(task.task.worth for task in self.tasks)


class Answering(Protocol):
    """Whatever gives a reply to each question, in order: a sandbox, or a trusted implementation."""

    def ask(self, questions: Iterable[Question]) -> list[Reply]: ...


def checks_for(task: Task, term: str, *, hidden: bool) -> Iterator[Check]:
    """The checks of a task in a term: those that students have, or the others; the same at every call."""
    for number in range(1, 1 + HIDDEN_ROUNDS) if hidden else (0,):
        seed = zlib.crc32(f"{term}/{task.number}/{number}".encode())
        yield from task.checks(variant(term), np.random.default_rng(seed))


def grade(
    folder: PathLike,
    term: str,
    *,
    tasks: Iterable[int] = tuple(TASKS),
    hidden: bool = True,
    limits: Limits | None = None,
) -> Grade:
    """Run a submission in the sandbox, and grade it.

    Parameters
    ----------
    folder : path
        With the files of the handout; it is not touched.
    term : str
        As given to ``stn-ref course build --variant``.
    tasks : numbers
    hidden : bool
        Whether the tests that students cannot see count too.
    limits : Limits

    Raises
    ------
    stn_ref.course.sandbox.SandboxError
        If there is no such folder, or nothing can be run here.
    """
    given = {CONVENTIONS: conventions(variant(term))}
    with Sandbox(folder, limits, given=given) as sandbox:
        found = graded(Path(folder).resolve().name, term, sandbox, tasks=tasks, hidden=hidden)
        return replace(found, not_prevented=sandbox.not_prevented)


def graded(name: str, term: str, answering: Answering, *, tasks: Iterable[int], hidden: bool) -> Grade:
    """Grade whatever answers questions; parameters as for :func:`grade`."""
    printed: list[str] = []

    def reply(task: Task, check: Check) -> Reply:
        (found,) = answering.ask([Question(task.file, check.function, check.arrays, check.settings)])
        printed.append(found.printed)
        return found

    found = tuple(judged(TASKS[number], term, reply, hidden=hidden) for number in tasks)
    return Grade(name, term, found, "".join(printed)[:PRINTED])


def judged(task: Task, term: str, reply: Callable[[Task, Check], Reply], *, hidden: bool = True) -> TaskGrade:
    """Grade a task by the replies to its checks. One wrong reply decides on an aspect: it is not asked on."""
    lost: dict[str, AspectGrade] = {}
    for check, right, unseen in asked(task.number, term):
        if check.aspect in lost or (unseen and not hidden):
            continue
        message = diagnosis(task, check, right, reply(task, check), variant(term), hidden=unseen)
        if message is not None:
            worth = task.points[check.aspect]
            lost[check.aspect] = AspectGrade(check.aspect, 0.0, worth, message, unseen)
    whole = (AspectGrade(aspect, float(worth), worth) for aspect, worth in task.points.items())
    return TaskGrade(task, tuple(lost.get(grade.aspect, grade) for grade in whole))


@cache
def asked(number: int, term: str) -> tuple[tuple[Check, Arrays, bool], ...]:
    """All checks of a task in a term, what is right, and whether students cannot see it.

    Those that students have come first, so that messages come from them where they can.
    """
    task, book = TASKS[number], textbook(variant(term))
    found = []
    for hidden in (False, True):
        for check in checks_for(task, term, hidden=hidden):
            arrays = [np.array(array) for array in check.arrays]
            right = results(book(task.file, check.function, *arrays, **check.settings))
            found.append((check, right, hidden))
    return tuple(found)
