"""torch-compile 2.13.0+cpu: theta_bar is wrong (CRASH).

Case affine-random/corners/float32/2d: A batch of maps of full length, to an output with different sizes along all axes.
"""

import numpy as np

theta = np.array([[[0.0, 0.0, 0.0],
                   [0.0, 0.0, 0.0]]], dtype="float32")
grid_bar = np.array([[[[0.0, 0.0]]]], dtype="float32")
size = (1, 2, 1, 1)
align_corners = True

from stn_ref.oracle.adapters.pytorch_compiled import TorchCompile

backend = TorchCompile()
answer = np.asarray(backend.affine_grid_vjp(theta=theta, grid_bar=grid_bar, size=size, align_corners=align_corners))

print("got     ", answer.shape)
print("expected", np.nan, "to", np.nan)
