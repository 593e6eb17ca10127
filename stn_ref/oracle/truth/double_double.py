"""Numbers of about 106 bits as the unevaluated sum of two float64, element by element over arrays.

Sums and products of two floats are split into the rounded result and its error, which is a float again
(Knuth, Dekker). They are exact where nothing overflows or underflows; the rest is exact but for a relative
error of a few 2^-106, which :data:`UNIT` bounds for each operation.

Source: M. Joldes, J.-M. Muller, V. Popescu 2017, Tight and rigorous error bounds for basic building blocks of
double-word arithmetic.
"""

from typing import Any

import numpy as np
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


class DoubleDouble:
    """An array of such numbers with the operators of :class:`~stn_ref.oracle.truth.dyadic.Dyadic`, rounded.

    >>> tenth = DoubleDouble.of(np.array([0.1]))
    >>> [float(part[0]) for part in (tenth * tenth * 3).pair()]
    [0.030000000000000002, 9.71445146547012e-19]
    """

    error = 2.0**-94  # of its arithmetic, relative to the magnitudes of what is added: 2^8 operations

    def __init__(self, high: Array, low: Array) -> None:
        self.high, self.low = high, low

    @classmethod
    def of(cls, x: Array) -> "DoubleDouble":
        x = np.asarray(x, np.float64)
        return cls(x, np.zeros_like(x))

    @property
    def shape(self) -> tuple[int, ...]:
        return self.high.shape

    def __add__(self, other: "DoubleDouble | int") -> "DoubleDouble":
        return DoubleDouble(*add((self.high, self.low), _pair(other)))

    def __sub__(self, other: "DoubleDouble | int") -> "DoubleDouble":
        high, low = _pair(other)
        return DoubleDouble(*add((self.high, self.low), (-high, -low)))

    def __neg__(self) -> "DoubleDouble":
        return DoubleDouble(-self.high, -self.low)

    def __mul__(self, other: "DoubleDouble | int") -> "DoubleDouble":
        return DoubleDouble(*multiply((self.high, self.low), _pair(other)))

    def __getitem__(self, key: Any) -> "DoubleDouble":
        return DoubleDouble(self.high[key], self.low[key])

    def halved(self, times: int = 1) -> "DoubleDouble":
        return DoubleDouble(self.high / 2**times, self.low / 2**times)

    def reshape(self, *shape: int) -> "DoubleDouble":
        return DoubleDouble(self.high.reshape(*shape), self.low.reshape(*shape))

    def sum(self, axis: int) -> "DoubleDouble":
        parts = [DoubleDouble(*part) for part in zip(*(np.moveaxis(x, axis, 0) for x in self.pair()))]
        if not parts:
            return DoubleDouble.of(np.zeros(np.sum(self.high, axis=axis).shape))
        while len(parts) > 1:
            pairs = [a + b for a, b in zip(parts[::2], parts[1::2])]
            parts = pairs + parts[2 * len(pairs) :]
        return parts[0]

    def floor(self) -> tuple[Array, "DoubleDouble"]:
        """Whole numbers, and what remains, in [0, 1); the numbers must stay below 2^52."""
        whole = np.floor(self.high)
        whole -= (self.high == whole) & (self.low < 0)
        return whole.astype(np.int64), self - DoubleDouble.of(whole)

    def pair(self) -> Pair:
        return self.high, self.low

    def float(self) -> Array:
        return self.high


def _pair(other: "DoubleDouble | int") -> Pair:
    if isinstance(other, DoubleDouble):
        return other.high, other.low
    return np.float64(other), np.float64(0)
