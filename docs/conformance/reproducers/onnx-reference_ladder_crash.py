"""onnx-reference 1.23.2 (opset 20): V is wrong (CRASH).

Case ladder/nearest/reflection/corners/float16/2d: Coordinates from 2^10 up to 2^100, beyond all sorts of integers, with both signs.
See pytorch/pytorch#42616
See microsoft/onnxruntime#27975
"""

import numpy as np

U = np.array([[[[0.0, 0.0, 0.0, 0.0]]]], dtype="float16")
grid = np.array([[[[4.368e+04, 0.0]]]], dtype="float16")
V_bar = np.array([[[[2.0]]]], dtype="float16")
mode = 'nearest'
padding_mode = 'reflection'
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
from onnx.reference import ReferenceEvaluator
[V] = ReferenceEvaluator(model).run(None, {"U": U, "grid": grid})

print("got     ", V.shape)
print("expected", np.nan, "to", np.nan)
