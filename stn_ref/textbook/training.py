"""Task 9: how a spatial transformer begins, and how it learns."""

import numpy as np
from numpy.typing import NDArray

from .chain import spatial_transform, spatial_transform_vjp
from .sampler import channels_first

Array = NDArray[np.float64]
BECOMES_THETA = {  # the numbers that a localisation network gives, and what theta is made of them
    "affine": ("a", "b", "c", "d", "e", "f"),  # [[a, b, c], [d, e, f]]
    "attention": ("s", "t_x", "t_y"),  # [[s, 0, t_x], [0, s, t_y]]
    "translation": ("t_x", "t_y"),  # [[1, 0, t_x], [0, 1, t_y]]
}


def first_head(transformation: str, inputs: int) -> tuple[Array, Array]:
    """Weight and bias with which the last layer of a localisation network begins: (K, inputs) and (K,).

    Whatever its inputs are, the transformer is to begin with the identity. The K outputs are the numbers of
    BECOMES_THETA.

    >>> weight, bias = first_head("attention", 20)
    >>> weight.shape, bias
    ((3, 20), array([1., 0., 0.]))
    """
    # BEGIN SOLUTION task=9
    one = {"a", "e", "s"}
    bias = np.array([1.0 if name in one else 0.0 for name in BECOMES_THETA[transformation]])
    return np.zeros((len(bias), inputs)), bias
    # END SOLUTION


def classify(
    U: Array, head: Array, head_bias: Array, weight: Array, bias: Array, height: int, width: int
) -> Array:
    """The logits (N, K) of the smallest spatial transformer network there is.

    Both of its layers see the numbers of an image in a row, as they lie in memory. The localisation network
    is the first: ``head`` (6, numbers of U) and ``head_bias`` (6,) give theta for each image. The other,
    ``weight`` (K, numbers of V) and ``bias`` (K,), works on V, the image as theta sees it, with ``height``
    times ``width`` pixels.

    >>> U = np.array([[[[1.0, 2.0]]]])
    >>> one_pixel = np.array([1.0, 0.0, 2.0, 0.0, 1.0, 0.0])
    >>> classify(U, np.zeros((6, 2)), one_pixel, np.eye(2), np.zeros(2), 1, 2)
    array([[2., 0.]])
    """
    # BEGIN SOLUTION task=9
    theta = (U.reshape(len(U), -1) @ head.T + head_bias).reshape(-1, 2, 3)
    V = spatial_transform(U, theta, height, width)
    return V.reshape(len(V), -1) @ weight.T + bias
    # END SOLUTION


def step(value: Array, cotangent: Array, lr: float, slower: float = 1.0) -> Array:
    """A step of gradient descent; ``slower`` is what a localisation network's learning rate is multiplied by.

    >>> step(np.array([1.0]), np.array([2.0]), 0.5, slower=0.1)
    array([0.9])
    """
    # BEGIN SOLUTION task=9
    return value - lr * slower * cotangent
    # END SOLUTION


def align(U: Array, target: Array, theta: Array, lr: float, steps: int) -> tuple[Array, Array]:
    """Turn, move and scale images until they look like ``target``: gradient descent on theta.

    The loss is half the sum of all squared differences of V and ``target``. Returns theta after ``steps``
    steps, and the loss before each step and after the last: (steps + 1,).

    >>> U = np.array([[[[0.0, 1.0, 2.0, 1.0, 0.0]]]])
    >>> half_a_pixel = np.array([[[1.0, 0.0, 0.25], [0.0, 1.0, 0.0]]])
    >>> target = spatial_transform(U, half_a_pixel, 1, 5)
    >>> theta, losses = align(U, target, np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]), 0.02, 50)
    >>> bool(losses[-1] < losses[0] / 100)
    True
    """
    # BEGIN SOLUTION task=9
    height, width = channels_first(target).shape[2:]
    losses = []
    for _ in range(steps):
        difference = spatial_transform(U, theta, height, width) - target
        losses.append((difference**2).sum() / 2)
        _, theta_bar = spatial_transform_vjp(U, theta, difference)
        theta = step(theta, theta_bar, lr)
    difference = spatial_transform(U, theta, height, width) - target
    return theta, np.array([*losses, (difference**2).sum() / 2])
    # END SOLUTION
