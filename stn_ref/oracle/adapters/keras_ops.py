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
from .jax_ndimage import ORDERS, ndimage_mode
from .pixels import pixel_axes
from .pytorch import Torch
from .tensorflow_crop import TensorFlow

SNIPPET = """\
import os
os.environ["KERAS_BACKEND"] = "FRAMEWORK"
import keras
at = []
for k, n in reversed([*enumerate(reversed(U.shape[2:]))]):
    at.append((grid[..., k] + 1) * (n - 1) / 2 if align_corners else ((grid[..., k] + 1) * n - 1) / 2)
reflection = "mirror" if align_corners else "reflect"
kind = {"zeros": "constant", "border": "nearest", "reflection": reflection}[padding_mode]
def plane(image, at):
    return keras.ops.convert_to_numpy(
        keras.ops.image.map_coordinates(image, at, int(mode == "bilinear"), kind)
    )
V = np.array([[plane(c, [x[n] for x in at]) for c in image] for n, image in enumerate(U)])"""


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
    snippet = SNIPPET.replace("FRAMEWORK", "tensorflow")

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
    snippet = SNIPPET.replace("FRAMEWORK", "torch")

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
