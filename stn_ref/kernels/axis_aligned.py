"""Bilinear sampling on a grid parallel to the image: eqs. (5)-(7) one axis after the other.

Where theta only scales and shifts (attention, eq. (2)), x depends on the column alone and y on the row alone.
Then eq. (5) is V = Y U X^T, with the two weights of each output row in a row of Y and those of each output
column in a row of X; eq. (6) is Y^T V X, and eq. (7) has the derivative of one of the two matrices in its
place. Why it is fast: weights are worked out for rows and columns, not for pixels, there are two taps along
each axis instead of four in all, and the products run along whole rows.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .beside import Axis, beside
from .places import NOWHERE, AffineMap, Part, tamed
from .sampling import Orders

Array = NDArray[Any]


class AxisAligned:
    """The samples at ``places``, whose theta is diagonal but for the shift; padding ``zeros`` or ``border``.

    Every kink is read from the right. ``orders`` are those of the derivative to take, x first. ``keep`` says
    that after :meth:`sample` the others will be wanted.
    """

    def __init__(self, places: AffineMap, padding_mode: str, keep: bool = False) -> None:
        self.places, self.zeros, self.keep = places, padding_mode == "zeros", keep
        self._axes: tuple[list[Axis], list[Any]] | None = None

    def sample(self, U: Array, orders: Orders) -> Array:
        """Eq. (5) or a derivative of it: (N, C, H', W'); NaN where a coordinate is NaN."""
        V = self.columns(orders[0], self.rows(orders[1], U))
        _, (x_lost, y_lost) = self.axes()
        if x_lost is not NOWHERE:
            V[np.broadcast_to(x_lost[:, None, None, :], V.shape)] = np.nan
        if y_lost is not NOWHERE:
            V[np.broadcast_to(y_lost[:, None, :, None], V.shape)] = np.nan
        return V

    def splat(self, V: Array, shape: tuple[int, ...], orders: Orders) -> Array:
        """Eq. (6): the transpose of :meth:`sample`, (N, C, *shape)."""
        return self.rows(orders[1], self.columns(orders[0], V, transposed=True), transposed=True)

    def slopes(self, U: Array, V: Array, orders: Orders) -> Array:
        """Eq. (7), summed over channels against V: the cotangent of theta."""
        total = self.places.nothing()
        each = []
        for axis in range(2):
            raised = tuple(order + (k == axis) for k, order in enumerate(orders))
            each.append(np.einsum("nchw,nchw->nhw", self.sample(U, raised), V).reshape(len(V), -1))
        self.places.collect(total, Part(slice(0, len(V)), slice(0, V.shape[2])), each)
        return total

    def rows(self, order: int, image: Array, transposed: bool = False) -> Array:
        """Y times every channel (H, W) of an image, or Y^T."""
        (_, y), _ = self.axes()
        channels, width = image.shape[1], image.shape[3]
        out, size = self.places.shape[1], self.places.sizes[1]
        matrix = diagonal_blocks(y, order, out, size, repeat=channels)
        product = (matrix.T if transposed else matrix) @ np.ascontiguousarray(image).reshape(-1, width)
        found: Array = product.reshape(len(image), channels, -1, width)
        return found

    def columns(self, order: int, image: Array, transposed: bool = False) -> Array:
        """Every channel (H, W) of an image times X^T, or X."""
        (x, _), _ = self.axes()
        n, channels, height = image.shape[:3]
        matrix = diagonal_blocks(x, order, self.places.shape[2], self.places.sizes[0], repeat=1)
        turned = np.ascontiguousarray(image.transpose(0, 3, 1, 2)).reshape(-1, channels * height)
        product = (matrix.T if transposed else matrix) @ turned
        return np.ascontiguousarray(product.reshape(n, -1, channels, height).transpose(0, 2, 3, 1))

    def axes(self) -> tuple[list[Axis], list[Any]]:
        """For x and y the pixels beside each output column or row, (N, n); and the keys of NaN ones."""
        if self._axes is not None:
            return self._axes
        theta, (_, *out) = self.places.theta, self.places.shape
        base = self.places.base(slice(0, out[0])).reshape(3, *out)
        along = base[0, 0], base[1, :, 0]
        axes, lost = [], []
        for k, size in enumerate(self.places.sizes):
            with np.errstate(over="ignore", invalid="ignore"):
                x = theta[:, k, k, None] * along[k] + theta[:, k, 2, None]
            undefined = tamed(x, NOWHERE)
            axes.append(beside(x, size, self.zeros))
            lost.append(undefined)
            for weight in (*axes[k].weight, *axes[k].slope):
                weight[undefined] = 0
        if self.keep:
            self._axes = axes, lost
        return axes, lost


def diagonal_blocks(axis: Axis, order: int, out: int, size: int, repeat: int) -> Any:
    """A sparse matrix with a block (out, size) for each image, ``repeat`` times, along its diagonal."""
    from scipy.sparse import csr_matrix  # here, since it takes long to import

    n = len(axis.index[0])
    index, weight = (np.stack(pair, axis=-1) for pair in (axis.index, axis.sides(order)))
    starts = np.arange(n * repeat, dtype=np.int32) * size
    index = np.repeat(index[:, None], repeat, axis=1).reshape(n * repeat, -1) + starts[:, None]
    weight = np.repeat(weight[:, None], repeat, axis=1)
    ends = np.arange(0, 2 * out * n * repeat + 1, 2, dtype=np.int32)
    shape = (out * n * repeat, size * n * repeat)
    return csr_matrix((weight.reshape(-1), index.reshape(-1), ends), shape=shape)
