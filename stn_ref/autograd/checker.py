"""What the tape says of a function at a point, held against what a `Probe` sees."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .differences import EPS, LADDER, RATIO, Slopes, first_step, nearest_kink
from .probe import Probe, outputs_of
from .report import GradcheckReport, Mismatch
from .transforms import jvp, vjp

Array = NDArray[Any]
KINKED_ELEMENTS = 48  # at most so many elements with a kink nearby are checked output by output
DESCENTS = 3  # how often the ladder of steps is moved further down


def moving(f: Callable[..., Any], fixed: Sequence[Any], chosen: Sequence[int]) -> Callable[..., Any]:
    """``f`` as a function of its chosen inputs alone."""

    def of_chosen(*values: Any) -> Any:
        inputs = list(fixed)
        for i, value in zip(chosen, values):
            inputs[i] = value
        return f(*inputs)

    return of_chosen


def pullback_of(f: Callable[..., Any], count: int, chosen: Sequence[int]) -> Callable[..., Any]:
    """The vector-Jacobian product of ``f`` as a function of its inputs and the cotangents."""

    def pulled_back(*values: Any) -> Any:
        out, pullback = vjp(moving(f, values[:count], chosen), *(values[i] for i in chosen))
        bars = values[count:]
        return pullback(tuple(bars) if isinstance(out, tuple) else bars[0])

    return pulled_back


class Check:
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
        self.moving = moving(f, arrays, chosen)
        self.inputs = [arrays[i] for i in chosen]
        self.out, self.pullback = vjp(self.moving, *self.inputs)
        self.outputs = self.out if isinstance(self.out, tuple) else (self.out,)
        self.bent = np.zeros(self.probe.rows(self.probe.f0).shape, bool)  # outputs with a kink seen

    def run(self, directions: int) -> None:
        bars = [self.rng.normal(size=o.shape).astype(o.dtype) for o in self.outputs]
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
        found, h = self._resolved(i, columns, probe.rows(bars))
        index, steps = index[:, columns], np.broadcast_to(h, index[:, columns].shape)
        numeric = [np.array(c.T) for c in found.contract(probe.rows(bars)[None])]
        numeric[3] += self._magnitudes(probe.rows(bars)).sum(-1, keepdims=True)
        analytic = bar.astype(np.float64).reshape(probe.items, -1)[:, columns]
        self._compare("derivative", i, index, analytic, numeric, steps, found.kinked.any(-1).T)

        self.bent |= found.kinked.any(axis=0)
        kinked = np.flatnonzero(found.kinked.any(axis=(1, 2)))
        for c in self.rng.permutation(kinked)[:KINKED_ELEMENTS]:
            t = [np.zeros(x.shape, x.dtype) for x in self.inputs]
            t[self.chosen.index(i)].reshape(probe.items, -1)[:, columns[c]] = 1
            _, moved = jvp(self.moving, self.inputs, t)
            analytic = probe.rows(moved if isinstance(moved, tuple) else (moved,))
            low, high, error = found.low[c], found.high[c], found.error[c]
            size = np.maximum(np.abs(low), np.abs(high)) + self._magnitudes(np.ones_like(low))
            numeric = [low, high, error, size]
            at, step = (np.broadcast_to(a[:, [c]], analytic.shape) for a in (index, steps))
            self._compare("derivative of output {output}", i, at, analytic, numeric, step, found.kinked[c])

    def _shortest(self, i: int, columns: Array) -> Array:
        """The shortest sensible step: nearer to a kink, the tape's rounding of a coordinate may pass it.

        (float16 is computed in float32.)
        """
        x = np.abs(self.probe.point[i].reshape(self.probe.items, -1)[:, columns]).max(axis=0, initial=1)
        single = self._eps(i) > np.finfo(np.float64).eps
        return np.asarray(64 * np.finfo(np.float32 if single else np.float64).eps * x)

    def _magnitudes(self, v: Array) -> Array:
        """How large the outputs are, or as large as their rounding suggests, weighted with v."""
        return np.asarray(np.abs(v) * self.probe.noise / (2 * EPS))

    def _resolved_along(self, t: list[Array], v: Array) -> tuple[Slopes, float]:
        """Slopes when all inputs move along ``t``, with steps as short as it takes."""
        h = float(first_step(0.0))
        found = self.probe.along(dict(zip(self.chosen, t)), h)
        for _ in range(DESCENTS):
            _, _, error, size = found.contract(v)
            if error[0] <= 1e-6 * size[0]:
                break
            h *= float(LADDER[-1]) / RATIO
            found = found.or_finer(self.probe.along(dict(zip(self.chosen, t)), h))
        return found, h

    def _resolved(self, i: int, columns: Array, v: Array) -> tuple[Slopes, Array]:
        """Slopes along elements, with the ladder of steps moved down where it did not reach far enough."""
        h = self.probe.first_steps(i, columns)
        found = self.probe.along_elements(i, columns, h)
        idle = ((found.low == 0) & (found.high == 0)).all(-1)
        idle &= self.probe.unmoved(i, columns, idle, [h * LADDER[-1] ** k / RATIO for k in (1, 2)])
        for _ in range(DESCENTS):
            _, _, error, size = found.contract(v[None])
            lower = h * LADDER[-1] / RATIO
            coarse = (((error > 1e-6 * size) | ~np.isfinite(size)) & ~idle).any(-1)
            coarse &= lower * LADDER[-1] >= self._shortest(i, columns)
            if not coarse.any():
                break
            lower = np.where(coarse, lower, h)
            finer = self.probe.along_elements(i, columns[coarse], lower[coarse])
            found[coarse], h = found[coarse].or_finer(finer), lower
        return found, h

    def _bars_from(self, v: Array, like: Sequence[Array]) -> list[Array]:
        """Cotangents from rows (items, everything of an item)."""
        ends = np.cumsum([b.size // len(v) for b in like])[:-1]
        return [p.reshape(b.shape).astype(b.dtype) for p, b in zip(np.split(v, ends, axis=1), like)]

    def _direction(self, k: int, bars: list[Array]) -> None:
        """Move all inputs at once; outputs with a kink nearby are left out of the cotangent.

        Along a slanted line the kinks of two inputs may hide each other, so those seen before count too.
        """
        t = [self.rng.uniform(-1, 1, x.shape).astype(x.dtype) for x in self.inputs]
        probe = self.probe
        found, h = self._resolved_along(t, probe.rows(bars, 1))
        smooth = self._bars_from(np.where(found.kinked, 0, probe.rows(bars, 1)), bars)
        straight = self._bars_from(~self.bent, bars)
        smooth = [bar * mask for bar, mask in zip(smooth, straight)]
        if k % 2:  # a cotangent need not lie in memory as the output does
            smooth = [np.asarray(bar, order="F") for bar in smooth]
        low, high, error, size = found.contract(probe.rows(smooth, 1))
        total, magnitude = _inner(self._pull(smooth), t)
        magnitude = magnitude + self._magnitudes(probe.rows(smooth)).sum()
        numeric = [low, high, error, size + magnitude]
        kinked = np.asarray(found.kinked.any(-1))
        self._compare(f"derivative along direction {k}", None, None, total, numeric, [h], kinked)
        # <v, J t> = <vjp(v), t>, with J t by the vjp of the vjp
        _, moved = jvp(self.moving, self.inputs, t)
        other, size = _inner(smooth, moved if isinstance(moved, tuple) else (moved,))
        rounding = np.zeros(1)
        if np.abs(other - total) > 32 * self._eps(None) * (magnitude + size):
            rounding = self._rounding_of_both(smooth, t)
        numeric = [total, total, rounding, magnitude + size]
        what = f"<v, J t> against <vjp(v), t> for direction {k}"
        self._compare(what, None, None, other, numeric, [0.0], np.zeros(1, bool))

    def _rounding_of_both(self, v: list[Array], t: list[Array]) -> Array:
        """How far <vjp(v), t> and <v, J t> move when every input moves by a rounding.

        What cancels inside the function leaves a rounding that neither of the two shows in its size.
        """
        pairs = []
        for _ in range(4):
            draws = [self.rng.choice([-1, 0, 1], x.shape).astype(x.dtype) for x in self.inputs]
            near = [x + np.spacing(np.abs(x)) * draw for x, draw in zip(self.inputs, draws)]
            pulled = vjp(self.moving, *near)[1](tuple(v) if isinstance(self.out, tuple) else v[0])
            _, moved = jvp(self.moving, near, t)
            moved = moved if isinstance(moved, tuple) else (moved,)
            pairs.append([_inner(pulled, t)[0], _inner(v, moved)[0]])
        return np.asarray(2 * np.ptp(np.array(pairs), axis=0).sum(axis=0))

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
        # The tape's own rounding: a cancelling sum may carry the rounding of its largest neighbour, and a
        # derivative that of the function.
        own = 32 * self._eps(i) * (size + size.max(initial=0)) + np.finfo(np.float64).tiny
        slope = np.maximum(np.abs(low), np.abs(high))
        # An error as large as the slope itself is an estimate of its order, no bound.
        rough = np.where(error > 0.3 * slope, 100, 1)
        allowed = rough * error + np.where(np.isfinite(own), own, 0)
        ratio = np.where(np.isfinite(off), off / allowed, np.inf)
        report = self.report
        report.unresolved += int(np.sum(error > 0.01 * slope + 1e-6 * slope.max(initial=0) + 1e-12))
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
            name = what.format(output=int(p) % analytic.shape[-1])
            report.mismatches.append(Mismatch(name, i, position, *values))

    def _eps(self, i: int | None) -> float:
        """The rounding unit of what the tape computed: the coarser of the input's and the outputs'."""
        inputs = self.inputs if i is None else [self.inputs[self.chosen.index(i)]]
        return max(float(np.finfo(x.dtype).eps) for x in (*inputs, *self.outputs))

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
