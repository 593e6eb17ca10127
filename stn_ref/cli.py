"""The command line, `stn-ref` or `python -m stn_ref`."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from . import __version__
from .cli_course import add_course
from .cli_oracle import add_oracle
from .cli_reproduce import add_reproduce

DATA_HELP = (
    "folder with the four MNIST files (train-images-idx3-ubyte.gz, ...), or Fashion-MNIST in the same "
    "format; default: the folder named by STN_REF_DATA, else the 5,000 + 1,000 digits that come along"
)
BY_VARIABLE = "default: the one that STN_REF_DATA names"

# Written out, so that --help loads nothing; a test holds them against the tables they come from.
NETWORKS = ("cnn", "st-cnn", "tutorial-cnn", "tutorial-st-cnn", "paper-cnn", "paper-st-cnn")
DISTORTIONS = ("none", "R", "RTS", "P", "E", "TC")
PROGRESS = ("plain", "tqdm", "none")


class _Help(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Descriptions as they are written, and the defaults of the options."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default in (None, False) else super()._get_help_string(action)


def parser() -> argparse.ArgumentParser:
    """All commands and options."""
    top = argparse.ArgumentParser(
        prog="stn-ref",
        description="Spatial Transformer Networks from scratch in NumPy: the mathematics, checked and used.",
        epilog="Start with: stn-ref demo",
    )
    top.add_argument("--version", action="version", version=f"stn_ref {__version__}")
    commands = top.add_subparsers(dest="command", metavar="command", required=True)

    demo = _command(
        commands,
        "demo",
        "check the gradients, train a CNN and an ST-CNN on distorted digits, show the result",
        "Checks equations (1), (5), (6) and (7) before your eyes, then trains two networks with equally\n"
        "many parameters, one with a spatial transformer in front, and draws what the transformer does.\n"
        "Needs no network connection; takes one to two minutes.",
    )
    demo.add_argument("--epochs", type=_positive_int, default=15, help="passes over the training digits")
    demo.add_argument(
        "--figure",
        metavar="FILE",
        default="stn_ref_demo.png",
        help="where the figure goes, if Matplotlib is installed (pip install matplotlib)",
    )

    train = _command(
        commands,
        "train",
        "train one network and report its test accuracy",
        "Trains a network on digits and reports the accuracy on the test set. With --checkpoint the run can\n"
        "be interrupted (Ctrl-C) and taken up again with --resume, to the same result bit for bit.",
    )
    train.add_argument(
        "--network",
        choices=NETWORKS,
        default="st-cnn",
        help="small networks (cnn, st-cnn: any size), those of the tutorials, or of the paper (28x28)",
    )
    train.add_argument(
        "--distortion",
        choices=DISTORTIONS,
        default="RTS",
        help="R: rotated; RTS: rotated, scaled, translated in 42x42; P: projective; E: elastic; "
        "TC: translated and cluttered in 60x60",
    )
    train.add_argument("--epochs", type=_positive_int, default=15, help="passes over the training digits")
    train.add_argument(
        "--batch-size", type=_positive_int, default=64, metavar="N", help="digits in an update"
    )
    train.add_argument("--optimiser", choices=("adam", "sgd"), default="adam", help="how weights are updated")
    train.add_argument("--lr", type=_positive_float, default=3e-3, help="learning rate")
    train.add_argument("--momentum", type=float, default=0.0, help="momentum, for sgd only")
    train.add_argument(
        "--localisation-lr",
        type=_positive_float,
        default=1.0,
        metavar="FACTOR",
        help="factor of the learning rate in the localisation network; try 0.1 where training fails",
    )
    train.add_argument(
        "--schedule",
        choices=("cosine", "thirds", "constant"),
        default="cosine",
        help="how the learning rate falls; thirds: divided by 10 after each third, as in the paper",
    )
    train.add_argument(
        "--watch",
        action="store_true",
        help="also evaluate on the test set after each epoch (shown as validation)",
    )
    train.add_argument("--confusion", action="store_true", help="also print the confusion matrix")
    train.add_argument("--checkpoint", metavar="FILE", help="where to keep the state (.npz)")
    train.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    train.add_argument(
        "--workers",
        type=_positive_int,
        metavar="N",
        help="compute on N processes with one BLAS thread each; the result is the same for any N from 1, and "
        "differs in the last digits and in dropout from the one without",
    )
    train.add_argument(
        "--progress",
        choices=PROGRESS,
        default="plain",
        help="how progress is shown; tqdm needs pip install tqdm",
    )

    check = _command(
        commands,
        "gradcheck",
        "check the gradients of every kernel and transformation",
        "Compares derivatives of the transformations and the sampler with finite differences, for every\n"
        "kernel, padding and convention, on real digits. The exit status is 1 if one is wrong.",
    )
    check.add_argument("--order", type=int, choices=(1, 2), default=2, help="highest order of derivative")
    add_reproduce(commands, _Help, _positive_int)
    add_oracle(commands, _Help)
    add_course(commands, _Help, _positive_int)
    _add_data(commands)
    return top


def _add_data(commands: Any) -> None:
    summary = "the data sets: which there are, whether they are whole, and fetching them"
    data = commands.add_parser("data", help=summary, description=summary, formatter_class=_Help)
    own = data.add_subparsers(dest="data_command", metavar="command", required=True)
    for name, about in (
        ("list", "which data sets can be read, under which terms, and which are there"),
        ("check", "whether files are whole and those published; if not, the exit status is 1"),
        ("fetch", "download a data set that may be downloaded without asking"),
    ):
        command = own.add_parser(name, help=about, description=about, formatter_class=_Help)
        if name == "list":
            command.add_argument("--data", metavar="DIR", help=f"the folder with all of them; {BY_VARIABLE}")
            continue
        command.add_argument("name", metavar="NAME", help="as in `stn-ref data list`")
        if name == "check":
            command.add_argument("path", metavar="PATH", help="its folder, or one of its files")
        else:
            command.add_argument("--to", metavar="DIR", help=f"the folder with all of them; {BY_VARIABLE}")


def _command(commands: Any, name: str, summary: str, description: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=description, formatter_class=_Help
    )
    command.add_argument("--seed", type=_seed, default=0, help="of everything random")
    command.add_argument("--data", metavar="DIR", default=None, help=DATA_HELP)
    return command


def _whole(text: str, least: int) -> int:
    if not text.lstrip("+-").isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least {least}")
    return int(text)


def _positive_int(text: str) -> int:
    return _whole(text, 1)


def _seed(text: str) -> int:
    return _whole(text, 0)


def _positive_float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    commands = parser()
    options = commands.parse_args(arguments)
    if options.command == "train" and options.resume and not options.checkpoint:
        commands.error("--resume needs --checkpoint FILE, the file to go on from")
    try:
        return COMMANDS[options.command](options)
    except KeyboardInterrupt as interrupt:
        print(f"\nstopped: {_for_the_shell(str(interrupt)) or 'Ctrl-C'}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read our output has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (Python flushes it when it ends)
        return 141
    except (ValueError, TypeError, ArithmeticError, OSError, ModuleNotFoundError) as error:
        print(f"stn-ref {options.command}: {_for_the_shell(str(error))}", file=sys.stderr)
        return 2


def _for_the_shell(message: str) -> str:
    """The library's message in the words of the command line."""
    return (
        message.removeprefix("fit: ")
        .replace("the same call and resume=True", "--resume")
        .replace("resume=True", "--resume")
    )


def _demo(options: argparse.Namespace) -> int:
    from .commands import demo

    passed = demo.run(seed=options.seed, epochs=options.epochs, directory=options.data, figure=options.figure)
    return 0 if passed else 1


def _train(options: argparse.Namespace) -> int:
    from .commands import train

    train.run(options)
    return 0


def _reproduce(options: argparse.Namespace) -> int:
    from .commands import reproduce

    reproduce.run(options)
    return 0


def _gradcheck(options: argparse.Namespace) -> int:
    from itertools import chain

    from .commands.checks import check_all_kernels, check_all_transformations, check_equations
    from .data import load_digits

    digits = load_digits(options.data, "test").images[:4]
    failures = count = 0
    settings = (digits, options.seed, options.order)
    rows = chain(
        check_equations(digits, options.seed),
        check_all_kernels(*settings),
        check_all_transformations(*settings),
    )
    for row in rows:
        count += 1
        failures += not row.ok
        print(row, flush=True)
    print(f"{count - failures} of {count} as expected")
    return 1 if failures else 0


def _oracle(options: argparse.Namespace) -> int:
    from .commands import oracle

    return oracle.run(options)


def _course(options: argparse.Namespace) -> int:
    from .commands import course

    return course.run(options)


def _data(options: argparse.Namespace) -> int:
    from .commands import data

    return data.run(options)


COMMANDS = {
    "demo": _demo,
    "train": _train,
    "gradcheck": _gradcheck,
    "reproduce": _reproduce,
    "oracle": _oracle,
    "course": _course,
    "data": _data,
}

if __name__ == "__main__":
    sys.exit(main())
