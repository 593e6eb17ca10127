"""kornia: ``kornia.geometry.transform.remap``, and ``warp_grid`` of a ``create_meshgrid``.

``remap`` takes pixel coordinates, normalises them as for ``align_corners=True`` whatever that flag says, as
its documentation warns, and calls PyTorch. So that is the one convention claimed; and two modes.
"""

from functools import cached_property
from importlib import import_module
from typing import Any

from ..backend import Unsupported
from .pixels import PIXEL_AXES, pixel_axes
from .pytorch import BEYOND, GRIDS, SAMPLES, TENSORS, Torch

CALLS = """
import kornia

def sampled(U, grid, **settings):
    y, x = pixel_axes(torch, grid, U.shape[2:], settings["align_corners"])
    return kornia.geometry.transform.remap(U, x, y, **settings)

def gridded(theta, size, align_corners):
    base = kornia.geometry.create_meshgrid(*size[2:], device=theta.device, dtype=theta.dtype)
    homography = kornia.geometry.convert_affinematrix_to_homography(theta)
    return kornia.geometry.transform.warp_grid(base, homography)
"""


class Kornia(Torch):
    """Pixel coordinates to ``remap``; derivatives by ``torch.autograd``."""

    name = "kornia"
    modes = ("nearest", "bilinear")
    align_corners = (True,)
    dims = (2,)
    dtypes = ("float32", "float64")
    coordinate_operations = 8
    snippet = TENSORS + PIXEL_AXES + CALLS + SAMPLES + BEYOND + GRIDS

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
