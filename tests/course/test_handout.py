"""Terms, cutting, and what students get, tried as they would."""

import ast
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from stn_ref.course.handout import build, handout, solutions, term_of
from stn_ref.course.sources import FILES, Textbook, conventions, cut, flattened, source, tasks_of, textbook
from stn_ref.course.tasks import TASKS
from stn_ref.course.variants import CHOICES, Variant, variant, variants

PLAIN = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def python(folder, *words):
    """Without stn_ref on the path."""
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True, timeout=120, env=PLAIN
    )
    return done.returncode, done.stdout + done.stderr


def written(folder, files):
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


# Terms


def test_a_term_is_always_the_same_and_terms_differ():
    found = [variant(f"term {k}") for k in range(300)]
    assert found == [variant(f"term {k}") for k in range(300)]
    assert set(found) == set(variants())


@pytest.mark.parametrize("chosen", [Variant(), variant("2027a"), *(variant(f"{k}") for k in range(5))])
def test_the_conventions_say_what_the_term_is(chosen):
    namespace = {}
    exec(conventions(chosen), namespace)
    assert {name: namespace[name] for name in CHOICES} == chosen.constants()


# Cutting

TWO = '''def f(x):
    """Doc.

    >>> f(2)
    4
    """
    # BEGIN SOLUTION task=3
    if x:
        return 2 * x
    # END SOLUTION


class A:
    def g(self):
        # BEGIN SOLUTION task=4
        secret()
        # END SOLUTION
        return 1
'''


def test_solutions_and_examples_are_cut_out_and_all_else_stays():
    expected = '''def f(x):
    """Doc.
    """
    raise NotImplementedError("task 3")


class A:
    def g(self):
        raise NotImplementedError("task 4")
        return 1
'''
    assert cut(TWO) == expected
    assert cut(expected) == expected


@pytest.mark.parametrize("text", [TWO[:-40], TWO.replace("    # END", "# END", 1), "# END SOLUTION\n"])
def test_marks_that_do_not_match_are_refused(text):
    with pytest.raises(ValueError, match=r"^cut: "):
        cut(text)


def test_every_function_of_a_task_is_marked_and_none_else():
    marked = {file: tasks_of(source(file)) for file in FILES}
    for number, task in TASKS.items():
        assert {name for name, of in marked[task.file].items() if of == number} == set(task.functions)
    assert sum(map(len, marked.values())) == sum(len(task.functions) for task in TASKS.values())


@pytest.mark.parametrize("file", FILES)
def test_a_cut_file_is_python_and_needs_nothing_but_its_neighbours(file):
    tree = ast.parse(flattened(cut(source(file))))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    beside = {name[:-3] for name in (*FILES, "conventions.py")}
    assert names <= beside | {"numpy", "numpy.typing", "collections.abc", "typing", "__future__"}


def test_a_textbook_of_another_term_leaves_no_modules_behind():
    before = set(sys.modules)
    other = Textbook(Variant(align_corners=False))
    assert set(sys.modules) == before
    assert other("grids.py", "base_coordinates", 4)[0] == -0.75
    assert textbook(Variant())("grids.py", "base_coordinates", 4)[0] == -1


def test_each_task_is_worth_ten_points_and_every_aspect_is_asked_for():
    for task in TASKS.values():
        assert task.worth == 10
        for chosen in (Variant(), Variant(channels_last=True)):
            assert {check.aspect for check in task.checks(chosen, np.random.default_rng(0))} == set(
                task.points
            )


# The handout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return build(tmp_path_factory.mktemp("course") / "handout", "2027a")


def test_the_same_term_gives_the_same_bytes(folder):
    again = handout("2027a")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == again
    assert handout("2027b") != again


def test_it_is_not_written_over_something(folder):
    with pytest.raises(FileExistsError, match="is not empty, expected a new or an empty folder"):
        build(folder, "2027a")


def test_it_says_for_which_term_it_is(folder, tmp_path):
    assert term_of(folder) == "2027a"
    with pytest.raises(ValueError, match="does not say for which term the handout is"):
        term_of(tmp_path)


def test_the_readme_has_the_conventions_and_all_tasks(folder):
    text = (folder / "README.md").read_text()
    for name, value in variant("2027a").constants().items():
        assert f"`{name} = {value!r}`" in text
    for task in TASKS.values():
        assert f"| {task.number} | {task.title} | `{task.file}` |" in text


def test_the_notebook_is_one(folder):
    document = json.loads((folder / "assignment.ipynb").read_text())
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(document)


def test_stubs_pass_no_public_test_and_the_solution_passes_all(folder, tmp_path):
    code, said = python(folder, "public_tests.py", "7")
    assert (code, said.splitlines()[-1]) == (1, "task 7: 0 of 8 tests passed")
    assert "grid_cotangent: not implemented yet" in said
    solved = written(tmp_path / "solved", {**handout("2027a"), **solutions("2027a")})
    code, said = python(solved, "public_tests.py")
    assert code == 0, said
    totals = [line.split()[2:5:2] for line in said.splitlines()]
    assert all(passed == of for passed, of in totals)
    assert len(totals) == len(TASKS)


def test_the_public_tests_run_under_pytest_and_say_what_is_wrong(tmp_path):
    wrong = solutions("2027a")["chain.py"].replace(b"np.array(spans) / 2", b"np.array(spans)")
    spoilt = written(tmp_path / "spoilt", {**handout("2027a"), **solutions("2027a"), "chain.py": wrong})
    code, said = python(
        spoilt, "-m", "pytest", "-q", "-p", "no:cacheprovider", "public_tests.py", "-k", "task7"
    )
    assert code == 1
    assert "3 failed, 5 passed" in said
    assert "numbers are wrong, the first at (0, 0, 0, 0)" in said


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("return np.ones((1, 1))", "shape (1, 1), expected (7,)"),
        ("return np.ones(7), 1", "returned 2 arrays, expected 1"),
        ("return [][0]", "IndexError: list index out of range"),
    ],
)
def test_the_public_tests_see_other_mistakes(tmp_path, line, message):
    size = next(check.settings["size"] for check in TASKS[1].checks(variant("x"), np.random.default_rng(0)))
    assert size  # the number differs from term to term
    stub = handout("2027a")["grids.py"].replace(b'raise NotImplementedError("task 1")', line.encode(), 1)
    spoilt = written(tmp_path / "spoilt", {**handout("2027a"), "grids.py": stub})
    _, said = python(spoilt, "public_tests.py", "1")
    assert message.replace("(7,)", "(") in said


def test_a_written_argument_is_seen(tmp_path):
    text = solutions("2027a")["grids.py"].replace(
        b"    return x * pixels", b"    x += 0.5\n    return x * pixels"
    )
    spoilt = written(tmp_path / "spoilt", {**handout("2027a"), "grids.py": text})
    assert "numbers are wrong" in python(spoilt, "public_tests.py", "2")[1]
    text = solutions("2027a")["grids.py"].replace(
        b"    return (x_px - ", b"    x_px -= 1\n    return (x_px + 1 - "
    )
    spoilt = written(tmp_path / "spoilt", {**handout("2027a"), "grids.py": text})
    assert "an argument was written to" in python(spoilt, "public_tests.py", "2")[1]
