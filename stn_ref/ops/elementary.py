"""Functions of one number, elementwise. At 0, their kink, ``absolute`` and ``relu`` take the slope 0."""

import numpy as np

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
    return np.maximum(x, 0)


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
