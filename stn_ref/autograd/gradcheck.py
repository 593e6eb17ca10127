"""`gradcheck`: is the derivative that the tape computes the derivative of the function?

A derivative is compared with finite differences that carry their own error bound (see
``differences``), element by element and along random directions, with random cotangents. Where a kink lies
on the point or within a step of it, the answer may be anything between the two one-sided derivatives; such
outputs are also checked one by one, by the jvp, since a sum of intervals is wide.
The numeric side is computed in float64 whatever the dtype, so that its step need not be coarse.

What it cannot see: a forward pass that is wrong together with its derivative. For that the operators
are compared with ``stn_ref.equations``.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import describe
from .checker import Check, pullback_of
from .probe import outputs_of
from .report import GradcheckError, GradcheckReport
from .reproducer import reproducer
from .tensor import plain

Array = NDArray[Any]


def gradcheck(
    f: Callable[..., Any],
    inputs: Sequence[Any],
    *,
    order: int = 1,
    wrt: Sequence[int] | None = None,
    batched: bool | None = None,
    directions: int = 3,
    elements: int = 1000,
    seed: int = 0,
    raises: bool = True,
) -> GradcheckReport:
    """Compare the derivatives of ``f`` with finite differences.

    Parameters
    ----------
    f : callable
        From arrays to an array or a tuple of arrays, written with operators of ``stn_ref``; it takes float64.
    inputs : sequence of arrays or Tensors
        The point, in float16, float32 or float64; the dtype sets how exact the tape's answer must be.
    order : 1 or 2
        2 also checks the derivatives of the vector-Jacobian product, for the inputs and the cotangent.
    wrt : sequence of int
        Which inputs to differentiate; all floating ones if None.
    batched : bool or None
        Whether ``f`` treats the items along the first axis of all inputs and outputs independently. Many
        perturbations then go into one call. None finds out by trial.
    directions : int
        Number of random directions, along which all inputs move together.
    elements : int
        At most so many elements of each input are perturbed one by one (drawn with ``seed``).
    seed : int
        Of the cotangents, directions and drawn elements.
    raises : bool
        Whether a wrong derivative raises; otherwise see ``report.passed``.

    Returns
    -------
    GradcheckReport

    Raises
    ------
    GradcheckError
        With the function, input, worst index, analytic and numeric value, step, distance to the nearest
        kink, and a reproducer to paste.

    >>> from stn_ref import sin
    >>> gradcheck(lambda x, y: sin(x) * y, (np.array([0.5, 2.0]), np.array([1.0, 3.0])), order=2).passed
    True
    """
    if not isinstance(inputs, (tuple, list)):
        raise TypeError(
            f"gradcheck: inputs is {describe(plain(inputs))}, expected a tuple of them: (x,) for a single one"
        )
    arrays = [np.asarray(plain(x)) for x in inputs]
    if order not in (1, 2):
        raise ValueError(f"gradcheck: order is {order!r}, expected 1 or 2; for more, check grad(f) or vjp(f)")
    chosen = [i for i, x in enumerate(arrays) if x.dtype.kind == "f"]
    if wrt is not None:
        unfit = [i for i in wrt if not -len(arrays) <= i < len(arrays) or i % len(arrays) not in chosen]
        chosen = [i % len(arrays) for i in wrt if i not in unfit]
        if unfit:
            raise ValueError(f"gradcheck: wrt names inputs {unfit}, which are not there or not floating")
    if not chosen:
        came = ", ".join(describe(x) for x in arrays)
        raise TypeError(f"gradcheck: there is no floating input among {came}; use x.astype(float)")
    report = GradcheckReport(_name(f))
    rng = np.random.default_rng(seed)
    check = Check(f, arrays, chosen, report, rng, batched, elements)
    check.run(directions)
    if order == 2 and report.passed:
        bars = [rng.normal(size=o.shape).astype(o.dtype) for o in outputs_of(f, arrays)]
        pulled_back = pullback_of(f, len(arrays), chosen)
        everything = [*chosen, *range(len(arrays), len(arrays) + len(bars))]
        report.name = f"{report.name}, first and second order"
        check = Check(pulled_back, [*arrays, *bars], everything, report, rng, batched, elements)
        check.run(directions)
    if not report.passed:
        report.mismatches.sort(key=lambda m: (m.argument is None, -m.ratio))
        report.mismatches[0] = check.with_kink(report.mismatches[0])
        settings = {"order": order, "wrt": wrt, "batched": batched, "directions": directions}
        report.reproducer = reproducer(f, arrays, **settings, elements=elements, seed=seed)
        if raises:
            raise GradcheckError(str(report))
    return report


def _name(f: Any) -> str:
    """What to call a function in a report."""
    if hasattr(f, "func"):  # functools.partial
        settings = ", ".join(f"{name}={value!r}" for name, value in f.keywords.items())
        return f"{_name(f.func)}({settings})"
    return str(getattr(f, "name", getattr(f, "__name__", repr(f))))
