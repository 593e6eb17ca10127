"""keras 3.15.1 (TensorFlow 2.21.0): U_bar is wrong (FAIL_NONFINITE).

Case nan-coordinate/bilinear/border/corners/float32/2d: A NaN among good coordinates: it must touch no other sample.
See pytorch/pytorch#24823
See pytorch/pytorch#19826
"""

import numpy as np

U = np.array([[[[0.0]]]], dtype="float32")
grid = np.array([[[[np.nan, 0.0]]]], dtype="float32")
V_bar = np.array([[[[0.0]]]], dtype="float32")
needs = ('U', 'grid')
mode = 'bilinear'
padding_mode = 'border'
align_corners = True

from stn_ref.oracle.adapters.keras_ops import Keras

backend = Keras()
answer = np.asarray(backend.grid_sample_vjp(U=U, grid=grid, V_bar=V_bar, needs=needs, mode=mode, padding_mode=padding_mode, align_corners=align_corners)["U"])

print("got     ", answer[0, 0, 0, 0])
print("expected", 0.0, "to", 0.0)
