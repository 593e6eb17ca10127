"""Tasks 3 to 6: the sampler, eqs. (3) to (5), and its derivatives, eqs. (6) and (7).

Points are (N, H', W', 2), in PIXELS, last axis (x, y). Images are U, (N, C, H, W), or (N, H, W, C) where
CHANNELS_LAST says so; of the output V it is the same.
"""

import numpy as np
from numpy.typing import NDArray

from .conventions import CHANNELS_LAST, KERNEL, KINK, PADDING

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


def channels_first(images: Array) -> Array:
    """(N, C, H, W), whatever the layout; a view of the same memory."""
    return np.moveaxis(images, -1, 1) if CHANNELS_LAST else images


def in_our_layout(images: Array) -> Array:
    """Back from (N, C, H, W)."""
    return np.moveaxis(images, 1, -1) if CHANNELS_LAST else images


# Task 3: eqs. (3) and (4), to the letter


def kernel(t: Array) -> Array:
    """k(t) of eq. (3), for the KERNEL of this term; 0 from |t| = 1 on.

    "bilinear"    1 - |t|
    "smoothstep"  1 - 3 t^2 + 2 |t|^3
    "cosine"      (1 + cos(pi t)) / 2

    >>> kernel(np.array([-1.5, 0.0, 0.25]))
    array([0.  , 1.  , 0.75])
    """
    # BEGIN SOLUTION task=3
    distance = np.minimum(abs(t), 1)
    if KERNEL == "smoothstep":
        return 1 - 3 * distance**2 + 2 * distance**3
    if KERNEL == "cosine":
        return (1 + np.cos(np.pi * distance)) / 2
    return 1 - distance
    # END SOLUTION


def sample_everywhere(U: Array, points: Array) -> Array:
    """Eq. (3): V^c = sum over all n, m of U^c_nm k(x - m) k(y - n).

    Every pixel of the image takes part, most with a weight of 0. Beyond the image there is nothing, whatever
    PADDING says.

    >>> U = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> sample_everywhere(U, np.array([[[[0.5, 0.0], [0.5, 1.5]]]]))
    array([[[[1.5 , 1.75]]]])
    """
    # BEGIN SOLUTION task=3
    image = channels_first(U)
    height, width = image.shape[2:]
    k_x = kernel(points[..., 0, None] - np.arange(width))
    k_y = kernel(points[..., 1, None] - np.arange(height))
    return in_our_layout(np.einsum("ncrs,nhwr,nhws->nchw", image, k_y, k_x))
    # END SOLUTION


def sample_nearest(U: Array, points: Array) -> Array:
    """Eq. (4): V^c = U^c_nm at m = floor(x + 1/2), n = floor(y + 1/2); 0 beyond the image.

    >>> U = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> sample_nearest(U, np.array([[[[0.5, 0.0], [0.49, 1.0], [1.5, 0.0]]]]))
    array([[[[2., 3., 0.]]]])
    """
    # BEGIN SOLUTION task=3
    image = channels_first(U)
    height, width = image.shape[2:]
    m, n = np.floor(points[..., 0] + 0.5), np.floor(points[..., 1] + 0.5)
    inside = (m >= 0) & (m < width) & (n >= 0) & (n < height)
    row, column = (np.where(inside, index, 0).astype(int) for index in (n, m))
    batch = np.arange(len(image))[:, None, None]
    pixels = image.transpose(0, 2, 3, 1)[batch, row, column]
    return in_our_layout(np.moveaxis(np.where(inside[..., None], pixels, 0), -1, 1))
    # END SOLUTION


# Task 4: eq. (5), from the two neighbours along each axis


def neighbours(x: Array, size: int) -> list[tuple[Indices, Array, Array]]:
    """The two pixels around a coordinate along an axis of ``size`` pixels.

    For each of both: its index, its weight, and the weight's derivative for x. Where x is an integer, the
    derivative is that on the side that KINK names. Beyond the image stands what PADDING says: with "zeros" a
    pixel of weight 0 (give it any index that exists), with "border" the edge pixel.

    >>> for index, weight, slope in neighbours(np.array([1.25, 2.0]), 3):
    ...     print(index, weight, slope)
    [1 2] [0.75 1.  ] [-1. -1.]
    [2 0] [0.25 0.  ] [1. 0.]
    """
    # BEGIN SOLUTION task=4
    before = np.floor(x) if KINK == "right" else np.ceil(x) - 1
    t = x - before
    if KERNEL == "smoothstep":
        far, slope = 3 * t**2 - 2 * t**3, 6 * t - 6 * t**2
    elif KERNEL == "cosine":
        far, slope = (1 - np.cos(np.pi * t)) / 2, np.pi / 2 * np.sin(np.pi * t)
    else:
        far, slope = t, np.ones_like(t)
    found = []
    for pixel, weight, derivative in ((before, 1 - far, -slope), (before + 1, far, slope)):
        inside = (pixel >= 0) & (pixel < size)
        if PADDING == "border":
            index = np.clip(pixel, 0, size - 1)
        else:
            index, weight, derivative = (np.where(inside, a, 0) for a in (pixel, weight, derivative))
        found.append((index.astype(int), weight, derivative))
    return found
    # END SOLUTION


def sample(U: Array, points: Array) -> Array:
    """Eq. (5): each sample is the sum of the four pixels around it, times their weights.

    With another KERNEL than "bilinear" its weights take the place of eq. (5)'s.

    >>> U = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> sample(U, np.array([[[[0.5, 0.0], [0.5, 0.5]]]]))
    array([[[[1.5, 2.5]]]])
    """
    # BEGIN SOLUTION task=4
    pixels = np.moveaxis(channels_first(U), 1, -1)
    height, width = pixels.shape[1:3]
    batch = np.arange(len(pixels))[:, None, None]
    V = np.zeros((*points.shape[:3], pixels.shape[3]))
    for row, k_y, _ in neighbours(points[..., 1], height):
        for column, k_x, _ in neighbours(points[..., 0], width):
            V += (k_x * k_y)[..., None] * pixels[batch, row, column]
    return in_our_layout(np.moveaxis(V, -1, 1))
    # END SOLUTION


# Task 5: eq. (6), the cotangent of the image


def splat(V_bar: Array, points: Array, height: int, width: int) -> Array:
    """Eq. (6) against V_bar: the cotangent of U, for images of ``height`` times ``width`` pixels.

    Each sample gives its cotangent back to the four pixels that it was made of, with the same weights. A
    pixel from which several samples were made gets the sum of what they give.

    >>> two_at_one_place = np.array([[[[0.25, 0.0], [0.25, 0.0]]]])
    >>> splat(np.array([[[[4.0, 8.0]]]]), two_at_one_place, 1, 3)
    array([[[[9., 3., 0.]]]])
    """
    # BEGIN SOLUTION task=5
    given = np.moveaxis(channels_first(V_bar), 1, -1)
    batch = np.arange(len(given))[:, None, None]
    U_bar = np.zeros((len(given), height, width, given.shape[3]))
    for row, k_y, _ in neighbours(points[..., 1], height):
        for column, k_x, _ in neighbours(points[..., 0], width):
            np.add.at(U_bar, (batch, row, column), (k_x * k_y)[..., None] * given)
    return in_our_layout(np.moveaxis(U_bar, -1, 1))
    # END SOLUTION


# Task 6: eq. (7), the cotangent of the points


def slopes(U: Array, points: Array, V_bar: Array) -> Array:
    """Eq. (7) against V_bar: the cotangent of the points, (N, H', W', 2), in pixels.

    dV^c/dx is the same sum as V^c, with the derivative of k(x - m) for x in the place of k(x - m). All
    channels are sampled at one point, so that it hears from all of them.

    >>> U = np.array([[[[3.0, 5.0, 9.0]]]])
    >>> slopes(U, np.array([[[[1.25, 0.0]]]]), np.array([[[[10.0]]]]))     # 10 (9 - 5), and down to the zeros
    array([[[[ 40., -60.]]]])
    """
    # BEGIN SOLUTION task=6
    pixels = np.moveaxis(channels_first(U), 1, -1)
    weighted = np.moveaxis(channels_first(V_bar), 1, -1)
    height, width = pixels.shape[1:3]
    batch = np.arange(len(pixels))[:, None, None]
    points_bar = np.zeros(points.shape)
    for row, k_y, slope_y in neighbours(points[..., 1], height):
        for column, k_x, slope_x in neighbours(points[..., 0], width):
            share = (weighted * pixels[batch, row, column]).sum(axis=-1)
            points_bar[..., 0] += share * slope_x * k_y
            points_bar[..., 1] += share * k_x * slope_y
    return points_bar
    # END SOLUTION
