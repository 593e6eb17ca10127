"""The tape: operators with one vjp rule per argument, and the walk back over what was computed.

An operator is a NumPy function that also knows its vector-Jacobian products:

    @differentiable(broadcasts=True)
    def multiply(x, y):
        return np.multiply(x, y)

    @multiply.vjp("x")
    def _(z_bar, y):
        return z_bar * y

Arrays in give an array out and leave no trace; with a Tensor among them a Tensor comes out, and the
tape keeps a node. A rule takes the cotangent of the output first and then names what else it needs:
an argument or a setting of the operator, ``output``, ``<argument>_shape``, or ``saved``, a dict shared by
the forward pass and the rules of one call (an operator that declares ``saved=None`` gets it). Only what is
named is kept alive, and only the rules whose cotangent somebody asked for are run. Rules are written
with operators: on arrays they are an ordinary backward pass, on Tensors they record themselves, and so the
derivative has a derivative.
"""

import inspect
import itertools
import weakref
import zlib
from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any

import numpy as np

from ..errors import TapeError, describe
from .tensor import OPERATORS, Array, Tensor, Value, plain, state

_numbers = itertools.count()


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
        self, operator: "Operator", inputs: Sequence[Value], settings: dict[str, Any], output: Array
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


def fingerprint(array: Array) -> int:
    """A checksum of the contents, which tells whether they were written to."""
    return zlib.crc32(np.ascontiguousarray(array).data)


class Rule:
    """A vjp rule and the names it asks for."""

    def __init__(self, operator: "Operator", argument: str, function: Callable[..., Value]) -> None:
        self.operator, self.argument, self.function = operator, argument, function
        self.needs = tuple(inspect.signature(function).parameters)[1:]
        for name in self.needs:
            if not (
                name in (*operator.arguments, *operator.settings, "output", "saved", "i")
                or name.removesuffix("_shape") in operator.arguments
            ):
                raise TypeError(
                    f"{operator.name}: the rule for {argument!r} asks for {name!r}, which is no "
                    f"argument, no setting, 'output', 'saved' nor '<argument>_shape'"
                )

    def __call__(self, node: Node, i: int, cotangent: Value, graph: bool) -> Value:
        return self.function(cotangent, **{n: self._supply(n, node, i, graph) for n in self.needs})

    def _supply(self, name: str, node: Node, i: int, graph: bool) -> Any:
        operator = self.operator
        if name in operator.arguments:
            if operator.variadic:
                return tuple(node.value(k, graph) for k in range(len(node.parents)))
            return node.value(operator.arguments.index(name), graph)
        if name in node.settings:
            return node.settings[name]
        if name == "output":
            return Tensor._of(node.output, node) if graph else node.output
        if name == "i":  # which one of a variadic operator's arguments
            return i
        shapes = tuple(shape for shape, _ in node.specs)
        return shapes if operator.variadic else shapes[operator.arguments.index(name[:-6])]


class Operator:
    """A function of arrays that can be differentiated; made by :func:`differentiable`."""

    def __init__(
        self,
        function: Callable[..., Any],
        equations: tuple[int, ...],
        broadcasts: bool,
        half_as_single: bool,
    ) -> None:
        self.function, self.equations = function, equations
        self.broadcasts, self.half_as_single = broadcasts, half_as_single
        self.name = function.__name__.rstrip("_")
        parameters = inspect.signature(function).parameters.values()
        self.arguments = tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY)
        self.variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.optional = {
            p.name: p.default for p in parameters if p.name in self.arguments and p.default is not p.empty
        }
        self.settings = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
        self.rules: dict[str, Rule] = {}
        self._keeps: dict[tuple[bool, ...], tuple[frozenset[int], bool]] = {}
        update_wrapper(self, function)

    def __repr__(self) -> str:
        return f"<operator {self.name}({', '.join([*self.arguments, *self.settings])})>"

    def vjp(self, argument: str) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
        """Register the rule that turns the output's cotangent into that of ``argument``."""
        if argument not in self.arguments:
            raise TypeError(f"{self.name}: {argument!r} is none of its arguments {self.arguments}")

        def register(function: Callable[..., Value]) -> Callable[..., Value]:
            self.rules[argument] = Rule(self, argument, function)
            self._keeps.clear()
            return function

        return register

    def argument(self, i: int) -> str:
        """The name of argument number ``i``."""
        return f"{self.arguments[0]}[{i}]" if self.variadic else self.arguments[i]

    def rule(self, i: int) -> Rule:
        """The rule for argument number ``i``."""
        name = self.arguments[0] if self.variadic else self.arguments[i]
        if name not in self.rules:
            raise TapeError(
                f"{self.name}: there is no derivative with respect to {name!r}; pass it as an array, "
                "or detach it"
            )
        return self.rules[name]

    def keeps(self, followed: tuple[bool, ...]) -> tuple[frozenset[int], bool]:
        """Which arguments, and whether the output, the rules of the followed arguments will need."""
        if followed not in self._keeps:
            names = {name for i, yes in enumerate(followed) if yes for name in self.rule(i).needs}
            if self.variadic:
                kept = list(range(len(followed))) if self.arguments[0] in names else []
            else:
                kept = [i for i in range(len(followed)) if self.arguments[i] in names]
            self._keeps[followed] = frozenset(kept), "output" in names
        return self._keeps[followed]

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        if not self.variadic and len(inputs) < len(self.arguments):
            inputs = self._positional(inputs, settings)
        arrays = [x.data if isinstance(x, Tensor) else x for x in inputs]
        tensors = [x for x in inputs if isinstance(x, Tensor)]
        if not tensors:
            return self._compute(arrays, settings)
        if not (state.recording and any(x._node is not None for x in tensors)):
            return Tensor._of(self._compute(arrays, settings), None)
        if "saved" in self.settings and settings.get("saved") is None:
            settings["saved"] = {}
        output = np.asarray(self._compute(arrays, settings))
        if any(output is x for x in arrays):
            output = output.view()
        return Tensor._of(output, Node(self, inputs, {**self.settings, **settings}, output))

    def _positional(self, inputs: tuple[Any, ...], settings: dict[str, Any]) -> tuple[Any, ...]:
        """Arguments given by name, and left-out optional ones, in their places."""
        rest = []
        for name in self.arguments[len(inputs) :]:
            if name not in settings and name not in self.optional:
                raise TypeError(f"{self.name}: argument {name!r} is missing; it takes {self.arguments}")
            rest.append(settings.pop(name) if name in settings else self.optional[name])
        return (*inputs, *rest)

    def _compute(self, arrays: Sequence[Any], settings: dict[str, Any]) -> Any:
        kinds = {x.dtype.char for x in arrays if isinstance(x, (np.ndarray, np.generic))}
        if "e" not in kinds or not self.half_as_single:
            try:
                output = self.function(*arrays, **settings)
            except (TypeError, ValueError, IndexError) as error:
                raise self._named(error, arrays) from error
            if kinds == {"f"} and self.half_as_single and getattr(output, "dtype", "") == np.float64:
                return np.float32(output)  # NumPy 1 makes float64 of a float32 scalar beside a number
            return output
        single = [
            x.astype(np.float32) if getattr(getattr(x, "dtype", None), "char", "") == "e" else x
            for x in arrays
        ]
        output = np.asarray(self._compute(single, settings))
        return output if kinds & set("fd") else output.astype(np.float16)

    def _named(self, error: Exception, arrays: Sequence[Any]) -> Exception:
        """NumPy's error with the operator's name and what it was given."""
        kind = next(k for k in (TypeError, ValueError, IndexError) if isinstance(error, k))
        given = ", ".join(f"{self.argument(i)}: {describe(x)}" for i, x in enumerate(arrays))
        return kind(f"{self.name}: {str(error).removeprefix(f'{self.name}: ')} (given {given})")


def differentiable(
    *, equations: tuple[int, ...] = (), broadcasts: bool = False, half_as_single: bool = True
) -> Callable[[Callable[..., Any]], Operator]:
    """Make a NumPy function an operator; its rules follow with ``@operator.vjp("argument")``.

    ``equations`` are the paper's equations it carries. ``broadcasts`` says that its arguments broadcast,
    so that the tape sums a rule's result to the argument's shape. Positional parameters are the arrays,
    keyword-only ones are settings. float16 is computed in float32 and rounded once, unless
    ``half_as_single`` is False. A function's name, without trailing underscores, is the operator's; a second
    one of the same name replaces the first.

    >>> from stn_ref import grad
    >>> @differentiable()
    ... def cube(x):
    ...     return x**3
    >>> @cube.vjp("x")
    ... def _(y_bar, x):
    ...     return y_bar * 3 * x * x
    >>> float(grad(cube)(2.0))
    12.0
    >>> OPERATORS.pop("cube")                    # only an example
    <operator cube(x)>
    """

    def register(function: Callable[..., Any]) -> Operator:
        operator = Operator(function, equations, broadcasts, half_as_single)
        OPERATORS[operator.name] = operator
        return operator

    return register
