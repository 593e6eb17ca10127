"""The examples in the docstrings of what draws: skipped as doctests, run here where Matplotlib is."""

import doctest
from pathlib import Path

import pytest

from stn_ref import pictures
from stn_ref.pictures import grids, kernels, sheets, tape

DRAWS = ("grid_sheet", "kernel_sheet", "tape_sheet", "transformer_sheet", "volume_sheet")


def examples() -> dict[str, doctest.DocTest]:
    found = [t for m in (grids, kernels, sheets, tape) for t in doctest.DocTestFinder().find(m)]
    return {t.name.rpartition(".")[2]: t for t in found if any(doctest.SKIP in e.options for e in t.examples)}


def test_all_that_draws_has_an_example() -> None:
    assert set(examples()) == set(DRAWS) == {name for name in pictures.__all__ if name.endswith("_sheet")}


@pytest.mark.parametrize("name", DRAWS)
def test_the_example_draws(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    test = examples()[name]
    for example in test.examples:
        example.options.pop(doctest.SKIP, None)
    assert doctest.DocTestRunner().run(test).failed == 0
    assert [path.suffix for path in tmp_path.iterdir()] == [".png"]
