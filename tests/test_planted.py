"""The suite can fail: with any one of the classic mistakes planted, the test that should notice it does."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from .planted import NOTICED_BY, PLANTS

TESTS = Path(__file__).parent


def run(test: str, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        *options,
        str(TESTS / "ops" / test),
    ]
    return subprocess.run(command, capture_output=True, text=True, cwd=TESTS.parent, timeout=300)


@pytest.fixture(scope="module")
def runs() -> Iterator["dict[str, Future[subprocess.CompletedProcess[str]]]"]:
    """All of them, as many at a time as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {name: pool.submit(run, test, "--plant", name) for name, test in NOTICED_BY.items()}


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_mistake_makes_the_suite_fail(
    name: str, runs: "dict[str, Future[subprocess.CompletedProcess[str]]]"
) -> None:
    result = runs[name].result()
    assert result.returncode == 1, result.stdout + result.stderr  # 1: tests failed; not a broken run
    assert "1 failed" in result.stdout, result.stdout
    # A claim did not hold; the plant itself did not crash.
    assert "AssertionError" in result.stdout or "GradcheckError" in result.stdout, result.stdout
