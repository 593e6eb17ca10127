"""A function at a point, seen through finite differences: one call for many perturbations where it allows."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .differences import EPS, STENCIL, Slopes, first_step, slopes
from .tensor import plain

Array = NDArray[Any]
BLOCK = 128  # perturbations stacked into one call


def outputs_of(f: Callable[..., Any], arrays: Sequence[Array]) -> list[Array]:
    """What ``f`` returns at ``arrays``, as a list of arrays; where it is not defined, that shows in them."""
    with np.errstate(all="ignore"):
        out = f(*arrays)
    return [np.asarray(plain(o)) for o in (out if isinstance(out, (tuple, list)) else (out,))]


def _close(x: Array, y: Array) -> bool:
    return x.shape == y.shape and np.allclose(x, y, rtol=1e-12, atol=1e-12, equal_nan=True)


class Probe:
    """Finite differences of ``f`` at ``arrays``, computed in float64.

    ``items`` is the number of entries along the first axis that ``f`` treats independently, or 1: then one
    element of every item is moved at once, and all perturbations go along the first axis.
    """

    def __init__(self, f: Callable[..., Any], arrays: Sequence[Array], batched: bool | None) -> None:
        self.f = f
        self.point = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in arrays]
        self.f0 = outputs_of(f, self.point)
        self.items = 1 if batched is False else self._independent_items()
        self._noises = self._measure_noise()
        self.noise = self.rows(self._noises)
        if batched and self.items == 1 and any(len(x) != 1 for x in self.point):
            raise ValueError(
                "gradcheck: batched=True, but the items along the first axis of inputs and outputs are not "
                "treated independently; leave batched out"
            )

    def _independent_items(self) -> int:
        """The number of items if each one's result stays the same in other company, and alone; else 1."""
        n = len(self.point[0]) if self.point[0].ndim else 0
        if n < 1 or any(x.ndim == 0 or len(x) != n for x in (*self.point, *self.f0)):
            return 1
        rng = np.random.default_rng(n)
        try:
            for scale in (0.01, 1.0, 10.0):
                others = [
                    x + scale * rng.normal(size=x.shape) if x.dtype.kind == "f" else x for x in self.point
                ]
                both = outputs_of(self.f, [np.concatenate(pair) for pair in zip(self.point, others)])
                if not all(_close(b[:n], o) for b, o in zip(both, self.f0)):
                    return 1
            for k in rng.permutation(n)[:4]:
                alone = outputs_of(self.f, [x[k : k + 1] for x in self.point])
                if not all(_close(a, o[k : k + 1]) for a, o in zip(alone, self.f0)):
                    return 1
        except Exception:  # whatever a function of a fixed batch does when it gets another one
            return 1
        return n

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
        together = BLOCK if self.items > 1 else 1
        blocks = [
            self._stencil(i, columns[k : k + together], h[k : k + together])
            for k in range(0, len(columns), together)
        ]
        values = np.concatenate(blocks).swapaxes(0, 1)
        return slopes(self.rows(self.f0), values, h[:, None, None], self.noise)

    def _stencil(self, i: int, columns: Array, h: Array) -> Array:
        """Values around the point along each element: (element, stencil, item, output)."""
        width = len(STENCIL)
        copies = width * len(columns)
        moved = np.tile(self.point[i].reshape(1, self.items, -1), (copies, 1, 1))
        for k, column in enumerate(columns):
            moved[width * k : width * (k + 1), :, column] += np.multiply(STENCIL, h[k])[:, None]
        if self.items > 1:
            inputs = [np.tile(x, (copies, *[1] * (x.ndim - 1))) for x in self.point]
            inputs[i] = moved.reshape(copies * self.items, *self.point[i].shape[1:])
            rows = self.rows(outputs_of(self.f, inputs), copies * self.items)
            return rows.reshape(len(columns), width, self.items, -1)
        inputs = list(self.point)
        rows_of_each = []
        for values in moved:
            inputs[i] = values.reshape(self.point[i].shape)
            rows_of_each.append(self.rows(outputs_of(self.f, inputs)))
        return np.stack(rows_of_each).reshape(len(columns), width, 1, -1)

    def along(self, moves: dict[int, Array], h: float) -> Slopes:
        """Slopes when input i moves along ``moves[i]``, all at once; one row of all outputs."""
        values = []
        for s in STENCIL:
            inputs = [x + s * h * moves[i] if i in moves else x for i, x in enumerate(self.point)]
            values.append(self.rows(outputs_of(self.f, inputs), 1))
        noise = np.concatenate([n.reshape(1, -1) for n in self._noises], axis=1)
        return slopes(self.rows(self.f0, 1), np.stack(values), h, noise)

    def _measure_noise(self) -> list[Array]:
        """How far each output moves when the inputs move by their own rounding, a few times over."""
        rng = np.random.default_rng(0)
        noises = [np.array(2 * EPS * np.abs(o)) for o in self.f0]
        for _ in range(4):
            moved = [
                x * (1 + EPS * rng.integers(-2, 3, x.shape)) if x.dtype.kind == "f" else x for x in self.point
            ]
            for noise, there, here in zip(noises, outputs_of(self.f, moved), self.f0):
                np.maximum(noise, 4 * np.abs(there - here), out=noise, where=np.isfinite(there - here))
        return noises
