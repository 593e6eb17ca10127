"""The results of an experiment as one JSON document, and what they come to."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..files import PathLike, write_atomically
from .classification import unpack_bits
from .experiment import Experiment, Row
from .sweep import Sweep

__all__ = [
    "Comparison",
    "Summary",
    "compared",
    "compiled",
    "mcnemar",
    "pooled",
    "read_results",
    "summaries",
    "write_results",
]


OF_PICTURES = ("transformers", "view", "projections", "boxes")
TOLD_OF_TRIALS = ("model", "dataset", "lr", "localisation_lr", "error", "processor_seconds")


class Summary(NamedTuple):
    """A cell over its seeds: mean, standard deviation (NaN for a single seed), and each value."""

    model: str
    dataset: str
    mean: float
    deviation: float
    values: tuple[float, ...]
    failed: tuple[str, ...]


class Comparison(NamedTuple):
    """Two networks on the same test set, seed by seed.

    ``only_first`` and ``only_second`` count the images that the one alone had wrong, over all seeds; ``p``
    are the probabilities of McNemar's exact test, one for each seed, that a difference at least so large is
    chance.
    """

    first: str
    second: str
    dataset: str
    only_first: int
    only_second: int
    p: tuple[float, ...]


def compiled(sweep: Sweep, rows: list[Row]) -> Row:
    """The document: how it was done, the rows, and the trials by which learning rates were chosen."""
    experiment, asked = sweep.experiment, sweep.asked
    return {
        "experiment": experiment.name,
        "protocol": {
            "title": experiment.title,
            "question": experiment.question,
            "measure": experiment.measure,
            "setting": dict(experiment.quick if asked.quick else experiment.setting),
            "quick": asked.quick,
            "seeds": asked.seeds,
            "choices": experiment.choices,
            "paper": experiment.paper_protocol,
            "data": sorted({str(row.get("data", "")) for row in rows}),
        },
        "rows": [_shortened(row) for row in rows],
        "examples": _examples(sweep),
        "trials": [
            {name: row[name] for name in TOLD_OF_TRIALS}
            for cell in sweep.cells()
            for row in sweep.trials.get(cell, [])
        ],
    }


def _shortened(row: Row) -> Row:
    """With as many digits of each epoch as a figure needs, and what pictures show of the first seed alone."""
    kept = {name: value for name, value in row.items() if not row["seed"] or name not in OF_PICTURES}
    epochs = [{name: _six_digits(value) for name, value in epoch.items()} for epoch in row["epochs"]]
    return {**kept, "epochs": epochs}


def _six_digits(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _examples(sweep: Sweep) -> Row:
    """By data set, the images on which the transformers are shown, where they may be."""
    found: Row = {}
    examples = sweep.experiment.examples
    for model, dataset in sweep.cells():
        if examples is not None and dataset not in found:
            (run, *_) = sweep.runs((model, dataset), sweep.chosen[model, dataset])
            images = examples(run)
            if images is None:
                continue
            pixels = np.round(255 * np.clip(images, 0, 1)).astype(np.uint8)
            found[dataset] = {"shape": list(pixels.shape), "pixels": pixels.tobytes().hex()}
    return found


def write_results(path: PathLike, document: Row) -> None:
    """As JSON, a row to a line, the same bytes for the same results."""
    parts = [f"{json.dumps(name)}: {_lines(value)}" for name, value in document.items()]
    write_atomically(path, ("{\n" + ",\n".join(parts) + "\n}\n").encode())


def read_results(path: PathLike) -> Row:
    """What :func:`write_results` wrote.

    Raises
    ------
    ValueError
        If the file is no such document.
    """
    try:
        document = json.loads(Path(path).read_text())
    except ValueError as error:
        raise ValueError(
            f"{path} is not valid JSON ({error}); write it anew with stn-ref reproduce"
        ) from None
    if not isinstance(document, dict) or not {"experiment", "protocol", "rows"} <= set(document):
        raise ValueError(f"{path} holds no results; expected what stn-ref reproduce writes")
    return document


def summaries(document: Mapping[str, Any], value: str = "error") -> list[Summary]:
    """Each cell over its seeds, in the order of the rows.

    >>> rows = [{"model": "CNN", "dataset": "R", "error": error, "failed": None} for error in (1.0, 2.0, 3.0)]
    >>> summaries({"rows": rows})[0][:5]
    ('CNN', 'R', 2.0, 1.0, (1.0, 2.0, 3.0))
    """
    cells: dict[tuple[str, str], list[Row]] = {}
    for row in document["rows"]:
        cells.setdefault((row["model"], row["dataset"]), []).append(row)
    found = []
    for (model, dataset), rows in cells.items():
        values = [float(row[value]) for row in rows]
        failed = tuple(row["failed"] for row in rows if row["failed"])
        found.append(_summary(model, dataset, values, failed))
    return found


def _summary(model: str, dataset: str, values: Sequence[float], failed: tuple[str, ...]) -> Summary:
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
    return Summary(model, dataset, float(np.mean(values)), deviation, tuple(values), failed)


def pooled(found: Sequence[Summary], name: str) -> list[Summary]:
    """For each data set, all networks and seeds together, as if they were one network of that name.

    >>> one = Summary("A", "T", 1.0, math.nan, (1.0,), ())
    >>> pooled([one, one._replace(model="B", values=(3.0,))], "both")[0][:3]
    ('both', 'T', 2.0)
    """
    together = []
    for dataset in dict.fromkeys(summary.dataset for summary in found):
        values = [value for summary in found if summary.dataset == dataset for value in summary.values]
        together.append(_summary(name, dataset, values, ()))
    return together


def mcnemar(only_first: int, only_second: int) -> float:
    """The probability that of so many one-sided mistakes at least so many more are on one side by chance.

    Exact: twice the smaller tail of the binomial distribution with probability 1/2.

    >>> mcnemar(0, 0), mcnemar(1, 4), mcnemar(8, 0)
    (1.0, 0.375, 0.0078125)
    """
    n = only_first + only_second
    tail = sum(math.comb(n, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, float(2 * tail / 2**n))


def compared(document: Mapping[str, Any], experiment: Experiment) -> list[Comparison]:
    """The pairs of networks that the experiment holds against each other, on each of its data sets."""
    wrong = {
        (row["model"], row["dataset"], row["seed"]): unpack_bits(row["wrong"], row["measured_on"])
        for row in document["rows"]
        if "wrong" in row
    }
    datasets = dict.fromkeys(row["dataset"] for row in document["rows"])
    found = []
    for dataset in datasets:
        for first, second in experiment.compared:
            seeds = [s for m, d, s in wrong if (m, d) == (first, dataset) and (second, d, s) in wrong]
            counts = [
                (int((a & ~b).sum()), int((b & ~a).sum()))
                for a, b in ((wrong[first, dataset, seed], wrong[second, dataset, seed]) for seed in seeds)
            ]
            if counts:
                a, b = (sum(column) for column in zip(*counts))
                found.append(
                    Comparison(first, second, dataset, a, b, tuple(mcnemar(*pair) for pair in counts))
                )
    return found


def _lines(value: Any) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(json.dumps(item, allow_nan=False) for item in value) + "\n]"
    return json.dumps(value, allow_nan=False, indent=1 if isinstance(value, dict) else None)
