"""The sampler: equations (3)-(7), and all their derivatives.

With K^(a) the a-th derivative of the one-dimensional kernel, let

    sample[a,b](U, points)   = sum over n, m of U_nm K^(a)(x - m) K^(b)(y - n)
    splat[a,b](V, points)    = its transpose: V scattered onto the image with the same weights
    slopes[a,b](U, points, V)  = for each coordinate, V times sample with that order raised by one

Then eq. (5) is sample[0,0], its derivative for U, eq. (6), is splat[0,0], and its derivative for the
coordinates, eq. (7), is slopes[0,0], built from sample[1,0] and sample[0,1]. The rules below show that
the derivatives of these three are again these three. So there is a derivative of every order, for every
kernel and padding, in two and three dimensions, and no further code.

A kernel with a width (Phi of eq. 3) makes the width of a sample one more of its coordinates, with orders of
its own: d/dw is one more derivative in the same family.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..autograd.tape import differentiable
from ..autograd.tensor import Value
from ..errors import check_choice, check_flag
from ..kernels.choice import Sampler
from ..kernels.places import Points
from ..kernels.sampling import Orders, Setup
from ..pixels import PADDING_MODES, span, to_pixels
from .arithmetic import as_dtype, at_least_single
from .checks import check_grid, check_image
from .interpolation import as_kernel
from .shaping import index, reshape
from .splines import prefiltered
from .widths import with_widths

KINKS = ("right", "left", "mid", "paper")


def grid_sample(
    U: Value,
    grid: Value,
    *,
    mode: Any = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool,
    kink: str = "right",
    antialias: bool = False,
) -> Value:
    """Eqs. (3)-(5): the image ``U`` sampled at every point of ``grid``.

    Parameters
    ----------
    U : (N, C, H, W) or (N, C, D, H, W), floating
    grid : (N, H', W', 2) or (N, D', H', W', 3), floating
        Where to sample, in normalised coordinates; last axis (x, y) or (x, y, z).
    mode : "nearest" (eq. 4), "bilinear" (eq. 5), "bicubic" (Keys, a = -0.75) or a Kernel (eq. 3)
        Other names: "lanczos3", "quadratic-spline", "cubic-spline".
    padding_mode : "zeros", "border" or "reflection"
        How the image goes on beyond its border.
    align_corners : bool
        Whether -1 and 1 are the centres of the corner pixels (True) or the outer edges (False).
    kink : "right", "left", "mid" or "paper"
        Which slope the derivative for ``grid`` takes at integer pixel coordinates: the one-sided
        derivatives, their mean, or eq. (7) to the letter (which is no sub-gradient there).
    antialias : bool
        Whether the kernel widens with the distance between neighbouring samples, so that a grid that shrinks
        the image averages pixels instead of skipping them. The width follows the grid, and so do derivatives.

    Returns
    -------
    V : (N, C, H', W') or (N, C, D', H', W'), of the dtype of ``U``
        A NaN coordinate gives NaN at its sample and touches nothing else; an infinite one gives the limit
        (``zeros`` 0, ``border`` the edge pixel, ``reflection`` NaN).

    Raises
    ------
    TypeError, ValueError
        If a dtype, a shape or a setting is not of the form above; the message names the mend.

    >>> U = np.array([[[[3.0, 5.0, 9.0]]]])
    >>> grid = np.array([[[[-0.5, 0.0], [0.5, 0.0]]]])           # x_px = 0.5 and 1.5
    >>> grid_sample(U, grid, align_corners=True)
    array([[[[4., 7.]]]])

    Source: Jaderberg et al. 2015, section 3.3.
    """
    d = check_image("grid_sample", U)
    check_grid(U, grid, d)
    setup = setup_of("grid_sample", mode, padding_mode, align_corners, kink)
    points = points_of(at_least_single(grid), source=tuple(U.shape[2:]), align_corners=setup.align_corners)
    return resample("grid_sample", U, points, setup, antialias)


def resample(operator: str, U: Value, points: Value, setup: Setup, antialias: bool) -> Value:
    """``U`` sampled at pixel coordinates ``points``, with all that its kernel asks for."""
    dtype = U.dtype
    U = prefiltered(U, setup)
    points, kernel = with_widths(operator, points, setup.kernel, tuple(U.shape[2:]), antialias)
    return as_dtype(sample(U, points, setup=replace(setup, kernel=kernel)), dtype)


@differentiable()
def points_of(grid: Value, *, source: tuple[int, ...], align_corners: bool) -> Value:
    """Normalised to pixel coordinates, for an image of spatial shape ``source``; last axis (x, y(, z))."""
    sizes = tuple(reversed(source))
    return np.stack([to_pixels(grid[..., k], n, align_corners) for k, n in enumerate(sizes)], axis=-1)


@points_of.vjp("grid")  # eq. (7) is in pixel units: here is its factor (W - 1) / 2, or W / 2
def _(points_bar: Value, source: tuple[int, ...], align_corners: bool) -> Value:
    halves = [span(n, align_corners) / 2 for n in reversed(source)]
    same = len({*halves}) == 1  # a number is faster than a row
    return points_bar * np.array(halves[0] if same else halves, points_bar.dtype)


@differentiable(equations=(3, 4, 5))
def sample(U: Value, points: Value, *, setup: Setup, orders: Orders = (), saved: Any = None) -> Value:
    """sample[a,b] of the module's docstring; eqs. (3)-(5) where all orders are 0.

    ``U`` is (N, C, *S), ``points`` (N, ..., d) in pixel units with x first, the result (N, C, ...). With
    ``points`` (N, ..., 2 d) the second half are widths of the kernel. ``orders`` are the derivatives to take,
    one for each of these numbers.

    >>> from stn_ref import BILINEAR, Setup
    >>> setup = Setup(BILINEAR, padding_mode="zeros", align_corners=True, kink="right")
    >>> U, points = np.array([[[[3.0, 5.0, 9.0]]]]), np.array([[[0.5, 0.0], [1.25, 0.0]]])
    >>> sample(U, points, setup=setup), sample(U, points, setup=setup, orders=(1, 0))
    (array([[[4., 6.]]]), array([[[2., 4.]]]))
    """
    return _sampler(points, U.shape[2:], setup, saved).sample(U, orders)


@sample.vjp("U")  # eq. (6)
def _(V_bar: Value, points: Value, U_shape: Any, setup: Setup, orders: Orders, saved: Any) -> Value:
    return splat(V_bar, points, shape=U_shape[2:], setup=setup, orders=orders, saved=saved)


@sample.vjp("points")  # eq. (7)
def _(V_bar: Value, U: Value, points: Value, setup: Setup, orders: Orders, saved: Any) -> Value:
    return slopes(U, points, V_bar, setup=setup, orders=orders, saved=saved)


@differentiable(equations=(6,))
def splat(
    V: Value, points: Value, *, shape: tuple[int, ...], setup: Setup, orders: Orders = (), saved: Any = None
) -> Value:
    """The transpose of :func:`sample`: each V added to the pixels that its sample reads, with their weights.

    Also the "forward mapping" of the tutorials. ``V`` is (N, C, ...), the result (N, C, *shape).

    >>> from stn_ref import BILINEAR, Setup
    >>> setup = Setup(BILINEAR, padding_mode="zeros", align_corners=True, kink="right")
    >>> splat(np.array([[[8.0]]]), np.array([[[1.25, 0.0]]]), shape=(1, 4), setup=setup)
    array([[[[0., 6., 2., 0.]]]])
    """
    return _sampler(points, shape, setup, saved).splat(V, orders)


@splat.vjp("V")
def _(U_bar: Value, points: Value, setup: Setup, orders: Orders, saved: Any) -> Value:
    return sample(U_bar, points, setup=setup, orders=orders, saved=saved)


@splat.vjp("points")
def _(U_bar: Value, V: Value, points: Value, setup: Setup, orders: Orders, saved: Any) -> Value:
    return slopes(U_bar, points, V, setup=setup, orders=orders, saved=saved)


@differentiable(equations=(7,))
def slopes(
    U: Value, points: Value, V: Value, *, setup: Setup, orders: Orders = (), saved: Any = None
) -> Value:
    """Eq. (7), summed over channels against V: for coordinate k, V . sample[orders + e_k](U, points).

    ``U`` is (N, C, *S), ``V`` (N, C, ...), the result has the shape of ``points``, (N, ..., d).

    >>> from stn_ref import BILINEAR, Setup
    >>> setup = Setup(BILINEAR, padding_mode="zeros", align_corners=True, kink="right")
    >>> slopes(np.array([[[[3.0, 5.0, 9.0]]]]), np.array([[[1.25, 0.0]]]), np.array([[[10.0]]]), setup=setup)
    array([[[ 40., -60.]]])
    """
    return _sampler(points, U.shape[2:], setup, saved).slopes(U, V, orders)


@slopes.vjp("U")
def slopes_vjp_U(
    s_bar: Value, points: Value, V: Value, U_shape: Any, setup: Setup, orders: Orders = (), saved: Any = None
) -> Value:
    common = {"shape": U_shape[2:], "setup": setup, "saved": saved}
    return _total(splat(V * part, points, orders=raised, **common) for part, raised in _parts(s_bar, orders))


@slopes.vjp("V")
def slopes_vjp_V(
    s_bar: Value, U: Value, points: Value, setup: Setup, orders: Orders = (), saved: Any = None
) -> Value:
    return _total(
        part * sample(U, points, setup=setup, orders=raised, saved=saved)
        for part, raised in _parts(s_bar, orders)
    )


@slopes.vjp("points")
def slopes_vjp_points(
    s_bar: Value, U: Value, points: Value, V: Value, setup: Setup, orders: Orders = (), saved: Any = None
) -> Value:
    return _total(
        slopes(U, points, V * part, setup=setup, orders=raised, saved=saved)
        for part, raised in _parts(s_bar, orders)
    )


def _parts(s_bar: Value, orders: Orders) -> Iterator[tuple[Value, Orders]]:
    """For each coordinate its cotangent, with a channel axis, and the orders with that one raised."""
    d = s_bar.shape[-1]
    for k in range(d):
        part = reshape(index(s_bar, key=(..., k)), shape=(s_bar.shape[0], 1, *s_bar.shape[1:-1]))
        yield part, tuple(order + (axis == k) for axis, order in enumerate(orders or (0,) * d))


def _total(terms: Iterable[Value]) -> Value:
    first, *rest = terms
    for term in rest:
        first = first + term
    return first


def _sampler(points: Value, shape: tuple[int, ...], setup: Setup, saved: Any) -> Sampler:
    """What is worked out once for the rules of one call."""
    keep = saved is not None
    saved = saved if keep else {}
    if "sampler" not in saved:
        saved["sampler"] = Sampler(Points(points, tuple(reversed(shape))), setup, keep)
    sampler: Sampler = saved["sampler"]
    return sampler


def setup_of(operator: str, mode: Any, padding_mode: Any, align_corners: Any, kink: Any) -> Setup:
    check_choice(operator, "padding_mode", padding_mode, PADDING_MODES)
    check_choice(operator, "kink", kink, KINKS)
    check_flag(operator, "align_corners", align_corners)
    return Setup(as_kernel(operator, mode), padding_mode, bool(align_corners), kink)
