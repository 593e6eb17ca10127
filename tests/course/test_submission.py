"""What of a student's folder is run: Python files that are what they seem, and lie in it."""

import os

import pytest

from stn_ref.course.sandbox import Category, Limits, Question, Sandbox, SandboxError
from stn_ref.course.sandbox.submission import Submission

SOURCE = b"def task(x):\n    return 2 * x\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "given").mkdir()
    return tmp_path / "given"


def refusal(folder, file="task.py", limits=None):
    return Submission(folder, folder.parent / "copy", limits or Limits(), {}).refusal(file)


def link_out(path):
    secret = path.parent.parent / "secret.py"
    secret.write_text("secret = 1")
    path.symlink_to(secret)


REFUSED = {
    "is missing; there is no Python file in the submission": lambda path: None,
    "is missing; there is tsk.py": lambda path: (
        (path.parent / "tsk.py").touch(),
        (path.parent / "other.py").touch(),
    ),
    "is missing; there is t\\u0430sk.py, in which '\\u0430' is CYRILLIC SMALL LETTER A": lambda path: (
        path.with_name("t\u0430sk.py").touch()
    ),
    "is a link that leads out of the submission": link_out,
    "is a link that leads nowhere": lambda path: path.symlink_to("absent.py"),
    "is no ordinary file": os.mkfifo,
    "is too large: a file may have 1048576 bytes": lambda path: path.write_bytes(b"#" * (2**20 + 1)),
    "is no text: it has a NUL byte": lambda path: path.write_bytes(b"\x7fELF\0\0"),
    "is not UTF-8 (line 2); save it with that encoding": lambda path: path.write_bytes(b"x = 1\n# \xe9\n"),
    "is not UTF-8 (line 1); save it with that encoding": lambda path: path.write_bytes(
        "x".encode("utf-16")[:3]
    ),
    "has the invisible character U+202E in line 2, which makes text look other than it is; remove it": (
        lambda path: path.write_text("x = 1\ny = '\u202e'", "utf-8")
    ),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_a_file_that_is_not_what_it_seems_is_refused(reason, folder):
    REFUSED[reason](folder / "task.py")
    assert refusal(folder) == f"task.py {reason}"


def test_a_link_to_itself_and_a_linked_folder_lead_nowhere(folder):
    (folder / "task.py").symlink_to("task.py")
    (folder / "parts").symlink_to("/")
    assert refusal(folder).startswith("task.py is a link that leads nowhere")
    (folder.parent / "copy").rmdir()
    assert "is missing" in refusal(folder, "parts/etc/x.py")


def test_a_path_out_of_the_folder_is_missing(folder):
    (folder.parent / "secret.py").touch()
    assert "is missing" in refusal(folder, "../secret.py")


def test_more_files_than_allowed_are_not_taken(folder):
    for k in range(4):
        (folder / f"{k}.py").write_bytes(SOURCE)
    submission = Submission(folder, folder.parent / "copy", Limits(files=3), {})
    assert [bool(submission.refusal(f"{k}.py")) for k in range(4)] == [False, False, False, True]
    assert submission.refusal("3.py") == "3.py is one Python file too many: a submission may have 3"


def test_only_python_files_are_copied(folder):
    (folder / "parts").mkdir()
    (folder / "parts" / "task.py").write_bytes(SOURCE)
    (folder / "parts" / "answers.npz").write_bytes(b"x")
    (folder / ".git").mkdir()
    (folder / ".git" / "hook.py").write_bytes(SOURCE)
    (folder / "again.py").symlink_to("parts/task.py")
    assert refusal(folder, "parts/task.py") == ""
    copy = folder.parent / "copy"
    assert {p.relative_to(copy).as_posix() for p in copy.rglob("*.*")} == {"parts/task.py", "again.py"}


@pytest.mark.parametrize(
    "source",
    [
        *(b"\xef\xbb\xbf" + SOURCE, SOURCE.replace(b"\n", b"\r\n"), b"# -*- coding: utf-7 -*-\n" + SOURCE),
        "# \u00e9 \u4e2d \u05d0\n".encode() + SOURCE,
    ],
)
def test_honest_texts_are_run_as_they_are_read(source, folder):
    (folder / "task.py").write_bytes(source)
    with Sandbox(folder) as sandbox:
        [reply] = sandbox.ask([Question("task.py", "task", [3.0])])
    assert (reply.category, float(reply.array)) == (Category.OK, 6.0)


def test_a_function_with_a_letter_of_another_script_is_found_out(folder):
    (folder / "task.py").write_bytes(SOURCE.replace(b"task", "t\u0430sk".encode()))
    with Sandbox(folder) as sandbox:
        [reply] = sandbox.ask([Question("task.py", "task", [3.0])])
    assert reply.category is Category.NO_FUNCTION
    expected = (
        "task.py has no function task; there is t\\u0430sk, in which '\\u0430' is CYRILLIC SMALL LETTER A"
    )
    assert reply.message == expected


def test_a_folder_that_is_none_is_an_error_of_the_grader(folder):
    with pytest.raises(SandboxError, match="cannot be read"):
        refusal(folder / "absent")


def test_files_of_the_grader_take_the_place_of_those_handed_in(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "conventions.py").write_text("theirs")
    (tmp_path / "in" / "task.py").write_text("their task")
    submission = Submission(tmp_path / "in", tmp_path / "copy", Limits(), {"conventions.py": "ours"})
    assert (tmp_path / "copy" / "conventions.py").read_text() == "ours"
    assert (tmp_path / "copy" / "task.py").read_text() == "their task"
    assert submission.refusal("conventions.py") == ""
