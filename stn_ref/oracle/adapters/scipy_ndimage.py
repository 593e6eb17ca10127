"""SciPy: ``scipy.ndimage.map_coordinates`` with ``order`` 0 and 1, channel by channel; no derivatives.

It takes pixel coordinates and works in float64. Its mode ``grid-constant`` is eq. (5), where ``constant``
cuts off at once; ``mirror`` is reflection about the corner centres, ``reflect`` about the outer edges.
Half-way between two pixels the upper one is nearest. Order 3 is a B-spline, not Keys' kernel, and so is not
claimed.
"""

from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

from ..backend import Array, Backend
from .pixels import PIXEL_AXES, pixel_axes

SNIPPET = (
    """\
from scipy.ndimage import map_coordinates
"""
    + PIXEL_AXES
    + """
def grid_sample(U, grid, mode, padding_mode, align_corners):
    reflection = "mirror" if align_corners else "reflect"
    kind = {"zeros": "grid-constant", "border": "nearest", "reflection": reflection}[padding_mode]
    how = {"order": int(mode == "bilinear"), "mode": kind}
    axes = np.stack(pixel_axes(np, grid, U.shape[2:], align_corners))
    V = np.empty((*U.shape[:2], *grid.shape[1:-1]), U.dtype)
    for n, c in np.ndindex(*U.shape[:2]):
        V[n, c] = map_coordinates(U[n, c], axes[:, n], **how)
    return V
"""
)


class SciPy(Backend):
    """For images and volumes.

    >>> U, grid = np.array([[[[3.0, 5.0, 9.0]]]]), np.array([[[[0.5, 0.0]]]])
    >>> SciPy().grid_sample(U, grid, mode="bilinear", padding_mode="zeros", align_corners=True)
    array([[[[7.]]]])
    """

    name = "scipy"
    modes = ("nearest", "bilinear")
    padding_modes = ("zeros", "border", "reflection")
    dims = (2, 3)
    dtypes = ("float32", "float64")
    profile = "scipy"
    snippet = SNIPPET

    @cached_property
    def ndimage(self) -> Any:
        return import_module("scipy.ndimage")

    @property
    def version(self) -> str:
        return str(import_module("scipy").__version__)

    def grid_sample(self, U: Array, grid: Array, *, mode: str, padding_mode: str, align_corners: bool) -> Any:
        reflection = "mirror" if align_corners else "reflect"
        how = {
            "order": {"nearest": 0, "bilinear": 1}[mode],
            "mode": {"zeros": "grid-constant", "border": "nearest", "reflection": reflection}[padding_mode],
        }
        axes = np.stack(pixel_axes(np, grid, U.shape[2:], align_corners))
        V = np.empty((*U.shape[:2], *grid.shape[1:-1]), U.dtype)
        for n, c in np.ndindex(*U.shape[:2]):
            V[n, c] = self.ndimage.map_coordinates(U[n, c], axes[:, n], **how)
        return V
