"""keras 3.15.1 (TensorFlow 2.21.0): V_dot is wrong (FAIL_GRAD).

Case random/nearest/reflection/edges/float64/2d: Random numbers of full length, inside and outside the image.
See kornia/kornia#3945
See kornia/kornia#4503
"""

import numpy as np

U = np.array([[[[0.0, 0.0]]]], dtype="float64")
grid = np.array([[[[-5.204325656988502, 1.2701358145885706]]]], dtype="float64")
U_dot = np.array([[[[0.0, -2.0]]]], dtype="float64")
grid_dot = np.array([[[[0.0, 0.0]]]], dtype="float64")
mode = 'nearest'
padding_mode = 'reflection'
align_corners = False

from stn_ref.oracle.adapters.keras_ops import Keras

backend = Keras()
answer = np.asarray(backend.grid_sample_jvp(U=U, grid=grid, U_dot=U_dot, grid_dot=grid_dot, mode=mode, padding_mode=padding_mode, align_corners=align_corners))

print("got     ", answer[0, 0, 0, 0])
print("expected", 0.0, "to", 0.0)
