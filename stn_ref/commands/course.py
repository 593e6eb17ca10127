"""Handouts, grades and exports of the course, as ``stn-ref course`` does."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..course.classes import grade_class, table
from ..course.grading import grade
from ..course.handout import build, solutions, term_of
from ..course.packages import package
from ..course.reports import FORMATS, as_text
from ..course.sandbox import SandboxError
from ..course.selftest import TERMS, selftest
from ..course.tasks import TASKS
from ..course.variants import variant
from ..files import write_atomically


def run(options: Any) -> int:
    """Do what the command line says; returns the exit status."""
    try:
        return COMMANDS[options.course_command](options)
    except SandboxError as error:
        raise ValueError(str(error)) from None


def _build(options: Any) -> int:
    folder = build(options.out, options.variant)
    print(f"{folder}: the handout of {options.variant}")
    for name, value in variant(options.variant).constants().items():
        print(f"  {name} = {value!r}")
    if options.solutions:
        kept = Path(options.solutions)
        kept.mkdir(parents=True, exist_ok=True)
        for name, content in solutions(options.variant).items():
            write_atomically(kept / name, content)
        print(f"{kept}: what solves it, for staff only")
    return 0


def _check(options: Any) -> int:
    tasks = options.task or tuple(TASKS)
    unknown = [number for number in tasks if number not in TASKS]
    if unknown:
        raise ValueError(f"there is no task {unknown[0]}; the tasks are {min(TASKS)} to {max(TASKS)}")
    term = options.variant or term_of(options.folder)
    found = grade(options.folder, term, tasks=tasks, hidden=False)
    print(as_text(found), end="")
    if found.printed:
        print(f"\nYour code printed:\n{found.printed}")
    return 0 if found.points == found.worth else 1


def _grade(options: Any) -> int:
    if options.all:
        return _grade_all(options)
    text = FORMATS[options.format](grade(options.submission, options.variant))
    _put(text, options.out)
    return 0


def _grade_all(options: Any) -> int:
    folder = Path(options.submission)
    grades = Path(options.grades or f"{str(folder).rstrip('/')}-grades")
    began, done = time.monotonic(), 0

    def told(row: dict[str, Any], left: int) -> None:
        nonlocal done
        done += 1
        seconds = (time.monotonic() - began) / done * left
        result = row.get("error") or f"{row['points']:g} of {row['worth']}"
        print(f"{row['name']}: {result}; {left} to go, about {seconds:.0f} s", file=sys.stderr, flush=True)

    workers = options.workers or os.cpu_count() or 1
    rows = grade_class(folder, options.variant, grades, workers=workers, told=told)
    _put(table(rows), options.out)
    return 1 if any("error" in row for row in rows) else 0


def _package(options: Any) -> int:
    for path in package(options.target, options.variant, options.out):
        print(path)
    return 0


def _selftest(options: Any) -> int:
    began, count, wrong = time.monotonic(), 0, 0
    for line in selftest(options.variant or TERMS):
        count += 1
        wrong += not line.ok
        if not (options.wrong and line.ok):
            print(line, flush=True)
    print(f"{count - wrong} of {count} as they must be, in {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


def _put(text: str, out: str | None) -> None:
    if out is None:
        print(text, end="")
    else:
        write_atomically(out, text.encode())


COMMANDS: dict[str, Callable[[Any], int]] = {
    "build": _build,
    "check": _check,
    "grade": _grade,
    "package": _package,
    "selftest": _selftest,
}
