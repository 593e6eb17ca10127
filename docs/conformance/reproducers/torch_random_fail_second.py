"""torch 2.13.0+cpu: second.U is wrong (FAIL_SECOND).

Case random/bilinear/border/edges/float16/2d: Random numbers of full length, inside and outside the image.
See pytorch/pytorch#34704
See kornia/kornia#3945
See kornia/kornia#4503
"""

import numpy as np

U = np.array([[[[0.0, 0.0],
                [0.0, 0.0]]]], dtype="float16")
grid = np.array([[[[0.0, 0.4683]]]], dtype="float16")
V_bar = np.array([[[[1.0]]]], dtype="float16")
U_bar_bar = np.array([[[[0.0, 0.0],
                        [0.0, 0.0]]]], dtype="float16")
grid_bar_bar = np.array([[[[1.0, 0.0]]]], dtype="float16")
needs = ('U', 'grid', 'V_bar')
mode = 'bilinear'
padding_mode = 'border'
align_corners = False

from stn_ref.oracle.adapters.pytorch import Torch

backend = Torch()
answer = np.asarray(backend.grid_sample_vjp_vjp(U=U, grid=grid, V_bar=V_bar, U_bar_bar=U_bar_bar, grid_bar_bar=grid_bar_bar, needs=needs, mode=mode, padding_mode=padding_mode, align_corners=align_corners)["U"])

print("got     ", answer[0, 0, 0, 0])
print("expected", -0.03193940690710827, "to", -0.03153715559289173)
