"""Arrays of dyadic numbers, mantissa / 2^exponent: sums, differences and products without any rounding.

Every float is one, and what the sampler makes of them for a polynomial kernel is one again. Mantissas are
int64 as long as their number of bits says that nothing can overflow, and Python's integers from there on.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
DIGITS = 53  # of a float64
MOST_BITS = 62  # of an int64
MOST_QUICKLY = 1000  # bits before and after the point, so that a float64 neither overflows nor underflows


class Dyadic:
    """An array of ``mantissa / 2**exponent``, the exponent at least 0 and common to all.

    ``bits`` bounds the mantissas: all are below 2^bits in magnitude.

    >>> rest = Dyadic.of(np.array([0.1, 0.2])) * 3 - Dyadic.of(np.array([0.3, 0.6]))
    >>> rest.pair()[0].tolist()                                # by how much 0.1 and 0.3 are not what they say
    [2.7755575615628914e-17, 5.551115123125783e-17]
    """

    error = 0.0  # of its arithmetic, relative to the magnitudes of what is added

    def __init__(self, mantissa: Array, exponent: int, bits: int) -> None:
        self.mantissa, self.exponent, self.bits = mantissa, exponent, bits

    @classmethod
    def of(cls, x: Array) -> "Dyadic":
        """Finite floats, as they are."""
        fraction, exponents = np.frexp(np.asarray(x, np.float64))
        whole = np.ldexp(fraction, DIGITS).astype(np.int64)
        lowest = np.where(whole == 0, 1, whole & -whole)  # the lowest bit that is set
        spare = np.where(whole == 0, 0, np.frexp(lowest.astype(np.float64))[1] - 1)
        places = np.where(whole == 0, 0, DIGITS - exponents - spare)  # digits after the point
        exponent = max(0, int(places.max(initial=0)))
        shift = exponent - places
        bits = int(np.where(whole == 0, 0, DIGITS - spare + shift).max(initial=0)) + 1
        odd = _mantissas(np.asarray(whole >> spare), bits)
        return cls(np.asarray(odd << np.where(whole == 0, 0, shift)), exponent, bits)

    @classmethod
    def whole(cls, n: Array) -> "Dyadic":
        """Integers, of any size."""
        bits = max((abs(int(m)).bit_length() for m in np.ravel(n)), default=0)
        return cls(_mantissas(np.asarray(n), bits), 0, bits)

    @classmethod
    def stack(cls, parts: "list[Dyadic]") -> "Dyadic":
        """Arrays of one shape behind each other."""
        exponent = max(part.exponent for part in parts)
        bits = max(part.bits + exponent - part.exponent for part in parts)
        mantissas = [_mantissas(part.mantissa, bits) << (exponent - part.exponent) for part in parts]
        return cls(np.stack(mantissas), exponent, bits)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.mantissa.shape

    def __add__(self, other: "Dyadic | int") -> "Dyadic":
        a, b, exponent, bits = self._aligned(other)
        return Dyadic(np.asarray(a + b), exponent, bits)

    def __sub__(self, other: "Dyadic | int") -> "Dyadic":
        a, b, exponent, bits = self._aligned(other)
        return Dyadic(np.asarray(a - b), exponent, bits)

    def __neg__(self) -> "Dyadic":
        return Dyadic(np.asarray(-self.mantissa), self.exponent, self.bits)

    def __mul__(self, other: "Dyadic | int") -> "Dyadic":
        if not isinstance(other, Dyadic):
            bits = self.bits + abs(other).bit_length()
            return Dyadic(np.asarray(_mantissas(self.mantissa, bits) * other), self.exponent, bits)
        bits = self.bits + other.bits
        product = _mantissas(self.mantissa, bits) * _mantissas(other.mantissa, bits)
        return Dyadic(np.asarray(product), self.exponent + other.exponent, bits)

    def __getitem__(self, key: Any) -> "Dyadic":
        return Dyadic(np.asarray(self.mantissa[key]), self.exponent, self.bits)

    def halved(self, times: int = 1) -> "Dyadic":
        return Dyadic(self.mantissa, self.exponent + times, self.bits)

    def reshape(self, *shape: int) -> "Dyadic":
        return Dyadic(self.mantissa.reshape(*shape), self.exponent, self.bits)

    def sum(self, axis: int) -> "Dyadic":
        bits = self.bits + self.shape[axis].bit_length()
        total = np.add.reduce(_mantissas(self.mantissa, bits), axis=axis, initial=0)
        return Dyadic(np.asarray(total), self.exponent, bits)

    def added_at(self, shape: tuple[int, ...], index: Any) -> "Dyadic":
        """Zeros of ``shape`` to which each number is added at its index."""
        bits = self.bits + self.mantissa.size.bit_length()
        mantissa = _mantissas(self.mantissa, bits)
        into = np.zeros(shape, mantissa.dtype)
        np.add.at(into, index, mantissa)
        return Dyadic(into, self.exponent, bits)

    def floor(self) -> tuple[Array, "Dyadic"]:
        """Whole numbers and what remains, in [0, 1)."""
        down = min(self.exponent, MOST_BITS) if self.mantissa.dtype == np.int64 else self.exponent
        whole = np.asarray(self.mantissa >> down)  # all bits of an int64 are below 2^MOST_BITS
        rest = self - Dyadic(whole, 0, max(self.bits - self.exponent, 1) + 1)
        return whole, Dyadic(rest.mantissa, rest.exponent, rest.exponent + 1)._settled()

    def pair(self, divisor: int = 1) -> tuple[Array, Array]:
        """The nearest float64, and the float64 nearest to the rest; infinite beyond the largest.

        With ``divisor`` those of the quotient.
        """
        high = self.float(divisor)
        if divisor == 1 and self.bits <= DIGITS:
            return high, np.zeros_like(high)
        rest = self - Dyadic.of(np.where(np.isfinite(high), high, 0)) * divisor
        return high, np.where(np.isfinite(high), rest.float(divisor), 0)

    def float(self, divisor: int = 1) -> Array:
        """The nearest float64."""
        if divisor == 1 and self.bits < MOST_QUICKLY and self.exponent < MOST_QUICKLY:
            return np.ldexp(self.mantissa.astype(np.float64), -self.exponent)  # rounded once, by astype
        scale = divisor << self.exponent
        nearest = np.frompyfunc(lambda n: _quotient(int(n), scale), 1, 1)(self.mantissa)
        return np.asarray(nearest, np.float64)

    def _aligned(self, other: "Dyadic | int") -> tuple[Any, Any, int, int]:
        """Both mantissas for one exponent, that exponent, and the bits of a sum."""
        if not isinstance(other, Dyadic):
            shifted = other << self.exponent
            bits = max(self.bits, abs(shifted).bit_length()) + 1
            return _mantissas(self.mantissa, bits), shifted, self.exponent, bits
        exponent = max(self.exponent, other.exponent)
        ups = exponent - self.exponent, exponent - other.exponent
        bits = max(self.bits + ups[0], other.bits + ups[1]) + 1
        a, b = (
            mantissas << up if up else mantissas
            for mantissas, up in zip((_mantissas(x.mantissa, bits) for x in (self, other)), ups)
        )
        return a, b, exponent, bits

    def _settled(self) -> "Dyadic":
        """With int64 again, if that is enough by now."""
        if self.bits <= MOST_BITS and self.mantissa.dtype == object:
            return Dyadic(self.mantissa.astype(np.int64), self.exponent, self.bits)
        return self


def _mantissas(mantissa: Array, bits: int) -> Array:
    """As Python's integers, if so many bits need them."""
    return mantissa.astype(object) if bits > MOST_BITS and mantissa.dtype != object else mantissa


def _quotient(n: int, scale: int) -> float:
    try:
        return n / scale  # correctly rounded by Python
    except OverflowError:
        return float("inf") if n > 0 else float("-inf")
