"""The tape: operators with one vjp rule per argument. (The walk back is in ``backward``.)

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
from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any

import numpy as np

from ..errors import TapeError, describe
from .node import Node
from .recording import state
from .tensor import OPERATORS, Tensor, Value

ARRAYS = (np.ndarray, np.generic)


def _as_single(x: Any) -> Any:
    """float16 as float32; anything else as it is."""
    if isinstance(x, tuple):
        return tuple(_as_single(part) for part in x)
    half = isinstance(x, (Tensor, *ARRAYS)) and x.dtype == np.float16
    return OPERATORS["cast"](x, dtype=np.dtype(np.float32)) if half else x


def _own_copy(setting: Any) -> Any:
    """A setting that its owner may go on writing to: index arrays, masks, lists of them."""
    if isinstance(setting, np.ndarray):
        return setting.copy() if setting.flags.writeable else setting
    if isinstance(setting, (tuple, list)):
        parts = [_own_copy(part) for part in setting]
        return parts if isinstance(setting, list) else tuple(parts)
    return setting


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
        self.sources = [operator.source(name) for name in self.needs]

    def __call__(self, node: Node, i: int, cotangent: Value, graph: bool) -> Value:
        given = [source(node, i, graph) for source in self.sources]
        if node.dtype.char == "e" and self.operator.half_as_single:
            cotangent, given = _as_single(cotangent), [_as_single(value) for value in given]
        return self.function(cotangent, *given)


Plan = tuple[list[Rule | None], list[int], bool]  # rules, numbers of kept arguments, is the output kept


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
        self._plans: dict[tuple[bool, ...], Plan] = {}
        update_wrapper(self, function)

    def __repr__(self) -> str:
        return f"<operator {self.name}({', '.join([*self.arguments, *self.settings])})>"

    def vjp(self, argument: str) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
        """Register the rule that turns the output's cotangent into that of ``argument``."""
        if argument not in self.arguments:
            raise TypeError(f"{self.name}: {argument!r} is none of its arguments {self.arguments}")

        def register(function: Callable[..., Value]) -> Callable[..., Value]:
            self.rules[argument] = Rule(self, argument, function)
            self._plans.clear()
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

    def plan(self, followed: tuple[bool, ...]) -> Plan:
        """The rules of the followed arguments, and which arguments, and whether the output, they need."""
        if followed not in self._plans:
            rules = [self.rule(i) if yes else None for i, yes in enumerate(followed)]
            names = {name for rule in rules if rule for name in rule.needs}
            arguments = self.arguments * len(followed) if self.variadic else self.arguments
            kept = [i for i in range(len(followed)) if arguments[i] in names]
            self._plans[followed] = rules, kept, "output" in names
        return self._plans[followed]

    def source(self, name: str) -> Callable[[Node, int, bool], Any]:
        """What finds the value of a rule's parameter: a function of node, argument number and graph."""
        if name in self.arguments:
            if self.variadic:
                return lambda node, i, graph: tuple(node.value(k, graph) for k in range(len(node.parents)))
            k = self.arguments.index(name)
            return lambda node, i, graph: node.value(k, graph) if graph else node.values[k]
        if name in self.settings:
            return lambda node, i, graph: node.settings[name]
        if name == "output":
            return lambda node, i, graph: Tensor._of(node.output, node) if graph else node.output
        if name == "i":  # which one of a variadic operator's arguments
            return lambda node, i, graph: i
        if self.variadic:
            return lambda node, i, graph: node.specs[i][0]
        k = self.arguments.index(name.removesuffix("_shape"))
        return lambda node, i, graph: node.specs[k][0]

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        if not self.variadic and len(inputs) != len(self.arguments):
            inputs = self._positional(inputs, settings)
        arrays, parents, tensors = [], [], False
        for x in inputs:
            if isinstance(x, Tensor):
                tensors = True
                arrays.append(x.data)
                parents.append(x._node)
            else:
                arrays.append(x)
                parents.append(None)
        if not tensors:
            return self._compute(arrays, settings)
        if not (state.recording and any(parents)):
            return Tensor._of(self._compute(arrays, settings), None)
        if self.settings:
            settings = {**self.settings, **{name: _own_copy(setting) for name, setting in settings.items()}}
            if "saved" in settings and settings["saved"] is None:
                settings["saved"] = {}
        output = np.asarray(self._compute(arrays, settings))
        if output.dtype.kind != "f":
            raise TypeError(f"{self.name}: the result would be {output.dtype}, which has no derivative here")
        for x in arrays:
            if output is x:
                output = output.view()
        return Tensor._of(output, Node(self, parents, arrays, settings, output))

    def _positional(self, inputs: tuple[Any, ...], settings: dict[str, Any]) -> tuple[Any, ...]:
        """Arguments given by name, and left-out optional ones, in their places."""
        if len(inputs) > len(self.arguments):
            named = ", ".join(f"{name}=..." for name in self.settings if name != "saved")
            hint = f"; give its settings by name: {named}" if named else ""
            raise TypeError(
                f"{self.name}: got {len(inputs)} positional arguments, expected {len(self.arguments)}, "
                f"{', '.join(self.arguments)}{hint}"
            )
        rest = []
        for name in self.arguments[len(inputs) :]:
            if name not in settings and name not in self.optional:
                raise TypeError(f"{self.name}: argument {name!r} is missing; it takes {self.arguments}")
            rest.append(settings.pop(name) if name in settings else self.optional[name])
        return (*inputs, *rest)

    def _compute(self, arrays: Sequence[Any], settings: dict[str, Any]) -> Any:
        kinds = [x.dtype.char for x in arrays if isinstance(x, ARRAYS)]
        if "e" not in kinds or not self.half_as_single:
            all_single = "f" in kinds and set(kinds) == {"f"} and self.half_as_single
            try:
                output = self.function(*arrays, **settings)
            except (TypeError, ValueError, IndexError) as error:
                raise self._named(error, arrays) from error
            if all_single and getattr(output, "dtype", "") == np.float64:
                return np.float32(output)  # NumPy 1 makes float64 of a float32 scalar beside a number
            return output
        single = [
            x.astype(np.float32) if getattr(getattr(x, "dtype", None), "char", "") == "e" else x
            for x in arrays
        ]
        output = np.asarray(self._compute(single, settings))
        return output if set(kinds) & set("fd") else output.astype(np.float16)

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
    ``half_as_single`` is False. A function's name, without trailing underscores, is the operator's; it can be
    defined anew in the same module, and nowhere else.

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
        other = OPERATORS.get(operator.name)
        if other is not None and other.__module__ != function.__module__:
            raise ValueError(
                f"differentiable: there is an operator {operator.name!r} already, in {other.__module__}; "
                "choose another name"
            )
        OPERATORS[operator.name] = operator
        return operator

    return register
