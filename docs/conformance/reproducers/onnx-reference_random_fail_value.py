"""onnx-reference 1.23.2 (opset 20): V is wrong (FAIL_VALUE).

Case random/bicubic/border/edges/float64/2d: Random numbers of full length, inside and outside the image.
See kornia/kornia#3945
See kornia/kornia#4503
"""

import numpy as np

U = np.array([[[[1.0]]]], dtype="float64")
grid = np.array([[[[-0.12478667869983795, 0.0]]]], dtype="float64")
V_bar = np.array([[[[1.340998615362352]]]], dtype="float64")
mode = 'bicubic'
padding_mode = 'border'
align_corners = False

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
print("expected", 0.9999999999999214, "to", 1.0000000000000786)
