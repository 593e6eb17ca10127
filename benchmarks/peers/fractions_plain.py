"""Exact evaluation by the literal equations over fractions, as ``stn_ref.equations`` gives it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from benchmarks.peers import Job
from stn_ref import __version__
from stn_ref.equations import eq5_bilinear


def setup(settings):
    pass


def versions():
    return {"stn_ref": __version__}


def prepare(case, arrays, dtype, check):
    U = [[[Fraction(u) for u in row] for row in channel] for channel in arrays["U"][0].tolist()]
    points = arrays["points"].tolist()

    def run():
        return [[float(eq5_bilinear(U, Fraction(x), Fraction(y))[0]) for x, y in row] for row in points]

    return Job(run, lambda V: {"V": np.array(V)})
