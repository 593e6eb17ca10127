"""Grades: points by aspect, messages, reports, whole classes."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from stn_ref import cli
from stn_ref.course import classes
from stn_ref.course.classes import grade_class, table
from stn_ref.course.diagnosis import Message
from stn_ref.course.grading import AspectGrade, Grade, TaskGrade, asked, grade
from stn_ref.course.handout import build, handout, solutions
from stn_ref.course.reports import as_gradescope, as_json, as_text
from stn_ref.course.sandbox import SandboxError
from stn_ref.course.tasks import TASKS

TERM = "2027a"


def submission(folder, **changed):
    """All solved, but for changes: file=(old, new)."""
    files = solutions(TERM)
    for stem, (old, new) in changed.items():
        text = files[f"{stem}.py"].decode()
        assert text.count(old) == 1
        files[f"{stem}.py"] = text.replace(old, new).encode()
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


HALF = ("np.array(spans) / 2", "np.array(spans)")


def test_a_solution_earns_everything(tmp_path):
    found = grade(submission(tmp_path / "anna"), TERM)
    assert (found.name, found.points, found.worth) == ("anna", 100, 100)
    assert not any(aspect.message for task in found.tasks for aspect in task.aspects)


def test_a_mistake_costs_its_aspects_alone(tmp_path):
    (task,) = grade(submission(tmp_path / "ben", chain=HALF), TERM, tasks=[7]).tasks
    assert {aspect.aspect: aspect.points for aspect in task.aspects} == {
        "shape": 1,
        "factor": 0,
        "sum": 3,
        "batch": 0,
        "non-square": 0,
    }


def test_the_conventions_of_a_submission_do_not_count(tmp_path):
    folder = submission(tmp_path / "carl")
    (folder / "conventions.py").write_text("ALIGN_CORNERS = KERNEL = KINK = PADDING = CHANNELS_LAST = None")
    assert grade(folder, TERM, tasks=[1, 4]).points == 20


def test_last_terms_code_is_told_what_it_is_right_for(tmp_path):
    old = "from conventions import CHANNELS_LAST, KERNEL, KINK, PADDING"
    last_term = 'CHANNELS_LAST, KERNEL, KINK, PADDING = False, "smoothstep", "left", "zeros"'
    folder = submission(tmp_path / "dora", sampler=(old, last_term))
    (task,) = grade(folder, TERM, tasks=[4]).tasks
    assert {aspect.message.mistake for aspect in task.aspects if aspect.message} == {"kernel-smoothstep"}


def test_hidden_checks_have_other_numbers_and_count(tmp_path):
    size = asked(1, TERM)[0][0].settings["size"]
    cheat = (
        "from_the_middle = np.arange(size)",
        f"assert size in (1, {size}); from_the_middle = np.arange(size)",
    )
    folder = submission(tmp_path / "emil", grids=cheat)
    (seen,) = grade(folder, TERM, tasks=[1], hidden=False).tasks
    (whole,) = grade(folder, TERM, tasks=[1]).tasks
    lost = [aspect for aspect in whole.aspects if aspect.message]
    assert lost
    assert all(
        aspect.hidden for aspect in lost if aspect.aspect not in {a.aspect for a in seen.aspects if a.message}
    )


def test_a_missing_file_costs_its_tasks(tmp_path):
    folder = submission(tmp_path / "fritz")
    (folder / "tape.py").unlink()
    found = grade(folder, TERM)
    assert {task.task.number for task in found.tasks if task.points < 10} == {8}
    (task,) = (task for task in found.tasks if task.task.number == 8)
    assert "tape.py is missing" in task.aspects[0].message.text


def test_a_file_that_cannot_be_imported_costs_those_that_need_it(tmp_path):
    folder = submission(tmp_path / "gerda", grids=("# Task 2: coordinates, in both conventions", "def ("))
    found = grade(folder, TERM)
    assert {task.task.number for task in found.tasks if task.points == 0} >= {1, 2, 7}
    assert all(task.points == 10 for task in found.tasks if task.task.number in (3, 4, 5, 6, 8, 10))


def test_there_must_be_a_folder(tmp_path):
    with pytest.raises(SandboxError, match="cannot be read"):
        grade(tmp_path / "nobody", TERM)


# Reports


@pytest.fixture
def spoilt():
    aspects = (
        AspectGrade("shape", 1, 1),
        AspectGrade("factor", 0, 3, Message("mistake", "grid_cotangent: no factor.", "missing-half-w")),
        AspectGrade(
            "batch", 0, 1, Message("mistake", "grid_cotangent, 3: no factor.", "missing-half-w"), True
        ),
        AspectGrade("sum", 0, 3, Message("error", "IndexError: no")),
    )
    return Grade("anna", TERM, (TaskGrade(TASKS[7], aspects),), "hello")


def test_the_text_has_each_mistake_once_with_all_it_cost(spoilt):
    lines = as_text(spoilt).splitlines()
    assert lines[:2] == ["anna, term 2027a: 1 of 10 points", "task 7, From the points to theta: 1 of 10"]
    assert (
        lines[2]
        == "  [factor -3, batch -1] grid_cotangent: no factor. See docs/course/mistakes.md#missing-half-w"
    )
    assert lines[3] == "  [sum -3] IndexError: no"


def test_what_stands_on_a_spoilt_task_says_so(spoilt):
    lost = AspectGrade("descent", 0, 3, Message("numbers", "align: wrong"))
    grade_ = replace(
        spoilt, tasks=(*spoilt.tasks, TaskGrade(TASKS[9], (lost,)), TaskGrade(TASKS[8], (lost,)))
    )
    text = as_text(grade_)
    assert text.count("It uses task 7, where something is wrong: mend that first.") == 1
    assert max(map(len, text.splitlines())) <= 100


def test_the_json_has_everything(spoilt):
    found = json.loads(as_json(spoilt))
    assert (found["points"], found["tasks"][0]["aspects"][1]["mistake"]) == (1, "missing-half-w")
    assert found["printed"] == "hello"


GRADESCOPE = {"score", "execution_time", "output", "output_format", "visibility", "stdout_visibility"}
GRADESCOPE |= {"extra_data", "tests", "leaderboard"}
TEST = {"score", "max_score", "status", "name", "number", "output", "output_format", "tags", "visibility"}


def test_gradescope_gets_what_it_reads(spoilt):
    found = json.loads(as_gradescope(spoilt))
    assert set(found) <= GRADESCOPE
    for test in found["tests"]:
        assert set(test) <= TEST
        assert test["status"] in ("passed", "failed")
        assert isinstance(test["number"], str)
        assert 0 <= test["score"] <= test["max_score"]
    assert sum(test["score"] for test in found["tests"]) == found["score"]


# A class


@pytest.fixture
def class_of_three(tmp_path):
    submission(tmp_path / "class" / "anna")
    submission(tmp_path / "class" / "ben", chain=HALF)
    (tmp_path / "class" / "=carl").mkdir()
    (tmp_path / "class" / ".hidden").mkdir()
    return tmp_path / "class"


def test_a_class_is_graded_and_what_is_there_is_not_graded_again(class_of_three, tmp_path, monkeypatch):
    told = []
    rows = grade_class(
        class_of_three, TERM, tmp_path / "grades", workers=2, told=lambda *told_: told.append(told_)
    )
    assert [(row["name"], row["points"]) for row in rows] == [("=carl", 0), ("anna", 100), ("ben", 91)]
    assert sorted(left for _, left in told) == [0, 1, 2]
    graded = []

    def grade_(folder, *_, **__):
        graded.append(folder.name)
        return Grade(folder.name, TERM, ())

    monkeypatch.setattr(classes, "grade", grade_)
    assert grade_class(class_of_three, TERM, tmp_path / "grades") == rows
    (class_of_three / "ben" / "chain.py").write_text("")
    (tmp_path / "grades" / "anna.json").write_text("{")
    grade_class(class_of_three, TERM, tmp_path / "grades")
    assert sorted(graded) == ["anna", "ben"]


def test_the_table_names_mistakes_and_is_no_formula(class_of_three, tmp_path):
    rows = list(
        csv.DictReader(table(grade_class(class_of_three, TERM, tmp_path / "g", workers=2)).splitlines())
    )
    assert [row["name"] for row in rows] == ["'=carl", "anna", "ben"]
    assert rows[2]["mistakes"].split() == ["factor-without-half", "twice-the-gradient"]
    assert [rows[2][name] for name in ("task 6", "task 7", "task 9", "points")] == ["10", "4", "7", "91"]


def test_a_submission_that_cannot_be_read_is_no_end(class_of_three, tmp_path, monkeypatch):
    def grade_(folder, *_, **__):
        if folder.name == "ben":
            raise SandboxError("the submission cannot be read")
        return replace(found, name=folder.name)

    found = Grade("", TERM, ())
    monkeypatch.setattr(classes, "grade", grade_)
    rows = grade_class(class_of_three, TERM, tmp_path / "grades")
    assert rows[2] == {"name": "ben", "error": "the submission cannot be read"}
    assert not (tmp_path / "grades" / "ben.json").exists()


def test_nothing_is_lost_when_grading_is_killed(class_of_three, tmp_path):
    words = ["course", "grade", str(class_of_three), "--variant", TERM, "--all", "--workers", "1"]
    words += ["--grades", str(tmp_path / "grades"), "--out", str(tmp_path / "table.csv")]
    running = subprocess.Popen([sys.executable, "-m", "stn_ref", *words], stderr=subprocess.PIPE, text=True)
    assert running.stderr.readline().startswith("=carl: 0 of 100; 2 to go")
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    assert not (tmp_path / "table.csv").exists()
    for path in (tmp_path / "grades").glob("[!.]*"):
        json.loads(path.read_text())
    began = (tmp_path / "grades" / "=carl.json").stat().st_mtime_ns
    assert cli.main(words) == 0
    assert (tmp_path / "grades" / "=carl.json").stat().st_mtime_ns == began
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    assert [row["points"] for row in rows] == ["0", "100", "91"]


# The command


def test_build_check_and_grade(tmp_path, capsys):
    words = ["--variant", TERM, "--out", str(tmp_path / "handout"), "--solutions", str(tmp_path / "solved")]
    assert cli.main(["course", "build", *words]) == 0
    assert cli.main(["course", "check", str(tmp_path / "handout"), "--task", "2"]) == 1
    out = capsys.readouterr().out
    assert "KERNEL = " in out
    assert "task 2, Coordinates, in both conventions: 0 of 10" in out
    assert "not implemented: task 2 (grids.py, line " in out
    assert cli.main(["course", "grade", str(tmp_path / "solved"), "--variant", TERM, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["points"] == 100
    (tmp_path / "handout" / "grids.py").write_bytes((tmp_path / "solved" / "grids.py").read_bytes())
    assert cli.main(["course", "check", str(tmp_path / "handout"), "--task", "1", "--task", "2"]) == 0


def test_what_the_command_refuses(tmp_path, capsys):
    assert cli.main(["course", "check", str(tmp_path), "--task", "1"]) == 2
    assert "does not say for which term" in capsys.readouterr().err
    folder = build(tmp_path / "handout", TERM)
    assert cli.main(["course", "check", str(folder), "--task", "11"]) == 2
    assert "there is no task 11; the tasks are 1 to 10" in capsys.readouterr().err
    assert cli.main(["course", "grade", str(tmp_path / "none"), "--variant", TERM]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert cli.main(["course", "grade", str(tmp_path / "none"), "--variant", TERM, "--all"]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_what_a_submission_prints_is_shown_to_its_author(tmp_path, capsys):
    folder = build(tmp_path / "handout", TERM)
    text = (
        handout(TERM)["grids.py"]
        .decode()
        .replace('raise NotImplementedError("task 2")', 'print("mine"); return x', 1)
    )
    (folder / "grids.py").write_text(text)
    began = time.monotonic()
    assert cli.main(["course", "check", str(folder), "--task", "2"]) == 1
    assert time.monotonic() > began
    assert "Your code printed:\nmine" in capsys.readouterr().out
