"""keras-torch 3.15.1 (PyTorch 2.13.0+cpu): V is wrong (CRASH).

Case one-pixel/nearest/reflection/corners/float32/2d: An image of a single pixel.
See microsoft/onnxruntime#27639
"""

import numpy as np

U = np.array([[[[0.0]]]], dtype="float32")
grid = np.array([[[[0.0, 0.0]]]], dtype="float32")
print("expected", 'an answer', flush=True)
settings = {'mode': 'nearest', 'padding_mode': 'reflection', 'align_corners': True}

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

def grid_sample(U, grid, **settings):
    return array(sampled(tensor(U), tensor(grid), **settings))


answer = np.asarray(grid_sample(U=U, grid=grid, **settings))
print("got     ", answer.dtype, answer.shape)
