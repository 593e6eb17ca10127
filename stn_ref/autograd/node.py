"""Places on the tape: a `Leaf` for a user's tensor, a `Node` for each call of an operator."""

import itertools
import weakref
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import TapeError, describe
from .tensor import Array, Tensor, Value, plain

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
        "settings",
        "shape",
        "specs",
        "values",
    )

    def __init__(
        self, operator: Any, inputs: Sequence[Value], settings: dict[str, Any], output: Array
    ) -> None:
        self.number = next(_numbers)
        self.operator = operator
        self.parents = tuple(x._node if isinstance(x, Tensor) else None for x in inputs)
        self.specs = tuple((np.shape(plain(x)), getattr(x, "dtype", None)) for x in inputs)
        self.settings = settings
        self.shape, self.dtype = output.shape, output.dtype
        arrays = [plain(x) for x in inputs]
        kept, keeps_output = operator.keeps(tuple(p is not None for p in self.parents))
        self.values: list[Any] | None = [x if i in kept else None for i, x in enumerate(arrays)]
        self.output = output if keeps_output else None
        # Results are read-only, so that only memory which the user holds can change under the tape.
        output.flags.writeable = False
        self.owned = not any(isinstance(x, np.ndarray) and np.may_share_memory(output, x) for x in arrays)
        self.fingerprints = {
            i: fingerprint(arrays[i])
            for i in kept
            if isinstance(arrays[i], np.ndarray) and not getattr(self.parents[i], "owned", False)
        }

    def free(self) -> None:
        self.values, self.output, self.settings = None, None, {}

    def check_usable(self) -> None:
        """Refuse to go back through freed or overwritten values."""
        name = self.operator.name
        if self.values is None:
            raise TapeError(
                f"{name}: its saved values were freed by an earlier backward; call that one with "
                "backward(retain_graph=True), or compute the result again"
            )
        for i, before in self.fingerprints.items():
            if fingerprint(self.values[i]) != before:
                raise TapeError(
                    f"{name}: argument {self.operator.argument(i)!r} "
                    f"({describe(self.values[i])}) was changed in place after it was used, and its "
                    "value is needed for the derivative; work on a copy, or change it after backward"
                )

    def value(self, i: int, graph: bool) -> Value:
        """Argument number ``i``, as a Tensor on its place of the tape where the graph is wanted."""
        assert self.values is not None
        x, parent = self.values[i], self.parents[i]
        return Tensor._of(x, parent) if graph and parent is not None else x


def fingerprint(array: Array) -> bytes | int:
    """What tells whether an array was written to: its contents, or a checksum of them if they are many."""
    if array.nbytes <= MANY_BYTES:
        return array.tobytes()
    return zlib.crc32(np.ascontiguousarray(array).data)
