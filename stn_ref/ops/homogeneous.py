"""Maps as homogeneous matrices (N, d + 1, d + 1) in pixel units, x first.

A normalised coordinate is the distance from the centre in pixels, divided by half a span (see ``pixels``). So
with S and T the half spans of source and target, c their centres, and H a map in normalised coordinates,

    M = shift(c_s) (H * scales) shift(-c_t),      scales = (S_x, S_y, 1) / (T_x, T_y, 1),

is the same map in pixels, j_s = M j_t. The scales, a quotient for each row and column, multiply element
by element; they alone know of align_corners. What a library takes may differ in the order of the axes, in
what it leaves out, and in where it has the centre of the first pixel.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autograd.tensor import Value, plain
from .linear import einsum
from .pixel_units import pixel_centre
from .shaping import concatenate

Array = NDArray[Any]

FORMS: dict[str, dict[tuple[int, ...], tuple[int, ...]]] = {  # of a theta, and of its matrix there
    "opencv": {(2, 3): (2, 3), (3, 3): (3, 3)},
    "scipy": {(2, 3): (3, 3), (3, 4): (4, 4)},
    "pil": {(2, 3): (6,), (3, 3): (8,)},
}
FIRST_CENTRE = {"opencv": 0.0, "scipy": 0.0, "pil": 0.5}  # the coordinate of the first pixel's centre


def lifted(theta: Value) -> Value:
    """Affine maps (N, d, d + 1) with their last row (0, ..., 0, 1); square ones as they are.

    >>> lifted(np.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]))
    array([[[1., 2., 3.],
            [4., 5., 6.],
            [0., 0., 1.]]])
    """
    n, rows, columns = theta.shape
    last = np.broadcast_to(np.eye(columns, dtype=theta.dtype)[rows:], (n, columns - rows, columns))
    return concatenate([theta, last], axis=1)


def shifted(
    H: Value, size: tuple[int, ...], source: tuple[int, ...], first: float, *, back: bool = False
) -> Value:
    """From distances from the centres to pixel coordinates in which the first pixel has ``first``.

    >>> shifted(np.diag([-1.0, 1.0, 1.0])[None], (3, 4), (3, 4), 0.0)      # x_s = 3 - x_t
    array([[[-1.,  0.,  3.],
            [ 0.,  1.,  0.],
            [ 0.,  0.,  1.]]])
    """
    after, before = np.eye(len(source) + 1, dtype=H.dtype), np.eye(len(size) + 1, dtype=H.dtype)
    sign = -1 if back else 1
    after[:-1, -1] = sign * (pixel_centre(source, H.dtype) + first)
    before[:-1, -1] = -sign * (pixel_centre(size, H.dtype) + first)
    return einsum("ij,njk->nik", after, einsum("nij,jk->nik", H, before))


def other_order(M: Value) -> Value:
    """Of the axes: from (x, y(, z)) to ((slice,) row, column), and back.

    >>> other_order(np.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [0.0, 0.0, 1.0]]]))
    array([[[5., 4., 6.],
            [2., 1., 3.],
            [0., 0., 1.]]])
    """
    order = np.array([*range(M.shape[1] - 2, -1, -1), M.shape[1] - 1])
    return M[:, order[:, None], order]


def divided(M: Value) -> Value:
    """Homographies by their last number, so that it is 1 and can be left out.

    >>> divided(np.array([[[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 1.0, 2.0]]]))[0, 2]
    array([0. , 0.5, 1. ])
    """
    last = M[:, 2:, 2:]
    if (plain(last) == 0).any():
        k = int((plain(last) == 0).argmax())
        raise ValueError(
            f"theta_to_matrix: theta[{k}] sends the corner (0, 0) of PIL's output to infinity, expected a "
            "finite point, since PIL's form divides by its weight; shift the output, or use library='opencv'"
        )
    return M / last
