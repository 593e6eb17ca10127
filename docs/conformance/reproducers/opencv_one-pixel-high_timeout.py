"""opencv 5.0.0: V is wrong (TIMEOUT).

Case one-pixel-high/bicubic/reflection/corners/float32/2d: H = 1.
See pytorch/pytorch#15386
"""

import numpy as np

U = np.array([[[[1.0, -1.0, -2.0, 2.0, -4.0]],

               [[-2.0, -1.0, -3.0, -3.0, 3.0]],

               [[-3.0, 4.0, -2.0, 1.0, -1.0]]]], dtype="float32")
grid = np.array([[[[-0.625, 0.8125],
                   [1.0, -1.3125],
                   [-0.6875, -0.375],
                   [0.6875, 0.9375],
                   [0.4375, 0.5]],

                  [[0.25, 1.25],
                   [-0.8125, -0.6875],
                   [0.75, 1.1875],
                   [1.375, 0.0],
                   [-1.0, 0.25]],

                  [[-1.25, 0.75],
                   [-1.0, -1.0],
                   [-0.5625, -0.125],
                   [1.0625, 1.25],
                   [1.125, 0.6875]],

                  [[-0.3125, 0.25],
                   [1.1875, -0.125],
                   [1.3125, 0.0625],
                   [-0.9375, 0.5],
                   [0.8125, -0.4375]]]], dtype="float32")
print("expected", 'an answer in time', flush=True)
settings = {'mode': 'bicubic', 'padding_mode': 'reflection', 'align_corners': True}

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
print("got     ", answer.dtype, answer.shape)
