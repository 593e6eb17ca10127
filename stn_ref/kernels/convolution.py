"""Cross-correlation as many small matrix products, batch innermost in memory.

Results are (N, C, H, W) views of memory in the order (H, W, C, N), in which the next layer finds them as it
wants them. There, once a row of windows has been copied together as (W, kh, C, N), what one window sees is a
single block of memory: a matrix (kw kh C, N), without a further copy. So a picture is copied kh times and not
kh kw times, in pieces that stay in the cache, and the matrices are so small that the BLAS multiplies them as
they lie instead of packing them first. Of a few images only, what all windows of a row see is laid side by
side instead, since a matrix with few columns is read for too little work.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from .buffering import unbuffered
from .workspace import workspace

Array = NDArray[Any]
Pair = tuple[int, int]
SMALL = 10**6  # multiplications in a product that the BLAS does without packing
CACHE = 2**18  # numbers
FEW, LONG = 16, 128  # images


def out_size(size: int, kernel: int, stride: int, padding: int) -> int:
    """How many positions a window has along an axis."""
    return (size + 2 * padding - kernel) // stride + 1


def batch_last(x: Array, padding: Pair = (0, 0)) -> Array:
    """(N, C, H, W) to (H, W, C, N) in one block of memory, without a copy where it is already so."""
    turned, (ph, pw) = x.transpose(2, 3, 1, 0), padding
    if not (ph or pw):
        return np.ascontiguousarray(turned)
    h, w, c, n = turned.shape
    image = np.zeros((h + 2 * ph, w + 2 * pw, c, n), x.dtype)
    image[ph : ph + h, pw : pw + w] = turned
    return image


def batch_first(x: Array) -> Array:
    """(H, W, C, N) seen as (N, C, H, W)."""
    seen: Array = x.transpose(3, 2, 0, 1)
    return seen


def _parts(n: int, each: int) -> Iterator[slice]:
    """The batch in parts of equal size, so small that ``each`` number of an image fits into the cache."""
    count = max(1, -(-n * each // CACHE))
    size = max(16, -(-n // (16 * count)) * 16)
    return (slice(k, k + size) for k in range(0, n, size))


def _seen(image: Array, kernel: Pair, stride: Pair) -> Iterator[Array]:
    """For each row of windows what they see, (OW, kw kh C, N): overlapping views of one copy."""
    h, w, c, n = image.shape
    (kh, kw), (sh, sw) = kernel, stride
    with workspace() as space:
        taken = space.taken
        row = space.empty((w, kh, c, n), image.dtype)
        column, _, _, number = row.strides
        shape, strides = (out_size(w, kw, sw, 0), kw * kh * c, n), (sw * column, n * number, number)
        windows = as_strided(row, shape, strides, writeable=False)
        for top in range(0, h - kh + 1, sh):
            row[...] = image[top : top + kh].transpose(1, 0, 2, 3)
            yield windows
        space.release(taken)


def _seen_side_by_side(image: Array, kernel: Pair, stride: Pair) -> Iterator[Array]:
    """For each row of windows what they see, as one matrix (kh kw C, OW N).

    Here each row of the image is copied once for each place along a row of the window, and kh rows in
    succession are the matrix.
    """
    h, w, c, n = image.shape
    (kh, kw), (sh, sw) = kernel, stride
    oh, ow = out_size(h, kh, sh, 0), out_size(w, kw, sw, 0)
    row, column, channel, number = image.strides
    shifted = as_strided(
        image, (h, kw, c, ow, n), (row, column, channel, sw * column, number), writeable=False
    )
    together = (4 * CACHE // max(1, kw * c * ow * n) - kh) // sh + 1  # rows of windows
    together = max(1, min(together, oh))
    with workspace() as space:
        taken = space.taken
        rows = space.empty(((together - 1) * sh + kh, kw, c, ow, n), image.dtype)
        for first in range(0, oh, together):
            count = min(together, oh - first)
            used = rows[: (count - 1) * sh + kh]
            used[...] = shifted[first * sh : first * sh + len(used)]
            for k in range(0, count * sh, sh):
                yield used[k : k + kh].reshape(kh * kw * c, ow * n)
        space.release(taken)


def _multiply(a: Array, b: Array, out: Array) -> None:
    """out = a @ b for stacks b and out, in pieces of 16 columns or more that are small to the BLAS."""
    columns = SMALL // max(1, a.size) // 16 * 16
    if not 0 < columns < b.shape[2]:
        columns = max(1, b.shape[2])
    for k in range(0, b.shape[2], columns):
        here = (..., slice(k, k + columns))
        np.matmul(a, b[here], out=out[here])


def correlate(x: Array, weight: Array, stride: Pair, padding: Pair) -> Array:
    """y[n,o] = sum over c, i, j of weight[o,c,i,j] x[n,c] shifted by (i, j)."""
    o, c, kh, kw = weight.shape
    n, _, h, w = x.shape
    oh = out_size(h, kh, stride[0], padding[0])
    ow = out_size(w, kw, stride[1], padding[1])
    y = np.empty((oh, ow, o, n), np.result_type(x, weight))
    image = batch_last(x, padding)
    if n < FEW:
        matrix = weight.transpose(0, 2, 3, 1).reshape(o, kh * kw * c)
        for seen, y_row in zip(_seen_side_by_side(image, (kh, kw), stride), y):
            y_row[...] = (matrix @ seen).reshape(o, ow, n).transpose(1, 0, 2)
        return batch_first(y)
    matrix = weight.transpose(0, 3, 2, 1).reshape(o, kw * kh * c)
    for part in _parts(n, w * kh * c):
        for seen, y_row in zip(_seen(image[..., part], (kh, kw), stride), y):
            _multiply(matrix, seen, y_row[..., part])
    return batch_first(y)


def correlate_weight(y: Array, x: Array, shape: tuple[int, ...], stride: Pair, padding: Pair) -> Array:
    """The transpose of :func:`correlate` in its weight: a weight of ``shape`` from outputs ``y``."""
    (o, c, kh, kw), n = shape, len(x)
    image, rows = batch_last(x, padding), batch_last(y)
    matrix = np.zeros((kh * kw * c, o), np.result_type(x, y))
    if n >= LONG:
        _add_products(matrix, image, rows, (kh, kw), stride)
        places = (0, 3, 2, 1)  # of (O, kw, kh, C)
    else:
        _add_long_products(matrix, image, rows, (kh, kw), stride)
        places = (0, 3, 1, 2)  # of (O, kh, kw, C)
    # in two steps, since the cache has no room for lines from all over the matrix
    weight = np.ascontiguousarray(matrix.T).reshape(o, *((kw, kh) if n >= LONG else (kh, kw)), c)
    return np.ascontiguousarray(weight.transpose(places))


def _add_products(matrix: Array, image: Array, y: Array, kernel: Pair, stride: Pair) -> None:
    """Add to ``matrix`` (kw kh C, O) for each window the product over the batch of what it sees and y."""
    together = max(1, CACHE // max(1, matrix.size))
    for seen, y_row in zip(_seen(image, kernel, stride), y.transpose(0, 1, 3, 2)):
        for k in range(0, len(seen), together):
            with workspace() as space:
                taken = space.taken
                terms = space.empty((len(seen[k : k + together]), *matrix.shape), matrix.dtype)
                np.matmul(seen[k : k + together], y_row[k : k + together], out=terms)
                matrix += terms.sum(axis=0)
                space.release(taken)


def _add_long_products(matrix: Array, image: Array, y: Array, kernel: Pair, stride: Pair) -> None:
    """Add to ``matrix`` (kh kw C, O) for each row of windows one product over windows and batch."""
    for seen, y_row in zip(_seen_side_by_side(image, kernel, stride), y.transpose(0, 2, 1, 3)):
        matrix += seen @ y_row.reshape(y_row.shape[0], seen.shape[1]).T


def correlate_input(y: Array, weight: Array, shape: tuple[int, ...], stride: Pair, padding: Pair) -> Array:
    """The transpose of :func:`correlate` in its input: an input of ``shape`` from outputs ``y``.

    For each column of the input, one product with all outputs that have seen it: they lie side by side. Its
    results, one for each row of the window, are added where they belong.
    """
    n, c, h, w = shape
    o, _, kh, kw = weight.shape
    (_, sw), (_, pw) = stride, padding
    outputs = batch_last(y)
    oh, ow = outputs.shape[:2]
    x = np.empty((h, w, c, n), np.result_type(y, weight))
    turned = np.ascontiguousarray(weight.reshape(o, c * kh * kw).T).reshape(c, kh, kw, o)
    turned = np.ascontiguousarray(turned.transpose(1, 0, 2, 3)[:, :, ::-1])  # kw from last to first
    for column in range(w):
        # output k sees this column at place j = column + pw - sw k of its window
        first, last = max(0, -((kw - 1 - column - pw) // sw)), min(ow - 1, (column + pw) // sw)
        count = max(0, last + 1 - first)
        place = kw - 1 - (column + pw - sw * first)
        factors = turned[:, :, place : place + sw * count : sw] if count else turned[:, :, :0]
        seers = outputs[:, first : first + count].reshape(oh, count * o, n)
        _column(x[:, column], factors.reshape(kh, c, count * o), seers, stride[0], padding[0])
    return batch_first(x)


def _column(x: Array, weight: Array, y: Array, stride: int, padding: int) -> None:
    """Fill a column x (H, C, N) from all outputs that see it, (OH, places, N), by weights (kh, C, places)."""
    (kh, c, places), (oh, _, n) = weight.shape, y.shape
    dtype = x.dtype
    with workspace() as space, unbuffered():
        taken = space.taken
        column = space.empty((len(x) + 2 * padding, c, n), dtype)
        if n < FEW:
            side_by_side = y.transpose(1, 0, 2).reshape(places, oh * n)
            terms = (weight.reshape(kh * c, places) @ side_by_side).reshape(kh, c, oh, n).swapaxes(1, 2)
        elif c == 1:  # then the BLAS can leave each row of the window in one piece
            terms = space.empty((kh, oh, 1, n), dtype)
            _multiply(weight.reshape(kh, places), y, terms[:, :, 0].transpose(1, 0, 2))
        else:
            terms = space.empty((oh, kh * c, n), dtype)
            _multiply(weight.reshape(kh * c, places), y, terms)
            terms = terms.reshape(oh, kh, c, n).transpose(1, 0, 2, 3)
        column[...] = 0
        for i in range(kh):
            rows = column[i : i + stride * oh : stride]
            np.add(rows, terms[i], out=rows)
        x[...] = column[padding : padding + len(x)]
        space.release(taken)
