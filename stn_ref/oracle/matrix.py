"""The conformance matrix: every backend that is known is asked, and what was found is kept in small files.

Of each backend there is one JSON file, of the same form on every machine, with counts instead of single
results; and for each kind of mistake a script that shows it. A backend is asked again only if it, or what it
is asked, has changed.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from .. import __version__
from .checker import all_cases, check
from .interview import Claims, Judge, Result, asks
from .isolation.asking import BackendNotLoaded, Isolated
from .matching import matches
from .names import target_of
from .packs.contents import plain
from .records import FORM, Entry, keep, on_record, without_places
from .reports.as_json import said_of
from .reports.groups import FEATURES, CaseName, Group, collected, coverage, groups, most_telling
from .reports.words import one_line
from .reproducer import reproducer
from .shrinking import shrunk
from .truth.profiles import profile_of
from .verdicts import Verdict

LONGEST = 160  # characters of what a backend said
SHRINKING_SECONDS = 3.0
MOST_SCRIPTS = 12
LARGEST_SCRIPT = 6000  # characters


@dataclass(frozen=True)
class Asking:
    """How backends are asked; ``pythons`` and ``only`` are by the name of the backend.

    >>> Asking(only={"jax": "float32/2d"}).of("jax")
    {'level': 'quick', 'seed': 0, 'only': 'float32/2d'}
    """

    level: str = "quick"
    seed: int = 0
    time_limit: float = 20.0
    pythons: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str) -> Entry:
        """What decides which questions this backend is asked."""
        return {"level": self.level, "seed": self.seed, "only": self.only.get(name, "")}


def examine(name: str, asking: Asking, folder: Path, *, again: bool = False) -> str:
    """Ask a backend and keep what was found; returns in a line what was done.

    Nothing is asked if the file in ``folder`` is of the same backend, the same questions and the same version
    of this library, which judges. A backend that cannot be loaded gets a file that says so, but never in
    place of one with findings.

    Raises
    ------
    ValueError
        If there is no such backend, or its file is damaged.
    OSError
        If the folder cannot be written.
    """
    target, before = target_of(name), on_record(folder, name)
    python, limit, how = asking.pythons.get(name), asking.time_limit, asking.of(name)
    try:
        with Isolated(target, python=python, time_limit=limit) as asked:
            head = _head(asked.about, how)
            if not again and all(before.get(key) == value for key, value in head.items()):
                return f"{name}: kept, the same backend and the same questions"
            judge = Judge(profile_of(asked.about["profile"]))
            report = check(target, python=python, time_limit=limit, judge=judge, explain=False, **how)
            wrong = groups(report.failures)
            scripts = dict(_scripts(name, wrong, asked, judge, target))
    except BackendNotLoaded as error:
        reason = _first_line(str(error), 2 * LONGEST)
        if "counts" in before:
            return f"{name}: kept, although it cannot be asked here: {reason}"
        keep(folder, name, {**FORM, "backend": {"name": name}, "failed": reason}, {}, before)
        return f"{name}: {reason}"
    results = [result for result in report.results if result.aspect]
    found = _found(name, wrong, scripts, results, judge, Claims.of(report.backend))
    keep(folder, name, {**head, "time_limit": limit, **found}, scripts, before)
    return f"{name}: {len(report.failures)} of {len(results)} wrong, in {report.seconds:.0f} s"


def _head(about: Mapping[str, Any], asked: Entry) -> Entry:
    """By which it is known whether a backend was asked this already."""
    everything = all_cases(about, asked["level"], asked["seed"])
    cases = [case for case in everything if re.search(asked["only"], case.id)]
    backend = {key: list(value) if isinstance(value, tuple) else value for key, value in about.items()}
    return {
        **FORM,
        "stn_ref": __version__,
        "backend": backend,
        "asked": asked,
        "cases": len(cases),
        "questions": _digest(cases),
    }


def _digest(cases: Iterable[Any]) -> str:
    """What changes if a question does."""
    found = hashlib.sha256()
    for case in cases:
        found.update(case.id.encode())
        for ask in asks(case):
            found.update(repr((ask.way, ask.call.method, ask.call.layout, ask.call.settings)).encode())
        for name, array in case.arrays.items():
            found.update(f"{name} {array.dtype} {array.shape}".encode() + plain(array).tobytes())
    return found.hexdigest()


def _script_name(name: str, group: Group) -> str:
    return f"{name}_{group.family}_{group.verdict.value.lower()}.py"


def _scripts(
    name: str, wrong: Sequence[Group], asked: Isolated, judge: Judge, target: str
) -> Iterator[tuple[str, str]]:
    """For each family and verdict the script of the smallest question, by the name of its file.

    There is none for an answer that is right when nothing was asked before, nor where all questions that were
    found are large.
    """
    claims = Claims.of(asked.about)
    by_file = collected(most_telling(wrong), lambda group: _script_name(name, group))
    for file, (group, *_) in islice(by_file.items(), MOST_SCRIPTS):
        evidence = group.worst.evidence
        if evidence is None or group.verdict is Verdict.ORACLE_DISAGREE:
            continue
        smallest, finding = shrunk(evidence, asked, judge, claims, seconds=SHRINKING_SECONDS)
        script = without_places(reproducer(smallest, finding, asked.about, target))
        if finding.verdict.failing and len(script) <= LARGEST_SCRIPT:
            yield file, script


def _found(
    name: str,
    wrong: Sequence[Group],
    scripts: Mapping[str, str],
    results: Sequence[Result],
    judge: Judge,
    claims: Claims,
) -> Entry:
    """What is on record of the results of a backend."""
    conventions = groups(result for result in results if result.verdict is Verdict.CONVENTION)
    unsupported = (result for result in results if result.verdict is Verdict.UNSUPPORTED)
    reasons = collected(unsupported, lambda result: _first_line(result.finding.detail))
    failures = []
    for group in wrong:
        file = _script_name(name, group)
        failures.append(
            {
                **_described(group, results),
                "worst": _worst(group),
                "script": file if file in scripts else "",
            }
        )
    return {
        "counts": _counted(result.verdict for result in results),
        "settings": _by_setting(results),
        "failures": failures,
        "conventions": [
            {**_described(group, results), "detail": group.worst.finding.detail} for group in conventions
        ],
        "unsupported": [
            {"detail": detail, "count": len(alike), "aspects": _each(result.aspect for result in alike)}
            for detail, alike in reasons.items()
        ],
        "matches": [asdict(match) for match in matches(results, judge, claims)],
    }


def _described(group: Group, results: Sequence[Result]) -> Entry:
    """What results of a group have in common, beside those of the family that do not belong to it."""
    alike = [r for r in results if r.aspect == group.aspect and CaseName.of(r.case).family == group.family]
    asked, own = ([CaseName.of(r.case) for r in some] for some in (alike, group.results))
    only = {}
    for name in FEATURES:
        values = {getattr(case, name) for case in own}
        if values != {getattr(case, name) for case in asked}:
            only[name] = [value for value in _each(getattr(case, name) for case in asked) if value in values]
    return {
        "family": group.family,
        "aspect": group.aspect,
        "verdict": group.verdict.value,
        "count": len(own),
        "asked": len(asked),
        "only": only,
        "ways": dict(Counter(result.way for result in group.results if result.way)),
        "threads": _each(thread for result in group.results for thread in result.threads),
    }


def _worst(group: Group) -> Entry:
    said = said_of(group.worst)
    lines = without_places(said["detail"]).strip()
    return {**said, "detail": lines if len(lines) <= LONGEST else lines[:LONGEST] + "..."}


def _by_setting(results: Sequence[Result]) -> dict[str, dict[str, dict[str, int]]]:
    """Of each setting, of each row of a table, how often each verdict was given."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for (row, setting), cell in coverage(results, _setting).items():
        found.setdefault(setting, {})[row] = _counted(cell.counts.elements())
    return found


def _setting(case: CaseName) -> str:
    corners = {"True": "corners", "False": "edges"}.get(case.align_corners, "")
    parts = (case.mode, case.padding_mode, corners, case.dtype, case.dims and f"{case.dims}d")
    return "/".join(filter(None, parts))


def _counted(verdicts: Iterable[Verdict]) -> dict[str, int]:
    counts = Counter(verdicts)
    return {verdict.value: counts[verdict] for verdict in Verdict if counts[verdict]}


def _each(values: Iterable[str]) -> list[str]:
    """Each value once, in order."""
    return list(dict.fromkeys(values))


def _first_line(detail: str, longest: int = LONGEST) -> str:
    return one_line(without_places(next(iter(detail.strip().splitlines()), "")), longest)
