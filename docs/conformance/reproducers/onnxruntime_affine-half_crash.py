"""onnxruntime 1.31.1 (onnx 1.23.2, opset 20): grid is wrong (CRASH).

Case affine-half/corners/float16/2d: So long a row that steps added up in half precision go astray.
See pytorch/vision#9029
"""

import numpy as np

theta = np.array([[[0.0, 0.0, 0.0],
                   [0.0, 0.0, 0.0]]], dtype="float16")
size = (1, 1, 1, 1)
align_corners = True

from stn_ref.oracle.adapters.onnx_runtime import OnnxRuntime

backend = OnnxRuntime()
answer = np.asarray(backend.affine_grid(theta=theta, size=size, align_corners=align_corners))

print("got     ", answer.shape)
print("expected", np.nan, "to", np.nan)
