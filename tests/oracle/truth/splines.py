"""Questions about thin plate splines, and what the oracle finds about a backend that is asked them."""

from itertools import product

import numpy as np

from stn_ref.oracle.questions.grid_cases import GridSetting
from stn_ref.oracle.questions.tps_cases import TPS_FAMILIES, make_tps_case
from stn_ref.oracle.truth.enclosures import Arithmetic
from stn_ref.oracle.truth.tps import TpsAspects
from stn_ref.oracle.verdicts import judge

FAMILIES = tuple(TPS_FAMILIES)
DTYPES = ("float16", "float32", "float64")


def arithmetic(dtype):
    numbers = np.finfo(dtype)
    return Arithmetic(float(numbers.eps) / 2, float(numbers.tiny))


def aspects_of(case, coarse=None):
    """The right answers; for a backend of another arithmetic than its dtype's if ``coarse`` is one."""
    dtype, a = case.setting.dtype, case.arrays
    solving = arithmetic("float32" if dtype == "float16" else dtype)
    arithmetics = (coarse,) if coarse else (arithmetic(dtype), solving)
    corners = case.setting.align_corners
    return TpsAspects(a["places"], a["grid_bar"], case.size, a["control_points"], corners, *arithmetics)


def findings(backend, case, aspects=None):
    """What is found about the grid, and about the cotangent of the places."""
    a, aspects = case.arrays, aspects or aspects_of(case)
    how = {"control_points": a["control_points"], "align_corners": case.setting.align_corners}
    answers = {
        "grid": backend.tps_grid(a["places"], case.size, **how),
        "places_bar": backend.tps_grid_vjp(a["places"], case.size, a["grid_bar"], **how),
    }
    return [
        judge(aspect, got, aspects.enclosure(aspect), case.setting.dtype) for aspect, got in answers.items()
    ]


def cases(*dtypes, families=FAMILIES):
    for name, corners, dtype in product(families, (True, False), dtypes):
        yield make_tps_case(name, GridSetting(corners, dtype))
