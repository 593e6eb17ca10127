"""torch-compile 2.13.0+cpu: theta_bar is wrong (CRASH).

Case affine-random/corners/float32/2d: A batch of maps of full length, to an output with different sizes along all axes.
"""

import numpy as np

theta = np.array([[[0.0, 0.0, 0.0],
                   [0.0, 0.0, 0.0]]], dtype="float32")
grid_bar = np.array([[[[0.0, 0.0]]]], dtype="float32")
print("expected", 'an answer', flush=True)
settings = {'size': (1, 2, 1, 1), 'align_corners': True}

import torch

def tensor(array):
    return torch.from_numpy(array).to("cpu")

def array(tensor):
    return None if tensor is None else tensor.detach().cpu().numpy()

def gridded(theta, size, align_corners):
    return torch.compile(torch.nn.functional.affine_grid, dynamic=True, fullgraph=True)(theta, size, align_corners=align_corners)

def affine_grid_vjp(theta, size, grid_bar, align_corners):
    leaf = tensor(theta).requires_grad_()
    [bar] = torch.autograd.grad(gridded(leaf, size, align_corners), [leaf], tensor(grid_bar))
    return array(bar)


answer = np.asarray(affine_grid_vjp(theta=theta, grid_bar=grid_bar, **settings))
print("got     ", answer.dtype, answer.shape)
