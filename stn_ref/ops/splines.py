"""The prefilter of B-splines: coefficients with which the spline passes through the pixels."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autograd.tape import differentiable
from ..autograd.tensor import Value
from ..kernels.sampling import Setup
from ..pixels import padded_index
from .arithmetic import at_least_single

Array = NDArray[Any]


def prefiltered(U: Value, setup: Setup) -> Value:
    """``U``, or the coefficients that its kernel weighs instead."""
    return spline_coefficients(at_least_single(U), setup=setup) if setup.kernel.prefiltered else U


@differentiable()
def spline_coefficients(U: Value, *, setup: Setup, transposed: bool = False) -> Value:
    """The image c with sum over n, m of c_nm k(x - m) k(y - n) = U at every pixel; shape of ``U``.

    c goes on beyond the border as the padding mode says, like the image itself. The filter is linear; its
    transpose, ``transposed``, is its derivative. A NaN or infinite pixel spreads along its row and column.

    >>> from stn_ref import CUBIC_SPLINE, Setup
    >>> setup = Setup(CUBIC_SPLINE, padding_mode="border", align_corners=True, kink="right")
    >>> spline_coefficients(np.array([[[[1.0, 1.0, 7.0]]]]), setup=setup).round(2)
    array([[[[ 1.4, -1. ,  8.6]]]])

    Source: M. Unser 1999, Splines: a perfect fit for signal and image processing.
    """
    from scipy.linalg import solve_banded  # here, since it takes long to import

    if np.ndim(U) < 3:
        raise ValueError(f"U has shape {np.shape(U)}, expected (N, C, ...) with one or more axes of pixels")
    c = U
    for axis in range(2, U.ndim if U.size else 0):  # SciPy 1.9 writes beyond empty arrays
        lines = np.moveaxis(c, axis, 0)
        reach, bands = _bands(setup, len(lines), transposed)
        columns = lines.reshape(len(lines), math.prod(lines.shape[1:]))
        try:
            solved = solve_banded((reach, reach), bands.astype(U.dtype), columns, check_finite=False)
        except np.linalg.LinAlgError:
            raise ValueError(
                f"the kernel {setup.kernel.name!r} cannot be made to pass through {len(lines)} pixels with "
                f"padding_mode={setup.padding_mode!r}: the prefilter is singular; use prefiltered=False"
            ) from None
        c = np.moveaxis(solved.reshape(lines.shape), 0, axis)
    return np.ascontiguousarray(c)


@spline_coefficients.vjp("U")
def _(c_bar: Value, setup: Setup, transposed: bool) -> Value:
    return spline_coefficients(c_bar, setup=setup, transposed=not transposed)


def _bands(setup: Setup, size: int, transposed: bool) -> tuple[int, Array]:
    """The matrix of k(n - m) along one axis with its padding, as ``solve_banded`` takes it.

    First the number of diagonals on each side, ``reach``; then the diagonals: what coefficient m gives to
    pixel n stands in row reach + n - m, column m.
    """
    n = np.arange(size)
    entries = []
    for tap, [weight] in zip(setup.kernel.taps(), setup.kernel.weights(np.zeros(1), 0, "right")):
        m = padded_index(n + tap, size, setup.padding_mode, setup.align_corners)
        if abs(tap) < setup.kernel.radius:
            entries += [(i, j, weight) for i, j in zip(n.tolist(), m.tolist()) if j < size]
    reach = max(1, *(abs(i - j) for i, j, _ in entries))  # with 0 SciPy 1.9 fails on a single pixel
    bands = np.zeros((2 * reach + 1, size))
    for i, j, weight in entries:
        row, column = (j, i) if transposed else (i, j)
        bands[reach + row - column, column] += weight
    return reach, bands
