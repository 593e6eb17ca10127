"""onnx-reference 1.23.2 (opset 20): V is wrong (FAIL_VALUE).

Case ladder/bilinear/reflection/corners/float64/2d: Coordinates from 2^10 up to 2^100, beyond all sorts of integers, with both signs.
See pytorch/pytorch#42616
See microsoft/onnxruntime#27975
"""

import numpy as np

U = np.array([[[[0.0, 1.0],
                [0.0, 0.0]]]], dtype="float64")
grid = np.array([[[[67108861.0, 0.0]]]], dtype="float64")
V_bar = np.array([[[[-4.0]]]], dtype="float64")
mode = 'bilinear'
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

print("got     ", V[0, 0, 0, 0])
print("expected", 0.4999999999999991, "to", 0.5000000000000009)
