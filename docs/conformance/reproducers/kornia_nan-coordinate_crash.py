"""kornia 0.9.0 (PyTorch 2.13.0+cpu): U_bar is wrong (CRASH).

Case nan-coordinate/bilinear/border/corners/float32/2d: A NaN among good coordinates: it must touch no other sample.
See pytorch/pytorch#24823
See pytorch/pytorch#19826
"""

import numpy as np

U = np.array([[[[1.0, -4.0, 2.0, -3.0, 4.0],
                [-4.0, -4.0, -4.0, -1.0, -4.0],
                [3.0, -3.0, -1.0, 4.0, 4.0]],

               [[-1.0, 3.0, -1.0, 3.0, -3.0],
                [-3.0, -1.0, 2.0, 3.0, 1.0],
                [3.0, -2.0, 3.0, 3.0, 1.0]],

               [[-4.0, -4.0, 4.0, -1.0, -1.0],
                [3.0, -3.0, -2.0, -4.0, 3.0],
                [3.0, -2.0, 1.0, 3.0, 2.0]]]], dtype="float32")
grid = np.array([[[[np.nan, 1.125],
                   [np.nan, 1.125],
                   [-0.375, np.nan],
                   [1.0, np.nan]],

                  [[1.0625, -0.75],
                   [-0.4375, -0.25],
                   [0.8125, 0.25],
                   [1.0625, 1.0]],

                  [[-0.875, -0.75],
                   [-0.625, -0.25],
                   [-0.375, 0.25],
                   [1.0, 1.0]]]], dtype="float32")
V_bar = np.array([[[[-3.0, -1.0, -3.0, -4.0],
                    [-1.0, -1.0, -1.0, 2.0],
                    [4.0, -2.0, -2.0, -4.0]],

                   [[4.0, 1.0, -3.0, 4.0],
                    [1.0, -4.0, -4.0, -3.0],
                    [-1.0, -2.0, -2.0, 3.0]],

                   [[3.0, 1.0, 4.0, -2.0],
                    [-1.0, 1.0, 4.0, 2.0],
                    [-3.0, 1.0, -4.0, 2.0]]]], dtype="float32")
print("expected", 'an answer', flush=True)
settings = {'needs': ('U', 'grid'), 'mode': 'bilinear', 'padding_mode': 'border', 'align_corners': True}

import torch

def tensor(array):
    return torch.from_numpy(array).to("cpu")

def array(tensor):
    return None if tensor is None else tensor.detach().cpu().numpy()

def pixel_axes(xp, grid, sizes, align_corners):
    axes = []
    for k, size in enumerate(reversed(sizes)):
        with np.errstate(all="ignore"):
            x_px = grid[..., k] * ((size - 1 if align_corners else size) / 2) + (size - 1) / 2
        axes.append(xp.where(xp.isfinite(x_px), x_px, grid[..., k]))
    return axes[::-1]

import kornia

def sampled(U, grid, **settings):
    y, x = pixel_axes(torch, grid, U.shape[2:], settings["align_corners"])
    return kornia.geometry.transform.remap(U, x, y, **settings)

def grid_sample_vjp(U, grid, V_bar, needs, **settings):
    at = {"U": tensor(U), "grid": tensor(grid)}
    leaves = [at[name].requires_grad_() for name in needs]
    bars = torch.autograd.grad(sampled(**at, **settings), leaves, tensor(V_bar), allow_unused=True)
    return {name: array(bar) for name, bar in zip(needs, bars)}


answer = np.asarray(grid_sample_vjp(U=U, grid=grid, V_bar=V_bar, **settings)["U"])
print("got     ", answer.dtype, answer.shape)
