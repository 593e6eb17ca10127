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
mode = 'bilinear'
padding_mode = 'reflection'
align_corners = False

import torch
leaves = [torch.tensor(array, requires_grad=True) for array in (U, grid)]
settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
V = torch.nn.functional.grid_sample(*leaves, **settings)
U_bar, grid_bar = (bar.numpy() for bar in torch.autograd.grad(V, leaves, torch.tensor(V_bar)))
V = V.detach().numpy()

print("got     ", U_bar[0, 0, 2, 0])
print("expected", 0.1413965243918581, "to", 0.1427831631081419)
