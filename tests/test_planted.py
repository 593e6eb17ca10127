"""The suite can fail: with any one of the classic mistakes planted, the test that should notice it does."""

import io
import multiprocessing
import os
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing.pool import AsyncResult
from pathlib import Path

import pytest

from .planted import NOTICED_BY, PLANTS

TESTS = Path(__file__).parent
Runs = dict[str, "AsyncResult[tuple[int, str]]"]


def run(test: str, name: str) -> tuple[int, str]:
    """pytest's exit code and output for a test with a mistake planted; needs a process of its own."""
    os.chdir(TESTS.parent)
    quiet = ["-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    with redirect_stdout(io.StringIO()) as printed, redirect_stderr(printed):
        code = pytest.main([*quiet, "-x", "--plant", name, str(TESTS / test)])
    return int(code), printed.getvalue()


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    """All of them, as many at a time as there are cores, each in a process of its own.

    They are forked from a small server that has imported what all need: launching an interpreter for each
    takes longer, and on a machine short of memory sometimes fails.
    """
    forks = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if forks else "spawn")
    if forks:
        context.set_forkserver_preload(["pytest", "hypothesis", "stn_ref"])
    with context.Pool(os.cpu_count(), maxtasksperchild=1) as pool:
        yield {
            name: pool.apply_async(run, (test if "/" in test else f"ops/{test}", name))
            for name, test in NOTICED_BY.items()
        }


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_mistake_makes_the_suite_fail(name: str, runs: Runs) -> None:
    code, printed = runs[name].get(timeout=300)
    assert code == 1, printed  # 1: tests failed; not a broken run
    assert "1 failed" in printed, printed
    # A claim did not hold; the plant itself did not crash.
    assert any(sign in printed for sign in ("AssertionError", "GradcheckError", "DID NOT RAISE")), printed
