"""Classic mistakes, each planted into the real code: a suite that passes with one of them proves nothing.

``pytest --plant NAME`` runs the tests with that mistake in place; ``test_planted.py`` does so for each and
demands failures.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from stn_ref.kernels import pooling, sampling
from stn_ref.kernels.sampling import Block
from stn_ref.ops import grids
from stn_ref.ops import sampling as sampler

PLANTS: dict[str, Callable[[], None]] = {}


def plant(function: Callable[[], None]) -> Callable[[], None]:
    PLANTS[function.__name__] = function
    return function


def wrap(owner: Any, name: str, change: Callable[..., Any]) -> None:
    """Replace ``owner.name`` by ``change(original, *args)``."""
    original = getattr(owner, name)
    setattr(owner, name, lambda *args, **settings: change(original, *args, **settings))


@plant
def x_and_y_swapped() -> None:
    wrap(sampler.points_of, "function", lambda f, grid, **s: f(grid[..., ::-1], **s))


@plant
def missing_half_span() -> None:
    """Eq. (7) in pixel units handed on as if it were normalised: no (W - 1) / 2."""
    sampler.points_of.rules["grid"].function = lambda points_bar, **s: points_bar


@plant
def half_span_of_the_other_convention() -> None:
    wrap(
        sampler.points_of.rules["grid"],
        "function",
        lambda f, bar, source, align_corners: f(bar, source, not align_corners),
    )


@plant
def assigned_instead_of_added() -> None:
    """U_bar[index] = ... keeps the last of several samples that read the same pixel."""

    class Assigning:
        @staticmethod
        def bincount(index: Any, weights: Any, length: int) -> Any:
            total = np.zeros(length)
            total[index] = weights
            return total

        def __getattr__(self, name: str) -> Any:
            return getattr(np, name)

    sampling.np = Assigning()  # type: ignore[attr-defined]


class Cells(np.ndarray):
    """Cells to which adding 1 adds nothing where the coordinate is an integer."""

    def __add__(self, offset: Any) -> Any:
        return np.asarray(self) + offset * (~self.on_pixel if offset == 1 else 1)


@plant
def ceil_for_floor_plus_1() -> None:
    """At integer coordinates the two neighbours coincide and the slope becomes 0."""

    def locate(f: Any, *args: Any) -> Any:
        axis = f(*args)
        axis.cell = axis.cell.view(Cells)
        axis.cell.on_pixel = axis.fraction == 0
        return axis

    wrap(sampling, "locate", locate)


@plant
def sign_of_eq_7() -> None:
    wrap(Block, "slopes", lambda f, self, U, V, orders: -f(self, U, V, orders))


@plant
def clamped_before_the_weights() -> None:
    wrap(sampling, "locate", lambda f, x, size, setup, side: f(np.clip(x, 0, size - 1), size, setup, side))


@plant
def first_channel_only() -> None:
    wrap(Block, "slopes", lambda f, self, U, V, orders: f(self, U[:, :1], V[:, :1], orders))


@plant
def missing_ones_column() -> None:
    def without_ones(f: Any, axes: Any) -> Any:
        base = f(axes)
        base[..., -1] = 0
        return base

    wrap(grids, "_homogeneous", without_ones)


@plant
def theta_transposed_in_its_gradient() -> None:
    wrap(grids, "_gather_theta", lambda f, bar, base: f(bar[..., ::-1], base))


@plant
def one_base_grid_for_both_conventions() -> None:
    wrap(grids, "base_coordinates", lambda f, size, align_corners, dtype: f(size, True, dtype))


@plant
def truncated_instead_of_floored() -> None:
    class Truncating:
        floor = staticmethod(np.trunc)

        def __getattr__(self, name: str) -> Any:
            return getattr(np, name)

    sampling.np = Truncating()  # type: ignore[attr-defined]


@plant
def ties_to_even() -> None:
    def locate(f: Any, x: Any, size: int, setup: Any, side: str) -> Any:
        return f(np.rint(x) if setup.kernel.centred else x, size, setup, side)

    wrap(sampling, "locate", locate)


@plant
def reflected_about_the_wrong_line() -> None:
    wrap(
        sampling, "padded_index", lambda f, n, size, mode, align_corners: f(n, size, mode, not align_corners)
    )


@plant
def last_maximum_wins() -> None:
    def last(f: Any, x: Any, out: Any, kernel: Any, stride: Any) -> Any:
        best, which = f(x, out, kernel, stride)
        for place, (image, windows) in enumerate(pooling.places(x.shape, out, kernel, stride)):
            which[windows][x[image] == best[windows]] = place
        return best, which

    wrap(pooling, "first_maximum", last)


@plant
def adjoint_of_the_first_image_for_all() -> None:
    def first_for_all(f: Any, self: Any, V: Any, orders: Any) -> Any:
        U = f(self, V, orders)
        return np.broadcast_to(U[:1], U.shape).copy()

    wrap(Block, "splat", first_for_all)
