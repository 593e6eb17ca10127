"""Dense flow: every output pixel has a displacement of its own."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autograd.tensor import Value, plain
from ..errors import check_flag, check_floating
from .grids import displaced_grid, displaced_points
from .transformation import Transformation, add_to_table

Array = NDArray[Any]


def flow_grid(flow: Value, *, align_corners: bool) -> Value:
    """Where each output pixel is sampled if it reads beside its own place: base grid plus flow.

    Parameters
    ----------
    flow : (N, H', W', 2) or (N, D', H', W', 3), floating
        Displacements from TARGET to SOURCE, last axis (x, y(, z)), in normalised coordinates. A flow in
        pixels of a source (H, W) becomes one by ``* 2 / (W, H)``, or ``(W - 1, H - 1)`` under
        ``align_corners=True``.
    align_corners : bool
        Whether -1 and 1 are the centres of the corner pixels (True) or the outer edges (False).

    Returns
    -------
    grid : of the shape and dtype of ``flow``

    Raises
    ------
    TypeError, ValueError
        If a dtype, a shape or a setting is not of the form above.

    >>> flow_grid(np.full((1, 1, 3, 2), 0.25), align_corners=True)[0, 0, :, 0]
    array([-0.75,  0.25,  1.25])
    """
    check_floating("flow_grid", "flow", plain(flow))
    check_flag("flow_grid", "align_corners", align_corners)
    shape = flow.shape
    if len(shape) not in (4, 5) or shape[-1] != len(shape) - 2:
        hint = ""
        if len(shape) in (4, 5) and shape[1] == len(shape) - 2:
            hint = "; it looks channel-first: use np.moveaxis(flow, 1, -1)"
        raise ValueError(
            f"flow_grid: flow has shape {shape}, expected (N, H', W', 2), or (N, D', H', W', 3) for "
            f"volumes{hint}"
        )
    return displaced_grid(flow, bool(align_corners))


@dataclass(frozen=True)
class Flow(Transformation):
    """Theta is the displacement of every output pixel, (H', W', 2) or (D', H', W', 3), normalised.

    >>> Flow().shape((28, 20))
    (28, 20, 2)
    """

    name = "flow"

    def shape(self, size: tuple[int, ...]) -> tuple[int, ...]:
        return (*size, len(size))

    def identity(self, size: tuple[int, ...]) -> Array:
        return np.zeros(self.parameters(size))

    def _hint(self, shape: tuple[int, ...], n: int, size: tuple[int, ...]) -> str:
        if shape == (n, len(size), *size):
            return "; it looks channel-first: use np.moveaxis(theta, 1, -1)"
        return super()._hint(shape, n, size)

    def grid(self, theta: Value, *, size: tuple[int, ...], source: Any, align_corners: bool) -> Value:
        return displaced_grid(theta, align_corners)

    def points(self, theta: Value, *, size: tuple[int, ...], source: Any, align_corners: bool) -> Value:
        return displaced_points(theta, source, align_corners)


FLOW = add_to_table(Flow())
