"""Where weights begin. Each function returns an array; ``fan_in`` is the number of inputs of a unit."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .module import Module

Array = NDArray[Any]


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Inputs and outputs of a unit, for a weight (out, in, ...)."""
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def xavier(shape: tuple[int, ...], rng: np.random.Generator, dtype: Any = np.float32) -> Array:
    """Uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010).

    >>> bool(abs(xavier((3, 3), np.random.default_rng(0))).max() <= 1)
    True
    """
    bound = math.sqrt(6 / sum(_fans(shape)))
    return rng.uniform(-bound, bound, shape).astype(dtype)


def he(shape: tuple[int, ...], rng: np.random.Generator, dtype: Any = np.float32) -> Array:
    """Normal with variance 2 / fan_in (He et al. 2015), for layers that a ReLU follows.

    >>> he((4, 2, 3, 3), np.random.default_rng(0)).shape
    (4, 2, 3, 3)
    """
    return (rng.standard_normal(shape) * math.sqrt(2 / _fans(shape)[0])).astype(dtype)


def fan_in_uniform(shape: tuple[int, ...], rng: np.random.Generator, dtype: Any = np.float32) -> Array:
    """Uniform in +-1 / sqrt(fan_in) (LeCun et al. 1998): smaller than both others, PyTorch's default.

    >>> bool(abs(fan_in_uniform((3, 4), np.random.default_rng(0))).max() <= 0.5)
    True
    """
    bound = 1 / math.sqrt(_fans(shape)[0])
    return rng.uniform(-bound, bound, shape).astype(dtype)


def identity_transform(layer: Module) -> None:
    """Zero weights and the identity as bias: how the last layer of a localisation network begins.

    From a random start the first grids point anywhere, most of them outside the image, where there is no
    gradient to come back by (Jaderberg et al. 2015, section 3.1, and many who left it out).

    >>> from stn_ref.nn import Linear
    >>> layer = Linear(20, 6, rng=np.random.default_rng(0))
    >>> identity_transform(layer)
    >>> layer.bias.data
    array([1., 0., 0., 0., 1., 0.], dtype=float32)
    """
    weight, bias = getattr(layer, "weight", None), getattr(layer, "bias", None)
    if weight is None or bias is None or bias.size not in (6, 12):
        raise ValueError(
            "identity_transform: expected a layer with weight and bias and 6 outputs (12 for volumes), got "
            f"{type(layer).__name__} with {0 if bias is None else bias.size}"
        )
    d = 2 if bias.size == 6 else 3
    weight.data = np.zeros_like(weight.data)
    bias.data = np.eye(d, d + 1, dtype=bias.dtype).reshape(-1)
