"""The course put to the test: the solution, the stubs, and every mistake, in several terms."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from numpy.typing import NDArray

from .diagnosis import Message, equal
from .grading import Grade, asked, grade, judged
from .handout import given_text, handout, solutions
from .mistakes import Mistake, known
from .sandbox import Category, Reply
from .sources import BEGIN, END, FILES, cut, source
from .tasks import TASKS, Check, Task
from .variants import variant

__all__ = ["TERMS", "Line", "selftest"]

Arrays = tuple[NDArray[Any], ...]
TERMS = ("textbook", "2027b", "2029c", "2030c")  # together they have every choice
NOT_ASKED = {  # in what no task has: volumes, splines, bicubic, reflection, memory
    *(
        "align-in-grid-only",
        "cubic-a",
        "cubic-tap-derivative",
        "needs-grid-only-broken",
        "forward-as-adjoint",
    ),
    *(
        "clamp-centre-for-cubic",
        "mask-by-multiplication",
        "border-derivative-kept",
        "fold-32-bit",
        "zero-span",
    ),
    *("reflect-wrong-bounds", "reflect-once", "reflect-missing-sign", "reflect-fmod", "missing-mixed-term"),
    *("missing-cotangent-gradient", "tps-log-zero", "tps-r-for-r2", "tps-log10", "tps-log10-in-system-only"),
    *("tps-missing-half", "tps-missing-half-at-targets", "ignored-strides", "nondeterministic-order"),
    *("silent-fallback", "overwrites-input", "overwrites-cotangent"),
}


@dataclass(frozen=True)
class Line:
    """What was tried, and whether it came out as it must; ``why`` is "" if so."""

    what: str
    why: str = ""

    @property
    def ok(self) -> bool:
        return not self.why

    def __str__(self) -> str:
        return f"{'ok   ' if self.ok else 'WRONG'} {self.what}{self.why and f': {self.why}'}"


def selftest(terms: Iterable[str] = TERMS) -> Iterator[Line]:
    """A line for each thing that is tried."""
    terms = tuple(terms)
    yield _cut_twice()
    seen: set[str] = set()
    for term in terms:
        yield _reference(term)
        yield _stubs(term)
        yield _no_solution(term)
        for name, line in _mistakes(term):
            seen.add(name)
            yield line
    if set(TERMS) <= set(terms):
        yield _all_seen(seen, terms)


def _cut_twice() -> Line:
    changed = [file for file in FILES if cut(cut(source(file))) != cut(source(file))]
    return Line("cutting a second time changes nothing", ", ".join(changed))


def _reference(term: str) -> Line:
    found = _grade(solutions(term), term)
    lost = [
        f"task {task.task.number}: {task.points:g}" for task in found.tasks if task.points < task.task.worth
    ]
    return Line(f"{term}: the solution earns {found.worth} points", ", ".join(lost))


def _stubs(term: str) -> Line:
    found = _grade(handout(term), term)
    other = [
        f"task {task.task.number}, {aspect.aspect}: {aspect.message.kind if aspect.message else 'points'}"
        for task in found.tasks
        for aspect in task.aspects
        if aspect.message is None or aspect.message.kind != Category.NOT_IMPLEMENTED.value
    ]
    return Line(f"{term}: the stubs earn nothing, being not implemented", ", ".join(other))


def _grade(files: Mapping[str, bytes], term: str) -> Grade:
    with TemporaryDirectory(prefix="selftest-") as folder:
        for name, content in files.items():
            Path(folder, name).write_bytes(content)
        return grade(folder, term)


def _no_solution(term: str) -> Line:
    """No line of a solution stands in a handout, but for those that stand in what is given too."""
    texts = [given_text(), *(cut(source(file)) for file in FILES)]
    given = {line.strip() for text in texts for line in text.splitlines()}
    secret = {line for file in FILES for line in _solution_lines(source(file))} - given
    found = [
        f"{name}: {line!r}"
        for name, content in handout(term).items()
        for line in sorted(secret)
        if line.encode() in content
    ]
    return Line(f"{term}: the handout holds none of {len(secret)} lines of solutions", "; ".join(found))


def _solution_lines(text: str) -> Iterator[str]:
    inside = False
    for line in text.splitlines():
        if BEGIN.match(line + "\n") or line.strip() == END:
            inside = not inside
        elif inside and line.strip():
            yield line.strip()


def _mistakes(term: str) -> Iterator[tuple[str, Line]]:
    """Those that change anything in a term, by name."""
    for mistake in known(variant(term)):
        wrong = {number: _wrong_aspects(mistake, number, term) for number in TASKS}
        tasks = [number for number in TASKS if wrong[number]]
        why = [text for number in tasks for text in _judged(mistake, number, term, wrong[number])]
        if tasks:
            where = ", ".join(map(str, tasks))
            yield mistake.name, Line(f"{term}: {mistake.name} (tasks {where})", "; ".join(why))


def _all_seen(seen: set[str], terms: Iterable[str]) -> Line:
    every = {mistake.name for term in terms for mistake in known(variant(term))}
    other = sorted((every - seen) ^ NOT_ASKED)
    return Line(
        f"all but {len(NOT_ASKED)} of {len(every)} mistakes can be made in the tasks", ", ".join(other)
    )


def _wrong_aspects(mistake: Mistake, number: int, term: str) -> set[str]:
    """The aspects of a task that the mistake spoils."""
    return {
        check.aspect
        for check, right, _ in asked(number, term)
        if not check.shape_only and not equal(_answered(mistake, TASKS[number], check, right, term), right)
    }


def _answered(mistake: Mistake, task: Task, check: Check, right: Arrays, term: str) -> Arrays:
    """What somebody answers who does everything right but for the mistake."""
    answer = mistake.answer(task, check, variant(term))
    return right if answer is None else answer


def _judged(mistake: Mistake, number: int, term: str, wrong: set[str]) -> Iterator[str]:
    """What the grader got wrong about the mistake."""
    task = TASKS[number]
    rights = {check: right for check, right, _ in asked(number, term)}

    def reply(task: Task, check: Check) -> Reply:
        return Reply(Category.OK, arrays=_answered(mistake, task, check, rights[check], term))

    for aspect in judged(task, term, reply).aspects:
        if (aspect.message is not None) != (aspect.aspect in wrong):
            yield f"task {number}, {aspect.aspect}: {aspect.points:g} points"
        elif aspect.message is not None and not _named(aspect.message, mistake, task, aspect.aspect, term):
            yield f"task {number}, {aspect.aspect}: told as {aspect.message.mistake or aspect.message.text}"


def _named(message: Message, mistake: Mistake, task: Task, aspect: str, term: str) -> bool:
    """Whether the message names the mistake, or one that gives the same here."""
    if message.mistake == mistake.name or message.kind in ("NaN", "shape"):
        return True
    others = [other for other in known(variant(term)) if other.name == message.mistake]
    return any(
        equal(_answered(mistake, task, check, right, term), _answered(other, task, check, right, term))
        for other in others
        for check, right, _ in asked(task.number, term)
        if check.aspect == aspect and not equal(_answered(mistake, task, check, right, term), right)
    )
