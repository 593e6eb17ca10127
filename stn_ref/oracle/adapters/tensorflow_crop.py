"""TensorFlow: ``tf.image.crop_and_resize``, with a box of one pixel for every point of the grid.

TensorFlow has no grid sampler (``resampler`` lay in the discontinued TensorFlow Addons, and
``ImageProjectiveTransformV3`` takes eight numbers). This is the function of it that samples an image at given
places, with a gradient for them: eq. (2), and the crops of region networks. Its boxes are in [0, 1], the
corner centres. What lies outside is filled at once, where eq. (5) tapers, so that questions about the pixel
around the image are not answered. Half-way between two pixels the one farther from 0 is nearest. The result
is float32.
"""

from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from math import prod
from typing import Any

import numpy as np

from ..backend import Array, Unsupported
from .differentiating import Differentiating, Function, Named, Names, Tensors


class TensorFlow(Differentiating):
    """Derivatives by ``tf.GradientTape`` and ``tf.autodiff.ForwardAccumulator``."""

    name = "tensorflow"
    modes = ("nearest", "bilinear")
    align_corners: "tuple[bool, ...]" = (True,)
    dtypes: "tuple[str, ...]" = ("float32",)
    profile = "jax"
    snippet = """\
import tensorflow as tf
U_leaf, grid_leaf = leaves = [tf.Variable(array) for array in (U, grid)]
(N, C), (H, W) = U.shape[:2], grid.shape[1:3]
with tf.GradientTape() as tape:
    x, y = tf.unstack(tf.reshape((grid_leaf + 1) / 2, (-1, 2)), axis=1)
    boxes, which = tf.stack([y, x, y, x], axis=1), np.repeat(np.arange(N), H * W)
    crops = tf.image.crop_and_resize(tf.transpose(U_leaf, (0, 2, 3, 1)), boxes, which, (1, 1), mode)
    V = tf.transpose(tf.reshape(crops, (N, H, W, C)), (0, 3, 1, 2))
U_bar, grid_bar = tape.gradient(V, leaves, V_bar)
V = V.numpy()"""

    @cached_property
    def tf(self) -> Any:
        return import_module("tensorflow")

    @property
    def version(self) -> str:
        return str(self.tf.__version__)

    def tensor(self, array: Array) -> Any:
        return self.tf.convert_to_tensor(array)

    def array(self, tensor: Any) -> Any:
        return tensor.numpy()

    def sampled(self, U: Any, grid: Any, *, mode: str, padding_mode: str, align_corners: bool) -> Any:
        tf = self.tf
        n, *size = grid.shape[:-1]
        beyond = (np.abs(grid) - 1) * (np.array([U.shape[3], U.shape[2]]) - 1) / 2
        if ((beyond > 0) & (beyond < 1)).any():
            raise Unsupported("less than a pixel outside it fills at once, where eq. (5) tapers")
        x, y = tf.unstack(tf.reshape((grid + 1) / 2, (-1, 2)), axis=1)
        boxes = tf.stack([y, x, y, x], axis=1)
        which = tf.repeat(tf.range(n), prod(size))
        crops = tf.image.crop_and_resize(tf.transpose(U, (0, 2, 3, 1)), boxes, which, (1, 1), mode)
        return tf.transpose(tf.reshape(crops, (n, *size, U.shape[1])), (0, 3, 1, 2))

    def pulled(self, f: Function, at: Named, needs: Names, bars: Tensors, again: bool = False) -> Named:
        chosen = {name: at[name] for name in needs}
        with self.tf.GradientTape() as tape:
            tape.watch(chosen)
            pairs = [(output, bar) for output, bar in zip(f(at), bars) if output is not None]
        if not pairs:
            return dict.fromkeys(needs)
        outputs, kept = map(list, zip(*pairs))
        try:
            found: Named = tape.gradient(outputs, chosen, output_gradients=kept)
        except LookupError as error:
            raise Unsupported(f"TensorFlow: {error}") from error
        return {name: None if bar is None else self.tf.convert_to_tensor(bar) for name, bar in found.items()}

    def pushed(self, f: Callable[..., Any], primals: Tensors, tangents: Tensors) -> Any:
        try:
            with self.tf.autodiff.ForwardAccumulator(list(primals), list(tangents)) as accumulator:
                result = f(*primals)
        except LookupError as error:
            raise Unsupported(f"TensorFlow: {error}") from error
        return accumulator.jvp(result, self.tf.UnconnectedGradients.ZERO)
