"""``stn_ref`` itself, by the functions that its users call; second order is the vjp of a vjp."""

from collections.abc import Callable
from typing import Any

from ... import __version__
from ...autograd.transforms import jvp, vjp
from ...ops import affine_grid, grid_sample, tps_grid
from ..backend import Array
from .differentiating import Differentiating, Function, Named, Names, Tensors

SNIPPET = """\
import stn_ref

def pulled(f, at, needs, bars):
    def of_needed(*values):
        return f(**{**at, **dict(zip(needs, values))})
    _, pullback = stn_ref.vjp(of_needed, *(at[name] for name in needs))
    return dict(zip(needs, pullback(bars)))

def grid_sample(U, grid, **settings):
    return stn_ref.grid_sample(U, grid, **settings)

def grid_sample_vjp(U, grid, V_bar, needs, **settings):
    at = {"U": U, "grid": grid}
    return pulled(lambda U, grid: stn_ref.grid_sample(U, grid, **settings), at, needs, V_bar)

def grid_sample_jvp(U, grid, U_dot, grid_dot, **settings):
    sampled = lambda U, grid: stn_ref.grid_sample(U, grid, **settings)
    return stn_ref.jvp(sampled, (U, grid), (U_dot, grid_dot))[1]

def grid_sample_vjp_vjp(U, grid, V_bar, U_bar_bar, grid_bar_bar, needs, **settings):
    def bars(**at):
        return tuple(grid_sample_vjp(**at, needs=("U", "grid"), **settings).values())
    at = {"U": U, "grid": grid, "V_bar": V_bar}
    return pulled(bars, at, needs, (U_bar_bar, grid_bar_bar))

def affine_grid(theta, size, align_corners):
    return stn_ref.affine_grid(theta, size, align_corners=align_corners)

def affine_grid_vjp(theta, size, grid_bar, align_corners):
    gridded = lambda theta: stn_ref.affine_grid(theta, size, align_corners=align_corners)
    return stn_ref.vjp(gridded, theta)[1](grid_bar)[0]

def tps_grid(places, size, **settings):
    return stn_ref.tps_grid(places, size, **settings)

def tps_grid_vjp(places, size, grid_bar, **settings):
    return stn_ref.vjp(lambda places: stn_ref.tps_grid(places, size, **settings), places)[1](grid_bar)[0]
"""


class StnRef(Differentiating):
    """``stn_ref.grid_sample``, ``affine_grid``, ``tps_grid``, ``vjp`` and ``jvp``.

    >>> import numpy as np
    >>> theta = np.array([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]])
    >>> StnRef().affine_grid(theta, (1, 1, 1, 2), align_corners=True)[0, 0, :, 0]
    array([-0.5,  1.5])
    """

    name = "stn_ref"
    modes = ("nearest", "bilinear", "bicubic")
    padding_modes = ("zeros", "border", "reflection")
    dims = (2, 3)
    dtypes = ("float16", "float32", "float64")
    profile = "paper"
    kink = "right"
    snippet = SNIPPET

    @property
    def version(self) -> str:
        return __version__

    def tensor(self, array: Array) -> Any:
        return array

    def array(self, tensor: Any) -> Any:
        return tensor

    def sampled(self, U: Any, grid: Any, **settings: Any) -> Any:
        return grid_sample(U, grid, kink=self.kink, **settings)

    def gridded(self, theta: Any, size: "tuple[int, ...]", align_corners: bool) -> Any:
        return affine_grid(theta, size, align_corners=align_corners)

    def pulled(self, f: Function, at: Named, needs: Names, bars: Tensors, again: bool = False) -> Named:
        def of_needed(*values: Any) -> Any:
            return tuple(f({**at, **dict(zip(needs, values))}))

        _, pullback = vjp(of_needed, *(at[name] for name in needs))
        return dict(zip(needs, pullback(tuple(bars))))

    def pushed(self, f: Callable[..., Any], primals: Tensors, tangents: Tensors) -> Any:
        _, tangent = jvp(f, primals, tangents)
        return tangent

    def tps_grid(self, places: Array, size: "tuple[int, ...]", **settings: Any) -> Any:
        return tps_grid(places, size, **settings)

    def tps_grid_vjp(self, places: Array, size: "tuple[int, ...]", grid_bar: Array, **settings: Any) -> Any:
        _, pullback = vjp(lambda places: tps_grid(places, size, **settings), places)
        return pullback(grid_bar)[0]
