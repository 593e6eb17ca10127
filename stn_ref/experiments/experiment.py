"""What an experiment is: networks, data, a schedule, and how one of its runs is carried out."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .. import __version__

__all__ = ["Candidate", "Experiment", "Quoted", "Row", "Run", "Setting"]

Row = dict[str, Any]
Setting = Mapping[str, Any]


@dataclass(frozen=True)
class Candidate:
    """A learning rate, and by what it is multiplied for localisation networks."""

    lr: float
    localisation: float = 1.0


@dataclass(frozen=True)
class Run:
    """One training: all that decides about its result, and ``data``, the folder where the data sets lie.

    ``code`` is the version of the library and the revision of the experiment, which is raised when its
    meaning changes: a comment mended somewhere does not throw away hours of training. A ``trial`` is one that
    helps to choose the learning rates; it is measured on the validation set.

    >>> run = Run("table1", "CNN", "R", 0, {"epochs": 1}, Candidate(0.001), code="0.1.0/1")
    >>> run.name
    'CNN R 0 72877568b1'
    """

    experiment: str
    model: str
    dataset: str
    seed: int
    setting: Setting
    candidate: Candidate
    code: str
    trial: bool = False
    data: str | None = field(default=None, compare=False)

    @property
    def configuration(self) -> Row:
        """As JSON; equal ones give equal results, bit for bit, on the same machine."""
        return {
            "experiment": self.experiment,
            "model": self.model,
            "dataset": self.dataset,
            "seed": self.seed,
            "setting": dict(self.setting),
            "lr": self.candidate.lr,
            "localisation_lr": self.candidate.localisation,
            "trial": self.trial,
            "code": self.code,
        }

    @property
    def name(self) -> str:
        """Unique to the configuration, and fit to be the name of a file."""
        text = json.dumps(self.configuration, sort_keys=True).encode()
        return f"{self.model} {self.dataset} {self.seed} {hashlib.sha256(text).hexdigest()[:10]}"


@dataclass(frozen=True)
class Quoted:
    """A result of the paper: of which network on what, and from where it is known."""

    model: str
    dataset: str
    value: float
    to: float | None = None
    """The upper end, where the paper gives a range."""


CarryOut = Callable[[Run, Path], Row]


@dataclass(frozen=True)
class Experiment:
    """An experiment of the paper.

    ``cells`` are pairs of a network and what it is trained on. ``setting`` is the schedule, ``quick`` that of
    a miniature of about a minute. ``candidates`` gives the learning rates among which the best on a
    validation set is taken, equally many for every network; the miniature takes the first. With
    ``carry_out(run, checkpoint)`` a run is trained and measured. ``compared`` are pairs of networks whose
    mistakes on the same test set are held against each other.
    """

    name: str
    title: str
    question: str
    measure: str
    cells: tuple[tuple[str, str], ...]
    setting: Setting
    quick: Setting
    candidates: Callable[[str], tuple[Candidate, ...]]
    carry_out: CarryOut
    paper_protocol: str
    paper_samples: int = 0
    """How many images a run of the paper sees; 0 if that is not known."""
    examples: Callable[[Run], Any] | None = None
    """The first images that a run is measured on, (N, C, H, W) in [0, 1], where they may be shown."""
    quoted: tuple[Quoted, ...] = ()
    quoted_from: str = "paper"
    """Whose results and protocol stand beside ours."""
    compared: tuple[tuple[str, str], ...] = ()
    choices: str = ""
    """What the paper leaves open, and what was chosen."""
    quick_cells: tuple[tuple[str, str], ...] = ()
    revision: int = 1

    @property
    def code(self) -> str:
        return f"{__version__}/{self.revision}"

    def runs(self, cell: tuple[str, str], seeds: int, candidate: Candidate, quick: bool) -> list[Run]:
        """The runs of a cell under the candidate that was chosen, one for each seed."""
        return [self._run(cell, seed, candidate, quick) for seed in range(seeds)]

    def trials(self, cell: tuple[str, str]) -> list[Run]:
        """The runs from which a candidate is chosen, none if there is nothing to choose."""
        candidates = self.candidates(cell[0])
        if len(candidates) == 1:
            return []
        setting = {**self.setting, "epochs": self.setting["trial_epochs"]}
        return [
            replace(self._run(cell, 0, candidate, quick=False), trial=True, setting=setting)
            for candidate in candidates
        ]

    def _run(self, cell: tuple[str, str], seed: int, candidate: Candidate, quick: bool) -> Run:
        setting = self.quick if quick else self.setting
        return Run(self.name, *cell, seed, setting, candidate, self.code)
