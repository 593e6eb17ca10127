"""Equations (1)-(7) of "Spatial Transformer Networks" (Jaderberg et al. 2015), as the paper prints them.

Every function is a plain loop over any kind of number: ``float`` gives the listing people read,
``fractions.Fraction`` gives exact results, an interval type gives enclosures. Nothing here is fast,
nothing here imports NumPy, and everything else in ``stn_ref`` is tested against this page.

Letters, as in the paper: ``U[c][n][m]`` is the input feature map (channel, row, column), ``theta`` two
rows of three numbers, ``(x_t, y_t)`` a target and ``(x_s, y_s)`` a source coordinate. Rows and columns
count from 0. Equations (1) and (2) speak of normalised coordinates, (3)-(7) of pixels; the step between
the two is in ``stn_ref.pixels``.

Two remarks on the printed text. Equation (6) carries a double sum too many: n and m are already bound
on its left side, so the derivative with respect to one pixel is a single product. Equation (7), read
literally, is no sub-gradient where x is an integer: of its three cases only m = x gives a non-zero term
there, so it returns the pixel itself and not a slope. ``kink="paper"`` keeps that reading; the others
take the slope on the right, on the left, or the mean of both.

Sums start from their first term and run in reading order; ``sum()`` is avoided because its rounding on
floats differs between Python versions.

>>> from fractions import Fraction as F
>>> row = [[[3, 5, 9, 4, 1]]]                        # one channel, one row
>>> eq5_bilinear(row, F(5, 4), F(0))                 # a quarter of the way from 5 to 9
[Fraction(6, 1)]
>>> [eq7_dV_dx(row, F(x), F(0), kink="right")[0] == slope for x, slope in ((1, 4), (2, -5), (3, -3))]
[True, True, True]
>>> eq7_dV_dx([[[7, 7, 7]]], F(1), F(0), kink="paper")   # a constant image has no slope, and yet:
[Fraction(7, 1)]
"""

from collections.abc import Callable, Sequence
from math import floor
from typing import Any

Number = Any  # float, Fraction, an interval: anything with + - * abs, comparison and floor
FeatureMap = Sequence[Sequence[Sequence[Number]]]  # U[c][n][m]
KINKS = ("right", "left", "mid", "paper")


def eq1_affine(theta: Sequence[Sequence[Number]], x_t: Number, y_t: Number) -> tuple[Number, Number]:
    """Eq. (1): (x_s, y_s) = A_theta (x_t, y_t, 1), from TARGET to SOURCE, normalised coordinates.

    >>> eq1_affine([[1, 0, 0], [0, 1, 0]], -1, 1)
    (-1, 1)
    """
    x_s = theta[0][0] * x_t + theta[0][1] * y_t + theta[0][2]
    y_s = theta[1][0] * x_t + theta[1][1] * y_t + theta[1][2]
    return x_s, y_s


def eq2_attention(s: Number, t_x: Number, t_y: Number) -> list[list[Number]]:
    """Eq. (2): the attention transformation, an isotropic scale ``s`` and a translation.

    >>> eq2_attention(2, 5, 7)
    [[2, 0, 5], [0, 2, 7]]
    """
    return [[s, 0, t_x], [0, s, t_y]]


def eq3_sample(
    U: FeatureMap,
    x: Number,
    y: Number,
    k_x: Callable[[Number], Number],
    k_y: Callable[[Number], Number] | None = None,
) -> list[Number]:
    """Eq. (3): V^c = sum over n, m of U^c_nm k(x - m) k(y - n), for every channel c.

    ``k_x`` and ``k_y`` are the kernel with its parameters Phi_x and Phi_y filled in; ``x`` and ``y``
    are in pixels.

    >>> eq3_sample([[[1, 2], [3, 4]]], 0.5, 1.0, hat)
    [3.5]
    """
    k_y = k_y or k_x
    V = []
    for channel in U:
        total = 0 * x * y  # a zero of the same kind of number
        for n, row in enumerate(channel):
            for m, U_nm in enumerate(row):
                total = total + U_nm * k_x(x - m) * k_y(y - n)
        V.append(total)
    return V


def hat(t: Number) -> Number:
    """The bilinear kernel of eq. (5): max(0, 1 - |t|).

    >>> [hat(t) for t in (-0.25, 0.0, 2.0)]
    [0.75, 1.0, 0.0]
    """
    return max(0 * t, 1 - abs(t))


def half_up(x: Number) -> int:
    """floor(x + 0.5) of eq. (4), without a rounded addition: 0.49999999999999994 + 0.5 is 1.0 in floats.

    >>> half_up(0.49999999999999994), half_up(0.5), half_up(-0.5)
    (0, 1, 0)
    """
    n: int = floor(x)
    return n + 1 if 2 * (x - n) >= 1 else n


def eq4_integer(U: FeatureMap, x: Number, y: Number) -> list[Number]:
    """Eq. (4): the integer kernel, which copies the nearest pixel (0 outside the image).

    >>> eq4_integer([[[1, 2], [3, 4]]], 0.5, 0.25)
    [2]
    """
    V = []
    for channel in U:
        total = 0
        for n, row in enumerate(channel):
            for m, U_nm in enumerate(row):
                if half_up(x) == m and half_up(y) == n:  # the two Kronecker deltas
                    total = total + U_nm
        V.append(total)
    return V


def eq5_bilinear(U: FeatureMap, x: Number, y: Number) -> list[Number]:
    """Eq. (5): V^c = sum over n, m of U^c_nm max(0, 1 - |x - m|) max(0, 1 - |y - n|).

    >>> eq5_bilinear([[[1.0, 2.0], [3.0, 4.0]]], 0.5, 0.5)
    [2.5]
    """
    return eq3_sample(U, x, y, hat)


def eq6_dV_dU(H: int, W: int, x: Number, y: Number) -> list[list[Number]]:
    """Eq. (6): dV^c / dU^c_nm for every pixel of an H x W image; the same for every channel.

    >>> eq6_dV_dU(2, 2, 0.25, 0.5)
    [[0.375, 0.125], [0.375, 0.125]]
    """
    return [[hat(x - m) * hat(y - n) for m in range(W)] for n in range(H)]


def eq7_dV_dx(U: FeatureMap, x: Number, y: Number, kink: str = "right") -> list[Number]:
    """Eq. (7): dV^c / dx at pixel coordinates (x, y), for every channel.

    >>> [eq7_dV_dx([[[3.0, 5.0, 9.0]]], 1.0, 0.0, kink)[0] for kink in KINKS]
    [4.0, 2.0, 3.0, 5.0]
    """
    return _eq7(U, x, y, kink, along_x=True)


def eq7_dV_dy(U: FeatureMap, x: Number, y: Number, kink: str = "right") -> list[Number]:
    """Eq. (7) for the other coordinate: dV^c / dy, with n and y in the place of m and x.

    >>> eq7_dV_dy([[[3.0], [5.0]]], 0.0, 0.5)
    [2.0]
    """
    return _eq7(U, x, y, kink, along_x=False)


def _eq7(U: FeatureMap, x: Number, y: Number, kink: str, *, along_x: bool) -> list[Number]:
    if kink == "mid":
        right = _eq7(U, x, y, "right", along_x=along_x)
        left = _eq7(U, x, y, "left", along_x=along_x)
        return [(r + l_) / 2 for r, l_ in zip(right, left)]
    if kink not in _SIGNS:
        raise ValueError(f"eq. (7): kink is {kink!r}, expected one of {KINKS}")
    sign = _SIGNS[kink]
    slopes = []
    for channel in U:
        total = 0 * x * y
        for n, row in enumerate(channel):
            for m, U_nm in enumerate(row):
                if along_x:
                    total = total + U_nm * hat(y - n) * sign(m, x)
                else:
                    total = total + U_nm * hat(x - m) * sign(n, y)
        slopes.append(total)
    return slopes


def sign_paper(m: int, x: Number) -> int:
    """The three cases of eq. (7) to the letter."""
    if abs(m - x) >= 1:
        return 0
    return 1 if m >= x else -1


def sign_right(m: int, x: Number) -> int:
    """The slope of max(0, 1 - |x - m|) just to the right of x."""
    if m - 1 <= x < m:
        return 1
    return -1 if m <= x < m + 1 else 0


def sign_left(m: int, x: Number) -> int:
    """The slope of max(0, 1 - |x - m|) just to the left of x."""
    if m - 1 < x <= m:
        return 1
    return -1 if m < x <= m + 1 else 0


_SIGNS = {"paper": sign_paper, "right": sign_right, "left": sign_left}
