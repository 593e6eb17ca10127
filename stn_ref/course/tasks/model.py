"""What a task is, and what is asked to see whether it is solved."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..variants import Variant

__all__ = ["Check", "Places", "Task"]

Array = NDArray[Any]
NEAR = 1e-9  # of two coordinates that are the same


@dataclass(frozen=True)
class Places:
    """Where the samples of a check lie: points (N, H', W', 2) in the pixels of an image of this size."""

    points: Array
    height: int
    width: int

    def kinds(self) -> Array:
        """Of each sample "interior", "border" or "kink": (N, H', W').

        At a kink a coordinate is an integer; at the border a neighbour is missing.

        >>> points = np.array([[[[0.5, 0.5], [1.0, 0.5], [-0.5, 1.0]]]])
        >>> Places(points, 3, 3).kinds().tolist()
        [[['interior', 'kink', 'border']]]
        """
        sizes = np.array([self.width, self.height])
        kink = (abs(self.points - np.rint(self.points)) < NEAR).any(axis=-1)
        border = ((self.points < 0) | (self.points > sizes - 1)).any(axis=-1)
        return np.where(border, "border", np.where(kink, "kink", "interior"))


@dataclass(frozen=True, eq=False)  # a check is equal to itself alone: arrays cannot be compared as a whole
class Check:
    """One call, ``function(*arrays, **settings)``, and what it tells about.

    ``aspect`` is what the points are given for; ``says`` what is special about this call, in a few words.
    ``places`` are where its samples lie, if it has any. Of some only the ``shape`` of the result counts.
    """

    aspect: str
    function: str
    arrays: tuple[Array, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    says: str = ""
    places: Places | None = None
    shape_only: bool = False


@dataclass(frozen=True)
class Task:
    """Some functions of a file, and their worth.

    ``points`` are given by aspect, for all of an aspect's checks together. ``checks(variant, rng)`` are those
    for a term, with numbers from that generator.
    """

    number: int
    title: str
    file: str
    functions: tuple[str, ...]
    points: Mapping[str, int]
    checks: Callable[[Variant, np.random.Generator], Iterator[Check]]
    uses: tuple[int, ...] = ()
    """The tasks whose functions its own call."""

    @property
    def worth(self) -> int:
        """All points together."""
        return sum(self.points.values())
