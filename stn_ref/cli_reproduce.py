"""The options of ``stn-ref reproduce``; importing this loads nothing of the experiments."""

from collections.abc import Callable
from typing import Any

EXPERIMENTS = ("table1", "clutter", "addition", "colocalisation", "svhn", "birds", "volumes", "tutorial")


def add_reproduce(commands: Any, formatter: Any, whole: Callable[[str], int]) -> None:
    """Add the command; ``whole`` reads a number of at least 1."""
    command = commands.add_parser(
        "reproduce",
        help="run an experiment of the paper, and report it beside the paper's numbers",
        description="Trains all networks of an experiment with several seeds, and writes DIR/ID.json,\n"
        "DIR/ID.md and figures. Each run is kept when it ends, and has a checkpoint until then:\n"
        "the same command, given again, goes on where the last one was stopped.",
        formatter_class=formatter,
    )
    command.add_argument(
        "experiment",
        metavar="ID",
        help=f"one of {', '.join(EXPERIMENTS)}; or all; or list, to see what they are",
    )
    command.add_argument("--quick", action="store_true", help="a miniature of about a minute, with one seed")
    command.add_argument(
        "--seeds", type=whole, default=3, metavar="N", help="how often each network is trained"
    )
    command.add_argument(
        "--executor",
        default="processes",
        metavar="WHERE",
        help="processes, threads, dask:ADDRESS (of a scheduler; pip install distributed), or mpi (pip\n"
        "install mpi4py; under mpiexec -n N python -m mpi4py.futures -m stn_ref reproduce ...)",
    )
    command.add_argument(
        "--workers", type=whole, metavar="N", help="how many runs at a time; default: all cores"
    )
    command.add_argument(
        "--data",
        metavar="DIR",
        help="the folder of the data sets, see `stn-ref data list`; default: the one that STN_REF_DATA names",
    )
    command.add_argument("--out", metavar="DIR", default="results", help="where the results go")
    command.add_argument("--work", metavar="DIR", help="where the runs are kept; default: OUT/runs")
    command.add_argument(
        "--pages", action="store_true", help="train nothing: make the pages anew from the results in DIR"
    )
