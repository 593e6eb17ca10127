"""Chainer: ``chainer.functions.spatial_transformer_sampler`` and ``spatial_transformer_grid``.

Grids are channel-first, (N, 2, H', W'). -1 and 1 are the centres of the corner pixels, and outside are zeros.
There is one mode, for images of any floating dtype, and no second order. The project is in maintenance only;
7.8.1 needs NumPy below 1.24.
"""

from functools import cached_property
from importlib import import_module
from typing import Any

from ..backend import Array, Unsupported
from .differentiating import Differentiating, Function, Named, Names, Tensors

SNIPPET = """\
import chainer

def sampled(U, grid):
    return chainer.functions.spatial_transformer_sampler(U, grid.transpose((0, 3, 1, 2)))

def gridded(theta, size):
    return chainer.functions.spatial_transformer_grid(theta, size[2:]).transpose((0, 2, 3, 1))

def pulled(output, bar):
    output.grad_var = chainer.Variable(bar)
    output.backward()

def grid_sample(U, grid, **settings):
    return sampled(*(chainer.Variable(array, requires_grad=False) for array in (U, grid))).array

def grid_sample_vjp(U, grid, V_bar, needs, **settings):
    arrays = {"U": U, "grid": grid}
    at = {name: chainer.Variable(array, requires_grad=name in needs) for name, array in arrays.items()}
    pulled(sampled(**at), V_bar)
    return {name: at[name].grad for name in needs}

def affine_grid(theta, size, align_corners):
    return gridded(chainer.Variable(theta, requires_grad=False), size).array

def affine_grid_vjp(theta, size, grid_bar, align_corners):
    leaf = chainer.Variable(theta)
    pulled(gridded(leaf, size), grid_bar)
    return leaf.grad
"""


class Chainer(Differentiating):
    """On the CPU; derivatives by ``Variable.backward``."""

    name = "chainer"
    align_corners = (True,)
    dtypes = ("float16", "float32", "float64")
    profile = "mxnet"
    snippet = SNIPPET

    @cached_property
    def chainer(self) -> Any:
        return import_module("chainer")

    @property
    def version(self) -> str:
        return str(self.chainer.__version__)

    def tensor(self, array: Array) -> Any:
        return self.chainer.Variable(array, requires_grad=False)

    def array(self, tensor: Any) -> Any:
        return tensor.array

    def sampled(self, U: Any, grid: Any, **settings: Any) -> Any:
        return self.chainer.functions.spatial_transformer_sampler(U, grid.transpose((0, 3, 1, 2)))

    def gridded(self, theta: Any, size: "tuple[int, ...]", align_corners: bool) -> Any:
        if not align_corners or len(size) != 4:
            raise Unsupported("spatial_transformer_grid is as for align_corners=True, and for images")
        return self.chainer.functions.spatial_transformer_grid(theta, size[2:]).transpose((0, 2, 3, 1))

    def pulled(self, f: Function, at: Named, needs: Names, bars: Tensors, again: bool = False) -> Named:
        if again:
            raise Unsupported("spatial_transformer_sampler has no derivatives of second order")
        leaves = {name: self.chainer.Variable(at[name].array) for name in needs}
        [output], [bar] = f({**at, **leaves}), bars
        output.grad_var = bar
        output.backward()
        return {name: leaves[name].grad_var for name in needs}
