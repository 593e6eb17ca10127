"""Running the paper's experiments, as ``stn-ref reproduce`` does."""

import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from ..experiments import EXPERIMENTS, Experiment
from ..experiments.executors import crew
from ..experiments.page import page
from ..experiments.results import compiled, read_results, write_results
from ..experiments.store import Store
from ..experiments.sweep import Asked, Sweep
from ..experiments.telling import Teller
from ..files import write_atomically
from ..pictures.results import learning_curves, transformer_views


def run(options: Any) -> None:
    """Run the experiments that are asked for, and write their results and pages."""
    if options.experiment == "list":
        for experiment in EXPERIMENTS.values():
            print(f"{experiment.name:15} {experiment.title}")
        return
    names = tuple(EXPERIMENTS) if options.experiment == "all" else (options.experiment,)
    for name in names:
        if name not in EXPERIMENTS:
            raise ValueError(
                f"there is no experiment {name!r}; expected one of {', '.join(EXPERIMENTS)}, list or all"
            )
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if not options.pages:
            reproduce(EXPERIMENTS[name], options, folder)
        write_page(EXPERIMENTS[name], folder)


def reproduce(experiment: Experiment, options: Any, folder: Path) -> None:
    """All runs that are not there yet, and the document of all."""
    workers = crew(options.executor, options.workers)
    asked = Asked(1 if options.quick else options.seeds, options.quick, options.data)
    store = Store(options.work or folder / "runs")
    sweep = Sweep(experiment, asked, store, workers, Teller())
    print(f"{experiment.title}: {len(sweep.cells())} networks and data sets, {workers.name}")
    with closing(workers):
        rows = sweep.run()
    write_results(folder / f"{experiment.name}.json", compiled(sweep, rows))


def write_page(experiment: Experiment, folder: Path) -> None:
    """The page of the results in the folder, and its figures if Matplotlib is there."""
    path = folder / f"{experiment.name}.json"
    document = read_results(path)
    figures = {}
    try:
        curves = learning_curves(folder / f"{experiment.name}-curves.svg", document)
        figures["How they learnt"] = curves.name
        views = transformer_views(folder / f"{experiment.name}-views.png", document)
        if views is not None:
            figures["What the transformers do"] = views.name
    except ModuleNotFoundError as error:
        print(f"without figures: {error}", file=sys.stderr)
    text = page(document, experiment, figures)
    write_atomically(path.with_suffix(".md"), text.encode())
    print(f"{path} and {path.with_suffix('.md')} are written")
