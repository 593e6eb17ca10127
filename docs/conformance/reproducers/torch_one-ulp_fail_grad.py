"""torch 2.13.0+cpu: grid_bar is wrong (FAIL_GRAD).

Case one-ulp/bilinear/reflection/corners/float16/2d: The numbers next to kinks, ties and borders, on both sides.
See pytorch/pytorch#120543
"""

import numpy as np

U = np.array([[[[0.0, 0.0, 0.0, 1.0]]]], dtype="float16")
grid = np.array([[[[1.001, 0.0]]]], dtype="float16")
V_bar = np.array([[[[1.0]]]], dtype="float16")
mode = 'bilinear'
padding_mode = 'reflection'
align_corners = True

import torch
leaves = [torch.tensor(array, requires_grad=True) for array in (U, grid)]
settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
V = torch.nn.functional.grid_sample(*leaves, **settings)
U_bar, grid_bar = (bar.numpy() for bar in torch.autograd.grad(V, leaves, torch.tensor(V_bar)))
V = V.detach().numpy()

print("got     ", grid_bar[0, 0, 0, 0])
print("expected", -1.5103855189320612, "to", -1.4896144810679388)
