"""MXNet: ``mxnet.nd.BilinearSampler`` and ``GridGenerator``.

Grids are channel-first, (N, 2, H', W'). -1 and 1 are the centres of the corner pixels, and outside are zeros.
There is one mode, for images, and no second order. The project is retired; 1.9.1 needs NumPy below 1.24.
"""

from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

from ..backend import Array, Unsupported
from .differentiating import Differentiating, Function, Named, Names, Tensors

SNIPPET = """\
import mxnet as mx

def tensor(array):
    return mx.nd.array(array, dtype=array.dtype)

def sampled(U, grid):
    return mx.nd.BilinearSampler(U, grid.transpose((0, 3, 1, 2)))

def gridded(theta, size):
    how = {"transform_type": "affine", "target_shape": size[2:]}
    return mx.nd.GridGenerator(theta.reshape((-1, 6)), **how).transpose((0, 2, 3, 1))

def grid_sample(U, grid, **settings):
    return sampled(tensor(U), tensor(grid)).asnumpy()

def grid_sample_vjp(U, grid, V_bar, needs, **settings):
    at = {"U": tensor(U), "grid": tensor(grid)}
    for name in needs:
        at[name].attach_grad()
    with mx.autograd.record():
        V = sampled(**at)
    V.backward(tensor(V_bar))
    return {name: at[name].grad.asnumpy() for name in needs}

def affine_grid(theta, size, align_corners):
    return gridded(tensor(theta), size).asnumpy()

def affine_grid_vjp(theta, size, grid_bar, align_corners):
    leaf = tensor(theta)
    leaf.attach_grad()
    with mx.autograd.record():
        grid = gridded(leaf, size)
    grid.backward(tensor(grid_bar))
    return leaf.grad.asnumpy()
"""


class MXNet(Differentiating):
    """On the CPU; derivatives by ``mxnet.autograd``."""

    name = "mxnet"
    align_corners = (True,)
    dtypes = ("float32", "float64")
    profile = "mxnet"
    snippet = SNIPPET

    @cached_property
    def mx(self) -> Any:
        return import_module("mxnet")

    @property
    def version(self) -> str:
        return str(self.mx.__version__)

    def tensor(self, array: Array) -> Any:
        return self.mx.nd.array(array, dtype=array.dtype)

    def array(self, tensor: Any) -> Any:
        return tensor.asnumpy()

    def sampled(self, U: Any, grid: Any, **settings: Any) -> Any:
        return self.mx.nd.BilinearSampler(U, grid.transpose((0, 3, 1, 2)))

    def gridded(self, theta: Any, size: "tuple[int, ...]", align_corners: bool) -> Any:
        if not align_corners or len(size) != 4:
            raise Unsupported("GridGenerator is as for align_corners=True, and for images")
        if theta.dtype != np.float32:
            raise Unsupported("GridGenerator is for float32 only")
        flat = theta.reshape((-1, 6))
        grid = self.mx.nd.GridGenerator(flat, transform_type="affine", target_shape=size[2:])
        return grid.transpose((0, 2, 3, 1))

    def pulled(self, f: Function, at: Named, needs: Names, bars: Tensors, again: bool = False) -> Named:
        if again:
            raise Unsupported("BilinearSampler has no derivatives of second order")
        for name in needs:
            at[name].attach_grad()
        with self.mx.autograd.record():
            outputs = f(at)
        self.mx.autograd.backward(outputs, list(bars))
        return {name: at[name].grad for name in needs}
