"""Figures of an experiment's results: how the networks learnt, and what their transformers do."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..ops import affine_grid, grid_sample, projective_grid, tps_grid
from .canvas import ACCENT, broken_at_infinity, new_figure, save_figure, show_image, shown
from .sheets import sampling_frame

__all__ = ["flattened_views", "found_boxes", "learning_curves", "places_looked_at", "transformer_views"]

Array = NDArray[Any]
MOST_ROWS = 12
GRIDS = {"affine": affine_grid, "projective": projective_grid, "thin-plate-spline": tps_grid}
SHAPES = {"affine": (2, 3), "projective": (8,), "thin-plate-spline": (16, 2)}


def learning_curves(path: str | Path, document: Mapping[str, Any]) -> Path:
    """The error on the validation set after each epoch, a panel for each data set, a line for each network.

    A line is the mean over the seeds, and the band around it reaches from the least to the greatest.
    """
    curves: dict[str, dict[str, list[list[float]]]] = {}
    steps: list[int] = []  # of the longest run, where an epoch is a step and not all are told
    for row in document["rows"]:
        errors = [epoch["validation_error"] for epoch in row["epochs"]]
        curves.setdefault(row["dataset"], {}).setdefault(row["model"], []).append(errors)
        steps = max(steps, [epoch["step"] for epoch in row["epochs"] if "step" in epoch], key=len)
    reached = any(0 in run for models in curves.values() for runs in models.values() for run in runs)
    figure = new_figure(3.2 * len(curves) + 1.6, 3.4)
    for axes, (dataset, models) in zip(figure.subplots(1, len(curves), squeeze=False)[0], curves.items()):
        for i, (model, runs) in enumerate(models.items()):
            length = min(map(len, runs))
            values = np.array([run[:length] for run in runs])
            epochs = steps[:length] or np.arange(1, length + 1)
            style = "--" if "ST" not in model else "-"
            axes.plot(epochs, values.mean(axis=0), style, color=f"C{i}", label=model, linewidth=1.3)
            axes.fill_between(
                epochs, values.min(axis=0), values.max(axis=0), color=f"C{i}", alpha=0.15, linewidth=0
            )
        axes.set_yscale("linear" if reached else "log")  # a logarithm has no place for 0
        axes.set_title(dataset, fontsize=10)
        axes.set_xlabel("step" if steps else "epoch", fontsize=9)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        low, high = axes.get_ylim()
        axes.yaxis.set_minor_formatter(_some_digits("23456789" if high < 5 * low else "25"))
        axes.tick_params(labelsize=8, which="both")
    measure = document["protocol"]["measure"] if steps else "validation error, %"
    figure.axes[0].set_ylabel(measure, fontsize=9)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside right upper", fontsize=8)
    return save_figure(figure, path)


def _some_digits(first: str) -> Callable[[float, int], str]:
    """A formatter for numbers that begin with one of these digits; others have no label."""
    return lambda value, _: f"{value:g}" if f"{value:.0e}"[0] in first else ""


def transformer_views(path: str | Path, document: Mapping[str, Any], *, count: int = 5) -> Path | None:
    """What the transformers of each network make of the same few images, a row for each network.

    Each image has the border of what is sampled drawn over it, through the outermost sampled points, and
    beside it what the classifier gets; transformers side by side have a colour each. Channels are laid over
    each other. Where the images may not be shown, see :func:`places_looked_at`; for volumes,
    :func:`flattened_views`, and for digits to be found, :func:`found_boxes`. None if there is nothing that
    can be drawn.
    """
    rows = [row for row in _first_seed(document) if _drawable(row) and row["dataset"] in document["examples"]]
    if len(rows) > MOST_ROWS:
        rows = [row for row in rows if "CNN" in row["model"]]
    if not rows:
        others = (draw(path, document) for draw in (places_looked_at, found_boxes, flattened_views))
        return next((drawn for drawn in others if drawn is not None), None)
    wide = 1 + max(len(row["transformers"]) for row in rows)
    figure = new_figure(0.85 * wide * count + 1.4, 0.9 * len(rows) + 0.2)
    for row, line in zip(rows, figure.subplots(len(rows), wide * count, squeeze=False)):
        images = examples_of(document, row["dataset"])
        for axes in line:
            axes.axis("off")
        for k in range(count):
            _draw_views(line[wide * k : wide * (k + 1)], images[k], row["transformers"].values(), k)
        name = f"{row['dataset']}\n{row['model']}"
        line[0].set_ylabel(name, fontsize=8, rotation=0, ha="right", va="center")
    return save_figure(figure, path)


def _draw_views(panels: Any, image: Array, transformers: Iterable[Mapping[str, Any]], k: int) -> None:
    for axes in panels[:2]:
        axes.axis("on")
    show_image(panels[0], shown("transformer_views", "image", image.max(axis=0)))
    height, width = image.shape[1:]
    panels[0].set_xlim(-0.5 - width / 8, width * 9 / 8 - 0.5)
    panels[0].set_ylim(height * 9 / 8 - 0.5, -0.5 - height / 8)
    panels[0].set_facecolor("#e8e8e8")
    for j, transformer in enumerate(transformers):
        color = ACCENT if j == 0 else f"C{j + 1}"
        kind, settings = transformer["transformation"], {"align_corners": transformer["align_corners"]}
        theta = np.array(transformer["theta"][k], np.float64).reshape(1, *SHAPES[kind])
        grid = GRIDS[kind](theta, (1, 1, *transformer["size"]), **settings)
        points = sampling_frame(grid, tuple(transformer["source"]), **settings)[0]
        panels[0].plot(*broken_at_infinity(points).T, color=color, linewidth=1.1)
        if list(transformer["source"]) == [height, width]:
            output = grid_sample(image[None], grid, **settings)[0]
            panels[1 + j].axis("on")
            show_image(panels[1 + j], shown("transformer_views", "output", output.max(axis=0)))
            for side in panels[1 + j].spines.values():
                side.set_color(color)


def places_looked_at(path: str | Path, document: Mapping[str, Any]) -> Path | None:
    """Where each transformer looks, without the images: its squares in all of them.

    A panel for each network; transformers have a colour each; grey is the border of the images, dashed the
    mean box of what is to be seen.
    None if no row has places.
    """
    rows = [row for row in _first_seed(document) if "places" in row]
    if not rows:
        return None
    figure = new_figure(2.6 * len(rows), 2.9)
    for row, axes in zip(rows, figure.subplots(1, len(rows), squeeze=False)[0]):
        for j, places in enumerate(row["places"].values()):
            color = ACCENT if j == 0 else f"C{j + 1}"
            for square in places:
                axes.plot(*_rectangle(*square), color=color, linewidth=0.8, alpha=0.25)
        axes.plot(*_rectangle(*np.mean(row["boxes"], axis=0)), "--", color="black", linewidth=1.3)
        axes.plot(*_rectangle(-1, -1, 1, 1), color="grey", linewidth=1.0)
        axes.set_xlim(-1.2, 1.2)
        axes.set_ylim(1.2, -1.2)
        axes.set_aspect("equal")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_title(f"{row['dataset']}, {row['model']}", fontsize=9)
    return save_figure(figure, path)


def found_boxes(path: str | Path, document: Mapping[str, Any]) -> Path | None:
    """The first image of each run, where its digit is (white) and was found (orange), a row for a data set.

    None if no row has a view.
    """
    rows = [row for row in _first_seed(document) if "view" in row]
    if not rows:
        return None
    lines = {
        dataset: [row for row in rows if row["dataset"] == dataset]
        for dataset in dict.fromkeys(row["dataset"] for row in rows)
    }
    most = max(map(len, lines.values()))
    figure = new_figure(1.1 * most + 0.4, 1.3 * len(lines))
    for (dataset, line), panels in zip(lines.items(), figure.subplots(len(lines), most, squeeze=False)):
        for row, axes in zip(line, panels):
            view = row["view"]
            show_image(axes, shown("found_boxes", "image", _pixels(view["pixels"], view["shape"])))
            axes.plot(*_rectangle(*view["digit"]), color="white", linewidth=0.8)
            axes.plot(*_rectangle(*view["found"]), color=ACCENT, linewidth=1.3)
            axes.set_title(row["model"], fontsize=8)
        panels[0].set_ylabel(dataset, fontsize=9)
    return save_figure(figure, path)


def flattened_views(path: str | Path, document: Mapping[str, Any]) -> Path | None:
    """Volumes summed along their depth, above as they are, below behind the 3-D transformer.

    None if no row has projections.
    """
    rows = [row for row in _first_seed(document) if "projections" in row]
    if not rows:
        return None
    count = rows[0]["projections"]["shape"][0]
    figure = new_figure(1.1 * count + 0.8, 2.3 * len(rows))
    lines = [(row, part) for row in rows for part in ("before", "after")]
    for (row, part), panels in zip(lines, figure.subplots(len(lines), count, squeeze=False)):
        pictures = _pixels(row["projections"][part], row["projections"]["shape"])
        for axes, picture in zip(panels, pictures):
            show_image(axes, shown("flattened_views", "picture", picture))
        panels[0].set_ylabel(f"{row['model']}\n{part}", fontsize=8)
    return save_figure(figure, path)


def _rectangle(left: float, top: float, right: float, bottom: float) -> Any:
    return [left, right, right, left, left], [top, top, bottom, bottom, top]


def examples_of(document: Mapping[str, Any], dataset: str) -> Array:
    """The images of a document to which its transformers were applied, (N, C, H, W) in [0, 1]."""
    example = document["examples"][dataset]
    return _pixels(example["pixels"], example["shape"])


def _pixels(text: str, shape: Sequence[int]) -> Array:
    return np.asarray(np.frombuffer(bytes.fromhex(text), np.uint8).reshape(shape) / 255.0)


def _first_seed(document: Mapping[str, Any]) -> list[Any]:
    seeds = [row["seed"] for row in document["rows"]]
    return [row for row in document["rows"] if row["seed"] == min(seeds)]


def _drawable(row: Mapping[str, Any]) -> bool:
    found = row.get("transformers") or {}
    return bool(found) and all(t["transformation"] in GRIDS and len(t["size"]) == 2 for t in found.values())
