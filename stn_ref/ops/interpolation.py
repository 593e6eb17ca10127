"""Sampling kernels k(.; Phi) of eq. (3), by the cell a coordinate falls into.

Between two pixels a kernel is a polynomial in the fraction f = x - floor(x), one for each pixel ("tap")
that the kernel reaches; its derivatives are the derivatives of those polynomials. At a pixel the left
and the right cell meet, and where their polynomials disagree there is a kink: ``kink`` says whose
slope is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from ..errors import describe

Array = NDArray[Any]


@dataclass(frozen=True)
class Kernel:
    """A symmetric, piecewise polynomial, one-dimensional sampling kernel.

    Parameters
    ----------
    name : str
    pieces : sequence of sequences of float
        ``pieces[j]`` are the coefficients, lowest first, of k(t) in |t| for j <= |t| <= j + 1; beyond the
        last piece the kernel is 0. In two and three dimensions the kernel is the product over the axes.
    rounds : bool
        Whether it is the integer kernel of eq. (4), constant around each pixel instead of between two.

    >>> hat = Kernel("hat", pieces=[[1.0, -1.0]])          # 1 - |t|
    >>> hat.taps
    (0, 1)
    >>> [weight.tolist() for weight in hat.weights(np.array([0.25]), order=0, kink="right")]
    [[0.75], [0.25]]
    """

    name: str
    pieces: Sequence[Sequence[float]]
    rounds: bool = False

    @property
    def taps(self) -> tuple[int, ...]:
        """The pixels it reaches, counted from floor(x) (the integer kernel: from the nearest pixel)."""
        return (0,) if self.rounds else tuple(range(1 - len(self.pieces), len(self.pieces) + 1))

    def weights(self, fraction: Array, order: int, kink: str) -> list[Array]:
        """The derivative of the given order of k(x - m) for each tap m, at floor(x) + ``fraction``."""
        weights = [_evaluate(polynomial.deriv(order).coef, fraction) for polynomial in self._polynomials]
        if kink == "paper" and order == 1 and self == BILINEAR:
            at_pixel = fraction == 0  # of eq. (7)'s cases only "1 if m >= x" is left, with m = x
            weights = [np.where(at_pixel, w.dtype.type(c), w) for c, w in zip((1, 0), weights)]
        return weights

    @cached_property
    def _polynomials(self) -> list[Polynomial]:
        """For each tap m the kernel as a polynomial in f: of f - m where m <= 0, of m - f where not."""
        if self.rounds:
            return [Polynomial(self.pieces[0])]
        return [
            Polynomial(self.pieces[-m])(Polynomial([-m, 1.0]))
            if m <= 0
            else Polynomial(self.pieces[m - 1])(Polynomial([m, -1.0]))
            for m in self.taps
        ]


def _evaluate(coefficients: Array, x: Array) -> Array:
    """A polynomial by Horner's rule, in the dtype of ``x``."""
    value = np.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1].tolist():
        value = value * x + c if c else value * x
    return value


def bicubic(a: float = -0.75) -> Kernel:
    """Keys' cubic convolution kernel with parameter ``a`` (R. Keys 1981).

    >>> bicubic(-0.5).taps
    (-1, 0, 1, 2)
    """
    return Kernel("bicubic", [[1.0, 0.0, -(a + 3), a + 2], [-4 * a, 8 * a, -5 * a, a]])


NEAREST = Kernel("nearest", [[1.0]], rounds=True)
BILINEAR = Kernel("bilinear", [[1.0, -1.0]])
BICUBIC = bicubic()
KERNELS = {kernel.name: kernel for kernel in (NEAREST, BILINEAR, BICUBIC)}


def as_kernel(operator: str, mode: Any) -> Kernel:
    """The kernel that ``mode`` names, or ``mode`` itself if it is one."""
    if isinstance(mode, Kernel):
        return mode
    if isinstance(mode, str) and mode in KERNELS:
        return KERNELS[mode]
    names = ", ".join(repr(name) for name in KERNELS)
    raise ValueError(f"{operator}: mode is {describe(mode)}, expected one of {names} or a Kernel")
