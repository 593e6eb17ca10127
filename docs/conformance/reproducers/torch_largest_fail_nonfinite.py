"""torch 2.13.0+cpu: V is wrong (FAIL_NONFINITE).

Case largest/bilinear/zeros/corners/float16/2d: The largest coordinate there is, which no step towards pixels may make infinite.
"""

import numpy as np

U = np.array([[[[0.0, 0.0, 0.0, 0.0, 0.0]]]], dtype="float16")
grid = np.array([[[[6.55e+04, 0.0]]]], dtype="float16")
settings = {'mode': 'bilinear', 'padding_mode': 'zeros', 'align_corners': True}

import torch

def tensor(array):
    return torch.from_numpy(array).to("cpu")

def array(tensor):
    return None if tensor is None else tensor.detach().cpu().numpy()

def sampled(U, grid, **settings):
    return torch.nn.functional.grid_sample(U, grid, **settings)

def grid_sample(U, grid, **settings):
    return array(sampled(tensor(U), tensor(grid), **settings))


answer = np.asarray(grid_sample(U=U, grid=grid, **settings))
print("got     ", answer[0, 0, 0, 0])
print("expected", '0.0 to 0.0')
