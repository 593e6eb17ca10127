"""The command line as a user meets it."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stn_ref import __version__, cli
from stn_ref.commands import checks
from stn_ref.ops.transformation import TRANSFORMATIONS

ROOT = Path(__file__).parent.parent


def python(*arguments: str, cwd: Path = ROOT) -> "subprocess.Popen[str]":
    """The interpreter in another folder, with the package on its path."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, *arguments]
    return subprocess.Popen(command, cwd=cwd, env=environment, start_new_session=True, **pipes)


@pytest.fixture
def folder(small_mnist: Path) -> str:
    return str(small_mnist)


def test_python_m_stn_ref_is_the_command(tmp_path: Path) -> None:
    out, _ = python("-m", "stn_ref", "--version", cwd=tmp_path).communicate(timeout=60)
    assert out.strip() == f"stn_ref {__version__}"


@pytest.mark.parametrize("name", ["demo", "train", "gradcheck"])
def test_help_says_what_the_command_does_and_explains_every_option(name: str, capsys: Any) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main([name, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert "--seed" in text
    assert "--data DIR" in text
    [command_parser] = [p for p in cli.parser()._subparsers._group_actions[0].choices.items() if p[0] == name]
    assert all(action.help for action in command_parser[1]._actions)


def test_the_choices_shown_are_those_there_are() -> None:
    from stn_ref.commands import train
    from stn_ref.data import DISTORTIONS

    assert set(cli.NETWORKS) == set(train.NETWORKS)
    assert set(cli.PROGRESS) == set(train.PROGRESS)
    assert set(cli.DISTORTIONS) == set(DISTORTIONS)


def test_help_loads_no_wing() -> None:
    code = "import sys; from stn_ref.cli import parser; parser(); print(*sys.modules)"
    out, _ = python("-c", code).communicate(timeout=60)
    assert "stn_ref.cli" in out
    for wing in ("training", "data", "commands", "pictures"):
        assert f"stn_ref.{wing}" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--epochs", "0"], "0 is not a whole number of at least 1"),
        (["train", "--lr", "-1"], "-1 is not a positive number"),
        (["train", "--workers", "0"], "argument --workers: 0 is not a whole number of at least 1"),
        (["train", "--workers", "two"], "argument --workers: two is not a whole number of at least 1"),
        (["demo", "--seed", "-1"], "-1 is not a whole number of at least 0"),
        (["dance"], "invalid choice"),
    ],
)
def test_wrong_options_are_explained(arguments: list[str], message: str, capsys: Any) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_a_missing_file_is_named(tmp_path: Path, capsys: Any) -> None:
    assert cli.main(["train", "--data", str(tmp_path)]) == 2
    assert "train-images-idx3-ubyte" in capsys.readouterr().err


def test_a_network_of_another_size_is_refused_with_the_mend(folder: str, capsys: Any) -> None:
    assert cli.main(["train", "--data", folder, "--network", "paper-cnn", "--distortion", "RTS"]) == 2
    assert "paper-cnn takes 28x28 pixels, but RTS makes 42x42; use --network" in capsys.readouterr().err


@pytest.mark.parametrize("network", cli.NETWORKS)
def test_every_network_trains_and_reports(network: str, folder: str, capsys: Any) -> None:
    arguments = ["train", "--data", folder, "--network", network, "--distortion", "R", "--epochs", "1"]
    assert cli.main([*arguments, "--lr", "0.001", "--progress", "none", "--confusion"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"test accuracy \d+\.\d\d %, \d+ of 100 wrong", out)
    counts = [int(n) for row in out.splitlines()[-10:] for n in row.split()[1:]]
    assert sum(counts) == 100


def test_optimisers_schedules_and_the_localisation_rate_reach_the_training(folder: str, capsys: Any) -> None:
    results = set()
    for extra in ([], ["--localisation-lr", "0.1"], ["--optimiser", "sgd"], ["--schedule", "thirds"]):
        arguments = ["train", "--data", folder, "--distortion", "none", "--epochs", "1"]
        assert cli.main([*arguments, "--progress", "none", *extra]) == 0
        results.add(capsys.readouterr().out.splitlines()[-1])
    assert len(results) == 4


INTERRUPTED = """
import os, signal, sys
from stn_ref import cli
from stn_ref.commands import train
from stn_ref.training import PlainProgress

class Stopping(PlainProgress):
    def batch(self, epoch, epochs, batch, batches, loss):
        super().batch(epoch, epochs, batch, batches, loss)
        if (epoch, batch) == (3, 2):
            os.kill(0, signal.SIGINT)  # as a terminal does: to the workers too

train.PROGRESS["plain"] = Stopping
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("workers", [[None, None, None], ["1", "2", "1"]])
def test_an_interrupted_run_is_taken_up_to_the_same_result(
    workers: list[str | None], folder: str, tmp_path: Path
) -> None:
    arguments = ["train", "--data", folder, "--epochs", "5"]
    kept = ["--checkpoint", str(tmp_path / "run.npz")]
    one, other, again = ([] if n is None else ["--workers", n] for n in workers)
    whole, _ = python("-m", "stn_ref", *arguments, *one).communicate(timeout=120)
    stopped = python("-c", INTERRUPTED, *arguments, *kept, *other)
    out, err = stopped.communicate(timeout=120)
    assert stopped.returncode == 130
    assert "epoch 2/5" in out
    assert ("2 workers" in out) == bool(other)
    assert "stopped: " in err
    assert "run.npz" in err
    assert "Traceback" not in err
    resumed, _ = python("-m", "stn_ref", *arguments, *kept, *again, "--resume").communicate(timeout=120)
    assert "epoch 5/5" in resumed
    assert "epoch 2/5" not in resumed
    assert resumed.splitlines()[-1] == whole.splitlines()[-1]


def test_a_run_that_diverges_ends_with_its_cause(folder: str, capsys: Any) -> None:
    arguments = ["train", "--data", folder, "--epochs", "3", "--optimiser", "sgd", "--lr", "1e6"]
    assert cli.main([*arguments, "--schedule", "constant"]) == 2
    assert "learning rate" in capsys.readouterr().err


def test_a_lost_worker_is_told_in_the_words_of_the_command_line(
    folder: str, monkeypatch: Any, capsys: Any
) -> None:
    from stn_ref.commands import train
    from stn_ref.training import WorkerFailed

    def fail(*_: Any, workers: int, **settings: Any) -> None:
        assert workers == 3
        message = "fit: worker 1 of 3 was killed; go on with the same call and resume=True"
        raise WorkerFailed(message, worker=1, traceback="", epoch=1, batch=0, checkpoint=None)

    monkeypatch.setattr(train, "fit", fail)
    assert cli.main(["train", "--data", folder, "--workers", "3"]) == 2
    out, err = capsys.readouterr()
    assert "seed 0, 3 workers\n" in out
    assert err == "stn-ref train: worker 1 of 3 was killed; go on with --resume\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--momentum", "0.9"], "--momentum is for --optimiser sgd"),
        (["--network", "cnn", "--localisation-lr", "0.1"], "cnn has no localisation network"),
    ],
)
def test_options_without_effect_are_refused(
    options: list[str], message: str, folder: str, capsys: Any
) -> None:
    assert cli.main(["train", "--data", folder, *options]) == 2
    assert message in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    code = "from stn_ref.cli import main; import sys; sys.exit(main(['gradcheck', '--order', '1']))"
    with python("-c", code) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert "Broken pipe" not in process.stderr.read()
    assert process.returncode == 141


def test_gradcheck_passes_and_its_status_tells_when_it_does_not(monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr(checks, "KERNELS", ("bilinear",))  # all of them: test_checks.py
    monkeypatch.setattr(checks, "TRANSFORMATIONS", {"affine": TRANSFORMATIONS["affine"]})
    assert cli.main(["gradcheck", "--order", "1"]) == 0
    assert re.search(r"(\d+) of \1 as expected", capsys.readouterr().out)
    wrong = checks.Row("(7)", "a claim", "that does not hold", ok=False)
    monkeypatch.setattr(checks, "check_equations", lambda *_: iter([wrong]))
    assert cli.main(["gradcheck", "--order", "1"]) == 1
    assert "FAIL" in capsys.readouterr().out
