"""Projective maps (homographies): eight numbers; the transformation "Proj" of the paper."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autograd.tape import differentiable
from ..autograd.tensor import Value, plain
from ..errors import check_flag, check_floating
from .arithmetic import as_dtype, where
from .checks import check_points, check_size
from .grids import base_grid, centred_grid
from .linear import einsum, solve
from .pixel_units import pixel_centre, pixel_scales
from .reductions import sum_
from .shaping import concatenate, index, reshape, transpose
from .transformation import Transformation, add_to_table

Array = NDArray[Any]


def projective_grid(theta: Value, size: tuple[int, ...], *, align_corners: bool) -> Value:
    """Where each output pixel is sampled under a homography, in the normalised coordinates of the source.

        (x', y', z') = H (x_t, y_t, 1),    (x_s, y_s) = (x' / z', y' / z')

    Where z' is 0 the point lies at infinity: its coordinates are infinite (NaN where x' or y' is 0 too), the
    sampler gives the limit there, and no cotangent comes back from it, nor from a point so far off that its
    coordinates have no fraction. Beyond that horizon, where z' is negative, the map goes on as the formula
    says.

    Parameters
    ----------
    theta : (N, 8) or (N, 3, 3), floating
        H row by row, from TARGET to SOURCE, normalised coordinates; of eight numbers the ninth is 1.
    size : (N, C, H', W')
        Shape of the output; C is not used.
    align_corners : bool
        Whether -1 and 1 are the centres of the corner pixels (True) or the outer edges (False).

    Returns
    -------
    grid : (N, H', W', 2), of the dtype of ``theta``; last axis (x, y)

    Raises
    ------
    TypeError, ValueError
        If a dtype, a shape or a setting is not of the form above.

    >>> tilt = np.array([[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.5]])    # z' = 1 + y / 2: narrower below
    >>> projective_grid(tilt, (1, 1, 2, 2), align_corners=True)[0, :, :, 0].round(4)
    array([[-2.    ,  2.    ],
           [-0.6667,  0.6667]])

    Source: Hartley and Zisserman, Multiple View Geometry, section 2.3; Jaderberg et al. 2015, section 4.1.
    """
    check_flag("projective_grid", "align_corners", align_corners)
    theta = _as_matrix("projective_grid", theta)
    check_size("projective_grid", size, theta.shape[0], 2)
    return PROJECTIVE.grid(theta, size=tuple(size[2:]), source=None, align_corners=bool(align_corners))


def homography_from_points(source: Value, target: Value) -> Value:
    """The one homography under which four target points show four source points.

    With P the matrix of the first three points, each a column (x, y, 1), and m the numbers with which P m
    is the fourth,

        H = P_s diag(m_s / m_t) P_t^-1

    sends each of the three to a multiple of its source point, and the fourth, P_t m_t, to P_s m_s.

    Parameters
    ----------
    source, target : (N, 4, 2), floating
        (x, y), of which no three lie on one line; normalised coordinates for a theta of this library, but
        any others do. An N of 1 serves for all.

    Returns
    -------
    theta : (N, 3, 3), of the common dtype, computed in float64
        H, from TARGET to SOURCE, with z' = 1 at the fourth target point. For the form (N, 8) divide by its
        last number, unless that is 0: then the target's origin is sent to infinity.

    Raises
    ------
    TypeError, ValueError
        If a dtype or a shape is not of the form above, a point is not finite, or three lie on one line, or
        so nearly that a rounding of their coordinates might put them there.

    >>> square = np.array([[[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]])
    >>> trapezoid = square * [[0.5], [0.5], [1.0], [1.0]] + [0.0, -0.5]          # narrower above
    >>> H = homography_from_points(square, trapezoid)
    >>> projective_grid(H, (1, 1, 2, 3), align_corners=True)[0, 0].round(12)     # at y = -1, the upper side
    array([[-2., -1.],
           [ 0., -1.],
           [ 2., -1.]])

    Source: Hartley and Zisserman, Multiple View Geometry, section 2.3.
    """
    operator = "homography_from_points"
    check_points(operator, "source", source)
    check_points(operator, "target", target)
    if len({source.shape[0], target.shape[0]} - {1}) > 1:
        raise ValueError(
            f"{operator}: source has shape {source.shape} and target {target.shape}, expected equal N, or 1 "
            "for what serves for all"
        )
    (three_s, m_s), (three_t, m_t) = (_basis(as_dtype(points, np.float64)) for points in (source, target))
    transposed = solve(three_t, m_s / m_t * three_s)
    return as_dtype(transpose(transposed, axes=(0, 2, 1)), np.result_type(source.dtype, target.dtype))


@dataclass(frozen=True)
class Projective(Transformation):
    """Homographies: theta is H row by row without its last number, which is 1, or the (3, 3) matrix.

    >>> Projective().parameters((28, 28))
    8
    """

    name = "projective"
    dimensions = (2,)

    def shape(self, size: tuple[int, ...]) -> tuple[int, ...]:
        return (8,)

    def identity(self, size: tuple[int, ...]) -> Array:
        return np.eye(3).reshape(-1)[:8]

    def _forms(self, size: tuple[int, ...]) -> list[tuple[int, ...]]:
        return [*super()._forms(size), (3, 3)]

    def matrix(self, theta: Value, source: Any, align_corners: bool) -> Value:
        return _as_matrix("projective", theta)

    def grid(self, theta: Value, *, size: tuple[int, ...], source: Any, align_corners: bool) -> Value:
        H = _as_matrix("projective_grid", theta)
        return perspective(_times(H, base_grid(size, align_corners, H.dtype)))

    def points(self, theta: Value, *, size: tuple[int, ...], source: Any, align_corners: bool) -> Value:
        H = _as_matrix("projective", theta)
        # As in affine_points, pixels are counted from the centre on both sides; z' has no unit.
        scaled = H * pixel_scales(size, source, align_corners).astype(H.dtype)
        return perspective(_times(scaled, centred_grid(size, H.dtype))) + pixel_centre(source, H.dtype)


def _as_matrix(operator: str, theta: Value) -> Value:
    """(N, 3, 3) from that or from (N, 8)."""
    check_floating(operator, "theta", plain(theta))
    shape = tuple(theta.shape)
    if len(shape) == 3 and shape[1:] == (3, 3):
        return theta
    if len(shape) == 2 and shape[1] == 8:
        one = np.ones((shape[0], 1), theta.dtype)
        return reshape(concatenate([theta, one], axis=1), shape=(-1, 3, 3))
    hint = ""
    if shape in ((8,), (3, 3)):
        hint = "; use theta[None] for a batch of one"
    elif shape[1:] == (9,):
        hint = "; use theta.reshape(-1, 3, 3)"
    elif shape[1:] == (2, 3):
        hint = "; an affine map is a homography with the third row (0, 0, 1)"
    raise ValueError(f"{operator}: theta has shape {shape}, expected (N, 8) or (N, 3, 3){hint}")


def _basis(points: Value) -> tuple[Value, Value]:
    """The first three points as rows (x, y, 1), and how much of each the fourth is: (N, 3, 3), (N, 3, 1)."""
    rows = concatenate([points, np.ones((points.shape[0], 4, 1))], axis=2)
    three, fourth = (transpose(rows[:, part], axes=(0, 2, 1)) for part in (slice(0, 3), slice(3, 4)))
    return rows[:, :3], solve(three, fourth)


def _times(H: Value, base: Array) -> Value:
    """H (N, 3, 3) times the points of a regular grid (H', W', 3): (N, H', W', 3)."""
    flat = einsum("nij,pj->npi", H, base.reshape(-1, 3))
    return reshape(flat, shape=(H.shape[0], *base.shape))


@differentiable()
def perspective(h: Value) -> Value:
    """Homogeneous to ordinary coordinates: (..., d + 1) to (..., d), all divided by the last.

    >>> perspective(np.array([[4.0, 6.0, 2.0], [1.0, -1.0, 0.0]]))
    array([[  2.,   3.],
           [ inf, -inf]])
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(h[..., :-1] / h[..., -1:])


@perspective.vjp("h")
def _(x_bar: Value, h: Value, output: Value) -> Value:
    z = index(h, key=(..., slice(-1, None)))
    # At infinity there is no slope; 0 keeps the cotangents of the other points whole. So far out that a
    # coordinate has no fraction left, a slope says nothing, and its powers would overflow.
    far = np.abs(plain(output)) > 1 / np.finfo(plain(output).dtype).eps
    at_infinity = (plain(z) == 0) | far.any(axis=-1, keepdims=True)
    z = where(at_infinity, np.ones_like(plain(z)), z)
    finite = where(at_infinity, np.zeros_like(plain(x_bar)), x_bar)
    part = finite / z
    x = index(h, key=(..., slice(None, -1))) / z
    return concatenate([part, -sum_(part * x, axis=-1, keepdims=True)], axis=-1)


PROJECTIVE = add_to_table(Projective())
