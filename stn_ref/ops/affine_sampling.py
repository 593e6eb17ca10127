"""Grid generator and sampler as one operator: from theta to V without the grid in between.

``affine_sample(U, theta)`` is ``sample(U, affine_points(theta))``. As one operator it need not keep the
coordinates: it works them out anew where they are wanted, in parts that fit into the cache. Its two
derivatives, ``affine_splat`` for U and ``affine_slopes`` for theta, do the same. Their derivatives are these
three again, but for those of ``affine_slopes``, which are those of the two operators it is made of.
"""

from typing import Any

from ..autograd.tape import differentiable
from ..autograd.tensor import Value
from ..kernels.choice import Sampler
from ..kernels.places import AffineMap
from ..kernels.sampling import Setup
from .arithmetic import as_dtype
from .grids import affine_points, affine_points_vjp, affine_tangent
from .pixel_units import in_pixels, theta_factors
from .sampling import slopes_vjp_points, slopes_vjp_U, slopes_vjp_V
from .splines import prefiltered

Sizes = tuple[int, ...]


def resample_affine(U: Value, theta: Value, size: Sizes, setup: Setup, diagonal: bool) -> Value:
    """``U`` sampled on an affine grid, as :func:`resample` does at points; its kernel without a width."""
    V = affine_sample(prefiltered(U, setup), theta, size=size, setup=setup, diagonal=diagonal)
    return as_dtype(V, U.dtype)


@differentiable(equations=(1, 3, 4, 5))
def affine_sample(
    U: Value, theta: Value, *, size: Sizes, setup: Setup, diagonal: bool = False, saved: Any = None
) -> Value:
    """U (N, C, *S) sampled where theta (N, d, d + 1), in normalised coordinates, sends an output of ``size``.

    ``diagonal`` says that theta only scales and shifts: its other numbers are taken to be 0.

    >>> import numpy as np
    >>> from stn_ref import BILINEAR, Setup
    >>> setup = Setup(BILINEAR, padding_mode="zeros", align_corners=True, kink="right")
    >>> flip = np.array([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> affine_sample(np.array([[[[3.0, 5.0, 9.0]]]]), flip, size=(1, 3), setup=setup)
    array([[[[9., 5., 3.]]]])
    """
    return _sampler(theta, size, U.shape[2:], setup, diagonal, saved).sample(U)


@affine_sample.vjp("U")  # eq. (6)
def _(
    V_bar: Value, theta: Value, U_shape: Any, size: Sizes, setup: Setup, diagonal: bool, saved: Any
) -> Value:
    return affine_splat(V_bar, theta, shape=U_shape[2:], setup=setup, diagonal=diagonal, saved=saved)


@affine_sample.vjp("theta")  # eq. (7), and on by eq. (1)
def _(V_bar: Value, U: Value, theta: Value, setup: Setup, diagonal: bool, saved: Any) -> Value:
    return affine_slopes(U, theta, V_bar, setup=setup, diagonal=diagonal, saved=saved)


@differentiable(equations=(6,))
def affine_splat(
    V: Value, theta: Value, *, shape: Sizes, setup: Setup, diagonal: bool = False, saved: Any = None
) -> Value:
    """The transpose of :func:`affine_sample` in U: V (N, C, ...) on an image of spatial ``shape``."""
    return _sampler(theta, V.shape[2:], shape, setup, diagonal, saved).splat(V)


@affine_splat.vjp("V")
def _(U_bar: Value, theta: Value, V_shape: Any, setup: Setup, diagonal: bool, saved: Any) -> Value:
    return affine_sample(U_bar, theta, size=V_shape[2:], setup=setup, diagonal=diagonal, saved=saved)


@affine_splat.vjp("theta")
def _(U_bar: Value, V: Value, theta: Value, setup: Setup, diagonal: bool, saved: Any) -> Value:
    return affine_slopes(U_bar, theta, V, setup=setup, diagonal=diagonal, saved=saved)


@differentiable(equations=(7,))
def affine_slopes(
    U: Value, theta: Value, V: Value, *, setup: Setup, diagonal: bool = False, saved: Any = None
) -> Value:
    """The derivative of V . ``affine_sample(U, theta)`` for theta: (N, d, d + 1)."""
    sampler = _sampler(theta, V.shape[2:], U.shape[2:], setup, diagonal, saved)
    return sampler.slopes(U, V) * theta_factors(V.shape[2:], U.shape[2:], setup.align_corners, theta.dtype)


@affine_slopes.vjp("U")
def _(s_bar: Value, theta: Value, V: Value, U_shape: Any, setup: Setup) -> Value:
    points, tangent = _points_and_tangent(theta, s_bar, V.shape[2:], U_shape[2:], setup)
    return slopes_vjp_U(tangent, points, V, U_shape, setup)


@affine_slopes.vjp("V")
def _(s_bar: Value, U: Value, theta: Value, V_shape: Any, setup: Setup) -> Value:
    points, tangent = _points_and_tangent(theta, s_bar, V_shape[2:], U.shape[2:], setup)
    return slopes_vjp_V(tangent, U, points, setup)


@affine_slopes.vjp("theta")
def _(s_bar: Value, U: Value, theta: Value, V: Value, setup: Setup) -> Value:
    size, source = V.shape[2:], U.shape[2:]
    points, tangent = _points_and_tangent(theta, s_bar, size, source, setup)
    points_bar = slopes_vjp_points(tangent, U, points, V, setup)
    return affine_points_vjp(points_bar, size, source, setup.align_corners)


def _points_and_tangent(
    theta: Value, s_bar: Value, size: Sizes, source: Sizes, setup: Setup
) -> tuple[Value, Value]:
    """The points, and how they move when theta moves along ``s_bar``: the slopes are taken against that."""
    align_corners = setup.align_corners
    points = affine_points(theta, size=size, source=source, align_corners=align_corners)
    tangent = affine_tangent(s_bar, size=size, source=source, align_corners=align_corners)
    return points, tangent


def _sampler(theta: Value, size: Sizes, source: Sizes, setup: Setup, diagonal: bool, saved: Any) -> Sampler:
    """What is worked out once for the rules of one call."""
    keep = saved is not None
    saved = saved if keep else {}
    if "sampler" not in saved:
        pixel_theta = in_pixels(theta, size, source, setup.align_corners)
        places = AffineMap(pixel_theta, size, tuple(reversed(source)), diagonal)
        saved["sampler"] = Sampler(places, setup, keep)
    sampler: Sampler = saved["sampler"]
    return sampler
