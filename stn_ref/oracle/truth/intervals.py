"""Intervals that are sure to hold a real number: right answers where a logarithm, a root or a sine enters.

The ends of an interval are Python's integers over 2^BITS, and each operation rounds them outwards. So
whatever is worked out with intervals, the equations of :mod:`stn_ref.equations` among it, is an enclosure of
the truth. A question that they do not decide, such as which of two that overlap is the larger, is refused.

Source: R. Moore, R. Kearfott, M. Cloud 2009, Introduction to interval analysis.
"""

from fractions import Fraction
from functools import lru_cache
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
BITS = 256  # after the point
GUARD = 64  # more of them within a series
FINE = BITS + GUARD
ONE = 1 << BITS
ERROR = 2**14  # of a function, in units of 2^-FINE; see the series


class Undecided(ArithmeticError):
    """Intervals overlap, so that a comparison or a floor may come out either way."""


class Interval:
    """All real numbers from ``low / 2^BITS`` to ``high / 2^BITS``.

    Its operators take integers, floats and fractions, exactly as they are, beside other intervals.

    >>> third = Interval.of(1) / 3
    >>> Fraction(1, 3) in third, Fraction(1 / 3) in third, third < Fraction(2, 3)
    (True, False, True)
    >>> third
    <0.3333333333333333 within 8.6e-78>
    """

    __slots__ = ("high", "low")

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    @classmethod
    def of(cls, x: Any) -> "Interval":
        """The narrowest one around an integer, a float or a fraction; an interval is left as it is."""
        if isinstance(x, Interval):
            return x
        numerator, denominator = x.as_integer_ratio()
        scaled = numerator << BITS
        return cls(scaled // denominator, -(-scaled // denominator))

    @property
    def middle(self) -> Fraction:
        return Fraction(self.low + self.high, 2 * ONE)

    @property
    def width(self) -> Fraction:
        return Fraction(self.high - self.low, ONE)

    def __contains__(self, x: Fraction) -> bool:
        return Fraction(self.low, ONE) <= x <= Fraction(self.high, ONE)

    def __repr__(self) -> str:
        return f"<{float(self.middle)!r} within {float(self.width):.1e}>"

    def __neg__(self) -> "Interval":
        return Interval(-self.high, -self.low)

    def __abs__(self) -> "Interval":
        if self.low >= 0:
            return self
        return -self if self.high <= 0 else Interval(0, max(-self.low, self.high))

    def __add__(self, other: Any) -> "Interval":
        other = Interval.of(other)
        return Interval(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Any) -> "Interval":
        other = Interval.of(other)
        return Interval(self.low - other.high, self.high - other.low)

    def __mul__(self, other: Any) -> "Interval":
        other = Interval.of(other)
        products = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(products) >> BITS, -(-max(products) >> BITS))

    def __truediv__(self, other: Any) -> "Interval":
        other = Interval.of(other)
        if other.low <= 0 <= other.high:
            raise ZeroDivisionError(f"Interval: {other} holds 0, by which nothing can be divided")
        scaled = (self.low << BITS, self.high << BITS)
        lows = [a // b for a in scaled for b in (other.low, other.high)]
        highs = [-(-a // b) for a in scaled for b in (other.low, other.high)]
        return Interval(min(lows), max(highs))

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: Any) -> "Interval":
        return Interval.of(other) - self

    def __rtruediv__(self, other: Any) -> "Interval":
        return Interval.of(other) / self

    def __lt__(self, other: Any) -> bool:
        return not self._at_least(Interval.of(other))

    def __le__(self, other: Any) -> bool:
        return Interval.of(other)._at_least(self)

    def __gt__(self, other: Any) -> bool:
        return not Interval.of(other)._at_least(self)

    def __ge__(self, other: Any) -> bool:
        return self._at_least(Interval.of(other))

    def __eq__(self, other: Any) -> bool:
        other = Interval.of(other)
        return self._at_least(other) and other._at_least(self)

    def __floor__(self) -> int:
        if self.low >> BITS != self.high >> BITS:
            raise Undecided(f"Interval: {self} holds numbers with different floors")
        return self.low >> BITS

    def _at_least(self, other: "Interval") -> bool:
        if self.low >= other.high:
            return True
        if self.high < other.low:
            return False
        raise Undecided(f"Interval: {self} and {other} overlap, so that neither need be the larger")


def intervals(x: Array) -> Array:
    """An array of floats as one of intervals, dtype object; NumPy's operators and ``@`` take it.

    >>> intervals(np.array([0.5, 1.0])) @ intervals(np.array([2.0, 1.0]))
    <2.0 within 0.0e+00>
    """
    return np.asarray(np.frompyfunc(Interval.of, 1, 1)(np.asarray(x, np.float64)))


def solve(A: Array, B: Array) -> Array:
    """Enclosures of the solution Z of A Z = B, by Gaussian elimination; A (n, n) and B (n, m) of intervals.

    Raises
    ------
    ZeroDivisionError
        If A is singular, or so nearly that its intervals cannot tell.

    >>> solve(intervals(np.array([[0.0, 2.0], [4.0, 2.0]])), intervals(np.array([[1.0], [3.0]]))).tolist()
    [[<0.5 within 0.0e+00>], [<0.5 within 0.0e+00>]]
    """
    n, rows = len(A), np.concatenate([A, B], axis=1)
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: abs(rows[i, k].middle))
        rows[[k, pivot]] = rows[[pivot, k]]
        for i in range(k + 1, n):
            rows[i, k + 1 :] = rows[i, k + 1 :] - rows[k, k + 1 :] * (rows[i, k] / rows[k, k])
    for k in reversed(range(n)):
        for j in range(k + 1, n):
            rows[k, n:] = rows[k, n:] - rows[j, n:] * rows[k, j]
        rows[k, n:] = rows[k, n:] / rows[k, k]
    return rows[:, n:]


def largest(a: Any, b: Any) -> Interval:
    """Encloses the larger one; unlike ``max`` it needs not know which one that is.

    >>> largest(0, Interval(-ONE, ONE)) - 1
    <-0.5 within 1.0e+00>
    """
    a, b = Interval.of(a), Interval.of(b)
    return Interval(max(a.low, b.low), max(a.high, b.high))


def sqrt(x: Interval) -> Interval:
    """Encloses the square roots.

    >>> sqrt(Interval.of(2))
    <1.4142135623730951 within 8.6e-78>
    """
    if x.low < 0:
        raise ValueError(f"sqrt: {x} holds numbers below 0, expected none")
    low, high = isqrt(x.low << BITS), isqrt(x.high << BITS)
    return Interval(low, high + (high * high < x.high << BITS))


def log(x: Interval) -> Interval:
    """Encloses the natural logarithms.

    >>> log(Interval.of(10))
    <2.302585092994046 within 8.6e-78>
    """
    if x.low <= 0:
        raise ValueError(f"log: {x} holds numbers that are not above 0, expected none")
    return Interval(_log(x.low).low, _log(x.high).high)


def sin(x: Interval) -> Interval:
    """Encloses the sines of angles in radians.

    >>> sin(PI / 6)
    <0.5 within 2.6e-77>
    """
    y, radius = _around_0(x)
    value = _taylor(abs(y), y * y >> FINE, 2)
    return _within_1(value if y >= 0 else -value, radius)


def cos(x: Interval) -> Interval:
    """Encloses the cosines of angles in radians.

    >>> cos(PI / 3)
    <0.5 within 2.6e-77>
    """
    y, radius = _around_0(x)
    return _within_1(_taylor(1 << FINE, y * y >> FINE, 1), radius)


# Series. Each works with integers over 2^FINE, at least 0, that are rounded down: an operation errs by less
# than one unit of the last place. With what has become of the errors before it, that makes less than 5 units
# in each term, because the ratios of terms are small or fall. There are fewer than 2^7 terms, and those left
# out add up to less than 5 units too. So a sum errs by less than 2^10, and ERROR bounds 16 times as much.


@lru_cache(maxsize=2**12)
def _log(mantissa: int) -> Interval:
    """Of mantissa / 2^BITS = f 2^e with f in [1/2, 1): e log 2 - 2 artanh((1 - f) / (1 + f))."""
    digits = mantissa.bit_length()
    f = (mantissa << FINE) >> digits
    one = 1 << FINE
    e = digits - BITS
    value = e * _LOG_2 - 2 * _artanh(((one - f) << FINE) // (one + f))
    return _outward(value, ERROR * (abs(e) + 1))


def _artanh(z: int) -> int:
    """z + z^3/3 + z^5/5 ... for z from 0 to 1/3."""
    total, n, square = 0, 1, z * z >> FINE
    while z:
        total += z // n
        z = z * square >> FINE
        n += 2
    return total


def _arctan_of_1_over(k: int) -> int:
    """1/k - 1/(3 k^3) + 1/(5 k^5) ..."""
    total, n, power = 0, 1, (1 << FINE) // k
    while power:
        total += power // n if n % 4 == 1 else -(power // n)
        power //= k * k
        n += 2
    return total


def _taylor(term: int, square: int, n: int) -> int:
    """term (1 - square / (n (n + 1)) + square^2 / (n (n + 1) (n + 2) (n + 3)) ...), for square up to 16."""
    total, sign = 0, 1
    while term:
        total += sign * term
        term = (term * square >> FINE) // (n * (n + 1))
        n, sign = n + 2, -sign
    return total


def _around_0(x: Interval) -> tuple[int, int]:
    """An angle less whole turns: the middle, over 2^FINE, and the radius, over 2^BITS."""
    pi = PI.low + PI.high
    turns = (x.low + x.high + pi) // (2 * pi)
    y = x - PI * (2 * turns)
    return (y.low + y.high) << (GUARD - 1), y.high - y.low


def _within_1(value: int, radius: int) -> Interval:
    """Sine and cosine change less than the angle does, and stay between -1 and 1."""
    found = _outward(value, ERROR + (radius << GUARD))
    return Interval(max(found.low, -ONE), min(found.high, ONE))


def _outward(value: int, error: int) -> Interval:
    return Interval((value - error) >> GUARD, -((-value - error) >> GUARD))


_LOG_2 = 2 * _artanh((1 << FINE) // 3)
PI = _outward(16 * _arctan_of_1_over(5) - 4 * _arctan_of_1_over(239), ERROR)  # Machin 1706
