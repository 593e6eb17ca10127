"""TensorFlow: ``tf.image.crop_and_resize``, with a box of one pixel for every point of the grid.

TensorFlow has no grid sampler (``resampler`` lay in the discontinued TensorFlow Addons, and
``ImageProjectiveTransformV3`` takes eight numbers). This is the function of it that samples an image at given
places, with a gradient for them: eq. (2), and the crops of region networks. Its boxes are in [0, 1], the
corner centres. What lies outside is filled at once, where eq. (5) tapers. Half-way between two pixels the one
farther from 0 is nearest. The result is float32.
"""

from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from math import prod
from typing import Any

from ..backend import Array, Unsupported
from .differentiating import Differentiating, Function, Named, Names, Tensors

TENSORFLOW = """\
import tensorflow as tf
"""
CROPPED = """
def sampled(U, grid, mode, padding_mode, align_corners):
    n, *size = grid.shape[:-1]
    x, y = tf.unstack(tf.reshape((grid + 1) / 2, (-1, 2)), axis=1)
    boxes, which = tf.stack([y, x, y, x], axis=1), np.repeat(np.arange(n), np.prod(size))
    crops = tf.image.crop_and_resize(tf.transpose(U, (0, 2, 3, 1)), boxes, which, (1, 1), mode)
    return tf.transpose(tf.reshape(crops, (n, *size, U.shape[1])), (0, 3, 1, 2))
"""
DERIVATIVES = """
def pulled(f, at, needs, bars):
    leaves = {name: at[name] for name in needs}
    with tf.GradientTape() as tape:
        tape.watch(leaves)
        pairs = [(output, bar) for output, bar in zip(f(at), bars) if output is not None]
    outputs, kept = map(list, zip(*pairs))
    found = tape.gradient(outputs, leaves, output_gradients=kept)
    return {name: None if bar is None else tf.convert_to_tensor(bar) for name, bar in found.items()}

def grid_sample(U, grid, **settings):
    return sampled(tf.constant(U), tf.constant(grid), **settings)

def grid_sample_vjp(U, grid, V_bar, needs, **settings):
    at = {"U": tf.constant(U), "grid": tf.constant(grid)}
    return pulled(lambda at: [sampled(**at, **settings)], at, needs, [tf.constant(V_bar)])

def grid_sample_jvp(U, grid, U_dot, grid_dot, **settings):
    primals, tangents = [tf.constant(U), tf.constant(grid)], [tf.constant(U_dot), tf.constant(grid_dot)]
    with tf.autodiff.ForwardAccumulator(primals, tangents) as accumulator:
        V = sampled(*primals, **settings)
    return accumulator.jvp(V, tf.UnconnectedGradients.ZERO)

def grid_sample_vjp_vjp(U, grid, V_bar, U_bar_bar, grid_bar_bar, needs, **settings):
    def bars(at):
        inner = {"U": at["U"], "grid": at["grid"]}
        first = pulled(lambda at: [sampled(**at, **settings)], inner, ("U", "grid"), [at["V_bar"]])
        return first["U"], first["grid"]
    at = {"U": tf.constant(U), "grid": tf.constant(grid), "V_bar": tf.constant(V_bar)}
    return pulled(bars, at, needs, [tf.constant(U_bar_bar), tf.constant(grid_bar_bar)])
"""


class TensorFlow(Differentiating):
    """Derivatives by ``tf.GradientTape`` and ``tf.autodiff.ForwardAccumulator``."""

    name = "tensorflow"
    modes = ("nearest", "bilinear")
    align_corners: "tuple[bool, ...]" = (True,)
    dtypes: "tuple[str, ...]" = ("float32",)
    profile = "jax"
    snippet = TENSORFLOW + CROPPED + DERIVATIVES

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
        x, y = tf.unstack(tf.reshape((grid + 1) / 2, (-1, 2)), axis=1)
        boxes = tf.stack([y, x, y, x], axis=1)
        which = tf.repeat(tf.range(n), prod(size))
        try:
            crops = tf.image.crop_and_resize(tf.transpose(U, (0, 2, 3, 1)), boxes, which, (1, 1), mode)
        except tf.errors.InvalidArgumentError as error:
            if "finite" not in str(error):
                raise
            raise Unsupported("crop_and_resize takes no box that is not finite") from error
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
