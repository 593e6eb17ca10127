"""Whether two libraries computed the same, before anyone looks at their times."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# The largest difference, as a share of the largest number of the reference. In float32 a sample may fall on
# the other side of a kink, which moves theta_bar by a percent or two; the float64 check is the sharp one.
TOLERANCES: dict[str, dict[str, float]] = {
    "float64": {"": 1e-8},
    "float32": {"": 2e-3, "theta_bar": 5e-2, "loss": 1e-4},
}


def differences(reference: Mapping[str, Array], found: Mapping[str, Array]) -> dict[str, float]:
    """For each output the largest difference over the largest number of the reference, or inf."""
    result = {}
    for name, expected in reference.items():
        array = found.get(name)
        if array is None or array.shape != expected.shape:
            result[name] = float("inf")
            continue
        scale = float(np.max(np.abs(expected), initial=0)) or 1.0
        with np.errstate(all="ignore"):
            worst = float(np.max(np.abs(array.astype(np.float64) - expected), initial=0)) / scale
        result[name] = worst if np.isfinite(worst) else float("inf")
    return result


def complaint(found: Mapping[str, float], dtype: str) -> str:
    """What is beyond tolerance, in words; empty if nothing is."""
    table = TOLERANCES[dtype]
    wrong = [
        f"{name} differs by {value:.2g} in {dtype} (at most {limit:g})"
        for name, value in found.items()
        if not value <= (limit := table.get(name, table[""]))
    ]
    return "; ".join(wrong)
