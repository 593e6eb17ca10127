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


class Torch(Differentiating):
    """Eager, on the CPU; derivatives by ``torch.autograd``."""

    name = "torch"
    modes: "tuple[str, ...]" = ("nearest", "bilinear", "bicubic")
    padding_modes = ("zeros", "border", "reflection")
    dims: "tuple[int, ...]" = (2, 3)
    dtypes: "tuple[str, ...]" = ("float16", "float32", "float64")
    profile = "torch"
    device = "cpu"
    snippet = """\
import torch
leaves = [torch.tensor(array, requires_grad=True) for array in (U, grid)]
settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
V = torch.nn.functional.grid_sample(*leaves, **settings)
U_bar, grid_bar = (bar.numpy() for bar in torch.autograd.grad(V, leaves, torch.tensor(V_bar)))
V = V.detach().numpy()"""

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
