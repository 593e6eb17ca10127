"""mxnet 1.9.1: grid is wrong (FAIL_NONFINITE).

Case affine-one-pixel/corners/float32/2d: Outputs of a single pixel.
"""

import numpy as np

theta = np.array([[[0.0, 0.0, 0.0],
                   [0.0, 0.0, 0.0]]], dtype="float32")
size = (1, 1, 1, 1)
align_corners = True

from stn_ref.oracle.adapters.mxnet_samplers import MXNet

backend = MXNet()
answer = np.asarray(backend.affine_grid(theta=theta, size=size, align_corners=align_corners))

print("got     ", answer[0, 0, 0, 0])
print("expected", 0.0, "to", 0.0)
