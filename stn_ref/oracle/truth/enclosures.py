"""Everything that a right answer may be, number by number, and by how much an answer misses it.

The sampler is closed under differentiation: with sample[a,b] as in :mod:`stn_ref.ops.sampling`, each result
of a sampler of any order is a sum of terms, factor times sample[a,b] of some image, taken at each sample
(and perhaps summed over channels) or scattered onto the pixels. So one function encloses all of the former,
and one all of the latter, from three parts:

- the exact number for the coordinates as they are;
- the set of numbers for all coordinates that the backend's rounding may have made of them. In a cell this
  is the exact number and a slope times a distance; at a kink or a jump there are several cells;
- gamma_k times the sum of |factor weight pixel|, which bounds the rounding of k operations in any order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .places import Orders, Places

Array = NDArray[Any]
WEIGHING = 8  # roundings on the way to one product of a factor, weights along the axes, and a pixel
STEP = 3  # roundings of a step from one pixel towards the next, in relation to both
POLYNOMIAL = 6  # roundings on the way to a weight that is a polynomial


@dataclass(frozen=True)
class Arithmetic:
    """The dtype in which a backend adds up, by its unit roundoff and its smallest normal number."""

    unit: float
    tiny: float

    def gamma(self, k: Any) -> Any:
        """k u / (1 - k u): the relative error of k roundings (Higham 2002, lemma 3.1)."""
        return k * self.unit / (1 - k * self.unit)


@dataclass(frozen=True)
class Term:
    """The product of ``factors``, times sample[orders] of ``image``, or times its weights.

    Factors are (N, P, C), or 1 in place of any of these; ``image`` is None to scatter.
    """

    factors: tuple[Array, ...]
    orders: Orders
    image: "Source | None" = None

    def number(self, places: Places) -> Any:
        """The product of the factors, exactly."""
        return _product([_number(places, factor) for factor in self.factors])

    def float(self) -> Array:
        """The product of the factors, nearly; 0 where one is not finite."""
        return np.asarray(_product([_clean(factor) for factor in self.factors]))

    def bad(self) -> Array:
        """Where a factor is not finite."""
        return np.asarray(np.isnan(_product([np.where(np.isfinite(f), 0, np.nan) for f in self.factors])))


@dataclass(frozen=True)
class Enclosure:
    """The set of right answers; all arrays have the shape of the answer."""

    high: Array
    low: Array
    """The exact number is high + low, to about 106 bits."""
    below: Array
    above: Array
    """How far the set of exact numbers reaches below and above it, where there are several."""
    kinks: Array
    """Where a coordinate lies exactly between two cells, so that an answer may tell which one was taken."""
    choices: Array
    """The exact number in each of the cells that may be meant, (choices, ...); the first is ``high``."""
    slack: Array
    """By how much rounding may lead out of that set."""
    discrete: bool = False
    """Whether an answer must be one of the choices, and not between them."""
    free: Any = False
    """Where anything goes."""
    finite: Any = False
    """Where anything finite goes."""
    nonfinite: Any = False
    """Where it must be NaN or infinite."""

    def miss(self, got: Array) -> Array:
        """How far an answer lies outside the set, over the bound of its rounding: at most 1 if it is right.

        NaN is infinitely wrong.

        >>> zero, one, no = np.zeros(3), np.ones(3), np.zeros(3, bool)
        >>> Enclosure(zero, zero, zero, one, no, zero[None], one).miss(np.array([-2.0, 1.0, 1.5]))
        array([2. , 0. , 0.5])
        """
        overflown = self._beyond(got)
        got = np.asarray(got, np.float64)
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            error = (got - self.high) - self.low
            if self.discrete:
                outside = np.minimum.reduce([np.abs(error), *np.abs(got - self.choices[1:])])
            else:
                outside = np.maximum(np.where(error < 0, -error - self.below, error - self.above), 0)
            ratio = np.where(outside == 0, 0.0, outside / self.slack)
        ratio = np.where(np.isfinite(got), ratio, np.where(overflown, 0.0, np.inf))
        ratio = np.where(self.finite & np.isfinite(got), 0.0, ratio)
        ratio = np.where(self.nonfinite, np.where(np.isfinite(got), np.inf, 0.0), ratio)
        return np.where(self.free, 0.0, ratio)

    def exact(self, got: Array) -> Array:
        """Where an answer is the number of its dtype that is nearest to the exact one."""
        with np.errstate(over="ignore", invalid="ignore"):
            nearest = (self.high + self.low).astype(got.dtype)
            if got.dtype != np.float64:  # high is rounded already; half-way between two, low decides
                ahead = nearest.astype(np.float64) - self.high
                beside = np.nextafter(nearest, np.where(ahead > 0, -np.inf, np.inf).astype(got.dtype))
                behind = beside.astype(np.float64) - self.high
                tie = (np.abs(behind) == np.abs(ahead)) & (np.sign(behind) == np.sign(self.low))
                nearest = np.where(tie & (self.low != 0), beside, nearest)
        return np.asarray((got == nearest) | (self.nonfinite & ~np.isfinite(got)), bool)

    def _beyond(self, got: Array) -> Array:
        """Where an answer is infinite and a right number is larger than the largest of its dtype."""
        largest = float(np.finfo(got.dtype).max) if got.dtype.kind == "f" else np.inf
        up = (got == np.inf) & (self.high + self.above + self.slack > largest)
        down = (got == -np.inf) & (self.high - self.below - self.slack < -largest)
        return np.asarray(up | down)

    def mapped(self, f: Any) -> "Enclosure":
        """The same with every array reshaped, or indexed, by ``f``."""
        names = ("high", "low", "below", "above", "kinks", "slack", "free", "finite", "nonfinite")
        shape = self.high.shape
        changed = {name: f(np.broadcast_to(getattr(self, name), shape)) for name in names}
        return replace(self, **changed, choices=np.stack([f(choice) for choice in self.choices]))


def sampled(
    places: Places, terms: Sequence[Term], arithmetic: Arithmetic, *, over_channels: bool = False
) -> Enclosure:
    """The sum of the terms at each sample, (N, P, C), or (N, P) where channels are added up."""
    sources = [term.image for term in terms if term.image is not None]
    choices = _sum(
        [
            (source.numbers * places.weights(term.orders)[..., None]).sum(1) * term.number(places)
            for source, term in zip(sources, terms)
        ]
    )
    count = places.taps + len(terms) + WEIGHING + (choices.shape[-1] if over_channels else 0)
    around = _Around(places, sources, terms)
    rounding = around.magnitude() * (arithmetic.gamma(count) + places.error)
    rounding = rounding + around.magnitude(cancelled=True) * arithmetic.gamma(POLYNOMIAL)
    rounding = rounding + around.steps() * arithmetic.gamma(STEP)
    shift = around.shift(over_channels)
    lost = np.any([_lost(places, source, term) for source, term in zip(sources, terms)], axis=0)
    if over_channels:
        choices, rounding, lost = choices.sum(-1), rounding.sum(-1), lost.any(-1)
    centre = choices[0]
    slack = (rounding + shift + np.where(rounding > 0, arithmetic.tiny, 0)).max(0)
    bounded = np.isfinite(slack)
    differences = np.stack([(choices[s] - centre).float() for s in range(places.choices)])
    high, low = centre.pair()
    expand = (...,) if over_channels else (..., None)
    return Enclosure(
        high,
        low,
        below=(-differences).max(0),
        above=differences.max(0),
        kinks=np.broadcast_to((places.kinks & places.at_kink)[expand], high.shape),
        choices=np.stack([choices[s].float() for s in range(places.choices)]),
        slack=np.where(bounded, slack, 0),
        discrete=places.reading.mode == "nearest" and not over_channels,
        free=np.broadcast_to(lost | places.undefined[expand], high.shape),
        finite=~bounded | np.broadcast_to(places.wide[expand], high.shape),
    )


def spoilt(places: Places, image: "Source") -> Array:
    """Where an infinite or NaN pixel certainly has a weight in sample[0], (N, P, C)."""
    weight = places.sizes((0,) * len(places.axes))[0]
    certain = (weight > np.sum(places.reach, axis=0)) & ~places.kinks
    return np.asarray((image.bad[0] & certain[..., None]).any(0))


def scattered(places: Places, terms: Sequence[Term], arithmetic: Arithmetic) -> Enclosure:
    """The sum over all samples of the terms' factors times their weights, at each pixel: (N, L, C)."""
    keep = ~(places.undefined | places.wide)[..., None]  # the others add nothing that could be foretold
    values = [np.where(keep, term.float(), 0) for term in terms]
    into = (values[0].shape[0], prod(places.source) + 1, max(value.shape[-1] for value in values))
    rows = np.arange(into[0])[:, None]
    total = _sum(
        [
            (
                places.weights(term.orders)[0][..., None] * (term.number(places) * _number(places, keep))
            ).added_at(into, (rows, places.index[0]))
            for term in terms
        ]
    )
    magnitude, polynomials, count = (np.zeros(into) for _ in range(3))
    for value, term in zip(values, terms):
        weight, cancelled = (f(term.orders)[0][..., None] for f in (places.sizes, places.cancelled))
        np.add.at(magnitude, (rows, places.index[0]), weight * np.abs(value))
        np.add.at(polynomials, (rows, places.index[0]), cancelled * np.abs(value))
        np.add.at(count, (rows, places.index[0]), (weight > 0) & (value != 0) & np.ones(into[-1], bool))
    slack = magnitude * (arithmetic.gamma(count + WEIGHING) + places.error)
    slack = slack + polynomials * arithmetic.gamma(POLYNOMIAL)
    slack = slack + np.where(slack > 0, arithmetic.tiny, 0) + _scattered_shift(places, terms, values, into)
    below, above = _elsewhere(places, terms, values, into)
    high, low = total.pair()
    bad = np.any([np.broadcast_to(term.bad(), values[0].shape) for term in terms], axis=0)
    spoilt = np.zeros(into, bool)
    np.logical_or.at(spoilt, (rows, places.index), np.broadcast_to(bad, (*places.index.shape, into[-1])))
    enclosure = Enclosure(
        high,
        low,
        below=below,
        above=above,
        kinks=np.zeros(into, bool),
        choices=high[None],
        slack=slack,
        free=spoilt,
        finite=_touched_by(places, into),
    )
    return enclosure.mapped(lambda x: x[:, :-1])


def _scattered_shift(places: Places, terms: Sequence[Term], values: Any, into: tuple[int, ...]) -> Array:
    """By how much the uncertainty of the coordinates may change what a pixel gets."""
    meant = np.broadcast_to(places.kinks, (places.choices, *places.kinks.shape)).copy()
    meant[0] = True
    shift = np.zeros(into)
    for value, term in zip(values, terms):
        for k, reach in enumerate(places.reach):
            slope = np.abs(places.floats(_raised(term.orders, k))) * (meant * reach)[:, None]
            where = (np.arange(into[0])[:, None], places.index)
            np.add.at(shift, where, slope[..., None] * np.abs(value) * np.ones(into[-1]))
    return shift * (1 + 8 * max(float(reach.max(initial=0)) for reach in places.reach))


class Source:
    """An image at the taps of all samples: (choices, taps, N, P, C)."""

    def __init__(self, places: Places, image: Array) -> None:
        n, channels = image.shape[:2]
        pixels = np.zeros((n, prod(places.source) + 1, channels))
        pixels[:, :-1] = np.moveaxis(image.reshape(n, channels, prod(places.source)), 1, 2)
        at = (np.arange(n)[:, None], places.index)
        self.bad = ~np.isfinite(pixels[at])
        self.floats = np.where(self.bad, 0, pixels[at])
        self.numbers = _number(places, pixels)[at]


class _Around:
    """How the sum of terms changes in the neighbourhood of each sample, in float64."""

    def __init__(self, places: Places, sources: Sequence[Source], terms: Sequence[Term]) -> None:
        self.places, self.parts = places, list(zip(sources, terms))

    def shift(self, over_channels: bool) -> Array:
        """By how much the uncertainty of the coordinates may change it, (choices, N, P[, C])."""
        places, expand = self.places, (...,) if over_channels else (..., None)
        total: Any = 0.0
        for k, reach in enumerate(places.reach):
            slope = _sum([self._at(source, term, _raised(term.orders, k)) for source, term in self.parts])
            total = total + np.abs(slope.sum(-1) if over_channels else slope) * reach[expand]
        for j, k in _pairs(len(places.reach)):
            bend = self.magnitude(_raised(_raised((0,) * len(places.reach), j), k))
            bend = bend.sum(-1) if over_channels else bend
            total = total + bend * (places.reach[j] * places.reach[k])[expand]
        return np.asarray(total * (1 + 8 * max(float(reach.max(initial=0)) for reach in places.reach)))

    def magnitude(self, more: Orders = (), *, cancelled: bool = False) -> Array:
        """Sum of |factor weight pixel|, (choices, N, P, C), with further derivatives of the weights."""
        sizes = self.places.cancelled if cancelled else self.places.sizes
        total: Any = 0.0
        for source, term in self.parts:
            orders = tuple(a + b for a, b in zip(term.orders, more)) if more else term.orders
            if self.places.vanishes(orders):
                continue
            weight = sizes(orders)[..., None]
            total = total + (weight * np.abs(source.floats)).sum(1) * np.abs(term.float())
        return np.asarray(total) if np.ndim(total) else np.zeros((self.places.choices, 1, 1, 1))

    def steps(self) -> Array:
        """What rounds where a sample is reached in steps, a + t (b - a), along each axis."""
        total: Any = np.zeros((self.places.choices, 1, 1, 1))
        if self.places.reading.mode == "bilinear":
            for k, axis in enumerate(self.places.axes):
                slopes = self.magnitude(_raised((0,) * len(self.places.axes), k))
                total = total + np.abs(axis.places[0].float())[..., None] * slopes
        return np.asarray(total)

    def _at(self, source: Source, term: Term, orders: Orders) -> Array:
        if self.places.vanishes(orders):
            return np.zeros((self.places.choices, 1, 1, 1))
        weight = self.places.floats(orders)
        return np.asarray((weight[..., None] * source.floats).sum(1) * term.float())


def _lost(places: Places, source: Source, term: Term) -> Array:
    """Where an infinite or NaN pixel or factor may be noticed, (N, P, C)."""
    weight = places.sizes(term.orders)
    noticed = source.bad
    if places.reading.profile.weightless:
        reach = np.sum(places.reach, axis=0)
        noticed = noticed & ((weight + reach) > 0)[..., None]
    return np.asarray(noticed.any((0, 1)) | term.bad(), bool)


def _elsewhere(places: Places, terms: Sequence[Term], values: Any, into: tuple[int, ...]) -> Any:
    """How much less, and more, pixels may get where a sample may be in another cell."""
    below, above = np.zeros(into), np.zeros(into)
    image, sample = np.nonzero(places.kinks)
    if not len(image):
        return below, above
    rows = np.arange(len(image))
    dense = np.zeros((places.choices, len(image), *into[1:]))
    for value, term in zip(values, terms):
        weight = places.floats(term.orders)[:, :, image, sample]  # (choices, taps, rows)
        added = weight[..., None] * np.broadcast_to(value, (*value.shape[:2], into[-1]))[image, sample]
        for s in range(places.choices):
            np.add.at(dense[s], (rows, places.index[s][:, image, sample]), added[s])
    difference = dense - dense[0]
    np.add.at(below, image, np.maximum(-difference, 0).max(0))
    np.add.at(above, image, np.maximum(difference, 0).max(0))
    return below, above


def _touched_by(places: Places, into: tuple[int, ...]) -> Array:
    """Images in which such a sample may add anything finite, all their pixels."""
    vague = [places.wide] if places.reading.profile.literal_nan else [places.wide, places.undefined]
    return np.broadcast_to(np.any(vague, axis=(0, 2))[:, None, None], into)


def _number(places: Places, x: Array) -> Any:
    return places.numbers.of(_clean(x))


def _clean(x: Array) -> Array:
    return np.where(np.isfinite(x), x, 0)


def _sum(parts: Sequence[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _product(parts: Sequence[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = total * part
    return total


def _raised(orders: Orders, k: int) -> Orders:
    return tuple(order + (axis == k) for axis, order in enumerate(orders))


def _pairs(d: int) -> list[tuple[int, int]]:
    return [(j, k) for k in range(d) for j in range(k + 1)]
