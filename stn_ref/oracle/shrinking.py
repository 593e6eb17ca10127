"""The smallest question that a backend still gets wrong.

One step at a time: fewer images, channels, samples and pixels, then simpler numbers, as long as the answer
stays wrong in the same way.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..pixels import span
from .interview import AGAIN, Claims, Evidence, Judge
from .questions import AffineCase, AnyCase, Case, TpsCase
from .verdicts import Finding

Array = NDArray[Any]
Arrays = dict[str, Array]
OF_IMAGES = ("U", "U_dot", "U_bar_bar")
OF_SAMPLES = ("V_bar",)
OF_COORDINATES = ("grid", "grid_dot", "grid_bar_bar")
STEPS = (1.0, 4.0, 16.0, 256.0)  # a coordinate is rounded to parts of such size


def shrunk(
    evidence: Evidence, asked: Any, judge: Judge, claims: Claims, *, seconds: float = 10.0
) -> tuple[Evidence, Finding]:
    """The smallest question found within the time, with the answer to it and what is wrong with that.

    ``asked`` is where the backend is asked, an ``InProcess`` or an ``Isolated``.
    """
    best, found = evidence, _finding(evidence, asked, judge, claims)
    if not found[1].verdict.failing or best.ask.way == AGAIN:
        return evidence, found[1]
    verdict, end = found[1].verdict, time.monotonic() + seconds
    progress = True
    while progress and time.monotonic() < end:
        progress = False
        for arrays, size in _smaller(best.case):
            smaller = _with_arrays(best, arrays, size)
            if _measure(smaller) >= _measure(best):
                continue
            answer = _finding(smaller, asked, judge, claims)
            if answer[1].verdict is verdict:
                best, found, progress = smaller, answer, True
                break
            if time.monotonic() > end:
                break
    return replace(best, got=found[0]), found[1]


def _finding(evidence: Evidence, asked: Any, judge: Judge, claims: Claims) -> tuple[Any, Finding]:
    """The backend's answer, and the verdict on it."""
    [[answer]] = asked.ask([[evidence.ask.call]])
    got = answer.outputs.get(evidence.output)
    finding = judge.finding(evidence.case, evidence.ask, evidence.output, answer, claims, remember=False)
    return got, finding


def _with_arrays(evidence: Evidence, arrays: Arrays, size: tuple[int, ...]) -> Evidence:
    call, case = evidence.ask.call, evidence.case
    settings = dict(call.settings)
    if isinstance(case, Case):
        case = replace(case, arrays=arrays)
    else:
        settings["size"] = size
        case = replace(case, arrays=arrays, size=size)
    call = call._replace(arrays={name: arrays[name] for name in call.arrays}, settings=settings)
    return replace(evidence, case=case, ask=evidence.ask._replace(call=call))


def _measure(evidence: Evidence) -> tuple[int, int]:
    """How large a question is, and how hard to read."""
    arrays = evidence.ask.call.arrays.values()
    numbers = np.concatenate([np.ravel(array).astype(float) for array in arrays])
    pixels = prod(evidence.ask.call.settings.get("size", ()))
    lengths = (len(f"{x:.17g}") + 1 if x not in (0, 1) else int(x == 1) for x in numbers)
    return len(numbers) + pixels, sum(lengths)


def _smaller(case: AnyCase) -> Iterator[tuple[Arrays, tuple[int, ...]]]:
    """Questions a step smaller, the largest steps first."""
    arrays = dict(case.arrays)
    if isinstance(case, AffineCase):
        yield from _smaller_affine(arrays, case.size)
        return
    if isinstance(case, TpsCase):
        control = {"control_points": arrays.pop("control_points")}  # fewer of them may fix no spline
        for smaller, size in _smaller_affine(arrays, case.size):
            yield {**control, **smaller}, size
        return
    for changed in (_fewer_images(arrays), _fewer_channels(arrays), _fewer_samples(arrays)):
        for smaller in changed:
            yield smaller, ()
    for smaller in _fewer_pixels(arrays, case.setting.align_corners):
        yield smaller, ()
    for smaller in _simpler_numbers(arrays):
        yield smaller, ()


def _smaller_affine(arrays: Arrays, size: tuple[int, ...]) -> Iterator[tuple[Arrays, tuple[int, ...]]]:
    for smaller in _fewer_images(arrays):
        yield smaller, (len(smaller["grid_bar"]), *size[1:])
    for axis in range(1, arrays["grid_bar"].ndim - 1):
        n = arrays["grid_bar"].shape[axis]
        for keep in {1, n // 2, n - 1} - {0, n}:
            target = tuple(keep if k == axis + 1 else m for k, m in enumerate(size))
            yield {**arrays, "grid_bar": arrays["grid_bar"].take(range(keep), axis)}, target
    for smaller in _simpler_numbers(arrays):
        yield smaller, size


def _fewer_images(arrays: Arrays) -> Iterator[Arrays]:
    for kept in _parts(len(next(iter(arrays.values())))):
        yield {name: array[kept] for name, array in arrays.items()}


def _fewer_channels(arrays: Arrays) -> Iterator[Arrays]:
    for kept in _parts(arrays["U"].shape[1]):
        yield {**arrays, **{name: arrays[name][:, kept] for name in (*OF_IMAGES, *OF_SAMPLES)}}


def _parts(count: int) -> Iterator[list[int]]:
    """One of so many, and all but one of them."""
    if count > 1:
        yield from ([one] for one in range(count))
        yield from ([other for other in range(count) if other != one] for one in range(count))


def _fewer_samples(arrays: Arrays) -> Iterator[Arrays]:
    """Half of the samples, or all but one; in one row."""
    d = arrays["grid"].shape[-1]
    points = int(np.prod(arrays["grid"].shape[1:-1]))
    halves = [range(points // 2), range(points // 2, points)]
    singles = [[p for p in range(points) if p != left_out] for left_out in range(points)]
    for kept in [*halves, *singles] if points > 1 else []:
        row = (1,) * (d - 1) + (len(kept),)
        smaller = dict(arrays)
        for name in OF_COORDINATES:
            flat = arrays[name].reshape(len(arrays[name]), points, d)[:, list(kept)]
            smaller[name] = flat.reshape(len(flat), *row, d)
        for name in OF_SAMPLES:
            flat = arrays[name].reshape(*arrays[name].shape[:2], points)[..., list(kept)]
            smaller[name] = flat.reshape(*flat.shape[:2], *row)
        yield smaller


def _fewer_pixels(arrays: Arrays, align_corners: bool) -> Iterator[Arrays]:
    """Without the first, the last, or half of the rows along an axis, samples staying where they are."""
    sizes = arrays["U"].shape[2:]
    for axis, size in enumerate(sizes):
        cuts = {(0, size // 2), (size // 2, 0), (0, 1), (1, 0)} if size > 1 else set()
        for first, last in sorted(cuts, reverse=True):
            kept = range(first, size - last)
            own = {name: arrays[name].take(kept, axis + 2) for name in OF_IMAGES}
            k = len(sizes) - 1 - axis
            grid = arrays["grid"].astype(np.float64)
            with np.errstate(all="ignore"):
                x = (grid[..., k] * span(size, align_corners) + size - 1) / 2 - first
                across = max(span(len(kept), align_corners), 1)
                grid[..., k] = (2 * x - (len(kept) - 1)) / across
                moved = grid.astype(arrays["grid"].dtype)
            if np.isfinite(moved).all() or not np.isfinite(arrays["grid"]).all():
                yield {**arrays, **own, "grid": moved}


def _simpler_numbers(arrays: Arrays) -> Iterator[Arrays]:
    """A number replaced by 0, by 1, or by one with fewer digits; at first many at once."""
    for name, array in arrays.items():
        for value in (0.0, 1.0):
            if name != "grid" and (array != value).any():
                yield {**arrays, name: np.full_like(array, value)}
        yield {**arrays, name: np.where(np.isfinite(array), np.round(array), array).astype(array.dtype)}
    for name, array in arrays.items():
        for index in np.ndindex(array.shape):
            for value in _simpler(float(array[index])):
                changed = array.copy()
                changed[index] = value
                yield {**arrays, name: changed}


def _simpler(x: float) -> Iterator[float]:
    if x not in (0, 1):
        yield from (0.0, 1.0)
        if np.isfinite(x) and abs(x) < 1e6:
            yield from (round(x * step) / step for step in STEPS if round(x * step) / step != x)
    elif x == 1:
        yield 0.0
