"""onnx-reference 1.23.2 (opset 20): V is wrong (CRASH).

Case nan-coordinate/bilinear/zeros/corners/float32/2d: A NaN among good coordinates: it must touch no other sample.
See pytorch/pytorch#24823
See pytorch/pytorch#19826
"""

import numpy as np

U = np.array([[[[0.0]]]], dtype="float32")
grid = np.array([[[[np.nan, 0.0]]]], dtype="float32")
print("expected", 'an answer', flush=True)
settings = {'mode': 'bilinear', 'padding_mode': 'zeros', 'align_corners': True}

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
