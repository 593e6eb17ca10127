"""Sampling kernels k(.; Phi) of eq. (3): their values and all their derivatives.

A kernel is a symmetric function of one number, given piece by piece in |t|. In two and three dimensions it
is the product over the axes. Where two pieces disagree in slope there is a kink: the derivative is that of
the piece on the right of t or on the left of it, as asked.

Its parameter Phi is a width w: the kernel becomes k(t / w). Width and position are treated alike, so a kernel
has derivatives of every order for its width too, and a width may be learnt, or differ from sample to sample.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from inspect import signature
from itertools import pairwise, product
from math import ceil, comb
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from ..autograd.tensor import Tensor, Value, plain
from ..autograd.transforms import jvp
from ..errors import describe

Array = NDArray[Any]
Formula = Sequence[float] | Callable[..., Any]
HAT = (1.0, [1.0, -1.0])  # max(0, 1 - |t|), of which eq. (7) gives the derivative


@dataclass(frozen=True)
class Kernel:
    """A symmetric one-dimensional sampling kernel, piece by piece.

    Parameters
    ----------
    name : str
    pieces : sequence of (end, formula)
        k(t) for |t| from the end before (at first 0) up to ``end``, in pixels; beyond the last end, its
        radius, the kernel is 0. A formula is a list of polynomial coefficients in |t|, lowest first; or a
        function of |t| written with operators of ``stn_ref``, which differentiates it; or a function of |t|
        and ``order`` that gives its derivatives itself, which is faster.
    normalised : bool
        Whether the weights of a sample are divided by their sum, for a kernel whose weights do not add up to
        1 by themselves.
    prefiltered : bool
        Whether the image is first replaced by the coefficients with which the kernel passes through the
        pixels.
    width : None, number, array, Tensor, or a function without arguments that returns one
        Phi: the kernel is k(t / width). One for all axes, or one each, x first, or whatever broadcasts to the
        shape of the grid. Set by :meth:`widened`.

    Raises
    ------
    TypeError, ValueError
        If the pieces are not of this form.

    >>> from stn_ref import cos
    >>> hann = Kernel("hann", pieces=[(1.0, lambda t: 0.5 + 0.5 * cos(np.pi * t))])
    >>> hann.taps()                                                   # pixels, counted from floor(x)
    range(0, 2)
    >>> [weight.tolist() for weight in hann.weights(np.array([0.5]), order=0, kink="right")]
    [[0.5], [0.5]]
    """

    name: str
    pieces: Sequence[tuple[float, Formula]]
    normalised: bool = False
    prefiltered: bool = False
    width: Any = None

    def __post_init__(self) -> None:
        try:
            ends = [0.0, *(float(end) for end, _ in self.pieces)]
        except (TypeError, ValueError):
            raise TypeError(
                f"Kernel: pieces is {describe(self.pieces)}, expected pairs (end, formula), for instance "
                "[(1.0, [1.0, -1.0])], which is 1 - |t| up to |t| = 1"
            ) from None
        if len(ends) == 1 or not all(before < end < np.inf for before, end in pairwise(ends)):
            raise ValueError(f"Kernel: the pieces end at {ends[1:]}, expected growing positive numbers")
        for end, formula in self.pieces:
            if not callable(formula) and not _are_coefficients(formula):
                raise TypeError(
                    f"Kernel: the formula up to |t| = {end:g} is {describe(formula)}, expected a list of "
                    "polynomial coefficients in |t|, lowest first, or a function of |t|"
                )

    @property
    def radius(self) -> float:
        """Beyond this |t| the kernel is 0 (times the width, if there is one)."""
        return float(self.pieces[-1][0])

    @property
    def is_hat(self) -> bool:
        """Whether this is the bilinear kernel of eq. (5) and nothing more."""
        return list(self.pieces) == [HAT] and not (self.normalised or self.prefiltered) and self.width is None

    @property
    def centred(self) -> bool:
        """Whether its pieces meet half-way between pixels, so that a cell lies around a pixel."""
        return all(end % 1 == 0.5 for end, _ in self.pieces)

    def taps(self, widest: float = 1.0) -> range:
        """The pixels it reaches, counted from floor(x), or from the nearest pixel if it is centred."""
        if self.centred:
            reach = ceil(self.radius * widest - 0.5)
            return range(-reach, reach + 1)
        reach = ceil(self.radius * widest)
        return range(1 - reach, reach + 1)

    def widened(self, width: Any) -> "Kernel":
        """The same kernel, ``width`` times as wide, normalised and not prefiltered; a Tensor can be learnt.

        A function is called anew for each sampling, so that ``lambda: exp(log_width)`` stays positive while
        ``log_width`` is learnt. Where the width leaves no pixel in reach (below 1/2 over the radius), the
        sample is 0 and so is its derivative; kernels with negative lobes overshoot when narrower than 1.

        >>> from stn_ref import BILINEAR, grad, grid_sample
        >>> U, grid = np.array([[[[0.0, 0.0, 6.0, 0.0, 0.0]]]]), np.zeros((1, 1, 1, 2))
        >>> def middle(width):
        ...     kernel = BILINEAR.widened(width)
        ...     return grid_sample(U, grid, mode=kernel, padding_mode="border", align_corners=True)
        >>> middle(2.0)                                                  # of 1/4, 1/2, 1/4
        array([[[[3.]]]])
        >>> round(float(grad(middle)(1.5)), 9)              # 6 / (3 - 2 / w), differentiated
        -1.92
        """
        return replace(self, width=width, normalised=True, prefiltered=False)

    def weights(
        self,
        fraction: Array,
        order: int,
        kink: str,
        *,
        width: Array | None = None,
        width_order: int = 0,
        taps: range | None = None,
    ) -> list[Array]:
        """A derivative of k(x - m) for each tap m, where x lies ``fraction`` after the start of its cell.

        ``order`` is that of the derivative for x, ``width_order`` that for the width, which has the shape of
        ``fraction``.
        """
        taps = self.taps() if taps is None else taps
        if width is None and self._polynomials:
            weights = [horner(coefficients, fraction) for coefficients in self._coefficients(order)]
            if kink == "paper" and order == 1 and list(self.pieces) == [HAT]:
                at_pixel = fraction == 0  # of eq. (7)'s cases only "1 if m >= x" is left, with m = x
                weights = [np.where(at_pixel, w.dtype.type(c), w) for c, w in zip((1, 0), weights)]
            return weights
        t = fraction - np.array(taps, fraction.dtype).reshape(-1, *[1] * fraction.ndim)
        w = np.ones_like(fraction) if width is None else width
        derivatives = {
            orders: self._scaled(t, w, *orders, left=kink == "left")
            for orders in product(range(order + 1), range(width_order + 1))
            if self.normalised or orders == (order, width_order)
        }
        if self.normalised:
            derivatives = _shares(derivatives)
        return list(derivatives[order, width_order])

    def _scaled(self, t: Array, w: Array, order: int, width_order: int, *, left: bool) -> Array:
        """The derivative of k(t / w), ``order`` times for t and ``width_order`` times for w.

        With u = t / w and s = order it begins as w^-s k^(s)(u). One derivative for w makes of w^-s u^i k^(n)
        the terms -(s + i) w^-(s+1) u^i k^(n) and -w^-(s+1) u^(i+1) k^(n+1).
        """
        factors = [1.0]  # of w^-s u^i k^(order + i)
        for s in range(order, order + width_order):
            stay, move = [-(s + i) * c for i, c in enumerate(factors)], [-c for c in factors]
            factors = [a + b for a, b in zip([*stay, 0.0], [0.0, *move])]
        u = t / w
        total = sum(c * u**i * self._derivative(u, order + i, left) for i, c in enumerate(factors) if c)
        scaled: Array = np.asarray(total / w ** (order + width_order), t.dtype) + np.zeros_like(t)
        return scaled

    def _derivative(self, t: Array, order: int, left: bool) -> Array:
        """k^(order)(t): from the piece on the right of t, or on the left of it."""
        falling = t <= 0 if left else t < 0  # on this side of t, |t| goes down as t goes up
        size = np.abs(t)
        nearer_0 = falling != left  # on this side of t, |t| is a little smaller than at t
        value, start = np.zeros_like(t), 0.0
        for end, formula in self.pieces:
            inside = np.where(nearer_0, (size > start) & (size <= end), (size >= start) & (size < end))
            there = _formula_derivative(formula, order)(size[inside])
            if order == 0 and isinstance(there, Tensor) and there.requires_grad:
                raise TypeError(
                    f"the kernel {self.name!r} is made with a Tensor that requires derivatives, and would "
                    "have none for it; what can be learnt of a kernel is its width, see Kernel.widened"
                )
            value[inside] = plain(there)
            start = end
        return np.where(falling, -value, value) if order % 2 else value

    def _coefficients(self, order: int) -> list[Array]:
        """Those of the polynomials' derivatives, worked out once."""
        if order not in self._worked_out:
            self._worked_out[order] = [polynomial.deriv(order).coef for polynomial in self._polynomials]
        return self._worked_out[order]

    @cached_property
    def _worked_out(self) -> dict[int, list[Array]]:
        return {}

    @cached_property
    def _polynomials(self) -> list[Polynomial]:
        """For each tap m the kernel as a polynomial in the fraction, if it is one all over the cell."""
        cells = [end - (0.5 if self.centred else 0.0) for end, _ in self.pieces]
        if self.normalised or any(callable(formula) for _, formula in self.pieces):
            return []
        first = 0 if self.centred else 1
        if cells != list(range(first, first + len(cells))):
            return []
        coefficients = [[*formula] for _, formula in self.pieces]  # type: ignore[misc]
        if self.centred:
            if any(coefficients[0][1::2]):
                return []  # it has a kink at 0, in the middle of the cell
            return [
                Polynomial(coefficients[abs(m)])(Polynomial([abs(m), -1.0 if m > 0 else 1.0]))
                for m in self.taps()
            ]
        return [
            Polynomial(coefficients[-m])(Polynomial([-m, 1.0]))
            if m <= 0
            else Polynomial(coefficients[m - 1])(Polynomial([m, -1.0]))
            for m in self.taps()
        ]


def _are_coefficients(formula: Any) -> bool:
    try:
        coefficients = np.asarray(formula, np.float64)
    except (TypeError, ValueError):
        return False
    return coefficients.ndim == 1 and coefficients.size > 0 and bool(np.isfinite(coefficients).all())


def _formula_derivative(formula: Formula, order: int) -> Callable[[Value], Value]:
    """A formula's derivative: of a polynomial by its coefficients, of a function by itself or by the tape."""
    if not callable(formula):
        return partial(horner, Polynomial(formula).deriv(order).coef)
    if not isinstance(formula, np.ufunc) and "order" in signature(formula).parameters:
        return partial(formula, order=order)
    if order == 0:
        return formula
    before = _formula_derivative(formula, order - 1)
    return lambda t: jvp(before, (t,), (np.ones(t.shape, t.dtype),))[1]


def horner(coefficients: Sequence[float] | Array, x: Array) -> Array:
    """A polynomial by Horner's rule, in the dtype of ``x``."""
    *others, highest = (float(c) for c in coefficients)
    value: Array = np.full_like(x, highest)
    for c in reversed(others):
        value = value * x + c if c else value * x
    return value


def _shares(of_weights: dict[tuple[int, int], Array]) -> dict[tuple[int, int], Array]:
    """Derivatives of weight / (sum of the weights over the first axis) from those of the weights.

    By Leibniz' rule on weight = share * sum, solved for the highest derivative of the share. A sample without
    a pixel in reach has no sum, and shares 0.
    """
    # One after the other, so that a weight of 0 more does not change a bit, as it may in NumPy's sum.
    sums = {orders: np.asarray(sum(weight)) for orders, weight in of_weights.items()}
    whole = np.where(sums[0, 0] == 0, 1, sums[0, 0])
    shares: dict[tuple[int, int], Array] = {}
    for a, b in sorted(of_weights):
        rest = of_weights[a, b]
        for i, j in shares:
            if i <= a and j <= b:
                rest = rest - comb(a, i) * comb(b, j) * shares[i, j] * sums[a - i, b - j]
        shares[a, b] = np.where(sums[0, 0] == 0, 0, rest / whole)
    return shares
