"""PyTorch: ``torch.nn.functional.grid_sample`` and ``affine_grid``.

Its API is the one that this library follows. Half-way between two pixels the even one is nearest. Bicubic is
for images only, and there is no forward mode.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from typing import Any

from ..backend import Array, Unsupported
from .differentiating import Differentiating, Function, Named, Names, Tensors

TENSORS = """\
import torch

def tensor(array):
    return torch.from_numpy(array).to("cpu")

def array(tensor):
    return None if tensor is None else tensor.detach().cpu().numpy()
"""
SAMPLED = """
def sampled(U, grid, **settings):
    return torch.nn.functional.grid_sample(U, grid, **settings)
"""
GRIDDED = """
def gridded(theta, size, align_corners):
    return torch.nn.functional.affine_grid(theta, size, align_corners=align_corners)
"""
GRIDS = """
def affine_grid(theta, size, align_corners):
    return array(gridded(tensor(theta), size, align_corners))

def affine_grid_vjp(theta, size, grid_bar, align_corners):
    leaf = tensor(theta).requires_grad_()
    [bar] = torch.autograd.grad(gridded(leaf, size, align_corners), [leaf], tensor(grid_bar))
    return array(bar)
"""
SAMPLES = """
def grid_sample(U, grid, **settings):
    return array(sampled(tensor(U), tensor(grid), **settings))

def grid_sample_vjp(U, grid, V_bar, needs, **settings):
    at = {"U": tensor(U), "grid": tensor(grid)}
    leaves = [at[name].requires_grad_() for name in needs]
    bars = torch.autograd.grad(sampled(**at, **settings), leaves, tensor(V_bar), allow_unused=True)
    return {name: array(bar) for name, bar in zip(needs, bars)}
"""
BEYOND = """
def grid_sample_jvp(U, grid, U_dot, grid_dot, **settings):
    primals, tangents = (tensor(U), tensor(grid)), (tensor(U_dot), tensor(grid_dot))
    _, V_dot = torch.func.jvp(lambda U, grid: sampled(U, grid, **settings), primals, tangents)
    return array(V_dot)

def grid_sample_vjp_vjp(U, grid, V_bar, U_bar_bar, grid_bar_bar, needs, **settings):
    at = {"U": tensor(U), "grid": tensor(grid), "V_bar": tensor(V_bar)}
    leaves = [leaf.requires_grad_() for leaf in at.values()]
    V, how = sampled(at["U"], at["grid"], **settings), {"create_graph": True, "allow_unused": True}
    bars = torch.autograd.grad(V, leaves[:2], at["V_bar"], **how)
    pairs = zip(bars, (tensor(U_bar_bar), tensor(grid_bar_bar)))
    bars, bar_bars = zip(*[(bar, b) for bar, b in pairs if bar is not None and bar.requires_grad])
    seconds = torch.autograd.grad(bars, [at[name] for name in needs], bar_bars, allow_unused=True)
    return {name: array(second) for name, second in zip(needs, seconds)}
"""


class Torch(Differentiating):
    """Eager, on the CPU; derivatives by ``torch.autograd``."""

    name = "torch"
    modes: "tuple[str, ...]" = ("nearest", "bilinear", "bicubic")
    padding_modes = ("zeros", "border", "reflection")
    dims: "tuple[int, ...]" = (2, 3)
    dtypes: "tuple[str, ...]" = ("float16", "float32", "float64")
    profile = "torch"
    device = "cpu"
    snippet = TENSORS + SAMPLED + GRIDDED + SAMPLES + BEYOND + GRIDS

    @cached_property
    def torch(self) -> Any:
        return import_module("torch")

    @cached_property
    def functional(self) -> Any:
        return self.torch.nn.functional

    @property
    def version(self) -> str:
        return str(self.torch.__version__)

    def tensor(self, array: Array) -> Any:
        """On the array's own memory with its strides, where PyTorch has such strides."""
        if any(stride < 0 for stride in array.strides):
            array = array.copy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that what is read-only could be written to
            return self.torch.from_numpy(array).to(self.device)

    def array(self, tensor: Any) -> Any:
        return tensor.detach().cpu().numpy()

    def sampled(self, U: Any, grid: Any, **settings: Any) -> Any:
        if settings["mode"] == "bicubic" and U.ndim == 5:
            raise Unsupported("bicubic is for 4-D input only")
        return self.functional.grid_sample(U, grid, **settings)

    def gridded(self, theta: Any, size: "tuple[int, ...]", align_corners: bool) -> Any:
        return self.functional.affine_grid(theta, size, align_corners=align_corners)

    def pulled(self, f: Function, at: Named, needs: Names, bars: Tensors, again: bool = False) -> Named:
        inputs = [at[name].requires_grad_() for name in needs]
        pairs = [(out, bar) for out, bar in zip(f(at), bars) if out is not None and out.requires_grad]
        if not pairs:
            return dict.fromkeys(needs)
        outputs, kept = zip(*pairs)
        with _missing():
            found = self.torch.autograd.grad(outputs, inputs, kept, create_graph=again, allow_unused=True)
        return dict(zip(needs, found))

    def pushed(self, f: Callable[..., Any], primals: Tensors, tangents: Tensors) -> Any:
        with _missing():
            _, tangent = self.torch.func.jvp(f, tuple(primals), tuple(tangents))
        return tangent


@contextmanager
def _missing() -> "Iterator[None]":
    """PyTorch says itself which derivatives it has not."""
    try:
        yield
    except NotImplementedError as error:
        raise Unsupported(str(error).splitlines()[0]) from error
