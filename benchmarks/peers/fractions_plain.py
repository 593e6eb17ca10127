"""Exact evaluation over fractions: the four pixels around each sample, with their weights."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np

from benchmarks.peers import Job
from stn_ref import __version__


def setup(settings):
    pass


def versions():
    return {"stn_ref": __version__}


def prepare(case, arrays, dtype, check):
    H, W = case["shape"][2:]
    pixels = {(n, m): Fraction(float(arrays["U"][0, 0, n, m])) for n in range(H) for m in range(W)}
    points = arrays["points"].tolist()

    def sample(x, y):
        x, y = Fraction(x), Fraction(y)
        m, n = floor(x), floor(y)
        f, g = x - m, y - n
        top = (1 - f) * pixels.get((n, m), 0) + f * pixels.get((n, m + 1), 0)
        bottom = (1 - f) * pixels.get((n + 1, m), 0) + f * pixels.get((n + 1, m + 1), 0)
        return float((1 - g) * top + g * bottom)

    return Job(lambda: [[sample(x, y) for x, y in row] for row in points], lambda V: {"V": np.array(V)})
