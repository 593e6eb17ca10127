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
mode = 'bicubic'
padding_mode = 'reflection'
align_corners = False

import torch
leaves = [torch.tensor(array, requires_grad=True) for array in (U, grid)]
settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
V = torch.nn.functional.grid_sample(*leaves, **settings)
U_bar, grid_bar = (bar.numpy() for bar in torch.autograd.grad(V, leaves, torch.tensor(V_bar)))
V = V.detach().numpy()

print("got     ", grid_bar[0, 0, 0, 0])
print("expected", -1.461684814135955, "to", -0.7883151858640449)
