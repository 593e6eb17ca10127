"""From volumes to images."""

import numpy as np

from ..autograd.tensor import Value, plain
from ..errors import check_choice, check_floating
from .reductions import max_, mean, sum_

PROJECTIONS = {"sum": sum_, "mean": mean, "max": max_}


def flatten_depth(V: Value, *, how: str = "sum") -> Value:
    """A volume (N, C, D, H, W) seen along its depth: the 2-D projection (N, C, H, W).

    After a 3-D transformer that turns an object towards the viewer, ordinary 2-D layers can follow.

    Parameters
    ----------
    V : (N, C, D, H, W), floating
    how : "sum", "mean" or "max"
        What becomes of the D voxels behind one pixel.

    Raises
    ------
    TypeError, ValueError
        If the dtype, the shape or ``how`` is another.

    >>> flatten_depth(np.arange(8.0).reshape(1, 1, 2, 2, 2))
    array([[[[ 4.,  6.],
             [ 8., 10.]]]])

    Source: Jaderberg et al. 2015, appendix on 3-D transformers.
    """
    check_floating("flatten_depth", "V", plain(V))
    check_choice("flatten_depth", "how", how, tuple(PROJECTIONS))
    if len(V.shape) != 5:
        raise ValueError(f"flatten_depth: V has shape {np.shape(plain(V))}, expected (N, C, D, H, W)")
    return PROJECTIONS[how](V, axis=2)
