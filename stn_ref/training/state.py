"""Everything that decides how training goes on: parameters, optimiser, random generators.

`State.of` takes a picture of it, `State.restore` goes back to it. The training loop does so in memory, to
undo a step; a checkpoint does so through a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from ..nn import Module, Optimiser

__all__ = ["State"]

Array = NDArray[Any]


@dataclass(frozen=True)
class State:
    """A picture of a model and its optimiser, in copies.

    ``parameters``: arrays by dotted name. ``generators``: the ``bit_generator.state`` of every generator that
    the model draws from, by dotted name. ``optimiser``: the name of its class, or "" if there is none;
    ``steps`` and ``averages``: its step count and running averages.

    >>> import numpy as np
    >>> from stn_ref.nn import SGD, Linear
    >>> model = Linear(2, 1, rng=np.random.default_rng(0))
    >>> optimiser = SGD(model.named_parameters(), lr=0.1)
    >>> before = State.of(model, optimiser)
    >>> model.bias.data = model.bias.data + 1
    >>> before.restore(model, optimiser); model.bias.data
    array([0.], dtype=float32)
    """

    parameters: Mapping[str, Array]
    generators: Mapping[str, Mapping[str, Any]]
    optimiser: str = ""
    steps: int = 0
    averages: Mapping[str, Array] | None = None

    @classmethod
    def of(cls, model: Module, optimiser: Optimiser | None = None) -> "State":
        """The state now."""
        generators = {name: dict(rng.bit_generator.state) for name, rng in model.named_generators()}
        if optimiser is None:
            return cls(model.state_dict(), generators)
        kept = optimiser.state_dict()
        return cls(model.state_dict(), generators, type(optimiser).__name__, kept["steps"], kept["state"])

    def differences(self, model: Module, optimiser: Optimiser | None = None) -> list[str]:
        """Why this state is not one of ``model`` and ``optimiser``: one line per field, none if it is."""
        found = _compare("array model/", _kinds(self.parameters), _kinds(model.state_dict()))
        here = {name: rng.bit_generator.state["bit_generator"] for name, rng in model.named_generators()}
        saved = {name: state.get("bit_generator") for name, state in self.generators.items()}
        found += _compare("generator ", saved, here)
        if optimiser is None:
            return found
        name = type(optimiser).__name__
        if self.optimiser != name:
            return [*found, f"optimiser is {self.optimiser or 'none'}, here it is {name}"]
        shapes = {key: p.shape for key, p in optimiser.parameters.items()}
        for key, average in (self.averages or {}).items():
            owner = key if key in shapes else key.rpartition("/")[0]
            if shapes.get(owner) != average.shape and not (owner in shapes and key.endswith("/count")):
                there = shapes.get(owner, "not learnt")
                found.append(f"array optimiser/{key} has shape {average.shape}, here {owner} is {there}")
        return found

    def restore(self, model: Module, optimiser: Optimiser | None = None) -> None:
        """Go back to this state.

        Raises
        ------
        ValueError
            If it is not a state of this model and optimiser; then nothing is changed.
        """
        found = self.differences(model, optimiser)
        if found:
            raise ValueError("; ".join(found))
        model.load_state_dict(self.parameters)
        for name, rng in model.named_generators():
            rng.bit_generator.state = self.generators[name]
        if optimiser is not None:
            optimiser.load_state_dict({"steps": self.steps, "state": self.averages or {}})
        model.zero_grad()


def _kinds(arrays: Mapping[str, Array]) -> dict[str, str]:
    return {name: f"{array.dtype} {array.shape}" for name, array in arrays.items()}


def _compare(what: str, saved: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """One line for each name that only one side has, or whose values differ."""
    found = [f"{what}{name} is missing" for name in here if name not in saved]
    found += [f"{what}{name} is unknown to this network" for name in saved if name not in here]
    return found + [
        f"{what}{name} is {saved[name]}, here it is {here[name]}"
        for name in here
        if name in saved and saved[name] != here[name]
    ]
