"""onnxruntime 1.31.1 (onnx 1.23.2, opset 20): V is wrong (FAIL_VALUE).

Case largest/nearest/zeros/corners/float32/2d: The largest coordinate there is, which no step towards pixels may make infinite.
"""

import numpy as np

U = np.array([[[[1.0, 0.0, 0.0, 0.0, 0.0]]]], dtype="float32")
grid = np.array([[[[3.4028235e+38, 0.0]]]], dtype="float32")
settings = {'mode': 'nearest', 'padding_mode': 'zeros', 'align_corners': True}

import onnx
from onnx import helper

def ran(operator, arrays, rank, **attributes):
    kinds = {name: helper.np_dtype_to_tensor_dtype(array.dtype) for name, array in arrays.items()}
    info = helper.make_tensor_value_info
    inputs = [info(name, kinds[name], [None] * array.ndim) for name, array in arrays.items()]
    output = info("result", next(iter(kinds.values())), [None] * rank)
    node = helper.make_node(operator, list(arrays), ["result"], **attributes)
    graph = helper.make_graph([node], operator, inputs, [output])
    imports = [helper.make_opsetid("", 20)]
    return evaluated(helper.make_model(graph, opset_imports=imports, ir_version=9), arrays)

def grid_sample(U, grid, mode, padding_mode, align_corners):
    modes = {"nearest": "nearest", "bilinear": "linear", "bicubic": "cubic"}
    how = {"mode": modes[mode], "padding_mode": padding_mode, "align_corners": int(align_corners)}
    return ran("GridSample", {"U": U, "grid": grid}, U.ndim, **how)

import onnxruntime

def evaluated(model, arrays):
    how = {"providers": ["CPUExecutionProvider"]}
    return onnxruntime.InferenceSession(model.SerializeToString(), **how).run(None, arrays)[0]


answer = np.asarray(grid_sample(U=U, grid=grid, **settings))
print("got     ", answer[0, 0, 0, 0])
print("expected", '0.0 to 0.0')
