"""What a transformation is, and the table of all of them.

A new one is a file with a subclass of :class:`Transformation` and a line that adds it to ``TRANSFORMATIONS``;
the sampler, :class:`stn_ref.SpatialTransformer`, the pictures and the generated tests take it from there.
"""

import math
from typing import Any

from numpy.typing import NDArray

from ..autograd.tensor import Value, plain
from ..errors import check_floating, describe
from .sampling import points_of
from .shaping import reshape

Array = NDArray[Any]
TRANSFORMATIONS: dict[str, "Transformation"] = {}
_REPEAT = "; for one map for all use np.repeat({}, {}, axis=0)"


class Transformation:
    """How theta, the numbers of a localisation network, says where each output pixel is sampled.

    All maps go from TARGET to SOURCE. ``size`` is the spatial shape of the output, (H', W') or (D', H', W'),
    ``source`` that of the input.

    >>> from stn_ref import Projective
    >>> Projective().name, Projective().shape((28, 28)), Projective().identity((28, 28)).tolist()
    ('projective', (8,), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
    """

    name = ""
    dimensions: tuple[int, ...] = (2, 3)  # of the images it works on

    def shape(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of theta for one image."""
        raise NotImplementedError

    def identity(self, size: tuple[int, ...]) -> Array:
        """The theta of one image that changes nothing, all numbers in a row."""
        raise NotImplementedError

    def grid(self, theta: Value, *, size: tuple[int, ...], source: Any, align_corners: bool) -> Value:
        """The sampled places in normalised coordinates, (N, *size, d), from theta (N, *shape)."""
        raise NotImplementedError

    def points(self, theta: Value, *, size: tuple[int, ...], source: Any, align_corners: bool) -> Value:
        """The same places in pixels of the source: (N, *size, d).

        Unless a transformation says it better, they come by way of normalised coordinates. Those of the
        library do not, and are integers, exactly, under the identity with ``size == source``.
        """
        grid = self.grid(theta, size=size, source=source, align_corners=align_corners)
        return points_of(grid, source=tuple(source), align_corners=align_corners)

    def matrix(self, theta: Value, source: Any, align_corners: bool) -> Value:
        """Theta as (N, d, d + 1) or (N, 3, 3), if the transformation is a linear one."""
        raise TypeError(
            f"{self.name}: this transformation has no matrix; the affine ones and 'projective' have"
        )

    def parameters(self, size: tuple[int, ...]) -> int:
        """How many numbers theta has for one image."""
        return math.prod(self.shape(size))

    def shaped(self, operator: str, theta: Value, n: int, size: tuple[int, ...]) -> Value:
        """``theta`` as (n, *shape), from that or from (n, parameters); homographies may stay (n, 3, 3).

        Raises
        ------
        TypeError, ValueError
            If it has another dtype or shape, or the transformation does not work in so many dimensions.
        """
        check_floating(operator, "theta", plain(theta))
        d = len(size)
        if d not in self.dimensions:
            raise ValueError(
                f"{operator}: the transformation {self.name!r} works in {self.dimensions[0]} dimensions, not "
                f"in {d}; transformations for {d}: {', '.join(names_for(d))}"
            )
        expected = [(n, *form) for form in self._forms(size)]
        if tuple(theta.shape) not in expected:
            raise ValueError(
                f"{operator}: theta has shape {theta.shape}, expected "
                f"{' or '.join(map(str, dict.fromkeys(expected)))}, one {self.name!r} map for each image"
                f"{self._hint(tuple(theta.shape), n, size)}"
            )
        return reshape(theta, shape=expected[0]) if tuple(theta.shape) in expected[:2] else theta

    def _forms(self, size: tuple[int, ...]) -> list[tuple[int, ...]]:
        """The shapes in which the theta of one image is taken: its own, all numbers in a row, and others."""
        return [self.shape(size), (self.parameters(size),)]

    def _hint(self, shape: tuple[int, ...], n: int, size: tuple[int, ...]) -> str:
        """What to do about a theta of a wrong shape."""
        own = self._forms(size)
        if shape in own:
            return "; use theta[None] for a batch of one" if n == 1 else _REPEAT.format("theta[None]", n)
        if shape[1:] in own:
            return _REPEAT.format("theta", n) if shape[0] == 1 else ""
        if shape[:1] != (n,):
            return ""
        count = math.prod(shape[1:])
        names = " or ".join(
            repr(name)
            for name in names_for(len(size))
            if name != self.name and {(count,), shape[1:]} & {*TRANSFORMATIONS[name]._forms(size)}
        )
        return f"; {count} numbers for an image fit {names}" if names else ""


def names_for(d: int) -> list[str]:
    """The names of the transformations for d dimensions."""
    return [name for name, t in TRANSFORMATIONS.items() if d in t.dimensions]


def as_transformation(operator: str, transformation: Any) -> Transformation:
    """The transformation of that name, or the one itself."""
    if isinstance(transformation, Transformation):
        return transformation
    if isinstance(transformation, str) and transformation in TRANSFORMATIONS:
        return TRANSFORMATIONS[transformation]
    names, hint = ", ".join(map(repr, TRANSFORMATIONS)), ""
    if isinstance(transformation, type) and issubclass(transformation, Transformation):
        hint = f"; that is a class: use {transformation.__name__}()"
    raise ValueError(
        f"{operator}: transformation is {describe(transformation)}, expected a Transformation or one of "
        f"{names}{hint}"
    )


def add_to_table(transformation: Transformation) -> Transformation:
    """Make a transformation known by its name."""
    TRANSFORMATIONS[transformation.name] = transformation
    return transformation
