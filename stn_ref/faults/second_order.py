"""Faults in the derivatives of derivatives; values and first derivatives stay right."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .plain import Cotangents, Plain
from .registry import fault
from .taps import Axes

Array = NDArray[Any]


@fault(
    "missing-mixed-term",
    "The second derivative for x and y, one after the other, is taken to be 0, since bilinear sampling is "
    "linear in each of them. It is not linear in both: it has a term x y.",
)
class MissingMixedTerm(Plain):
    def sample(self, U: Array, axes: Axes, *along: int) -> Array:
        derivative = super().sample(U, axes, *along)
        return 0 * derivative if len(set(along)) > 1 else derivative


@fault(
    "missing-cotangent-gradient",
    "The backward pass depends on V_bar as well, linearly. In the second one that dependence is forgotten, "
    "and V_bar gets 0.",
)
class MissingCotangentGradient(Plain):
    def grid_sample_vjp_vjp(self, *arrays: Array, **settings: Any) -> Cotangents:
        cotangents = super().grid_sample_vjp_vjp(*arrays, **settings)
        if "V_bar" in cotangents:
            cotangents["V_bar"] = np.zeros_like(cotangents["V_bar"])
        return cotangents
