"""ONNX Runtime: the operators ``GridSample`` and ``AffineGrid`` of opset 20, on the CPU; no derivatives.

Opset 16 knew images only and called the modes bilinear and bicubic. Half-way between two pixels the even one
is nearest, says the standard. ONNX Runtime does not do cubic volumes.
"""

from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

from ..backend import Array, Backend, Unsupported

MODES = {"nearest": "nearest", "bilinear": "linear", "bicubic": "cubic"}
OPSET = 20
MODEL = """\
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

def affine_grid(theta, size, align_corners):
    arrays = {"theta": theta, "size": np.array(size, np.int64)}
    return ran("AffineGrid", arrays, len(size), align_corners=int(align_corners))
"""
SESSION = """
import onnxruntime

def evaluated(model, arrays):
    how = {"providers": ["CPUExecutionProvider"]}
    return onnxruntime.InferenceSession(model.SerializeToString(), **how).run(None, arrays)[0]
"""


class OnnxRuntime(Backend):
    """One session for each operator, setting, dtype and rank; shapes are left open."""

    name = "onnxruntime"
    modes = ("nearest", "bilinear", "bicubic")
    padding_modes = ("zeros", "border", "reflection")
    dims = (2, 3)
    dtypes = ("float16", "float32", "float64")
    profile = "onnx"
    cubic_volumes = False
    snippet = MODEL + SESSION

    @cached_property
    def onnx(self) -> Any:
        import_module("onnx.helper")
        return import_module("onnx")

    @cached_property
    def evaluators(self) -> "dict[Any, Any]":
        """What was made before, by what it was made for."""
        return {}

    @property
    def version(self) -> str:
        return f"{import_module('onnxruntime').__version__} (onnx {self.onnx.__version__}, opset {OPSET})"

    def evaluator(self, model: Any) -> Any:
        """Something that runs the model."""
        runtime = import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.log_severity_level = 4  # what fails is raised
        return runtime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def run(self, operator: str, arrays: "dict[str, Array]", rank: int, **attributes: Any) -> Any:
        """The result of a model that is this one operator, with ``rank`` axes."""
        types = tuple((name, array.dtype, array.ndim) for name, array in arrays.items())
        key = (operator, types, tuple(attributes.items()))
        if key not in self.evaluators:
            self.evaluators[key] = self.evaluator(self.model(operator, types, rank, attributes))
        [result] = self.evaluators[key].run(None, arrays)
        return result

    def model(self, operator: str, types: Any, rank: int, attributes: Any) -> Any:
        helper = self.onnx.helper
        result = ("result", types[0][1], rank)
        *inputs, output = (
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), [None] * axes)
            for name, dtype, axes in (*types, result)
        )
        node = helper.make_node(operator, [name for name, _, _ in types], ["result"], **attributes)
        graph = helper.make_graph([node], operator, inputs, [output])
        imports = [helper.make_opsetid("", OPSET)]
        return helper.make_model(
            graph, opset_imports=imports, ir_version=helper.find_min_ir_version_for(imports)
        )

    def grid_sample(self, U: Array, grid: Array, *, mode: str, padding_mode: str, align_corners: bool) -> Any:
        if mode == "bicubic" and not self.cubic_volumes and U.ndim == 5:
            raise Unsupported("cubic is for 4-D input only")
        how = {"mode": MODES[mode], "padding_mode": padding_mode, "align_corners": int(align_corners)}
        return self.run("GridSample", {"U": U, "grid": grid}, U.ndim, **how)

    def affine_grid(self, theta: Array, size: "tuple[int, ...]", *, align_corners: bool) -> Any:
        arrays = {"theta": theta, "size": np.array(size, np.int64)}
        return self.run("AffineGrid", arrays, len(size), align_corners=int(align_corners))
