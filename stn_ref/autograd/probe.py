"""A function at a point, seen through finite differences: one call for many perturbations where it allows."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .differences import EPS, Slopes, first_step, slopes_along
from .tensor import plain

Array = NDArray[Any]
BLOCK = 2**17  # elements of all inputs that are stacked into one call, about


def outputs_of(f: Callable[..., Any], arrays: Sequence[Array]) -> list[Array]:
    """What ``f`` returns at ``arrays``, as a list of arrays; where it is not defined, that shows in them."""
    with np.errstate(all="ignore"):
        out = f(*arrays)
    return [np.asarray(plain(o)) for o in (out if isinstance(out, (tuple, list)) else (out,))]


def _close(x: Array, y: Array) -> bool:
    return x.shape == y.shape and np.allclose(x, y, rtol=1e-12, atol=1e-12, equal_nan=True)


class Probe:
    """Finite differences of ``f`` at ``arrays``, computed in float64.

    ``items`` is the number of entries along the first axis that ``f`` treats independently, or 1. One element
    of every item is moved at once; where ``stacks`` is true, many perturbations go along the first axis.
    """

    def __init__(self, f: Callable[..., Any], arrays: Sequence[Array], batched: bool | None) -> None:
        self.f = f
        self.point = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in arrays]
        self.f0 = outputs_of(f, self.point)
        self.stacks = batched is not False and self._items_are_independent()
        self.items = len(self.point[0]) if self.stacks else 1
        self._noises = self._measure_noise()
        self.noise = self.rows(self._noises)
        if batched and not self.stacks and any(len(x) != 1 for x in self.point):
            raise ValueError(
                "gradcheck: batched=True, but the items along the first axis of inputs and outputs are not "
                "treated independently; leave batched out"
            )

    def _items_are_independent(self) -> bool:
        """Whether each item's result stays the same in other company, and alone."""
        n = len(self.point[0]) if self.point[0].ndim else 0
        if n < 1 or any(x.ndim == 0 or len(x) != n for x in (*self.point, *self.f0)):
            return False
        rng = np.random.default_rng(n)
        company = [
            [x + scale * rng.normal(size=x.shape) if x.dtype.kind == "f" else x for x in self.point]
            for scale in (0.01, 1.0, 10.0)
        ]
        try:
            for others in (company[:1], company):
                together = outputs_of(self.f, [np.concatenate(parts) for parts in zip(self.point, *others)])
                if not all(_close(t[:n], o) for t, o in zip(together, self.f0)):
                    return False
            for k in rng.permutation(n)[:4] if n > 1 else ():
                alone = outputs_of(self.f, [x[k : k + 1] for x in self.point])
                if not all(_close(a, o[k : k + 1]) for a, o in zip(alone, self.f0)):
                    return False
        except Exception:  # whatever a function of a fixed batch does when it gets another one
            return False
        return True

    def _at(self, points: Sequence[Sequence[Array]]) -> list[list[Array]]:
        """The outputs at several points (lists of inputs): in one call, where items are independent."""
        if not self.stacks:
            return [outputs_of(self.f, inputs) for inputs in points]
        stacked = outputs_of(self.f, [np.concatenate(parts) for parts in zip(*points)])
        return [list(parts) for parts in zip(*(np.split(o, len(points)) for o in stacked))]

    def rows(self, outputs: Sequence[Array], items: int | None = None) -> Array:
        """Outputs as (items, everything of an item), in float64."""
        n = self.items if items is None else items
        flat = [o.reshape(n, o.size // max(n, 1)).astype(np.float64) for o in outputs]
        return np.concatenate(flat, axis=1)

    def first_steps(self, i: int, columns: Array) -> Array:
        """The top rung for each chosen element of input ``i``."""
        x = self.point[i].reshape(self.items, -1)
        return np.asarray(first_step(np.abs(x[:, columns]).max(axis=0, initial=0)))

    def along_elements(self, i: int, columns: Array, h: Array) -> Slopes:
        """Slopes along chosen elements of input ``i``; axes: element, item, output of that item."""

        def look(stencil: Array, lines: Array) -> Array:
            together = max(1, BLOCK // (len(stencil) * sum(x.size for x in self.point)))
            blocks = [lines[k : k + together] for k in range(0, len(lines), together)]
            values = [self._moved(i, columns[block], np.outer(h[block], stencil)) for block in blocks]
            return np.asarray(np.concatenate(values).swapaxes(0, 1))

        return slopes_along(look, self.rows(self.f0), h[:, None, None], self.noise)

    def _moved(self, i: int, columns: Array, steps: Array) -> Array:
        """Values where elements of input ``i`` are moved by rows of steps: (element, step, item, output)."""
        x = self.point[i]
        moved = np.empty((*steps.shape, self.items, x.size // self.items))
        moved[:] = x.reshape(self.items, -1)
        moved[np.arange(len(columns)), :, :, columns] += steps[:, :, None]
        copies = steps.size
        inputs = list(self.point)
        if self.stacks:
            inputs = [np.concatenate([x] * copies) for x in inputs]
            inputs[i] = moved.reshape(inputs[i].shape)
            rows = self.rows(outputs_of(self.f, inputs), copies * self.items)
        else:
            of_each = []
            for values in moved.reshape(copies, *x.shape):
                inputs[i] = values
                of_each.append(self.rows(outputs_of(self.f, inputs)))
            rows = np.concatenate(of_each)
        return rows.reshape(*steps.shape, self.items, -1)

    def unmoved(self, i: int, columns: Array, which: Array, steps: Sequence[Array]) -> Array:
        """The items whose outputs stay, to the last bit, when some of the elements (element, item) move."""
        points = []
        for h in (sign * step for step in steps for sign in (1, -1)):
            x = self.point[i].copy()
            x.reshape(self.items, -1)[:, columns] += np.where(which, h[:, None], 0).T
            points.append([*self.point[:i], x, *self.point[i + 1 :]])
        f0 = self.rows(self.f0)
        same = [(self.rows(outputs) == f0).all(axis=1) for outputs in self._at(points)]
        return np.asarray(np.all(same, axis=0))

    def along(self, moves: dict[int, Array], h: float) -> Slopes:
        """Slopes when input i moves along ``moves[i]``, all at once; one row of all outputs."""

        def look(stencil: Array, lines: Array) -> Array:
            points = [
                [x + s * h * moves[i] if i in moves else x for i, x in enumerate(self.point)] for s in stencil
            ]
            return np.stack([self.rows(outputs, 1) for outputs in self._at(points)])

        noise = np.concatenate([n.reshape(1, -1) for n in self._noises], axis=1)
        return slopes_along(look, self.rows(self.f0, 1), np.full((1, 1), h), noise)

    def _measure_noise(self) -> list[Array]:
        """How far each output moves when the inputs move by their own rounding, a few times over."""
        rng = np.random.default_rng(0)
        noises = [np.array(2 * EPS * np.abs(o)) for o in self.f0]
        points = [
            [x * (1 + EPS * rng.integers(-2, 3, x.shape)) if x.dtype.kind == "f" else x for x in self.point]
            for _ in range(4)
        ]
        for outputs in self._at(points):
            for noise, there, here in zip(noises, outputs, self.f0):
                np.maximum(noise, 4 * np.abs(there - here), out=noise, where=np.isfinite(there - here))
        return noises
