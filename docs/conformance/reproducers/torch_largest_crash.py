"""torch 2.13.0+cpu: U_bar is wrong (CRASH).

Case largest/bilinear/reflection/corners/float32/2d: The largest coordinate there is, which no step towards pixels may make infinite.
"""

import numpy as np

U = np.array([[[[-4.0, 4.0, 3.0, 3.0, -2.0],
                [3.0, 2.0, -1.0, -3.0, 3.0],
                [-2.0, 3.0, -3.0, 1.0, 4.0]],

               [[-2.0, 2.0, 4.0, -4.0, -4.0],
                [-2.0, 3.0, 1.0, 4.0, -1.0],
                [2.0, -4.0, 4.0, -1.0, 1.0]],

               [[4.0, 1.0, -3.0, -3.0, -4.0],
                [1.0, -2.0, -4.0, -3.0, -1.0],
                [-4.0, 2.0, -3.0, 2.0, 2.0]]]], dtype="float32")
grid = np.array([[[[3.4028235e+38, 0.0],
                   [0.0, 3.4028235e+38]],

                  [[-3.4028235e+38, 0.0],
                   [0.0, -3.4028235e+38]]]], dtype="float32")
V_bar = np.array([[[[-3.0, 2.0],
                    [-1.0, -1.0]],

                   [[2.0, -2.0],
                    [1.0, 1.0]],

                   [[-1.0, 2.0],
                    [4.0, -3.0]]]], dtype="float32")
print("expected", 'an answer', flush=True)
settings = {'needs': ('U', 'grid'), 'mode': 'bilinear', 'padding_mode': 'reflection', 'align_corners': True}

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
print("got     ", answer.dtype, answer.shape)
