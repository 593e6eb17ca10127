"""What is done next to a backend: describe it, ask it, and make plain what came of that.

Like :mod:`..backend` this file runs on Python 3.9 with NumPy alone.
"""

import platform
import traceback
from typing import Any

import numpy as np

from ..backend import Array, Backend, Unsupported
from ..calls import Answer, Call
from ..layouts import laid_out
from .wire import NUMBERS

CLAIMS: dict[str, type] = {
    **dict.fromkeys(("name", "version", "profile", "half_coordinates", "snippet"), str),
    "deterministic": bool,
    "coordinate_operations": int,
}
LISTED_CLAIMS = {"modes": str, "padding_modes": str, "align_corners": bool, "dims": int, "dtypes": str}
METHODS = tuple(name for name, found in vars(Backend).items() if callable(found) and name[0] != "_")
METHODS_WITH_NAMED_OUTPUTS = ("grid_sample_vjp", "grid_sample_vjp_vjp")
FRAMES = 4  # of a traceback, the innermost ones
LONGEST = 1000  # characters of an error message


class WrongAnswer(TypeError):
    """A backend returned what is no answer."""


def about(backend: Backend) -> dict[str, Any]:
    """What a backend claims, the methods that it has, and what it runs on.

    Raises
    ------
    TypeError
        If a claim is not of the type of that in :class:`Backend`.

    >>> about(Backend())["modes"]
    ('bilinear',)
    """
    found: dict[str, Any] = {}
    for name, kind in CLAIMS.items():
        found[name] = getattr(backend, name)
        if not isinstance(found[name], kind):
            raise TypeError(f"{name} is {found[name]!r}, expected {kind.__name__}")
    for name, kind in LISTED_CLAIMS.items():
        listed = getattr(backend, name)
        if not isinstance(listed, (tuple, list)) or not all(isinstance(item, kind) for item in listed):
            raise TypeError(f"{name} is {listed!r}, expected a tuple of {kind.__name__}, such as ('x',)")
        found[name] = tuple(listed)
    found["name"] = found["name"] or type(backend).__name__
    found["methods"] = tuple(name for name in METHODS if _is_written(backend, name))
    return {**found, "python": platform.python_version(), "numpy": np.__version__}


def run(backend: Backend, call: Call) -> Answer:
    """Ask the backend, in this process; whatever it raises becomes an answer.

    It gets copies of the arrays, and the answer holds copies of its own.

    >>> theta = np.ones((1, 2, 3))
    >>> call = Call("affine_grid", {"theta": theta}, {"size": (1, 1, 2, 2), "align_corners": True})
    >>> run(Backend(), call).unsupported
    'no affine_grid'
    """
    given = {name: laid_out(array, call.layout) for name, array in call.arrays.items()}
    answer = _asked(backend, call, given)
    written = (name for name, array in given.items() if array.tobytes() != call.arrays[name].tobytes())
    return answer._replace(overwritten=tuple(written))


def told(error: BaseException) -> str:
    """An exception in a few lines: what it is, and where it came from, the last call last."""
    what = "".join(traceback.format_exception_only(type(error), error)).strip()
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first one is of this package
    shown = [frame for frame in frames if "importlib" not in frame.filename][-FRAMES:]
    return (what[:LONGEST] + "\n" + "".join(traceback.format_list(shown))).rstrip()


def _is_written(backend: Backend, method: str) -> bool:
    found = getattr(backend, method)
    return getattr(found, "__func__", found) is not getattr(Backend, method)


def _asked(backend: Backend, call: Call, given: dict[str, Array]) -> Answer:
    method = getattr(backend, call.method, None)
    if method is None:
        return Answer({}, unsupported=f"no {call.method}")
    try:
        return Answer(_outputs(call.method, method(**given, **call.settings)))
    except (Unsupported, NotImplementedError) as reason:
        return Answer({}, unsupported=str(reason)[:LONGEST] or type(reason).__name__)
    except WrongAnswer as error:
        return Answer({}, failure="ERROR", detail=str(error)[:LONGEST])
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also SystemExit, and what extensions derive from BaseException
        detail = told(error)
        if call.layout == "read-only" and "read-only" in str(error):
            detail = f"tried to write to an argument, or asked for leave to, which was read-only: {detail}"
        return Answer({}, failure="ERROR", detail=detail)


def _outputs(method: str, returned: Any) -> dict[str, Any]:
    if method not in METHODS_WITH_NAMED_OUTPUTS:
        return {"": _array(method, returned)}
    if not isinstance(returned, dict) or not all(isinstance(name, str) for name in returned):
        raise WrongAnswer(f"{method} returned {_kind(returned)}, expected a dict of cotangents by name")
    return {
        name: None if value is None else _array(f"{method}, as cotangent of {name},", value)
        for name, value in returned.items()
    }


def _array(who: str, value: Any) -> Array:
    """A copy in C order, since what a backend returns may be a buffer that it writes to again."""
    if isinstance(value, (list, tuple)) and any(hasattr(item, "shape") for item in value):
        raise WrongAnswer(f"{who} returned {_kind(value)} with arrays in it, expected one array")
    array = np.array(np.asarray(value), order="C")
    if array.dtype.kind not in NUMBERS:
        raise WrongAnswer(f"{who} returned {_kind(value)}, of dtype {array.dtype}, expected numbers")
    return array


def _kind(value: Any) -> str:
    return "None" if value is None else f"an object of type {type(value).__name__}"
