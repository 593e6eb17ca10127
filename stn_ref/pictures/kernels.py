"""Sheets of sampling kernels and their slopes. Needs Matplotlib; the curves do not."""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autograd.tensor import plain
from ..errors import describe
from ..ops import Kernel
from .canvas import ACCENT, new_figure, save_figure

Array = NDArray[Any]
POINTS = 200  # on each piece of a curve
CURVE = "#1f77b4"


def kernel_sheet(path: str | Path, kernels: Sequence[Kernel], title: str = "") -> Path:
    """Save a figure: a column for each kernel, above k(t), below its first derivative.

    Where a curve jumps it is broken: the full dot is the value taken at that place (``kink="right"``), the
    open one the limit from the left.

    Parameters
    ----------
    path : file name, its suffix gives the format (png, svg, pdf)
    kernels : sequence of Kernel
        If one has a width, that must be one number.

    Returns
    -------
    The path.

    Raises
    ------
    ModuleNotFoundError
        Without Matplotlib; the message names the extra.
    TypeError, ValueError, OSError
        If an argument is of another form, or the file cannot be written. What stood there is left.

    >>> from stn_ref import BICUBIC, BILINEAR, gaussian
    >>> print(kernel_sheet("kernels.png", [BILINEAR, BICUBIC, gaussian(0.7)]))  # doctest: +SKIP
    kernels.png
    """
    kernels = [kernels] if isinstance(kernels, Kernel) else list(kernels)
    if not kernels or not all(isinstance(kernel, Kernel) for kernel in kernels):
        raise TypeError(
            f"kernel_sheet: kernels is {describe(kernels)}, expected at least one Kernel; those with a name "
            "are in stn_ref.ops.interpolation.KERNELS"
        )
    curves = [[kernel_curve(kernel, order) for kernel in kernels] for order in (0, 1)]
    figure = new_figure(max(2.3 * len(kernels) + 0.3, 0.075 * len(title)), 4.2)
    axes = figure.subplots(2, len(kernels), squeeze=False, sharex="col", sharey="row")
    for row, label, parts in zip(axes, ("k(t)", "k'(t)"), curves):
        for axis, (t, k) in zip(row, parts):
            axis.axhline(0, color="#b0b0b0", linewidth=0.8)
            axis.plot(t, k, color=CURVE, linewidth=1.5)
            breaks = np.flatnonzero(np.isnan(k))
            axis.plot(t[breaks - 1], k[breaks - 1], "o", color=ACCENT, fillstyle="none", markersize=4)
            axis.plot(t[breaks + 1], k[breaks + 1], "o", color=ACCENT, markersize=4)
            axis.grid(color="#e0e0e0", linewidth=0.5)
            axis.tick_params(labelsize=7)
            axis.locator_params(axis="x", nbins=5)
        if all(np.nanmax(np.abs(k)) == 0 for _, k in parts):
            row[0].set_ylim(-1, 1)  # there is no scale to a curve that is 0
        row[0].set_ylabel(label, fontsize=9)
    for (top, bottom), kernel in zip(axes.T, kernels):
        top.set_title(caption(kernel), fontsize=9)
        bottom.set_xlabel("t, pixels", fontsize=8)
    figure.align_ylabels(axes[:, 0])
    if title:
        figure.suptitle(title, fontsize=10)
    return save_figure(figure, path)


def caption(kernel: Kernel) -> str:
    """What stands above a kernel: its name, and what is done besides weighing.

    >>> from stn_ref import BICUBIC
    >>> caption(BICUBIC)
    'bicubic'
    """
    notes = [] if kernel.width is None else [f"width {width_of(kernel):g}"]
    notes += ["normalised"] if kernel.normalised else []
    notes += ["on a prefiltered image"] if kernel.prefiltered else []
    return "\n".join([kernel.name, *([", ".join(notes)] if notes else [])])


def width_of(kernel: Kernel) -> float:
    """The width of a kernel as a number, 1 if it has none."""
    width = np.asarray(1.0 if kernel.width is None else plain(kernel.width))
    if width.size != 1:
        raise ValueError(
            f"kernel_sheet: kernel {kernel.name} has {describe(width)} for a width, expected one number; "
            "draw one kernel for each, kernel.widened(width[0])"
        )
    return float(width.item())


def kernel_curve(kernel: Kernel, order: int = 0) -> tuple[Array, Array]:
    """The kernel, or its derivative of some ``order``, as a curve over its support and a little beyond.

    Parameters
    ----------
    kernel : Kernel
        Of width None or one number.
    order : int

    Returns
    -------
    t, k : float64, of equal shape (P,)
        Offset from the pixel, in pixels, growing; the kernel there. At a jump k has a NaN between the limits
        from the left and from the right, all three at the same t.

    Raises
    ------
    ValueError
        If the width is not one number.

    >>> from stn_ref import BILINEAR
    >>> t, k = kernel_curve(BILINEAR, order=1)
    >>> t[np.isnan(k)].tolist(), sorted(set(k[~np.isnan(k)].tolist()))
    ([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0])
    """
    width = width_of(kernel)
    reach = kernel.radius * width
    beyond = max(0.25, 0.1 * reach)
    places = [-reach - beyond, *breakpoints(kernel, width), reach + beyond]
    pieces = [_piece(kernel, width, order, a, b) for a, b in pairwise(places)]
    largest = max(float(np.abs(k).max()) for _, k in pieces)
    ts, ks = [pieces[0][0]], [pieces[0][1]]
    for t, k in pieces[1:]:
        if abs(k[0] - ks[-1][-1]) > 1e-6 * largest:
            ts.append(t[:1])
            ks.append(np.array([np.nan]))
        ts.append(t)
        ks.append(k)
    return np.concatenate(ts), np.concatenate(ks)


def breakpoints(kernel: Kernel, width: float) -> list[float]:
    """All places at which the kernel may have a kink, from one end of its support to the other.

    They are where its pieces meet. Of a normalised kernel also every place whole pixels away from those,
    since the pieces of the other taps are in the sum.

    >>> from stn_ref import BICUBIC
    >>> breakpoints(BICUBIC, 1.0)
    [-2.0, -1.0, 0.0, 1.0, 2.0]
    """
    ends = [end * width for end, _ in kernel.pieces]
    reach = ends[-1]
    whole = range(-ceil(2 * reach), ceil(2 * reach) + 1)
    start = 0.5 if kernel.centred else 0.0  # cells begin here and a whole number further
    places = {s * end + m for end in [0.0, *ends] for s in (-1, 1) for m in whole} | {
        m + start for m in whole
    }
    kept = [-reach]
    for place in sorted(p for p in places if -reach < p < reach):
        if place - kept[-1] > 1e-9 < reach - place:  # the same place, but for rounding
            kept.append(place)
    return [*kept, reach]


def _piece(kernel: Kernel, width: float, order: int, a: float, b: float) -> tuple[Array, Array]:
    """The kernel between two neighbouring breakpoints, from within: at the ends, the limits."""
    t = np.linspace(a, b, POINTS)
    middle = (a + b) / 2
    if abs(middle) > kernel.radius * width:
        return t, np.zeros_like(t)
    tap = -floor(middle + (0.5 if kernel.centred else 0.0))  # its pixel lies so far after the cell's start
    inner = a + (b - a) * np.linspace(1e-9, 1 - 1e-9, POINTS)
    settings: dict[str, Any] = {}
    taps = kernel.taps(width)
    if kernel.width is not None:
        settings = {"width": np.full_like(inner, width), "taps": taps}
    return t, kernel.weights(inner + tap, order, "right", **settings)[taps.index(tap)]
