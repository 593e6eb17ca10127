"""torch 2.13.0+cpu: grid_bar is wrong (FAIL_GRAD).

Case wide-image/bicubic/reflection/edges/float16/2d: So many pixels in a row that a coordinate in half precision would miss its cell.
See pytorch/pytorch#89836
See pytorch/pytorch#96429
See pytorch/pytorch#96586
"""

import numpy as np

U = np.array([[[[0.0, 1.0]]]], dtype="float16")
grid = np.array([[[[1.042e+03, 0.0]]]], dtype="float16")
V_bar = np.array([[[[1.0]]]], dtype="float16")
settings = {'needs': ('U', 'grid'), 'mode': 'bicubic', 'padding_mode': 'reflection', 'align_corners': False}

import torch

def tensor(array):
    return torch.from_numpy(array).to("cpu")

def array(tensor):
    return None if tensor is None else tensor.detach().cpu().numpy()

def sampled(U, grid, **settings):
    return torch.nn.functional.grid_sample(U, grid, **settings)

def grid_sample_vjp(U, grid, V_bar, needs, **settings):
    at = {"U": tensor(U), "grid": tensor(grid)}
    leaves = [at[name].requires_grad_() for name in needs]
    bars = torch.autograd.grad(sampled(**at, **settings), leaves, tensor(V_bar), allow_unused=True)
    return {name: array(bar) for name, bar in zip(needs, bars)}


answer = np.asarray(grid_sample_vjp(U=U, grid=grid, V_bar=V_bar, **settings)["grid"])
print("got     ", answer[0, 0, 0, 0])
print("expected", '-1.461684814135955 to -0.7883151858640449')
