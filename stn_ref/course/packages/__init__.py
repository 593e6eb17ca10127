"""The course for other systems, each with the files that it wants.

``gradescope``  a zip for its autograder, which runs ``stn-ref course grade``: all messages, in isolation
``otter``       a notebook for ``otter assign``
``nbgrader``    a notebook for ``nbgrader generate_assignment``
``classroom``   the handout, with a workflow for GitHub Classroom that runs the public tests

Otter and nbgrader run the tests in the process of the submission, which can read them there, and Classroom
runs them where students may change them. Their points follow the same aspects, but only ``stn-ref course
grade`` shuts submissions off and names mistakes.
"""

from collections.abc import Callable
from pathlib import Path

from ...files import PathLike
from ..handout import written
from . import classroom, gradescope, nbgrader, otter

__all__ = ["TARGETS", "package"]

TARGETS: dict[str, Callable[[str], dict[str, bytes]]] = {
    "gradescope": gradescope.files,
    "otter": otter.files,
    "nbgrader": nbgrader.files,
    "classroom": classroom.files,
}
"""By name: from a term to files by their paths, which use "/"."""


def package(target: str, term: str, out: PathLike) -> list[Path]:
    """Write the course of a term for another system into a new or empty folder; returns what was written.

    Raises
    ------
    ValueError
        If there is no such target.
    FileExistsError
        If the folder holds something.
    OSError
        If it cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in package("gradescope", "2027a", folder)]
    ['autograder.zip']
    """
    if target not in TARGETS:
        raise ValueError(f"package: there is no target {target!r}; the targets are {', '.join(TARGETS)}")
    return written("package", out, TARGETS[target](term))
