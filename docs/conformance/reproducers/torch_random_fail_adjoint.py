"""torch 2.13.0+cpu: U_bar is wrong (FAIL_ADJOINT).

Case random/bilinear/reflection/edges/float16/2d: Random numbers of full length, inside and outside the image.
See kornia/kornia#3945
See kornia/kornia#4503
"""

import numpy as np

U = np.array([[[[0.0],
                [0.0],
                [0.0]]]], dtype="float16")
grid = np.array([[[[0.0, 1.905]]]], dtype="float16")
V_bar = np.array([[[[1.0]]]], dtype="float16")
settings = {'needs': ('U', 'grid'), 'mode': 'bilinear', 'padding_mode': 'reflection', 'align_corners': False}

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


answer = np.asarray(grid_sample_vjp(U=U, grid=grid, V_bar=V_bar, **settings)["U"])
print("got     ", answer[0, 0, 2, 0])
print("expected", '0.1413965243918581 to 0.1427831631081419')
