"""The chain of tiny operations that measures what a tape costs for each of them."""

from __future__ import annotations

import numpy as np


def chain_inputs(arrays, dtype):
    """x, the factor w, and the cotangent of the end of the chain."""
    return tuple(np.array(arrays[name], dtype=dtype) for name in ("x", "w", "y_bar"))
