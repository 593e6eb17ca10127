"""Where the wrong numbers of a result lie, and what is around the worst of them."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .relations import near, part_of
from .sources import textbook
from .tasks import Check, Places
from .variants import Variant

__all__ = ["where", "worst"]

Array = NDArray[Any]
Arrays = tuple[Array, ...]
PLACES = {
    "interior": "between the pixels inside the image",
    "border": "at the border or beyond it",
    "kink": "at integer coordinates",
}
PIXELS = {  # of an image's cotangent
    "met": "where several samples meet",
    "edge": "at the edge of the image",
    "alone": "where one sample alone gives something",
    "unseen": "which no sample sees",
}
NUMBERS = {  # of a function of single numbers
    "negative": "where the argument is negative",
    "far": "where the argument is 1 or more, or -1 or less",
    "near": "where the argument is between 0 and 1",
}


def where(check: Check, got: Arrays, right: Arrays, *, hidden: bool) -> str:
    """Which samples, pixels or numbers are wrong: "" if nothing can be said.

    >>> points = np.array([[[[0.5, 0.5], [1.5, 0.5], [2.5, 1.5]]]])
    >>> check = Check("border", "sample", (), places=Places(points, 3, 3))
    >>> right = np.ones((1, 1, 1, 3))
    >>> where(check, (right * [1, 1, 0],), (right,), hidden=False)
    '1 of 3 samples is wrong, at the border or beyond it, and 0 there'
    """
    wrong = ~near(got[0], right[0])
    found = _kinds(check, wrong)
    if found is None or not wrong.any():
        return ""
    one, kinds, names, over = found
    spoilt = np.asarray(wrong.any(axis=over)) if over else wrong
    return _said(one, kinds, names, spoilt, hidden) + _zeros(got[0][wrong], right[0][wrong])


def _kinds(check: Check, wrong: Array) -> tuple[str, Array, dict[str, str], tuple[int, ...]] | None:
    """What there is to be wrong, the kind of each, what kinds are called, and the axes that do not count."""
    if check.places is None:
        arrays = check.arrays
        if len(arrays) == 1 and check.function in ("kernel", "to_pixels", "to_normalised"):
            kinds = np.where(abs(arrays[0]) >= 1, "far", np.where(arrays[0] < 0, "negative", "near"))
            return "number", kinds, NUMBERS, ()
        return None
    places = check.places
    if check.function == "splat":
        shape, one, kinds, names = _image_shape(places), "pixel", _pixels(places), PIXELS
    else:
        shape, one, kinds, names = places.points.shape[:3], "sample", places.kinds(), PLACES
    over = _channel_axis(wrong.shape, shape)
    return None if over is None else (one, kinds, names, (over,))


def _channel_axis(shape: tuple[int, ...], without: tuple[int, ...]) -> int | None:
    """The axis of a result that is that of channels, or coordinates."""
    if len(shape) != 4:
        return None
    return 3 if shape[:3] == without else 1 if (shape[0], *shape[2:]) == without else None


def _image_shape(places: Places) -> tuple[int, int, int]:
    return (len(places.points), places.height, places.width)


def _pixels(places: Places) -> Array:
    """Of each pixel of the images how many samples see it, and whether it lies at the edge: (N, H, W)."""
    seen = np.zeros(_image_shape(places), dtype=int)
    for image, count in zip(places.points.reshape(len(seen), -1, 2), seen):
        for x, y in image:
            rows = (abs(np.arange(places.height) - y) < 1)[:, None]
            count += rows & (abs(np.arange(places.width) - x) < 1)
    kinds = np.where(seen > 1, "met", np.where(seen == 1, "alone", "unseen"))
    edge = np.ones(kinds.shape, dtype=bool)
    edge[:, 1:-1, 1:-1] = False
    return np.where(edge & (seen < 2), "edge", kinds)


def _said(one: str, kinds: Array, names: dict[str, str], wrong: Array, hidden: bool) -> str:
    if wrong.all():
        return f"all {one}s are wrong" if hidden else f"all {wrong.size} {one}s are wrong"
    count = int(wrong.sum())
    share = f"some {one}s are wrong" if hidden else f"{count} of {wrong.size} {one}s {_are(count)} wrong"
    present = list(dict.fromkeys(kinds[wrong].tolist()))
    if len(present) == 1:
        return f"{share}, {'all of them ' if hidden or count > 1 else ''}{names[present[0]]}"
    clean = [names[kind] for kind in names if (kinds == kind).any() and kind not in present]
    return f"{share}, none of them {' or '.join(clean)}" if clean else share


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _zeros(got: Array, right: Array) -> str:
    """Whether what is wrong is 0, or ought to be."""
    if near(got, np.zeros_like(got)).all():
        return ", and 0 there"
    return ", and right would be 0 there" if near(right, np.zeros_like(right)).all() else ""


def worst(check: Check, got: Arrays, right: Arrays, variant: Variant) -> str:
    """Where a result is farthest from the right one, and what is around there."""
    differences = [
        np.abs(np.nan_to_num(x - y, nan=0.0, posinf=1e300, neginf=1e300)) for x, y in zip(got, right)
    ]
    part = int(np.argmax([difference.max(initial=0.0) for difference in differences]))
    place = tuple(int(k) for k in np.unravel_index(differences[part].argmax(), differences[part].shape))
    name = part_of(check.function, part, len(right))
    at = f" at {place}" if place else ""
    of = f" {'of' if place else 'in'} {name}" if name else ""
    around = "".join(_around(check, place, right[part].shape, variant))
    told = f"{got[part][place]:.6g}, expected {right[part][place]:.6g}"
    return f"the largest difference is{at}{of}: {told}{around}"


def _around(check: Check, place: Sequence[int], shape: tuple[int, ...], variant: Variant) -> Iterator[str]:
    """The sample's point, with the four pixels around it and their weights."""
    if check.places is None or check.function == "splat":
        return
    points = check.places.points
    over = _channel_axis(shape, points.shape[:3])
    if over is None:
        return
    x, y = (float(value) for value in points[tuple(k for axis, k in enumerate(place) if axis != over)])
    yield f"; its point is x = {x:.6g}, y = {y:.6g}"
    if check.function == "sample_nearest":
        return
    book = textbook(variant)
    columns, rows = (np.floor(value) + np.arange(2) for value in (x, y))
    weights = np.outer(*(book("sampler.py", "kernel", v - n) for v, n in ((y, rows), (x, columns))))
    corners = [
        f"({row:.0f}, {column:.0f}) with {weights[i, j]:.4g}"
        for i, row in enumerate(rows)
        for j, column in enumerate(columns)
    ]
    yield f", its pixels (row, column) and their weights are {', '.join(corners)}"
