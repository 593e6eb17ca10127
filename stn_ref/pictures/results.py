"""Figures of an experiment's results: how the networks learnt, and what their transformers do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..ops import affine_grid, projective_grid, tps_grid
from .canvas import ACCENT, broken_at_infinity, new_figure, save_figure, show_image, shown
from .sheets import sampling_frame

__all__ = ["learning_curves", "transformer_views"]

Array = NDArray[Any]
FAMILIES = ("FCN", "CNN")  # a network and the same behind transformers get lines of one colour
GRIDS = {"affine": affine_grid, "projective": projective_grid, "thin-plate-spline": tps_grid}
SHAPES = {"affine": (2, 3), "projective": (8,), "thin-plate-spline": (16, 2)}


def learning_curves(path: str | Path, document: Mapping[str, Any]) -> Path:
    """The error on the validation set after each epoch, a panel for each data set, a line for each network.

    A line is the mean over the seeds, and the band around it reaches from the least to the greatest.
    """
    curves: dict[str, dict[str, list[list[float]]]] = {}
    for row in document["rows"]:
        errors = [epoch["validation_error"] for epoch in row["epochs"]]
        curves.setdefault(row["dataset"], {}).setdefault(row["model"], []).append(errors)
    figure = new_figure(3.2 * len(curves) + 1.6, 3.4)
    for axes, (dataset, models) in zip(figure.subplots(1, len(curves), squeeze=False)[0], curves.items()):
        for i, (model, runs) in enumerate(models.items()):
            length = min(map(len, runs))
            values = np.array([run[:length] for run in runs])
            epochs = np.arange(1, length + 1)
            style = "--" if "ST" not in model else "-"
            axes.plot(epochs, values.mean(axis=0), style, color=f"C{i}", label=model, linewidth=1.3)
            axes.fill_between(
                epochs, values.min(axis=0), values.max(axis=0), color=f"C{i}", alpha=0.15, linewidth=0
            )
        axes.set_yscale("log")
        axes.set_title(dataset, fontsize=10)
        axes.set_xlabel("epoch", fontsize=9)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:.0e}"[0] in "25" else "")
        axes.tick_params(labelsize=8, which="both")
    figure.axes[0].set_ylabel("validation error, %", fontsize=9)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside right upper", fontsize=8)
    return save_figure(figure, path)


def transformer_views(path: str | Path, document: Mapping[str, Any], *, count: int = 6) -> Path | None:
    """What the transformers of each network take from the same few images, a row for each network.

    A frame is the border of what is sampled, through the outermost sampled points; where transformers stand
    side by side, each has its colour. None if there is nothing that can be drawn.
    """
    rows = [row for row in _first_seed(document) if _drawable(row) and row["dataset"] in document["examples"]]
    if not rows:
        return None
    figure = new_figure(1.15 * count + 1.6, 1.22 * len(rows) + 0.2)
    for row, line in zip(rows, figure.subplots(len(rows), count, squeeze=False)):
        images = examples_of(document, row["dataset"])
        for k, axes in enumerate(line):
            image = images[k].max(axis=0)
            show_image(axes, shown("transformer_views", "image", image))
            axes.set_xlim(-0.5 - image.shape[1] / 8, image.shape[1] * 9 / 8 - 0.5)
            axes.set_ylim(image.shape[0] * 9 / 8 - 0.5, -0.5 - image.shape[0] / 8)
            axes.set_facecolor("#e8e8e8")
            for j, transformer in enumerate(row["transformers"].values()):
                frame = _frame(transformer, k)
                color = ACCENT if j == 0 else f"C{j + 1}"
                axes.plot(*broken_at_infinity(frame).T, color=color, linewidth=1.1)
        line[0].set_ylabel(
            f"{row['dataset']}\n{row['model']}", fontsize=8, rotation=0, ha="right", va="center"
        )
    return save_figure(figure, path)


def examples_of(document: Mapping[str, Any], dataset: str) -> Array:
    """The images of a document to which its transformers were applied, (N, C, H, W) in [0, 1]."""
    example = document["examples"][dataset]
    pixels = np.frombuffer(bytes.fromhex(example["pixels"]), np.uint8)
    return np.asarray(pixels.reshape(example["shape"]) / 255.0)


def _first_seed(document: Mapping[str, Any]) -> list[Any]:
    seeds = [row["seed"] for row in document["rows"]]
    return [row for row in document["rows"] if row["seed"] == min(seeds)]


def _drawable(row: Mapping[str, Any]) -> bool:
    found = row.get("transformers") or {}
    return bool(found) and all(t["transformation"] in GRIDS and len(t["size"]) == 2 for t in found.values())


def _frame(transformer: Mapping[str, Any], k: int) -> Array:
    kind, size, source = (transformer[name] for name in ("transformation", "size", "source"))
    theta = np.array(transformer["theta"][k], np.float64).reshape(1, *SHAPES[kind])
    grid = GRIDS[kind](theta, (1, 1, *size), align_corners=transformer["align_corners"])
    points = sampling_frame(grid, tuple(source), align_corners=transformer["align_corners"])
    return np.asarray(points[0])
