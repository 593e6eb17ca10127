"""Sheets of what a spatial transformer does: inputs, sampling frames, outputs. Needs Matplotlib."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import describe
from .canvas import ACCENT, broken_at_infinity, new_figure, pixel_points, save_figure, show_image, shown

Array = NDArray[Any]


def sampling_frame(grid: Array, size: tuple[int, int], *, align_corners: bool) -> Array:
    """The outline of the sampled region in pixel coordinates of an input of ``size`` (H, W).

    It goes through the outermost *sampled points*, along the border of the output: its first row from left
    to right, down its last column, back along its last row, and up to where it began. So it fits any
    transformation, bent ones too. With ``align_corners=False`` those points are centres of output pixels,
    and the outline lies half an output pixel inside the region that the output covers.

    Parameters
    ----------
    grid : (N, H', W', 2), floating
        Where each output pixel is sampled, in normalised coordinates, last axis (x, y).
    size : (H, W)
        Of the input, in pixels.
    align_corners : bool
        As it was for the grid.

    Returns
    -------
    (N, P, 2), float64, (x, y) in pixels
        P = 2 H' + 2 W' - 3; the first point belongs to the output's upper left pixel and stands at the end
        again. A point that is NaN, infinite or a million pixels away is NaN: a gap in the line.

    Raises
    ------
    TypeError, ValueError
        If the grid or ``align_corners`` is of another form.

    >>> from stn_ref import affine_grid
    >>> grid = affine_grid(np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]), (1, 1, 2, 2), align_corners=True)
    >>> sampling_frame(grid, (3, 5), align_corners=True)[0].tolist()
    [[0.0, 0.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0], [0.0, 0.0]]
    """
    grid = np.asarray(grid)
    if grid.ndim != 4 or grid.shape[-1] != 2 or grid.dtype.kind != "f":
        hint = ""
        if grid.shape[1:] == (2, 3):
            hint = ". It looks like theta: use affine_grid(theta, (N, C, H', W'), align_corners=...)"
        elif grid.ndim == 3 and grid.shape[-1] == 2:
            hint = "; use grid[None] for a batch of one"
        raise ValueError(
            f"sampling_frame: grid is {describe(grid)}, expected floating (N, H', W', 2); the last axis "
            f"holds (x, y){hint}"
        )
    rows, columns = border(*grid.shape[1:3])
    return pixel_points("sampling_frame", grid[:, rows, columns], size, align_corners)


def border(height: int, width: int) -> tuple[list[int], list[int]]:
    """Rows and columns of the border pixels of an image, clockwise from the upper left and back to it.

    >>> border(2, 3)
    ([0, 0, 0, 1, 1, 1, 0], [0, 1, 2, 2, 1, 0, 0])
    """
    if not height or not width:
        return [], []
    bottom, right = height - 1, width - 1
    rows = [0] * width + [*range(1, height)] + [bottom] * right + [*range(bottom - 1, -1, -1)]
    columns = [*range(width)] + [right] * bottom + [*range(right - 1, -1, -1)] + [0] * bottom
    return rows, columns


def transformer_sheet(
    path: str | Path,
    inputs: Array,
    outputs: Array,
    grid: Array,
    *,
    align_corners: bool,
    captions: Sequence[str] = (),
    title: str = "",
) -> Path:
    """Save a figure: a row of inputs with their sampling frames, a row of outputs below.

    Parameters
    ----------
    path : file name, its suffix gives the format (png, svg, pdf)
    inputs, outputs : (N, H, W) and (N, H', W'), or (N, C, H, W) and (N, C, H', W') with C = 1 or 3
        Values in [0, 1].
    grid : (N, H', W', 2), normalised
        Where the outputs were sampled, of any transformation: ``affine_grid(theta, ...)``, or the ``grid`` of
        a transformer's report.
    align_corners : bool
        As it was for the grid.
    captions : one below each column

    Returns
    -------
    The path. The mark on a frame is the corner that becomes the upper left one of the output.

    Raises
    ------
    ModuleNotFoundError
        Without Matplotlib; the message names the extra.
    TypeError, ValueError, OSError
        If an argument is of another form, or the file cannot be written. What stood there is left.

    >>> from stn_ref import affine_grid, grid_sample
    >>> U = np.random.default_rng(0).uniform(size=(2, 1, 8, 8))
    >>> grid = affine_grid(np.repeat(0.5 * np.eye(2, 3)[None], 2, axis=0), U.shape, align_corners=True)
    >>> V = grid_sample(U, grid, align_corners=True)
    >>> print(transformer_sheet("sheet.png", U, V, grid, align_corners=True))  # doctest: +SKIP
    sheet.png
    """
    inputs, outputs, grid = np.asarray(inputs), np.asarray(outputs), np.asarray(grid)
    if not len(inputs) == len(outputs) == len(grid) > 0:
        raise ValueError(
            f"transformer_sheet: {len(inputs)} inputs, {len(outputs)} outputs and {len(grid)} grids, "
            "expected as many of each, and at least one"
        )
    frames = sampling_frame(grid, inputs.shape[-2:], align_corners=align_corners)
    above = [shown("transformer_sheet", "inputs", image) for image in inputs]
    below = [shown("transformer_sheet", "outputs", image) for image in outputs]
    figure = new_figure(max(1.35 * len(inputs), 0.075 * len(title)), 3.2)
    draw_columns(figure, above, below, frames, captions)
    if title:
        figure.suptitle(title, fontsize=10)
    return save_figure(figure, path)


def draw_columns(
    figure: Any, above: Sequence[Array], below: Sequence[Array], frames: Array, captions: Sequence[str] = ()
) -> list[tuple[Any, Any, Any]]:
    """Inputs with frames over outputs; for each column its frame, its corner and its output, as artists."""
    n = len(above)
    axes = figure.subplots(2, n, squeeze=False)
    artists = []
    for k, (top, bottom) in enumerate(axes.T):
        height, width = above[k].shape[:2]
        show_image(top, above[k])
        [frame] = top.plot(*broken_at_infinity(frames[k]).T, color=ACCENT, linewidth=1.5)
        [corner] = top.plot(*frames[k, :1].T, marker="o", color=ACCENT, markersize=4)
        top.set_xlim(-0.4 * width, 1.4 * width)
        top.set_ylim(1.4 * height, -0.4 * height)
        top.set_facecolor("#e8e8e8")
        artists.append((frame, corner, show_image(bottom, below[k])))
        bottom.set_xlabel(captions[k] if k < len(captions) else "", fontsize=8)
    axes[0, 0].set_ylabel("input, frame", fontsize=8)
    axes[1, 0].set_ylabel("output", fontsize=8)
    return artists
