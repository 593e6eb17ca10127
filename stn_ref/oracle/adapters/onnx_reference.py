"""ONNX's own reference: ``onnx.reference.ReferenceEvaluator``, Python loops; no derivatives.

It does cubic volumes too, as the standard says.
"""

from importlib import import_module
from typing import Any

from .onnx_runtime import MODEL, OPSET, OnnxRuntime

EVALUATOR = """
from onnx.reference import ReferenceEvaluator

def evaluated(model, arrays):
    return ReferenceEvaluator(model).run(None, arrays)[0]
"""


class OnnxReference(OnnxRuntime):
    """The same models as for ONNX Runtime."""

    name = "onnx-reference"
    cubic_volumes = True
    snippet = MODEL + EVALUATOR

    @property
    def version(self) -> str:
        return f"{self.onnx.__version__} (opset {OPSET})"

    def evaluator(self, model: Any) -> Any:
        return import_module("onnx.reference").ReferenceEvaluator(model)
