"""JAX: ``jax.scipy.ndimage.map_coordinates``, for each channel by ``vmap``.

It takes pixel coordinates. Its mode ``constant`` is eq. (5), which SciPy calls ``grid-constant``, as its
documentation says. Half-way between two pixels the one farther from 0 is nearest. There are no cubic orders,
and no affine grid.
"""

from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

from ..backend import Array
from .differentiating import Differentiating, Function, Named, Names, Tensors
from .pixels import PIXEL_AXES, pixel_axes

ORDERS = {"nearest": 0, "bilinear": 1}
NDIMAGE_MODE = """
def ndimage_mode(padding_mode, align_corners):
    reflection = "mirror" if align_corners else "reflect"
    return {"zeros": "constant", "border": "nearest", "reflection": reflection}[padding_mode]
"""
SNIPPET = (
    """\
import functools
import jax
jax.config.update("jax_enable_x64", True)
"""
    + NDIMAGE_MODE
    + PIXEL_AXES
    + """
@functools.partial(jax.jit, static_argnames=("mode", "padding_mode", "align_corners"))
def sampled(U, grid, mode, padding_mode, align_corners):
    def plane(image, axes):
        how = int(mode == "bilinear"), ndimage_mode(padding_mode, align_corners)
        return jax.scipy.ndimage.map_coordinates(image, axes, *how)
    axes = pixel_axes(jax.numpy, grid, U.shape[2:], align_corners)
    return jax.vmap(jax.vmap(plane, (0, None)))(U, axes)

def pulled(f, at, needs, bars):
    _, pullback = jax.vjp(lambda leaves: f({**at, **leaves}), {name: at[name] for name in needs})
    return pullback(bars)[0]

def grid_sample(U, grid, **settings):
    return sampled(U, grid, **settings)

def grid_sample_vjp(U, grid, V_bar, needs, **settings):
    at = {"U": U, "grid": grid}
    return pulled(lambda at: sampled(**at, **settings), at, needs, V_bar)

def grid_sample_jvp(U, grid, U_dot, grid_dot, **settings):
    _, V_dot = jax.jvp(functools.partial(sampled, **settings), (U, grid), (U_dot, grid_dot))
    return V_dot

def grid_sample_vjp_vjp(U, grid, V_bar, U_bar_bar, grid_bar_bar, needs, **settings):
    bars = lambda at: grid_sample_vjp(**at, needs=("U", "grid"), **settings)
    at = {"U": U, "grid": grid, "V_bar": V_bar}
    return pulled(bars, at, needs, {"U": U_bar_bar, "grid": grid_bar_bar})
"""
)


def ndimage_mode(padding_mode: str, align_corners: bool) -> str:
    """What JAX and Keras call a padding mode.

    >>> ndimage_mode("zeros", True), ndimage_mode("reflection", True), ndimage_mode("reflection", False)
    ('constant', 'mirror', 'reflect')
    """
    reflection = "mirror" if align_corners else "reflect"
    return {"zeros": "constant", "border": "nearest", "reflection": reflection}[padding_mode]


class Jax(Differentiating):
    """Under ``jax.jit``, which compiles for every new shape and setting; ``jax.vjp`` and ``jax.jvp``."""

    name = "jax"
    modes = ("nearest", "bilinear")
    padding_modes = ("zeros", "border", "reflection")
    dims = (2, 3)
    dtypes = ("float32", "float64")
    profile = "jax"
    snippet = SNIPPET

    @cached_property
    def jax(self) -> Any:
        jax = import_module("jax")
        jax.config.update("jax_enable_x64", True)
        return jax

    @property
    def version(self) -> str:
        return str(self.jax.__version__)

    def tensor(self, array: Array) -> Any:
        return self.jax.numpy.asarray(array)

    def array(self, tensor: Any) -> Any:
        return np.asarray(tensor)

    def sampled(self, U: Any, grid: Any, **settings: Any) -> Any:
        return self.compiled(U, grid, **settings)

    @cached_property
    def compiled(self) -> Any:
        return self.jax.jit(self.traced, static_argnames=("mode", "padding_mode", "align_corners"))

    def traced(self, U: Any, grid: Any, *, mode: str, padding_mode: str, align_corners: bool) -> Any:
        """V, written with JAX."""

        def plane(image: Any, axes: Any) -> Any:
            how = (ORDERS[mode], ndimage_mode(padding_mode, align_corners))
            return self.jax.scipy.ndimage.map_coordinates(image, axes, *how)

        axes = pixel_axes(self.jax.numpy, grid, U.shape[2:], align_corners)
        return self.jax.vmap(self.jax.vmap(plane, (0, None)))(U, axes)

    def pulled(self, f: Function, at: Named, needs: Names, bars: Tensors, again: bool = False) -> Named:
        chosen = {name: at[name] for name in needs}
        _, pullback = self.jax.vjp(lambda chosen: f({**at, **chosen}), chosen)
        found: Named = pullback(list(bars))[0]
        return found

    def pushed(self, f: Callable[..., Any], primals: Tensors, tangents: Tensors) -> Any:
        _, tangent = self.jax.jvp(f, primals, tangents)
        return tangent
