"""Spatial Transformer Networks (Jaderberg et al. 2015) from scratch in NumPy.

Reading order, an afternoon:

1. ``equations``: the paper's eqs. (1)-(7) as plain loops
2. ``pixels``: what -1 and 1 mean, and what lies outside the image
3. ``autograd.tensor``, ``.node``, ``.tape``, ``.backward``, ``.transforms``: derivatives
4. ``ops.grids``: eqs. (1) and (2)
5. ``ops.kernel``, ``ops.interpolation``, ``ops.sampling``, ``kernels.sampling``: eqs. (3)-(7)
6. ``autograd.gradcheck`` and what it stands on: ``.differences``, ``.probe``, ``.checker``
7. ``nn``: layers, optimisers, and ``nn.spatial_transformer``

Beside the path: ``ops.transformation`` and the other maps (``affine``, ``projective``, ``thin_plate``,
``flow``), ``ops.conversions`` from one description of a map to another, ``pictures``.
"""

from importlib import import_module as _import_module
from typing import Any as _Any

from .autograd.gradcheck import gradcheck
from .autograd.recording import no_grad
from .autograd.report import GradcheckError, GradcheckReport
from .autograd.tape import differentiable
from .autograd.tensor import Tensor
from .autograd.transforms import grad, jvp, value_and_grad, vjp
from .errors import TapeError
from .nn import SpatialTransformer
from .ops import *  # noqa: F403
from .ops import __all__ as _operators

__version__ = "0.1.0"


def __getattr__(name: str) -> _Any:
    """``stn_ref.oracle``, which is imported only when it is asked for."""
    if name == "oracle":
        return _import_module(".oracle", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "GradcheckError",
    "GradcheckReport",
    "SpatialTransformer",
    "TapeError",
    "Tensor",
    "differentiable",
    "grad",
    "gradcheck",
    "jvp",
    "no_grad",
    "value_and_grad",
    "vjp",
    *_operators,
]
