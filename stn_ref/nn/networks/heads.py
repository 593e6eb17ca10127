"""The last layer of a localisation network, and who learns more slowly because of it."""

from typing import Any

import numpy as np

from ...ops.transformation import as_transformation
from ..initialisers import identity_transform
from ..layers import Linear
from ..module import Module
from ..spatial_transformer import SpatialTransformer


def theta_head(
    inputs: int, rng: np.random.Generator, transformation: Any = "affine", *, d: int = 2
) -> Linear:
    """A dense layer that gives the identity of the transformation, whatever it sees, until it has learnt.

    ``d`` is the number of spatial dimensions, 2 or 3.

    >>> theta_head(20, np.random.default_rng(0), "projective").bias.data
    array([1., 0., 0., 0., 1., 0., 0., 0.], dtype=float32)
    """
    kind = as_transformation("theta_head", transformation)
    head = Linear(inputs, kind.parameters((1,) * d), rng=rng)
    identity_transform(head, kind)
    return head


def localisation_prefixes(model: Module) -> list[str]:
    """The dotted names of all localisation networks, as an optimiser's ``multipliers`` take them.

    >>> from stn_ref.nn.networks import tutorial_network
    >>> localisation_prefixes(tutorial_network(np.random.default_rng(0)))
    ['transformer.localisation']
    """
    return [
        f"{prefix}localisation"
        for prefix, module in model.modules()
        if isinstance(module, SpatialTransformer)
    ]
