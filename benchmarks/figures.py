"""The two figures of the report, with matplotlib from the extra ``viz``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .goals import GOALS, verdict
from .growth import summary

COLOURS = {"fwd": "#0072b2", "fb": "#d55e00"}
NAMES = {"fwd": "forward", "fb": "forward and backward"}


def draw(record: Mapping[str, Any], folder: Path) -> list[str]:
    """Save what the numbers allow as SVG; the names of the figures. ``ImportError`` without matplotlib."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    drawn = []
    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": "stn_ref", "font.size": 9}):
        for name, figure in (("ratios", _ratios(plt, record)), ("growth", _growth(plt, record))):
            if figure is not None:
                figure.savefig(folder / f"{name}.svg", bbox_inches="tight", metadata={"Date": None})
                plt.close(figure)
                drawn.append(name)
    return drawn


def _ratios(plt: Any, record: Mapping[str, Any]) -> Any:
    """A dot for each goal at the measured ratio over the limit."""
    found = [verdict(goal, record["cases"]) for goal in GOALS]
    found = [v for v in found if v.least is not None]
    if not found:
        return None
    figure, axes = plt.subplots(figsize=(7, 0.8 + 0.24 * len(found)))
    rows = range(len(found))[::-1]
    values = [v.least / v.goal.limit for v in found]
    axes.axvline(1, color="#555555", linewidth=1)
    colours = ["#009e73" if value <= 1 else "#d55e00" for value in values]
    axes.hlines(rows, 1, values, color=colours, linewidth=1)
    axes.scatter(values, rows, color=colours, s=22, zorder=3)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    axes.set_yticks(list(rows), [v.goal.label for v in found])
    axes.set_xlabel("measured over the goal's limit: met at 1 and to its left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#e5e5e5")
    axes.set_axisbelow(True)
    return figure


def _growth(plt: Any, record: Mapping[str, Any]) -> Any:
    """Time and peak memory over the number of output numbers, one panel for each axis of growth."""
    kept = {name: points for name, points in record.get("growth", {}).items() if len(points) > 1}
    axes_of_growth = list(dict.fromkeys(name.split("-")[0] for name in kept))
    if not axes_of_growth:
        return None
    figure, grid = plt.subplots(
        2, len(axes_of_growth), figsize=(3.1 * len(axes_of_growth), 5), sharey="row", squeeze=False
    )
    for column, axis in enumerate(axes_of_growth):
        for operation, colour in COLOURS.items():
            points = kept.get(f"{axis}-{operation}")
            found = summary(points) if points else None
            if not points or found is None:
                continue
            sizes = [p["numbers"] for p in points]
            labels = f"exponent {found['exponent']:.2f}", f"{found['multiple']:.1f} outputs"
            columns = [p["seconds"] * 1e3 for p in points], [p["bytes"] / 2**20 for p in points]
            for row, (label, values) in enumerate(zip(labels, columns)):
                panel = grid[row, column]
                panel.loglog(sizes, values, "o-", color=colour, ms=3, lw=1.2)
                panel.plot([], [], color=colour, label=f"{NAMES[operation]}: {label}")
        for panel in grid[:, column]:
            panel.legend(fontsize=7, frameon=False, handlelength=1, loc="upper left")
            panel.margins(y=0.25)
            panel.spines[["top", "right"]].set_visible(False)
            panel.grid(color="#eeeeee")
        grid[0, column].set_title(f"over {axis}")
        grid[1, column].set_xlabel("numbers in the output")
    grid[0, 0].set_ylabel("time, ms")
    grid[1, 0].set_ylabel("peak memory, MiB")
    figure.tight_layout()
    return figure
