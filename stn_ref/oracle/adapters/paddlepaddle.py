"""PaddlePaddle: ``paddle.nn.functional.grid_sample`` and ``affine_grid``.

The API of PyTorch without bicubic and float16. Half-way between two pixels the even one is nearest.
"""

from functools import cached_property
from importlib import import_module
from typing import Any

from ..backend import Array, Unsupported
from .differentiating import Differentiating, Function, Named, Names, Tensors

SNIPPET = """\
import paddle

def tensor(array):
    return paddle.to_tensor(array, place=paddle.CPUPlace())

def pulled(output, leaves, bar):
    return paddle.grad([output], leaves, [tensor(bar)], allow_unused=True)

def grid_sample(U, grid, **settings):
    return paddle.nn.functional.grid_sample(tensor(U), tensor(grid), **settings).numpy()

def grid_sample_vjp(U, grid, V_bar, needs, **settings):
    at = {"U": tensor(U), "grid": tensor(grid)}
    for name in needs:
        at[name].stop_gradient = False
    V = paddle.nn.functional.grid_sample(at["U"], at["grid"], **settings)
    bars = pulled(V, [at[name] for name in needs], V_bar)
    return {name: None if bar is None else bar.numpy() for name, bar in zip(needs, bars)}

def affine_grid(theta, size, align_corners):
    return paddle.nn.functional.affine_grid(tensor(theta), list(size), align_corners).numpy()

def affine_grid_vjp(theta, size, grid_bar, align_corners):
    leaf = tensor(theta)
    leaf.stop_gradient = False
    grid = paddle.nn.functional.affine_grid(leaf, list(size), align_corners)
    return pulled(grid, [leaf], grid_bar)[0].numpy()
"""


class Paddle(Differentiating):
    """On the CPU; derivatives by ``paddle.grad``."""

    name = "paddle"
    modes = ("nearest", "bilinear")
    padding_modes = ("zeros", "border", "reflection")
    dims = (2, 3)
    dtypes = ("float32", "float64")
    profile = "torch"
    snippet = SNIPPET

    @cached_property
    def paddle(self) -> Any:
        return import_module("paddle")

    @property
    def version(self) -> str:
        return str(self.paddle.__version__)

    def tensor(self, array: Array) -> Any:
        return self.paddle.to_tensor(array, place=self.paddle.CPUPlace())

    def array(self, tensor: Any) -> Any:
        return tensor.numpy()

    def sampled(self, U: Any, grid: Any, **settings: Any) -> Any:
        return self.paddle.nn.functional.grid_sample(U, grid, **settings)

    def gridded(self, theta: Any, size: "tuple[int, ...]", align_corners: bool) -> Any:
        return self.paddle.nn.functional.affine_grid(theta, list(size), align_corners)

    def pulled(self, f: Function, at: Named, needs: Names, bars: Tensors, again: bool = False) -> Named:
        if again:
            raise Unsupported("grid_sample_grad has no gradient")
        for name in needs:
            at[name].stop_gradient = False
        inputs = [at[name] for name in needs]
        return dict(zip(needs, self.paddle.grad(f(at), inputs, list(bars), allow_unused=True)))
