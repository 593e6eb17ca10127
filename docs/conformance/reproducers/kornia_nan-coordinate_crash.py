"""kornia 0.9.0 (PyTorch 2.13.0+cpu): U_bar is wrong (CRASH).

Case nan-coordinate/bilinear/border/corners/float32/2d: A NaN among good coordinates: it must touch no other sample.
See pytorch/pytorch#24823
See pytorch/pytorch#19826
"""

import numpy as np

U = np.array([[[[1.0, -4.0, 2.0, -3.0, 4.0],
                [-4.0, -4.0, -4.0, -1.0, -4.0],
                [3.0, -3.0, -1.0, 4.0, 4.0]]]], dtype="float32")
grid = np.array([[[[np.nan, 1.125],
                   [np.nan, 1.125],
                   [-0.375, np.nan],
                   [1.0, np.nan]],

                  [[1.0625, -0.75],
                   [-0.4375, -0.25],
                   [0.8125, 0.25],
                   [1.0625, 1.0]],

                  [[-0.875, -0.75],
                   [-0.625, -0.25],
                   [-0.375, 0.25],
                   [1.0, 1.0]]]], dtype="float32")
V_bar = np.array([[[[-3.0, -1.0, -3.0, -4.0],
                    [-1.0, -1.0, -1.0, 2.0],
                    [4.0, -2.0, -2.0, -4.0]]]], dtype="float32")
mode = 'bilinear'
padding_mode = 'border'
align_corners = True

import kornia, torch
U_leaf, grid_leaf = leaves = [torch.tensor(array, requires_grad=True) for array in (U, grid)]
(H, W), (x, y) = U.shape[2:], (grid_leaf[..., 0], grid_leaf[..., 1])
maps = (x + 1) * (W - 1) / 2, (y + 1) * (H - 1) / 2
V = kornia.geometry.transform.remap(U_leaf, *maps, mode, padding_mode, align_corners)
U_bar, grid_bar = (bar.numpy() for bar in torch.autograd.grad(V, leaves, torch.tensor(V_bar)))
V = V.detach().numpy()

print("got     ", U_bar.shape)
print("expected", np.nan, "to", np.nan)
