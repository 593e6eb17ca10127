"""Keras: ``keras.ops.image.map_coordinates``, image by image and channel by channel.

It takes pixel coordinates and is written once for each framework that Keras runs on. Here are those that
differentiate, on TensorFlow and on PyTorch; on JAX it is JAX's function. Its mode ``constant`` fills pixel by
pixel, which is eq. (5), not SciPy's ``constant``. Half-way between two pixels the even one is nearest. There
is no affine grid.
"""

import os
from functools import cached_property
from importlib import import_module
from typing import Any

from ..backend import Unsupported
from .jax_ndimage import NDIMAGE_MODE, ORDERS, ndimage_mode
from .pixels import PIXEL_AXES, pixel_axes
from .pytorch import BEYOND, SAMPLES, TENSORS, Torch
from .tensorflow_crop import DERIVATIVES, TENSORFLOW, TensorFlow

MAPPED = (
    """\
import os
os.environ["KERAS_BACKEND"] = "FRAMEWORK"
import keras
"""
    + NDIMAGE_MODE
    + PIXEL_AXES
    + """
def sampled(U, grid, mode, padding_mode, align_corners):
    how = int(mode == "bilinear"), ndimage_mode(padding_mode, align_corners)
    axes = keras.ops.stack(pixel_axes(keras.ops, grid, U.shape[2:], align_corners))
    image = keras.ops.image.map_coordinates
    V = [[image(U[n, c], axes[:, n], *how) for c in range(U.shape[1])] for n in range(U.shape[0])]
    return keras.ops.stack([keras.ops.stack(channels) for channels in V])
"""
)


def keras_on(framework: str) -> Any:
    """Keras on ``framework``, which it takes from the environment when it is first imported."""
    os.environ["KERAS_BACKEND"] = framework
    keras = import_module("keras")
    if keras.backend.backend() != framework:
        raise Unsupported(f"Keras runs on {keras.backend.backend()} in this process, expected {framework}")
    return keras


def mapped(keras: Any, U: Any, grid: Any, mode: str, padding_mode: str, align_corners: bool) -> Any:
    """V, from tensors of Keras's framework to a tensor."""
    if 0 in U.shape[:2]:
        raise Unsupported("there is no image to sample")
    how = (ORDERS[mode], ndimage_mode(padding_mode, align_corners))
    axes = keras.ops.stack(pixel_axes(keras.ops, grid, U.shape[2:], align_corners))
    images = [
        [keras.ops.image.map_coordinates(U[n, c], axes[:, n], *how) for c in range(U.shape[1])]
        for n in range(U.shape[0])
    ]
    return keras.ops.stack([keras.ops.stack(channels) for channels in images])


class Keras(TensorFlow):
    """Keras on TensorFlow, where it runs by default."""

    name = "keras"
    padding_modes = ("zeros", "border", "reflection")
    align_corners = (True, False)
    dims = (2, 3)
    dtypes = ("float32", "float64")
    profile = "torch"
    snippet = MAPPED.replace("FRAMEWORK", "tensorflow") + TENSORFLOW + DERIVATIVES

    @cached_property
    def keras(self) -> Any:
        return keras_on("tensorflow")

    @property
    def version(self) -> str:
        return f"{self.keras.__version__} (TensorFlow {self.tf.__version__})"

    def sampled(self, U: Any, grid: Any, **settings: Any) -> Any:
        return mapped(self.keras, U, grid, **settings)


class KerasTorch(Torch):
    """Keras on PyTorch."""

    name = "keras-torch"
    modes = ("nearest", "bilinear")
    dtypes = ("float32", "float64")
    snippet = MAPPED.replace("FRAMEWORK", "torch") + TENSORS + SAMPLES + BEYOND

    @cached_property
    def keras(self) -> Any:
        return keras_on("torch")

    @property
    def version(self) -> str:
        return f"{self.keras.__version__} (PyTorch {self.torch.__version__})"

    def sampled(self, U: Any, grid: Any, **settings: Any) -> Any:
        return mapped(self.keras, U, grid, **settings)

    def gridded(self, theta: Any, size: "tuple[int, ...]", align_corners: bool) -> Any:
        raise Unsupported("no affine_grid")
