"""`Module`: something with parameters and a forward pass."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autograd.tensor import Tensor, Value

Array = NDArray[Any]


class Module:
    """The base of layers and networks.

    Subclasses assign tensors (their parameters), generators of random numbers and other modules as
    attributes, or lists of them, and define ``forward``. Names follow the attributes, joined by dots. A
    parameter with ``requires_grad=False`` is frozen: it is saved and counted, and not learnt.

    >>> class Scale(Module):
    ...     def __init__(self):
    ...         self.factor = Tensor(np.ones(3), requires_grad=True)
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> [(name, p.shape) for name, p in Scale().named_parameters()]
    [('factor', (3,))]
    """

    training = True

    def forward(self, x: Value) -> Value:
        """The output for input ``x``; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__}: define forward(self, x)")

    def __call__(self, x: Value) -> Value:
        return self.forward(x)

    def children(self) -> Iterator[tuple[str, "Module"]]:
        """The modules among the attributes, with their names."""
        return ((name, value) for name, value in self._attributes() if isinstance(value, Module))

    def _attributes(self) -> Iterator[tuple[str, Any]]:
        """Attributes by name; the elements of lists, tuples and dicts by ``name.0`` and so on."""
        return _unpacked(vars(self).items())

    def modules(self, prefix: str = "") -> Iterator[tuple[str, "Module"]]:
        """This module and all below it, with dotted names; the prefix ends in a dot where it is not empty."""
        yield prefix, self
        for name, child in self.children():
            yield from child.modules(f"{prefix}{name}.")

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """All parameters with their dotted names, each once, in the order of assignment."""
        seen: set[int] = set()
        names: set[str] = set()
        for prefix, module in self.modules():
            for name, value in module._attributes():
                if isinstance(value, Tensor) and not value._made_here and id(value) not in seen:
                    if prefix + name in names:
                        raise ValueError(f"{type(self).__name__}: two parameters are named {prefix + name!r}")
                    seen.add(id(value))
                    names.add(prefix + name)
                    yield prefix + name, value

    def parameters(self) -> list[Tensor]:
        """All parameters."""
        return [p for _, p in self.named_parameters()]

    def named_generators(self) -> Iterator[tuple[str, np.random.Generator]]:
        """The random generators that the modules draw from; a checkpoint keeps their states."""
        for prefix, module in self.modules():
            for name, value in module._attributes():
                if isinstance(value, np.random.Generator):
                    yield prefix + name, value

    def parameter_count(self) -> int:
        """The number of numbers in all parameters."""
        return sum(p.size for p in self.parameters())

    def zero_grad(self) -> None:
        """Forget all accumulated gradients."""
        for p in self.parameters():
            p.zero_grad()

    def train(self, training: bool = True) -> "Module":
        """Switch layers such as dropout on (or off); returns the module."""
        for _, module in self.modules():
            module.training = training
        return self

    def eval(self) -> "Module":
        """The same as ``train(False)``."""
        return self.train(False)

    def state_dict(self) -> dict[str, Array]:
        """Copies of all parameters by name."""
        return {name: p.data.copy() for name, p in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Take over parameters by name.

        Raises
        ------
        ValueError
            If names, shapes or dtypes differ; then nothing is changed.
        """
        own = dict(self.named_parameters())
        missing, unknown = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
        if missing or unknown:
            raise ValueError(
                f"load_state_dict: missing {missing or 'nothing'}, unknown {unknown or 'nothing'}; "
                "the state is of another network"
            )
        for name, p in own.items():
            if state[name].shape != p.shape or state[name].dtype != p.dtype:
                raise ValueError(
                    f"load_state_dict: {name} has shape {state[name].shape} and dtype {state[name].dtype}, "
                    f"expected {p.shape} and {p.dtype}"
                )
        for name, p in own.items():
            p.data = np.array(state[name])


def _unpacked(items: Iterable[tuple[Any, Any]], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Names and values, with those inside lists, tuples and dicts as ``name.0`` and so on, to any depth."""
    for name, value in items:
        if isinstance(value, (list, tuple)):
            yield from _unpacked(enumerate(value), f"{prefix}{name}.")
        elif isinstance(value, dict):
            yield from _unpacked(value.items(), f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
