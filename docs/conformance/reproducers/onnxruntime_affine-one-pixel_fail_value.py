"""onnxruntime 1.31.1 (onnx 1.23.2, opset 20): grid is wrong (FAIL_VALUE).

Case affine-one-pixel/corners/float64/3d: Outputs of a single pixel.
"""

import numpy as np

theta = np.array([[[0.0, 0.0, 0.0, 0.0],
                   [0.0, 0.0, 0.0, 0.0],
                   [0.0, 0.0, 1.0, 0.0]]], dtype="float64")
size = (1, 1, 1, 1, 1)
align_corners = True

from stn_ref.oracle.adapters.onnx_runtime import OnnxRuntime

backend = OnnxRuntime()
answer = np.asarray(backend.affine_grid(theta=theta, size=size, align_corners=align_corners))

print("got     ", answer[0, 0, 0, 0, 2])
print("expected", -1.0000000000000013, "to", -0.9999999999999987)
