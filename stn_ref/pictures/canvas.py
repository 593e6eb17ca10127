"""What the pictures share: Matplotlib, looked for only when something is drawn; images and points for it."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import check_flag, describe, optional
from ..files import write_atomically
from ..pixels import to_pixels

Array = NDArray[Any]

ACCENT = "#ff7f0e"  # frames and grid lines: seen on black, grey and white
DATES = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}  # the fields that are left out
FAR = 1e6  # pixels; what lies beyond, or nowhere, is not drawn


def matplotlib(module: str) -> Any:
    """A module of Matplotlib, or an error that names the extra.

    >>> matplotlib("no_such_module")
    Traceback (most recent call last):
    ...
    ModuleNotFoundError: a figure needs matplotlib, the extra 'viz': pip install matplotlib
    """
    return optional(f"matplotlib.{module}", extra="viz", purpose="a figure")


def new_figure(width: float, height: float, layout: Any = "constrained") -> Any:
    """An empty Matplotlib figure of ``width`` by ``height`` inches, that belongs to nobody else.

    Raises
    ------
    ModuleNotFoundError
        Without Matplotlib; the message names the extra.
    """
    return matplotlib("figure").Figure(figsize=(width, height), layout=layout)


def save_figure(figure: Any, path: str | Path, dpi: float = 150) -> Path:
    """Write a figure whole or not at all; the suffix of ``path`` gives the format (png, svg, pdf).

    The same figure gives the same bytes: neither the time nor names made at random are written.

    Raises
    ------
    ValueError
        If the suffix names no format.
    OSError
        If the file cannot be written.
    """
    path = Path(path)
    if not path.suffix:
        raise ValueError(f"figure: {path} has no suffix to tell the format; use {path.name}.png")
    content, form = io.BytesIO(), path.suffix[1:].lower()
    library = optional("matplotlib", extra="viz", purpose="a figure")
    with library.rc_context({"svg.hashsalt": "stn_ref"}):
        figure.savefig(content, format=form, dpi=dpi, metadata=DATES.get(form))
    write_atomically(path, content.getvalue())
    return path


def shown(who: str, argument: str, image: Array) -> Array:
    """An image (H, W) or (C, H, W) with C = 1 or 3 as Matplotlib takes it: (H, W), or (H, W, 4) for colours.

    Values are cut to [0, 1]; a pixel with NaN becomes transparent.

    >>> shown("sheet", "image", np.zeros((1, 2, 3))).shape, shown("sheet", "image", np.zeros((3, 2, 5))).shape
    ((2, 3), (2, 5, 4))
    >>> shown("sheet", "image", np.zeros((4, 3, 2, 5)))
    Traceback (most recent call last):
    ...
    ValueError: sheet: image is float64 array of shape (4, 3, 2, 5), expected (H, W) or (C, H, W) with C = 1
    or 3 channels; use image[0] for the first of a batch
    """
    image = np.asarray(image)
    if image.ndim not in (2, 3) or (image.ndim == 3 and len(image) not in (1, 3)) or image.dtype.kind != "f":
        hint = ""
        if image.dtype.kind in "iu":
            hint = f"; use {argument} / 255.0 for values in [0, 1]"
        elif image.ndim == 4:
            hint = f"; use {argument}[0] for the first of a batch"
        elif image.ndim == 3 and image.shape[-1] in (1, 3):
            hint = f". It looks channel-last: use np.moveaxis({argument}, -1, 0)"
        raise ValueError(
            f"{who}: {argument} is {describe(image)}, expected (H, W) or (C, H, W) with C = 1 or 3 "
            f"channels{hint}"
        )
    image = np.clip(image.astype(np.float64), 0, 1)
    if image.ndim == 2 or len(image) == 1:
        return image if image.ndim == 2 else image[0]
    known = ~np.isnan(image).any(axis=0, keepdims=True)
    return np.moveaxis(np.concatenate([np.where(known, image, 0), known]), 0, -1)


def show_image(axes: Any, image: Array) -> Any:
    """Draw what :func:`shown` gave, without ticks; the artist."""
    axes.set_xticks([])
    axes.set_yticks([])
    return axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")


def pixel_points(who: str, grid: Array, size: tuple[int, ...], align_corners: bool) -> Array:
    """A grid in normalised coordinates as points in pixels of an image of spatial ``size``, in float64.

    Last axis (x, y) or (x, y, z). A point that is NaN, infinite or a million pixels away is NaN in all
    coordinates, so that Matplotlib leaves a gap.

    >>> pixel_points("sheet", np.array([[-1.0, 0.0], [np.inf, 0.0]]), (3, 5), True)
    array([[ 0.,  1.],
           [nan, nan]])
    """
    check_flag(who, "align_corners", align_corners)
    grid = np.asarray(grid, np.float64)
    sizes = tuple(reversed(size))
    points = np.stack([to_pixels(grid[..., k], n, align_corners) for k, n in enumerate(sizes)], axis=-1)
    near = np.all(np.abs(points) < FAR, axis=-1, keepdims=True)
    return np.where(near, points, np.nan)


def broken_at_infinity(line: Array) -> Array:
    """A line of points (P, 2) with a gap wherever it runs through infinity, as projective grids can.

    There the points go out on one side and come back from the other; the step between them leads back across
    the picture, and is longer than the steps before and after it.

    >>> x = np.array([1.0, 2.0, 4.0, -4.0, -2.0])                             # 4 / w, w from 4 to -2
    >>> broken_at_infinity(np.stack([x, 0 * x], axis=-1))[:, 0]
    array([ 1.,  2.,  4., nan, -4., -2.])
    """
    steps = np.diff(line, axis=0)
    lengths = (steps**2).sum(axis=1)
    turns = (steps[1:] * steps[:-1]).sum(axis=1) < 0
    longest = (lengths[1:-1] > lengths[:-2]) & (lengths[1:-1] > lengths[2:])
    jumps = np.flatnonzero(turns[:-1] & turns[1:] & longest) + 2
    return np.insert(line, jumps, np.nan, axis=0)
