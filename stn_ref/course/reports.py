"""A grade as text for people, as JSON, as Gradescope's results, and as a line of a table."""

import json
from collections.abc import Iterator
from textwrap import fill
from typing import Any

from .diagnosis import Message
from .grading import AspectGrade, Grade, TaskGrade

__all__ = ["DOCS", "FORMATS", "as_gradescope", "as_json", "as_text"]

DOCS = "docs/course/mistakes.md"
WIDTH = 100  # columns of the text


def as_text(grade: Grade) -> str:
    """For a terminal.

    >>> print(as_text(Grade("anna", "2027a", ())))
    anna, term 2027a: 0 of 0 points
    <BLANKLINE>
    """
    parts = [f"{grade.name}, term {grade.term}: {number(grade.points)} of {grade.worth} points\n"]
    for task in grade.tasks:
        head = f"task {task.task.number}, {task.task.title}"
        parts.append(f"{head}: {number(task.points)} of {task.task.worth}\n")
        parts += [
            fill(line, WIDTH, initial_indent="  ", subsequent_indent="    ") + "\n" for line in lines(task)
        ]
        if below := _below(task, grade):
            parts.append(f"  It uses {below}, where something is wrong: mend that first.\n")
    if grade.not_prevented:
        parts.append("\nNot prevented on this machine:\n")
        parts += [f"  {sentence}\n" for sentence in grade.not_prevented]
    return "".join(parts)


def _below(task: TaskGrade, grade: Grade) -> str:
    """The tasks that a spoilt one stands on and that are spoilt themselves, "" if there are none."""
    spoilt = {other.task.number for other in grade.tasks if other.points < other.task.worth}
    found = [str(number) for number in task.task.uses if number in spoilt and task.task.number in spoilt]
    return f"task{'s' if len(found) > 1 else ''} {' and '.join(found)}" if found else ""


def lines(task: TaskGrade) -> Iterator[str]:
    """What went wrong in a task, each mistake once, with the aspects that it cost."""
    for aspects in _together(task):
        first = aspects[0]
        assert first.message is not None
        lost = ", ".join(f"{aspect.aspect} -{aspect.worth}" for aspect in aspects)
        unseen = " (in a test that you cannot see)" if first.hidden else ""
        yield f"[{lost}] {first.message.text}{unseen}{_link(first.message)}"


def as_json(grade: Grade) -> str:
    """Everything, for programs."""
    return json.dumps(document(grade), indent=1) + "\n"


def document(grade: Grade) -> dict[str, Any]:
    """As :func:`as_json` writes it."""
    return {
        "name": grade.name,
        "term": grade.term,
        "points": grade.points,
        "worth": grade.worth,
        "tasks": [
            {
                "task": task.task.number,
                "title": task.task.title,
                "points": task.points,
                "worth": task.task.worth,
                "aspects": [_aspect(aspect) for aspect in task.aspects],
            }
            for task in grade.tasks
        ],
        "printed": grade.printed,
        "not_prevented": list(grade.not_prevented),
    }


def as_gradescope(grade: Grade) -> str:
    """``results.json`` of Gradescope: a test for each aspect."""
    tests = [
        {
            "name": f"{task.task.title}: {aspect.aspect}",
            "number": f"{task.task.number}.{k}",
            "score": aspect.points,
            "max_score": aspect.worth,
            "status": "failed" if aspect.message else "passed",
            "output": "" if aspect.message is None else aspect.message.text + _link(aspect.message),
            "output_format": "text",
            "visibility": "visible",
        }
        for task in grade.tasks
        for k, aspect in enumerate(task.aspects, 1)
    ]
    found = {
        "score": grade.points,
        "output": f"Term {grade.term}",
        "stdout_visibility": "hidden",
        "tests": tests,
    }
    return json.dumps(found, indent=1) + "\n"


FORMATS = {"text": as_text, "json": as_json, "gradescope": as_gradescope}


def number(points: float) -> str:
    """Points without needless digits.

    >>> number(7.0), number(2.5)
    ('7', '2.5')
    """
    return f"{points:g}"


def _together(task: TaskGrade) -> list[list[AspectGrade]]:
    """The aspects that lost points, those of one mistake in one list."""
    found: dict[str, list[AspectGrade]] = {}
    for aspect in task.aspects:
        if aspect.message is not None:
            found.setdefault(aspect.message.mistake or aspect.message.text, []).append(aspect)
    return list(found.values())


def _aspect(aspect: AspectGrade) -> dict[str, Any]:
    told: dict[str, Any] = {"aspect": aspect.aspect, "points": aspect.points, "worth": aspect.worth}
    if aspect.message is not None:
        told |= {
            "kind": aspect.message.kind,
            "message": aspect.message.text,
            "mistake": aspect.message.mistake,
            "anchor": aspect.message.anchor,
            "hidden": aspect.hidden,
        }
    return told


def _link(message: Message) -> str:
    return f" See {DOCS}#{message.anchor}" if message.anchor else ""
