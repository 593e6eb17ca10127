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


class Chainer(Differentiating):
    """On the CPU; derivatives by ``Variable.backward``."""

    name = "chainer"
    align_corners = (True,)
    dtypes = ("float16", "float32", "float64")
    profile = "mxnet"
    half_coordinates = "float16"
    snippet = """\
import chainer
at = [chainer.Variable(array) for array in (U, np.moveaxis(grid, -1, 1))]
V = chainer.functions.spatial_transformer_sampler(*at)
V.grad = V_bar
V.backward()
V, U_bar, grid_bar = V.array, at[0].grad, np.moveaxis(at[1].grad, 1, -1)"""

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
