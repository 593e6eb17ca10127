"""Notebooks as the JSON that Jupyter reads (nbformat 4.5), and the one of the handout."""

import json
from collections.abc import Iterable
from typing import Any

from .tasks import Task

__all__ = ["Cell", "code", "heading", "markdown", "notebook", "of_cells", "raw"]

Cell = dict[str, Any]


def notebook(tasks: Iterable[Task]) -> str:
    """A cell of text and a cell that runs the public tests, for each task.

    >>> from stn_ref.course.tasks import TASKS
    >>> len(json.loads(notebook(TASKS.values()))["cells"])
    22
    """
    cells = [markdown("start", INTRODUCTION), code("imports", IMPORTS)]
    for task in tasks:
        cells.append(markdown(f"task-{task.number}", heading(task, f"in `{task.file}`")))
        cells.append(code(f"test-{task.number}", f"show({task.number})"))
    return of_cells(cells)


def heading(task: Task, where: str) -> str:
    """What a task asks for, and what its points are given for.

    >>> from stn_ref.course.tasks import TASKS
    >>> print(heading(TASKS[5], "below"))
    ## Task 5: Eq. (6), the cotangent of the image
    <BLANKLINE>
    Write `splat` below.
    <BLANKLINE>
    Points: shape 1, border 1, kink 1, batch 1, channels 1, non-square 1, interior 2, meeting 2.
    """
    functions = ", ".join(f"`{name}`" for name in task.functions)
    points = ", ".join(f"{aspect} {worth}" for aspect, worth in task.points.items())
    return f"## Task {task.number}: {task.title}\n\nWrite {functions} {where}.\n\nPoints: {points}."


def of_cells(cells: list[Cell]) -> str:
    """The text of a notebook's file."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    document = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1) + "\n"


def markdown(name: str, text: str) -> Cell:
    """A cell of text; ``name`` is its id."""
    return _cell("markdown", name, text)


def raw(name: str, text: str) -> Cell:
    """A cell that Jupyter leaves alone, for the programs that read notebooks."""
    return _cell("raw", name, text)


def code(name: str, text: str, **metadata: Any) -> Cell:
    """A cell of Python that has not been run."""
    return _cell("code", name, text, metadata) | {"execution_count": None, "outputs": []}


def _cell(kind: str, name: str, text: str, metadata: dict[str, Any] | None = None) -> Cell:
    lines = text.splitlines(keepends=True)
    return {"cell_type": kind, "id": name, "metadata": metadata or {}, "source": lines}


INTRODUCTION = """# Spatial transformers from scratch

Write your functions in the files beside this notebook. A cell below runs the public tests of a task: run it
again whenever you have saved a file. `README.md` says what counts."""

IMPORTS = """%load_ext autoreload
%autoreload 2
from public_tests import show"""
