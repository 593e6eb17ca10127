"""A network as a function of its input and its parameters, for a gradient check."""

from stn_ref.nn import Module


def as_function(network: Module, rng):
    """``f(x, *values)``, and values for it: the network's own, moved away from the identity, whose samples
    lie on kinks."""
    for _, p in network.named_parameters():
        p.data = p.data + 0.05 * rng.standard_normal(p.shape)
    parameters = network.parameters()
    places = [(m, at) for _, m in network.modules() for at in ("weight", "bias") if at in vars(m)]

    def f(x, *values):
        for (module, attribute), value in zip(places, values):
            setattr(module, attribute, value)
        try:
            return network(x)
        finally:
            for (module, attribute), p in zip(places, parameters):
                setattr(module, attribute, p)

    return f, [p.data for p in parameters]
