"""A backend is loaded by its name, in a fresh interpreter, which need not have ``stn_ref``."""

import importlib
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from stn_ref.oracle.adapters.ours import StnRef
from stn_ref.oracle.calls import Call
from stn_ref.oracle.isolation import start
from stn_ref.oracle.isolation.asking import BackendNotLoaded, InProcess, Isolated
from stn_ref.oracle.isolation.loading import FILE_MODULE, NotLoaded, load

from ..asking import Does, call, is_doubled, only, vjp

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Isolated needs a POSIX system")

MINE = """
import os, sys
from contextlib import suppress
import numpy as np
from stn_ref.oracle import Backend, Unsupported
from stn_ref.oracle.backend import Backend as SameBackend
import stn_ref.oracle.adapters
assert SameBackend is Backend
here = 0.0

class Mine(Backend):
    name = "mine"
    version = "1.2"
    modes = ["bilinear", "tree"]
    real = hasattr(sys.modules["stn_ref"], "grid_sample")
    def grid_sample(self, U, grid, *, mode, padding_mode, align_corners):
        if mode == "abort":
            os.abort()
        if mode == "unsupported":
            raise Unsupported("no")
        if mode == "write":
            for descriptor in range(3, 64):
                with suppress(OSError):
                    os.write(descriptor, b"\\xff" * 16)
        if mode == "here":
            return here
        if mode == "session":
            return float(os.getsid(0))
        if mode == "threads":
            return float(os.environ["OMP_NUM_THREADS"])
        if mode == "real":
            return float(self.real)
        return 2 * U
    class Inner(Backend):
        pass

class Other:
    pass

class Fails(Backend):
    def __init__(self):
        self.weights = np.zeros(3)[5]

class Sleeps(Backend):
    def __init__(self):
        while True:
            pass
"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """The path of a file with backends."""
    file = tmp_path_factory.mktemp("elsewhere") / "mine.py"
    file.write_text(MINE)
    return file


def check_mine(backend):
    assert (backend.about["name"], backend.about["version"]) == ("mine", "1.2")
    assert backend.about["modes"] == ("bilinear", "tree")
    assert backend.about["methods"] == ("grid_sample",)
    job = [call(), call("unsupported"), call("abort"), call("threads"), call("session"), vjp()]
    [[right, unsupported, crash, threads, session, missing]] = backend.ask([job])
    assert is_doubled(right)
    assert unsupported.unsupported == "no"
    assert crash.detail.startswith("killed by SIGABRT\nFatal Python error: Aborted")
    assert threads.outputs[""] == 1
    assert session.outputs[""] != os.getsid(0)  # Ctrl-C is not for it
    assert missing.unsupported == "no grid_sample_vjp"


def test_a_backend_by_the_path_of_its_file(mine):
    with Isolated(f"{mine}:Mine") as backend:
        check_mine(backend)
        assert only(backend, call("real")).outputs[""] == 1
        assert backend.about["numpy"] == np.__version__


def test_noise_on_the_pipe_of_the_process_is_a_crash(mine):
    with Isolated(f"{mine}:Mine") as backend:
        [[answer, after]] = backend.ask([[call("write"), call()]])
    assert (answer.failure, answer.detail[:36]) == ("CRASH", "it wrote to the pipe of its process:")
    assert is_doubled(after)


def test_a_backend_by_the_name_of_its_module(mine):
    with Isolated("mine:Mine.Inner", path=[str(mine.parent)]) as backend:
        assert (backend.about["name"], backend.about["methods"]) == ("Inner", ())


def test_where_stn_ref_cannot_be_imported_its_place_is_taken(mine, tmp_path, monkeypatch):
    package = tmp_path / "stn_ref"
    shutil.copytree(Path(start.__file__).parents[1], package / "oracle")
    (package / "__init__.py").write_text("import json, a_library")
    monkeypatch.setattr(start, "__file__", str(package / "oracle" / "isolation" / "start.py"))
    with Isolated(f"{mine}:Mine", python=sys.executable) as backend:
        check_mine(backend)
        assert only(backend, call("real")).outputs[""] == 0
    (tmp_path / "needy.py").write_text("import stn_ref\nstn_ref.grid_sample")
    reason = r"stn_ref has no grid_sample here, .* \(ModuleNotFoundError: No module named 'a_library'\)"
    with pytest.raises(BackendNotLoaded, match=reason):
        Isolated("needy:Mine", python=sys.executable, path=[str(tmp_path)]).__enter__()


@pytest.mark.skipif("STN_REF_OTHER_PYTHON" not in os.environ, reason="STN_REF_OTHER_PYTHON names none")
def test_another_interpreter(mine):
    with Isolated(f"{mine}:Mine", python=os.environ["STN_REF_OTHER_PYTHON"]) as backend:
        check_mine(backend)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("mine", r"a backend is named as 'module:Class' or 'path/to/file.py:Class', not 'mine'"),
        (":Mine", r"a backend is named as"),
        ("no/such/file.py:Mine", "there is no file /.*/no/such/file.py$"),
        ("no_such_module.inner:Mine", "finds no module no_such_module"),
        ("{file}:Yours", "mine.py has no Yours; it has Mine, Fails, Sleeps$"),
        ("{file}:Other", "gave an object of type Other, expected a subclass of stn_ref.oracle.Backend"),
    ],
)
def test_a_name_that_leads_to_no_backend_is_told_with_what_would(mine, name, complaint, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(NotLoaded, match=complaint):
        load(name.format(file=mine))
    sys.modules.pop(FILE_MODULE, None)


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("no_such_module:Mine", "no_such_module:Mine could not be loaded: .* finds no module no_such_module"),
        ("mine:Fails", r"IndexError: .*\n.*self.weights = "),
        ("mine:Sleeps", r"no answer within 0.4 s; it was in\n.* in __init__"),
        ("needy:Mine", r"No module named 'a_library'.*-m pip install a_library"),
    ],
)
def test_what_cannot_be_loaded_is_told_with_what_to_do(mine, target, complaint):
    (mine.parent / "needy.py").write_text("import a_library")
    limit = 0.4 if "Sleeps" in target else 60
    with pytest.raises(BackendNotLoaded, match=f"(?s){complaint}"):
        Isolated(target, path=[str(mine.parent)], start_limit=limit).__enter__()


def test_an_interpreter_that_is_none():
    with pytest.raises(BackendNotLoaded, match="no/such/python"):
        Isolated("mine:Mine", python="no/such/python").__enter__()


def test_an_object_that_can_be_made_by_name_is_made_in_a_fresh_interpreter(mine, monkeypatch):
    monkeypatch.syspath_prepend(mine.parent)
    module = importlib.import_module("mine")
    monkeypatch.setattr(module, "here", 1.0)
    unlike_others = module.Mine()
    unlike_others.scale = 3
    for target, copied in ((module.Mine(), 0), (unlike_others, 1)):
        with Isolated(target) as backend:
            assert only(backend, call("here")).outputs[""] == copied
            assert backend.about == InProcess(target).about
    monkeypatch.delitem(sys.modules, "mine")


def test_an_adapter_is_made_in_a_fresh_interpreter():
    theta = np.ones((1, 2, 3))
    asked = Call("affine_grid", {"theta": theta}, {"size": (1, 1, 2, 3), "align_corners": True})
    with Isolated(StnRef(), python=sys.executable) as backend:
        assert np.array_equal(only(backend, asked).outputs[""], StnRef().affine_grid(theta, **asked.settings))


def test_an_object_with_state_cannot_go_into_another_interpreter():
    with pytest.raises(ValueError, match=f"{sys.executable} cannot make it; put its class into a file"):
        Isolated(Does(), python=sys.executable)
