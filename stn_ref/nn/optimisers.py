"""Gradient descent. An update binds a new array to each parameter; no saved array changes under the tape."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autograd.tensor import Tensor

Array = NDArray[Any]
Schedule = Callable[[int], float]  # from the step, counted from 0, to a factor of the learning rate


class Optimiser:
    """What SGD and Adam share.

    Parameters
    ----------
    parameters : iterable of (name, Tensor)
        As :meth:`Module.named_parameters` gives them.
    lr : float
        The learning rate.
    multipliers : mapping from a name's beginning to a factor
        For instance ``{"transformer.localisation": 0.1}`` slows a localisation network down; the longest
        beginning that fits counts. A beginning ends where a dot stands: "net.1" is not one of "net.10.bias".
    schedule : callable
        From the step, counted from 0, to a factor of the learning rate.

    Raises
    ------
    ValueError
        If there is nothing to learn, the learning rate is not positive, or a multiplier fits no parameter.

    A method of one's own defines ``update``:

    >>> class SignDescent(Optimiser):
    ...     def update(self, name, gradient, rate):
    ...         return rate * np.sign(gradient)
    >>> p = Tensor(np.array([1.0, -3.0]), requires_grad=True)
    >>> optimiser = SignDescent([("p", p)], lr=0.5)
    >>> (p * p).sum().backward(); optimiser.step(); p.data
    array([ 0.5, -2.5])
    """

    def __init__(
        self,
        parameters: Iterable[tuple[str, Tensor]],
        lr: float,
        *,
        multipliers: Mapping[str, float] | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        self.parameters = _named(type(self).__name__, parameters)
        # A Python float: a NumPy scalar would turn float32 parameters into float64.
        self.lr, self.schedule, self.steps = float(lr), schedule or constant(), 0
        name = type(self).__name__
        if not self.parameters:
            raise ValueError(f"{name}: there are no parameters; pass model.named_parameters()")
        if not lr > 0:
            raise ValueError(f"{name}: lr is {lr!r}, expected a positive number")
        multipliers = multipliers or {}
        for prefix in multipliers:
            if not any(_begins(key, prefix) for key in self.parameters):
                raise ValueError(
                    f"{name}: multiplier {prefix!r} fits no parameter; the names are {list(self.parameters)}"
                )
        self.multipliers = {
            key: float(multipliers[max(fits, key=len)])
            if (fits := [prefix for prefix in multipliers if _begins(key, prefix)])
            else 1.0
            for key in self.parameters
        }
        self.state: dict[str, Array] = {}

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for p in self.parameters.values():
            p.zero_grad()

    @property
    def rate(self) -> float:
        """The learning rate of the next update, without multipliers."""
        return self.lr * float(self.schedule(self.steps))

    def step(self) -> None:
        """One update of every parameter that has a gradient; dtypes stay, and memory is in C order."""
        rate = self.rate
        self.steps += 1
        for name, p in self.parameters.items():
            if p.grad is not None and p.requires_grad:
                change = self.update(name, p.grad, rate * self.multipliers[name])
                p.data = np.asarray(p.data - change, dtype=p.dtype, order="C")

    def update(self, name: str, gradient: Array, rate: float) -> Array:
        """What to subtract from parameter ``name``."""
        raise NotImplementedError

    def kept(self, key: str, like: Array) -> Array:
        """A running average, zeros at first."""
        return self.state.get(key, np.zeros_like(like))

    def state_dict(self) -> dict[str, Any]:
        """The step count and the running averages."""
        return {"steps": self.steps, "state": {key: value.copy() for key, value in self.state.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a :meth:`state_dict`."""
        self.steps = int(state["steps"])
        self.state = {key: np.array(value) for key, value in state["state"].items()}


def _begins(name: str, prefix: str) -> bool:
    """Whether ``prefix`` is a beginning of a dotted name, in whole parts; "" begins every name."""
    return not prefix or f"{name}.".startswith(f"{prefix.rstrip('.')}.")


class SGD(Optimiser):
    """Stochastic gradient descent with momentum: v = momentum v + g, p = p - lr v.

    >>> p = Tensor(np.array([1.0]), requires_grad=True)
    >>> optimiser = SGD([("p", p)], lr=0.5)
    >>> (p * p).sum().backward(); optimiser.step(); p.data
    array([0.])
    """

    def __init__(
        self, parameters: Iterable[tuple[str, Tensor]], lr: float, *, momentum: float = 0.0, **settings: Any
    ) -> None:
        super().__init__(parameters, lr, **settings)
        if not 0 <= momentum < 1:
            raise ValueError(f"SGD: momentum is {momentum!r}, expected at least 0 and below 1")
        self.momentum = momentum

    def update(self, name: str, gradient: Array, rate: float) -> Array:
        if self.momentum:
            gradient = self.momentum * self.kept(name, gradient) + gradient
            self.state[name] = gradient
        return rate * gradient


class Adam(Optimiser):
    """Adam (Kingma and Ba 2015), with the bias correction of its algorithm 1.

    >>> p = Tensor(np.array([1.0]), requires_grad=True)
    >>> optimiser = Adam([("p", p)], lr=0.1)
    >>> (p * p).sum().backward(); optimiser.step(); p.data.round(6)
    array([0.9])
    """

    def __init__(
        self,
        parameters: Iterable[tuple[str, Tensor]],
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        **settings: Any,
    ) -> None:
        super().__init__(parameters, lr, **settings)
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"Adam: betas are {betas!r}, expected two numbers of at least 0 and below 1")
        self.betas, self.eps = betas, eps

    def update(self, name: str, gradient: Array, rate: float) -> Array:
        b1, b2 = self.betas
        mean = b1 * self.kept(f"{name}/mean", gradient) + (1 - b1) * gradient
        square = b2 * self.kept(f"{name}/square", gradient) + (1 - b2) * gradient * gradient
        self.state[f"{name}/mean"], self.state[f"{name}/square"] = mean, square
        count = int(self.state.get(f"{name}/count", 0)) + 1  # of this parameter: it may have been frozen
        self.state[f"{name}/count"] = np.array(count)
        root = math.sqrt(1 - b2**count)
        scaled: Array = rate * root / (1 - b1**count) * mean / (np.sqrt(square) + self.eps * root)
        return scaled


def _named(optimiser: str, parameters: Any) -> dict[str, Tensor]:
    """Parameters by name, or an error that says how to get them."""
    try:
        pairs = [tuple(pair) for pair in parameters if not isinstance(pair, Tensor)]
        good = all(isinstance(name, str) and isinstance(p, Tensor) for name, p in pairs)
    except (TypeError, ValueError):
        pairs, good = [], False
    if not good or any(isinstance(pair, Tensor) for pair in parameters):
        raise TypeError(
            f"{optimiser}: expected pairs of a name and a Tensor; pass model.named_parameters(), so that "
            "checkpoints and multipliers can speak of them by name"
        )
    return dict(pairs)


@dataclass(frozen=True)
class Constant:
    def __call__(self, step: int) -> float:
        return 1.0


@dataclass(frozen=True)
class Stepwise:
    every: int
    factor: float

    def __call__(self, step: int) -> float:
        return float(self.factor ** (step // self.every))


@dataclass(frozen=True)
class Cosine:
    total: int
    warmup: int

    def __call__(self, step: int) -> float:
        if step < self.warmup:
            return (step + 1) / self.warmup
        progress = min(1.0, (step - self.warmup) / max(1, self.total - self.warmup))
        return (1 + math.cos(math.pi * progress)) / 2


def constant() -> Schedule:
    """The learning rate as it is.

    >>> constant()(1000)
    1.0
    """
    return Constant()


def stepwise(every: int, factor: float = 0.1) -> Schedule:
    """Times ``factor`` after every ``every`` steps; the paper divides by 10 every 50,000.

    >>> [stepwise(10)(step) for step in (0, 9, 10, 25)]
    [1.0, 1.0, 0.1, 0.010000000000000002]
    """
    return Stepwise(every, factor)


def cosine(total: int, warmup: int = 0) -> Schedule:
    """Linear over ``warmup`` steps, then half a cosine down to 0 at step ``total``.

    >>> [round(cosine(100, warmup=10)(step), 3) for step in (0, 9, 55, 100)]
    [0.1, 1.0, 0.5, 0.0]
    """
    return Cosine(total, warmup)
