"""The pages: links lead somewhere, commands are those that exist, every equation has its code."""

import importlib
import inspect
import re
import shlex
from pathlib import Path

import pytest

import stn_ref
import stn_ref.nn
import stn_ref.pictures
from stn_ref import cli, equations
from stn_ref.autograd.tensor import OPERATORS
from stn_ref.ops.interpolation import KERNELS
from stn_ref.ops.transformation import TRANSFORMATIONS

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def broken_links(text: str, folder: Path) -> list[str]:
    """Targets of Markdown links that are neither web addresses nor files."""
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
    return [t for t in targets if not t.startswith("http") and not (folder / t).exists()]


def unknown_commands(text: str) -> list[str]:
    """Uses of stn-ref whose subcommand or options the parser does not know."""
    bad = []
    for line in re.findall(r"stn-ref ([^`\n]+)", text):
        words = shlex.split(re.sub(r"\bN\b", "1", line.split("&&")[0].rstrip(".,;:")))
        try:
            cli.parser().parse_args(words)
        except SystemExit as stop:
            if stop.code:
                bad.append(line)
    return bad


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    assert broken_links(page.read_text(), page.parent) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_known_to_the_parser(page: Path) -> None:
    text = re.sub(r"`stn-ref (demo|train|gradcheck|oracle|course)`", "", page.read_text())
    assert unknown_commands(text) == []


def test_the_checkers_find_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert broken_links("[a](no/such/file.md) [b](http://x.org) [c](README.md#top)", ROOT) == [
        "no/such/file.md"
    ]
    assert unknown_commands("`stn-ref dance`\nstn-ref demo --seed 1\n") == ["dance"]


def test_every_equation_has_its_listing_and_its_operator() -> None:
    carried = {number for operator in OPERATORS.values() for number in operator.equations}
    listed = {int(name[2]) for name in vars(equations) if re.match(r"eq\d_", name)}
    assert carried == listed == set(range(1, 8))


MODULES = (stn_ref, stn_ref.nn, stn_ref.pictures)


def public_names() -> list[str]:
    return [f"{module.__name__}.{name}" for module in MODULES for name in module.__all__]


@pytest.mark.parametrize("name", public_names())
def test_every_public_name_is_explained_with_an_example(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    public = getattr(importlib.import_module(module), attribute)
    if isinstance(public, stn_ref.Kernel):
        return  # a value; its class is explained
    assert ">>> " in (inspect.getdoc(public) or "")


def test_the_pages_list_every_transformation_and_every_kernel() -> None:
    by_page = {"transformations.md": TRANSFORMATIONS, "kernels.md": KERNELS}
    for page, table in by_page.items():
        text = (ROOT / "docs" / page).read_text()
        assert [name for name in table if f'`"{name}"`' not in text] == []
    explained = inspect.getdoc(stn_ref.spatial_transform) or ""
    assert [name for name in TRANSFORMATIONS if f'"{name}"' not in explained] == []


def test_the_readings_of_a_kink_are_those_of_the_equations() -> None:
    from stn_ref.ops.sampling import KINKS

    assert KINKS == equations.KINKS  # written twice, since the equations are imported by nobody
