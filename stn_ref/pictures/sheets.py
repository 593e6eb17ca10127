"""Sheets of what a spatial transformer does: inputs, sampling frames, outputs. Needs Matplotlib."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..ops import affine_grid
from ..pixels import to_pixels

Array = NDArray[Any]


def sampling_frame(theta: Array, size: tuple[int, int], *, align_corners: bool) -> Array:
    """The outline of the sampled region in pixel coordinates of an input of ``size`` (H, W).

    Parameters
    ----------
    theta : (N, 2, 3), floating
        From target to source, normalised coordinates.

    Returns
    -------
    (N, 5, 2), (x, y) of the corners, the first one again at the end; the first is the output's upper left.

    >>> identity = np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> sampling_frame(identity, (3, 5), align_corners=True)[0].tolist()
    [[0.0, 0.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0], [0.0, 0.0]]
    """
    corners = affine_grid(theta, (len(theta), 1, 2, 2), align_corners=True)  # the points (+-1, +-1)
    outline = corners[:, [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
    height, width = size
    x = to_pixels(outline[..., 0], width, align_corners)
    y = to_pixels(outline[..., 1], height, align_corners)
    return np.stack([x, y], axis=-1)


def transformer_sheet(
    path: str | Path,
    inputs: Array,
    outputs: Array,
    theta: Array,
    *,
    align_corners: bool,
    captions: Sequence[str] = (),
    title: str = "",
) -> Path:
    """Save a figure: a row of inputs with their sampling frames, a row of outputs below.

    Parameters
    ----------
    path : file name, its suffix gives the format (png, svg, pdf)
    inputs, outputs : (N, H, W) and (N, H', W'), values in [0, 1]
    theta : (N, 2, 3)
    captions : one below each column

    Returns
    -------
    The path. The mark on a frame is the corner that becomes the upper left one of the output.

    Raises
    ------
    ModuleNotFoundError
        Without Matplotlib; the message names the extra.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "figures need Matplotlib, the extra 'viz': pip install matplotlib"
        ) from error
    n = len(inputs)
    figure = Figure(figsize=(1.35 * n, 3.2), layout="constrained")
    axes = figure.subplots(2, n, squeeze=False)
    frames = sampling_frame(theta, inputs.shape[1:], align_corners=align_corners)
    for k in range(n):
        above, below = axes[0, k], axes[1, k]
        height, width = inputs.shape[1:]
        above.imshow(inputs[k], cmap="gray", vmin=0, vmax=1)
        above.plot(*frames[k].T, color="#ff7f0e", linewidth=1.5)
        above.plot(*frames[k, 0], marker="o", color="#ff7f0e", markersize=4)
        above.set_xlim(-0.4 * width, 1.4 * width)
        above.set_ylim(1.4 * height, -0.4 * height)
        below.imshow(outputs[k], cmap="gray", vmin=0, vmax=1)
        below.set_xlabel(captions[k] if k < len(captions) else "", fontsize=8)
        for axis in (above, below):
            axis.set_xticks([])
            axis.set_yticks([])
        above.set_facecolor("#e8e8e8")
    axes[0, 0].set_ylabel("input, frame", fontsize=8)
    axes[1, 0].set_ylabel("output", fontsize=8)
    if title:
        figure.suptitle(title, fontsize=10)
    figure.savefig(path, dpi=150)
    return Path(path)
