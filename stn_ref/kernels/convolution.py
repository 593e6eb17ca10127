"""Cross-correlation as one matrix product over unfolded patches, batch innermost in memory.

With the batch as the last axis in memory each row of a patch is one long run of numbers, so that
unfolding copies at the speed of memory; results are handed out as (N, C, H, W) views of that layout, in
which the next layer finds them as it wants them.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Pair = tuple[int, int]


def out_size(size: int, kernel: int, stride: int, padding: int) -> int:
    """How many positions a window has along an axis."""
    return (size + 2 * padding - kernel) // stride + 1


def _unfold(x: Array, kernel: Pair, stride: Pair, padding: Pair) -> Array:
    """(N, C, H, W) to patches (C * kh * kw, OH * OW * N)."""
    n, c, h, w = x.shape
    (kh, kw), (sh, sw), (ph, pw) = kernel, stride, padding
    oh, ow = out_size(h, kh, sh, ph), out_size(w, kw, sw, pw)
    moved = x.transpose(1, 2, 3, 0)
    added = ((0, 0), (ph, ph), (pw, pw), (0, 0))
    moved = np.pad(moved, added) if ph or pw else np.ascontiguousarray(moved)
    patches = np.empty((c, kh, kw, oh, ow, n), x.dtype)
    for i in range(kh):
        for j in range(kw):
            patches[:, i, j] = moved[:, i : i + sh * oh : sh, j : j + sw * ow : sw]
    return patches.reshape(c * kh * kw, oh * ow * n)


def _as_columns(y: Array) -> Array:
    """(N, O, OH, OW) to (O, OH * OW * N), without a copy where the memory is already so."""
    n, o, oh, ow = y.shape
    return np.ascontiguousarray(y.transpose(1, 2, 3, 0)).reshape(o, oh * ow * n)


def correlate(x: Array, weight: Array, stride: Pair, padding: Pair) -> Array:
    """y[n,o] = sum over c, i, j of weight[o,c,i,j] x[n,c] shifted by (i, j)."""
    o, c, kh, kw = weight.shape
    n, _, h, w = x.shape
    oh = out_size(h, kh, stride[0], padding[0])
    ow = out_size(w, kw, stride[1], padding[1])
    y: Array = weight.reshape(o, c * kh * kw) @ _unfold(x, (kh, kw), stride, padding)
    return np.moveaxis(y.reshape(o, oh, ow, n), -1, 0)


def correlate_weight(y: Array, x: Array, shape: tuple[int, ...], stride: Pair, padding: Pair) -> Array:
    """The transpose of :func:`correlate` in its weight: a weight of ``shape`` from outputs ``y``."""
    patches = _unfold(x, (shape[2], shape[3]), stride, padding)
    weight: Array = (_as_columns(y) @ patches.T).reshape(shape)
    return weight


def correlate_input(y: Array, weight: Array, shape: tuple[int, ...], stride: Pair, padding: Pair) -> Array:
    """The transpose of :func:`correlate` in its input: an input of ``shape`` from outputs ``y``."""
    n, c, h, w = shape
    o, _, kh, kw = weight.shape
    (sh, sw), (ph, pw) = stride, padding
    oh, ow = y.shape[2], y.shape[3]
    patches = (weight.reshape(o, c * kh * kw).T @ _as_columns(y)).reshape(c, kh, kw, oh, ow, n)
    x: Array = np.zeros((c, h + 2 * ph, w + 2 * pw, n), patches.dtype)
    for i in range(kh):
        for j in range(kw):
            x[:, i : i + sh * oh : sh, j : j + sw * ow : sw] += patches[:, i, j]
    return np.moveaxis(x[:, ph : ph + h, pw : pw + w], -1, 0)
