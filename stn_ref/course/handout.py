"""What students get: stubs cut from the textbook, conventions, public tests, a notebook, a README."""

import io
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ..files import PathLike, write_atomically
from .grading import asked
from .notebook import notebook
from .sources import FILES, conventions, cut, flattened, source
from .tasks import TASKS, Task
from .variants import variant

__all__ = ["TERM", "build", "handout", "solutions", "term_of", "written"]

TERM = "term.json"
TESTS = "public_tests.npz"


def build(out: PathLike, term: str) -> Path:
    """Write a handout into a new or empty folder.

    Raises
    ------
    FileExistsError
        If the folder holds something.
    OSError
        If it cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sorted(path.name for path in build(f"{folder}/handout", "2027a").iterdir())[:4]
    ['README.md', 'assignment.ipynb', 'chain.py', 'conventions.py']
    """
    written("build", out, handout(term))
    return Path(out)


def written(operator: str, out: PathLike, content: Mapping[str, bytes]) -> list[Path]:
    """Write files by their paths, which use "/", into a new or empty folder; errors as for :func:`build`."""
    folder = Path(out)
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(
            f"{operator}: {folder} is not empty, expected a new or an empty folder; choose another --out"
        )
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / name, data)
    return [folder / name for name in content]


def handout(term: str) -> dict[str, bytes]:
    """Its files by name."""
    texts = {file: flattened(cut(source(file))) for file in FILES}
    texts["conventions.py"] = conventions(variant(term))
    texts["public_tests.py"] = given_text()
    texts["README.md"] = readme(term)
    texts["assignment.ipynb"] = notebook(TASKS.values())
    texts[TERM] = json.dumps({"term": term}) + "\n"
    return {name: text.encode() for name, text in texts.items()} | {TESTS: public_tests(term)}


def given_text() -> str:
    """The file with the public tests."""
    return (files("stn_ref.course.given") / "public_tests.py").read_text("utf-8")


def solutions(term: str) -> dict[str, bytes]:
    """What a student would hand in who has solved everything: for staff."""
    texts = {file: flattened(source(file)) for file in FILES} | {"conventions.py": conventions(variant(term))}
    return {name: text.encode() for name, text in texts.items()}


def term_of(folder: PathLike) -> str:
    """The term that a handout is for.

    Raises
    ------
    ValueError
        If the folder does not say.
    """
    path = Path(folder, TERM)
    try:
        term = json.loads(path.read_text("utf-8"))["term"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"{path} does not say for which term the handout is ({error}); put the file back, or name the "
            "term with --variant"
        ) from None
    return str(term)


def public_tests(term: str) -> bytes:
    """The tests that students have, with what is right, as an ``.npz`` file without pickles."""
    arrays: dict[str, Any] = {}
    tests = []
    for number, task in TASKS.items():
        seen = [(check, right) for check, right, hidden in asked(number, term) if not hidden]
        for k, (check, right) in enumerate(seen):
            tests.append(
                {
                    "task": number,
                    "number": k,
                    "file": task.file[:-3],
                    "function": check.function,
                    "aspect": check.aspect,
                    "says": check.says,
                    "settings": dict(check.settings),
                    "shape_only": check.shape_only,
                    "arguments": _kept(arrays, f"{number}_{k}_argument", check.arrays),
                    "right": _kept(arrays, f"{number}_{k}_right", right),
                }
            )
    content = io.BytesIO()
    np.savez_compressed(content, tests=json.dumps(tests), **arrays)
    return content.getvalue()


def _kept(arrays: dict[str, Any], name: str, parts: tuple[Any, ...]) -> list[str]:
    names = [f"{name}_{k}" for k in range(len(parts))]
    arrays.update(zip(names, parts))
    return names


def readme(term: str) -> str:
    """What to do, and what counts.

    >>> print(readme("textbook").partition("\\n")[0])
    # Spatial transformers from scratch: term textbook
    """
    return README.format(
        term=term,
        conventions="\n".join(f"- `{name} = {value!r}`" for name, value in variant(term).constants().items()),
        tasks="\n".join(_row(task) for task in TASKS.values()),
        worth=sum(task.worth for task in TASKS.values()),
        files=", ".join(f"`{file}`" for file in FILES),
    )


def _row(task: Task) -> str:
    points = ", ".join(f"{aspect} {worth}" for aspect, worth in task.points.items())
    functions = ", ".join(f"`{name}`" for name in task.functions)
    return f"| {task.number} | {task.title} | `{task.file}` | {functions} | {points} |"


README = """# Spatial transformers from scratch: term {term}

You write a spatial transformer (Jaderberg et al. 2015) with NumPy: its grid, its sampler, their derivatives,
and the tape and the training around them. Replace every `raise NotImplementedError("task N")` in {files}.
The text above it says what the function does, with which shapes.

`conventions.py` says what is special this term. Your functions may read it; the grading brings its own copy:

{conventions}

## What to do

1. Have Python 3.10 or newer with NumPy: `python -m pip install numpy`
2. See that the tests fail: `python public_tests.py`
3. Solve a task, and run its tests: `python public_tests.py 1`
4. With `stn_ref` installed, `stn-ref course check . --task 1` says what the mistake is, where it knows it.
5. Hand in the six files.

`assignment.ipynb` leads through the same tasks in a notebook.

## The tasks

Each aspect gives its points if all tests of it are passed, those that you have and others like them with
other numbers. There are {worth} points. "shape": the result has the right shape; "interior": samples inside
the image, between pixels; "border": at the edge and beyond; "kink": at integer coordinates; "batch",
"channels", "non-square": several images, several channels, images that are not square.

| task | what | file | functions | points |
|---|---|---|---|---|
{tasks}

All numbers are float64. No function may write to its arguments. Allowed are NumPy, SciPy and the standard
library.
"""
