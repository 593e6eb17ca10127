"""Thin plate splines: the transformation "TPS" of the paper.

The spline sends every control point c_i of the target to its place in the source and bends as little as it
can in between:

    f(x) = a (1, x) + sum over i of w_i phi(|x - c_i|),     phi(r) = r^2 log r

with w orthogonal to (1, c), so that an affine map of the control points is that affine map everywhere. f is
linear in the places, f(x) = sum over i of M_i(x) place_i; the basis M depends on the control points alone.
"""

from functools import lru_cache
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autograd.tape import differentiable
from ..autograd.tensor import Tensor, Value, plain
from ..errors import check_flag, check_floating, describe
from .arithmetic import as_dtype
from .checks import check_size
from .grids import base_grid, displaced_grid, displaced_points
from .linear import einsum, solve
from .reductions import sum_
from .shaping import concatenate, index, reshape, transpose
from .transformation import Transformation, add_to_table

Array = NDArray[Any]


def control_grid(rows: int = 4, columns: int = 4) -> Array:
    """Control points on a regular grid over the whole image, (rows * columns, 2), row by row, (x, y).

    >>> control_grid(2, 3).tolist()
    [[-1.0, -1.0], [0.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [0.0, 1.0], [1.0, 1.0]]
    """
    return base_grid((rows, columns), True)[..., :2].reshape(-1, 2)


def tps_grid(
    theta: Value,
    size: tuple[int, ...],
    *,
    align_corners: bool,
    control_points: Value | None = None,
    offsets: bool = False,
    regularisation: float = 0.0,
) -> Value:
    """Where each output pixel is sampled under a thin plate spline, in normalised coordinates of the source.

    Parameters
    ----------
    theta : (N, K, 2) or (N, 2 K), floating
        The places in the SOURCE of the K control points, (x, y), normalised.
    size : (N, C, H', W')
        Shape of the output; C is not used.
    align_corners : bool
        Whether -1 and 1 are the centres of the corner pixels (True) or the outer edges (False).
    control_points : (K, 2), array or Tensor, or None
        In the TARGET, normalised; at least three, not all on one line, no two equal. None is the paper's 4 x
        4 grid, :func:`control_grid`. Derivatives for them exist too.
    offsets : bool
        Whether ``theta`` holds displacements from the control points instead of places.
    regularisation : float
        At least 0; the larger, the stiffer: the spline then passes by its points, tending to the affine map
        that fits them best.

    Returns
    -------
    grid : (N, H', W', 2), of the dtype of ``theta``; last axis (x, y)

    Raises
    ------
    TypeError, ValueError
        If a dtype, a shape or a setting is not of the form above.

    >>> moved = np.zeros((1, 16, 2))
    >>> moved[0, 0] = 0.5                                   # the upper left control point is read further in
    >>> tps_grid(moved, (1, 1, 2, 2), align_corners=True, offsets=True)[0, 0].round(12) + 0.0
    array([[-0.5, -0.5],
           [ 1. , -1. ]])

    Source: F. Bookstein 1989, Principal warps; Jaderberg et al. 2015, section 4.1.
    """
    spline = ThinPlateSpline(control_points, offsets=offsets, regularisation=regularisation)
    check_flag("tps_grid", "align_corners", align_corners)
    check_floating("tps_grid", "theta", plain(theta))
    check_size("tps_grid", size, theta.shape[0] if theta.shape else 1, 2)
    theta = spline.shaped("tps_grid", theta, size[0], tuple(size[2:]))
    return spline.grid(theta, size=tuple(size[2:]), source=None, align_corners=bool(align_corners))


class ThinPlateSpline(Transformation):
    """A thin plate spline with its control points; see :func:`tps_grid` for the settings.

    >>> ThinPlateSpline().shape((28, 28)), ThinPlateSpline(control_grid(2, 3)).parameters((28, 28))
    ((16, 2), 12)
    """

    name = "thin-plate-spline"
    dimensions = (2,)

    def __init__(
        self, control_points: Value | None = None, *, offsets: bool = False, regularisation: float = 0.0
    ) -> None:
        self.control_points: Value = control_grid() if control_points is None else control_points
        check_floating("thin-plate-spline", "control_points", plain(self.control_points))
        check_flag("thin-plate-spline", "offsets", offsets)
        shape = self.control_points.shape
        if len(shape) != 2 or shape[1] != 2:
            raise ValueError(
                f"thin-plate-spline: control_points has shape {shape}, expected (K, 2), the last axis (x, y)"
            )
        _check_regularisation(regularisation)
        _check_control_points(np.asarray(plain(self.control_points), np.float64))
        self.offsets, self.regularisation = bool(offsets), float(regularisation)

    def __repr__(self) -> str:
        points = len(self.control_points)
        return (
            f"<ThinPlateSpline of {points} control points, offsets={self.offsets}, "
            f"regularisation={self.regularisation:g}>"
        )

    def shape(self, size: tuple[int, ...]) -> tuple[int, ...]:
        return (len(self.control_points), 2)

    def identity(self, size: tuple[int, ...]) -> Array:
        points = np.asarray(plain(self.control_points), np.float64)
        return (0 * points if self.offsets else points).reshape(-1)

    def grid(self, theta: Value, *, size: tuple[int, ...], source: Any, align_corners: bool) -> Value:
        return displaced_grid(self._displacement(theta, size, align_corners), align_corners)

    def points(self, theta: Value, *, size: tuple[int, ...], source: Any, align_corners: bool) -> Value:
        return displaced_points(self._displacement(theta, size, align_corners), source, align_corners)

    def _displacement(self, theta: Value, size: tuple[int, ...], align_corners: bool) -> Value:
        """(N, H', W', 2): f(x) - x. The spline reproduces x, so that it is the spline of the offsets."""
        control = self.control_points
        if isinstance(control, Tensor):
            targets = base_grid(size, align_corners)[..., :2].reshape(-1, 2)
            basis = _basis(as_dtype(control, np.float64), targets, self.regularisation)
        else:
            points = tuple(map(tuple, np.asarray(control, np.float64).tolist()))
            basis = _constant_basis(points, size, align_corners, self.regularisation)
        offsets = theta if self.offsets else theta - as_dtype(control, theta.dtype)
        moved = einsum("pk,nki->npi", as_dtype(basis, theta.dtype), offsets)
        return reshape(moved, shape=(theta.shape[0], *size, 2))


def _basis(control: Value, targets: Array, regularisation: float) -> Value:
    """M of the module's docstring at the targets (P, 2): (P, K)."""
    k = control.shape[0]
    ones = np.ones((k, 1))
    affine = concatenate([ones, control], axis=1)  # (K, 3)
    bending = _phi(control, control) + regularisation * np.eye(k)
    upper = concatenate([bending, affine], axis=1)
    lower = concatenate([transpose(affine), np.zeros((3, 3))], axis=1)
    at_targets = concatenate([_phi(targets, control), np.ones((len(targets), 1)), targets], axis=1)
    # The matrix is symmetric: M^T are the first K rows of its inverse times what stands at the targets.
    solved = solve(concatenate([upper, lower], axis=0), transpose(at_targets))
    return transpose(index(solved, key=slice(0, k)))


@lru_cache(maxsize=16)
def _constant_basis(
    control: tuple[tuple[float, ...], ...], size: tuple[int, ...], align_corners: bool, regularisation: float
) -> Array:
    targets = base_grid(size, align_corners)[..., :2].reshape(-1, 2)
    basis: Array = plain(_basis(np.array(control), targets, regularisation))
    basis.flags.writeable = False
    return basis


def _phi(x: Value, c: Value) -> Value:
    """phi(|x_p - c_k|) for all pairs: (P, K)."""
    difference = reshape(x, shape=(-1, 1, 2)) - reshape(c, shape=(1, -1, 2))
    return thin_plate(sum_(difference * difference, axis=-1))


@differentiable()
def thin_plate(q: Value, *, order: int = 0) -> Value:
    """phi as a function of q = r^2, and its derivatives: q log(q) / 2, (log(q) + 1) / 2, 1 / (2 q) ...

    At q = 0 all of them are set to 0. That is phi's own value; its derivative for q is infinite there, but is
    always multiplied by dq = 2 r dr, and the product tends to 0. Only the second derivative for a point that
    lies exactly on a control point does not exist.

    >>> thin_plate(np.array([0.0, 1.0, np.e]))
    array([0.        , 0.        , 1.35914091])
    """
    safe = np.where(q == 0, 1, q)
    if order < 2:
        value = (q * np.log(safe) if order == 0 else np.log(safe) + 1) / 2
    else:
        value = np.array(0.5, q.dtype) / safe
        for n in range(1, order - 1):
            value = value * (-n) / safe
    return np.where(q == 0, q.dtype.type(0), value)


@thin_plate.vjp("q")
def _(y_bar: Value, q: Value, order: int) -> Value:
    return y_bar * thin_plate(q, order=order + 1)


def _check_regularisation(value: Any) -> None:
    if not isinstance(value, Real) or not 0 <= float(value) < np.inf:
        raise ValueError(
            f"thin-plate-spline: regularisation is {describe(value)}, expected a number of at least 0"
        )


def _check_control_points(points: Array) -> None:
    """Refuse points through which there is no spline, or not one alone."""
    name = "thin-plate-spline: control_points"
    if not np.isfinite(points).all():
        raise ValueError(f"{name} holds NaN or infinity; every control point needs a place")
    if len(points) and len(np.unique(points, axis=0)) < len(points):
        raise ValueError(f"{name} holds the same point twice; a point has one place in the source")
    if len(points) < 3 or np.linalg.matrix_rank(np.column_stack([np.ones(len(points)), points])) < 3:
        raise ValueError(
            f"{name}: the {len(points)} points lie on one line, expected three or more that do not, which "
            "fix an affine map"
        )


THIN_PLATE_SPLINE = add_to_table(ThinPlateSpline())
