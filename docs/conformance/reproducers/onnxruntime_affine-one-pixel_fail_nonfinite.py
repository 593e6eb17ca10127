"""onnxruntime 1.31.1 (onnx 1.23.2, opset 20): grid is wrong (FAIL_NONFINITE).

Case affine-one-pixel/corners/float16/2d: Outputs of a single pixel.
"""

import numpy as np

theta = np.array([[[0.0, 0.0, 0.0],
                   [0.0, 0.0, 0.0]],

                  [[0.0, 0.0, 0.0],
                   [0.0, 0.0, 0.0]]], dtype="float16")
settings = {'size': (2, 1, 1, 1), 'align_corners': True}

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

def affine_grid(theta, size, align_corners):
    arrays = {"theta": theta, "size": np.array(size, np.int64)}
    return ran("AffineGrid", arrays, len(size), align_corners=int(align_corners))

import onnxruntime

def evaluated(model, arrays):
    how = {"providers": ["CPUExecutionProvider"]}
    return onnxruntime.InferenceSession(model.SerializeToString(), **how).run(None, arrays)[0]


answer = np.asarray(affine_grid(theta=theta, **settings))
print("got     ", answer[0, 0, 0, 0])
print("expected", '0.0 to 0.0')
