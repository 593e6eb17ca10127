"""onnx-reference 1.23.2 (opset 20): grid is wrong (FAIL_SHAPE).

Case affine-singleton/corners/float16/2d: Outputs that are one pixel high.
See kornia/kornia#4006
"""

import numpy as np

theta = np.array([[[0.0, 0.0, 0.0],
                   [0.0, 0.0, 0.0]]], dtype="float16")
size = (1, 1, 1, 1)
align_corners = True

from stn_ref.oracle.adapters.onnx_reference import OnnxReference

backend = OnnxReference()
answer = np.asarray(backend.affine_grid(theta=theta, size=size, align_corners=align_corners))

print("got     ", answer.shape)
print("expected", np.nan, "to", np.nan)
