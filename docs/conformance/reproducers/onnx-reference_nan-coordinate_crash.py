"""onnx-reference 1.23.2 (opset 20): V is wrong (CRASH).

Case nan-coordinate/bilinear/zeros/corners/float32/2d: A NaN among good coordinates: it must touch no other sample.
See pytorch/pytorch#24823
See pytorch/pytorch#19826
"""

import numpy as np

U = np.array([[[[0.0]]]], dtype="float32")
grid = np.array([[[[np.nan, 0.0]]]], dtype="float32")
V_bar = np.array([[[[-2.0]]]], dtype="float32")
mode = 'bilinear'
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
from onnx.reference import ReferenceEvaluator
[V] = ReferenceEvaluator(model).run(None, {"U": U, "grid": grid})

print("got     ", V.shape)
print("expected", np.nan, "to", np.nan)
