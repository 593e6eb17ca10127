"""Tasks 3 to 6: the sampler and its derivatives."""

from collections.abc import Iterator

import numpy as np

from ..variants import Variant
from .model import Array, Check, Places, Task

__all__ = ["TASKS"]

FILE = "sampler.py"
SAMPLING = ("sample_everywhere", "sample_nearest", "sample")


def apart(rng: np.random.Generator, count: int, rows: int, columns: int) -> Places:
    """Samples that lie within the image, between pixels, and of which no two see the same pixel."""
    corners = np.stack(np.meshgrid(3 * np.arange(columns), 3 * np.arange(rows)), axis=-1)
    within = rng.uniform(0.1, 0.9, (count, rows, columns, 2))
    return Places(corners + within, 3 * rows - 1, 3 * columns - 1)


def at_the_border(rng: np.random.Generator) -> Places:
    """Samples that lie half outside, a little outside and far outside, on each side, corners included."""
    size = 6
    outside = np.array([-1e3, -2.6, -1.0, -0.4, size - 0.7, size, size + 1.3, 1e3])
    outside = np.where(abs(outside) < 100, outside + rng.uniform(-0.1, 0.1, 8), outside)
    inside = rng.uniform(0.6, size - 1.6, 8)
    points = [[outside, inside], [inside, outside], [outside, outside[::-1]], [outside, outside]]
    return Places(np.moveaxis(np.array(points), 1, 2)[None], size, size)


def at_pixels(rng: np.random.Generator) -> Places:
    """Samples at the centres of pixels, of which some are at the edge."""
    size = 5
    points = rng.integers(0, size, (1, 4, 4, 2)).astype(float)
    points[0, 0, 0], points[0, 3, 3], points[0, 0, 3] = 0, size - 1, (size - 1, 2)
    points[0, 1, :, 1] = rng.uniform(0.1, size - 1.1, 4)  # one coordinate alone
    points[0, 2, :, 0] = rng.uniform(0.1, size - 1.1, 4)
    return Places(points, size, size)


def together(rng: np.random.Generator) -> Places:
    """Samples of which many see the same pixels."""
    return Places(rng.uniform(1.1, 2.9, (1, 4, 4, 2)), 5, 5)


def half_way(rng: np.random.Generator) -> Places:
    """Samples half-way between two pixels, to the left of the first one too."""
    return Places(rng.integers(-1, 4, (1, 3, 3, 2)) + 0.5, 5, 5)


def checks_of(function: str, variant: Variant, rng: np.random.Generator) -> Iterator[Check]:
    """The same questions about any function that samples, or goes back from samples."""
    cases = [
        ("shape", "2 images, 3 channels, a wide output", apart(rng, 2, 2, 3), 3),
        ("interior", "one square image, one channel, samples between pixels", apart(rng, 1, 3, 3), 1),
        ("border", "samples at the border and beyond", at_the_border(rng), 1),
        ("kink", "samples at the centres of pixels", at_pixels(rng), 1),
        ("batch", "3 images", apart(rng, 3, 2, 2), 1),
        ("channels", "3 channels", apart(rng, 1, 2, 2), 3),
        ("non-square", "a wide image and a wide output", apart(rng, 1, 2, 4), 1),
        ("non-square", "a high image and a high output", apart(rng, 1, 3, 2), 1),
    ]
    if function == "splat":
        cases.append(("meeting", "samples that see the same pixels", together(rng), 1))
    if function == "sample_nearest":
        cases.append(("kink", "samples half-way between pixels", half_way(rng), 1))
    for aspect, says, places, channels in cases:
        arrays, settings = arguments(function, places, channels, variant, rng)
        yield Check(aspect, function, arrays, settings, says, places, shape_only=aspect == "shape")
    if function == "slopes":
        for aspect, places in (("interior", apart(rng, 1, 3, 3)), ("kink", at_pixels(rng))):
            (U, points, V_bar), _ = arguments(function, places, 1, variant, rng)
            yield Check(
                aspect, function, (np.full_like(U, 7.0), points, V_bar), {}, "a constant image", places
            )


def arguments(
    function: str, places: Places, channels: int, variant: Variant, rng: np.random.Generator
) -> tuple[tuple[Array, ...], dict[str, int]]:
    """What the function is called with; image and cotangent are random."""
    axis = -1 if variant.channels_last else 1
    count, rows, columns = places.points.shape[:3]
    U = np.moveaxis(rng.uniform(-1, 1, (count, channels, places.height, places.width)), 1, axis)
    V_bar = np.moveaxis(rng.uniform(-1, 1, (count, channels, rows, columns)), 1, axis)
    if function == "splat":
        return (V_bar, places.points), {"height": places.height, "width": places.width}
    return (U, places.points) if function in SAMPLING else (U, places.points, V_bar), {}


def literal(variant: Variant, rng: np.random.Generator) -> Iterator[Check]:
    """Task 3."""
    yield Check("shape", "kernel", (rng.uniform(-2, 2, (2, 3)),), says="2 times 3 numbers", shape_only=True)
    yield Check("interior", "kernel", (rng.uniform(-0.9, 0.9, 9),), says="distances below 1")
    yield Check("border", "kernel", (np.array([-1e3, -1.7, -1, 1, 1.2, 40]),), says="distances from 1 on")
    yield Check("kink", "kernel", (np.zeros(1),), says="the distance 0")
    for function in ("sample_everywhere", "sample_nearest"):
        yield from checks_of(function, variant, rng)


COMMON = {"shape": 1, "border": 1, "kink": 1, "batch": 1, "channels": 1, "non-square": 1}

TASKS = (
    Task(
        3,
        "Eqs. (3) and (4) to the letter",
        FILE,
        ("kernel", "sample_everywhere", "sample_nearest"),
        {**COMMON, "interior": 4},
        literal,
    ),
    Task(
        4,
        "Eq. (5) from four pixels",
        FILE,
        ("neighbours", "sample"),
        {**COMMON, "interior": 3, "border": 2},
        lambda variant, rng: checks_of("sample", variant, rng),
    ),
    Task(
        5,
        "Eq. (6), the cotangent of the image",
        FILE,
        ("splat",),
        {**COMMON, "interior": 2, "meeting": 2},
        lambda variant, rng: checks_of("splat", variant, rng),
        uses=(4,),
    ),
    Task(
        6,
        "Eq. (7), the cotangent of the points",
        FILE,
        ("slopes",),
        {**COMMON, "interior": 3, "kink": 2},
        lambda variant, rng: checks_of("slopes", variant, rng),
        uses=(4,),
    ),
)
