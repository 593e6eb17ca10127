"""The options of ``stn-ref oracle``; importing this loads nothing of the oracle."""

import argparse
from typing import Any

LEVELS = ("quick", "full", "nightly")
PROFILES = ("paper", "torch", "onnx", "scipy", "opencv", "mxnet", "jax")
CLAIMS = {
    "modes": ("nearest", "bilinear", "bicubic"),
    "padding_modes": ("zeros", "border", "reflection"),
    "align_corners": ("True", "False"),
    "dims": ("2", "3"),
    "dtypes": ("float32", "float64", "float16"),
}
BACKEND_HELP = "a known backend (see `stn-ref oracle list`), module:Class, or path/to/file.py:Class"


def add_oracle(commands: Any, formatter: Any) -> None:
    """Add the command with its own commands."""
    oracle = commands.add_parser(
        "oracle",
        help="check the grid sampler of another library, exactly",
        description="Asks a backend a few thousand questions and compares its answers with exact\n"
        "arithmetic: values, gradients, second derivatives; at kinks and ties; outside the image; with\n"
        "huge and NaN coordinates; in every memory layout.",
        formatter_class=formatter,
    )
    own = oracle.add_subparsers(dest="oracle_command", metavar="command", required=True)

    def add(name: str, summary: str) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = own.add_parser(name, help=summary, description=summary)
        command.formatter_class = formatter
        return command

    check = add("check", "check a backend; the exit status is 1 if it does not conform")
    check.add_argument("backend", help=BACKEND_HELP)
    _add_asking(check)
    check.add_argument("--level", choices=LEVELS, default="quick", help="how much is asked")
    check.add_argument("--strict", action="store_true", help="only the profile's own branch at kinks")
    check.add_argument("--only", default="", metavar="REGEX", help="only cases whose name it matches")
    check.add_argument("--no-explain", action="store_true", help="do not look for known mistakes")
    check.add_argument(
        "--resume", metavar="FILE", help="keep results in FILE as they come; go on from it if it is there"
    )
    _add_reports(check)

    add("list", "the known backends, profiles and families of questions")
    explain = add("explain", "one question: why it is asked, its arrays, and the right answers")
    explain.add_argument("case", help="its name, as in a report: kinks/bilinear/zeros/corners/float64/2d")
    explain.add_argument("--profile", choices=PROFILES, default="paper", help="by which conventions")
    shrink = add("shrink", "the smallest question like this one that a backend gets wrong, as a script")
    shrink.add_argument("case", help="its name, as in a report")
    shrink.add_argument("--backend", required=True, help=BACKEND_HELP)
    _add_asking(shrink)
    faults = add("faults", "the dictionary of known mistakes")
    faults.add_argument("name", nargs="?", help="tell about this one")
    selftest = add("selftest", "put the oracle itself to the test, with every known mistake")
    selftest.add_argument("--points", type=int, default=2**20, metavar="N", help="random points a dtype")
    pack = add("pack", "write the questions to a file, for a backend without Python")
    pack.add_argument("file", help="its ending says its form: .npz, .safetensors or .json (a small core)")
    pack.add_argument("--level", choices=LEVELS, default="quick", help="how much is asked")
    pack.add_argument("--only", default="", metavar="REGEX", help="only cases whose name it matches")
    pack.add_argument("--seed", type=int, default=0, help="of everything random in the questions")
    for claim, values in CLAIMS.items():
        option = f"--{claim.replace('_', '-')}"
        pack.add_argument(option, nargs="+", choices=values, default=values, help="what the backend claims")
    judge = add("judge", "judge the answers that a device gave to a pack")
    judge.add_argument("file", help="the pack")
    judge.add_argument("answers", help="the file of answers")
    judge.add_argument("--profile", choices=PROFILES, help="by which conventions; default: those it names")
    judge.add_argument("--strict", action="store_true", help="only the profile's own branch at kinks")
    _add_reports(judge)
    compare = add("compare", "what differs between two reports")
    compare.add_argument("reports", nargs=2, metavar="FILE", help="written with check --json")
    _add_matrix(add("matrix", "check every known backend, and write the page about them"))


def _add_matrix(matrix: argparse.ArgumentParser) -> None:
    matrix.add_argument("--out", default="docs/conformance", metavar="DIR", help="where the results go")
    matrix.add_argument("--page", action="store_true", help="ask nothing, write the page of what is there")
    matrix.add_argument("--again", action="store_true", help="ask what was asked already too")
    matrix.add_argument(
        "--only-backend", action="append", default=[], metavar="NAME", help="ask this one; may be repeated"
    )
    for option, form, meaning in (
        ("--python", "NAME=PATH", "the interpreter in which a backend is installed; may be repeated"),
        ("--only", "NAME=REGEX", "of a backend only cases whose name it matches; may be repeated"),
    ):
        matrix.add_argument(option, type=_named, action="append", default=[], metavar=form, help=meaning)
    matrix.add_argument("--level", choices=LEVELS, default="quick", help="how much is asked")
    matrix.add_argument("--seed", type=int, default=0, help="of everything random in the questions")
    matrix.add_argument(
        "--time-limit", type=float, default=20.0, metavar="SECONDS", help="for one call of a backend"
    )


def _named(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"{text} is not of the form NAME=VALUE")
    return name, value


def _add_reports(command: argparse.ArgumentParser) -> None:
    for form in ("json", "html", "junit"):
        command.add_argument(f"--{form}", metavar="FILE", help=f"write the report as {form} too")


def _add_asking(command: argparse.ArgumentParser) -> None:
    command.add_argument("--profile", choices=PROFILES, help="by which conventions; default: those it claims")
    command.add_argument("--python", metavar="PATH", help="the interpreter in which the backend is installed")
    command.add_argument("--seed", type=int, default=0, help="of everything random in the questions")
    command.add_argument(
        "--time-limit", type=float, default=20.0, metavar="SECONDS", help="for one call of the backend"
    )
