"""For otter-grader: the notebook that ``otter assign`` makes the students' and the autograder's from.

A task is a question. Of each aspect the test that students see is worth nothing; the hidden one, which asks
the same and then other numbers, is worth the aspect's points.
"""

import json

from ..notebook import Cell, code, markdown, of_cells, raw
from ..tasks import Task
from .notebooks import NAME, Piece, Section, beside, introduction, marked, packed, sections, start, tag

__all__ = ["files"]


def files(term: str) -> dict[str, bytes]:
    """What lies in the folder that ``otter assign`` is run in."""
    given = beside(term)
    config = CONFIG.format(name=json.dumps(f"spatial-transformers-{term}"), files=", ".join(given))
    cells = [raw("config", config), markdown("introduction", introduction(term))]
    cells += [code(name, text) for name, text in start(term).items()]
    for section in sections():
        cells += _question(section, term)
    return {NAME: of_cells(cells).encode()} | given


def _question(section: Section, term: str) -> list[Cell]:
    task, name = section.task, f"task_{section.task.number}"
    return [
        raw(name, f"# BEGIN QUESTION\nname: {name}\npoints: {task.worth}"),
        markdown(f"{name}_text", section.text()),
        raw(f"{name}_solution", "# BEGIN SOLUTION"),
        *(code(f"{name}_{k}", _source(piece, task)) for k, piece in enumerate(section.pieces)),
        raw(f"{name}_solution_end", "# END SOLUTION"),
        raw(f"{name}_tests", "# BEGIN TESTS"),
        *(_public(task, aspect) for aspect in task.points),
        *(_hidden(task, aspect, term) for aspect in task.points),
        raw(f"{name}_tests_end", "# END TESTS"),
        raw(f"{name}_end", "# END QUESTION"),
    ]


def _source(piece: Piece, task: Task) -> str:
    return marked(piece, "# BEGIN SOLUTION NO PROMPT", PROMPT.format(task=task.number))


def _public(task: Task, aspect: str) -> Cell:
    text = PUBLIC.format(name=tag(aspect), task=task.number, aspect=aspect)
    return code(f"task_{task.number}_public_{tag(aspect)}", text)


def _hidden(task: Task, aspect: str, term: str) -> Cell:
    text = HIDDEN.format(
        name=tag(aspect),
        task=task.number,
        aspect=aspect,
        worth=task.points[aspect],
        packed=packed(task, aspect, term),
    )
    return code(f"task_{task.number}_hidden_{tag(aspect)}", text)


CONFIG = """# ASSIGNMENT CONFIG
name: {name}
requirements: [numpy, scipy]
files: [{files}]
tests:
  ok_format: false
export_cell:
  pdf: false
generate: true"""

# The text in quotes becomes code for students, when otter takes away the two lines with its marks.
PROMPT = """# END SOLUTION
\"\"\" # BEGIN PROMPT
raise NotImplementedError("task {task}")
\"\"\"; # END PROMPT"""

PUBLIC = '''""" # BEGIN TEST CONFIG
points: 0
""" # END TEST CONFIG
def test_{name}():
    import notebook_tests
    notebook_tests.public({task}, "{aspect}")'''

HIDDEN = '''""" # BEGIN TEST CONFIG
hidden: true
points: {worth}
""" # END TEST CONFIG
def test_{name}_with_other_numbers():
    import notebook_tests
    notebook_tests.public({task}, "{aspect}")
    notebook_tests.hidden("{packed}")'''
