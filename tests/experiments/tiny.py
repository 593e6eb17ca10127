"""An experiment small enough to be swept in a second: two networks, two candidates each, two seeds."""

from dataclasses import replace
from pathlib import Path

from stn_ref.experiments import EXPERIMENTS, Candidate
from stn_ref.experiments.executors import crew
from stn_ref.experiments.store import Store
from stn_ref.experiments.sweep import Asked, Sweep

SETTING = {"train": 120, "validation": 40, "test": 60, "epochs": 2, "trial_epochs": 1, "batch_size": 40}
TINY = replace(
    EXPERIMENTS["table1"],
    cells=(("FCN", "R"), ("ST-FCN Aff", "R")),
    setting=SETTING,
    candidates=lambda model: (Candidate(0.002), Candidate(0.01)),
)


TIMES = ("seconds", "processor_seconds")


def tiny_sweep(folder, where="threads", workers=1, told=lambda *_: None, experiment=TINY):
    return Sweep(experiment, Asked(seeds=2), Store(folder), crew(where, workers), told)


def without_times(row):
    """All of a row that must be the same whenever it is computed."""
    epochs = [{name: value for name, value in epoch.items() if name not in TIMES} for epoch in row["epochs"]]
    return {**row, **dict.fromkeys(TIMES), "epochs": epochs}


def checkpoints(folder):
    return sorted(Path(folder).rglob("*.npz"))
