"""onnx-reference 1.23.2 (opset 20): V is wrong (CRASH).

Case largest/nearest/reflection/corners/float16/2d: The largest coordinate there is, which no step towards pixels may make infinite.
"""

import numpy as np

U = np.array([[[[0.0, 0.0, 0.0, 0.0, 0.0]]]], dtype="float16")
grid = np.array([[[[6.55e+04, 0.0]]]], dtype="float16")
print("expected", 'an answer', flush=True)
settings = {'mode': 'nearest', 'padding_mode': 'reflection', 'align_corners': True}

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

from onnx.reference import ReferenceEvaluator

def evaluated(model, arrays):
    return ReferenceEvaluator(model).run(None, arrays)[0]


answer = np.asarray(grid_sample(U=U, grid=grid, **settings))
print("got     ", answer.dtype, answer.shape)
