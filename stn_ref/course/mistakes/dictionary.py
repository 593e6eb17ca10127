"""The faults of the dictionary, as answers to what a task asks.

A fault is a step of :class:`stn_ref.faults.plain.Plain` done wrong. Here the steps answer the calls of tasks
1 to 7, under the conventions of a term.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...faults import FAULTS
from ...faults.plain import Plain
from ...faults.taps import How
from ..tasks import Check
from ..variants import Variant

__all__ = ["answer", "usable"]

Array = NDArray[Any]
Answered = Callable[[Any, Check, Variant], Any]
NOT_ASKED = ("cubic", "second_order", "splines")  # themes that no task has


class InPixels(Plain):
    """Points come in pixels, and kernel and side of the slope are those of a term."""

    variant = Variant()

    def to_pixels(self, x: Array, size: int, align_corners: bool) -> Array:
        return x

    def floor(self, x: Array) -> Array:
        return np.floor(x) if self.variant.kink == "right" else np.ceil(x) - 1

    def bilinear(self, t: Array, order: int) -> list[Array]:
        one = 1 + 0 * t
        far = {
            "bilinear": [t, one, 0 * one],
            "smoothstep": [3 * t**2 - 2 * t**3, 6 * t - 6 * t**2, 6 - 12 * t],
            "cosine": [
                (1 - np.cos(np.pi * t)) / 2,
                np.pi / 2 * np.sin(np.pi * t),
                np.pi**2 / 2 * np.cos(np.pi * t),
            ],
        }[self.variant.kernel][order]
        return [one - far if order == 0 else -far, far]


def usable() -> list[str]:
    """The names of those that can be run in this process: none that ends or blocks it.

    >>> "xy-swap" in usable(), "hangs" in usable()
    (True, False)
    """
    return [name for name, fault in FAULTS.items() if not fault.dangerous]


def answer(name: str, check: Check, variant: Variant) -> Any:
    """What the call gives if the fault is made; None if the task has nothing that it could spoil.

    >>> check = Check("interior", "base_grid", (), {"height": 1, "width": 2})
    >>> answer("base-grid-yx", check, Variant())[0, 1]
    array([0., 1., 1.])
    """
    if check.function not in ANSWERS or FAULTS[name].theme in NOT_ASKED:
        return None
    base = InPixels if check.function in IN_PIXELS else Plain
    faulty = _made(name, base, variant)
    with np.errstate(all="ignore"):
        return ANSWERS[check.function](faulty, check, variant)


@cache
def _made(name: str, base: type[Plain], variant: Variant) -> Any:
    fault = FAULTS[name].implementation
    kinds = (fault,) if base is Plain else (fault, base)
    return type(fault.__name__, kinds, {"variant": variant})()


def _sampled(faulty: Any, check: Check, variant: Variant) -> Array:
    U, points = _first(check.arrays[0], variant), np.array(check.arrays[1])
    return _ours(faulty.sample(U, _axes(faulty, points, U.shape, check, variant)), variant)


def _splat(faulty: Any, check: Check, variant: Variant) -> Array:
    V_bar, points = _first(check.arrays[0], variant), np.array(check.arrays[1])
    shape = (*V_bar.shape[:2], check.settings["height"], check.settings["width"])
    return _ours(faulty.splat(V_bar, shape, _axes(faulty, points, shape, check, variant)), variant)


def _slopes(faulty: Any, check: Check, variant: Variant) -> Array:
    U, points, V_bar = (np.array(array) for array in check.arrays)
    U, V_bar = _first(U, variant), _first(V_bar, variant)
    axes = _axes(faulty, points, U.shape, check, variant)
    return np.asarray(faulty.together(faulty.slopes(U, V_bar, axes)))


def _axes(faulty: Any, points: Array, shape: tuple[int, ...], check: Check, variant: Variant) -> Any:
    mode = "nearest" if check.function == "sample_nearest" else "bilinear"
    padding = "zeros" if check.function in ("sample_nearest", "sample_everywhere") else variant.padding
    how = faulty.settings(mode, padding, variant.align_corners)
    return faulty.axes(shape, points, how)


def _kernel(faulty: Any, check: Check, variant: Variant) -> Array:
    t = abs(check.arrays[0])
    return np.where(t < 1, faulty.bilinear(np.minimum(t, 1), 0)[0], 0)


def _base_grid(faulty: Any, check: Check, variant: Variant) -> Array:
    height, width = check.settings["height"], check.settings["width"]
    points = faulty.base_grid((1, 1, height, width), variant.align_corners)
    return np.asarray(points.reshape(height, width, 3))


def _affine_grid(faulty: Any, check: Check, variant: Variant) -> Array:
    theta = np.array(check.arrays[0])
    size = (len(theta), 1, check.settings["height"], check.settings["width"])
    return np.asarray(faulty.affine_grid(theta, size, align_corners=variant.align_corners))


def _to_normalised(faulty: Any, check: Check, variant: Variant) -> Array:
    size, align_corners = check.settings["size"], check.settings["align_corners"]
    found = (check.arrays[0] - faulty.centre(size, align_corners)) / faulty.factor(size, align_corners)
    return np.asarray(found)


def _grid_cotangent(faulty: Any, check: Check, variant: Variant) -> Array:
    bar = check.arrays[0]
    shape = (len(bar), 1, check.settings["height"], check.settings["width"])
    how = How("bilinear", variant.padding, variant.align_corners)
    return np.asarray(faulty.normalised([bar[..., 0], bar[..., 1]], shape, how))


def _theta_cotangent(faulty: Any, check: Check, variant: Variant) -> Array:
    bar = check.arrays[0]
    size, theta = (len(bar), 1, *bar.shape[1:3]), np.zeros((len(bar), 2, 3))
    return np.asarray(faulty.affine_grid_vjp(theta, size, bar, align_corners=variant.align_corners))


def _first(images: Array, variant: Variant) -> Array:
    return np.array(np.moveaxis(images, -1, 1) if variant.channels_last else images)


def _ours(images: Array, variant: Variant) -> Array:
    return np.moveaxis(images, 1, -1) if variant.channels_last else images


ANSWERS: dict[str, Answered] = {
    "base_coordinates": lambda faulty, check, variant: faulty.axis(
        check.settings["size"], variant.align_corners
    ),
    "base_grid": _base_grid,
    "affine_grid": _affine_grid,
    "to_pixels": lambda faulty, check, variant: faulty.to_pixels(np.array(check.arrays[0]), **check.settings),
    "to_normalised": _to_normalised,
    "kernel": _kernel,
    "sample_everywhere": _sampled,
    "sample_nearest": _sampled,
    "sample": _sampled,
    "splat": _splat,
    "slopes": _slopes,
    "grid_cotangent": _grid_cotangent,
    "theta_cotangent": _theta_cotangent,
}
IN_PIXELS = ("kernel", "sample_everywhere", "sample_nearest", "sample", "splat", "slopes")
