"""kornia: ``kornia.geometry.transform.remap``, and ``warp_grid`` of a ``create_meshgrid``.

``remap`` takes pixel coordinates, normalises them as for ``align_corners=True`` whatever that flag says, as
its documentation warns, and calls PyTorch. So that is the one convention claimed; and two modes.
"""

from functools import cached_property
from importlib import import_module
from typing import Any

from ..backend import Unsupported
from .pixels import pixel_axes
from .pytorch import Torch


class Kornia(Torch):
    """Pixel coordinates to ``remap``; derivatives by ``torch.autograd``."""

    name = "kornia"
    modes = ("nearest", "bilinear")
    align_corners = (True,)
    dims = (2,)
    dtypes = ("float32", "float64")
    coordinate_operations = 8
    snippet = """\
import kornia, torch
U_leaf, grid_leaf = leaves = [torch.tensor(array, requires_grad=True) for array in (U, grid)]
(H, W), (x, y) = U.shape[2:], (grid_leaf[..., 0], grid_leaf[..., 1])
maps = (x + 1) * (W - 1) / 2, (y + 1) * (H - 1) / 2
V = kornia.geometry.transform.remap(U_leaf, *maps, mode, padding_mode, align_corners)
U_bar, grid_bar = (bar.numpy() for bar in torch.autograd.grad(V, leaves, torch.tensor(V_bar)))
V = V.detach().numpy()"""

    @cached_property
    def kornia(self) -> Any:
        return import_module("kornia")

    @property
    def version(self) -> str:
        return f"{self.kornia.__version__} (PyTorch {self.torch.__version__})"

    def sampled(self, U: Any, grid: Any, **settings: Any) -> Any:
        y, x = pixel_axes(self.torch, grid, U.shape[2:], settings["align_corners"])
        return self.kornia.geometry.transform.remap(U, x, y, **settings)

    def gridded(self, theta: Any, size: "tuple[int, ...]", align_corners: bool) -> Any:
        if not align_corners or len(size) != 4:
            raise Unsupported("create_meshgrid is as for align_corners=True, and warp_grid is for images")
        base = self.kornia.geometry.create_meshgrid(*size[2:], device=theta.device, dtype=theta.dtype)
        homography = self.kornia.geometry.convert_affinematrix_to_homography(theta)
        return self.kornia.geometry.transform.warp_grid(base, homography)
