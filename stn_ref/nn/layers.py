"""Layers: operators together with their parameters."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.tensor import Tensor, Value
from ..errors import describe
from ..ops import avg_pool2d, conv2d, dropout, flatten_depth, max_pool2d, relu, reshape, transpose
from .initialisers import Array, he
from .module import Module

Initialiser = Callable[..., Array]


class Linear(Module):
    """x @ weight.T + bias, from (N, in) to (N, out).

    Parameters
    ----------
    inputs, outputs : int
    rng : numpy.random.Generator
        Where the weights come from.
    initialiser : callable
        ``he`` (the default) or ``xavier``; called with shape, rng and dtype. The bias begins at 0.

    >>> Linear(3, 2, rng=np.random.default_rng(0))(np.zeros((1, 3), np.float32)).shape
    (1, 2)
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        rng: np.random.Generator,
        initialiser: Initialiser = he,
        dtype: Any = np.float32,
    ) -> None:
        self.weight = Tensor(initialiser((outputs, inputs), rng, dtype), requires_grad=True)
        self.bias = Tensor(np.zeros(outputs, dtype), requires_grad=True)

    def forward(self, x: Value) -> Value:
        if len(x.shape) != 2 or x.shape[1] != self.weight.shape[1]:
            raise ValueError(
                f"Linear: x has shape {x.shape}, expected (N, {self.weight.shape[1]}); put Flatten() "
                "before it, or change its number of inputs"
            )
        return x @ transpose(self.weight) + self.bias


class Conv2d(Module):
    """Two-dimensional convolution, from (N, in, H, W) to (N, out, H', W'); see :func:`stn_ref.conv2d`.

    >>> Conv2d(1, 4, 5, rng=np.random.default_rng(0))(np.zeros((2, 1, 9, 8), np.float32)).shape
    (2, 4, 5, 4)
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel_size: int,
        *,
        rng: np.random.Generator,
        stride: Any = 1,
        padding: Any = 0,
        initialiser: Initialiser = he,
        dtype: Any = np.float32,
    ) -> None:
        shape = (outputs, inputs, kernel_size, kernel_size)
        self.weight = Tensor(initialiser(shape, rng, dtype), requires_grad=True)
        self.bias = Tensor(np.zeros(outputs, dtype), requires_grad=True)
        self.stride, self.padding = stride, padding

    def forward(self, x: Value) -> Value:
        return conv2d(x, self.weight, self.bias, stride=self.stride, padding=self.padding)

    def pooled(self, x: Value, pool: "MaxPool2d") -> Value:
        """``pool(self(x))``, the bias added last: max(y + b) = max(y) + b, and there are fewer numbers then.

        Adding a number rounds all of a window alike and keeps their order, so the value is the same to the
        last bit. The cotangent goes to the first maximum before the bias, which may make further ones equal.
        """
        y = pool(conv2d(x, self.weight, stride=self.stride, padding=self.padding))
        return y + reshape(self.bias, shape=(1, -1, 1, 1))


class MaxPool2d(Module):
    """The maximum over windows; see :func:`stn_ref.max_pool2d`.

    >>> MaxPool2d(2)(np.arange(4.0).reshape(1, 1, 2, 2))
    array([[[[3.]]]])
    """

    def __init__(self, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        self.settings = {"kernel_size": kernel_size, "stride": stride, "ceil_mode": ceil_mode}

    def forward(self, x: Value) -> Value:
        return max_pool2d(x, **self.settings)


class AvgPool2d(Module):
    """The mean over windows; see :func:`stn_ref.avg_pool2d`.

    >>> AvgPool2d(2)(np.arange(4.0).reshape(1, 1, 2, 2))
    array([[[[1.5]]]])
    """

    def __init__(self, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        self.settings = {"kernel_size": kernel_size, "stride": stride, "ceil_mode": ceil_mode}

    def forward(self, x: Value) -> Value:
        return avg_pool2d(x, **self.settings)


class ReLU(Module):
    """max(x, 0), of any shape.

    >>> ReLU()(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def forward(self, x: Value) -> Value:
        return relu(x)


class Flatten(Module):
    """(N, ...) to (N, everything else).

    >>> Flatten()(np.zeros((2, 3, 4))).shape
    (2, 12)
    """

    def forward(self, x: Value) -> Value:
        return reshape(x, shape=(x.shape[0], int(np.prod(x.shape[1:]))))


class FlattenDepth(Module):
    """A volume seen along its depth, (N, C, D, H, W) to (N, C, H, W); see :func:`stn_ref.flatten_depth`.

    >>> FlattenDepth("max")(np.arange(8.0).reshape(1, 1, 2, 2, 2))
    array([[[[4., 5.],
             [6., 7.]]]])
    """

    def __init__(self, how: str = "sum") -> None:
        self.how = how

    def forward(self, V: Value) -> Value:
        return flatten_depth(V, how=self.how)


class Standardise(Module):
    """(x - mean) / std with two fixed numbers, those of the training set.

    >>> Standardise(0.5, 0.25)(np.array([0.0, 1.0], np.float32))
    array([-2.,  2.], dtype=float32)
    """

    def __init__(self, mean: float, std: float) -> None:
        self.mean, self.std = mean, std

    def forward(self, x: Value) -> Value:
        return (x - self.mean) / self.std


class Dropout(Module):
    """While training, each number is 0 with probability ``p``, the others are scaled by 1 / (1 - p).

    >>> layer = Dropout(0.5, rng=np.random.default_rng(0))
    >>> layer(np.ones(4)), layer.eval()(np.ones(4))
    (array([2., 0., 0., 0.]), array([1., 1., 1., 1.]))
    """

    def __init__(self, p: float, *, rng: np.random.Generator) -> None:
        if not 0 <= p < 1:
            raise ValueError(f"Dropout: p is {p!r}, expected a probability of at least 0 and below 1")
        self.p, self.rng = p, rng

    def forward(self, x: Value) -> Value:
        return dropout(x, p=self.p, rng=self.rng, training=self.training)


class Sequential(Module):
    """Modules one after the other, named "0", "1", ... or by keyword.

    A convolution and the max pooling right behind it are computed together; see :meth:`Conv2d.pooled`.

    >>> net = Sequential(Flatten(), Linear(4, 2, rng=np.random.default_rng(0)))
    >>> [name for name, _ in net.named_parameters()]
    ['1.weight', '1.bias']
    """

    def __init__(self, *modules: Module, **named: Module) -> None:
        for module in (*modules, *named.values()):
            if not isinstance(module, Module):
                raise TypeError(
                    f"Sequential: got {describe(module)}, expected modules one after the other; for a list "
                    "of them use Sequential(*layers)"
                )
        for i, module in enumerate(modules):
            setattr(self, str(i), module)
        for name, module in named.items():
            setattr(self, name, module)

    def forward(self, x: Value) -> Value:
        modules = [module for _, module in self.children()]
        while modules:
            module = modules.pop(0)
            follower = modules[0] if modules else None
            if isinstance(module, Conv2d) and isinstance(follower, MaxPool2d) and _plain(module, follower):
                x = module.pooled(x, follower)
                del modules[0]
            else:
                x = module(x)
        return x

    def __getitem__(self, i: int) -> Module:
        return list(self.children())[i][1]

    def __len__(self) -> int:
        return len(list(self.children()))


def _plain(*modules: Module) -> bool:
    """Whether nobody gave the modules another forward pass, in a subclass or by assignment."""
    return all(type(m) in (Conv2d, MaxPool2d) and "forward" not in vars(m) for m in modules)
