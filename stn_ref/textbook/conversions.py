"""Task 10: the same map, as other libraries want it.

All of them map TARGET to SOURCE. ``size`` is (H', W'), of the output, ``source`` is (H, W), of the image.
"""

import numpy as np
from numpy.typing import NDArray

from .conventions import ALIGN_CORNERS

Array = NDArray[np.float64]
Size = tuple[int, int]


def to_opencv(theta: Array, size: Size, source: Size) -> Array:
    """M (N, 2, 3) for ``cv2.warpAffine(image, M[n], (W', H'), flags=... | cv2.WARP_INVERSE_MAP)``.

    In pixels on both sides, (x, y), the centre of the first pixel at (0, 0): x_s = M (x_t, y_t, 1).

    >>> mirror = np.array([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> to_opencv(mirror, (3, 4), (3, 4))
    array([[[-1.,  0.,  3.],
            [ 0.,  1.,  0.]]])
    """
    # BEGIN SOLUTION task=10
    less = 1 if ALIGN_CORNERS else 0
    S, T = np.array(source[::-1]), np.array(size[::-1])  # (W, H) and (W', H')
    from_normalised, to_normalised = (S - less) / 2, 2 / (T - less)
    linear = from_normalised[:, None] * theta[:, :, :2] * to_normalised
    source_middle, target_middle = (S - 1) / 2, (T - 1) / 2
    shift = from_normalised * theta[:, :, 2] + source_middle - linear @ target_middle
    return np.concatenate([linear, shift[..., None]], axis=2)
    # END SOLUTION


def to_scipy(theta: Array, size: Size, source: Size) -> tuple[Array, Array]:
    """matrix (N, 2, 2) and offset (N, 2) for SciPy's ``affine_transform(image, matrix[n], offset[n], size)``.

    In pixels on both sides, in the order (row, column), the centre of the first pixel at (0, 0).

    >>> mirror = np.array([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> matrix, offset = to_scipy(mirror, (3, 4), (3, 4))
    >>> offset + 0.0
    array([[0., 3.]])
    """
    # BEGIN SOLUTION task=10
    M = to_opencv(theta, size, source)
    return M[:, ::-1, 1::-1], M[:, ::-1, 2]
    # END SOLUTION


def to_pytorch(theta: Array, size: Size, source: Size) -> Array:
    """theta (N, 2, 3) for PyTorch with the OTHER ``align_corners`` in affine_grid and grid_sample.

    It is to sample at the same pixels as our theta does with ours.

    >>> one_pixel = np.array([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]])
    >>> to_pytorch(one_pixel, (5, 5), (5, 5))[0, 0]                 # 0.5 times (5 - 1) / 2, 0.4 times 5 / 2
    array([1. , 0. , 0.4])
    """
    # BEGIN SOLUTION task=10
    ours, other = (1, 0) if ALIGN_CORNERS else (0, 1)
    S, T = np.array(source[::-1]), np.array(size[::-1])
    in_the_source, in_the_target = (S - ours) / (S - other), (T - other) / (T - ours)
    linear = in_the_source[:, None] * theta[:, :, :2] * in_the_target
    return np.concatenate([linear, (in_the_source * theta[:, :, 2])[..., None]], axis=2)
    # END SOLUTION


def rotation(degrees: float, source: Size) -> Array:
    """theta (1, 2, 3) that turns an image of ``source`` about its centre without bending it.

    What lies one pixel to the right of the centre in the output is read (cos, sin) pixels from it. Output and
    image have the same size, which need not be square.

    >>> rotation(90, (3, 5)).round(12) + 0.0
    array([[[ 0. , -0.5,  0. ],
            [ 2. ,  0. ,  0. ]]])
    """
    # BEGIN SOLUTION task=10
    less = 1 if ALIGN_CORNERS else 0
    height, width = source[0] - less, source[1] - less
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[[cos, -sin * height / width, 0], [sin * width / height, cos, 0]]])
    # END SOLUTION
