"""keras 3.15.1 (TensorFlow 2.21.0): grid_bar is wrong (FAIL_GRAD).

Case ladder/bilinear/border/edges/float64/2d: Coordinates from 2^10 up to 2^100, beyond all sorts of integers, with both signs.
"""

import numpy as np

U = np.array([[[[0.0, 0.0],
                [1.0, 0.0]]]], dtype="float64")
grid = np.array([[[[8589934589.0, 0.0]]]], dtype="float64")
V_bar = np.array([[[[1.0]]]], dtype="float64")
needs = ('U', 'grid')
mode = 'bilinear'
padding_mode = 'border'
align_corners = False

from stn_ref.oracle.adapters.keras_ops import Keras

backend = Keras()
answer = np.asarray(backend.grid_sample_vjp(U=U, grid=grid, V_bar=V_bar, needs=needs, mode=mode, padding_mode=padding_mode, align_corners=align_corners)["grid"])

print("got     ", answer[0, 0, 0, 1])
print("expected", 0.0, "to", 0.0)
