"""What the questions about grids have in common: those about affine ones and about thin plate splines."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from .regressions import threads_of

Array = NDArray[Any]


@dataclass(frozen=True)
class GridSetting:
    """Which convention, dtype and number of dimensions."""

    align_corners: bool
    dtype: str
    d: int = 2

    @property
    def id(self) -> str:
        return f"{'corners' if self.align_corners else 'edges'}/{self.dtype}/{self.d}d"


@dataclass(frozen=True)
class GridCase:
    """A question: the numbers of a transformation, the shape of an output, and a cotangent of its grid."""

    family: str
    setting: GridSetting
    arrays: Mapping[str, Array] = field(repr=False)
    size: tuple[int, ...]
    about: str

    @property
    def id(self) -> str:
        return f"{self.family}/{self.setting.id}"

    def threads(self, way: str = "") -> tuple[str, ...]:
        """Public threads about mistakes that this case finds, asked in such a way."""
        return threads_of(self.family, self.setting, way)


def first_line(f: Any) -> str:
    """What a family is about."""
    return (f.__doc__ or "").split("\n")[0]
