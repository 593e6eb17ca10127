"""Where weights begin. Each function returns an array; ``fan_in`` is the number of inputs of a unit."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..ops.transformation import as_transformation
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


def identity_transform(
    layer: Module, transformation: Any = "affine", size: tuple[int, ...] | None = None
) -> None:
    """Zero weights and the identity as bias: how the last layer of a localisation network begins.

    From a random start the first grids point anywhere, most of them outside the image, where there is no
    gradient to come back by (Jaderberg et al. 2015, section 3.1, and many who left it out).

    Parameters
    ----------
    layer : Module
        With ``weight`` and ``bias``, such as ``Linear``; its outputs are the numbers of theta.
    transformation : str or Transformation
        As for :func:`stn_ref.spatial_transform`.
    size : tuple of int or None
        The spatial shape of the transformer's output; needed for "flow" alone.

    >>> from stn_ref.nn import Linear
    >>> layer = Linear(20, 6, rng=np.random.default_rng(0))
    >>> identity_transform(layer)
    >>> layer.bias.data
    array([1., 0., 0., 0., 1., 0.], dtype=float32)
    """
    kind = as_transformation("identity_transform", transformation)
    weight, bias = getattr(layer, "weight", None), getattr(layer, "bias", None)
    sizes = [tuple(size)] if size is not None else [(1,) * d for d in kind.dimensions]
    fitting = [s for s in sizes if bias is not None and kind.parameters(s) == bias.size]
    if weight is None or bias is None or not fitting:
        if kind.name == "flow" and size is None:
            raise ValueError(
                "identity_transform: a flow has a number for every pixel of the output; give its shape, "
                "size=(H', W')"
            )
        counts = " or ".join(f"{kind.parameters(s)} outputs in {len(s)} dimensions" for s in sizes)
        raise ValueError(
            f"identity_transform: expected a layer with weight and bias and {counts} for the transformation "
            f"{kind.name!r}, got {type(layer).__name__} with {0 if bias is None else bias.size}"
        )
    weight.data = np.zeros_like(weight.data)
    bias.data = kind.identity(fitting[0]).astype(bias.dtype)
