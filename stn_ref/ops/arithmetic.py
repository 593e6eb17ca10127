"""Operators of two numbers, elementwise; the arguments broadcast as in NumPy.

At a kink ``maximum`` and ``minimum`` give one half of the slope to each of the equal numbers.
"""

from typing import Any

import numpy as np

from ..autograd.tape import differentiable
from ..autograd.tensor import Value, plain
from .elementary import log


@differentiable(broadcasts=True)
def add(x: Value, y: Value) -> Value:
    """x + y.

    >>> add(np.array([1.0, 2.0]), 3.0)
    array([4., 5.])
    """
    return np.add(x, y)


@add.vjp("x")
def _(z_bar: Value) -> Value:
    return z_bar


@add.vjp("y")
def _(z_bar: Value) -> Value:
    return z_bar


@differentiable(broadcasts=True)
def subtract(x: Value, y: Value) -> Value:
    """x - y.

    >>> subtract(np.array([1.0, 2.0]), 3.0)
    array([-2., -1.])
    """
    return np.subtract(x, y)


@subtract.vjp("x")
def _(z_bar: Value) -> Value:
    return z_bar


@subtract.vjp("y")
def _(z_bar: Value) -> Value:
    return negative(z_bar)


@differentiable(broadcasts=True)
def multiply(x: Value, y: Value) -> Value:
    """x * y.

    >>> multiply(np.array([1.0, 2.0]), 3.0)
    array([3., 6.])
    """
    return np.multiply(x, y)


@multiply.vjp("x")
def _(z_bar: Value, y: Value) -> Value:
    return z_bar * y


@multiply.vjp("y")
def _(z_bar: Value, x: Value) -> Value:
    return z_bar * x


@differentiable(broadcasts=True)
def divide(x: Value, y: Value) -> Value:
    """x / y.

    >>> divide(np.array([1.0, 2.0]), 4.0)
    array([0.25, 0.5 ])
    """
    return np.true_divide(x, y)


@divide.vjp("x")
def _(z_bar: Value, y: Value) -> Value:
    return z_bar / y


@divide.vjp("y")
def _(z_bar: Value, y: Value, output: Value) -> Value:
    return -z_bar * output / y


@differentiable()
def negative(x: Value) -> Value:
    """-x.

    >>> negative(np.array([1.0, -2.0]))
    array([-1.,  2.])
    """
    return np.negative(x)


@negative.vjp("x")
def _(y_bar: Value) -> Value:
    return negative(y_bar)


@differentiable(broadcasts=True)
def power(x: Value, y: Value) -> Value:
    """x ** y; the derivative for y needs x > 0 (at x = 0 it is taken as 0).

    >>> power(np.array([2.0, 3.0]), 2)
    array([4., 9.])
    """
    return np.power(x, y)


@power.vjp("x")
def _(z_bar: Value, x: Value, y: Value) -> Value:
    if isinstance(y, (int, float)):
        return z_bar * (y * power(x, y - 1)) if y != 0 else z_bar * 0.0
    lowered = where(plain(y) == 0, np.ones_like(plain(y)), y - 1.0)  # 0 * x**-1 is NaN at x = 0
    return z_bar * y * power(x, lowered)


@power.vjp("y")
def _(z_bar: Value, x: Value, output: Value) -> Value:
    if isinstance(x, (int, float)):
        return z_bar * output * float(np.log(x)) if x != 0 else z_bar * 0.0
    return z_bar * output * log(where(plain(x) == 0, np.ones_like(plain(x)), x))


def _share(x: Any, y: Any, larger: bool) -> Any:
    """The slope of max(x, y) for x (or of min): 1, 0, or one half where they are equal."""
    x, y = plain(x), plain(y)
    wins = x > y if larger else x < y
    dtype = np.result_type(x, y) if np.result_type(x, y).kind == "f" else np.float64
    return wins.astype(dtype) + 0.5 * (x == y).astype(dtype)


@differentiable(broadcasts=True)
def maximum(x: Value, y: Value) -> Value:
    """The larger of x and y, elementwise; equal numbers share the slope.

    >>> maximum(np.array([1.0, 5.0]), 2.0)
    array([2., 5.])
    """
    return np.maximum(x, y)


@maximum.vjp("x")
def _(z_bar: Value, x: Value, y: Value) -> Value:
    return z_bar * _share(x, y, True)


@maximum.vjp("y")
def _(z_bar: Value, x: Value, y: Value) -> Value:
    return z_bar * _share(y, x, True)


@differentiable(broadcasts=True)
def minimum(x: Value, y: Value) -> Value:
    """The smaller of x and y, elementwise; equal numbers share the slope.

    >>> minimum(np.array([1.0, 5.0]), 2.0)
    array([1., 2.])
    """
    return np.minimum(x, y)


@minimum.vjp("x")
def _(z_bar: Value, x: Value, y: Value) -> Value:
    return z_bar * _share(x, y, False)


@minimum.vjp("y")
def _(z_bar: Value, x: Value, y: Value) -> Value:
    return z_bar * _share(y, x, False)


@differentiable(broadcasts=True)
def select(x: Value, y: Value, *, condition: Any) -> Value:
    """x where ``condition`` holds, y elsewhere; see :func:`where`.

    >>> select(np.array([1.0, 2.0]), np.array([3.0, 4.0]), condition=np.array([True, False]))
    array([1., 4.])
    """
    return np.where(condition, x, y)


@select.vjp("x")
def _(z_bar: Value, condition: Any) -> Value:
    return where(condition, z_bar, np.zeros_like(plain(z_bar)))


@select.vjp("y")
def _(z_bar: Value, condition: Any) -> Value:
    return where(condition, np.zeros_like(plain(z_bar)), z_bar)


def where(condition: Any, x: Value, y: Value) -> Value:
    """x where ``condition`` (an array of bool) holds, y elsewhere; all three broadcast.

    >>> where(np.array([True, False]), np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    array([1., 4.])
    """
    return select(x, y, condition=condition)


@differentiable(half_as_single=False)
def cast(x: Value, *, dtype: Any) -> Value:
    """x in another floating dtype.

    >>> cast(np.array([1.0, 2.0]), dtype=np.float32).dtype
    dtype('float32')
    """
    if np.dtype(dtype).char not in "efd":
        raise TypeError(f"dtype is {np.dtype(dtype)}, expected float16, float32 or float64")
    return np.asarray(x).astype(dtype)


@cast.vjp("x")
def _(y_bar: Value) -> Value:
    return y_bar  # the tape casts every cotangent to the dtype of its argument


def as_dtype(x: Value, dtype: Any) -> Value:
    """``x`` itself if it has that dtype, else its cast."""
    return x if x.dtype == dtype else cast(x, dtype=dtype)


def at_least_single(x: Value) -> Value:
    """float16 as float32: what lies between input and output is not rounded so early."""
    return as_dtype(x, np.promote_types(x.dtype, np.float32))
