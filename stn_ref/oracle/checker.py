"""The oracle's main function: every case, asked of a backend and judged."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import product
from typing import Any

from ..errors import check_choice
from .backend import Backend
from .interview import Ask, Claims, Judge, Result, asks
from .isolation import InProcess, Isolated
from .questions.affine_cases import AffineCase, affine_cases
from .questions.cases import LEVELS, Case, Setting, cases
from .report import Report
from .truth.profiles import Profile, profile_of
from .verdicts import Finding, Verdict

CLAIMS: dict[str, tuple[Any, ...]] = {
    "modes": ("nearest", "bilinear", "bicubic"),
    "padding_modes": ("zeros", "border", "reflection"),
    "align_corners": (True, False),
    "dims": (2, 3),
    "dtypes": ("float16", "float32", "float64"),
}
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
    (True, {'PASS_SET': 14})
    """
    check_choice("check", "level", level, LEVELS)
    with _asked(backend, isolated, python, time_limit) as asked:
        about = asked.about
        judge = judge or Judge(profile_of(profile or about["profile"]), strict=strict)
        claims = Claims.of(about)
        todo = [case for case in all_cases(about, level, seed) if re.search(only, case.id)]
        results = list(_unclaimed(about))
        start = time.monotonic()
        for done, found in enumerate(_interviews(asked, todo, judge, claims), start=1):
            results.extend(found)
            if progress is not None:
                progress(done, len(todo), found)
        seconds = time.monotonic() - start
    return Report(dict(about), judge.profile.name, level, strict, seed, tuple(results), seconds)


def all_cases(about: Any, level: str, seed: int = 0) -> list[Case | AffineCase]:
    """The cases that a backend with these claims is asked."""
    claimed = [
        Setting(mode, padding_mode, align_corners, dtype, d)
        for d, dtype, mode, padding_mode, align_corners in product(
            about["dims"], about["dtypes"], about["modes"], about["padding_modes"], about["align_corners"]
        )
    ]
    found: list[Case | AffineCase] = list(cases(claimed, level, seed))
    if "affine_grid" in about["methods"]:
        found += affine_cases(about["align_corners"], about["dtypes"], about["dims"], seed)
    return found


def _asked(
    backend: Backend | str, isolated: bool, python: str | None, time_limit: float
) -> AbstractContextManager[Any]:
    if isolated or isinstance(backend, str):
        return Isolated(backend, python=python, time_limit=time_limit)
    return InProcess(backend)


def _interviews(
    asked: Any, todo: Sequence[Case | AffineCase], judge: Judge, claims: Claims
) -> Iterator[list[Result]]:
    """The results of each case; a case is judged while the next one is being answered."""
    plans: list[list[Ask]] = [asks(case) for case in todo]
    jobs = ([ask.call for ask in plan] for plan in plans)
    for case, plan, answers in zip(todo, plans, asked.ask(jobs)):
        yield judge.results(case, plan, answers, claims)


def _unclaimed(about: Any) -> Iterator[Result]:
    """One result for each setting that the backend does not claim."""
    for claim, values in CLAIMS.items():
        for value in values:
            if value not in about[claim]:
                finding = Finding(Verdict.UNSUPPORTED, detail="not claimed")
                yield Result(f"{claim}={value}", "", finding)
