"""torch 2.13.0+cpu: U_bar is wrong (CRASH).

Case largest/bilinear/reflection/corners/float32/2d: The largest coordinate there is, which no step towards pixels may make infinite.
"""

import numpy as np

U = np.array([[[[-4.0, 4.0, 3.0, 3.0, -2.0],
                [3.0, 2.0, -1.0, -3.0, 3.0],
                [-2.0, 3.0, -3.0, 1.0, 4.0]]]], dtype="float32")
grid = np.array([[[[3.4028235e+38, 0.0],
                   [0.0, 3.4028235e+38]],

                  [[-3.4028235e+38, 0.0],
                   [0.0, -3.4028235e+38]]]], dtype="float32")
V_bar = np.array([[[[-3.0, 2.0],
                    [-1.0, -1.0]]]], dtype="float32")
mode = 'bilinear'
padding_mode = 'reflection'
align_corners = True

import torch
leaves = [torch.tensor(array, requires_grad=True) for array in (U, grid)]
settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
V = torch.nn.functional.grid_sample(*leaves, **settings)
U_bar, grid_bar = (bar.numpy() for bar in torch.autograd.grad(V, leaves, torch.tensor(V_bar)))
V = V.detach().numpy()

print("got     ", U_bar.shape)
print("expected", np.nan, "to", np.nan)
