"""The affine transformations as a network meets them: what its numbers mean, and which are the identity."""

from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autograd.tensor import Value
from ..errors import check_flag, describe
from .grids import affine_map, affine_points
from .shaping import index, reshape
from .thetas import (
    attention_theta,
    bounded,
    rigid_theta,
    rotation_theta,
    scale_theta,
    shear_theta,
    similarity_theta,
    translation_theta,
)
from .transformation import Transformation, add_to_table

Array = NDArray[Any]


@dataclass(frozen=True)
class Affine(Transformation):
    """All affine maps: theta is (2, 3), or (3, 4) for volumes; eq. (1). The other affine ones are special
    cases.

    >>> Affine().shape((28, 28)), Affine().identity((28, 28)).tolist()
    ((2, 3), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    """

    name = "affine"
    diagonal = False  # whether it only scales and shifts

    def shape(self, size: tuple[int, ...]) -> tuple[int, ...]:
        return (len(size), len(size) + 1)

    def identity(self, size: tuple[int, ...]) -> Array:
        return np.eye(len(size), len(size) + 1).reshape(-1)

    def matrix(self, theta: Value, source: Any, align_corners: bool) -> Value:
        return theta

    def grid(self, theta: Value, *, size: tuple[int, ...], source: Any, align_corners: bool) -> Value:
        return affine_map(self.matrix(theta, source, align_corners), size=size, align_corners=align_corners)

    def points(self, theta: Value, *, size: tuple[int, ...], source: Any, align_corners: bool) -> Value:
        matrix = self.matrix(theta, source, align_corners)
        return affine_points(matrix, size=size, source=source, align_corners=align_corners)


@dataclass(frozen=True)
class Translation(Affine):
    """A shift: theta is its d numbers, see :func:`stn_ref.translation_theta`.

    >>> Translation().identity((28, 28)).tolist()
    [0.0, 0.0]
    """

    name = "translation"
    diagonal = True

    def shape(self, size: tuple[int, ...]) -> tuple[int, ...]:
        return (len(size),)

    def identity(self, size: tuple[int, ...]) -> Array:
        return np.zeros(len(size))

    def matrix(self, theta: Value, source: Any, align_corners: bool) -> Value:
        return translation_theta(theta)


@dataclass(frozen=True)
class Scale(Affine):
    """A scale along each axis: theta is d factors, see :func:`stn_ref.scale_theta`.

    With ``bounds`` (low, high) theta is any d numbers, and the factors lie between the bounds.

    >>> Scale(bounds=(0.5, 2.0)).matrix(np.zeros((1, 2)), (28, 28), True)[0, 0]
    array([1.25, 0.  , 0.  ])
    """

    bounds: tuple[float, float] | None = None
    name = "scale"
    diagonal = True

    def __post_init__(self) -> None:
        _check_bounds(self.name, self.bounds)

    def shape(self, size: tuple[int, ...]) -> tuple[int, ...]:
        return (len(size),)

    def identity(self, size: tuple[int, ...]) -> Array:
        return np.full(len(size), _unbounded(1.0, self.bounds))

    def matrix(self, theta: Value, source: Any, align_corners: bool) -> Value:
        return scale_theta(_within(theta, self.bounds))


@dataclass(frozen=True)
class Rotation(Affine):
    """A turn: theta is one angle in radians, see :func:`stn_ref.rotation_theta`.

    ``rigid`` makes it rigid in pixels of a source that is not square.

    >>> Rotation().matrix(np.zeros((1, 1)), (28, 28), True)[0, 0] + 0.0
    array([1., 0., 0.])
    """

    rigid: bool = False
    name = "rotation"
    dimensions = (2,)

    def __post_init__(self) -> None:
        check_flag(self.name, "rigid", self.rigid)

    def shape(self, size: tuple[int, ...]) -> tuple[int, ...]:
        return (1,)

    def identity(self, size: tuple[int, ...]) -> Array:
        return np.zeros(1)

    def matrix(self, theta: Value, source: Any, align_corners: bool) -> Value:
        settings = {"source": source, "align_corners": align_corners} if self.rigid else {}
        return rotation_theta(_column(theta, 0), **settings)


@dataclass(frozen=True)
class Similarity(Affine):
    """Scale, angle, shift x, shift y, see :func:`stn_ref.similarity_theta`; ``rigid`` as for a rotation.

    With ``bounds`` (low, high) theta's first number may be any, and the scale lies between the bounds.

    >>> Similarity().identity((28, 28)).tolist()
    [1.0, 0.0, 0.0, 0.0]
    """

    bounds: tuple[float, float] | None = None
    rigid: bool = False
    name = "similarity"
    dimensions = (2,)

    def __post_init__(self) -> None:
        check_flag(self.name, "rigid", self.rigid)
        _check_bounds(self.name, self.bounds)

    def shape(self, size: tuple[int, ...]) -> tuple[int, ...]:
        return (4,)

    def identity(self, size: tuple[int, ...]) -> Array:
        return np.array([_unbounded(1.0, self.bounds), 0.0, 0.0, 0.0])

    def matrix(self, theta: Value, source: Any, align_corners: bool) -> Value:
        settings = {"source": source, "align_corners": align_corners} if self.rigid else {}
        scale, shift = _within(_column(theta, 0), self.bounds), index(theta, key=(slice(None), slice(2, 4)))
        return similarity_theta(scale, _column(theta, 1), shift, **settings)


@dataclass(frozen=True)
class Attention(Affine):
    """Eq. (2): a scale for all axes and a shift, see :func:`stn_ref.attention_theta`.

    Theta is (scale, shift x, shift y(, shift z)); with a ``fixed`` scale the shift alone; with ``bounds`` the
    first number may be any, and the scale lies between the bounds.

    >>> Attention(fixed=0.5).shape((28, 28)), Attention().identity((28, 28)).tolist()
    ((2,), [1.0, 0.0, 0.0])
    """

    bounds: tuple[float, float] | None = None
    fixed: float | None = None
    name = "attention"
    diagonal = True

    def __post_init__(self) -> None:
        _check_bounds(self.name, self.bounds)
        if self.bounds is not None and self.fixed is not None:
            raise ValueError(f"{self.name}: got bounds and a fixed scale, expected one of the two")

    def shape(self, size: tuple[int, ...]) -> tuple[int, ...]:
        return (len(size) + (self.fixed is None),)

    def identity(self, size: tuple[int, ...]) -> Array:
        """The central view where the scale is fixed."""
        shift = np.zeros(len(size))
        return shift if self.fixed is not None else np.append(_unbounded(1.0, self.bounds), shift)

    def matrix(self, theta: Value, source: Any, align_corners: bool) -> Value:
        if self.fixed is not None:
            return attention_theta(self.fixed, theta)
        scale = _within(_column(theta, 0), self.bounds)
        return attention_theta(scale, index(theta, key=(slice(None), slice(1, None))))


@dataclass(frozen=True)
class Shear(Affine):
    """A shear along x and one along y, see :func:`stn_ref.shear_theta`.

    >>> Shear().identity((28, 28)).tolist()
    [0.0, 0.0]
    """

    name = "shear"
    dimensions = (2,)

    def shape(self, size: tuple[int, ...]) -> tuple[int, ...]:
        return (2,)

    def identity(self, size: tuple[int, ...]) -> Array:
        return np.zeros(2)

    def matrix(self, theta: Value, source: Any, align_corners: bool) -> Value:
        return shear_theta(theta)


@dataclass(frozen=True)
class Rigid(Affine):
    """A turn and a shift: (angle, shift x, shift y), or for volumes three angles and three shifts.

    See :func:`stn_ref.rotation_theta` and :func:`stn_ref.rigid_theta`.

    >>> Rigid().shape((28, 28)), Rigid().shape((16, 28, 28))
    ((3,), (6,))
    """

    name = "rigid"

    def shape(self, size: tuple[int, ...]) -> tuple[int, ...]:
        return (3,) if len(size) == 2 else (6,)

    def identity(self, size: tuple[int, ...]) -> Array:
        return np.zeros(self.shape(size))

    def matrix(self, theta: Value, source: Any, align_corners: bool) -> Value:
        if theta.shape[1] == 3:
            return similarity_theta(1.0, _column(theta, 0), index(theta, key=(slice(None), slice(1, None))))
        angles, shift = (index(theta, key=(slice(None), part)) for part in (slice(0, 3), slice(3, 6)))
        return rigid_theta(angles, shift)


def _column(theta: Value, k: int) -> Value:
    return reshape(index(theta, key=(slice(None), k)), shape=(theta.shape[0],))


def _within(x: Value, bounds: tuple[float, float] | None) -> Value:
    return x if bounds is None else bounded(x, *bounds)


def _unbounded(x: float, bounds: tuple[float, float] | None) -> float:
    """The number that ``bounded`` sends to x."""
    return x if bounds is None else log((x - bounds[0]) / (bounds[1] - x))


def _check_bounds(name: str, bounds: tuple[float, float] | None) -> None:
    if bounds is None:
        return
    try:
        low, high = map(float, bounds)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: bounds is {describe(bounds)}, expected (low, high), two numbers") from None
    if not -np.inf < low < 1 < high < np.inf:
        raise ValueError(
            f"{name}: the bounds of the scale are {bounds}, expected finite numbers, one below and one above "
            "1, the identity"
        )


AFFINE = add_to_table(Affine())
for _special in (Translation(), Scale(), Rotation(), Similarity(), Attention(), Shear(), Rigid()):
    add_to_table(_special)
