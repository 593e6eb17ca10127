"""Every case of the oracle as a test of somebody's own run of pytest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BACKENDS = """
import numpy as np
from stn_ref.faults import FAULTS, Plain
from stn_ref.oracle import Backend

class Right(Plain, Backend):
    dims, dtypes, modes = (2,), ("float64",), ("bilinear",)

class Wrong(FAULTS["sign-of-eq7"].implementation, Backend):
    dims, dtypes, modes = Right.dims, Right.dtypes, Right.modes

    def grid_sample_jvp(self, *arrays, **settings):
        raise NotImplementedError("no tangents")

    def grid_sample_vjp_vjp(self, *arrays, **settings):
        raise NotImplementedError("first order only")
"""
ONLY = "^kinks/bilinear/zeros/(corners|edges)"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mine.py").write_text(BACKENDS, encoding="utf-8")
    (tmp_path / "test_own.py").write_text("def test_of_one_s_own():\n    pass\n", encoding="utf-8")
    return tmp_path


def run(folder, *arguments):
    """The exit status and what is printed."""
    command = [sys.executable, "-m", "pytest", "-p", "stn_ref.oracle.pytest_plugin", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def test_without_the_option_nothing_is_added(folder):
    status, text = run(folder, "-q")
    assert status == 0
    assert "1 passed" in text


def test_each_aspect_of_a_right_backend_is_a_test_that_passes(folder):
    status, text = run(folder, "-v", "--oracle", "mine:Right", "--oracle-only", ONLY)
    assert status == 0, text
    assert "15 passed" in text  # seven aspects of two cases, and one's own test
    assert text.count("kinks/bilinear/zeros/corners/float64/2d:second") == 3


def test_a_wrong_answer_fails_with_a_script_and_a_missing_one_is_skipped_with_the_reason(folder):
    target, only = f"{folder / 'mine.py'}:Wrong", "^kinks/bilinear/zeros/corners"
    status, text = run(folder, "-q", "-rs", "--oracle", target, "--oracle-only", only)
    assert status == 1
    assert "1 failed, 3 passed, 4 skipped" in text  # passed: V, U_bar, and one's own test
    assert "FAIL_GRAD: grid_bar[" in text
    assert "import numpy as np" in text
    assert "Traceback" not in text
    for reason in ("no tangents", "first order only"):
        assert f"UNSUPPORTED: {reason}" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--oracle", "no-such-backend"], "no backend is called 'no-such-backend'"),
        (["--oracle", "mine:Missing"], "mine has no Missing"),
    ],
)
def test_a_name_that_leads_nowhere_is_an_error_and_no_passed_run(folder, arguments, message):
    status, text = run(folder, "-q", *arguments)
    assert status not in (0, 5)
    assert message in text
