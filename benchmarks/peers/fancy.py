"""The bilinear sampler by fancy indexing, in whatever has NumPy's interface: autograd and MyGrad."""

from __future__ import annotations

import numpy as np


def warp(xp, plain, U, theta, base, size):
    """Eq. (5) for (N, C, H, W); ``plain`` takes the numbers out of a box, for the indices."""
    N, _, H, W = U.shape
    points = xp.matmul(theta, base)
    pixels = [(points[:, k] + 1) * ((n - 1) / 2) for k, n in ((0, W), (1, H))]
    floors = [np.floor(plain(p)) for p in pixels]
    x, y = (p - f for p, f in zip(pixels, floors))
    image = np.arange(N)[:, None]
    total = 0
    for k, weight_y in ((0, 1 - y), (1, y)):
        for m, weight_x in ((0, 1 - x), (1, x)):
            column, row = floors[0].astype(np.intp) + m, floors[1].astype(np.intp) + k
            inside = (column >= 0) & (column < W) & (row >= 0) & (row < H)
            weight = weight_x * weight_y * inside.astype(base.dtype)
            pixel = U[image, :, np.clip(row, 0, H - 1), np.clip(column, 0, W - 1)]  # (N, pixels, C)
            total = total + pixel * weight[:, :, None]
    return xp.reshape(xp.transpose(total, (0, 2, 1)), size)
