"""The networks of the paper's experiment with volumes: a 2-D CNN, with and without a 3-D transformer.

The paper turns and moves the volume by a 3-D affine transformer, flattens the result along its depth to a
picture, and goes on with 2-D layers. What it leaves open is chosen here:

- Voxels behind one pixel are **summed**, and the sum divided by 8, the thickness of a digit.
- The **CNN** has 5x5 filters, max pooling, 5x5 filters, max pooling and a dense layer.
- The **localisation network** sees means over blocks of voxels, of which at most eight lie along each edge,
  through two dense layers of 32. The transformer's output has the size of its input.
- The filters of the ST-CNN are fewer, so that both networks have as many parameters.
"""

from functools import cache

import numpy as np

from ..layers import Conv2d, Flatten, FlattenDepth, Linear, MaxPool2d, ReLU, Sequential, Standardise
from ..spatial_transformer import SpatialTransformer
from .digits import matching_width
from .heads import theta_head

__all__ = ["VOLUME_NETWORKS", "volume_network"]

VOLUME_NETWORKS = {"CNN": False, "ST-CNN": True}  # whether there is a transformer
WIDTH = 32  # filters of the CNN
UNITS = 32
BLOCKS = 8  # along an edge, at most
THICKNESS = 8.0


def volume_network(
    name: str, rng: np.random.Generator, *, size: int, classes: int = 10, width: int | None = None
) -> Sequential:
    """A network by its name in :data:`VOLUME_NETWORKS`: (N, 1, size, size, size) to (N, classes).

    ``width`` is the number of filters; if None, such that both networks have equally many parameters, as
    nearly as whole numbers go.

    >>> network = volume_network("ST-CNN", np.random.default_rng(0), size=32)
    >>> network(np.zeros((2, 1, 32, 32, 32), np.float32)).shape
    (2, 10)
    """
    if width is None:
        width = _matching(size, classes) if VOLUME_NETWORKS[name] else WIDTH
    return _build(VOLUME_NETWORKS[name], rng, size, classes, width)


@cache
def _matching(size: int, classes: int) -> int:
    rng = np.random.default_rng(0)  # the numbers do not matter here
    alone = _build(False, rng, size, classes, WIDTH).parameter_count()
    return matching_width(lambda width: _build(True, rng, size, classes, width), alone)


def _build(transformer: bool, rng: np.random.Generator, size: int, classes: int, width: int) -> Sequential:
    left = ((size - 4) // 2 - 4) // 2
    behind = Sequential(
        Conv2d(1, width, 5, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Conv2d(width, width, 5, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Flatten(),
        Linear(left * left * width, classes, rng=rng),
    )
    seen = {"flatten": FlattenDepth(), "scale": Standardise(0.0, THICKNESS), "classifier": behind}
    if not transformer:
        return Sequential(**seen)
    block = next(n for n in range(1, size + 1) if size % n == 0 and size // n <= BLOCKS)
    localisation = Sequential(
        Flatten(),
        Linear((size // block) ** 3, UNITS, rng=rng),
        ReLU(),
        Linear(UNITS, UNITS, rng=rng),
        ReLU(),
        theta_head(UNITS, rng, d=3),
    )
    return Sequential(transformer=SpatialTransformer(localisation, downsample=block), **seen)
