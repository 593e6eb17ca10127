"""torch 2.13.0+cpu: V is wrong (FAIL_NONFINITE).

Case largest/bilinear/zeros/corners/float16/2d: The largest coordinate there is, which no step towards pixels may make infinite.
"""

import numpy as np

U = np.array([[[[0.0, 0.0, 0.0, 0.0, 0.0]]]], dtype="float16")
grid = np.array([[[[6.55e+04, 0.0]]]], dtype="float16")
V_bar = np.array([[[[-3.0]]]], dtype="float16")
mode = 'bilinear'
padding_mode = 'zeros'
align_corners = True

import torch
leaves = [torch.tensor(array, requires_grad=True) for array in (U, grid)]
settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
V = torch.nn.functional.grid_sample(*leaves, **settings)
U_bar, grid_bar = (bar.numpy() for bar in torch.autograd.grad(V, leaves, torch.tensor(V_bar)))
V = V.detach().numpy()

print("got     ", V[0, 0, 0, 0])
print("expected", 0.0, "to", 0.0)
