"""onnxruntime 1.31.1 (onnx 1.23.2, opset 20): V is wrong (FAIL_VALUE).

Case largest/nearest/zeros/corners/float32/2d: The largest coordinate there is, which no step towards pixels may make infinite.
"""

import numpy as np

U = np.array([[[[1.0, 0.0, 0.0, 0.0, 0.0]]]], dtype="float32")
grid = np.array([[[[3.4028235e+38, 0.0]]]], dtype="float32")
V_bar = np.array([[[[-1.0]]]], dtype="float32")
mode = 'nearest'
padding_mode = 'zeros'
align_corners = True

import onnx
from onnx import helper
kind = helper.np_dtype_to_tensor_dtype(U.dtype)
modes = {"nearest": "nearest", "bilinear": "linear", "bicubic": "cubic"}
how = {"mode": modes[mode], "padding_mode": padding_mode, "align_corners": int(align_corners)}
node = helper.make_node("GridSample", ["U", "grid"], ["V"], **how)
U_info, grid_info, V_info = (
    helper.make_tensor_value_info(name, kind, [None] * U.ndim) for name in ("U", "grid", "V")
)
graph = helper.make_graph([node], "sample", [U_info, grid_info], [V_info])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
import onnxruntime
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
[V] = session.run(None, {"U": U, "grid": grid})

print("got     ", V[0, 0, 0, 0])
print("expected", 0.0, "to", 0.0)
