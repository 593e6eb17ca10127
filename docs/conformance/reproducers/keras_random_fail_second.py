"""keras 3.15.1 (TensorFlow 2.21.0): second.V_bar is wrong (FAIL_SECOND).

Case random/nearest/reflection/edges/float64/2d: Random numbers of full length, inside and outside the image.
See pytorch/pytorch#34704
See kornia/kornia#3945
See kornia/kornia#4503
"""

import numpy as np

U = np.array([[[[0.0, 0.0]]]], dtype="float64")
grid = np.array([[[[-3.25, 0.0]]]], dtype="float64")
V_bar = np.array([[[[0.0]]]], dtype="float64")
U_bar_bar = np.array([[[[0.0, 1.0]]]], dtype="float64")
grid_bar_bar = np.array([[[[0.0, 0.0]]]], dtype="float64")
needs = ('U', 'grid', 'V_bar')
mode = 'nearest'
padding_mode = 'reflection'
align_corners = False

from stn_ref.oracle.adapters.keras_ops import Keras

backend = Keras()
answer = np.asarray(backend.grid_sample_vjp_vjp(U=U, grid=grid, V_bar=V_bar, U_bar_bar=U_bar_bar, grid_bar_bar=grid_bar_bar, needs=needs, mode=mode, padding_mode=padding_mode, align_corners=align_corners)["V_bar"])

print("got     ", answer[0, 0, 0, 0])
print("expected", 0.9999999999999987, "to", 1.0000000000000013)
