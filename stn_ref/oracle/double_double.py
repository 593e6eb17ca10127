"""Numbers of about 106 bits as the unevaluated sum of two float64, element by element over arrays.

Sums and products of two floats are split into the rounded result and its error, which is a float again
(Knuth, Dekker). They are exact where nothing overflows or underflows; the rest is exact but for a relative
error of a few 2^-106, which :data:`UNIT` bounds for each operation.

Source: M. Joldes, J.-M. Muller, V. Popescu 2017, Tight and rigorous error bounds for basic building blocks of
double-word arithmetic.
"""

from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
Pair = tuple[Array, Array]  # high and low part; |low| is at most half a unit in the last place of high
UNIT = 2.0**-102  # above the relative error of every operation here, for `add` of its terms' magnitudes
SPLITTER = 2.0**27 + 1


def two_sum(a: Array, b: Array) -> Pair:
    """a + b exactly.

    >>> two_sum(1.0, 2.0**-60)
    (1.0, 8.673617379884035e-19)
    """
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a: Array, b: Array) -> Pair:
    """a * b exactly."""
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


def multiply(a: Pair, b: Pair) -> Pair:
    """a * b, with a relative error below ``UNIT``."""
    high, low = two_product(a[0], b[0])
    return _normalised(high, low + (a[0] * b[1] + a[1] * b[0]))


def times(a: Pair, b: Array) -> Pair:
    """a * b for a float b, with a relative error below ``UNIT``."""
    high, low = two_product(a[0], b)
    return _normalised(high, low + a[1] * b)


def add(a: Pair, b: Pair) -> Pair:
    """a + b, with an error below ``UNIT`` (|a| + |b|)."""
    high, low = two_sum(a[0], b[0])
    return _normalised(high, low + (a[1] + b[1]))


def _split(a: Array) -> Pair:
    """A float as the sum of two with half as many bits."""
    scaled = SPLITTER * a
    high = scaled - (scaled - a)
    return high, a - high


def _normalised(high: Array, low: Array) -> Pair:
    total = high + low
    return total, low - (total - high)
