"""The summary at a terminal: what a person reads in ten seconds."""

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Any

from ..report import Report
from .groups import (
    CaseName,
    Cell,
    Group,
    collected,
    conclusion,
    coverage,
    groups,
    in_order,
    most_telling,
    verdict_counts,
)
from .words import name_of, one_line, outcome, printable, setup_of, told

WIDTH = 80
LINES = 25
LONGEST = 110  # characters of what came and what was expected
FEWEST = 2  # failures that are shown even where there is no room
INDENT = " " * 4
VERSIONS = (("Python", "python"), ("NumPy", "numpy"))
MARKS = {"ok": "ok", "convention": "~", "undecided": "?", "unsupported": "-"}
LEGEND = {
    "wrong": "number: wrong answers",
    "convention": "~ another convention",
    "undecided": "? undecided",
    "unsupported": "- not supported",
}
Column = tuple[str, str]


def summary(report: Report) -> str:
    """About :data:`LINES` lines of at most :data:`WIDTH` characters, the conclusion last."""
    head = [*_head(report), *_counts(report), *_table(report)]
    tail = ["", conclusion(report)]
    for match in report.matches[:1]:
        tail = [*_two_lines(told(match)), *tail]
    body = _failures(groups(report.failures), LINES - len(head) - len(tail))
    return "\n".join(printable(line, WIDTH) for line in [*head, *body, *tail])


def _head(report: Report) -> list[str]:
    versions = [f"{key} {report.backend[name]}" for key, name in VERSIONS if report.backend.get(name)]
    runs_on = f" ({', '.join(versions)})" if versions else ""
    results = f"{len(report.results)} result{'' if len(report.results) == 1 else 's'}"
    return [
        f"stn_ref oracle: {name_of(report)}{runs_on}",
        f"{setup_of(report)}: {results} in {report.seconds:.1f} s",
    ]


def _counts(report: Report) -> list[str]:
    lines: list[str] = []
    for kind, counts in verdict_counts(report):
        text = ", ".join(f"{verdict.value} {count}" for verdict, count in counts)
        lines += wrap(text, WIDTH, initial_indent=f"{kind:9}", subsequent_indent=" " * 9)
    return lines


def _table(report: Report) -> list[str]:
    """What came of each aspect, by mode and dtype, or by mode alone where that is too wide."""
    asked = [result for result in report.results if result.aspect]
    lines = _lines(coverage(asked, _mode_and_dtype))
    if max(map(len, lines), default=0) > WIDTH:
        lines = _lines(coverage(asked, lambda name: (name.mode, "")))
    return lines


def _mode_and_dtype(name: CaseName) -> Column:
    return name.mode, name.dtype.replace("float", "f")


def _lines(cells: dict[tuple[str, Column], Cell]) -> list[str]:
    """A row for each aspect, a block of columns for each mode; affine grids have none and come last."""
    if not cells:
        return []
    rows = in_order({row for row, _ in cells})
    columns = sorted({column for _, column in cells}, key=lambda column: (not column[0], column))
    width = max(map(len, rows))
    blocks = [[text.ljust(width) for text in ("", "", *rows)]]
    for mode, members in collected(columns, lambda column: column[0]).items():
        table = [[dtype for _, dtype in members]]
        table += [[_mark(cells.get((row, column))) for column in members] for row in rows]
        blocks.append(_block(mode or "grids", table))
    lines = ["  ".join(parts).rstrip() for parts in zip(*blocks)]
    return ["", *(line for line in [*lines, _legend(cells.values())] if line)]


def _block(title: str, table: Sequence[Sequence[str]]) -> list[str]:
    """A title and the lines of a table, flush right."""
    width = max(len(text) for row in table for text in row)
    lines = [" ".join(text.rjust(width) for text in row) for row in table]
    width = max(len(title), len(lines[0]))
    return [title.rjust(width), *(line.rjust(width) for line in lines)]


def _mark(cell: Cell | None) -> str:
    if cell is None:
        return ""
    return str(cell.wrong) if cell.kind == "wrong" else MARKS[cell.kind]


def _legend(cells: Iterable[Cell]) -> str:
    kinds = {cell.kind for cell in cells}
    return ", ".join(text for kind, text in LEGEND.items() if kind in kinds)


def _failures(found: Sequence[Group], room: int) -> list[str]:
    """The most telling failures, as many as there is room for, but at least :data:`FEWEST`."""
    lines: list[str] = []
    shown = 0
    for group in most_telling(found):
        more = _described(group)
        if shown >= FEWEST and len(lines) + len(more) > room - 2:
            break
        lines += more
        shown += 1
    if shown < len(found):
        lines.append(f"... and {len(found) - shown} more ways")
    return ["", *lines] if lines else []


def _described(group: Group) -> list[str]:
    worst = group.worst
    what = f"{len(group.results)} x {group.verdict.value} {group.aspect}, worst:"
    lines = [f"{what} {worst.case}"]
    if len(lines[0]) > WIDTH:
        lines = [what, INDENT + worst.case]
    text = one_line(outcome(worst), LONGEST)
    if worst.threads:
        rest = len(worst.threads) - 1
        text += f"; see {worst.threads[0]}{f' and {rest} more' if rest else ''}"
    return lines + _two_lines(text, INDENT)


def _two_lines(text: str, indent: str = "") -> list[str]:
    how: dict[str, Any] = {"initial_indent": indent, "subsequent_indent": indent}
    return wrap(one_line(text, 2 * WIDTH), WIDTH, **how, max_lines=2, placeholder="...")
