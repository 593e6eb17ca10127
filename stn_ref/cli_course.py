"""The options of ``stn-ref course``; importing this loads nothing of the course."""

from collections.abc import Callable
from typing import Any

TARGETS = ("gradescope", "otter", "nbgrader", "classroom")
FORMATS = ("text", "json", "gradescope")
VARIANT = "the term: any name; it decides about padding, align_corners, side of kinks, kernel and layout"


def add_course(commands: Any, formatter: Any, whole: Callable[[str], int]) -> None:
    """Add the command; ``whole`` reads a number of at least 1."""
    course = commands.add_parser(
        "course",
        help="assignments on spatial transformers, and a grader that names the mistake",
        description="Ten tasks, cut from the library's textbook, with a grader that runs submissions in\n"
        "isolation and says what the mistake is.",
        formatter_class=formatter,
    )
    own = course.add_subparsers(dest="course_command", metavar="command", required=True)

    build = _command(own, formatter, "build", "make the handout of a term")
    build.add_argument("--variant", required=True, metavar="TERM", help=VARIANT)
    build.add_argument("--out", required=True, metavar="DIR", help="a new or empty folder")
    build.add_argument("--solutions", metavar="DIR", help="also write what solves it, for staff only")

    check = _command(own, formatter, "check", "run the public tests of a handout, and name the mistakes")
    check.add_argument("folder", metavar="FOLDER", help="the handout that is being worked on")
    check.add_argument("--task", type=whole, action="append", metavar="N", help="only this task")
    check.add_argument("--variant", metavar="TERM", help="default: what the handout says")

    grade = _command(own, formatter, "grade", "grade a submission, or a folder of submissions")
    grade.add_argument("submission", metavar="FOLDER", help="the submission; with --all, a folder of them")
    grade.add_argument("--variant", required=True, metavar="TERM", help="as the handout was built")
    grade.add_argument("--format", choices=FORMATS, default="text", help="of the result")
    grade.add_argument("--out", metavar="FILE", help="where the result goes; default: the terminal")
    grade.add_argument(
        "--all",
        action="store_true",
        help="grade each folder in FOLDER: a JSON file each in --grades, a table (CSV) in --out; what was\n"
        "graded before is not graded again",
    )
    grade.add_argument("--grades", metavar="DIR", help="of --all; default: FOLDER-grades")
    grade.add_argument("--workers", type=whole, metavar="N", help="of --all; default: all cores")

    package = _command(own, formatter, "package", "the course for another system")
    package.add_argument("--target", required=True, choices=TARGETS, help="which one")
    package.add_argument("--variant", required=True, metavar="TERM", help=VARIANT)
    package.add_argument("--out", required=True, metavar="DIR", help="a new or empty folder")

    selftest = _command(
        own, formatter, "selftest", "try solution, stubs and every known mistake on the grader"
    )
    selftest.add_argument("--variant", action="append", metavar="TERM", help="only this one")
    selftest.add_argument("--wrong", action="store_true", help="print only what is wrong")


def _command(commands: Any, formatter: Any, name: str, summary: str) -> Any:
    return commands.add_parser(name, help=summary, description=summary, formatter_class=formatter)
