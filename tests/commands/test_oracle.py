"""The commands of ``stn-ref oracle`` as a user meets them."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from stn_ref.cli import main
from stn_ref.commands import oracle as command
from stn_ref.faults import FAULTS
from stn_ref.oracle import Report
from stn_ref.oracle.adapters import ADAPTERS
from stn_ref.oracle.questions.affine_cases import AFFINE_FAMILIES
from stn_ref.oracle.questions.cases import FAMILIES
from stn_ref.oracle.selftest import Line
from stn_ref.oracle.truth.profiles import PROFILES

ROOT = Path(__file__).parent.parent.parent
CASE = "kinks/bilinear/zeros/corners/float64/2d"
BACKENDS = """
import numpy as np
from stn_ref.faults import FAULTS, Plain
from stn_ref.oracle import Backend

class Right(Plain, Backend):
    dims, dtypes, modes = (2,), ("float64",), ("bilinear",)

class Wrong(FAULTS["sign-of-eq7"].implementation, Backend):
    name, dims, dtypes, modes = "wrong", Right.dims, Right.dtypes, Right.modes
"""


@pytest.fixture
def mine(tmp_path):
    """The path of a file with two backends in it."""
    file = tmp_path / "mine.py"
    file.write_text(BACKENDS, encoding="utf-8")
    return str(file)


@pytest.fixture(autouse=True)
def _few_cases(monkeypatch):
    """So that a case is found quickly by its name."""
    few = {"modes": ("bilinear",), "padding_modes": ("zeros",), "dims": (2,), "dtypes": ("float64",)}
    monkeypatch.setattr(command, "EVERYTHING", {**command.EVERYTHING, **few})


def oracle(*arguments):
    return main(["oracle", *arguments])


def check(target, *more):
    return oracle("check", target, "--only", f"^{CASE}", *more)


# check


def test_a_right_backend_has_the_status_0(mine, capsys):
    assert check(f"{mine}:Right") == 0
    assert "conforms to profile paper" in capsys.readouterr().out


def test_a_wrong_backend_has_the_status_1_and_is_explained(mine, tmp_path, capsys):
    files = {form: str(tmp_path / f"report.{form}") for form in ("json", "html", "junit")}
    options = [part for form, path in files.items() for part in (f"--{form}", path)]
    assert check(f"{mine}:Wrong", *options) == 1
    out = capsys.readouterr().out
    assert "does NOT conform to profile paper" in out
    assert "sign-of-eq7" in out
    report = Report.from_json(files["json"])
    assert report.backend["name"] == "wrong"
    assert "sign-of-eq7" in [match.fault for match in report.matches]
    assert json.loads(Path(files["json"]).read_text(encoding="utf-8"))
    assert Path(files["html"]).read_text(encoding="utf-8").lower().startswith("<!doctype html>")
    suites = ET.parse(files["junit"]).getroot()
    assert int(suites.find("testsuite").get("failures")) == len(report.failures) > 0


def test_options_reach_the_check(mine, capsys, tmp_path):
    path = str(tmp_path / "report.json")
    options = [
        "--no-explain",
        "--seed",
        "3",
        "--strict",
        "--profile",
        "torch",
        "--level",
        "full",
        "--json",
        path,
    ]
    assert check(f"{mine}:Wrong", *options) == 1
    report = Report.from_json(path)
    assert (report.seed, report.strict, report.profile, report.level) == (3, True, "torch", "full")
    assert report.matches == ()


def test_a_known_backend_goes_by_its_name(capsys):
    assert check("stn_ref", "--time-limit", "5") == 0
    assert "stn_ref oracle: stn_ref" in capsys.readouterr().out


def test_nothing_asked_is_no_success(mine, capsys):
    assert oracle("check", f"{mine}:Right", "--only", "no such case") == 1
    assert "no answer could be found right" in capsys.readouterr().out


def test_a_name_that_leads_nowhere_is_explained(capsys):
    assert check("pytroch") == 2
    assert "no backend is called 'pytroch'; expected one of stn_ref" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["check"], ["shrink", CASE, "--backend"]])
def test_a_backend_that_cannot_be_loaded_is_explained_without_a_traceback(arguments, mine, capsys):
    assert oracle(*arguments, f"{mine}:Missing") == 2
    assert "has no Missing; it has Right, Wrong" in capsys.readouterr().err


def test_a_wrong_expression_is_explained_without_a_traceback(mine, capsys):
    assert oracle("check", f"{mine}:Right", "--only", "(") == 2
    assert "(" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check"], "backend"),
        (["check", "stn_ref", "--level", "thorough"], "invalid choice"),
        (["check", "stn_ref", "--profile", "tensorflow"], "invalid choice"),
        (["dance"], "invalid choice"),
        ([], "command"),
        (["compare", "one.json"], "FILE"),
    ],
)
def test_wrong_options_have_the_status_2(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        oracle(*arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


# list, explain, faults


def test_the_list_holds_all_that_there_is(capsys):
    assert oracle("list") == 0
    listed = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")}
    assert {*ADAPTERS, *PROFILES, *FAMILIES, *AFFINE_FAMILIES} <= listed


def test_a_case_is_explained_with_its_arrays_and_the_right_answers(capsys):
    assert oracle("explain", CASE) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{CASE}\nWhole pixel coordinates")
    assert "see tensorflow/addons#2535" in out
    for name in ("U (2, 3, 3, 5)", "grid (2, 3, 7, 2)", "V (2, 3, 3, 7)", "grid_bar (2, 3, 7, 2)"):
        assert name in out
    assert "down to" in out


def test_an_affine_case_is_explained_too(capsys):
    assert oracle("explain", "affine-singleton/corners/float64/2d", "--profile", "onnx") == 0
    out = capsys.readouterr().out
    assert "Outputs that are one pixel high." in out
    assert "theta (2, 2, 3)" in out


def test_a_thin_plate_case_is_explained_too(capsys):
    assert oracle("explain", "tps-affine/corners/float64/2d") == 0
    assert "through which the spline is an affine map" in capsys.readouterr().out


def test_an_unknown_case_is_answered_with_what_a_name_looks_like(capsys):
    assert oracle("explain", "kinks") == 2
    assert "no case is called 'kinks'; a name is family/mode/padding" in capsys.readouterr().err


def test_the_dictionary_of_mistakes(capsys):
    assert oracle("faults") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(FAULTS)
    assert any("(equivalent)" in line for line in lines)
    assert any("(legal: torch)" in line for line in lines)
    assert oracle("faults", "xy-swap") == 0
    told = capsys.readouterr().out
    assert "".join(told.split()) == "".join(f"xy-swap: {FAULTS['xy-swap'].sentence}".split())
    assert oracle("faults", "yx-swap") == 2
    assert "no mistake is called 'yx-swap'" in capsys.readouterr().err


def test_an_equivalent_mistake_is_told_with_its_proof(capsys):
    [name, *_] = [name for name, fault in FAULTS.items() if fault.equivalent]
    assert oracle("faults", name) == 0
    assert "It changes no answer." in capsys.readouterr().out


# shrink, compare, selftest


def test_what_is_answered_rightly_has_no_smallest_question(mine, capsys):
    assert oracle("shrink", CASE, "--backend", f"{mine}:Right") == 0
    assert f"answers {CASE} rightly" in capsys.readouterr().out


def test_every_wrong_aspect_has_its_script(mine, capsys, monkeypatch):
    right = command.shrunk
    monkeypatch.setattr(command, "shrunk", lambda *given: right(*given, seconds=0.3))
    assert oracle("shrink", CASE, "--backend", f"{mine}:Wrong") == 0
    scripts = capsys.readouterr().out
    for aspect in ("grid_bar is wrong (FAIL_GRAD)", "V_dot is wrong (FAIL_GRAD)", "second.U is wrong"):
        assert aspect in scripts
    assert "V is wrong" not in scripts


def test_an_unknown_case_has_no_smallest_question(mine, capsys):
    assert oracle("shrink", "no/such/case", "--backend", f"{mine}:Right") == 2
    assert "no case is called" in capsys.readouterr().err


def test_two_reports_are_compared(mine, tmp_path, capsys):
    paths = []
    for name in ("Right", "Wrong"):
        paths.append(str(tmp_path / f"{name}.json"))
        check(f"{mine}:{name}", "--no-explain", "--json", paths[-1])
    capsys.readouterr()
    assert oracle("compare", *paths) == 0
    assert "grid_bar" in capsys.readouterr().out
    assert oracle("compare", paths[0], str(tmp_path / "missing.json")) == 2
    assert "missing.json" in capsys.readouterr().err
    assert oracle("compare", paths[0], mine) == 2


@pytest.mark.parametrize("holds", [True, False])
def test_the_selftest_has_a_status(holds, capsys, monkeypatch):
    lines = [Line("one holds", True, "1 of 1"), Line("another", holds, "2 of 2")]
    asked = []
    monkeypatch.setattr(command, "selftest", lambda points: asked.append(points) or lines)
    assert oracle("selftest", "--points", "7") == int(not holds)
    out = capsys.readouterr().out.splitlines()
    assert out[:2] == [str(line) for line in lines]
    assert out[2] == ("all as demanded" if holds else "1 demands are not met")
    assert asked == [7]


def test_help_loads_nothing_of_the_oracle():
    code = "import sys; from stn_ref.cli import parser; parser(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "stn_ref.cli" in done.stdout
    assert "stn_ref.oracle" not in done.stdout
