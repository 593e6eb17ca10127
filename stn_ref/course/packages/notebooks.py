"""The textbook as cells of one notebook, which the exports for otter and nbgrader have in common.

A notebook has the files in their order, one behind the other in one namespace. Thus imports of files from one
another are not needed, and what several files say alike is said once. The conventions are a cell too.
"""

import ast
import base64
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files as resources

from ..grading import asked
from ..handout import TESTS, handout
from ..notebook import heading
from ..sources import BEGIN, END, EXAMPLES, FILES, conventions, source, tasks_of
from ..tasks import TASKS, Task
from ..variants import variant

__all__ = [
    "NAME",
    "Piece",
    "Section",
    "beside",
    "introduction",
    "marked",
    "packed",
    "sections",
    "start",
    "tag",
]

NAME = "assignment.ipynb"
OURS = "notebook_tests.py"
THEIRS = ("public_tests.py", TESTS)
END_LINE = re.compile(rf"^( *){END}$", re.MULTILINE)


@dataclass(frozen=True)
class Piece:
    """What stands in a cell: a function to write, or, with no ``function``, what students get as it is."""

    source: str
    function: str = ""


@dataclass(frozen=True)
class Section:
    """A task with its cells; ``about`` is what its file says of itself, "" but where the file begins."""

    task: Task
    about: str
    pieces: tuple[Piece, ...]

    def text(self) -> str:
        """For the cell above the pieces.

        >>> print(sections()[4].text().splitlines()[0])
        ## Task 5: Eq. (6), the cotangent of the image
        """
        return heading(self.task, "below") + (f"\n\n{self.about}" if self.about else "")


def beside(term: str) -> dict[str, bytes]:
    """The files that a notebook needs next to it."""
    given = handout(term)
    return {OURS: (resources(__package__) / OURS).read_bytes()} | {name: given[name] for name in THEIRS}


def introduction(term: str) -> str:
    """The first cell's text."""
    return INTRODUCTION.format(term=term, worth=sum(task.worth for task in TASKS.values()))


def start(term: str) -> dict[str, str]:
    """The cells of code that all others need, by name.

    >>> "PADDING = 'zeros'" in start("textbook")["conventions"]
    True
    """
    lines = dict.fromkeys(line for file in FILES for line in _imports(file))
    ordered = sorted(lines, key=lambda line: not line.startswith("from __future__"))  # Python wants it first
    chosen = conventions(variant(term)).strip()
    return {"imports": "\n".join([*ordered, "", "import notebook_tests"]), "conventions": chosen}


def sections() -> list[Section]:
    """All tasks, in the order of the files.

    >>> [piece.function for piece in sections()[6].pieces]
    ['', 'grid_cotangent', 'theta_cotangent', '']
    """
    found: list[Section] = []
    said: set[str] = set()
    for file in FILES:
        solved = tasks_of(source(file))
        number, about = min(solved.values()), ast.get_docstring(ast.parse(source(file))) or ""
        pieces: dict[int, list[Piece]] = {number: []}
        for name, text in _definitions(file):
            if text not in said:
                said.add(text)
                number = solved.get(name, number)
                _put(pieces.setdefault(number, []), Piece(text, name if name in solved else ""))
        found += [
            Section(TASKS[number], "" if k else about, tuple(parts))
            for k, (number, parts) in enumerate(pieces.items())
        ]
    return found


def marked(piece: Piece, begin: str, end: str) -> str:
    """The source of a function, with other marks around its solution.

    >>> step = Piece("def f():\\n    # BEGIN SOLUTION task=9\\n    return 1\\n    # END SOLUTION", "f")
    >>> print(marked(step, "### BEGIN SOLUTION", "### END SOLUTION"))
    def f():
        ### BEGIN SOLUTION
        return 1
        ### END SOLUTION
    """
    text = BEGIN.sub(lambda match: f"{match[1]}{begin}\n", piece.source)
    return END_LINE.sub(lambda match: "\n".join(match[1] + line for line in end.splitlines()), text)


def packed(task: Task, aspect: str, term: str) -> str:
    """The tests of an aspect that students cannot see, with what is right, as text for ``notebook_tests``."""
    tests = [
        {
            "function": check.function,
            "settings": dict(check.settings),
            "shape_only": check.shape_only,
            "arguments": [array.tolist() for array in check.arrays],
            "right": [array.tolist() for array in right],
        }
        for check, right, unseen in asked(task.number, term)
        if unseen and check.aspect == aspect
    ]
    return base64.b64encode(zlib.compress(json.dumps(tests).encode(), 9)).decode()


def tag(text: str) -> str:
    """A name that Python and ids of cells allow.

    >>> tag("one pixel")
    'one_pixel'
    """
    return re.sub(r"\W", "_", text)


def _put(pieces: list[Piece], piece: Piece) -> None:
    """Add a piece; what students get as it is and stands together has one cell."""
    if pieces and not piece.function and not pieces[-1].function:
        pieces[-1] = Piece(f"{pieces[-1].source}\n\n\n{piece.source}")
    else:
        pieces.append(piece)


def _imports(file: str) -> Iterator[str]:
    """Of a file, but for those from other files of the textbook."""
    for node, text in _statements(file):
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and not node.level):
            yield text


def _definitions(file: str) -> Iterator[tuple[str, str]]:
    """All but the imports and the text at the beginning of a file: names, "" if there is none, and source."""
    for node, text in _statements(file)[1:]:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            yield getattr(node, "name", ""), text


def _statements(file: str) -> list[tuple[ast.stmt, str]]:
    """The statements of a file, with their lines; comments and empty lines between them are left out."""
    text = EXAMPLES.sub("", source(file))
    lines, nodes = text.splitlines(), ast.parse(text).body
    found = []
    for node, end in zip(nodes, [*(following.lineno - 1 for following in nodes[1:]), len(lines)]):
        own = lines[node.lineno - 1 : end]
        while not own[-1] or own[-1].startswith("#"):
            own.pop()
        found.append((node, "\n".join(own)))
    return found


INTRODUCTION = """# Spatial transformers from scratch: term {term}

You write a spatial transformer (Jaderberg et al. 2015) with NumPy: its grid, its sampler, their derivatives,
and the tape and the training around them. Write the functions that are not implemented yet; the text above
the gap says what each does, with which shapes. Allowed are NumPy, SciPy and the standard library. All numbers
are float64, and no function may write to its arguments.

There are {worth} points. Each aspect of a task gives its points if all tests of it are passed, those that you
have and others like them with other numbers. The conventions of this term stand below; the functions may read
them, and must not change them."""
