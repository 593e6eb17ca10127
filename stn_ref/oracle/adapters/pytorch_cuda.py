"""PyTorch on a CUDA device, where adding up U's cotangent is not deterministic, as its documentation says."""

from functools import cached_property
from importlib import import_module
from typing import Any

from ..backend import Unsupported
from .pytorch import Torch


class TorchCuda(Torch):
    """Eager, on the current device."""

    name = "torch-cuda"
    deterministic = False
    device = "cuda"
    snippet = Torch.snippet.replace('.to("cpu")', '.to("cuda")')

    @cached_property
    def torch(self) -> Any:
        torch = import_module("torch")
        if not torch.cuda.is_available():
            raise Unsupported(f"PyTorch {torch.__version__} finds no CUDA device")
        return torch
