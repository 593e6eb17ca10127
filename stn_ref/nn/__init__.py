"""Networks: modules, layers, initialisers, optimisers, and the spatial transformer."""

from .initialisers import fan_in_uniform, he, identity_transform, xavier
from .layers import (
    AvgPool2d,
    Conv2d,
    Dropout,
    Flatten,
    FlattenDepth,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
    Standardise,
)
from .module import Module
from .optimisers import SGD, Adam, Optimiser, constant, cosine, stepwise
from .spatial_transformer import Parallel, SpatialTransformer, TransformReport, composed

__all__ = [
    "SGD",
    "Adam",
    "AvgPool2d",
    "Conv2d",
    "Dropout",
    "Flatten",
    "FlattenDepth",
    "Linear",
    "MaxPool2d",
    "Module",
    "Optimiser",
    "Parallel",
    "ReLU",
    "Sequential",
    "Standardise",
    "SpatialTransformer",
    "TransformReport",
    "composed",
    "constant",
    "cosine",
    "fan_in_uniform",
    "he",
    "identity_transform",
    "stepwise",
    "xavier",
]
