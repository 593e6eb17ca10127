"""The networks of the tutorials, and small ones for a demonstration."""

from typing import Any

import numpy as np

from ..initialisers import fan_in_uniform
from ..layers import AvgPool2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential, Standardise
from ..spatial_transformer import SpatialTransformer
from .heads import theta_head


def tutorial_network(rng: np.random.Generator, *, transformer: bool = True) -> Sequential:
    """The network of the PyTorch and Gluon tutorials, for 28x28 digits: (N, 1, 28, 28) to (N, 10).

    It standardises its input and begins with small weights, as PyTorch's does: from larger ones theta runs
    away at once at the tutorials' learning rate, and every sample falls outside the image.

    >>> tutorial_network(np.random.default_rng(0)).parameter_count()
    27360
    """
    small: Any = {"rng": rng, "initialiser": fan_in_uniform}
    classifier = Sequential(
        Conv2d(1, 10, 5, **small),
        MaxPool2d(2),
        ReLU(),
        Conv2d(10, 20, 5, **small),
        Dropout(0.5, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Flatten(),
        Linear(320, 50, **small),
        ReLU(),
        Dropout(0.5, rng=rng),
        Linear(50, 10, **small),
    )
    standardise = Standardise(0.1307, 0.3081)  # mean and standard deviation of MNIST's training pixels
    if not transformer:
        return Sequential(standardise=standardise, classifier=classifier)
    localisation = Sequential(
        Conv2d(1, 8, 7, **small),
        MaxPool2d(2),
        ReLU(),
        Conv2d(8, 10, 5, **small),
        MaxPool2d(2),
        ReLU(),
        Flatten(),
        Linear(90, 32, **small),
        ReLU(),
        theta_head(32, rng),
    )
    return Sequential(
        standardise=standardise,
        transformer=SpatialTransformer(localisation, (28, 28)),
        classifier=classifier,
    )


def small_network(rng: np.random.Generator, *, size: int, transformer: bool) -> Sequential:
    """A small CNN or ST-CNN for square digits of any size from 28: (N, 1, size, size) to (N, 10).

    The transformer looks at the picture at half its size and cuts a 28x28 view out of it. At size 42 the two
    have nearly equal parameter counts; these are the networks of ``stn-ref demo``.

    >>> [
    ...     small_network(np.random.default_rng(0), size=42, transformer=transformer).parameter_count()
    ...     for transformer in (False, True)
    ... ]
    [23592, 23519]
    """
    if not transformer:
        return Sequential(classifier=_small_classifier(rng, size, 26))
    seen = ((size // 2 - 4) // 2 - 4 + 1) // 2
    localisation = Sequential(
        AvgPool2d(2),
        Conv2d(1, 8, 5, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Conv2d(8, 16, 5, rng=rng),
        MaxPool2d(2, ceil_mode=True),
        ReLU(),
        Flatten(),
        Linear(16 * seen * seen, 32, rng=rng),
        ReLU(),
        theta_head(32, rng),
    )
    view = SpatialTransformer(localisation, (28, 28))
    return Sequential(transformer=view, classifier=_small_classifier(rng, 28, 31))


def _small_classifier(rng: np.random.Generator, size: int, filters: int) -> Sequential:
    left = ((size - 4) // 2 - 4) // 2
    return Sequential(
        Conv2d(1, 16, 5, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Conv2d(16, filters, 5, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Flatten(),
        Linear(filters * left * left, 10, rng=rng),
    )
