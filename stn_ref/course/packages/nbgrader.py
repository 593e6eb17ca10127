"""For nbgrader: the source of an assignment, for the folder that ``nbgrader generate_assignment`` is run in.

Each aspect of a task has a cell of tests, worth its points; those with other numbers stand between nbgrader's
marks for hidden tests, and go when the assignment is released.
"""

from ..notebook import Cell, code, markdown, of_cells
from ..tasks import Task
from .notebooks import NAME, Piece, beside, introduction, marked, packed, sections, start, tag

__all__ = ["files"]

FOLDER = "source/spatial-transformers"
SCHEMA = 3


def files(term: str) -> dict[str, bytes]:
    """What lies in the folder of the course."""
    cells = [markdown("introduction", introduction(term))]
    cells += [_cell(name, text) for name, text in start(term).items()]
    for section in sections():
        name = f"task_{section.task.number}"
        cells.append(markdown(name, section.text()))
        cells += [_piece(f"{name}_{k}", piece) for k, piece in enumerate(section.pieces)]
        cells += [_tests(section.task, aspect, term) for aspect in section.task.points]
    found = {NAME: of_cells(cells).encode()} | beside(term)
    return {f"{FOLDER}/{name}": content for name, content in found.items()}


def _piece(name: str, piece: Piece) -> Cell:
    text = marked(piece, "### BEGIN SOLUTION", "### END SOLUTION")
    return _cell(name, text, solution=bool(piece.function))


def _tests(task: Task, aspect: str, term: str) -> Cell:
    text = TESTS.format(task=task.number, aspect=aspect, packed=packed(task, aspect, term))
    return _cell(f"task_{task.number}_{tag(aspect)}", text, points=task.points[aspect])


def _cell(name: str, text: str, *, solution: bool = False, points: int | None = None) -> Cell:
    """A cell that students write to (``solution``), or that is worth points, or that is as it is."""
    about = {
        "schema_version": SCHEMA,
        "grade_id": name,
        "cell_type": "code",
        "solution": solution,
        "locked": not solution,
        "grade": points is not None,
        "task": False,
    }
    if points is not None:
        about["points"] = points
    return code(name, text, nbgrader=about)


TESTS = """notebook_tests.public({task}, "{aspect}")
### BEGIN HIDDEN TESTS
notebook_tests.hidden("{packed}")
### END HIDDEN TESTS"""
