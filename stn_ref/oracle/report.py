"""What a check found: counts, failures, and the same as JSON, JUnit XML and a page."""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .interview import Result
from .verdicts import Verdict


@dataclass(frozen=True)
class Match:
    """A known mistake that answers as the backend does."""

    fault: str
    sentence: str
    """What that mistake is."""
    matched: int
    """How many of the wrong answers that were compared are those of the mistake."""
    failing: int
    """How many wrong answers were compared."""


@dataclass(frozen=True)
class Report:
    """All results of a check; :func:`str` gives the summary.

    >>> from .verdicts import Finding
    >>> wrong = Finding(Verdict.FAIL_VALUE, 8.0, where=(0, 0, 1, 2), got=7.0, expected=(3.0, 3.0))
    >>> results = (Result("kinks/bilinear/zeros/corners/float64/2d", "V", wrong),)
    >>> print(Report({"name": "mine"}, "paper", "quick", False, 0, results, 1.25))
    stn_ref oracle: mine
    profile paper, level quick, seed 0: 1 result in 1.2 s
    wrong    FAIL_VALUE 1
    <BLANKLINE>
          bilinear
               f64
    V            1
    number: wrong answers
    <BLANKLINE>
    1 x FAIL_VALUE V, worst: kinks/bilinear/zeros/corners/float64/2d
        V[0, 0, 1, 2] is 7, expected 3; error/bound 8
    <BLANKLINE>
    does NOT conform to profile paper: 1 of 1 answers is wrong, in 1 way
    """

    backend: Mapping[str, Any]
    profile: str
    level: str
    strict: bool
    seed: int
    results: tuple[Result, ...] = field(repr=False)
    seconds: float
    matches: tuple[Match, ...] = ()
    """Known mistakes that answer as the backend does, the best match first."""
    reproducers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Python scripts by ``"case:aspect"``."""

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each verdict was given."""
        return Counter(result.verdict.value for result in self.results)

    @property
    def failures(self) -> list[Result]:
        """The results that say that something is wrong."""
        return [result for result in self.results if result.verdict.failing]

    @property
    def conforms(self) -> bool:
        """Whether something was right and nothing wrong."""
        return not self.failures and any(result.verdict.passing for result in self.results)

    @property
    def conventions(self) -> list[Result]:
        """The results that are right by another profile."""
        return [result for result in self.results if result.verdict is Verdict.CONVENTION]

    def raise_if_wrong(self) -> None:
        """Raise an AssertionError with the summary, unless the backend conforms; for tests."""
        if not self.conforms:
            raise AssertionError(f"the backend does not conform\n{self}")

    def reproducer(self, result: Result) -> str:
        """A Python script that shows this result again, or ""."""
        return self.reproducers.get(f"{result.case}:{result.aspect}", "")

    def __str__(self) -> str:
        from .reports.summary import summary

        return summary(self)

    def to_json(self, path: str | os.PathLike[str] | None = None) -> dict[str, Any]:
        """All of it as what JSON can say, written to ``path`` if there is one.

        Numbers that are not finite are the strings "inf", "-inf" and "nan".
        """
        from .reports.as_json import to_json

        return to_json(self, path)

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> "Report":
        """The report that :meth:`to_json` wrote.

        Raises
        ------
        ValueError
            If the file is damaged or no such report.
        """
        from .reports.as_json import from_json

        return from_json(path)

    def to_junit(self, path: str | os.PathLike[str]) -> None:
        """Write JUnit XML, which CI systems read: one test for each aspect of each case."""
        from .reports.junit import to_junit

        to_junit(self, path)

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write one page that needs nothing else."""
        from .reports.page import to_html

        to_html(self, path)
