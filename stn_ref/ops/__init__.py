"""Every differentiable operator, its forward and its vjp rules side by side."""

from ..kernels.sampling import Setup
from .affine import Affine, Attention, Rigid, Rotation, Scale, Shear, Similarity, Translation
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
from .conversions import (
    box_to_theta,
    compose,
    invert,
    matrix_to_theta,
    rescale_theta,
    theta_to_box,
    theta_to_matrix,
)
from .convolution import conv2d
from .elementary import absolute, cos, exp, log, relu, sigmoid, sin, sinc, sqrt, tanh
from .flow import Flow, flow_grid
from .grids import affine_grid
from .interpolation import (
    BICUBIC,
    BILINEAR,
    CUBIC_SPLINE,
    LANCZOS,
    NEAREST,
    QUADRATIC_SPLINE,
    bicubic,
    gaussian,
    lanczos,
)
from .kernel import Kernel
from .linear import einsum, matmul, solve
from .losses import cross_entropy, dropout, log_softmax
from .pooling import avg_pool2d, max_pool2d
from .projective import Projective, homography_from_points, projective_grid
from .reductions import logsumexp, max_, mean, sum_
from .sampling import grid_sample, sample, slopes, splat
from .shaping import broadcast_to, concatenate, index, pad, reshape, scatter, stack, transpose
from .thetas import (
    attention_theta,
    bounded,
    rigid_theta,
    rotation_theta,
    scale_theta,
    shear_theta,
    similarity_theta,
    translation_theta,
)
from .thin_plate import ThinPlateSpline, control_grid, tps_grid
from .transformation import Transformation
from .volumes import flatten_depth
from .warping import spatial_transform

__all__ = [
    "BICUBIC",
    "BILINEAR",
    "CUBIC_SPLINE",
    "LANCZOS",
    "NEAREST",
    "QUADRATIC_SPLINE",
    "Affine",
    "Attention",
    "Flow",
    "Kernel",
    "Projective",
    "Rigid",
    "Rotation",
    "Scale",
    "Setup",
    "Shear",
    "Similarity",
    "ThinPlateSpline",
    "Transformation",
    "Translation",
    "absolute",
    "add",
    "affine_grid",
    "attention_theta",
    "avg_pool2d",
    "bicubic",
    "bounded",
    "box_to_theta",
    "broadcast_to",
    "cast",
    "compose",
    "concatenate",
    "control_grid",
    "conv2d",
    "cos",
    "cross_entropy",
    "divide",
    "dropout",
    "einsum",
    "exp",
    "flatten_depth",
    "flow_grid",
    "gaussian",
    "grid_sample",
    "homography_from_points",
    "index",
    "invert",
    "lanczos",
    "log",
    "log_softmax",
    "logsumexp",
    "matmul",
    "matrix_to_theta",
    "max_",
    "max_pool2d",
    "maximum",
    "mean",
    "minimum",
    "multiply",
    "negative",
    "pad",
    "power",
    "projective_grid",
    "relu",
    "rescale_theta",
    "reshape",
    "rigid_theta",
    "rotation_theta",
    "sample",
    "scale_theta",
    "scatter",
    "shear_theta",
    "sigmoid",
    "similarity_theta",
    "sin",
    "sinc",
    "slopes",
    "solve",
    "spatial_transform",
    "splat",
    "sqrt",
    "stack",
    "subtract",
    "sum_",
    "tanh",
    "theta_to_box",
    "theta_to_matrix",
    "tps_grid",
    "translation_theta",
    "transpose",
    "where",
]
