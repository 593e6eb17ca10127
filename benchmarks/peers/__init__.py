"""One module for each library: how its users write each operation.

Every module has ``setup(settings)``, ``versions()`` and ``prepare(case, arrays, dtype, check)``, which
returns a :class:`Job`. Libraries are imported at the top, so that an absent one shows at once.
"""

from __future__ import annotations

import numpy as np


class Job:
    """Something to time.

    Parameters
    ----------
    run : callable
        The operation, whole and finished (no asynchronous rest), returning what ``collect`` takes.
    collect : callable
        From the result of ``run`` to a dict of arrays by name, each in the order (N, C, ...).
    reset : callable
        Called before each block, outside the measured time.
    """

    def __init__(self, run, collect, reset=None):
        self.run, self.collect, self.reset = run, collect, reset or (lambda: None)


def named(*arrays):
    """V alone, or V and the cotangents of U and theta."""
    return dict(zip(("V", "U_bar", "theta_bar"), (np.asarray(array) for array in arrays)))


def laid_out(array, dtype, memory):
    """The array in the dtype and memory order of a case; of shape (N, C, ...) in any case."""
    array = np.ascontiguousarray(array, dtype=dtype)
    if memory == "channels last":
        return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 1, -1)), -1, 1)
    return array


def sampler_inputs(case, arrays, dtype):
    """U as the case wants it, theta and V_bar.

    V_bar is channels first here. What comes back from the layer behind has the memory order of V, which each
    library chooses itself, so those that may choose channels last lay it out once more.
    """
    return (
        laid_out(arrays["U"], dtype, case["memory"]),
        np.ascontiguousarray(arrays["theta"], dtype=dtype),
        np.ascontiguousarray(arrays["V_bar"], dtype=dtype),
    )


def base_grid(size, dtype):
    """(d + 1, pixels): the normalised target coordinates, x first, and a row of ones."""
    axes = [np.linspace(-1, 1, n) for n in size]
    coordinates = np.meshgrid(*axes, indexing="ij")[::-1]
    rows = [c.ravel() for c in coordinates] + [np.ones(int(np.prod(size)))]
    return np.stack(rows).astype(dtype)
