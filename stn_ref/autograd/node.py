"""Places on the tape: a `Leaf` for a user's tensor, a `Node` for each call of an operator."""

import itertools
import weakref
import zlib
from typing import Any

import numpy as np

from ..errors import TapeError, describe
from .tensor import Array, Tensor, Value

_numbers = itertools.count()
MANY_BYTES = 2**24


class Leaf:
    """The place of a user's tensor on the tape; its cotangents are added to the tensor's ``.grad``."""

    __slots__ = ("__weakref__", "number", "tensor")
    operator = None
    parents: tuple[Any, ...] = ()
    owned = False  # the user may write into its memory

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = weakref.ref(tensor)
        self.number = next(_numbers)

    def accumulate(self, cotangent: Array) -> None:
        tensor = self.tensor()
        if tensor is not None:
            tensor.grad = np.array(cotangent if tensor.grad is None else tensor.grad + cotangent)


class Node:
    """One call of an operator: where its inputs came from, and what its rules need of them."""

    __slots__ = (
        "__weakref__",
        "dtype",
        "fingerprints",
        "number",
        "operator",
        "output",
        "owned",
        "parents",
        "rules",
        "settings",
        "shape",
        "specs",
        "values",
    )

    def __init__(
        self, operator: Any, parents: list[Any], arrays: list[Any], settings: dict[str, Any], output: Array
    ) -> None:
        self.number = next(_numbers)
        self.operator, self.parents, self.settings = operator, parents, settings
        self.shape, self.dtype = output.shape, output.dtype
        self.specs = [(x.shape, x.dtype) if isinstance(x, np.ndarray) else _spec(x) for x in arrays]
        self.rules, kept, keeps_output = operator.plan(tuple(map(bool, parents)))
        self.values: Any = [None] * len(arrays)  # None instead of the list once they are freed
        self.fingerprints = {}
        for i in kept:
            self.values[i] = x = arrays[i]
            if isinstance(x, np.ndarray) and (parents[i] is None or not parents[i].owned):
                self.fingerprints[i] = fingerprint(x)
        self.output = output if keeps_output else None
        # Results are read-only, so that only memory which the user holds can change under the tape.
        output.setflags(write=False)
        self.owned = output.base is None or not _share_memory(output, arrays)

    def free(self) -> None:
        self.values, self.output, self.settings = None, None, {}

    def check_usable(self) -> None:
        """Refuse to go back through freed or overwritten values."""
        if self.values is None:
            raise TapeError(
                f"{self.operator.name}: its saved values were freed by an earlier backward; call that one "
                "with backward(retain_graph=True), or compute the result again"
            )
        for i, before in self.fingerprints.items():
            if is_changed(self.values[i], before):
                raise TapeError(
                    f"{self.operator.name}: argument {self.operator.argument(i)!r} "
                    f"({describe(self.values[i])}) was changed in place after it was used, and its "
                    "value is needed for the derivative; work on a copy, or change it after backward"
                )

    def value(self, i: int, graph: bool) -> Value:
        """Argument number ``i``, as a Tensor on its place of the tape where the graph is wanted."""
        x, parent = self.values[i], self.parents[i]
        return Tensor._of(x, parent) if graph and parent is not None else x


def _spec(x: Any) -> tuple[tuple[int, ...], Any]:
    """Shape and dtype of an argument; a number has no dtype of its own."""
    return np.shape(x), getattr(x, "dtype", None)


def _share_memory(output: Array, arrays: list[Any]) -> bool:
    return any(isinstance(x, np.ndarray) and np.may_share_memory(output, x) for x in arrays)


def fingerprint(array: Array) -> Array | int:
    """What tells whether an array was written to: a copy of it, or a checksum if it is large."""
    if array.nbytes > MANY_BYTES:
        return zlib.crc32(np.ascontiguousarray(array).data)
    copy: Array = array.copy(order="K")
    return copy


def is_changed(array: Array, before: Array | int) -> bool:
    """Whether one bit of it is another than when its fingerprint was taken."""
    if isinstance(before, int):
        return fingerprint(array) != before
    bits = f"u{array.itemsize}"
    return not np.array_equal(array.view(bits), before.view(bits))
