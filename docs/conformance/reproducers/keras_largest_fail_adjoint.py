"""keras 3.15.1 (TensorFlow 2.21.0): U_bar is wrong (FAIL_ADJOINT).

Case largest/bilinear/border/corners/float64/2d: The largest coordinate there is, which no step towards pixels may make infinite.
"""

import numpy as np

U = np.array([[[[0.0, 0.0, 0.0, 0.0, 0.0]]]], dtype="float64")
grid = np.array([[[[1.7976931348623157e+308, 0.0]]]], dtype="float64")
V_bar = np.array([[[[1.0]]]], dtype="float64")
needs = ('U', 'grid')
mode = 'bilinear'
padding_mode = 'border'
align_corners = True

from stn_ref.oracle.adapters.keras_ops import Keras

backend = Keras()
answer = np.asarray(backend.grid_sample_vjp(U=U, grid=grid, V_bar=V_bar, needs=needs, mode=mode, padding_mode=padding_mode, align_corners=align_corners)["U"])

print("got     ", answer[0, 0, 0, 0])
print("expected", 0.0, "to", 0.0)
