"""paddle 3.3.1: grid is wrong (FAIL_NONFINITE).

Case affine-half/corners/float32/3d: So long a row that steps added up in half precision go astray.
"""

import numpy as np

theta = np.array([[[0.0, 0.0, 0.0, 0.0],
                   [0.0, 0.0, 0.0, 0.0],
                   [0.0, 0.0, 0.0, 0.0]]], dtype="float32")
size = (1, 1, 1, 1, 1)
align_corners = True

from stn_ref.oracle.adapters.paddlepaddle import Paddle

backend = Paddle()
answer = np.asarray(backend.affine_grid(theta=theta, size=size, align_corners=align_corners))

print("got     ", answer[0, 0, 0, 0, 0])
print("expected", 0.0, "to", 0.0)
