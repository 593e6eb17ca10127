"""Simple relations between a wrong result and the right one: a sign, a factor, a sum over too much.

What they tell a person who cannot see the numbers is in the words; what they tell one who can, in the numbers
too. Factors and shifts are given as what they may be: (width - 1)/2, 1/size.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .tasks import Check
from .variants import Variant

__all__ = ["near", "part_of", "relations"]

Array = NDArray[Any]
Arrays = tuple[Array, ...]
Symbols = dict[str, Fraction]
RELATIVE = 1e-9  # of the largest number of a result; what rounding leaves is far below
ORDER = 1.0  # of the numbers in the checks: where only rounding is left of a result, that is what counts
SINGLE = 1e-5  # what float32 leaves
PARTS = {
    "to_scipy": ("the matrix", "the offset"),
    "first_head": ("the weight", "the bias"),
    "align": ("theta", "the losses"),
}
COLUMNS = ("column 1", "column 2", "column 3 (the shift)")
COMPONENTS = {  # of the last axis
    "base_grid": ("x_t", "y_t", "the column of ones"),
    "affine_grid": ("x", "y"),
    "slopes": ("x", "y"),
    "grid_cotangent": ("x", "y"),
    **dict.fromkeys(("theta_cotangent", "to_opencv", "to_pytorch", "rotation", "align"), COLUMNS),
}
SAMPLERS = ("sample_everywhere", "sample_nearest", "sample", "splat")
SCALED = ("base_coordinates", "to_pixels", "to_normalised", "slopes", "grid_cotangent")
OF_BATCHES = ("affine_grid", *SAMPLERS, "slopes", "grid_cotangent", "theta_cotangent", "classify")


def near(got: Array, right: Array) -> Array:
    """Where two arrays agree but for rounding.

    >>> near(np.array([1.0, 1e-15, 2.0]), np.array([1.0, 0.0, 2.1]))
    array([ True,  True, False])
    """
    with np.errstate(all="ignore"):
        scale = np.abs(right[np.isfinite(right)]).max(initial=ORDER)
        return np.isclose(got, right, rtol=RELATIVE, atol=RELATIVE * scale, equal_nan=True)


def part_of(function: str, k: int, count: int) -> str:
    """What the k-th of several results is called, "" if it is the only one.

    >>> part_of("run", 2, 3), part_of("sample", 0, 1)
    ('the cotangent of array 2', '')
    """
    if count == 1:
        return ""
    if function == "run":
        return f"the cotangent of array {k}" if k else "the value"
    return PARTS[function][k] if function in PARTS else f"part {k + 1}"


def relations(check: Check, got: Arrays, right: Arrays, variant: Variant, *, hidden: bool) -> Iterator[str]:
    """How the first wrong part of a result differs from the right one, the simplest relation first.

    >>> check = Check("interior", "to_pixels", (), {"size": 5, "align_corners": True})
    >>> right = np.array([0.5, 1.5, 4.0])
    >>> [*relations(check, (right * 5 / 4,), (right,), Variant(), hidden=False)]
    ['the result is 5/4 times the right one, which is size/(size - 1) here']
    """
    for k, (x, y) in enumerate(zip(got, right)):
        if near(x, y).all() or not (np.isfinite(x).all() and np.isfinite(y).all()):
            continue
        name = part_of(check.function, k, len(right)) or "the result"
        components = COMPONENTS.get(check.function, ())
        yield from _as_a_whole(name, x, y, _symbols(check), hidden)
        if y.ndim > 1 and y.shape[-1] == len(components):
            yield from _by_components(name, components, x, y, check, hidden)
        for axis, one in _axes(check, variant, y):
            yield from _along(axis, one, x, y)
        yield from _rearranged(name, x, y)
        return


def _as_a_whole(name: str, x: Array, y: Array, symbols: Symbols, hidden: bool) -> Iterator[str]:
    if near(x, np.zeros_like(y)).all():
        yield f"{name} is 0 everywhere"
    elif near(y, np.zeros_like(y)).all():
        yield f"{name} has to be 0 everywhere"
    elif near(x, -y).all():
        yield f"the sign of {name} is the wrong way round"
    elif x.size > 1:
        yield from _linear(name, x, y, symbols, hidden)
    if np.abs(x - y).max(initial=0.0) < SINGLE * np.abs(y).max(initial=ORDER):
        yield f"{name} is right to some seven digits only, as if float32 were used on the way"
    for how, function in (("rounded", np.rint), ("rounded down", np.floor), ("cut to integers", np.trunc)):
        if near(x, function(y)).all():
            yield f"{name} is the right one {how}"


def _linear(name: str, x: Array, y: Array, symbols: Symbols, hidden: bool) -> Iterator[str]:
    """A factor, a shift, or both."""
    factor = float((x * y).sum() / (y * y).sum())
    shift = float(np.mean(x - y))
    if abs(factor) > 1e-6 and near(x, factor * y).all():
        yield f"{name} is {_times(factor, symbols, hidden)}"
    elif near(x, y + shift).all():
        yield f"{name} is off by {_amount(shift, symbols, hidden)} everywhere"
    elif x.size > 3 and np.ptp(y) > 0:
        slope, offset = (float(value) for value in np.polyfit(y.ravel(), x.ravel(), 1))
        if abs(slope) > 1e-6 and near(x, slope * y + offset).all():
            added = "a number" if hidden else _number(offset)
            yield f"{name} is {_times(slope, {}, hidden)}, and {added} is added"


def _by_components(
    name: str, components: tuple[str, ...], x: Array, y: Array, check: Check, hidden: bool
) -> Iterator[str]:
    """Of results whose last axis is x, y, or theta's columns."""
    parts = {one: (x[..., k], y[..., k]) for k, one in enumerate(components)}
    right = [one for one, (a, b) in parts.items() if near(a, b).all()]
    wrong = [one for one in components if one not in right]
    if right:
        says = f"{' and '.join(wrong)} {_are(wrong)} wrong, {' and '.join(right)} {_are(right)} right"
        told = _as_a_whole("it", *parts[wrong[0]], _symbols(check, wrong[0]), hidden)
        more = next(told, "") if len(wrong) == 1 else ""
        yield f"{says}{more and f': {more}'}"
        return
    each = [next(_as_a_whole(one, *parts[one], _symbols(check, one), hidden), "") for one in components]
    if all(each):
        yield "; ".join(each)


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _axes(check: Check, variant: Variant, y: Array) -> Iterator[tuple[int, str]]:
    """Those of images and channels."""
    if check.function in OF_BATCHES and y.shape[0] > 1:
        yield 0, "image"
    if check.function in SAMPLERS:
        axis = 3 if variant.channels_last else 1
        if y.shape[axis] > 1:
            yield axis, "channel"


def _along(axis: int, one: str, x: Array, y: Array) -> Iterator[str]:
    """What images, or channels, have to do with each other."""
    first = y.take([0], axis)
    for instead, says in (
        (first, f"every {one} has the result of the first {one}"),
        (y.sum(axis, keepdims=True), f"every {one} has the sum over all {one}s"),
        (y.mean(axis, keepdims=True), f"every {one} has the mean over all {one}s"),
    ):
        if near(x, np.broadcast_to(instead, y.shape)).all():
            yield says
    whole = tuple(k for k in range(y.ndim) if k != axis)
    right = np.asarray(near(x, y).all(axis=whole))
    if right[0] and not right[1:].any():
        yield f"the first {one} is right, all others are wrong"
    elif right.any():
        yield f"some {one}s are right, others are wrong"


def _rearranged(name: str, x: Array, y: Array) -> Iterator[str]:
    for first in range(y.ndim):
        if y.shape[first] > 1 and near(x, np.flip(y, first)).all():
            yield f"{name} runs backwards along axis {first}"
        for second in range(first + 1, y.ndim):
            swapped = y.swapaxes(first, second)
            if swapped.shape == x.shape and near(x, swapped).all():
                yield f"the axes {first} and {second} of {name} are exchanged"


def _symbols(check: Check, component: str = "") -> Symbols:
    """What a factor or a shift may be, by what it is called: of functions in which sizes have a part."""
    if check.function not in SCALED:
        return {}
    sizes = {name: n for name, n in check.settings.items() if name in ("size", "height", "width")}
    if check.places is not None:
        sizes = {"width": check.places.width, "height": check.places.height}
    if component in ("x", "y"):
        sizes = {name: n for name, n in sizes.items() if name == {"x": "width", "y": "height"}[component]}
    symbols: Symbols = {}
    if check.places is not None:
        count, rows, columns = check.places.points.shape[:3]
        symbols["1/(number of samples of an image)"] = Fraction(1, rows * columns)
        symbols["1/(number of all samples)"] = Fraction(1, count * rows * columns)
    for name, n in sizes.items():
        if n > 2:
            less = f"({name} - 1)"
            symbols |= {f"{less}/2": Fraction(n - 1, 2), f"{name}/2": Fraction(n, 2)}
            symbols |= {f"2/{less}": Fraction(2, n - 1), f"2/{name}": Fraction(2, n)}
            symbols |= {f"1/{less}": Fraction(1, n - 1), f"1/{name}": Fraction(1, n)}
            symbols |= {f"{name}/{less}": Fraction(n, n - 1), f"{less}/{name}": Fraction(n - 1, n)}
            symbols |= {f"4/{less}^2": Fraction(4, (n - 1) ** 2), f"4/{name}^2": Fraction(4, n * n)}
    return symbols


def _meant(value: float, symbols: Symbols) -> str:
    """What a value may be, "" if nothing of that kind."""
    for text, meant in symbols.items():
        if abs(abs(value) - float(meant)) < 1e-9 * float(meant):
            return f"{'-' if value < 0 else ''}{text}"
    return ""


def _times(value: float, symbols: Symbols, hidden: bool) -> str:
    meant = _meant(value, symbols)
    if hidden:
        return f"{meant} times the right one" if meant else "a multiple of the right one"
    return f"{_number(value)} times the right one{meant and f', which is {meant} here'}"


def _amount(value: float, symbols: Symbols, hidden: bool) -> str:
    meant = _meant(value, symbols)
    if hidden:
        return meant or "the same number"
    return f"{_number(value)}{meant and f', which is {meant} here,'}"


def _number(value: float) -> str:
    """As a simple fraction where it is one."""
    fraction = Fraction(value).limit_denominator(1000)
    simple = abs(float(fraction) - value) < 1e-9 * max(abs(value), 1e-3) and abs(fraction.numerator) < 1000
    return str(fraction) if simple else f"{value:.6g}"
