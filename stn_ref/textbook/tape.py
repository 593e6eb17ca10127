"""Task 8: a tape. Every number remembers what it was computed from, and the cotangents go back that way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rule = Callable[..., Array]


class Node:
    """An array on the tape.

    ``value`` is the array; ``parents`` are the nodes it was computed from; ``rules`` say for each of them how
    its cotangent follows from this node's: ``rule(cotangent, *values of all parents)``. ``bar`` is the node's
    own cotangent, None until :func:`backward` has come by.
    """

    def __init__(self, value: Any, parents: Sequence[Node] = (), rules: Sequence[Rule] = ()) -> None:
        self.value: Array = np.asarray(value, dtype=float)
        self.parents, self.rules = tuple(parents), tuple(rules)
        self.bar: Any = None


def apply(function: Callable[..., Array], rules: Sequence[Rule], *parents: Node) -> Node:
    """A node for ``function`` of the values of its parents, which knows how to go back to them.

    >>> product = apply(np.multiply, (lambda bar, a, b: bar * b, lambda bar, a, b: bar * a), Node(3), Node(5))
    >>> float(product.value), [float(parent.value) for parent in product.parents]
    (15.0, [3.0, 5.0])
    """
    # BEGIN SOLUTION task=8
    return Node(function(*(parent.value for parent in parents)), parents, rules)
    # END SOLUTION


def sum_to_shape(cotangent: Array, shape: tuple[int, ...]) -> Array:
    """What goes back to an argument of ``shape`` that NumPy repeated to the shape of the cotangent.

    >>> sum_to_shape(np.ones((4, 2, 3)), (2, 1))
    array([[12.],
           [12.]])
    """
    # BEGIN SOLUTION task=8
    added = cotangent.ndim - len(shape)
    repeated = [added + k for k, n in enumerate(shape) if n == 1]
    return cotangent.sum(axis=(*range(added), *repeated)).reshape(shape)
    # END SOLUTION


def order(result: Node) -> list[Node]:
    """``result`` and all nodes that it depends on, each once, behind those that it was computed from.

    Chains may be far longer than Python's limit for functions that call themselves.

    >>> a = Node(1.0); b = apply(np.exp, [], a); c = apply(np.add, [], b, b)
    >>> [(a, b, c).index(node) for node in order(c)]
    [0, 1, 2]
    """
    # BEGIN SOLUTION task=8
    found: list[Node] = []
    begun, done = set(), set()
    waiting = [result]
    while waiting:
        node = waiting[-1]
        if node in begun:  # all that it depends on is done
            waiting.pop()
            if node not in done:
                done.add(node)
                found.append(node)
        else:
            begun.add(node)
            waiting += [parent for parent in node.parents if parent not in begun]
    return found
    # END SOLUTION


def backward(result: Node, cotangent: Array) -> None:
    """Give every node that ``result`` depends on its ``bar``; ``cotangent`` is that of ``result``.

    A node that was used several times gets the sum of what comes back to it, and passes it on only when all
    of it has come.

    >>> x = Node(3.0)
    >>> square = apply(np.multiply, (lambda bar, a, b: bar * b, lambda bar, a, b: bar * a), x, x)
    >>> backward(square, np.array(1.0)); float(x.bar)
    6.0
    """
    # BEGIN SOLUTION task=8
    nodes = order(result)
    for node in nodes:
        node.bar = np.zeros_like(node.value)
    result.bar = np.asarray(cotangent, dtype=float)
    for node in reversed(nodes):
        values = [parent.value for parent in node.parents]
        for parent, rule in zip(node.parents, node.rules):
            parent.bar = parent.bar + sum_to_shape(rule(node.bar, *values), parent.value.shape)
    # END SOLUTION


OPERATIONS: dict[str, tuple[Callable[..., Any], tuple[Rule, ...]]] = {
    "add": (np.add, (lambda bar, a, b: bar, lambda bar, a, b: bar)),
    "multiply": (np.multiply, (lambda bar, a, b: bar * b, lambda bar, a, b: bar * a)),
    "matmul": (np.matmul, (lambda bar, a, b: bar @ b.T, lambda bar, a, b: a.T @ bar)),
    "tanh": (np.tanh, (lambda bar, a: bar * (1 - np.tanh(a) ** 2),)),
}


def run(*arrays: Array, program: Sequence[tuple[str, tuple[int, ...]]]) -> tuple[Array, ...]:
    """Carry out a program on the tape, and go back: the last value, and the cotangent of each array.

    Each step names an operation and the numbers of what it works on: the arrays come first, then the results
    of the steps. The cotangent of the last value is 1 everywhere. (The tests speak to the tape through this.)

    >>> value, x_bar = run(np.array(3.0), program=[("multiply", (0, 0)), ("add", (1, 0))])      # x^2 + x
    >>> float(value), float(x_bar)
    (12.0, 7.0)
    """
    nodes = [Node(array) for array in arrays]
    for name, operands in program:
        function, rules = OPERATIONS[name]
        nodes.append(apply(function, rules, *(nodes[k] for k in operands)))
    backward(nodes[-1], np.ones_like(nodes[-1].value))
    bars = [np.zeros_like(node.value) if node.bar is None else node.bar for node in nodes]
    return (nodes[-1].value, *bars[: len(arrays)])
