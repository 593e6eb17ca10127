"""A failure as a few lines of Python that run when pasted."""

import base64
import functools
import inspect
import sys
import textwrap
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def literal(x: Array) -> str:
    """An array as an expression with every bit in it: a list if it is small, packed bytes if not.

    >>> literal(np.array([[0.1, 2.0]], np.float32))
    "np.array([[0.10000000149011612, 2.0]], '<f4')"
    """
    kind = repr(x.dtype.newbyteorder("<").str)
    if x.size <= 64 and x.size and (x.dtype.kind != "f" or np.isfinite(x).all()):
        return f"np.array({x.tolist()}, {kind})"
    little = np.ascontiguousarray(x).astype(x.dtype.newbyteorder("<"))
    packed = base64.b85encode(zlib.compress(little.tobytes(), 9)).decode()
    return f'np.frombuffer(zlib.decompress(base64.b85decode("{packed}")), {kind}).reshape({x.shape})'


def define(f: Callable[..., Any]) -> list[str]:
    """Lines that define ``f``: an import where that gives it, its source where that stands by itself, or a
    place to put it."""
    if isinstance(f, functools.partial):
        given = [_setting(v) for v in f.args] + [f"{k}={_setting(v)}" for k, v in f.keywords.items()]
        return [*define(f.func), "import functools", f"f = functools.partial(f, {', '.join(given)})"]
    module, name = getattr(f, "__module__", None), getattr(f, "__qualname__", "")
    if module != "__main__" and getattr(sys.modules.get(module or ""), name, None) is f:
        return [f"from {module} import {name} as f"]
    try:
        source = textwrap.dedent(inspect.getsource(f))
    except (OSError, TypeError):
        source = ""
    code = getattr(f, "__code__", None)
    borrowed = code is None or code.co_freevars or set(code.co_names) & set(getattr(f, "__globals__", {}))
    if source.startswith("def ") and not borrowed and not hasattr(f, "__wrapped__"):
        return [*source.rstrip().splitlines(), f"f = {f.__name__}"]
    quoted = [f"#   {line}" for line in source.rstrip().splitlines()]
    return ["# put the definition of your function f here, with what it uses:", *quoted]


def _setting(value: Any) -> str:
    return literal(value) if isinstance(value, np.ndarray) else repr(value)


def reproducer(f: Callable[..., Any], arrays: Sequence[Array], **settings: Any) -> str:
    """A script that repeats a gradient check of ``f`` at ``arrays``."""
    body = [f"    {literal(x)}," for x in arrays]
    definition = define(f)
    packing = ["import base64, zlib"] if any("b85decode" in line for line in (*body, *definition)) else []
    given = "".join(f", {name}={value!r}" for name, value in settings.items() if value is not None)
    return "\n".join(
        [
            *packing,
            "import numpy as np",
            "from stn_ref import gradcheck",
            *definition,
            "inputs = (",
            *body,
            ")",
            f"print(gradcheck(f, inputs{given}))",
        ]
    )
