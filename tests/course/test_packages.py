"""The course for other systems: run as those systems do it, and by those of them that are installed."""

import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from stn_ref.cli_course import TARGETS as OFFERED
from stn_ref.course.grading import judged
from stn_ref.course.handout import handout, solutions
from stn_ref.course.packages import TARGETS, notebooks, package
from stn_ref.course.sandbox import Category, Reply
from stn_ref.course.sources import FILES, Textbook, cut, source
from stn_ref.course.tasks import TASKS
from stn_ref.course.variants import variant

TERM = "2027a"
LOSES_DUPLICATES = (
    "sampler.py",
    "np.add.at(U_bar, (batch, row, column), (k_x * k_y)[..., None] * given)",
    "U_bar[batch, row, column] += (k_x * k_y)[..., None] * given",
)
HALF_OF_THE_SPAN = ("chain.py", "np.array(spans) / 2", "np.array(spans)")
ONE_USE = ("tape.py", "parent.bar = parent.bar + sum_to_shape(", "parent.bar = sum_to_shape(")
EVERY_ASPECT = {
    (task.number, aspect): worth for task in TASKS.values() for aspect, worth in task.points.items()
}


@cache
def packed(target):
    return TARGETS[target](TERM)


def written(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


# Writing


def test_the_command_line_offers_what_there_is():
    assert tuple(TARGETS) == OFFERED


@pytest.mark.parametrize("target", TARGETS)
def test_a_package_is_the_same_bytes_each_time(target):
    assert TARGETS[target](TERM) == packed(target)


def test_a_package_lies_in_a_new_folder_with_its_own_folders(tmp_path):
    found = package("classroom", TERM, tmp_path / "new")
    assert {path.relative_to(tmp_path / "new").as_posix() for path in found} == set(packed("classroom"))
    assert (tmp_path / "new/.github/workflows/classroom.yml").is_file()


def test_a_package_is_not_written_over_something(tmp_path):
    (tmp_path / "mine").write_text("work")
    with pytest.raises(FileExistsError, match="is not empty, expected a new or an empty folder"):
        package("otter", TERM, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_another_target_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(ValueError, match="no target 'moodle'; the targets are gradescope, otter"):
        package("moodle", TERM, tmp_path)


# Notebooks: their cells, run in order in one namespace

RUN = """
import codeop, contextlib, io, json, sys
compiled = codeop.Compile()  # keeps what was imported from __future__ for the next cells, as Jupyter does
said = {}
for name, text in json.load(open("cells.json")):
    with contextlib.redirect_stderr(io.StringIO()) as errors:
        try:
            exec(compiled(text, name, "exec"), globals())
            said[name] = errors.getvalue()
        except Exception as error:
            said[name] = f"{type(error).__name__}: {error}"
print(json.dumps(said))
"""


def cells(target):
    """The cells of a notebook by their names."""
    (content,) = (content for name, content in packed(target).items() if name.endswith(".ipynb"))
    return {cell["id"]: cell for cell in json.loads(content)["cells"]}


def text_of(cell):
    return "".join(cell["source"])


def points_of(cell):
    """What a cell of tests is worth, None of others."""
    if "nbgrader" in cell["metadata"]:
        return cell["metadata"]["nbgrader"].get("points")
    found = re.search(r"^points: (\d+)$", text_of(cell), re.MULTILINE)
    return int(found[1]) if found and cell["cell_type"] == "code" else None


def called(text):
    """A test of otter's, with the call that otter makes."""
    found = re.search(r"^def (test_\w+)\(\)", text, re.MULTILINE)
    return f"{text}\n{found[1]}()" if found else text


def run(folder, target, change=lambda text: text):
    """What each cell of a notebook ends with: "" if well."""
    written(folder, {Path(name).name: content for name, content in packed(target).items()})
    code = [
        (name, called(change(text_of(cell))))
        for name, cell in cells(target).items()
        if cell["cell_type"] == "code"
    ]
    (folder / "cells.json").write_text(json.dumps(code))
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def earned(target, said):
    """By task and aspect."""
    found = {}
    for name, cell in cells(target).items():
        worth = points_of(cell)
        if worth:
            task, aspect = re.search(r'public\((\d+), "([^"]+)"\)', text_of(cell)).groups()
            assert (int(task), aspect) not in found
            found[int(task), aspect] = 0 if said[name] else worth
    return found


def unsolved(text):
    """What nbgrader and otter leave of a cell."""
    text = re.sub(
        r"### BEGIN SOLUTION.*?### END SOLUTION", "raise NotImplementedError()", text, flags=re.DOTALL
    )
    text = re.sub(r" *# BEGIN SOLUTION NO PROMPT\n.*?# END SOLUTION\n", "", text, flags=re.DOTALL)
    return re.sub(r"^.*# (BEGIN|END) PROMPT$", "", text, flags=re.MULTILINE)


def wrong(mistake):
    file, old, new = mistake
    assert source(file).count(old) == 1
    return lambda text: text.replace(old, new)


@cache
def expected(mistake):
    """What the grader gives, by task and aspect."""
    file, _, _ = mistake
    book = Textbook(variant(TERM), {file: wrong(mistake)(source(file))})

    def reply(task, check):
        found = book(
            task.file, check.function, *(np.array(array) for array in check.arrays), **check.settings
        )
        arrays = found if isinstance(found, tuple) else (found,)
        return Reply(Category.OK, arrays=tuple(np.asarray(array) for array in arrays))

    return {
        (number, aspect.aspect): aspect.points
        for number, task in TASKS.items()
        for aspect in judged(task, TERM, reply).aspects
    }


@pytest.mark.parametrize("target", ["otter", "nbgrader"])
def test_the_solution_earns_all_points(tmp_path, target):
    said = run(tmp_path, target)
    assert set(said.values()) == {""}
    assert earned(target, said) == EVERY_ASPECT


@pytest.mark.parametrize("target", ["otter", "nbgrader"])
def test_the_stub_earns_none(tmp_path, target):
    said = run(tmp_path, target, unsolved)
    assert earned(target, said) == dict.fromkeys(EVERY_ASPECT, 0)
    assert all(text.endswith(": not implemented yet") for text in said.values() if text)


@pytest.mark.parametrize("target", ["otter", "nbgrader"])
@pytest.mark.parametrize(
    "mistake", [LOSES_DUPLICATES, HALF_OF_THE_SPAN, ONE_USE], ids=lambda mistake: mistake[0]
)
def test_a_mistake_costs_what_the_grader_takes_for_it(tmp_path, target, mistake):
    right = expected(mistake)
    assert 0 < sum(right.values()) < 100
    assert earned(target, run(tmp_path, target, wrong(mistake))) == right


def test_what_is_wrong_with_hidden_numbers_is_not_told(tmp_path):
    only_visible = "import public_tests\npublic_tests.every_test = lambda: []"
    mistaken = wrong(LOSES_DUPLICATES)

    def change(text):
        return mistaken(text.replace("import notebook_tests", f"import notebook_tests\n{only_visible}"))

    said = run(tmp_path, "nbgrader", change)
    assert said["task_5_meeting"] == "AssertionError: splat fails with other numbers"


def test_warnings_cost_nothing(tmp_path):
    """Nbgrader gives 0 for a cell in which anything is written to stderr."""
    noisy = "import sys, warnings; warnings.warn('slow'); print('noise', file=sys.stderr)"
    said = run(
        tmp_path, "nbgrader", lambda text: text.replace("### BEGIN SOLUTION", f"{noisy}  ### BEGIN SOLUTION")
    )
    assert earned("nbgrader", said) == EVERY_ASPECT


@pytest.mark.parametrize("target", ["otter", "nbgrader"])
def test_students_get_no_line_of_a_solution(target):
    given = {line.strip() for file in FILES for line in cut(source(file)).splitlines()}
    secret = {
        line.strip()
        for file in FILES
        for part in re.findall(r"# BEGIN SOLUTION.*?\n(.*?)# END SOLUTION", source(file), re.DOTALL)
        for line in part.splitlines()
    } - given
    assert len(secret) > 50
    solved = {line.strip() for cell in cells(target).values() for line in text_of(cell).splitlines()}
    released = {
        line.strip() for cell in cells(target).values() for line in unsolved(text_of(cell)).splitlines()
    }
    assert secret <= solved
    assert not secret & released


def test_no_name_of_a_file_hides_that_of_another():
    """The files share one namespace in a notebook."""
    names = [
        name
        for section in notebooks.sections()
        for piece in section.pieces
        for name in re.findall(r"^(?:def |class )?(\w+)", piece.source, re.MULTILINE)
        if name not in ("return",)
    ]
    assert sorted(names) == sorted(set(names))


def test_nbgrader_knows_what_each_cell_is_for():
    solved = [
        piece.function for section in notebooks.sections() for piece in section.pieces if piece.function
    ]
    found = [cell for cell in cells("nbgrader").values() if cell["cell_type"] == "code"]
    about = [cell["metadata"]["nbgrader"] for cell in found]
    assert len({cell["grade_id"] for cell in about}) == len(found)
    assert {(cell["schema_version"], cell["task"], cell["cell_type"]) for cell in about} == {
        (3, False, "code")
    }
    assert sum(cell["solution"] for cell in about) == len(solved)
    for cell, says in zip(found, about):
        text = text_of(cell)
        assert says["locked"] is not says["solution"]
        assert says["solution"] == (text.count("### BEGIN SOLUTION") == 1 == text.count("### END SOLUTION"))
        assert says["grade"] == (
            text.count("### BEGIN HIDDEN TESTS") == 1 == text.count("### END HIDDEN TESTS")
        )
        assert says["grade"] == ("points" in says)


@pytest.mark.parametrize("target", ["otter", "nbgrader", "classroom"])
def test_notebooks_are_valid(target):
    nbformat = pytest.importorskip("nbformat")
    for name, content in packed(target).items():
        if name.endswith(".ipynb"):
            nbformat.validate(nbformat.reads(content.decode(), as_version=4))


# Notebooks in the programs that they are for


def tool(name):
    found = shutil.which(name)
    return found or pytest.skip(f"{name} is not installed")


def output(*words, cwd):
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_otter_itself(tmp_path):
    otter = tool("otter")
    written(tmp_path, packed("otter"))
    output(otter, "assign", "assignment.ipynb", "dist", cwd=tmp_path)
    (grader,) = (tmp_path / "dist/autograder").glob("*.zip")
    solved = (tmp_path / "dist/autograder/assignment.ipynb").read_text()
    stub = (tmp_path / "dist/student/assignment.ipynb").read_text()
    right = expected(LOSES_DUPLICATES)
    for text, points in ((solved, 100), (stub, 0), (wrong(LOSES_DUPLICATES)(solved), sum(right.values()))):
        (tmp_path / "submission.ipynb").write_text(text)
        output(otter, "run", "submission.ipynb", "-a", str(grader), "-o", str(tmp_path), cwd=tmp_path)
        tests = json.loads((tmp_path / "results.json").read_text())["tests"]
        assert sum(test.get("score") or 0 for test in tests) == points


def test_nbgrader_itself(tmp_path):
    nbgrader = tool("nbgrader")
    written(tmp_path, packed("nbgrader"))
    output(nbgrader, "generate_assignment", "spatial-transformers", cwd=tmp_path)
    solved = (tmp_path / "source/spatial-transformers/assignment.ipynb").read_text()
    stub = (tmp_path / "release/spatial-transformers/assignment.ipynb").read_text()
    for name, text in {"all": solved, "none": stub, "some": wrong(LOSES_DUPLICATES)(solved)}.items():
        folder = tmp_path / "submitted" / name / "spatial-transformers"
        folder.mkdir(parents=True)
        (folder / "assignment.ipynb").write_text(text)
    output(nbgrader, "autograde", "spatial-transformers", cwd=tmp_path)
    output(nbgrader, "export", cwd=tmp_path)
    head, *rows = (tmp_path / "grades.csv").read_text().splitlines()
    named = [dict(zip(head.split(","), row.split(","))) for row in rows]
    found = {row["student_id"]: float(row["score"]) for row in named}
    assert found == {"all": 100, "none": 0, "some": sum(expected(LOSES_DUPLICATES).values())}


# Gradescope


def unpacked(folder):
    """As Gradescope does: the zip in source, and the script beside it."""
    with zipfile.ZipFile(io.BytesIO(packed("gradescope")["autograder.zip"])) as archive:
        archive.extractall(folder / "source")
    shutil.copy(folder / "source/run_autograder", folder)
    (folder / "run_autograder").chmod(0o755)
    (folder / "results").mkdir()
    written(folder / "submission", solutions(TERM))
    return folder


def autograde(folder, python):
    """Run it, with a ``python3`` that is this script; returns the results."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin/python3").write_text(f"#!/usr/bin/env bash\n{python}\n")
    (folder / "bin/python3").chmod(0o755)
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "AUTOGRADER": str(folder), "PATH": path}
    environment.pop("PYTHONPATH", None)
    subprocess.run([folder / "run_autograder"], env=environment, check=True, timeout=120, capture_output=True)
    return json.loads((folder / "results/results.json").read_text())


def test_the_zip_has_its_scripts_at_the_root_ready_to_run():
    with zipfile.ZipFile(io.BytesIO(packed("gradescope")["autograder.zip"])) as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
        scripts = [archive.read(name).decode() for name in ("setup.sh", "run_autograder")]
    assert all(modes[name] == stat.S_IFREG | 0o755 for name in ("setup.sh", "run_autograder"))
    assert "stn_ref/__main__.py" in modes
    assert {Path(name).suffix for name in modes} == {".sh", "", ".py"}
    for script in scripts:
        assert script.startswith("#!/usr/bin/env bash\n")
        assert "://" not in script
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_gradescope_gets_the_grade_with_its_messages(tmp_path):
    folder = unpacked(tmp_path)
    file, old, new = LOSES_DUPLICATES
    path = folder / "submission" / file
    path.write_text(path.read_text().replace(old, new))
    found = autograde(folder, f'exec "{sys.executable}" "$@"')
    assert faults(found) == []
    assert found["score"] == sum(expected(LOSES_DUPLICATES).values())
    assert sum(test["max_score"] for test in found["tests"]) == 100
    (lost,) = (test for test in found["tests"] if test["number"] == "5.8")
    assert lost["status"] == "failed"
    assert "each" in lost["output"] or "scatter" in lost["output"]


def test_gradescope_gets_results_even_if_the_grading_fails(tmp_path):
    folder = unpacked(tmp_path)
    (folder / "results/results.json").write_text("of another time")
    found = autograde(folder, "exit 1")
    assert faults(found) == []
    assert found["score"] == 0
    assert "says nothing about your submission" in found["output"]


def test_a_term_with_any_name_reaches_the_grader(tmp_path):
    term = """it's "2027"; echo $HOME `date`"""
    content = TARGETS["gradescope"](term)["autograder.zip"]
    folder = unpacked(tmp_path)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (folder / "run_autograder").write_bytes(archive.read("run_autograder"))
    autograde(folder, 'printf "%s\\n" "$@" > "$AUTOGRADER/words"; exit 1')
    words = (folder / "words").read_text().splitlines()
    assert words[words.index("--variant") + 1] == term


TEXT = {"text", "html", "simple_format", "md", "ansi"}
SEEN = {"hidden", "after_due_date", "after_published", "visible"}
ANYTHING = {
    "score": float,
    "output": str,
    "output_format": TEXT,
    "visibility": SEEN,
}
OF_A_TEST = ANYTHING | {
    "max_score": float,
    "status": {"passed", "failed"},
    "name": str,
    "number": str,
    "tags": list,
}
OF_ALL = ANYTHING | {
    "execution_time": float,
    "stdout_visibility": SEEN,
    "extra_data": dict,
    "tests": list,
    "leaderboard": list,
}


def faults(results):
    """What Gradescope would not understand of its results.json."""
    if not isinstance(results, dict):
        return [f"{results!r} is no object"]
    found = _faults("results", results, OF_ALL)
    for test in results.get("tests", []):
        found += _faults(f"test {test.get('number')}", test, OF_A_TEST)
    if "score" not in results and not all("score" in test for test in results.get("tests", [{}])):
        found.append("there is no score")
    return found


def _faults(where, told, known):
    found = [f"{where}: {key} is not known" for key in told if key not in known]
    for key in known.keys() & told.keys():
        wanted, value = known[key], told[key]
        if isinstance(wanted, set):
            right = value in wanted
        elif wanted is float:
            right = isinstance(value, int | float) and not isinstance(value, bool)
        else:
            right = isinstance(value, wanted)
        if not right:
            found.append(f"{where}: {key} is {value!r}")
    return found


@pytest.mark.parametrize(
    ("results", "fault"),
    [
        ([], "is no object"),
        ({}, "there is no score"),
        ({"tests": [{"number": "1"}]}, "there is no score"),
        ({"score": "7"}, "score is '7'"),
        ({"score": True}, "score is True"),
        ({"score": 7, "points": 8}, "points is not known"),
        ({"score": 7, "stdout_visibility": "all"}, "stdout_visibility is 'all'"),
        ({"tests": [{"score": 7, "number": 1.1}]}, "number is 1.1"),
        ({"tests": [{"score": 7, "status": "ok"}]}, "status is 'ok'"),
    ],
)
def test_what_gradescope_does_not_understand_is_found(results, fault):
    (found,) = faults(results)
    assert fault in found


# GitHub Classroom


@cache
def steps():
    yaml = pytest.importorskip("yaml")
    workflow = yaml.safe_load(packed("classroom")[".github/workflows/classroom.yml"])
    assert set(workflow) == {"name", "on", "permissions", "jobs"}
    return workflow["jobs"]["run-autograding-tests"]["steps"]


def graders():
    return [step for step in steps() if "autograding-command-grader@v1" in step.get("uses", "")]


def test_the_workflow_has_a_step_for_each_task_and_reports_them_all():
    assert [step["with"]["max-score"] for step in graders()] == [task.worth for task in TASKS.values()]
    *_, report = steps()
    assert report["uses"] == "classroom-resources/autograding-grading-reporter@v1"
    names = [step["id"] for step in graders()]
    assert report["with"]["runners"].split(",") == names
    assert report["env"] == {
        f"{name.upper()}_RESULTS": f"${{{{steps.{name}.outputs.result}}}}" for name in names
    }


def test_the_steps_fail_on_the_handout_and_pass_when_it_is_solved(tmp_path):
    folder = written(tmp_path, packed("classroom"))
    assert set(packed("classroom")) == {*handout(TERM), ".github/workflows/classroom.yml"}

    def ends(step):
        words = step["with"]["command"].split()
        assert words[0] == "python"
        return subprocess.run(
            [sys.executable, *words[1:]], cwd=folder, capture_output=True, timeout=120
        ).returncode

    assert ends(graders()[0]) == 1
    written(folder, solutions(TERM))
    assert [ends(step) for step in graders()] == [0] * len(TASKS)
    file, old, new = LOSES_DUPLICATES
    (folder / file).write_text((folder / file).read_text().replace(old, new))
    assert [ends(graders()[k]) for k in (3, 4)] == [0, 1]
