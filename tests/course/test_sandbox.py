"""A submission that means no harm: what comes back, and what it is told when it is wrong."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from stn_ref.course.sandbox import Category, Limits, Question, Reply, Sandbox, SandboxError
from stn_ref.course.sandbox.questions import one_line

X = np.arange(6.0).reshape(2, 3)


@pytest.fixture
def asked(tmp_path):
    """Ask for a function ``f`` of a file, or for other things of several files."""

    def ask(files, *questions, limits=None, sandbox=Sandbox):
        for name, source in ({"task.py": files} if isinstance(files, str) else files).items():
            path = tmp_path / "given" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source, "utf-8")
        with sandbox(tmp_path / "given", limits) as opened:
            return opened.ask(questions or [Question("task.py", "f", [X.copy()])])

    return ask


@pytest.mark.parametrize(
    "array",
    [
        *(
            X,
            X.T,
            X[:, :0],
            X[::-1, ::2],
            np.array(1.5),
            np.float16([np.inf, np.nan]),
            np.array([1, 2], ">i4"),
        ),
        *(np.array([True]), np.array([1j]), np.arange(3, dtype=np.uint8)),
    ],
    ids=str,
)
def test_arrays_go_and_come_as_they_are(array, asked):
    [reply] = asked("def f(x): return x", Question("task.py", "f", [array]))
    assert reply.category is Category.OK
    assert (reply.array.dtype, reply.array.shape, reply.single) == (array.dtype, array.shape, True)
    assert reply.array.tobytes() == array.tobytes()


def test_tuples_numbers_and_settings(asked):
    source = """import numpy as np
def pair(a, b, *, size, mode='x'):
    assert size == (2, 3) and type(size) is tuple, size
    return a + b, np.full(size, mode == 'y')
def number(): return 3
def one(): return (np.ones(2),)
"""
    question = Question("task.py", "pair", [X, X], {"size": (2, 3), "mode": "y"})
    pair, number, one = asked(source, question, Question("task.py", "number"), Question("task.py", "one"))
    assert np.array_equal(pair.arrays[0], 2 * X)
    assert pair.arrays[1].all()
    assert not pair.single
    assert (number.array, number.array.shape) == (3, ())
    assert (len(one.arrays), one.single) == (1, False)


@pytest.mark.parametrize(
    ("body", "category", "message"),
    [
        (
            "raise NotImplementedError",
            *(Category.NOT_IMPLEMENTED, "not implemented (task.py, line 2: raise NotImplementedError)"),
        ),
        (
            "raise NotImplementedError('eq. (3)')",
            *(Category.NOT_IMPLEMENTED, "not implemented: eq. (3) (task.py, line 2: raise NotImplemented"),
        ),
        (
            "return x[7]",
            Category.ERROR,
            "IndexError: index 7 is out of bounds for axis 0 with size 2 (task.py, line 2: return x[7])",
        ),
        (
            "return np.ones(",
            Category.IMPORT,
            "importing task.py: SyntaxError: '(' was never closed (task.py, line",
        ),
        (
            "return x + y",
            Category.ERROR,
            "NameError: name 'y' is not defined (task.py, line 2: return x + y)",
        ),
        ("pass", Category.WRONG_RESULT, "returned None, expected a NumPy array"),
        ("return [1, 2]", Category.WRONG_RESULT, "returned an object of type list, expected a NumPy array"),
        (
            "return x, None",
            Category.WRONG_RESULT,
            "returned None as part 2 of the tuple, expected a NumPy arr",
        ),
        ("return ()", Category.WRONG_RESULT, "returned a tuple of 0, expected 1 to 32 arrays"),
        ("x[0] = 7; return x", Category.MODIFIED, "modified its argument 1 (x); work on a copy"),
        ("x.shape = (3, 2); return 0", Category.MODIFIED, "modified its argument 1 (x); work on a copy"),
        (
            "import torch",
            Category.ERROR,
            "ModuleNotFoundError: No module named 'torch' (task.py, line 2: import",
        ),
        (
            "import sys; sys.exit()",
            Category.ENDED,
            "asked for the end of the process (task.py, line 2: import",
        ),
        ("import os; os._exit(3)", Category.ENDED, "ended the process with exit code 3"),
        ("import os; os.abort()", Category.ENDED, "was killed by SIGABRT"),
    ],
)
def test_what_goes_wrong_is_said_in_one_line(body, category, message, asked):
    [reply] = asked(f"def f(x):\n    {body}\n")
    assert reply.category is category
    assert reply.message.startswith(message)


def test_an_error_below_the_submission_is_shown_where_the_submission_led_to_it(asked):
    files = {"task.py": "import numpy as np\nfrom parts.helper import g\ndef f(x): return g(x)\n"}
    files |= {"parts/helper.py": "import numpy as np\ndef g(x):\n    return np.linalg.solve(x, x)\n"}
    [reply] = asked(files)
    assert "LinAlgError" in reply.message
    assert reply.message.endswith("(parts/helper.py, line 3: return np.linalg.solve(x, x))")


def test_an_argument_is_called_modified_even_so_its_results_are_there(asked):
    [reply] = asked("def f(x):\n    x += 1\n    return x")
    assert np.array_equal(reply.array, X + 1)


def test_a_failure_costs_no_other_answer(asked):
    source = """import os, time
def good(x): return x
def ends(x): os._exit(0)
def bad(x): 1 / 0
def loops(x):
    while True: pass
"""
    names = ["good", "ends", "good", "bad", "good", "loops", "good", "absent", "good"]
    questions = [Question("task.py", name, [X]) for name in names]
    replies = asked(source, *questions, limits=Limits(seconds=0.3))
    categories = [reply.category for reply in replies]
    assert set(categories[::2]) == {Category.OK}
    assert categories[1::2] == [Category.ENDED, Category.ERROR, Category.TIME, Category.NO_FUNCTION]
    assert "took longer than 0.3 s (task.py, line 6: while True: pass)" in replies[5].message
    assert "there is loops" in asked(source, Question("task.py", "loop"))[0].message


def test_modules_stay_loaded_and_other_files_see_the_same_ones(asked):
    files = {
        "task.py": "calls = []\ndef f(x):\n    calls.append(x)\n    return len(calls)\n",
        "other.py": "import task\ndef f(x): return task.f(x)\n",
        "random.py": "def f(x): return x\n",  # named as a module that everybody uses
        "scipy.py": "import random, scipy.ndimage\ndef f(x): return random.random() < 1\n",
    }
    order = ["other.py", "task.py", "task.py", "random.py", "scipy.py"]
    replies = asked(files, *(Question(name, "f", [X]) for name in order))
    assert [reply.category for reply in replies] == [Category.OK] * 5
    assert [reply.array for reply in replies[:3]] == [1, 2, 3]
    assert replies[4].array


def test_time_in_all_is_limited_and_import_is_tried_once(asked):
    questions = [Question("task.py", "f", [X])] * 3
    limits = Limits(wait=20.0, total=0.4)
    replies = asked("import time\ndef f(x): time.sleep(60)", *questions, limits=limits)
    assert [reply.category for reply in replies] == [Category.TIME] * 3
    assert replies[2].message == "the 0.4 s for all questions were used up before"
    ended = asked("import os\nprint('once')\nos._exit(0)", *questions)
    assert [reply.category for reply in ended] == [Category.ENDED] * 3
    assert ended[0] is ended[2]


def test_too_much_memory_and_too_large_a_result(asked):
    source = "import numpy as np\ndef f(x): return np.ones(2**30)\ndef g(x): return np.ones(2**18)"
    questions = [Question("task.py", name, [X]) for name in "fg"]
    flood, large = asked(source, *questions, limits=Limits(memory=600 * 2**20, result=2**20))
    assert flood.category is Category.MEMORY
    assert flood.message.startswith("needs more memory than the 600 MiB (task.py, line 2")
    assert large.category is Category.WRONG_RESULT
    assert large.message.endswith("array of shape (262144,), in all 2097152 bytes, expected at most 1048576")


def test_what_is_printed_belongs_to_its_question_and_is_cut(asked):
    source = "import sys\nprint('import')\ndef f(x):\n    print('é\\x1b[0m', file=sys.stderr)\n    return x\n"
    source += "def g(x):\n    print('x' * 10**6)\n    return x\n"
    questions = [Question("task.py", name, [X]) for name in "fgf"]
    replies = asked(source, *questions, limits=Limits(printed=50))
    assert [reply.category for reply in replies] == [Category.OK] * 3
    assert replies[2].printed == "é\\x1b[0m\n"
    assert replies[1].printed == "x" * 50 + " ... (cut)"


def test_the_libraries_work_with_what_is_left(asked):
    source = """import dataclasses, fractions, functools, itertools, json, math, random, tempfile, unittest
import numpy as np
import numpy.linalg, numpy.fft, numpy.random, numpy.polynomial, numpy.testing, scipy.fft, scipy.interpolate
import scipy.linalg, scipy.ndimage, scipy.optimize, scipy.sparse, scipy.special
def f(x):
    m = np.random.default_rng(0).normal(size=(200, 200))
    assert np.allclose(np.linalg.solve(m, m @ m), m)
    assert np.allclose(scipy.fft.ifft(scipy.fft.fft(m)).real, m)
    return scipy.ndimage.zoom(x, 2), scipy.linalg.expm(x @ x.T), m @ m.T, np.einsum('ij,ij->i', x, x)
"""
    [reply] = asked(source, limits=Limits(seconds=20.0))
    assert (reply.category, reply.message) == (Category.OK, "")


def test_the_child_inherits_nothing(asked, monkeypatch):
    monkeypatch.setenv("SECRET", "x")
    source = """import json, os, sys
def f(x):
    print(json.dumps([dict(os.environ), os.listdir(), sys.argv, sys.flags.isolated]))
    return x
"""
    [reply] = asked(source)
    environment, listed, arguments, isolated = json.loads(reply.printed)
    assert {name for name in environment if not name.endswith("_THREADS")} <= {"HOME", "TMPDIR", "LC_ALL"}
    assert environment["HOME"] == environment["TMPDIR"]
    assert (listed, arguments, isolated) == ([], [""], 1)


def test_the_submission_is_not_touched_and_nothing_is_left(tmp_path):
    (tmp_path / "task.py").write_text("def f(x): return x")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path, *tmp_path.iterdir())}
    with Sandbox(tmp_path) as sandbox:
        [reply] = sandbox.ask([Question("task.py", "f", [X])])
        private = sandbox._private
        assert private.is_dir()
        if sys.platform == "linux" and os.uname().machine in ("x86_64", "aarch64"):
            assert not [line for line in sandbox.not_prevented if "system calls" in line]
    assert reply.array.flags.writeable
    assert not private.exists()
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path, *tmp_path.iterdir())}


def test_sandboxes_beside_each_other_do_not_mix(tmp_path):
    def grade(number):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "task.py").write_text(f"def f(x): return x + {number}")
        with Sandbox(folder) as sandbox:
            return [reply.array[0, 0] for reply in sandbox.ask([Question("task.py", "f", [X])] * 20)]

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(grade, range(4))) == [[number] * 20 for number in range(4)]


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_submission_does_not_outlive_its_grader_for_long(tmp_path):
    (tmp_path / "task.py").write_text("import os, time\ndef f():\n    time.sleep(60)\n")
    script = "import sys; from stn_ref.course.sandbox import *\n"
    script += "s = Sandbox(sys.argv[1], Limits(wait=1.0)).__enter__()\n"
    script += "print(s._child._process.pid, flush=True)\n"
    script += "s.ask([Question('task.py', 'f')] * 9)"
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as grader:
        child = Path("/proc", grader.stdout.readline().decode().strip())
        time.sleep(0.3)  # until it sleeps; should it not, this test is easier to pass
        grader.kill()
    until = time.monotonic() + 20
    while child.exists() and "State:\tZ" not in (child / "status").read_text():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_what_is_not_prevented_is_said(tmp_path):
    try:
        with Sandbox(tmp_path, without=["seccomp"]) as sandbox:
            assert any("system calls are not filtered" in line for line in sandbox.not_prevented)
    except SandboxError as error:
        pytest.skip(str(error))


def test_mistakes_of_the_grader_are_errors_that_say_so(tmp_path, monkeypatch):
    with pytest.raises(SandboxError, match="cannot be read"), Sandbox(tmp_path / "absent"):
        pass
    with pytest.raises(ValueError, match="outside of `with"):
        Sandbox(tmp_path).ask([])
    with pytest.raises(ValueError, match="Limits: seconds is 0, expected a positive number"):
        Limits(seconds=0)
    with pytest.raises(ValueError, match=r"there are 0 arrays \(time\)"):
        _ = Reply(Category.TIME).array
    with (
        pytest.raises(SandboxError, match="no submission can be run here"),
        Sandbox(tmp_path, Limits(memory=2**24)),
    ):
        pass
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(SandboxError, match="no process can be started"), Sandbox(tmp_path):
        pass


def test_messages_are_one_line_that_prints():
    assert one_line("a\n\n b\tc") == "a b c"
    assert one_line("\ud800\x00") == "\\ud800\\x00"
    assert one_line("x" * 1000) == "x" * 400 + " ... (cut)"
