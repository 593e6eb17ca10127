"""Every case of the oracle as a test: ``pytest -p stn_ref.oracle.pytest_plugin --oracle module:Class``.

In a test file of one's own three lines do the same as one test:

    import stn_ref.oracle
    def test_sampler():
        stn_ref.oracle.check(MyBackend()).raise_if_wrong()
"""

from collections.abc import Iterator
from typing import Any

import pytest

from .checker import check
from .interview import Result
from .names import target_of
from .questions.cases import LEVELS
from .reports.words import outcome


def pytest_addoption(parser: Any) -> None:
    group = parser.getgroup("oracle", "exact checks of a grid sampler")
    group.addoption("--oracle", metavar="BACKEND", help="a known backend, module:Class, or file.py:Class")
    group.addoption("--oracle-level", choices=LEVELS, default="quick", help="how much is asked")
    group.addoption("--oracle-only", default="", metavar="REGEX", help="only cases whose name it matches")


def pytest_collection_modifyitems(session: Any, config: Any, items: list[Any]) -> None:
    """Ask the backend, and add a test for each case."""
    if config.getoption("--oracle"):
        items.extend(Backend.from_parent(session, name="oracle").collect())


class Backend(pytest.Collector):
    """The backend that was named; its cases are judged when they are collected."""

    def collect(self) -> Iterator["CaseItem"]:
        option = self.config.getoption
        report = check(
            target_of(option("--oracle")), level=option("--oracle-level"), only=option("--oracle-only")
        )
        for result in report.results:
            if result.aspect:
                name = f"{result.case}:{result.aspect}"
                script = report.reproducers.get(name, "")
                yield CaseItem.from_parent(self, name=name, result=result, script=script)


class CaseItem(pytest.Item):
    """One aspect of a case."""

    def __init__(self, *, result: Result, script: str, **common: Any) -> None:
        super().__init__(**common)
        self.result, self.script = result, script

    def runtest(self) -> None:
        verdict = self.result.verdict
        if verdict.failing:
            raise WrongAnswer(f"{verdict.value}: {outcome(self.result)}")
        if not verdict.passing:
            pytest.skip(f"{verdict.value}: {self.result.finding.detail}")

    def repr_failure(self, excinfo: Any, style: Any = None) -> str:
        return f"{excinfo.value}\n\n{self.script}" if self.script else str(excinfo.value)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        return "oracle", None, self.name


class WrongAnswer(AssertionError):
    """What a backend answers is wrong."""
