"""The networks of the paper's bird experiment, small: a CNN, and transformers side by side before such CNNs.

Each of N transformers cuts out of the image a square of half its width, at a place (x, y) that it chooses, as
many pixels as lie there; a CNN of its own describes what it took, the descriptions are joined, and a dense
layer chooses the class. In the paper that CNN is an Inception network trained before on a million images, and
the localisation network is another one; here both are small and begin with chance. Chosen here:

- A **description** of w numbers comes from four layers of filters, 5x5 and then 3x3, w/6, w/3, 2w/3 and w of
  them, each with a max pooling and a ReLU, and is the mean over what is left of the image.
- The **CNN** without transformers describes the whole image, at its full resolution.
- A **localisation network** sees means over 4x4 pixels, through two layers of 8 5x5 filters and 32 dense
  units; each transformer has its own.
- At first the transformers tile the image: two its left and right middle, four its quarters.
- The w of the networks with transformers are such that all have as many parameters as the CNN.
"""

from functools import cache

import numpy as np

from ...ops.affine import Attention
from ..layers import AvgPool2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential
from ..module import Module
from ..spatial_transformer import Parallel, SpatialTransformer
from .digits import matching_width
from .heads import theta_head

__all__ = ["BIRD_NETWORKS", "bird_network"]

SHARE = 0.5  # of the image's width, that a transformer takes
BLOCK = 4
UNITS = 32
WIDTH = 96  # w of the CNN
FIRST_PLACES = {
    0: (),
    2: ((-0.5, 0.0), (0.5, 0.0)),
    4: ((-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)),
}
BIRD_NETWORKS = {"CNN": 0, "2xST-CNN": 2, "4xST-CNN": 4}  # how many transformers


def bird_network(
    name: str, rng: np.random.Generator, *, size: int, classes: int, width: int | None = None
) -> Module:
    """A network by its name in :data:`BIRD_NETWORKS`: (N, 3, size, size) to (N, classes).

    ``size`` is a multiple of 32, from 64; ``width`` is w, by default such that the counts of parameters
    are nearly equal.

    >>> network = bird_network("2xST-CNN", np.random.default_rng(0), size=64, classes=5)
    >>> network(np.zeros((3, 3, 64, 64), np.float32)).shape
    (3, 5)
    """
    transformers = BIRD_NETWORKS[name]
    return _build(transformers, rng, size, classes, width or _width(transformers, size, classes))


@cache
def _width(transformers: int, size: int, classes: int) -> int:
    if not transformers:
        return WIDTH
    rng = np.random.default_rng(0)  # the numbers do not matter here
    alone = _build(0, rng, size, classes, WIDTH).parameter_count()
    return matching_width(lambda width: _build(transformers, rng, size, classes, width), alone)


def _build(transformers: int, rng: np.random.Generator, size: int, classes: int, width: int) -> Module:
    seen = int(SHARE * size)
    views = [
        Sequential(transformer=_view(place, size, seen, rng), description=_description(seen, width, rng))
        for place in FIRST_PLACES[transformers]
    ]
    described: Module = Parallel(*views) if views else _description(size, width, rng)
    classifier = Linear(width * max(1, transformers), classes, rng=rng)
    return Sequential(described=described, classifier=classifier)


def _view(place: tuple[float, float], size: int, seen: int, rng: np.random.Generator) -> SpatialTransformer:
    left = (size // BLOCK - 4) // 2 - 4
    attention = Attention(fixed=SHARE)
    head = theta_head(UNITS, rng, attention)
    head.bias.data = np.array(place, head.bias.dtype)
    localisation = Sequential(
        Conv2d(3, 8, 5, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Conv2d(8, 8, 5, rng=rng),
        ReLU(),
        Flatten(),
        Linear(8 * left * left, UNITS, rng=rng),
        ReLU(),
        head,
    )
    return SpatialTransformer(localisation, (seen, seen), transformation=attention, downsample=BLOCK)


def _description(size: int, width: int, rng: np.random.Generator) -> Sequential:
    filters = (3, *(-(-width * part // 6) for part in (1, 2, 4, 6)))
    layers: list[Module] = []
    for kernel, inputs, outputs in zip((5, 3, 3, 3), filters, filters[1:]):
        layers += [
            Conv2d(inputs, outputs, kernel, padding=kernel // 2, rng=rng),
            MaxPool2d(2),
            ReLU(),
        ]
    return Sequential(*layers, AvgPool2d(size // 16), Flatten())
