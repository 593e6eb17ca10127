"""Equation (5), correctly rounded: the float64 nearest to its exact value, for inputs taken as they are.

Computed in double-double arithmetic with a bound on its error. Where that bound leaves open which float is
the nearest one, or a number is so large or small that an error could go unseen, the literal equation is
evaluated in fractions.
"""

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...equations import eq5_bilinear
from ...errors import describe
from .double_double import UNIT, Pair, add, multiply, times, two_sum

Array = NDArray[Any]
# Between these magnitudes (or 0) no product or error term here can overflow or underflow.
LEAST, MOST = 2.0**-150, 2.0**150
RING = 3  # zeros around the image
PART = 2**11  # samples at a time, so that intermediate arrays stay in the cache
ERRORS = 8  # operations on the way to a value, each with an error below UNIT times the terms' magnitudes


def exact_bilinear(U: Array, x: Array, y: Array) -> Array:
    """Eq. (5) at pixel coordinates (x, y), correctly rounded; zero outside the image.

    Parameters
    ----------
    U : (C, H, W), float32 or float64
    x, y : float32 or float64, of one shape, finite

    Returns
    -------
    V : (C, *shape), float64

    Raises
    ------
    TypeError, ValueError
        If a dtype or shape is not of this form, or a number is not finite.

    >>> U = np.array([[[0.1, 0.2], [0.3, 0.4]]])
    >>> exact_bilinear(U, np.array([1 / 3]), np.array([0.7]))
    array([[0.27333333]])
    """
    U, x, y, shape = _checked(U, x, y)
    padded = np.pad(U, [(0, 0), (RING, RING), (RING, RING)])
    V = np.empty((len(U), len(x)))
    for start in range(0, len(x), PART):
        part = slice(start, start + PART)
        V[:, part] = _rounded(padded, x[part], y[part])
    return V.reshape(len(U), *shape)


def _rounded(padded: Array, x: Array, y: Array) -> Array:
    """The same for an image in its ring, (C, samples)."""
    H, W = (n - 2 * RING for n in padded.shape[1:])
    cell_x, sides_x = _beside(x, W)
    cell_y, sides_y = _beside(y, H)
    n, m = (cell.astype(np.intp) + RING + np.array([[0], [1]]) for cell in (cell_y, cell_x))
    pixels = padded[:, n[:, None], m]  # (C, 2, 2, samples)
    with np.errstate(over="ignore", invalid="ignore"):  # what comes of that is evaluated in fractions
        weights = multiply((sides_y[0][:, None], sides_y[1][:, None]), sides_x)
        terms = times(weights, pixels)
        rows = add(_part(terms, 0), _part(terms, 1))
        high, low = add((rows[0][:, 0], rows[1][:, 0]), (rows[0][:, 1], rows[1][:, 1]))
        error = 2 * ERRORS * UNIT * np.abs(terms[0]).sum(axis=(1, 2))  # twice, as it is rounded itself
        V: Array = high + (low - error)
        open_ = high + (low + error) != V
    open_ |= _extreme(pixels).any(axis=(1, 2))
    open_ |= _extreme(np.stack([x, y, *sides_x[0], *sides_y[0]])).any(axis=0)
    for c, k in np.argwhere(open_):
        corner = [[Fraction(float(u)) for u in row] for row in pixels[c, :, :, k]]
        where = (Fraction(float(t[k])) - int(cell[k]) for t, cell in ((x, cell_x), (y, cell_y)))
        V[c, k] = float(eq5_bilinear([corner], *where)[0])
    return V


def _checked(U: Any, x: Any, y: Any) -> tuple[Array, Array, Array, tuple[int, ...]]:
    for name, array in (("U", U), ("x", x), ("y", y)):
        if not isinstance(array, np.ndarray) or array.dtype.char not in "fd":
            raise TypeError(
                f"exact_bilinear: {name} is {describe(array)}, expected a float32 or float64 array"
            )
        if not np.isfinite(array).all():
            raise ValueError(f"exact_bilinear: {name} is not finite everywhere")
    if U.ndim != 3:
        raise ValueError(f"exact_bilinear: U has shape {U.shape}, expected (C, H, W)")
    if x.shape != y.shape:
        raise ValueError(f"exact_bilinear: x has shape {x.shape} and y {y.shape}, expected the same")
    return U.astype(np.float64), *(t.astype(np.float64).reshape(-1) for t in (x, y)), x.shape


def _beside(t: Array, size: int) -> tuple[Array, Pair]:
    """The cell of each coordinate, and the weights of its two ends, exactly: (2, samples)."""
    t = np.clip(t, -2, size + 1)  # where a cell has no pixel
    cell = np.floor(t)
    start, end = two_sum(cell + 1, -t), two_sum(t, -cell)
    return cell, (np.stack([start[0], end[0]]), np.stack([start[1], end[1]]))


def _part(terms: Pair, m: int) -> Pair:
    """Those of the left or the right pixels."""
    return terms[0][:, :, m], terms[1][:, :, m]


def _extreme(numbers: Array) -> Array:
    """Which are outside the range in which double-double arithmetic keeps its promise."""
    size = np.abs(numbers)
    found: Array = (size > MOST) | ((size < LEAST) & (size > 0))
    return found
