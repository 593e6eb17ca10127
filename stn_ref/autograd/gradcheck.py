"""`gradcheck`: is the derivative that the tape computes the derivative of the function?

A derivative is compared with finite differences that carry their own error bound (see
``differences``), element by element and along random directions, with random cotangents. Where a kink lies
on the point or within a step of it, the answer may be anything between the two one-sided derivatives; such
outputs are also checked one by one, since a sum of intervals is wide.
The numeric side is computed in float64 whatever the dtype, so that its step need not be coarse.

What it cannot see: a forward pass that is wrong together with its derivative. For that the operators
are compared with ``stn_ref.equations``.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .differences import EPS, nearest_kink, step
from .probe import Probe, outputs_of
from .report import GradcheckError, GradcheckReport, Mismatch
from .reproducer import reproducer
from .tensor import plain
from .transforms import jvp, vjp

Array = NDArray[Any]
LONE_OUTPUTS = 24  # at most so many outputs with a kink are checked one by one


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
    arrays = [np.asarray(plain(x)) for x in inputs]
    chosen = [i for i, x in enumerate(arrays) if x.dtype.kind == "f"] if wrt is None else list(wrt)
    report = GradcheckReport(_name(f))
    rng = np.random.default_rng(seed)
    check = _Check(f, arrays, chosen, report, rng, batched, elements)
    check.run(directions)
    if order == 2 and report.passed:
        bars = [rng.normal(size=o.shape).astype(o.dtype) for o in outputs_of(f, arrays)]
        pulled_back = _pullback_of(f, len(arrays), chosen)
        everything = [*chosen, *range(len(arrays), len(arrays) + len(bars))]
        report.name = f"{report.name}, first and second order"
        check = _Check(pulled_back, [*arrays, *bars], everything, report, rng, batched, elements)
        check.run(directions)
    if not report.passed:
        report.mismatches.sort(key=lambda m: (m.argument is None, -m.ratio))
        report.mismatches[0] = check.with_kink(report.mismatches[0])
        report.reproducer = reproducer(f, arrays, order=order, wrt=wrt, seed=seed, elements=elements)
        if raises:
            raise GradcheckError(str(report))
    return report


def _name(f: Any) -> str:
    """What to call a function in a report."""
    if hasattr(f, "func"):  # functools.partial
        settings = ", ".join(f"{name}={value!r}" for name, value in f.keywords.items())
        return f"{_name(f.func)}({settings})"
    return str(getattr(f, "name", getattr(f, "__name__", repr(f))))


def _moving(f: Callable[..., Any], fixed: Sequence[Any], chosen: Sequence[int]) -> Callable[..., Any]:
    """``f`` as a function of its chosen inputs alone."""

    def of_chosen(*values: Any) -> Any:
        inputs = list(fixed)
        for i, value in zip(chosen, values):
            inputs[i] = value
        return f(*inputs)

    return of_chosen


def _pullback_of(f: Callable[..., Any], count: int, chosen: Sequence[int]) -> Callable[..., Any]:
    """The vector-Jacobian product of ``f`` as a function of its inputs and the cotangents."""

    def pulled_back(*values: Any) -> Any:
        out, pullback = vjp(_moving(f, values[:count], chosen), *(values[i] for i in chosen))
        bars = values[count:]
        return pullback(tuple(bars) if isinstance(out, tuple) else bars[0])

    return pulled_back


class _Check:
    """One function at one point: what the tape says, held against a :class:`Probe`."""

    def __init__(
        self,
        f: Callable[..., Any],
        arrays: list[Array],
        chosen: list[int],
        report: GradcheckReport,
        rng: np.random.Generator,
        batched: bool | None,
        elements: int,
    ) -> None:
        self.chosen, self.report, self.rng, self.elements = chosen, report, rng, elements
        self.probe = Probe(f, arrays, batched)
        self.eps = max(float(np.finfo(x.dtype).eps) for x in arrays if x.dtype.kind == "f")
        self.moving = _moving(f, arrays, chosen)
        self.inputs = [arrays[i] for i in chosen]
        self.out, self.pullback = vjp(self.moving, *self.inputs)
        self.bent = np.zeros(self.probe.rows(self.probe.f0).shape, bool)  # outputs with a kink seen

    def run(self, directions: int) -> None:
        outputs = self.out if isinstance(self.out, tuple) else (self.out,)
        bars = [self.rng.normal(size=o.shape).astype(o.dtype) for o in outputs]
        if not sum(b.size for b in bars) or not sum(x.size for x in self.inputs):
            return
        pulled = self._pull(bars)
        for i, bar in zip(self.chosen, pulled):
            if bar.size:
                self._elements(i, bar, bars)
        for k in range(directions):
            self._direction(k, bars)

    def _pull(self, bars: Sequence[Array]) -> list[Array]:
        return list(self.pullback(tuple(bars) if isinstance(self.out, tuple) else bars[0]))

    def _elements(self, i: int, bar: Array, bars: list[Array]) -> None:
        """Perturb the elements of input ``i`` one by one."""
        probe = self.probe
        index = np.arange(bar.size).reshape(probe.items, -1)
        columns = np.arange(index.shape[1])
        limit = max(1, self.elements // probe.items)
        if len(columns) > limit:
            columns = np.sort(self.rng.choice(columns, limit, replace=False))
        h = probe.step_for(i, columns)
        found = probe.along_elements(i, columns, h)
        index = index[:, columns]
        steps = np.broadcast_to(h, index.shape)

        def compare(what: str, pulled: Array, v: Array) -> None:
            numeric = [np.array(c.T) for c in found.contract(v[None])]
            kinked = (found.kinked & (v != 0)).any(-1).T
            analytic = pulled.astype(np.float64).reshape(probe.items, -1)[:, columns]
            self._compare(what, i, index, analytic, numeric, steps, kinked)

        compare("derivative", bar, probe.rows(bars))
        self.bent |= found.kinked.any(axis=0)
        lone = np.flatnonzero(found.kinked.any(axis=(0, 1)))
        for o in self.rng.permutation(lone)[:LONE_OUTPUTS]:
            v = np.zeros((probe.items, found.kinked.shape[-1]))
            v[:, o] = 1
            pulled = self._pull(self._bars_from(v, bars))[self.chosen.index(i)]
            compare(f"derivative of output {int(o)} of each item", pulled, v)

    def _bars_from(self, v: Array, like: Sequence[Array]) -> list[Array]:
        """Cotangents from rows (items, everything of an item)."""
        ends = np.cumsum([b.size // len(v) for b in like])[:-1]
        return [p.reshape(b.shape).astype(b.dtype) for p, b in zip(np.split(v, ends, axis=1), like)]

    def _direction(self, k: int, bars: list[Array]) -> None:
        """Move all inputs at once; outputs with a kink nearby are left out of the cotangent.

        Along a slanted line the kinks of two inputs may hide each other, so those seen before count too.
        """
        t = [self.rng.uniform(-1, 1, x.shape).astype(x.dtype) for x in self.inputs]
        h = float(step(0.0))
        found = self.probe.along(dict(zip(self.chosen, t)), h)
        smooth = self._bars_from(np.where(found.kinked, 0, self.probe.rows(bars, 1)), bars)
        straight = self._bars_from(~self.bent, bars)
        smooth = [bar * mask for bar, mask in zip(smooth, straight)]
        low, high, error, size = found.contract(self.probe.rows(smooth, 1))
        total, magnitude = _inner(self._pull(smooth), t)
        numeric = [low, high, error, size + magnitude]
        kinked = np.asarray(found.kinked.any(-1))
        self._compare(f"derivative along direction {k}", None, None, total, numeric, [h], kinked)
        # <v, J t> = <vjp(v), t>, with J t by the vjp of the vjp
        _, moved = jvp(self.moving, self.inputs, t)
        other, size = _inner(smooth, moved if isinstance(moved, tuple) else (moved,))
        numeric = [total, total, np.zeros(1), magnitude + size]
        what = f"<v, J t> against <vjp(v), t> for direction {k}"
        self._compare(what, None, None, other, numeric, [0.0], np.zeros(1, bool))

    def _compare(
        self,
        what: str,
        i: int | None,
        index: Any,
        analytic: Array,
        numeric: list[Array],
        h: Any,
        kinked: Array,
    ) -> None:
        low, high, error, size = numeric
        with np.errstate(invalid="ignore"):
            off = np.maximum(np.maximum(low - analytic, analytic - high), 0)
        # The tape's own rounding: a cancelling sum may carry the rounding of its largest neighbour.
        allowed = error + 32 * self.eps * (size + size.max(initial=0)) + 32 * EPS
        ratio = np.where(np.isfinite(off), off / allowed, np.inf)
        report = self.report
        report.checked += analytic.size
        report.kinked += int(np.sum(kinked))
        report.worst = max(report.worst, float(ratio.max(initial=0)))
        report.largest_error = max(report.largest_error, float(off.max(initial=0)))
        for p in np.flatnonzero(ratio > 1):
            position: tuple[int, ...] = ()
            if i is not None:
                unravelled = np.unravel_index(index.flat[p], self.probe.point[i].shape)
                position = tuple(int(k) for k in unravelled)
            values = [float(a.flat[p]) for a in (analytic, low, high, allowed, np.asarray(h), ratio)]
            report.mismatches.append(Mismatch(what, i, position, *values))

    def with_kink(self, mismatch: Mismatch) -> Mismatch:
        """The same, with the distance that its input can move before an output bends."""
        i, position = mismatch.argument, mismatch.index
        if i is None:
            return mismatch
        probe = self.probe

        def along(t: float) -> Array:
            inputs = list(probe.point)
            inputs[i] = inputs[i].copy()
            inputs[i][position] += t
            return probe.rows(outputs_of(probe.f, inputs), 1)

        reach = max(1.0, abs(float(probe.point[i][position])))
        return replace(mismatch, kink=nearest_kink(along, reach))


def _inner(xs: Sequence[Array], ys: Sequence[Array]) -> tuple[Array, Array]:
    """The inner product of two lists of arrays, and the sum of its terms' magnitudes."""
    products = [x.astype(np.float64) * y.astype(np.float64) for x, y in zip(xs, ys)]
    total = sum(float(p.sum()) for p in products)
    return np.array([total]), np.array([sum(float(np.abs(p).sum()) for p in products)])
