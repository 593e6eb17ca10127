"""Max and average pooling. Where several elements of a window are the maximum, the first one has it."""

from typing import Any

import numpy as np

from ..autograd.tape import differentiable
from ..autograd.tensor import Value, plain
from ..errors import check_flag, check_floating
from ..kernels import pooling as kernels
from .arithmetic import as_dtype
from .convolution import pair

Pair = tuple[int, int]


def _windows(
    operator: str, x: Value, kernel_size: Any, stride: Any, ceil_mode: Any
) -> tuple[Pair, Pair, Pair]:
    check_floating(operator, "x", plain(x))
    shape = np.shape(plain(x))
    kernel = pair(operator, "kernel_size", kernel_size, 1)
    step = kernel if stride is None else pair(operator, "stride", stride, 1)
    check_flag(operator, "ceil_mode", ceil_mode)
    if len(shape) != 4:
        raise ValueError(f"{operator}: x has shape {shape}, expected (N, C, H, W)")
    out = tuple(kernels.out_size(shape[2 + k], kernel[k], step[k], bool(ceil_mode)) for k in (0, 1))
    if min(out) < 1 or 0 in shape[2:]:
        raise ValueError(
            f"{operator}: a window of {kernel} does not fit into an image of {shape[2:]}; use a smaller "
            "kernel_size, or ceil_mode=True to keep windows that hang over the edge"
        )
    return kernel, step, (out[0], out[1])


def max_pool2d(x: Value, *, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Value:
    """The maximum over each window.

    Parameters
    ----------
    x : (N, C, H, W)
    kernel_size, stride : int or (int, int)
        Size and step of the window; the step is the size if None.
    ceil_mode : bool
        Whether windows that hang over the lower or right edge count too (with what they hold).

    Returns
    -------
    (N, C, OH, OW). The cotangent of a window goes to its first maximum.

    Raises
    ------
    ValueError
        If no window fits.

    >>> max_pool2d(np.arange(9.0).reshape(1, 1, 3, 3), kernel_size=2, ceil_mode=True)
    array([[[[4., 5.],
             [7., 8.]]]])
    """
    kernel, step, out = _windows("max_pool2d", x, kernel_size, stride, ceil_mode)
    return window_max(x, out=out, kernel=kernel, stride=step)


@differentiable()
def window_max(x: Value, *, out: Pair, kernel: Pair, stride: Pair, saved: Any = None) -> Value:
    """The maximum over each window of x (N, C, H, W); ``out`` is the number of windows along each axis."""
    if saved is None:
        return kernels.maximum(x, out, kernel, stride)
    best, saved["which"] = kernels.first_maximum(x, out, kernel, stride)
    return best


@window_max.vjp("x")
def _(y_bar: Value, x_shape: Any, kernel: Pair, stride: Pair, saved: Any) -> Value:
    return window_put(y_bar, which=saved["which"], shape=x_shape, kernel=kernel, stride=stride)


@differentiable()
def window_pick(x: Value, *, which: Any, kernel: Pair, stride: Pair) -> Value:
    """From each window of x (N, C, H, W) the element at place ``which`` (N, C, OH, OW), row by row."""
    return kernels.pick(x, which, kernel, stride)


@window_pick.vjp("x")
def _(y_bar: Value, which: Any, x_shape: Any, kernel: Pair, stride: Pair) -> Value:
    return window_put(y_bar, which=which, shape=x_shape, kernel=kernel, stride=stride)


@differentiable()
def window_put(y: Value, *, which: Any, shape: Any, kernel: Pair, stride: Pair) -> Value:
    """The transpose of :func:`window_pick`: each number goes to its place, sums where windows overlap."""
    return kernels.put(y, which, shape, kernel, stride)


@window_put.vjp("y")
def _(x_bar: Value, which: Any, kernel: Pair, stride: Pair) -> Value:
    return window_pick(x_bar, which=which, kernel=kernel, stride=stride)


def avg_pool2d(x: Value, *, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Value:
    """The mean over each window; under ceil mode a window that hangs over counts only what it holds.

    Parameters, result and errors as for :func:`max_pool2d`.

    >>> avg_pool2d(np.arange(9.0).reshape(1, 1, 3, 3), kernel_size=2, ceil_mode=True)
    array([[[[2. , 3.5],
             [6.5, 8. ]]]])
    """
    kernel, step, out = _windows("avg_pool2d", x, kernel_size, stride, ceil_mode)
    dtype = plain(x).dtype
    wide = as_dtype(x, np.promote_types(dtype, np.float32))  # the sum of a window may overflow float16
    count = kernels.window_sum(np.ones((1, 1, *x.shape[2:]), wide.dtype), out, kernel, step)
    return as_dtype(window_sum(wide, out=out, kernel=kernel, stride=step) / count, dtype)


@differentiable()
def window_sum(x: Value, *, out: Pair, kernel: Pair, stride: Pair) -> Value:
    """The sum over each window of x (N, C, H, W); ``out`` is the number of windows along each axis."""
    return kernels.window_sum(x, out, kernel, stride)


@window_sum.vjp("x")
def _(y_bar: Value, x_shape: Any, kernel: Pair, stride: Pair) -> Value:
    return window_spread(y_bar, shape=x_shape, kernel=kernel, stride=stride)


@differentiable()
def window_spread(y: Value, *, shape: Any, kernel: Pair, stride: Pair) -> Value:
    """The transpose of :func:`window_sum`: each number goes to all places of its window."""
    return kernels.spread(y, shape, kernel, stride)


@window_spread.vjp("y")
def _(x_bar: Value, y_shape: Any, kernel: Pair, stride: Pair) -> Value:
    return window_sum(x_bar, out=y_shape[2:], kernel=kernel, stride=stride)
