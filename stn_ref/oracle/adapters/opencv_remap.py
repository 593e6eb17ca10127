"""OpenCV: ``cv2.remap``; it has no derivatives.

It takes images with the channels last, up to four of them in every mode, and maps of pixel coordinates in
float32. Up to OpenCV 4 these are rounded to multiples of 1/32; from 5 on they are taken as they are. Half-way
between two pixels the even one is nearest. An axis is limited to 32767 pixels.
"""

from importlib import import_module
from typing import Any

import numpy as np

from ..backend import Array, Backend
from .pixels import PIXEL_AXES, pixel_axes

MOST_CHANNELS = 4
SNIPPET = (
    """\
import cv2
"""
    + PIXEL_AXES
    + """
def grid_sample(U, grid, mode, padding_mode, align_corners):
    kernel = {"nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}[mode]
    reflection = cv2.BORDER_REFLECT_101 if align_corners else cv2.BORDER_REFLECT
    borders = {"zeros": cv2.BORDER_CONSTANT, "border": cv2.BORDER_REPLICATE, "reflection": reflection}
    how = {"interpolation": kernel, "borderMode": borders[padding_mode]}
    y, x = pixel_axes(np, grid, U.shape[2:], align_corners)
    V = np.empty((*U.shape[:2], *grid.shape[1:-1]), U.dtype)
    for n, first in np.ndindex(len(U), -(-U.shape[1] // 4)):
        part = slice(4 * first, 4 * first + 4)
        mapped = cv2.remap(np.moveaxis(U[n, part], 0, -1), x[n], y[n], **how)
        V[n, part] = np.moveaxis(mapped.reshape(*grid.shape[1:3], -1), -1, 0)
    return V
"""
)


class OpenCV(Backend):
    """Images of one to four channels at a time."""

    name = "opencv"
    modes = ("nearest", "bilinear", "bicubic")
    padding_modes = ("zeros", "border", "reflection")
    dtypes = ("float32",)
    profile = "opencv"
    snippet = SNIPPET

    def __init__(self) -> None:
        self.cv2 = import_module("cv2")
        if int(self.version.partition(".")[0]) >= 5:
            self.profile = "torch"

    @property
    def version(self) -> str:
        return str(self.cv2.__version__)

    def grid_sample(self, U: Array, grid: Array, *, mode: str, padding_mode: str, align_corners: bool) -> Any:
        cv2 = self.cv2
        kernels = {"nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}
        borders = {
            "zeros": cv2.BORDER_CONSTANT,
            "border": cv2.BORDER_REPLICATE,
            "reflection": cv2.BORDER_REFLECT_101 if align_corners else cv2.BORDER_REFLECT,
        }
        y, x = pixel_axes(np, grid, U.shape[2:], align_corners)
        V = np.empty((*U.shape[:2], *grid.shape[1:-1]), U.dtype)
        for n in range(U.shape[0]):
            for c in range(0, U.shape[1], MOST_CHANNELS):
                part = slice(c, c + MOST_CHANNELS)
                image = np.moveaxis(U[n, part], 0, -1)
                mapped = cv2.remap(image, x[n], y[n], kernels[mode], borderMode=borders[padding_mode])
                V[n, part] = np.moveaxis(mapped.reshape(*grid.shape[1:3], image.shape[-1]), -1, 0)
        return V
