"""The oracle's main function: every case, asked of a backend and judged."""

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from itertools import product
from typing import Any
from zlib import crc32

from .. import __version__
from ..errors import check_choice
from .agreement import disagreements
from .backend import Backend
from .interview import Ask, Claims, Judge, Result, asks
from .isolation.asking import InProcess, Isolated
from .journal import Journal
from .matching import matches
from .questions import AnyCase
from .questions.affine_cases import affine_cases
from .questions.cases import LEVELS, Setting, cases
from .questions.tps_cases import tps_cases
from .report import Report
from .reports.groups import groups, most_telling
from .reproducer import reproducer
from .shrinking import shrunk
from .truth.profiles import Profile, profile_of
from .verdicts import Finding, Verdict

CLAIMS: dict[str, tuple[Any, ...]] = {
    "modes": ("nearest", "bilinear", "bicubic"),
    "padding_modes": ("zeros", "border", "reflection"),
    "align_corners": (True, False),
    "dims": (2, 3),
    "dtypes": ("float16", "float32", "float64"),
}
MOST_REPRODUCERS = 5
SHRINKING_SECONDS = 3.0
ONE_IN = 24  # cases of a quick check are worked out in two ways
Progress = Callable[[int, int, Sequence[Result]], None]


def check(
    backend: Backend | str,
    *,
    profile: str | Profile | None = None,
    level: str = "quick",
    strict: bool = False,
    isolated: bool = True,
    python: str | None = None,
    time_limit: float = 20.0,
    only: str = "",
    seed: int = 0,
    resume: str | os.PathLike[str] | None = None,
    explain: bool = True,
    first_failure: bool = False,
    progress: Progress | None = None,
    judge: Judge | None = None,
) -> Report:
    """Whether a backend's grid sampler and affine grid, and all their derivatives, are right.

    Parameters
    ----------
    backend : Backend or str
        A backend, ``"module:Class"``, or ``"path/to/file.py:Class"``.
    profile : str, optional
        The conventions by which to judge; those that the backend claims if None.
    level : "quick", "full" or "nightly"
        How much is asked.
    strict : bool
        Whether at kinks and ties the profile's own branch alone is right, and no other profile's convention.
    isolated : bool
        Whether the backend is asked in a process of its own, so that a crash or a hang is a verdict.
    python : str, optional
        The interpreter in which the backend is installed, if not this one.
    time_limit : float
        Seconds for one call.
    only : str
        A regular expression: only cases whose name it matches somewhere.
    seed : int
        Of everything random in the questions.
    resume : path, optional
        A file in which results are kept as they come; with the same file the same check goes on where it was
        stopped.
    explain : bool
        Whether wrong answers are compared with known mistakes, and the smallest question is looked for.
    first_failure : bool
        Whether the check ends with the first case that has a wrong answer.
    progress : function of (cases done, cases in all, results), optional
        Called after each case.
    judge : Judge, optional
        One from an earlier check by the same profile, which knows the right answers already.

    Returns
    -------
    Report

    Raises
    ------
    BackendNotLoaded
        If there is nothing to ask.
    TypeError, ValueError
        If a setting is none of the above.

    >>> from stn_ref.oracle.adapters import load
    >>> report = check(load("stn_ref"), only="kinks/bilinear/zeros/.*/float64/2d", isolated=False)
    >>> report.conforms, dict(report.counts)
    (True, {'EXACT': 6, 'PASS_SET': 8})
    """
    check_choice("check", "level", level, LEVELS)
    try:
        chosen = re.compile(only)
    except re.error as error:
        raise ValueError(f"check: only is {only!r}, expected a regular expression: {error}") from None
    with _asked(backend, isolated, python, time_limit) as asked:
        about = asked.about
        judge = judge or Judge(profile_of(profile or about["profile"]), strict=strict)
        claims = Claims.of(about)
        todo = [case for case in all_cases(about, level, seed) if chosen.search(case.id)]
        results = list(_unclaimed(about))
        start = time.monotonic()
        with _journal(resume, about, judge, level, seed) as journal:
            known = journal.done if journal is not None else {}
            results += [result for case in todo for result in known.get(case.id, [])]
            missing = [case for case in todo if case.id not in known]
            interviews = zip(missing, _interviews(asked, missing, judge, claims, level))
            for done, (case, found) in enumerate(interviews, start=len(todo) - len(missing) + 1):
                results.extend(found)
                if journal is not None:
                    journal.add(case.id, found)
                if progress is not None:
                    progress(done, len(todo), found)
                if first_failure and any(result.verdict.failing for result in found):
                    break
        report = Report(
            dict(about), judge.profile.name, level, strict, seed, tuple(results), time.monotonic() - start
        )
        if not explain or not report.failures:
            return report
        return replace(
            report,
            matches=matches(results, judge, claims),
            reproducers=dict(_reproducers(report, asked, judge, claims, _target(backend))),
        )


def _reproducers(
    report: Report, asked: Any, judge: Judge, claims: Claims, target: str
) -> Iterator[tuple[str, str]]:
    """For the worst result of each group the script of its smallest question."""
    for group in most_telling(groups(report.failures))[:MOST_REPRODUCERS]:
        result = group.worst
        evidence = result.evidence
        if evidence is None or result.verdict is Verdict.ORACLE_DISAGREE:
            continue
        smallest, finding = shrunk(evidence, asked, judge, claims, seconds=SHRINKING_SECONDS)
        yield f"{result.case}:{result.aspect}", reproducer(smallest, finding, report.backend, target)


def _target(backend: Backend | str) -> str:
    """The name under which a script can import the class of a backend, "" if it has none."""
    if isinstance(backend, str):
        return "" if "/" in backend or ".py:" in backend else backend
    kind = type(backend)
    importable = getattr(sys.modules.get(kind.__module__), kind.__name__, None) is kind
    importable &= kind.__module__ != "__main__"
    return f"{kind.__module__}:{kind.__qualname__}" if importable else ""


def all_cases(about: Any, level: str, seed: int = 0) -> list[AnyCase]:
    """The cases that a backend with these claims is asked."""
    claimed = [
        Setting(mode, padding_mode, align_corners, dtype, d)
        for d, dtype, mode, padding_mode, align_corners in product(
            about["dims"], about["dtypes"], about["modes"], about["padding_modes"], about["align_corners"]
        )
    ]
    found: list[AnyCase] = list(cases(claimed, level, seed))
    if "affine_grid" in about["methods"]:
        found += affine_cases(about["align_corners"], about["dtypes"], about["dims"], seed)
    if "tps_grid" in about["methods"] and 2 in about["dims"]:
        found += tps_cases(about["align_corners"], about["dtypes"], seed)
    return found


@contextmanager
def _journal(
    path: str | os.PathLike[str] | None, about: Any, judge: Judge, level: str, seed: int
) -> Iterator[Journal | None]:
    if path is None:
        yield None
        return
    header = {f"backend's {name}": about[name] for name in sorted(about) if name != "snippet"}
    header |= {"profile": judge.profile.name, "strict": judge.strict, "level": level, "seed": seed}
    journal = Journal(path, {**header, "stn_ref": __version__})
    try:
        yield journal
    finally:
        journal.close()


def _asked(
    backend: Backend | str, isolated: bool, python: str | None, time_limit: float
) -> AbstractContextManager[Any]:
    if isolated or isinstance(backend, str):
        return Isolated(backend, python=python, time_limit=time_limit)
    return InProcess(backend)


def _interviews(
    asked: Any, todo: Sequence[AnyCase], judge: Judge, claims: Claims, level: str
) -> Iterator[list[Result]]:
    """The results of each case; a case is judged while the next one is being answered."""
    plans: list[list[Ask]] = [asks(case) for case in todo]
    jobs = ([ask.call for ask in plan] for plan in plans)
    for case, plan, answers in zip(todo, plans, asked.ask(jobs)):
        found = judge.results(case, plan, answers, claims)
        if level != "quick" or crc32(case.id.encode()) % ONE_IN == 0:
            found += disagreements(case, [result.aspect for result in found], judge, claims)
        yield found


def _unclaimed(about: Any) -> Iterator[Result]:
    """One result for each setting that the backend does not claim."""
    for claim, values in CLAIMS.items():
        for value in values:
            if value not in about[claim]:
                finding = Finding(Verdict.UNSUPPORTED, detail="not claimed")
                yield Result(f"{claim}={value}", "", finding)
