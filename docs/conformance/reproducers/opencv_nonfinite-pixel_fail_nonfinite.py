"""opencv 5.0.0: V is wrong (FAIL_NONFINITE).

Case nonfinite-pixel/bicubic/zeros/corners/float32/2d: An infinite and a NaN pixel: samples away from them stay finite.
See pytorch/pytorch#194787
"""

import numpy as np

U = np.array([[[[np.inf, 0.0]]]], dtype="float32")
grid = np.array([[[[-6.0, 0.0]]]], dtype="float32")
settings = {'mode': 'bicubic', 'padding_mode': 'zeros', 'align_corners': True}

import cv2

def pixel_axes(xp, grid, sizes, align_corners):
    axes = []
    for k, size in enumerate(reversed(sizes)):
        with np.errstate(all="ignore"):
            x_px = grid[..., k] * ((size - 1 if align_corners else size) / 2) + (size - 1) / 2
        axes.append(xp.where(xp.isfinite(x_px), x_px, grid[..., k]))
    return axes[::-1]

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


answer = np.asarray(grid_sample(U=U, grid=grid, **settings))
print("got     ", answer[0, 0, 0, 0])
print("expected", '0.0 to 0.0')
