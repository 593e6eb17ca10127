"""Every differentiable operator, its forward and its vjp rules side by side."""

from ..kernels.sampling import Setup
from .arithmetic import (
    add,
    cast,
    divide,
    maximum,
    minimum,
    multiply,
    negative,
    power,
    subtract,
    where,
)
from .convolution import conv2d
from .elementary import absolute, cos, exp, log, relu, sigmoid, sin, sqrt, tanh
from .grids import affine_grid
from .interpolation import BICUBIC, BILINEAR, NEAREST, Kernel, bicubic
from .linear import einsum, matmul
from .losses import cross_entropy, dropout, log_softmax
from .pooling import avg_pool2d, max_pool2d
from .reductions import logsumexp, max_, mean, sum_
from .sampling import grid_sample, sample, slopes, spatial_transform, splat
from .shaping import broadcast_to, concatenate, index, pad, reshape, scatter, stack, transpose

__all__ = [
    "BICUBIC",
    "BILINEAR",
    "NEAREST",
    "Kernel",
    "Setup",
    "absolute",
    "add",
    "affine_grid",
    "avg_pool2d",
    "bicubic",
    "broadcast_to",
    "cast",
    "concatenate",
    "conv2d",
    "cos",
    "cross_entropy",
    "divide",
    "dropout",
    "einsum",
    "exp",
    "grid_sample",
    "index",
    "log",
    "log_softmax",
    "logsumexp",
    "matmul",
    "max_",
    "max_pool2d",
    "maximum",
    "mean",
    "minimum",
    "multiply",
    "negative",
    "pad",
    "power",
    "relu",
    "reshape",
    "sample",
    "scatter",
    "sigmoid",
    "sin",
    "slopes",
    "spatial_transform",
    "splat",
    "sqrt",
    "stack",
    "subtract",
    "sum_",
    "tanh",
    "transpose",
    "where",
]
