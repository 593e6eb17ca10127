"""Two-dimensional convolution: one bilinear map, whose two transposes are its rules.

All three are linear in each argument, so the rules of each are the other two, and derivatives of
every order stay among them.
"""

from typing import Any

import numpy as np

from ..autograd.tape import differentiable
from ..autograd.tensor import Value, plain
from ..errors import check_floating
from ..kernels import convolution as kernels
from .shaping import reshape


def pair(operator: str, argument: str, value: Any, least: int) -> tuple[int, int]:
    """An int or a pair of ints as a pair, each at least ``least``."""
    both = (value, value) if isinstance(value, (int, np.integer)) else value
    if (
        not isinstance(both, (tuple, list))
        or len(both) != 2
        or not all(isinstance(k, (int, np.integer)) and k >= least for k in both)
    ):
        raise ValueError(
            f"{operator}: {argument} is {value!r}, expected an int or a pair of ints of at least {least}"
        )
    return int(both[0]), int(both[1])


def conv2d(x: Value, weight: Value, bias: Value | None = None, *, stride: Any = 1, padding: Any = 0) -> Value:
    """Two-dimensional convolution (the neural kind: the kernel is not flipped).

    Parameters
    ----------
    x : (N, C, H, W)
    weight : (O, C, kh, kw)
    bias : (O,) or None
    stride, padding : int or (int, int)
        Step of the window, and rows and columns of zeros added on both sides.

    Returns
    -------
    (N, O, OH, OW) with OH = (H + 2 padding - kh) // stride + 1, of the dtype of ``x``.

    Raises
    ------
    ValueError
        If the shapes do not fit, or the window is larger than the padded image.

    >>> conv2d(np.ones((1, 1, 2, 3)), np.ones((1, 1, 2, 2)))
    array([[[[4., 4.]]]])
    """
    check_floating("conv2d", "x", plain(x))
    check_floating("conv2d", "weight", plain(weight))
    x_shape, w_shape = np.shape(plain(x)), np.shape(plain(weight))
    steps, added = pair("conv2d", "stride", stride, 1), pair("conv2d", "padding", padding, 0)
    if len(x_shape) != 4:
        raise ValueError(f"conv2d: x has shape {x_shape}, expected (N, C, H, W)")
    if len(w_shape) != 4 or w_shape[1] != x_shape[1]:
        raise ValueError(
            f"conv2d: weight has shape {w_shape}, expected (O, C, kh, kw) with C = {x_shape[1]}, "
            f"the channels of x of shape {x_shape}"
        )
    for k in (0, 1):
        if w_shape[2 + k] > x_shape[2 + k] + 2 * added[k]:
            raise ValueError(
                f"conv2d: the window {w_shape[2:]} is larger than the image {x_shape[2:]} with padding "
                f"{added}; use a smaller kernel or more padding"
            )
    if bias is not None and np.shape(plain(bias)) != w_shape[:1]:
        raise ValueError(
            f"conv2d: bias has shape {np.shape(plain(bias))}, expected ({w_shape[0]},), one number "
            "an output channel"
        )
    y = correlate(x, weight, stride=steps, padding=added)
    return y if bias is None else y + reshape(bias, shape=(1, -1, 1, 1))


@differentiable()
def correlate(x: Value, weight: Value, *, stride: tuple[int, int], padding: tuple[int, int]) -> Value:
    """:func:`conv2d` without bias; stride and padding are pairs.

    >>> correlate(np.ones((1, 1, 2, 3)), np.ones((1, 1, 2, 2)), stride=(1, 1), padding=(0, 0))
    array([[[[4., 4.]]]])
    """
    return kernels.correlate(x, weight, stride, padding)


@correlate.vjp("x")
def _(y_bar: Value, weight: Value, x_shape: Any, stride: Any, padding: Any) -> Value:
    return correlate_input(y_bar, weight, shape=x_shape, stride=stride, padding=padding)


@correlate.vjp("weight")
def _(y_bar: Value, x: Value, weight_shape: Any, stride: Any, padding: Any) -> Value:
    return correlate_weight(y_bar, x, shape=weight_shape, stride=stride, padding=padding)


@differentiable()
def correlate_input(y: Value, weight: Value, *, shape: tuple[int, ...], stride: Any, padding: Any) -> Value:
    """The transpose of :func:`correlate` in x (a "transposed convolution"): from y back to ``shape``."""
    return kernels.correlate_input(y, weight, shape, stride, padding)


@correlate_input.vjp("y")
def _(x_bar: Value, weight: Value, stride: Any, padding: Any) -> Value:
    return correlate(x_bar, weight, stride=stride, padding=padding)


@correlate_input.vjp("weight")
def _(x_bar: Value, y: Value, weight_shape: Any, stride: Any, padding: Any) -> Value:
    return correlate_weight(y, x_bar, shape=weight_shape, stride=stride, padding=padding)


@differentiable()
def correlate_weight(y: Value, x: Value, *, shape: tuple[int, ...], stride: Any, padding: Any) -> Value:
    """The transpose of :func:`correlate` in its weight: from y and x to a weight of ``shape``."""
    return kernels.correlate_weight(y, x, shape, stride, padding)


@correlate_weight.vjp("y")
def _(w_bar: Value, x: Value, stride: Any, padding: Any) -> Value:
    return correlate(x, w_bar, stride=stride, padding=padding)


@correlate_weight.vjp("x")
def _(w_bar: Value, y: Value, x_shape: Any, stride: Any, padding: Any) -> Value:
    return correlate_input(y, w_bar, shape=x_shape, stride=stride, padding=padding)
