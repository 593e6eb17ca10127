"""scipy 1.17.1: V is wrong (FAIL_VALUE).

Case ladder/nearest/border/corners/float64/2d: Coordinates from 2^10 up to 2^100, beyond all sorts of integers, with both signs.
"""

import numpy as np

U = np.array([[[[0.0, 1.0]]]], dtype="float64")
grid = np.array([[[[1.8446744073709552e+19, 0.0]]]], dtype="float64")
settings = {'mode': 'nearest', 'padding_mode': 'border', 'align_corners': True}

from scipy.ndimage import map_coordinates

def pixel_axes(xp, grid, sizes, align_corners):
    axes = []
    for k, size in enumerate(reversed(sizes)):
        with np.errstate(all="ignore"):
            x_px = grid[..., k] * ((size - 1 if align_corners else size) / 2) + (size - 1) / 2
        axes.append(xp.where(xp.isfinite(x_px), x_px, grid[..., k]))
    return axes[::-1]

def grid_sample(U, grid, mode, padding_mode, align_corners):
    reflection = "mirror" if align_corners else "reflect"
    kind = {"zeros": "grid-constant", "border": "nearest", "reflection": reflection}[padding_mode]
    how = {"order": int(mode == "bilinear"), "mode": kind}
    axes = np.stack(pixel_axes(np, grid, U.shape[2:], align_corners))
    V = np.empty((*U.shape[:2], *grid.shape[1:-1]), U.dtype)
    for n, c in np.ndindex(*U.shape[:2]):
        V[n, c] = map_coordinates(U[n, c], axes[:, n], **how)
    return V


answer = np.asarray(grid_sample(U=U, grid=grid, **settings))
print("got     ", answer[0, 0, 0, 0])
print("expected", '0.9999999999999989 to 1.000000000000001')
