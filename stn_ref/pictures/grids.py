"""Sheets of sampling grids: laid over an image, or through a volume. Needs Matplotlib."""

from itertools import product
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import describe
from ..training.metrics import check_count
from .canvas import (
    ACCENT,
    broken_at_infinity,
    new_figure,
    pixel_points,
    save_figure,
    show_image,
    shown,
)

Array = NDArray[Any]
LINES = 15  # about as many each way can be told apart


def grid_sheet(
    path: str | Path,
    image: Array,
    grid: Array,
    *,
    align_corners: bool,
    every: int | None = None,
    output: Array | None = None,
    title: str = "",
) -> Path:
    """Save a figure: an image, and over it the rows and columns of its sampling grid as lines.

    Parameters
    ----------
    path : file name, its suffix gives the format (png, svg, pdf)
    image : (H, W) or (C, H, W) with C = 1 or 3, values in [0, 1]
    grid : (H', W', 2), normalised
        Of any transformation. Where a point is NaN, infinite or a million pixels away its lines have a gap.
    align_corners : bool
        As it was for the grid.
    every : int
        Draw every so many rows and columns, and the last ones in any case; about 15 each way if None.
    output : (H', W') or (C, H', W')
        What was sampled, drawn beside with the same rows and columns of target pixels.

    Returns
    -------
    The path. The mark is the point of the output's upper left pixel.

    Raises
    ------
    ModuleNotFoundError
        Without Matplotlib; the message names the extra.
    TypeError, ValueError, OSError
        If an argument is of another form, or the file cannot be written. What stood there is left.

    >>> from stn_ref import control_grid, tps_grid
    >>> places = control_grid()[None] + 0.1 * np.random.default_rng(0).normal(size=(1, 16, 2))
    >>> grid = tps_grid(places, (1, 1, 28, 28), align_corners=True)
    >>> image = np.random.default_rng(1).uniform(size=(28, 28))
    >>> print(grid_sheet("grid.png", image, grid[0], align_corners=True))  # doctest: +SKIP
    grid.png
    """
    grid = np.asarray(grid)
    check_one_grid("grid_sheet", grid, 2)
    drawn = shown("grid_sheet", "image", image)
    points = pixel_points("grid_sheet", grid, drawn.shape[:2], align_corners)
    chosen = [chosen_lines(n, every) for n in grid.shape[:2]]
    panels = [(drawn, points, "input, and where it is sampled")]
    if output is not None:
        result = shown("grid_sheet", "output", output)
        if result.shape[:2] != grid.shape[:2]:
            raise ValueError(
                f"grid_sheet: output has shape {np.shape(output)} for a grid of shape {grid.shape}, expected "
                "one pixel for each point of the grid"
            )
        targets = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape[1::-1])), axis=-1)
        panels.append((result, targets.astype(np.float64), "output"))
    figure = new_figure(4.2 * len(panels), 4.5)
    for axes, (picture, where, label) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels):
        show_image(axes, picture)
        for line in grid_lines(where, *chosen):
            # A line of one point, for an output one pixel wide, is seen only with a marker.
            marker = "." if len(line) == 1 else None
            axes.plot(*broken_at_infinity(line).T, color=ACCENT, linewidth=0.9, marker=marker)
        axes.plot(*where[0, 0], marker="o", color=ACCENT, markeredgecolor="black", markersize=6)
        (left, right), (top, bottom) = (
            view(where[..., k], n) for k, n in enumerate(reversed(picture.shape[:2]))
        )
        axes.set_xlim(left, right)
        axes.set_ylim(bottom, top)
        axes.set_facecolor("#e8e8e8")
        axes.set_xlabel(label, fontsize=9)
    if title:
        figure.suptitle(title, fontsize=10)
    return save_figure(figure, path)


def chosen_lines(count: int, every: int | None) -> list[int]:
    """Which of ``count`` rows or columns are drawn: every so many, and the last.

    >>> chosen_lines(8, 3), chosen_lines(28, None)
    ([0, 3, 6, 7], [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 27])
    """
    if every is None:
        every = max(1, ceil(count / LINES))
    check_count("grid_sheet", "every", every)
    return sorted({*range(0, count, every), count - 1})


def grid_lines(points: Array, rows: list[int], columns: list[int]) -> list[Array]:
    """The chosen rows, then the chosen columns of (H', W', 2) points, each a line (n, 2).

    >>> square = np.array([[[0.0, 0.0], [1.0, 0.0]], [[0.0, 2.0], [1.0, 2.0]]])
    >>> [line.tolist() for line in grid_lines(square, [0], [1])]
    [[[0.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [1.0, 2.0]]]
    """
    return [points[row] for row in rows] + [points[:, column] for column in columns]


def view(x: Array, size: int) -> tuple[float, float]:
    """From where to where an axis of ``size`` pixels is shown: all of it, and points up to half as far again.

    >>> view(np.array([-1.0, 3.0]), 10), view(np.array([np.nan, 400.0]), 10)
    ((-1.3, 9.8), (-0.8, 14.8))
    """
    near = np.clip(x[np.isfinite(x)], -0.5 - size / 2, 1.5 * size - 0.5)
    margin = 0.03 * size
    low, high = min([-0.5, *near.ravel().tolist()]), max([size - 0.5, *near.ravel().tolist()])
    return low - margin, high + margin


def volume_sheet(
    path: str | Path, volume: Array, grid: Array | None = None, *, align_corners: bool, title: str = ""
) -> Path:
    """Save a figure: the three central slices of a volume, and its sum over depth.

    Parameters
    ----------
    path : file name, its suffix gives the format (png, svg, pdf)
    volume : (D, H, W), floating, values in [0, 1]
        The sum over depth is scaled by its largest value.
    grid : (D', H', W', 3), normalised, last axis (x, y, z)
        If given, dots mark where it meets each slice: the points within half a voxel of it. The sum shows the
        twelve edges of the sampled box, and a mark at its first point.
    align_corners : bool
        As it was for the grid.

    Returns
    -------
    The path.

    Raises
    ------
    ModuleNotFoundError
        Without Matplotlib; the message names the extra.
    TypeError, ValueError, OSError
        If an argument is of another form, or the file cannot be written. What stood there is left.

    >>> volume = np.random.default_rng(0).uniform(size=(6, 8, 10))
    >>> print(volume_sheet("volume.png", volume, align_corners=True))  # doctest: +SKIP
    volume.png
    """
    volume = np.asarray(volume)
    if volume.ndim != 3 or volume.dtype.kind != "f" or 0 in volume.shape:
        hint = "; use volume[0, 0] for the first of a batch" if volume.ndim == 5 else ""
        raise ValueError(f"volume_sheet: volume is {describe(volume)}, expected floating (D, H, W){hint}")
    points = None
    if grid is not None:
        grid = np.asarray(grid)
        check_one_grid("volume_sheet", grid, 3)
        points = pixel_points("volume_sheet", grid, volume.shape, align_corners)
    total = volume.sum(axis=0)
    panels = [central_slice(volume, points, axis) for axis in (2, 1, 0)]
    shares = [panel.shape[1] for panel, _, _ in panels] + [volume.shape[2]]
    tall = max(volume.shape[:2])
    figure = new_figure(2.4 * sum(shares) / max(tall, *shares) + 0.8, 2.4 * tall / max(tall, *shares) + 0.8)
    axes = figure.subplots(1, 4, width_ratios=shares)
    for axis, (picture, dots, (across, down, caption)) in zip(axes, panels):
        show_image(axis, np.clip(picture, 0, 1))
        axis.set_title(caption, fontsize=9)
        axis.set_xlabel(f"{across} →", fontsize=8)
        axis.set_ylabel(f"← {down}", fontsize=8)
        axis.plot(*dots.T, ".", color=ACCENT, markersize=2.5 if len(dots) < 1000 else 1)
    show_image(axes[3], total / max(float(np.nanmax(total, initial=0)), 1e-30))
    axes[3].set_title("sum over z", fontsize=9)
    axes[3].set_xlabel("x →", fontsize=8)
    axes[3].set_ylabel("← y", fontsize=8)
    for edge in [] if points is None else box_edges(points):
        axes[3].plot(*broken_at_infinity(edge)[:, :2].T, color=ACCENT, linewidth=1)
    if points is not None:
        axes[3].plot(*points[0, 0, 0, :2], marker="o", color=ACCENT, markeredgecolor="black", markersize=6)
    for axis in axes:
        axis.set_facecolor("#e8e8e8")
    if title:
        figure.suptitle(title, fontsize=10)
    return save_figure(figure, path)


def central_slice(
    volume: Array, points: Array | None, axis: int
) -> tuple[Array, Array, tuple[str, str, str]]:
    """The slice across coordinate ``axis`` (x is 0), the points near it (n, 2), and what to write on it.

    >>> volume = np.arange(24.0).reshape(2, 3, 4)
    >>> picture, dots, labels = central_slice(volume, np.array([[[[1.0, 2.0, 0.75], [3.0, 0.0, 0.0]]]]), 2)
    >>> picture.shape, dots.tolist(), labels                      # z = 0.75 is near 1, z = 0 is not
    ((3, 4), [[1.0, 2.0]], ('x', 'y', 'z = 1'))
    """
    middle = volume.shape[2 - axis] // 2
    across, down = {0: (2, 1), 1: (0, 2), 2: (0, 1)}[axis]
    picture = np.take(volume, middle, axis=2 - axis)
    if axis == 0:
        picture = picture.T  # y goes down in every picture that has it
    dots = np.empty((0, 2))
    if points is not None:
        flat = points.reshape(-1, 3)
        dots = flat[np.abs(flat[:, axis] - middle) <= 0.5][:, [across, down]]
    return picture, dots, ("xyz"[across], "xyz"[down], f"{'xyz'[axis]} = {middle}")


def box_edges(points: Array) -> list[Array]:
    """The twelve edges of a (D', H', W', 3) block of points, each a line (n, 3).

    >>> [edge.shape for edge in box_edges(np.zeros((2, 3, 4, 3)))]
    [(2, 3), (2, 3), (2, 3), (2, 3), (3, 3), (3, 3), (3, 3), (3, 3), (4, 3), (4, 3), (4, 3), (4, 3)]
    """
    edges = []
    for axis in range(3):
        for ends in product((0, -1), repeat=2):
            key: list[Any] = list(ends)
            key.insert(axis, slice(None))
            edges.append(points[tuple(key)])
    return edges


def check_one_grid(who: str, grid: Array, d: int) -> None:
    """Refuse what is no sampling grid of one image (``d`` = 2) or volume (3) with at least one point."""
    if grid.ndim == d + 1 and grid.shape[-1] == d and 0 not in grid.shape and grid.dtype.kind == "f":
        return
    expected, order = ("(H', W', 2)", "(x, y)") if d == 2 else ("(D', H', W', 3)", "(x, y, z)")
    hint = "; use grid[0] for the first of a batch" if grid.ndim == d + 2 else ""
    raise ValueError(
        f"{who}: grid is {describe(grid)}, expected floating {expected} with at least one point; the last "
        f"axis holds {order}{hint}"
    )
