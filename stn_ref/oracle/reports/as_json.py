"""A report as JSON, for programs, and back.

Every number that is not finite is a string, since JSON has no word for it: ``"inf"``, ``"-inf"``, ``"nan"``.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from ...files import PathLike, write_atomically
from ..interview import Result
from ..report import Match, Report
from ..verdicts import Finding, Verdict

FORMAT, VERSION = "stn_ref oracle report", 1
NOT_FINITE = ("inf", "-inf", "nan")
WORDS = {dict: "an object", list: "a list", str: "a text", int: "a whole number", bool: "true or false"}
LONGEST = 60  # characters of a value in an error message
TOP = "it"
Read = TypeVar("Read")


def to_json(report: Report, path: PathLike | None = None) -> dict[str, Any]:
    """What JSON can say of a report; written to ``path`` if there is one."""
    said = {
        "format": FORMAT,
        "version": VERSION,
        "backend": _plain(report.backend),
        "profile": report.profile,
        "level": report.level,
        "strict": report.strict,
        "seed": report.seed,
        "seconds": _plain(report.seconds),
        "conforms": report.conforms,
        "counts": dict(report.counts),
        "results": [said_of(result) for result in report.results],
        "matches": [asdict(match) for match in report.matches],
        "reproducers": dict(report.reproducers),
    }
    if path is not None:
        write_atomically(path, json.dumps(said, allow_nan=False).encode())
    return said


def from_json(path: PathLike) -> Report:
    """Read what :func:`to_json` wrote.

    Raises
    ------
    ValueError
        If the file is damaged or no such report; the message says where.
    """
    try:
        said = json.loads(Path(path).read_bytes(), parse_constant=_no_number)
        return _report(_Part(said, TOP))
    except (ValueError, OverflowError, RecursionError) as error:
        raise ValueError(
            f"from_json: {path} is no whole report of the oracle: {error}; write it with Report.to_json"
        ) from error


def said_of(result: Result) -> dict[str, Any]:
    """What JSON can say of one result."""
    finding = result.finding
    about = {"case": result.case, "aspect": result.aspect, "way": result.way, "threads": result.threads}
    found = {field.name: getattr(finding, field.name) for field in fields(finding)}
    said: dict[str, Any] = _plain(about | found | {"verdict": finding.verdict.value})
    return said


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _no_number(word: str) -> None:
    raise ValueError(f"it holds {word}, which is not JSON")


@dataclass(frozen=True)
class _Part:
    """A part of what was read and where it stands; refuses to be what it is not."""

    value: Any
    where: str

    def of(self, kind: type[Read]) -> Read:
        if type(self.value) is not kind:  # True is no whole number
            raise self.unlike(WORDS[kind])
        return self.value

    def number(self) -> float:
        if type(self.value) not in (int, float) and self.value not in NOT_FINITE:
            raise self.unlike(f"a number or one of {', '.join(NOT_FINITE)}")
        return float(self.value)

    def each(self) -> "list[_Part]":
        return [_Part(item, f"{self.where}[{i}]") for i, item in enumerate(self.of(list))]

    def get(self, name: str) -> "_Part":
        where = name if self.where == TOP else f"{self.where}.{name}"
        if name not in self.of(dict):
            raise ValueError(f"{where} is missing")
        return _Part(self.value[name], where)

    def unless_null(self, read: "Callable[[_Part], Read]") -> Read | None:
        return None if self.value is None else read(self)

    def unlike(self, expected: str) -> ValueError:
        shown = json.dumps(self.value)
        shown = shown if len(shown) <= LONGEST else shown[:LONGEST] + "..."
        return ValueError(f"{self.where} is {shown}, expected {expected}")


def _report(part: _Part) -> Report:
    for name, expected in (("format", FORMAT), ("version", VERSION)):
        found = part.get(name)
        if found.value != expected:
            raise found.unlike(json.dumps(expected))
    report = Report(
        {name: _tuples(value) for name, value in part.get("backend").of(dict).items()},
        part.get("profile").of(str),
        part.get("level").of(str),
        part.get("strict").of(bool),
        part.get("seed").of(int),
        tuple(_result(item) for item in part.get("results").each()),
        part.get("seconds").number(),
        tuple(_match(item) for item in part.get("matches").each()),
        {name: part.get("reproducers").get(name).of(str) for name in part.get("reproducers").of(dict)},
    )
    if part.get("counts").value != report.counts or part.get("conforms").value != report.conforms:
        raise ValueError("counts and conforms are not those of its results")
    return report


def result_from(value: Any, where: str) -> Result:
    """The result of which :func:`said_of` speaks; a ValueError says what is wrong with ``value``."""
    return _result(_Part(value, where))


def _result(part: _Part) -> Result:
    verdict = part.get("verdict")
    if verdict.value not in [known.value for known in Verdict]:
        raise verdict.unlike("a verdict")
    finding = Finding(
        Verdict(verdict.value),
        part.get("ratio").number(),
        part.get("ulps").number(),
        part.get("branch").of(str),
        part.get("detail").of(str),
        tuple(index.of(int) for index in part.get("where").each()),
        part.get("got").unless_null(_Part.number),
        part.get("expected").unless_null(_interval),
    )
    threads = tuple(thread.of(str) for thread in part.get("threads").each())
    return Result(
        part.get("case").of(str), part.get("aspect").of(str), finding, part.get("way").of(str), threads
    )


def _interval(part: _Part) -> tuple[float, float]:
    ends = part.each()
    if len(ends) != 2:
        raise part.unlike("two numbers")
    return ends[0].number(), ends[1].number()


def _match(part: _Part) -> Match:
    fault, sentence = part.get("fault").of(str), part.get("sentence").of(str)
    return Match(fault, sentence, part.get("matched").of(int), part.get("failing").of(int))


def _tuples(value: Any) -> Any:
    """A backend's claims are tuples."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
