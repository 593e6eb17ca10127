"""Backends that the oracle knows: for each one small file, which is imported only when it is asked for."""

from importlib import import_module
from typing import NamedTuple

from ..backend import Backend


class Adapter(NamedTuple):
    """Where a backend's adapter is, and what it needs."""

    target: str
    """``module:Class``, the module within this package."""
    requirement: str
    """What ``pip install`` takes so that it can be loaded; "" for nothing."""
    description: str
    """What of the backend is called."""


ADAPTERS: "dict[str, Adapter]" = {
    "stn_ref": Adapter("ours:StnRef", "", "stn_ref itself"),
    "torch": Adapter("pytorch:Torch", "torch", "torch.nn.functional.grid_sample, eager"),
    "torch-compile": Adapter("pytorch_compiled:TorchCompile", "torch", "the same through torch.compile"),
    "torch-cuda": Adapter("pytorch_cuda:TorchCuda", "torch", "the same on a CUDA device"),
    "jax": Adapter("jax_ndimage:Jax", "jax", "jax.scipy.ndimage.map_coordinates"),
    "onnxruntime": Adapter("onnx_runtime:OnnxRuntime", "onnxruntime onnx", "GridSample of ONNX Runtime"),
    "onnx-reference": Adapter("onnx_reference:OnnxReference", "onnx", "GridSample of onnx.reference"),
    "tensorflow": Adapter("tensorflow_crop:TensorFlow", "tensorflow", "tf.image.crop_and_resize at points"),
    "keras": Adapter("keras_ops:Keras", "keras tensorflow", "keras.ops.image.map_coordinates on TensorFlow"),
    "keras-torch": Adapter("keras_ops:KerasTorch", "keras torch", "the same on PyTorch"),
    "paddle": Adapter("paddlepaddle:Paddle", "paddlepaddle", "paddle.nn.functional.grid_sample"),
    "mxnet": Adapter("mxnet_samplers:MXNet", "mxnet==1.9.1 numpy<1.24", "mxnet.nd.BilinearSampler"),
    "chainer": Adapter(
        "chainer_functions:Chainer",
        "chainer==7.8.1 numpy<1.24",
        "chainer.functions.spatial_transformer_sampler",
    ),
    "kornia": Adapter("kornia_remap:Kornia", "kornia", "kornia.geometry.transform.remap"),
    "opencv": Adapter("opencv_remap:OpenCV", "opencv-python-headless", "cv2.remap"),
    "scipy": Adapter("scipy_ndimage:SciPy", "scipy", "scipy.ndimage.map_coordinates"),
}


def load(name: str) -> Backend:
    """The adapter of that name, with its backend imported.

    Raises
    ------
    ValueError
        If there is no such adapter.
    ImportError
        If its backend is not installed here; the message names what to install.
    Unsupported
        If it is, and something else that it needs is not here.

    >>> load("stn_ref").modes
    ('nearest', 'bilinear', 'bicubic')
    """
    if name not in ADAPTERS:
        raise ValueError(f"no adapter is called {name!r}; expected one of {', '.join(ADAPTERS)}")
    adapter = ADAPTERS[name]
    module, _, class_name = adapter.target.partition(":")
    adapter_class = getattr(import_module(f".{module}", __name__), class_name)
    try:
        backend: Backend = adapter_class()
        _ = backend.version
    except ImportError as error:
        raise ImportError(
            f"the backend {name!r} cannot be imported ({error}); pip install {adapter.requirement}"
        ) from error
    return backend
