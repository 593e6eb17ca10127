"""torch 2.13.0+cpu: second.U is wrong (CRASH).

Case random/bilinear/reflection/corners/float16/2d: Random numbers of full length, inside and outside the image.
See pytorch/pytorch#34704
"""

import numpy as np

U = np.array([[[[0.0, 0.0]]]], dtype="float16")
grid = np.array([[[[0.0, 0.0]]]], dtype="float16")
V_bar = np.array([[[[0.0]]]], dtype="float16")
U_bar_bar = np.array([[[[0.0, 0.0]]]], dtype="float16")
grid_bar_bar = np.array([[[[0.0, 0.0]]]], dtype="float16")
needs = ('U', 'grid', 'V_bar')
mode = 'bilinear'
padding_mode = 'reflection'
align_corners = True

from stn_ref.oracle.adapters.pytorch import Torch

backend = Torch()
answer = np.asarray(backend.grid_sample_vjp_vjp(U=U, grid=grid, V_bar=V_bar, U_bar_bar=U_bar_bar, grid_bar_bar=grid_bar_bar, needs=needs, mode=mode, padding_mode=padding_mode, align_corners=align_corners)["U"])

print("got     ", answer.shape)
print("expected", np.nan, "to", np.nan)
