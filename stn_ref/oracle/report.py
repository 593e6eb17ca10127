"""What a check found: counts, failures, and the same as JSON, JUnit XML and a page."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .interview import Result
from .verdicts import Verdict


@dataclass(frozen=True)
class Report:
    """All results of a check; :func:`str` gives the summary."""

    backend: Mapping[str, Any]
    profile: str
    level: str
    strict: bool
    seed: int
    results: tuple[Result, ...]
    seconds: float

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
