"""The sampling kernels by name: integer, bilinear, bicubic, Lanczos, B-splines, Gaussian."""

from functools import lru_cache, partial
from math import comb, exp
from typing import Any

import numpy as np
from numpy.polynomial import HermiteE, Polynomial
from numpy.typing import NDArray

from ..errors import describe
from .elementary import sinc
from .kernel import HAT, Kernel, horner

Array = NDArray[Any]


def bicubic(a: float = -0.75) -> Kernel:
    """Keys' cubic convolution kernel with parameter ``a`` (R. Keys 1981).

    >>> bicubic(-0.5).taps()
    range(-1, 3)
    """
    near, far = [1.0, 0.0, -(a + 3), a + 2], [-4 * a, 8 * a, -5 * a, a]
    return Kernel("bicubic", [(1.0, near), (2.0, far)])


def _lanczos(t: Array, order: int, *, lobes: int) -> Array:
    terms = (
        comb(order, i) * sinc(t, order=order - i) * sinc(t / lobes, order=i) / lobes**i
        for i in range(order + 1)
    )
    return np.asarray(sum(terms))


def lanczos(lobes: int = 3) -> Kernel:
    """Lanczos' kernel sinc(t) sinc(t / lobes) for |t| < lobes, normalised (C. Duchon 1979).

    >>> sum(lanczos(3).weights(np.array([0.25]), order=0, kink="right")).round(12)
    array([1.])
    """
    return Kernel(f"lanczos{lobes}", [(float(lobes), partial(_lanczos, lobes=lobes))], normalised=True)


GAUSSIAN_RADIUS = 4.0


def _bell(t: Array, order: int) -> Array:
    """exp(-v) minus its tangent at the radius, with v = t^2 / 2: value and slope end at 0."""
    hermite, tangent = _bell_polynomials(order)
    return horner(hermite, t) * np.exp(-t * t / 2) - horner(tangent, t)


@lru_cache
def _bell_polynomials(order: int) -> tuple[Array, Array]:
    cut = GAUSSIAN_RADIUS**2 / 2
    tangent = Polynomial([exp(-cut) * (1 + cut), 0, -exp(-cut) / 2]).deriv(order)
    hermite = HermiteE.basis(order).convert(kind=Polynomial) * (-1) ** order
    return hermite.coef, tangent.coef


def gaussian(width: Any) -> Kernel:
    """A Gaussian with standard deviation ``width`` in pixels, cut off at four of them, normalised.

    So that it ends without a jump or a kink, its tangent (in t^2) at the cut is subtracted, which changes
    the peak by 0.3 %. It smooths: at a pixel it does not return that pixel.

    >>> from stn_ref import grid_sample
    >>> U, grid = np.array([[[[0.0, 0.0, 8.0, 0.0, 0.0]]]]), np.zeros((1, 1, 1, 2))
    >>> grid_sample(U, grid, mode=gaussian(0.1), align_corners=True)      # so narrow that it sees one pixel
    array([[[[8.]]]])
    """
    return Kernel("gaussian", [(GAUSSIAN_RADIUS, _bell)]).widened(width)


NEAREST = Kernel("nearest", [(0.5, [1.0])])
BILINEAR = Kernel("bilinear", [HAT])
BICUBIC = bicubic()
LANCZOS = lanczos()
QUADRATIC_SPLINE = Kernel(
    "quadratic-spline", [(0.5, [0.75, 0.0, -1.0]), (1.5, [1.125, -1.5, 0.5])], prefiltered=True
)
CUBIC_SPLINE = Kernel(
    "cubic-spline", [(1.0, [4 / 6, 0.0, -1.0, 0.5]), (2.0, [8 / 6, -2.0, 1.0, -1 / 6])], prefiltered=True
)
KERNELS = {k.name: k for k in (NEAREST, BILINEAR, BICUBIC, LANCZOS, QUADRATIC_SPLINE, CUBIC_SPLINE)}


def as_kernel(operator: str, mode: Any) -> Kernel:
    """The kernel that ``mode`` names, or ``mode`` itself if it is one."""
    if isinstance(mode, Kernel):
        return mode
    if isinstance(mode, str) and mode in KERNELS:
        return KERNELS[mode]
    names = ", ".join(repr(name) for name in KERNELS)
    raise ValueError(f"{operator}: mode is {describe(mode)}, expected one of {names} or a Kernel")
