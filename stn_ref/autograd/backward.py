"""The walk back over the tape: from the cotangent of a result to those of what it came from.

Why a topological order is needed: a node may pass its cotangent on only when all of it has arrived.
Here u is used twice, by v and by w. Walking back depth first (w, u, x, then v, u, x) would send u's
cotangent on to x before v has added its share. Every node is numbered when it is made, inputs
before outputs, so descending numbers are such an order, without recursion:

>>> from stn_ref import Tensor
>>> x = Tensor(2.0, requires_grad=True)
>>> u = x * x; v = u * 3.0; w = u * v        # w = 3 x^4
>>> w.backward(); float(x.grad)              # 12 x^3
96.0
"""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import numpy as np

from ..errors import TapeError
from .node import Node
from .tensor import OPERATORS, Tensor, Value

_number = attrgetter("number")


def backward(tensor: Tensor, cotangent: Any, retain_graph: bool) -> None:
    """See :meth:`Tensor.backward`."""
    if tensor._node is None:
        raise TapeError(
            "backward: this tensor does not depend on any tensor with requires_grad=True (or was computed "
            "under no_grad); set requires_grad=True on an input before computing"
        )
    cotangent = check_cotangent("backward", tensor, cotangent)
    for leaf, total in run([(tensor._node, cotangent)], None, False, retain_graph).items():
        leaf.accumulate(total)


def check_cotangent(who: str, output: Tensor, cotangent: Any) -> Value:
    """A cotangent of the output's shape and dtype, or an error that says what came instead."""
    if cotangent is None:
        if output.size != 1:
            raise TapeError(
                f"{who}: the output has shape {output.shape}, so it has no gradient by itself; "
                f"reduce it to a scalar, or pass a cotangent of shape {output.shape}"
            )
        return np.ones(output.shape, output.dtype)
    if not isinstance(cotangent, (Tensor, np.ndarray, np.generic)):
        cotangent = np.asarray(cotangent, output.dtype)
    if cotangent.shape != output.shape or cotangent.dtype != output.dtype:
        raise TapeError(
            f"{who}: the cotangent has shape {cotangent.shape} and dtype {cotangent.dtype}, expected "
            f"those of the output, {output.shape} and {output.dtype}"
        )
    return cotangent if isinstance(cotangent, Tensor) else np.asarray(cotangent)


def run(
    roots: Iterable[tuple[Any, Value]], targets: Iterable[Any] | None, graph: bool, retain: bool
) -> dict[Any, Value]:
    """Walk back from ``roots`` (nodes with cotangents); the cotangents of ``targets``, or of all leaves.

    Where ``graph`` is true the rules run on Tensors and are themselves recorded.
    """
    pending: dict[Any, Value] = {}
    for node, cotangent in roots:
        pending[node] = pending[node] + cotangent if node in pending else cotangent
    wanted, ends = _ways(pending, targets)
    found: dict[Any, Value] = {}
    for node in sorted(wanted, key=_number, reverse=True):
        if node not in pending:
            continue
        cotangent = pending.pop(node)
        if node in ends:
            found[node] = cotangent
            continue
        node.check_usable()
        for i, parent in enumerate(node.parents):
            if parent in wanted:
                passed_on = _fit(node.rules[i](node, i, cotangent, graph), node, i)
                pending[parent] = pending[parent] + passed_on if parent in pending else passed_on
        if not retain:
            node.free()
    return found


def _ways(roots: Iterable[Any], targets: Iterable[Any] | None) -> tuple[set[Any], set[Any]]:
    """The nodes on the ways from the roots to the targets (or to all leaves), and those where they end."""
    if targets is None:
        wanted = reachable(roots, 0)
        return wanted, {node for node in wanted if node.operator is None}
    ends = set(targets)
    oldest = min((node.number for node in ends), default=0)  # what is older leads to none of them
    wanted = set(ends)
    for node in sorted(reachable(roots, oldest), key=_number):
        if not wanted.isdisjoint(node.parents):
            wanted.add(node)
    return wanted, ends


def reachable(roots: Iterable[Any], oldest: int) -> set[Any]:
    """The nodes to which ways lead back from the roots, none of them older than number ``oldest``."""
    stack = list(roots)
    seen = {None, *stack}
    for node in stack:  # which grows meanwhile
        for parent in node.parents:
            if parent not in seen and parent.number >= oldest:
                seen.add(parent)
                stack.append(parent)
    return seen - {None}


def _fit(cotangent: Value, node: Node, i: int) -> Value:
    """Undo broadcasting and promotion of argument ``i``; check what remains."""
    shape, dtype = node.specs[i]
    if type(cotangent) is np.ndarray and cotangent.shape == shape and cotangent.dtype == dtype:
        return cotangent
    if not isinstance(cotangent, (Tensor, np.ndarray)):
        cotangent = np.asarray(cotangent)
    if node.operator.broadcasts and cotangent.shape != shape:
        cotangent = sum_to_shape(cotangent, shape)
    # Scalars are cast in any case: NumPy 1 makes float64 of a float32 scalar beside a number.
    if cotangent.dtype != dtype and (dtype != node.dtype or dtype == np.float16 or cotangent.ndim == 0):
        cotangent = OPERATORS["cast"](cotangent, dtype=dtype)
    if cotangent.shape != shape or cotangent.dtype != dtype:
        raise TapeError(
            f"{node.operator.name}: its vjp rule for {node.operator.argument(i)!r} returned shape "
            f"{cotangent.shape} and dtype {cotangent.dtype}, expected those of the argument, {shape} and "
            f"{dtype}; the rule is wrong"
        )
    return cotangent


def sum_to_shape(cotangent: Value, shape: tuple[int, ...]) -> Value:
    """The adjoint of broadcasting: sum over the axes along which ``shape`` was repeated."""
    lead = cotangent.ndim - len(shape)
    repeated = [k + lead for k, n in enumerate(shape) if n == 1 and cotangent.shape[k + lead] != 1]
    total = OPERATORS["sum"](cotangent, axis=(*range(lead), *repeated))
    return OPERATORS["reshape"](total, shape=shape)
