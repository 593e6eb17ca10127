"""The networks of the paper's house numbers: a CNN, and the same with one transformer or with four.

Eight layers of 5x5 filters that keep the size of what they see, four poolings, three dense layers, and
five heads, each of which chooses among eleven classes: ten digits, and that the number has no digit there.
**Single** has a transformer before the first convolution, **Multi** one before each of the first four, the
later of which move feature maps. :data:`PAPER` has the widths of the paper, :data:`EIGHTH` those of networks
that can be trained on one processor. What the paper leaves open is chosen here:

- Behind a convolution comes the pooling, if there is one, then the ReLU. There is no dropout.
- The five heads are one dense layer, of which the results are taken in five parts.
- An image larger than 64x64 is pooled by more than 2 after the first convolution, so that the maps behind are
  of one size: the whole network costs little more, and it is for the transformers to look closer.
- In the reduced networks a localisation network sees means over blocks, so that it is small beside what
  stands behind it; none has less than 32 dense units.
"""

from typing import NamedTuple

import numpy as np

from ...autograd.tensor import Value
from ...ops import reshape
from ..layers import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential
from ..module import Module
from ..spatial_transformer import SpatialTransformer
from .digits import matching_width
from .heads import theta_head

__all__ = ["EIGHTH", "NUMBER_NETWORKS", "PAPER", "FiveHeads", "NumberTask", "Widths", "number_network"]

POSITIONS, CLASSES = 5, 11
POOLED = (0, 2, 4, 6)  # the convolutions with a pooling behind them
UNITS = 32  # of a localisation network's dense layers
NUMBER_NETWORKS = {"CNN": 0, "ST-CNN Single": 1, "ST-CNN Multi": 4}  # how many transformers


class Widths(NamedTuple):
    """How wide a network is.

    ``filters`` of the eight convolutions, ``dense`` units of three layers, ``localisation`` filters of a
    convolutional localisation network; ``block``, how many pixels of a 64x64 image, in each direction, of
    which a localisation network sees the mean.
    """

    filters: tuple[int, ...]
    dense: int
    localisation: int
    block: int


PAPER = Widths((48, 64, 128, 160, 192, 192, 192, 192), 3072, 32, 1)
EIGHTH = Widths(tuple(n // 8 for n in PAPER.filters), PAPER.dense // 8, 8, 2)


class NumberTask(NamedTuple):
    """What a network is given: square images, of 32, 64, 128, ... pixels."""

    size: int = 64
    channels: int = 1


class FiveHeads(Module):
    """(N, inputs) to (N, 5, 11): for each position of a number, eleven classes.

    >>> FiveHeads(8, np.random.default_rng(0))(np.zeros((2, 8), np.float32)).shape
    (2, 5, 11)
    """

    def __init__(self, inputs: int, rng: np.random.Generator) -> None:
        self.dense = Linear(inputs, POSITIONS * CLASSES, rng=rng)

    def forward(self, x: Value) -> Value:
        return reshape(self.dense(x), shape=(x.shape[0], POSITIONS, CLASSES))


def number_network(
    name: str, rng: np.random.Generator, task: NumberTask, widths: Widths, *, matched: bool = False
) -> Module:
    """A network by its name in :data:`NUMBER_NETWORKS`: (N, channels, size, size) to (N, 5, 11).

    With ``matched`` its dense layers are as much narrower as its localisation networks cost, so that it has
    as many parameters as the CNN of these widths, as nearly as whole numbers go.

    >>> small = Widths((2,) * 8, 16, 4, 2)
    >>> network = number_network("ST-CNN Multi", np.random.default_rng(0), NumberTask(64), small)
    >>> network(np.zeros((3, 1, 64, 64), np.float32)).shape
    (3, 5, 11)
    """
    transformers = NUMBER_NETWORKS[name]
    if matched and transformers:
        some = np.random.default_rng(0)  # the numbers do not matter here
        alone = _build(0, some, task, widths).parameter_count()
        dense = matching_width(
            lambda dense: _build(transformers, some, task, widths._replace(dense=dense)), alone
        )
        widths = widths._replace(dense=dense)
    return _build(transformers, rng, task, widths)


def _build(transformers: int, rng: np.random.Generator, task: NumberTask, widths: Widths) -> Module:
    inputs = (task.channels, *widths.filters)
    # These first, so that they begin alike in all three networks.
    convolutions = [Conv2d(*pair, 5, padding=2, rng=rng) for pair in zip(inputs, widths.filters)]
    first_pool = 2 * max(1, task.size // 64)
    parts: dict[str, Module] = {}
    size = task.size
    for i, convolution in enumerate(convolutions):
        if i < transformers:
            block = widths.block * (first_pool // 2 if i == 0 else 1)
            seen = size // block
            if transformers == 1:
                localisation = _see_image(inputs[i], seen, widths.localisation, rng)
            else:
                localisation = _see_maps(inputs[i], seen, rng)
            parts[f"transformer{i + 1}"] = SpatialTransformer(localisation, downsample=block)
        parts[f"conv{i + 1}"] = convolution
        if i in POOLED:
            pool = 2 if i else first_pool
            parts[f"pool{i + 1}"] = MaxPool2d(pool)
            size //= pool
        parts[f"relu{i + 1}"] = ReLU()
    return Sequential(**parts, flatten=Flatten(), **_dense(inputs[-1] * size * size, widths.dense, rng))


def _dense(inputs: int, width: int, rng: np.random.Generator) -> dict[str, Module]:
    parts: dict[str, Module] = {}
    for i, n in enumerate((inputs, width, width), start=1):
        parts |= {f"dense{i}": Linear(n, width, rng=rng), f"dense_relu{i}": ReLU()}
    return {**parts, "heads": FiveHeads(width, rng)}


def _see_image(channels: int, size: int, filters: int, rng: np.random.Generator) -> Sequential:
    """The localisation network of Single."""
    return Sequential(
        Conv2d(channels, filters, 5, padding=2, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Conv2d(filters, filters, 5, padding=2, rng=rng),
        ReLU(),
        _see_maps(filters, size // 2, rng),
    )


def _see_maps(channels: int, size: int, rng: np.random.Generator) -> Sequential:
    """A localisation network of Multi."""
    return Sequential(
        Flatten(),
        Linear(channels * size * size, UNITS, rng=rng),
        ReLU(),
        Linear(UNITS, UNITS, rng=rng),
        ReLU(),
        theta_head(UNITS, rng),
    )
