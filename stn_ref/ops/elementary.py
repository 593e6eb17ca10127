"""Functions of one number, elementwise. At 0, their kink, ``absolute`` and ``relu`` take the slope 0."""

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

from ..autograd.tape import differentiable
from ..autograd.tensor import Value, plain


@differentiable()
def exp(x: Value) -> Value:
    """e to the x.

    >>> exp(np.array([0.0, 1.0]))
    array([1.        , 2.71828183])
    """
    return np.exp(x)


@exp.vjp("x")
def _(y_bar: Value, output: Value) -> Value:
    return y_bar * output


@differentiable()
def log(x: Value) -> Value:
    """The natural logarithm of x.

    >>> log(np.array([1.0, 4.0]))
    array([0.        , 1.38629436])
    """
    return np.log(x)


@log.vjp("x")
def _(y_bar: Value, x: Value) -> Value:
    return y_bar / x


@differentiable()
def sqrt(x: Value) -> Value:
    """The square root of x.

    >>> sqrt(np.array([1.0, 4.0]))
    array([1., 2.])
    """
    return np.sqrt(x)


@sqrt.vjp("x")
def _(y_bar: Value, output: Value) -> Value:
    return y_bar * 0.5 / output


@differentiable()
def sin(x: Value) -> Value:
    """The sine of x, in radians.

    >>> sin(np.array([0.0, np.pi / 2]))
    array([0., 1.])
    """
    return np.sin(x)


@sin.vjp("x")
def _(y_bar: Value, x: Value) -> Value:
    return y_bar * cos(x)


@differentiable()
def cos(x: Value) -> Value:
    """The cosine of x, in radians.

    >>> cos(np.array([0.0, np.pi]))
    array([ 1., -1.])
    """
    return np.cos(x)


@cos.vjp("x")
def _(y_bar: Value, x: Value) -> Value:
    return -y_bar * sin(x)


@differentiable()
def sinc(x: Value, *, order: int = 0) -> Value:
    """The derivative of the given order of sin(pi x) / (pi x), which is 1 at 0 and 0 at all other integers.

    >>> sinc(np.array([0.0, 0.5, 3.0])), sinc(np.array([0.5, 1.0]), order=1).round(6)
    (array([1.        , 0.63661977, 0.        ]), array([-1.27324, -1.     ]))
    """
    whole = np.round(x)
    sine = np.where(whole % 2, -1, 1) * np.sin(np.pi * (x - whole))  # of pi x; exactly 0 at integers
    far = np.where(np.abs(x) > SINC_FAR, np.pi * x, 1)
    cosine = np.where(whole % 2, -1, 1) * np.cos(np.pi * (x - whole))
    waves = (sine, cosine, -sine, -cosine)
    value = sine / np.where(x == 0, 1, np.pi * x) + (x == 0)
    if order == 0:
        return value.astype(x.dtype)
    for n in range(1, order + 1):  # pi x sinc(x) = sin(pi x), differentiated n times
        value = (np.pi**n * waves[n % 4] - n * np.pi * value) / far
    # Close to 0 that loses digits; there sinc(x) is the mean of cos(pi x t) over t from 0 to 1.
    t, share = _nodes()
    near = np.pi * np.where(np.abs(x) > SINC_FAR, 0, x)[..., None] * t
    wave = np.sin(near) if order % 2 else np.cos(near)
    mean = (-1) ** ((order + 1) // 2) * (wave * (share * (np.pi * t) ** order)).sum(axis=-1)
    return np.where(np.abs(x) > SINC_FAR, value, mean).astype(x.dtype)


SINC_FAR = 4.0  # up to here 24 nodes integrate exactly, beyond it the recurrence is stable


def _nodes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gauss and Legendre's nodes and weights on [0, 1]."""
    node, weight = leggauss(24)
    return (node + 1) / 2, weight / 2


@sinc.vjp("x")
def _(y_bar: Value, x: Value, order: int) -> Value:
    return y_bar * sinc(x, order=order + 1)


@differentiable()
def tanh(x: Value) -> Value:
    """The hyperbolic tangent of x.

    >>> tanh(np.array([0.0, np.inf]))
    array([0., 1.])
    """
    return np.tanh(x)


@tanh.vjp("x")
def _(y_bar: Value, output: Value) -> Value:
    return y_bar * (1.0 - output * output)


@differentiable()
def sigmoid(x: Value) -> Value:
    """1 / (1 + exp(-x)), without overflow on either side.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    small = np.exp(-np.abs(x))  # at most 1, on either side
    return np.where(np.asarray(x) >= 0, 1.0, small) / (1.0 + small)


@sigmoid.vjp("x")
def _(y_bar: Value, output: Value) -> Value:
    return y_bar * output * (1.0 - output)


@differentiable()
def relu(x: Value) -> Value:
    """max(x, 0); the slope at 0 is taken as 0.

    >>> relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    return np.maximum(x, np.zeros_like(x))  # faster than with a number


@relu.vjp("x")
def _(y_bar: Value, output: Value) -> Value:
    return y_bar * (plain(output) > 0)


@differentiable()
def absolute(x: Value) -> Value:
    """abs(x); the slope at 0 is taken as 0.

    >>> absolute(np.array([-1.5, 2.0]))
    array([1.5, 2. ])
    """
    return np.abs(x)


@absolute.vjp("x")
def _(y_bar: Value, x: Value) -> Value:
    return y_bar * np.sign(plain(x))
