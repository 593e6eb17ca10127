"""keras-torch 3.15.1 (PyTorch 2.13.0+cpu): U_bar is wrong (FAIL_NONFINITE).

Case infinite-coordinate/bilinear/border/corners/float32/2d: Infinities among good coordinates: the limit, and nothing else touched.
See pytorch/pytorch#24823
See pytorch/pytorch#19826
"""

import numpy as np

U = np.array([[[[0.0]]]], dtype="float32")
grid = np.array([[[[np.inf, 0.0]]]], dtype="float32")
V_bar = np.array([[[[0.0]]]], dtype="float32")
settings = {'needs': ('U', 'grid'), 'mode': 'bilinear', 'padding_mode': 'border', 'align_corners': True}

import os
os.environ["KERAS_BACKEND"] = "torch"
import keras

def ndimage_mode(padding_mode, align_corners):
    reflection = "mirror" if align_corners else "reflect"
    return {"zeros": "constant", "border": "nearest", "reflection": reflection}[padding_mode]

def pixel_axes(xp, grid, sizes, align_corners):
    axes = []
    for k, size in enumerate(reversed(sizes)):
        with np.errstate(all="ignore"):
            x_px = grid[..., k] * ((size - 1 if align_corners else size) / 2) + (size - 1) / 2
        axes.append(xp.where(xp.isfinite(x_px), x_px, grid[..., k]))
    return axes[::-1]

def sampled(U, grid, mode, padding_mode, align_corners):
    how = int(mode == "bilinear"), ndimage_mode(padding_mode, align_corners)
    axes = keras.ops.stack(pixel_axes(keras.ops, grid, U.shape[2:], align_corners))
    image = keras.ops.image.map_coordinates
    V = [[image(U[n, c], axes[:, n], *how) for c in range(U.shape[1])] for n in range(U.shape[0])]
    return keras.ops.stack([keras.ops.stack(channels) for channels in V])

import torch

def tensor(array):
    return torch.from_numpy(array).to("cpu")

def array(tensor):
    return None if tensor is None else tensor.detach().cpu().numpy()

def grid_sample_vjp(U, grid, V_bar, needs, **settings):
    at = {"U": tensor(U), "grid": tensor(grid)}
    leaves = [at[name].requires_grad_() for name in needs]
    bars = torch.autograd.grad(sampled(**at, **settings), leaves, tensor(V_bar), allow_unused=True)
    return {name: array(bar) for name, bar in zip(needs, bars)}


answer = np.asarray(grid_sample_vjp(U=U, grid=grid, V_bar=V_bar, **settings)["U"])
print("got     ", answer[0, 0, 0, 0])
print("expected", '0.0 to 0.0')
