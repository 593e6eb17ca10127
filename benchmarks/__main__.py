"""``python -m benchmarks``: every case side by side; ``python -m benchmarks report FILE``: the report again.

For instance, with peers in environments of their own::

    python -m benchmarks --peer pytorch=TORCH/bin/python --peer jax=JAX/bin/python
"""

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import growth
from .cases import all_cases, machine_cases
from .machine import describe
from .processes import FAMILIES, PEERS, Peer, with_interpreters
from .report import goals_table, render
from .runner import Crew, run_cases, say

DEFAULT_OUT = Path("runs", "benchmarks")  # which git ignores
RESULTS = "results.json"
HINT = "no figures: they need matplotlib (pip install '.[viz]')"


def write_atomically(path: Path, text: str) -> None:
    """A reader finds the old file or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_text(text, "utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def interpreter(text: str) -> tuple[str, str]:
    """NAME=PYTHON."""
    name, found, python = text.partition("=")
    if not found or name not in FAMILIES or not python:
        raise argparse.ArgumentTypeError(f"{text!r}: expected NAME=PYTHON, NAME one of {', '.join(FAMILIES)}")
    return name, python


def positive(text: str) -> int:
    """A number of rounds."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number of at least 1")
    return int(text)


def pattern(text: str) -> re.Pattern[str]:
    """A regular expression."""
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {error}") from error


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line of a measurement."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure stn_ref beside other libraries. `python -m benchmarks report FILE` writes the "
        "report of earlier results again.",
    )
    parser.add_argument(
        "--peer",
        type=interpreter,
        action="append",
        default=[],
        metavar="NAME=PYTHON",
        help=f"the interpreter for a library ({', '.join(FAMILIES)}); otherwise the one that runs this",
    )
    parser.add_argument("--only", type=pattern, default="", metavar="PATTERN", help="cases whose names match")
    parser.add_argument("--list", action="store_true", help="list the cases and stop")
    parser.add_argument("--rounds", type=positive, default=15, help="rounds of blocks (default 15)")
    parser.add_argument("--quick", action="store_true", help="3 rounds of short blocks: to see that it works")
    parser.add_argument(
        "--out", type=Path, default=DEFAULT_OUT, help=f"folder of the results (default {DEFAULT_OUT})"
    )
    options = parser.parse_args(arguments)
    options.only = re.compile(options.only)
    return options


def names() -> list[str]:
    """Everything that ``--only`` may pick."""
    grown = [f"growth-{axis}-{operation}" for axis in growth.AXES for operation in growth.OPERATIONS]
    return [*(case.name for case in [*all_cases(), *machine_cases()]), *grown, "import"]


def publish(record: dict[str, Any], folder: Path) -> None:
    """The results, the figures where matplotlib is there, and the report."""
    try:
        from .figures import draw

        record["figures"] = draw(record, folder)
    except ImportError:
        record["figures"] = []
        say(HINT)
    write_atomically(folder / RESULTS, json.dumps(record, indent=1))
    write_atomically(folder / "report.md", render(record))


def measure(options: argparse.Namespace, peers: dict[str, Peer], record: dict[str, Any]) -> None:
    """Everything that was asked for, saved as it comes."""

    def save() -> None:
        write_atomically(options.out / RESULTS, json.dumps(record, indent=1))

    def chosen(cases: list[Any]) -> list[Any]:
        return [case for case in cases if options.only.search(case.name)]

    wanted: Callable[[str], bool] = lambda name: bool(options.only.search(name))  # noqa: E731
    settings = record["settings"]
    with tempfile.TemporaryDirectory() as temporary, Crew(peers) as crew:
        record["versions"], record["absent"] = crew.versions, crew.absent
        folder = Path(temporary)
        run_cases(chosen(machine_cases()), crew, folder, record["limits"], save, **settings)
        run_cases(chosen(all_cases()), crew, folder, record["cases"], save, **settings)
        growth.measure(crew, folder, record["growth"], save, wanted=wanted, **settings)
        if wanted("import"):
            say("import")
            record["import"] = growth.import_time(peers["stn_ref"], settings["rounds"])
    record["complete"] = True


def main(arguments: Sequence[str]) -> int:
    """The exit status; 130 after Ctrl-C, with what was measured saved."""
    if arguments[:1] == ["report"]:
        return report(arguments[1:])
    options = options_of(arguments)
    if options.list or not any(options.only.search(name) for name in names()):
        print("\n".join(names()))
        return 0 if options.list else 2
    peers = with_interpreters(dict(options.peer))
    options.out.mkdir(parents=True, exist_ok=True)
    settings = {"rounds": 3, "target": 0.01} if options.quick else {"rounds": options.rounds, "target": 0.03}
    record: dict[str, Any] = {"schema": 1, "complete": False, "machine": describe(), "settings": settings}
    record |= {"versions": {}, "absent": {}, "limits": {}, "cases": {}, "growth": {}}
    record["environments"] = {name: peer.environment() for name, peer in PEERS.items()}
    status = 0
    try:
        measure(options, peers, record)
    except KeyboardInterrupt:
        say("interrupted; what was measured is kept")
        status = 130
    publish(record, options.out)
    if record["absent"]:
        say(f"absent: {', '.join(record['absent'])}; --peer NAME=PYTHON gives the interpreter of a library")
    print(goals_table(record))
    print(f"\n{options.out / RESULTS} and {options.out / 'report.md'}")
    return status


def report(arguments: Sequence[str]) -> int:
    """Write the report of earlier results again."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks report")
    parser.add_argument("results", type=Path, help="results.json of a measurement")
    parser.add_argument("--out", type=Path, help="folder of the report (default: that of the results)")
    options = parser.parse_args(arguments)
    try:
        record = json.loads(options.results.read_text("utf-8"))
        missing = {"machine", "settings", "versions", "cases"} - set(record)
    except (OSError, ValueError) as error:
        parser.error(f"{options.results}: {error}")
    if missing:
        parser.error(f"{options.results}: no results of this command, {', '.join(sorted(missing))} missing")
    folder = options.out or options.results.parent
    folder.mkdir(parents=True, exist_ok=True)
    try:
        from .figures import draw

        record["figures"] = draw(record, folder)
    except ImportError:
        say(HINT)
    write_atomically(folder / "report.md", render(record))
    print(folder / "report.md")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
