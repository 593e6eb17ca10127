"""The networks of the paper's digit experiments: FCN, CNN, and both behind spatial transformers.

What the paper leaves open is chosen here:

- The **FCN** has two hidden layers of equal width. The **CNN** has 9x9 filters, max pooling, 7x7 filters, max
  pooling and a dense layer: three layers with weights, like the FCN.
- The localisation network of an **ST-FCN** has two dense layers of 32, that of an **ST-CNN** sees the image
  at half its size through two layers of 20 5x5 filters and a dense layer of 20; then comes theta.
- A classifier behind a transformer sees 28x28 pixels. Of a larger image the transformer takes 56x56 samples,
  which are averaged two by two, as the paper does against aliasing; a whole image of 42x42, halved by the
  transformer itself, would leave the 7x7 filters nothing to stand on.
- **2xST** is two transformers side by side; each looks at and warps all channels, and the classifier gets
  both results as channels.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ..layers import AvgPool2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential
from ..module import Module
from ..spatial_transformer import Parallel, SpatialTransformer
from .heads import theta_head

__all__ = ["DIGIT_NETWORKS", "Kind", "Task", "digit_network", "matching_width", "paper_network"]

VIEW = 28


class Kind(NamedTuple):
    """A base, "FCN" or "CNN", and how many transformers of which transformation stand before it."""

    base: str
    transformation: str = "affine"
    transformers: int = 0


class Task(NamedTuple):
    """What a network is given, square images, and from how many classes it has to choose."""

    size: int = 28
    channels: int = 1
    classes: int = 10


DIGITS = Task()
DIGIT_NETWORKS = (
    {base: Kind(base) for base in ("FCN", "CNN")}
    | {
        f"ST-{base} {short}": Kind(base, transformation, 1)
        for base in ("FCN", "CNN")
        for short, transformation in (
            ("Aff", "affine"),
            ("Proj", "projective"),
            ("TPS", "thin-plate-spline"),
        )
    }
    | {"2xST-FCN Aff": Kind("FCN", "affine", 2)}
)
WIDTHS = {"FCN": 128, "CNN": 32}  # hidden numbers or filters, of the networks without a transformer


def digit_network(
    name: str, rng: np.random.Generator, task: Task = DIGITS, *, width: int | None = None
) -> Module:
    """A network by its name in :data:`DIGIT_NETWORKS`: (N, channels, size, size) to (N, classes).

    Parameters
    ----------
    name : str
    rng : numpy.random.Generator
        For the initial weights.
    task : Task
    width : int or None
        Hidden numbers of an FCN, filters of a CNN; if None, such that the network has as many parameters as
        that of its base without transformer, as nearly as whole numbers go.

    >>> network = digit_network("ST-CNN TPS", np.random.default_rng(0), Task(42))
    >>> network(np.zeros((2, 1, 42, 42), np.float32)).shape
    (2, 10)
    """
    kind = DIGIT_NETWORKS[name]
    return _build(kind, rng, task, width or _width(kind, task))


def paper_network(rng: np.random.Generator, *, filters: int = 32, transformer: bool = False) -> Module:
    """The paper's CNN for 28x28 digits, or its ST-CNN with an affine transformer: (N, 1, 28, 28) to (N, 10).

    Equal parameter counts: the CNN with 32 filters, the ST-CNN with 28.

    >>> paper_network(np.random.default_rng(0)).parameter_count()
    54122
    >>> paper_network(np.random.default_rng(0), filters=28, transformer=True).parameter_count()
    52956
    """
    return digit_network("ST-CNN Aff" if transformer else "CNN", rng, width=filters)


def matching_width(build: Callable[[int], Module], parameters: int) -> int:
    """The width, from 1, with which ``build(width)`` has the count of parameters nearest to ``parameters``.

    >>> from stn_ref.nn import Linear
    >>> matching_width(lambda width: Linear(9, width, rng=np.random.default_rng(0)), 104)
    10
    """
    widest = 1
    while build(widest).parameter_count() < parameters:
        widest *= 2
    narrowest = widest // 2
    while widest - narrowest > 1:
        middle = (narrowest + widest) // 2
        if build(middle).parameter_count() < parameters:
            narrowest = middle
        else:
            widest = middle
    return min(
        (width for width in (narrowest, widest) if width),
        key=lambda width: abs(build(width).parameter_count() - parameters),
    )


@cache
def _width(kind: Kind, task: Task) -> int:
    width = WIDTHS[kind.base]
    if not kind.transformers:
        return width
    rng = np.random.default_rng(0)  # the numbers do not matter here
    alone = _build(Kind(kind.base), rng, task, width).parameter_count()
    return matching_width(lambda width: _build(kind, rng, task, width), alone)


def _build(kind: Kind, rng: np.random.Generator, task: Task, width: int) -> Module:
    classifier = CLASSIFIERS[kind.base]
    if not kind.transformers:
        return Sequential(classifier=classifier(task, width, rng))
    # The classifier first, so that its weights are the same with any transformation.
    seen = Task(VIEW, task.channels * kind.transformers, task.classes)
    behind = classifier(seen, width, rng)
    transformers = [
        SpatialTransformer(
            LOCALISATIONS[kind.base](task, kind.transformation, rng),
            (VIEW, VIEW) if task.size == VIEW else (2 * VIEW, 2 * VIEW),
            transformation=kind.transformation,
        )
        for _ in range(kind.transformers)
    ]
    parts: dict[str, Module] = {
        "transformer": transformers[0] if len(transformers) == 1 else Parallel(*transformers)
    }
    if task.size != VIEW:
        parts["pool"] = AvgPool2d(2)
    return Sequential(**parts, classifier=behind)


def _fcn(task: Task, hidden: int, rng: np.random.Generator) -> Sequential:
    return Sequential(
        Flatten(),
        Linear(task.channels * task.size**2, hidden, rng=rng),
        ReLU(),
        Linear(hidden, hidden, rng=rng),
        ReLU(),
        Linear(hidden, task.classes, rng=rng),
    )


def _cnn(task: Task, filters: int, rng: np.random.Generator) -> Sequential:
    left = ((task.size - 8) // 2 - 6) // 2
    return Sequential(
        Conv2d(task.channels, filters, 9, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Conv2d(filters, filters, 7, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Flatten(),
        Linear(left * left * filters, task.classes, rng=rng),
    )


def _dense_localisation(task: Task, transformation: Any, rng: np.random.Generator) -> Sequential:
    return Sequential(
        Flatten(),
        Linear(task.channels * task.size**2, 32, rng=rng),
        ReLU(),
        Linear(32, 32, rng=rng),
        ReLU(),
        theta_head(32, rng, transformation),
    )


def _convolutional_localisation(task: Task, transformation: Any, rng: np.random.Generator) -> Sequential:
    left = (task.size // 2 - 4) // 2 - 4
    return Sequential(
        AvgPool2d(2),
        Conv2d(task.channels, 20, 5, rng=rng),
        MaxPool2d(2),
        ReLU(),
        Conv2d(20, 20, 5, rng=rng),
        ReLU(),
        Flatten(),
        Linear(20 * left * left, 20, rng=rng),
        ReLU(),
        theta_head(20, rng, transformation),
    )


CLASSIFIERS = {"FCN": _fcn, "CNN": _cnn}
LOCALISATIONS = {"FCN": _dense_localisation, "CNN": _convolutional_localisation}
