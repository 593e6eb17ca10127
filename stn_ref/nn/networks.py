"""The networks of the experiments."""

import numpy as np

from .initialisers import identity_transform
from .layers import AvgPool2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential
from .module import Module
from .spatial_transformer import SpatialTransformer


def _theta_head(inputs: int, rng: np.random.Generator) -> Linear:
    head = Linear(inputs, 6, rng=rng)
    identity_transform(head)
    return head


def tutorial_network(rng: np.random.Generator, *, transformer: bool = True) -> Sequential:
    """The network of the PyTorch and Gluon tutorials, for 28x28 digits: (N, 1, 28, 28) to (N, 10).

    >>> tutorial_network(np.random.default_rng(0)).parameter_count()
    27360
    """
    classifier = Sequential(
        Conv2d(1, 10, 5, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Conv2d(10, 20, 5, rng=rng),
        Dropout(0.5, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Flatten(),
        Linear(320, 50, rng=rng),
        ReLU(),
        Dropout(0.5, rng=rng),
        Linear(50, 10, rng=rng),
    )
    if not transformer:
        return Sequential(classifier=classifier)
    localisation = Sequential(
        Conv2d(1, 8, 7, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Conv2d(8, 10, 5, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Flatten(),
        Linear(90, 32, rng=rng),
        ReLU(),
        _theta_head(32, rng),
    )
    return Sequential(transformer=SpatialTransformer(localisation, (28, 28)), classifier=classifier)


def paper_network(rng: np.random.Generator, *, filters: int = 32, transformer: bool = False) -> Sequential:
    """The paper's CNN for 28x28 digits, or its ST-CNN with an affine transformer: (N, 1, 28, 28) to (N, 10).

    Equal parameter counts: the CNN with 32 filters, the ST-CNN with 28.

    >>> paper_network(np.random.default_rng(0)).parameter_count()
    54122
    >>> paper_network(np.random.default_rng(0), filters=28, transformer=True).parameter_count()
    52956
    """
    classifier = Sequential(
        Conv2d(1, filters, 9, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Conv2d(filters, filters, 7, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Flatten(),
        Linear(4 * filters, 10, rng=rng),
    )
    if not transformer:
        return Sequential(classifier=classifier)
    localisation = Sequential(
        AvgPool2d(2),
        Conv2d(1, 20, 5, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Conv2d(20, 20, 5, rng=rng),
        ReLU(),
        Flatten(),
        Linear(20, 20, rng=rng),
        ReLU(),
        _theta_head(20, rng),
    )
    return Sequential(transformer=SpatialTransformer(localisation, (28, 28)), classifier=classifier)


def _demo_classifier(size: int, first: int, second: int, rng: np.random.Generator) -> Sequential:
    after = (((size - 4) // 2) - 4) // 2
    return Sequential(
        Conv2d(1, first, 5, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Conv2d(first, second, 5, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Flatten(),
        Linear(second * after * after, 10, rng=rng),
    )


def demo_networks(seed: int) -> dict[str, Module]:
    """A CNN and an ST-CNN of nearly equal parameter count, for digits under RTS: (N, 1, 42, 42) to (N, 10).

    >>> {name: network.parameter_count() for name, network in demo_networks(0).items()}
    {'CNN': 23592, 'ST-CNN': 23519}
    """
    cnn = _demo_classifier(42, 16, 26, np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    localisation = Sequential(
        AvgPool2d(2),
        Conv2d(1, 8, 5, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Conv2d(8, 16, 5, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Flatten(),
        Linear(64, 32, rng=rng),
        ReLU(),
        _theta_head(32, rng),
    )
    transformer = SpatialTransformer(localisation, (28, 28))
    return {
        "CNN": Sequential(classifier=cnn),
        "ST-CNN": Sequential(transformer=transformer, classifier=_demo_classifier(28, 16, 31, rng)),
    }
