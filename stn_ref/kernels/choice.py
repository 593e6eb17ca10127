"""Which way a sampler is computed: the one place that decides, and what it decides by.

All ways compute the same eqs. (3)-(7) and are tested equal to each other and to the literal equations.
``Literal`` takes every kernel, kink, order, padding and number; the others are for the common case only.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .axis_aligned import AxisAligned
from .channels_last import ChannelsLast
from .places import Places
from .planar import Planar
from .sampling import Orders, Samples, Setup

Array = NDArray[Any]
LARGE = 40 * 40  # pixels of an output from which on one axis after the other is faster (measured)
MANY_CHANNELS = {1: 8, 2: 10, 3: 16}  # by dimensions: from here on sparse products are faster (measured)


@dataclass
class Literal:
    """Any kernel, derivatives of any order, numbers of any magnitude: tap by tap, see ``sampling.py``."""

    places: Places
    samples: Samples

    def sample(self, U: Array, orders: Orders) -> Array:
        return self.samples.sample(U, orders)

    def splat(self, V: Array, shape: tuple[int, ...], orders: Orders) -> Array:
        return self.samples.splat(V, orders)

    def slopes(self, U: Array, V: Array, orders: Orders) -> Array:
        return self.places.collect_all(self.samples.slopes(U, V, orders))


class Sampler:
    """Places and conventions of one sampler: its values, their transpose, and their derivatives.

    ``orders`` are as in :class:`Samples`, all 0 if left out; the results too, but that :meth:`slopes` gives
    the cotangent of what the places were made of. ``keep`` says that more than one of them will be wanted.
    """

    def __init__(self, places: Places, setup: Setup, keep: bool = False) -> None:
        self.places, self.setup, self.keep = places, setup, keep
        self.no_orders = (0,) * places.numbers
        self._ways: dict[type, Any] = {}
        self._tame_image: Array | None = None  # that of the forward pass, which the tape watches over

    def sample(self, U: Array, orders: Orders = ()) -> Array:
        """Eqs. (3)-(5): (N, C, ...)."""
        way = self.way(U, kinks=any(orders))
        if self.keep and not isinstance(way, Literal):
            self._tame_image = U
        V: Array = way.sample(U, orders or self.no_orders)
        return V

    def splat(self, V: Array, orders: Orders = ()) -> Array:
        """Eq. (6): the transpose of :meth:`sample`, (N, C, *S)."""
        shape = tuple(reversed(self.places.sizes))
        U: Array = self.way(V, kinks=any(orders)).splat(V, shape, orders or self.no_orders)
        return U

    def slopes(self, U: Array, V: Array, orders: Orders = ()) -> Array:
        """Eq. (7), summed over channels against V."""
        images = (V,) if U is self._tame_image else (U, V)
        cotangent: Array = self.way(*images, kinks=True).slopes(U, V, orders or self.no_orders)
        return cotangent

    def way(self, *images: Array, kinks: bool) -> Any:
        """The way to compute it for such images or cotangents; ``kinks`` says whether it matters how they
        are read."""
        if not (self.plain(kinks) and all(self.tame(image) for image in images)):
            return self._made(Literal)
        if images[0].shape[1] >= MANY_CHANNELS[len(self.places.sizes)]:
            return self._made(ChannelsLast)
        large = len(self.places.sizes) == 2 and math.prod(self.places.shape[1:]) >= LARGE
        return self._made(AxisAligned if self.places.diagonal and large else Planar)

    def plain(self, kinks: bool) -> bool:
        """Whether this is eq. (5)'s kernel with an ordinary padding, and an index can hold its places."""
        places, setup = self.places, self.setup
        ringed = math.prod(n + 2 for n in places.sizes)
        return (
            setup.kernel.is_hat
            and setup.padding_mode in ("zeros", "border")
            and (setup.kink == "right" or not kinks)
            and places.numbers == len(places.sizes)
            and min(places.shape) > 0
            and min(places.sizes) > 0
            and (places.shape[0] + 1) * ringed < 2**31
        )

    def tame(self, image: Array) -> bool:
        """Whether its numbers are finite, not near overflow, and of the dtype of the places."""
        if image.dtype != self.places.dtype or not image.size:
            return False
        numbers = image.ravel(order="K")
        with np.errstate(over="ignore", invalid="ignore"):
            return bool(np.isfinite(np.dot(numbers, numbers)))

    def _made(self, way: type) -> Any:
        """The way, made when it is first wanted."""
        if way not in self._ways:
            if way is Literal:
                made: Any = Literal(self.places, Samples(self.places.points(), self.places.sizes, self.setup))
            else:
                made = way(self.places, self.setup.padding_mode, self.keep)
            self._ways[way] = made
        return self._ways[way]
