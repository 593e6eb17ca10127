"""stn_ref: Spatial Transformer Networks (Jaderberg et al. 2015) from scratch in NumPy.

Reading order, an afternoon: ``equations`` (the paper's eqs. 1-7 as plain loops), ``pixels`` (what -1 and
1 mean, what lies outside), ``autograd.tensor``, ``autograd.tape``, ``autograd.transforms`` (derivatives),
``ops.grids`` (eqs. 1, 2), ``ops.sampling`` (eqs. 3-7), ``autograd.gradcheck``, ``nn``.
"""

from .autograd.gradcheck import gradcheck
from .autograd.report import GradcheckError, GradcheckReport
from .autograd.tape import differentiable
from .autograd.tensor import Tensor, no_grad
from .autograd.transforms import grad, jvp, value_and_grad, vjp
from .errors import TapeError
from .nn import SpatialTransformer
from .ops import *  # noqa: F403
from .ops import __all__ as _operators

__version__ = "0.1.0"

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
