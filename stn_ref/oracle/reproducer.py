"""A script that shows a wrong answer, with NumPy and the backend's own call and nothing else."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .interview import Evidence
from .verdicts import Finding

Array = NDArray[Any]
LEFT_BEHIND = ("V", "U_bar", "grid_bar")  # by a snippet, under the names of the aspects


def reproducer(evidence: Evidence, finding: Finding, about: Any, target: str = "") -> str:
    """The text of a Python script that computes the answer again and compares it.

    ``about`` describes the backend; without a snippet in it, its class is called, by its name ``target``.
    """
    case, call = evidence.case, evidence.ask.call
    aspect = evidence.ask.aspects[evidence.output]
    least, most = finding.expected or (np.nan, np.nan)
    own = about.get("snippet", "") if aspect in LEFT_BEHIND else ""
    lines = [
        f'"""{about["name"]} {about["version"]}: {aspect} is wrong ({finding.verdict.value}).',
        "",
        f"Case {case.id}: {case.about}",
        *(f"See {thread}" for thread in case.threads(f"{evidence.ask.way} {aspect}")),
        '"""',
        "",
        "import numpy as np",
        "",
    ]
    arrays = dict(call.arrays)
    if own and "V_bar" not in arrays and "V_bar" in case.arrays:
        arrays["V_bar"] = case.arrays["V_bar"]
    lines += [f"{name} = {array_text(array, len(name) + 12)}" for name, array in arrays.items()]
    settings = {name: value for name, value in call.settings.items() if not (own and name == "needs")}
    lines += [f"{name} = {value!r}" for name, value in settings.items()]
    if call.layout != "C":
        lines.append(f"# asked with arrays laid out as {call.layout!r}, and right with ordinary ones")
    lines += ["", *(own.splitlines() if own else _through_the_class(evidence, target))]
    answer = aspect if own else "answer"
    index = ", ".join(map(str, finding.where))
    got = f"{answer}[{index}]" if finding.where else f"{answer}.shape"
    lines += [
        "",
        f'print("got     ", {got})',
        f'print("expected", {_number(least)}, "to", {_number(most)})',
    ]
    return "\n".join(lines) + "\n"


def _through_the_class(evidence: Evidence, target: str) -> list[str]:
    call = evidence.ask.call
    module, _, name = target.partition(":")
    arguments = ", ".join(f"{name}={name}" for name in (*call.arrays, *call.settings))
    output = f'["{evidence.output}"]' if evidence.output else ""
    return [
        f"from {module} import {name}" if target else "# backend = the one that was asked",
        "",
        *([f"backend = {name}()"] if target else []),
        f"answer = np.asarray(backend.{call.method}({arguments}){output})",
    ]


def array_text(array: Array, indent: int = 0) -> str:
    """An array as code, exactly; lines from the second on begin ``indent`` columns in.

    >>> array_text(np.array([[0.1, np.nan]]))
    'np.array([[0.1, np.nan]], dtype="float64")'
    """
    text = np.array2string(
        array,
        separator=", ",
        threshold=2**31,
        max_line_width=100,
        prefix=" " * indent,
        formatter={"float_kind": _number},
    )
    if array.size == 0:
        return f'np.zeros({array.shape}, dtype="{array.dtype}")'
    return f'np.array({text}, dtype="{array.dtype}")'


def _number(x: Any) -> str:
    """As short as it can be read back by.

    >>> _number(np.float32(0.1)), _number(-np.inf)
    ('0.1', '-np.inf')
    """
    if np.isfinite(x):
        return str(np.asarray(x)[()])
    return "np.nan" if np.isnan(x) else "np.inf" if x > 0 else "-np.inf"
