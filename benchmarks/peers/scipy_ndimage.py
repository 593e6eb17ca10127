"""SciPy's map_coordinates of order 1, forward only; "grid-constant" tapers outside as eq. (5) does."""

from __future__ import annotations

import numpy as np
import scipy
from scipy.ndimage import map_coordinates

from benchmarks.peers import Job, base_grid, named, sampler_inputs


def setup(settings):
    pass


def versions():
    return {"SciPy": scipy.__version__, "NumPy": np.__version__}


def prepare(case, arrays, dtype, check):
    U, theta, V_bar = sampler_inputs(case, arrays, dtype)
    size = V_bar.shape
    base = base_grid(size[2:], dtype)
    scale = (np.array(U.shape[2:], dtype=dtype) - 1)[:, None] / 2

    def run():
        V = np.empty(size, dtype)
        for n in range(size[0]):
            points = ((theta[n] @ base)[::-1] + 1) * scale
            points = points.reshape(-1, *size[2:])
            for c in range(size[1]):
                map_coordinates(U[n, c], points, V[n, c], 1, "grid-constant", prefilter=False)
        return (V,)

    return Job(run, lambda found: named(*found))
