"""The classic mistakes in spatial transformers, each as code that runs: :data:`FAULTS`, by name.

Every fault is :class:`Plain`, the textbook's right implementation, with one small step done wrong. They test
the tests: an oracle that lets one of them pass proves nothing. They name a failure: what a failing
backend answers is compared with what they answer. And they teach: the wrong lines beside the right ones.

>>> import numpy as np
>>> U = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
>>> upper_right = np.array([[[[1.0, -1.0]]]])
>>> how = dict(mode="bilinear", padding_mode="zeros", align_corners=True)
>>> Plain().grid_sample(U, upper_right, **how), FAULTS["xy-swap"].make().grid_sample(U, upper_right, **how)
(array([[[[2.]]]]), array([[[[3.]]]]))
"""

from . import coordinates, cubic, gradients, padding, second_order, splines, system, theta
from .plain import Plain
from .registry import FAULTS, Fault

THEMES = tuple(
    module.__name__.rpartition(".")[-1]
    for module in (coordinates, padding, gradients, theta, splines, cubic, second_order, system)
)

__all__ = ["FAULTS", "THEMES", "Fault", "Plain"]
