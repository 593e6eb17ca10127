"""The results of a sampler, each as an enclosure of all that it may be.

With f_k the pixels in a unit of coordinate k, the derivatives of V = sample[0](U) are

    V_dot      = sample[0](U_dot) + sum over k of f_k grid_dot_k sample[e_k](U)
    U_bar      = splat[0](V_bar)                                                        eq. (6)
    grid_bar_k = f_k sum over channels of V_bar sample[e_k](U)                          eq. (7)

and those of the last two, for cotangents T of U_bar and s of grid_bar,

    U      splat of f_k s_k V_bar with the weights e_k, summed over k
    V_bar  the tangent V_dot for the tangents T and s
    grid_k f_k sum over channels of V_bar (sample[e_k](T) + sum over j of f_j s_j sample[e_j + e_k](U)).
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...pixels import span
from .enclosures import Arithmetic, Enclosure, Source, Term, sampled, scattered, spoilt
from .places import Orders, Places, Reading

Array = NDArray[Any]
SAMPLER_ASPECTS = ("V", "U_bar", "grid_bar", "V_dot", "second.U", "second.grid", "second.V_bar")


class SamplerAspects:
    """What a sampler makes of the arrays of a question, aspect by aspect.

    Parameters
    ----------
    arrays : of the names of the module's docstring
        ``U`` and ``grid``, and what an aspect needs of ``V_bar``, ``U_dot``, ``grid_dot``, ``U_bar_bar`` (T)
        and ``grid_bar_bar`` (s).
    """

    def __init__(self, arrays: Mapping[str, Array], reading: Reading, arithmetic: Arithmetic) -> None:
        self.arrays = {name: np.asarray(array, np.float64) for name, array in arrays.items()}
        self.reading, self.arithmetic = reading, arithmetic
        U, grid = self.arrays["U"], self.arrays["grid"]
        self.source, self.channels, self.d = U.shape[2:], U.shape[1], grid.shape[-1]
        self.n, self.target = grid.shape[0], grid.shape[1:-1]
        self._sources: dict[str, Source] = {}

    @cached_property
    def places(self) -> Places:
        return Places(self.arrays["grid"], self.source, self.reading)

    def shape(self, aspect: str) -> tuple[int, ...]:
        """That of a right answer."""
        if aspect in ("U_bar", "second.U"):
            return self.arrays["U"].shape
        if aspect in ("grid_bar", "second.grid"):
            return self.arrays["grid"].shape
        return (self.n, self.channels, *self.target)

    def enclosure(self, aspect: str) -> Enclosure:
        """All that an aspect may be, in the shape of the answer."""
        if prod(self.shape(aspect)) == 0 or prod(self.source) * prod(self.target) == 0:
            return _nothing(self.shape(aspect))
        if aspect in ("U_bar", "second.U"):
            enclosure = scattered(self.places, self._scattered_terms(aspect), self.arithmetic)
            return enclosure.mapped(lambda x: np.moveaxis(x, -1, 1).reshape(self.shape(aspect)))
        if aspect in ("grid_bar", "second.grid"):
            parts = [self._along(aspect, k) for k in range(self.d)]
            return _stacked(parts).mapped(lambda x: x.reshape(self.shape(aspect)))
        enclosure = sampled(self.places, self._sampled_terms(aspect), self.arithmetic)
        if aspect == "V":
            enclosure = self._at_the_limit(enclosure)
        else:
            enclosure = replace(enclosure, free=enclosure.free | self.places.odd[..., None])
        return enclosure.mapped(lambda x: np.moveaxis(x, -1, 1).reshape(self.shape(aspect)))

    def readings_of_eq7(self) -> Array:
        """What eq. (7) to the letter gives for grid_bar at whole coordinates: V times the factor."""
        none = (0,) * self.d
        terms = [[Term((self._rows("V_bar"), f), none, self._image("U"))] for f in self._factors]
        values = [
            sampled(self.places, term, self.arithmetic, over_channels=True).choices[0] for term in terms
        ]
        return np.stack(values, -1).reshape(self.shape("grid_bar"))

    def _sampled_terms(self, aspect: str) -> list[Term]:
        none = (0,) * self.d
        one = np.ones((1, 1, 1))
        if aspect == "V":
            return [Term((one,), none, self._image("U"))]
        image, coordinates = ("U_dot", "grid_dot") if aspect == "V_dot" else ("U_bar_bar", "grid_bar_bar")
        moved = [
            Term((self._coordinate(coordinates, k), self._factors[k]), self._unit(k), self._image("U"))
            for k in range(self.d)
        ]
        return [Term((one,), none, self._image(image)), *moved]

    def _scattered_terms(self, aspect: str) -> list[Term]:
        V_bar = self._rows("V_bar")
        if aspect == "U_bar":
            return [Term((V_bar,), (0,) * self.d)]
        return [
            Term((V_bar, self._coordinate("grid_bar_bar", k), self._factors[k]), self._unit(k))
            for k in range(self.d)
        ]

    def _along(self, aspect: str, k: int) -> Enclosure:
        V_bar, factor, U = self._rows("V_bar"), self._factors[k], self._image("U")
        if aspect == "grid_bar":
            terms = [Term((V_bar, factor), self._unit(k), U)]
        else:
            terms = [Term((V_bar, factor), self._unit(k), self._image("U_bar_bar"))]
            for j in range(self.d):
                s = self._coordinate("grid_bar_bar", j)
                orders = tuple(a + b for a, b in zip(self._unit(j), self._unit(k)))
                terms.append(Term((V_bar, factor, self._factors[j], s), orders, U))
        enclosure = sampled(self.places, terms, self.arithmetic, over_channels=True)
        enclosure = replace(enclosure, free=enclosure.free | self.places.odd)
        if self.reading.mode == "nearest":  # 0 everywhere, however far away
            return replace(enclosure, finite=False)
        return enclosure

    def _at_the_limit(self, enclosure: Enclosure) -> Enclosure:
        """V where a coordinate is NaN or infinite, by the profile; there, derivatives may be 0 or NaN."""
        profile = self.reading.profile
        grid = self.arrays["grid"].reshape(self.n, prod(self.target), self.d)
        nan, infinite = (np.array(f(grid).any(-1))[..., None] for f in (np.isnan, np.isinf))
        none = np.zeros_like(nan)
        nonfinite = (nan if profile.literal_nan else none) | (
            self.places.undefined[..., None] if profile.limits else none
        )
        free = (none if profile.literal_nan else nan) | (none if profile.limits else infinite)
        nonfinite = nonfinite | (spoilt(self.places, self._image("U")) & ~free)
        free = (enclosure.free | free) & ~nonfinite
        return replace(enclosure, free=free, nonfinite=np.broadcast_to(nonfinite, free.shape))

    @cached_property
    def _factors(self) -> list[Array]:
        sizes = reversed(self.source)
        return [np.full((1, 1, 1), span(size, self.reading.align_corners) / 2) for size in sizes]

    def _image(self, name: str) -> Source:
        if name not in self._sources:
            self._sources[name] = Source(self.places, self.arrays[name])
        return self._sources[name]

    def _rows(self, name: str) -> Array:
        """(N, C, *target) as (N, P, C)."""
        rows = self.arrays[name].reshape(self.n, self.channels, prod(self.target))
        return np.moveaxis(rows, 1, 2)

    def _coordinate(self, name: str, k: int) -> Array:
        return self.arrays[name][..., k].reshape(self.n, prod(self.target), 1)

    def _unit(self, k: int) -> Orders:
        return tuple(int(axis == k) for axis in range(self.d))


def _stacked(parts: list[Enclosure]) -> Enclosure:
    """Of one array for each coordinate the enclosure of all, coordinates last."""
    names = ("high", "low", "below", "above", "kinks", "slack", "free", "finite", "nonfinite")

    def stack(name: str) -> Array:
        return np.stack([np.broadcast_to(getattr(p, name), p.high.shape) for p in parts], axis=-1)

    arrays: dict[str, Any] = {name: stack(name) for name in names}
    return Enclosure(**arrays, choices=np.stack([p.choices for p in parts], axis=-1))


def _nothing(shape: tuple[int, ...]) -> Enclosure:
    """Zeros, exactly: where there is no pixel or no sample."""
    zero = np.zeros(shape)
    no = np.zeros(shape, bool)
    return Enclosure(zero, zero, zero, zero, kinks=no, choices=zero[None], slack=zero)
