"""A page about the results of an experiment, in Markdown, made from nothing but its JSON document."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .experiment import Experiment, Quoted
from .results import Comparison, Summary, compared, pooled, summaries
from .telling import duration

__all__ = ["page"]

CERTAIN = 0.01  # a difference is called clear if every seed's p lies below


def page(document: Mapping[str, Any], experiment: Experiment, figures: Mapping[str, str]) -> str:
    """The page; ``figures`` are file names by what they show."""
    protocol = document["protocol"]
    found = summaries(document)
    parts = [
        f"# {experiment.title}",
        experiment.question,
        _note(document),
        "## Result",
        _results(found, experiment),
        _precision(document),
    ]
    comparisons = compared(document, experiment)
    if comparisons:
        parts += ["## Are the differences chance?", _compared(comparisons, found)]
    parts += ["## Every run", _every_run(document)]
    for title, name in figures.items():
        parts += [f"## {title}", f"![{title}]({name})"]
    parts += ["## How it was done", _protocol(document, experiment)]
    if protocol["choices"]:
        parts.append(protocol["choices"])
    parts += [_rates(document), _time(document, experiment), _full_steps(document)]
    failed = [(s, text) for s in found for text in s.failed]
    if failed:
        parts += ["## What failed", *(f"- {s.model} on {s.dataset}: {text}" for s, text in failed)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _note(document: Mapping[str, Any]) -> str:
    quick = " --quick" if document["protocol"]["quick"] else ""
    note = f"This page is made from `{document['experiment']}.json` by `stn-ref reproduce"
    note += f" {document['experiment']}{quick}`."
    if quick:
        note += " It is a miniature: it shows that everything works, and its numbers say little."
    return note


def _results(found: Sequence[Summary], experiment: Experiment) -> str:
    networks = {model for model, _ in experiment.cells}
    for name in dict.fromkeys(q.model for q in experiment.quoted if q.model not in networks):
        found = [*found, *pooled(found, name)]  # what is known of all of them together
    datasets = list(dict.fromkeys(s.dataset for s in found))
    cells = {(s.model, s.dataset): s for s in found}
    quoted = {(q.model, q.dataset): q for q in experiment.quoted}
    head = [
        experiment.measure,
        *(f"{dataset}: {who}" for dataset in datasets for who in ("ours", experiment.quoted_from)),
    ]
    lines = []
    for model in dict.fromkeys(s.model for s in found):
        line = [model]
        for dataset in datasets:
            summary, known = cells.get((model, dataset)), quoted.get((model, dataset))
            line += ["" if summary is None else _mean(summary), "" if known is None else _quoted(known)]
        lines.append(line)
    keep = [i for i in range(len(head)) if any(line[i] for line in lines)]
    return _table([head[i] for i in keep], ([line[i] for i in keep] for line in lines))


def _mean(summary: Summary) -> str:
    text = f"{summary.mean:.2f}"
    return text if math.isnan(summary.deviation) else f"{text} ± {summary.deviation:.2f}"


def _quoted(known: Quoted) -> str:
    return f"{known.value:g}" if known.to is None else f"{known.value:g} to {known.to:g}"


def _precision(document: Mapping[str, Any]) -> str:
    seeds = document["protocol"]["seeds"]
    over = f"Mean and standard deviation over {seeds} seeds." if seeds > 1 else "One seed."
    spreads = [_spread(row["error"], row["measured_on"]) for row in document["rows"] if "measured_on" in row]
    if not spreads:
        return over
    least, most = (f"{100 * spread:.2f}" for spread in (min(spreads), max(spreads)))
    return (
        f"{over} The choice of the test images alone gives a single run a standard error of "
        f"{least if least == most else f'{least} to {most}'} points."
    )


def _spread(error: float, count: int) -> float:
    """The standard error of a share of ``error`` % of ``count`` images."""
    share = error / 100
    return math.sqrt(share * (1 - share) / count)


def _every_run(document: Mapping[str, Any]) -> str:
    """A line for each network: its size, every seed, and how much it took from outside of the images."""
    cells: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in document["rows"]:
        cells.setdefault((row["dataset"], row["model"]), []).append(row)
    lines = []
    for (dataset, model), rows in cells.items():
        outside = [np.mean(list(row["outside"].values())) for row in rows if row.get("outside")]
        lines.append(
            [
                dataset,
                model,
                f"{rows[0]['parameters']:,}" if "parameters" in rows[0] else "",
                " ".join(f"{row['error']:.2f}" for row in rows),
                " ".join(f"{100 * fraction:.1f}" for fraction in outside),
            ]
        )
    head = ["data", "network", "parameters", "seed by seed", "samples outside, %"]
    keep = [i for i in range(len(head)) if any(line[i] for line in lines)]
    return _table([head[i] for i in keep], ([line[i] for i in keep] for line in lines))


def _compared(comparisons: Sequence[Comparison], found: Sequence[Summary]) -> str:
    means = {(s.model, s.dataset): s.mean for s in found}
    lines = []
    for c in comparisons:
        difference = means[c.second, c.dataset] - means[c.first, c.dataset]
        worst = max(c.p)
        verdict = "in all seeds" if worst < CERTAIN else "in none" if min(c.p) >= CERTAIN else "in some"
        lines.append(
            [
                c.dataset,
                f"{c.second} against {c.first}",
                f"{difference:+.2f}",
                f"{c.only_second} / {c.only_first}",
                _probability(worst),
                verdict,
            ]
        )
    head = ["data", "networks", "difference, points", "wrong alone", "largest p", f"p < {CERTAIN:g}"]
    return (
        "McNemar's exact test on the images that only one of two networks gets wrong, seed by seed.\n\n"
        + _table(head, lines)
        + f"\n\n{_in_short(comparisons, means)}"
    )


def _in_short(comparisons: Sequence[Comparison], means: Mapping[tuple[str, str], float]) -> str:
    """How many of the comparisons go which way, and how clearly."""

    def count(sign: int) -> tuple[int, int]:
        right = [
            c for c in comparisons if sign * (means[c.second, c.dataset] - means[c.first, c.dataset]) > 0
        ]
        return len(right), sum(max(c.p) < CERTAIN for c in right)

    (lower, clearly_lower), (higher, clearly_higher) = count(-1), count(1)
    return (
        f"In {lower} of {len(comparisons)} comparisons the network named first has the lower mean error, in "
        f"{clearly_lower} of them with p < {CERTAIN:g} in every seed; in {higher} it has the higher one, in "
        f"{clearly_higher} of them with p < {CERTAIN:g} in every seed."
    )


def _probability(p: float) -> str:
    return f"{p:.2g}" if p >= 1e-4 else "below 0.0001"


def _protocol(document: Mapping[str, Any], experiment: Experiment) -> str:
    setting = document["protocol"]["setting"]
    seen = sorted({row["samples_seen"] for row in document["rows"]})
    many = f"{seen[0]:,}" if len(seen) == 1 else f"{seen[0]:,} to {seen[-1]:,}"
    ours = ", ".join(f"{name.replace('_', ' ')} {_said(value)}" for name, value in setting.items())
    lines = [
        ["training", ours, experiment.paper_protocol],
        ["images seen", many, f"{experiment.paper_samples:,}" if experiment.paper_samples else ""],
        ["data", "; ".join(document["protocol"]["data"]), ""],
    ]
    return _table(["", "ours", experiment.quoted_from], lines)


def _said(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _rates(document: Mapping[str, Any]) -> str:
    if not document["trials"]:
        return ""
    chosen = {(row["model"], row["dataset"]): row for row in document["rows"]}
    counts = {cell: sum((t["model"], t["dataset"]) == cell for t in document["trials"]) for cell in chosen}
    lines = [
        [
            dataset,
            model,
            f"{row['lr']:g}",
            f"{row['localisation_lr']:g}" if "ST" in model else "",
            str(counts[model, dataset]),
        ]
        for (model, dataset), row in chosen.items()
    ]
    head = ["data", "network", "learning rate", "localisation x", "tried"]
    return (
        "Learning rate and the multiplier of the localisation network were chosen by the validation error of "
        "short runs, as many for every network:\n\n" + _table(head, lines)
    )


def _time(document: Mapping[str, Any], experiment: Experiment) -> str:
    rows, trials = document["rows"], document["trials"]
    trained = sum(row["processor_seconds"] for row in rows)
    spent = trained + sum(row["processor_seconds"] for row in trials)
    tried = f" and {len(trials)} trials" if trials else ""
    text = (
        f"The {len(rows)} runs{tried} took {duration(spent)} of one processor, {duration(spent / 2)} on two "
        "with nothing else to do."
    )
    seen = sum(row["samples_seen"] for row in rows)
    if experiment.paper_samples and seen:
        whole = trained / seen * experiment.paper_samples * len(rows)
        text += (
            f" At the same speed the paper's {experiment.paper_samples:,} images a run would take "
            f"{duration(whole / 2)} on two."
        )
    return text


def _full_steps(document: Mapping[str, Any]) -> str:
    """What the networks of the paper would cost, where the rows tell."""
    told = [row for row in document["rows"] if "full_step_seconds" in row]
    if not told:
        return ""
    times = (f"{row['model']} on {row['dataset']} {row['full_step_seconds']:.1f} s" for row in told)
    return (
        "One update of the paper's network in its full width, with 8 images, takes of one processor: "
        f"{'; '.join(times)}."
    )


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
