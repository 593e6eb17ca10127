"""A whole class: a folder of submissions, graded side by side, each grade kept as soon as it is there."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from .. import __version__
from ..files import PathLike, write_atomically
from .grading import grade
from .reports import document
from .sandbox import Limits, SandboxError
from .tasks import TASKS

__all__ = ["grade_class", "table"]

Row = dict[str, Any]
MOST = 10_000_000  # bytes of a file that are looked at to see whether it has changed


def grade_class(
    folder: PathLike,
    term: str,
    grades: PathLike,
    *,
    workers: int = 1,
    limits: Limits | None = None,
    told: Callable[[Row, int], None] = lambda row, left: None,
) -> list[Row]:
    """Grade each folder in ``folder``; what was graded before, and has not changed since, is taken as it is.

    Parameters
    ----------
    folder : path
        With a folder for each submission.
    term : str
    grades : path
        A folder for the grades, a JSON file each; it is made if it is not there.
    workers : int
        How many submissions at a time.
    limits : Limits
    told : callable
        Called with each grade that is new, and how many are still to come.

    Returns
    -------
    list of dict
        By name: the grade as JSON has it; or ``name`` and ``error``, if a submission cannot be read or run.

    Raises
    ------
    NotADirectoryError
        If there is no such folder, or no submission in it.
    """
    submissions = _submissions(Path(folder))
    kept = Path(grades)
    kept.mkdir(parents=True, exist_ok=True)
    rows: dict[str, Row] = {}
    waiting = []
    for submission in submissions:
        row = _there(kept, submission, term)
        if row is None:
            waiting.append(submission)
        else:
            rows[submission.name] = row
    executor = ThreadPoolExecutor(workers)  # each waits for the process in which its submission runs
    try:
        running = {executor.submit(_graded, one, term, kept, limits) for one in waiting}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                row = future.result()
                rows[row["name"]] = row
                told(row, len(running))
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
    return [rows[submission.name] for submission in submissions]


def table(rows: list[Row]) -> str:
    """CSV: name, points, points of each task, the mistakes that were recognised, and what went wrong.

    >>> print(table([{"name": "anna", "error": "no such folder"}]).splitlines()[1])
    anna,,,,,,,,,,,,,,no such folder
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "points", "worth", *(f"task {number}" for number in TASKS), "mistakes", "error"])
    for row in rows:
        points = {task["task"]: f"{task['points']:g}" for task in row.get("tasks", [])}
        total = f"{row['points']:g}" if "points" in row else ""
        cells = [_harmless(row["name"]), total, row.get("worth", "")]
        cells += [points.get(number, "") for number in TASKS]
        writer.writerow([*cells, " ".join(_mistakes(row)), _harmless(row.get("error", ""))])
    return text.getvalue()


def _harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _submissions(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise NotADirectoryError(f"grade: there is no folder {folder}; give the one with all submissions")
    found = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not found:
        raise NotADirectoryError(f"grade: {folder} has no folders; expected one for each submission")
    return found


def _graded(submission: Path, term: str, kept: Path, limits: Limits | None) -> Row:
    key = _key(submission, term)
    try:
        row = document(grade(submission, term, limits=limits))
    except SandboxError as error:  # not kept: it may be another time
        return {"name": submission.name, "error": str(error)}
    write_atomically(_file(kept, submission), (json.dumps({"key": key, **row}, indent=1) + "\n").encode())
    return row


def _there(kept: Path, submission: Path, term: str) -> Row | None:
    """The grade that was kept, if it is whole and of what is there now."""
    try:
        row: Row = json.loads(_file(kept, submission).read_text("utf-8"))
        key = row.pop("key")
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return row if key == _key(submission, term) else None


def _file(kept: Path, submission: Path) -> Path:
    return kept / f"{submission.name}.json"


def _key(submission: Path, term: str) -> str:
    """The term, this version, and every Python file of the submission."""
    digest = hashlib.sha256(f"{__version__} {term}".encode())
    for path in _python_files(submission):
        digest.update(f"\0{path.relative_to(submission)}\0".encode("utf-8", "surrogateescape"))
        try:
            with open(path, "rb") as file:
                digest.update(hashlib.sha256(file.read(MOST)).digest())
        except OSError as error:
            digest.update(str(error.errno).encode())
    return digest.hexdigest()


def _python_files(submission: Path) -> Iterator[Path]:
    return (path for path in sorted(submission.rglob("*.py")) if path.is_file())


def _mistakes(row: Row) -> list[str]:
    every = (aspect.get("mistake", "") for task in row.get("tasks", []) for aspect in task["aspects"])
    return list(dict.fromkeys(filter(None, every)))
