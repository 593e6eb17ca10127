"""Grid generators: from the parameters theta to the places where the image is sampled. Equation (1)."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autograd.tape import differentiable
from ..autograd.tensor import Value, plain
from ..errors import check_flag
from ..pixels import base_coordinates, centred_indices
from .checks import check_size, check_theta
from .linear import matmul
from .pixel_units import half_spans, in_pixels, theta_factors
from .shaping import in_c_order, reshape, transpose

Array = NDArray[Any]


def affine_grid(theta: Value, size: tuple[int, ...], *, align_corners: bool) -> Value:
    """Eq. (1): where each output pixel is sampled, in the normalised coordinates of the source.

    Parameters
    ----------
    theta : (N, 2, 3) or (N, 3, 4), floating
        Affine maps from TARGET to SOURCE, normalised coordinates, coordinates in the order x, y(, z).
    size : (N, C, H', W') or (N, C, D', H', W')
        Shape of the output; C is not used.
    align_corners : bool
        Whether -1 and 1 are the centres of the corner pixels (True) or the outer edges (False).

    Returns
    -------
    grid : (N, H', W', 2) or (N, D', H', W', 3), of the dtype of ``theta``
        Last axis (x, y) or (x, y, z). The base grid is symmetric about 0 and correctly rounded.

    Raises
    ------
    TypeError, ValueError
        If a dtype, a shape or a setting is not of the form above; the message names the mend.

    >>> theta = np.array([[[1.0, 0.0, 0.5], [0.0, 2.0, 0.0]]])
    >>> affine_grid(theta, (1, 1, 2, 2), align_corners=True)[0, :, :, 0]    # x
    array([[-0.5,  1.5],
           [-0.5,  1.5]])
    >>> affine_grid(theta, (1, 1, 2, 2), align_corners=True)[0, :, :, 1]    # y
    array([[-2., -2.],
           [ 2.,  2.]])

    Source: Jaderberg et al. 2015, section 3.2.
    """
    d = check_theta("affine_grid", theta)
    check_size("affine_grid", size, plain(theta).shape[0], d)
    check_flag("affine_grid", "align_corners", align_corners)
    return affine_map(theta, size=tuple(size[2:]), align_corners=bool(align_corners))


def base_grid(size: tuple[int, ...], align_corners: bool, dtype: Any = np.float64) -> Array:
    """The regular grid G of eq. (1) with its column of ones: (H', W', 3), last axis (x_t, y_t, 1).

    >>> base_grid((1, 3), True)
    array([[[-1.,  0.,  1.],
            [ 0.,  0.,  1.],
            [ 1.,  0.,  1.]]])
    """
    return _homogeneous([base_coordinates(n, align_corners, dtype) for n in size])


def _homogeneous(axes: list[Array]) -> Array:
    """Coordinates of all combinations, slowest axis first; last axis (x, y(, z), 1)."""
    mesh = np.meshgrid(*axes, indexing="ij")
    return np.stack([*reversed(mesh), np.ones_like(mesh[0])], axis=-1)


@differentiable(equations=(1, 2))
def affine_map(theta: Value, *, size: tuple[int, ...], align_corners: bool) -> Value:
    """Eq. (1) for all pixels of an output of spatial ``size``: theta times the base grid."""
    base = base_grid(size, align_corners, theta.dtype)
    return _apply(theta, base)


@affine_map.vjp("theta")
def _(grid_bar: Value, size: tuple[int, ...], align_corners: bool) -> Value:
    return _gather_theta(grid_bar, base_grid(size, align_corners, grid_bar.dtype))


@differentiable(equations=(1,))
def affine_points(
    theta: Value, *, size: tuple[int, ...], source: tuple[int, ...], align_corners: bool
) -> Value:
    """Eq. (1) in pixel units on both sides: source pixel coordinates of an output of spatial ``size``.

    Normalised coordinates are ``2 (j - centre) / span``. Putting that in on both sides of eq. (1), with j
    the pixel indices counted from the centre, leaves

        x_px = theta_11 j_x (S_x / T_x) + theta_12 j_y (S_x / T_y) + theta_13 S_x / 2 + (W - 1) / 2

    where S and T are the spans of source and target. With equal sizes the identity gives integers, so
    that no rounding picks a side of a kink.

    >>> identity = np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> affine_points(identity, size=(1, 3), source=(1, 3), align_corners=False)[0, 0, :, 0]
    array([0., 1., 2.])
    """
    return _apply(in_pixels(theta, size, source, align_corners), centred_grid(size, theta.dtype))


@affine_points.vjp("theta")
def affine_points_vjp(
    points_bar: Value, size: tuple[int, ...], source: tuple[int, ...], align_corners: bool
) -> Value:
    dtype = points_bar.dtype
    gathered = _gather_theta(points_bar, centred_grid(size, dtype))
    return gathered * theta_factors(size, source, align_corners, dtype)


def affine_tangent(
    theta: Value, *, size: tuple[int, ...], source: tuple[int, ...], align_corners: bool
) -> Value:
    """The derivative of :func:`affine_points` along theta: how far each point moves, in pixels.

    >>> shift = np.array([[[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]])
    >>> affine_tangent(shift, size=(1, 2), source=(1, 5), align_corners=True)[0, :, :, 0]
    array([[2., 2.]])
    """
    n, d = theta.shape[:2]
    scaled = theta * theta_factors(size, source, align_corners, theta.dtype)
    base = centred_grid(size, theta.dtype).reshape(-1, d + 1)
    factors = transpose(in_c_order(scaled), axes=(0, 2, 1))
    return reshape(matmul(base, factors), shape=(n, *size, d))


def centred_grid(size: tuple[int, ...], dtype: Any) -> Array:
    """The regular grid of pixel indices counted from the centre, with ones: (H', W', 3), last axis (x, y, 1).

    >>> centred_grid((1, 2), float)
    array([[[-0.5,  0. ,  1. ],
            [ 0.5,  0. ,  1. ]]])
    """
    return _homogeneous([centred_indices(n, dtype) for n in size])


def displaced_grid(displacement: Value, align_corners: bool) -> Value:
    """The base grid moved by a displacement (N, H', W', 2), normalised coordinates.

    >>> displaced_grid(np.full((1, 1, 2, 2), 0.5), True)[0, 0]
    array([[-0.5,  0.5],
           [ 1.5,  0.5]])
    """
    size = tuple(displacement.shape[1:-1])
    return displacement + base_grid(size, align_corners, displacement.dtype)[..., :-1]


def displaced_points(displacement: Value, source: tuple[int, ...], align_corners: bool) -> Value:
    """The same in pixels of the source; without displacement, from the same size, they are integers.

    >>> displaced_points(np.full((1, 1, 2, 2), 0.5), (1, 2), True)[0, 0]
    array([[0.25, 0.  ],
           [1.25, 0.  ]])
    """
    size, dtype = tuple(displacement.shape[1:-1]), displacement.dtype
    identity = np.eye(len(size), len(size) + 1, dtype=dtype)[None]
    base = affine_points(identity, size=size, source=source, align_corners=align_corners)
    return displacement * half_spans(source, align_corners).astype(dtype) + base


def _apply(theta: Value, base: Array) -> Value:
    """theta (N, d, d + 1) times homogeneous coordinates (..., d + 1): (N, ..., d)."""
    n, d = theta.shape[:2]
    columns = base.reshape(-1, d + 1).T
    theta = np.ascontiguousarray(theta)  # in another memory order the last bits may differ
    return np.moveaxis(theta @ columns, 1, 2).reshape(n, *base.shape[:-1], d)


def _gather_theta(grid_bar: Value, base: Array) -> Value:
    """The transpose of :func:`_apply` in theta: every pixel adds cotangent times (x_t, y_t, 1)."""
    n, *size, d = grid_bar.shape
    columns = reshape(in_c_order(grid_bar), shape=(n, math.prod(size), d))
    return matmul(transpose(columns, axes=(0, 2, 1)), base.reshape(-1, d + 1))
