"""`grad`, `value_and_grad`, `vjp`, `jvp`: derivatives of functions, as functions.

They nest to any depth and in any order. Inside another transform, or on Tensors that require derivatives or
meet others which do, the backward pass itself is recorded; on plain arrays it is not, and arrays come back.

>>> cube = lambda x: x * x * x
>>> float(grad(cube)(2.0)), float(grad(grad(cube))(2.0)), float(grad(grad(grad(cube)))(2.0))
(12.0, 12.0, 6.0)
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

import numpy as np

from ..errors import TapeError
from .backward import check_cotangent, reachable, run
from .recording import state
from .tape import differentiable
from .tensor import Tensor, Value


@differentiable()
def identity(x: Value) -> Value:
    """The same values at a new place on the tape; shape and dtype of ``x``."""
    return x


@identity.vjp("x")
def _(y_bar: Value) -> Value:
    return y_bar


@contextmanager
def _inside_a_transform() -> Iterator[None]:
    before = state.recording
    state.recording, state.depth = True, state.depth + 1
    try:
        yield
    finally:
        state.recording, state.depth = before, state.depth - 1


def _followed(values: Sequence[Value]) -> bool:
    """Whether somebody outside may want the derivative of what is computed here."""
    return state.depth > 0 or any(isinstance(v, Tensor) and v.requires_grad for v in values)


def _watch(value: Value) -> Tensor:
    """A tensor with a place of its own on the tape, linked to the place that ``value`` may have."""
    if isinstance(value, Tensor) and value.requires_grad:
        with _inside_a_transform():
            watched: Tensor = identity(value)
        return watched
    return Tensor(value, requires_grad=True)


@dataclass
class _Trace:
    """One evaluation of a function, with all that is needed to go back from its outputs."""

    out: Any
    outputs: list[Tensor]
    watched: list[Tensor]
    graph: bool  # whether the way back is to be recorded
    as_tensors: bool  # whether results are handed out as Tensors

    @classmethod
    def of(cls, f: Callable[..., Any], primals: Sequence[Value], others: Sequence[Value] = ()) -> "_Trace":
        graph = _followed([*primals, *others])
        as_tensors = graph or any(isinstance(v, Tensor) for v in (*primals, *others))
        with _inside_a_transform():
            watched = [_watch(p) for p in primals]
            out = f(*watched)
        outputs = [o if isinstance(o, Tensor) else Tensor(o) for o in _listed(out)]
        # Somebody who speaks in Tensors may want to go back to others that f used. (Arrays carry no tape.)
        graph = graph or (as_tensors and _reach_others(outputs, watched))
        return cls(out, outputs, watched, graph, as_tensors)

    def pull(self, cotangents: Sequence[Value], graph: bool) -> list[Value]:
        """The cotangents of the primals for those of the outputs."""
        pairs = zip(self.outputs, cotangents)
        roots = [(o._node, _seat(c, graph)) for o, c in pairs if o.requires_grad]
        with _inside_a_transform():
            found = run(roots, [w._node for w in self.watched], graph=graph, retain=True)
        return [found.get(w._node, np.zeros(w.shape, w.dtype)) for w in self.watched]

    def like_out(self, values: Sequence[Value]) -> Any:
        """Values, one for each output, in the form in which the function returned them."""
        given = tuple(_given_back(v, self.as_tensors) for v in values)
        return given if isinstance(self.out, (tuple, list)) else given[0]

    def value(self) -> Any:
        """What the function returned."""
        return self.like_out([o if self.graph else o.detach() for o in self.outputs])


def vjp(f: Callable[..., Any], *primals: Value) -> tuple[Any, Callable[..., tuple[Value, ...]]]:
    """The value of ``f`` at ``primals``, and its pullback.

    Parameters
    ----------
    f : callable
        From arrays or Tensors to one, or to a tuple of them, written with operators of ``stn_ref``.
    *primals : array or Tensor
        Floating arrays of any shape.

    Returns
    -------
    out, pullback
        ``pullback(cotangent)`` takes a cotangent of the shape and dtype of ``out`` (a tuple, if
        ``out`` is one) and returns a tuple with one cotangent for each primal. It can be called again.

    Raises
    ------
    TapeError
        If a cotangent has another shape or dtype than the output.

    >>> out, pullback = vjp(lambda x, y: x * y, np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    >>> pullback(np.array([1.0, 10.0]))
    (array([ 3., 40.]), array([ 1., 20.]))
    """
    trace = _Trace.of(f, primals)

    def pullback(cotangent: Any) -> tuple[Value, ...]:
        given = _listed(cotangent)
        if len(given) != len(trace.outputs):
            raise TapeError(
                f"vjp: the pullback got {len(given)} cotangents, expected {len(trace.outputs)}, one for each "
                "output"
            )
        checked = [check_cotangent("vjp", o, c) for o, c in zip(trace.outputs, given)]
        graph = trace.graph or _followed(checked)
        return tuple(_given_back(bar, trace.as_tensors or graph) for bar in trace.pull(checked, graph))

    return trace.value(), pullback


def value_and_grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """Like :func:`grad`, but the returned function gives ``(value, gradient)``.

    >>> value_and_grad(lambda x: (x * x).sum())(np.array([1.0, 2.0]))
    (5.0, array([2., 4.]))
    """
    chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    @wraps(f)
    def differentiated(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        def of_chosen(*values: Value) -> Any:
            full = list(args)
            for position, value in zip(chosen, values):
                full[position] = value
            return f(*full, **kwargs)

        value, pullback = vjp(of_chosen, *(args[position] for position in chosen))
        if isinstance(value, tuple) or np.size(getattr(value, "data", value)) != 1:
            got = "a tuple" if isinstance(value, tuple) else f"shape {value.shape}"
            raise TapeError(
                f"grad: the function returned {got}, expected a scalar; reduce it, or use vjp with "
                "a cotangent"
            )
        gradients = pullback(np.ones(value.shape, value.dtype))
        if not isinstance(value, Tensor):
            value = value.item()
        return value, (gradients[0] if isinstance(argnums, int) else gradients)

    return differentiated


def grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The gradient of a scalar function with respect to argument ``argnums`` (or several).

    Parameters
    ----------
    f : callable
        Written with operators of ``stn_ref``; its result has one element.
    argnums : int or tuple of int
        Which positional arguments to differentiate; the others go through as they are.

    Returns
    -------
    callable
        Takes what ``f`` takes and returns the gradient (a tuple of them for a tuple ``argnums``), with
        the argument's shape and dtype; arrays for arrays, Tensors for Tensors.

    Raises
    ------
    TapeError
        If the result of ``f`` is no scalar.

    >>> grad(lambda x: (x * x).sum())(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    with_value = value_and_grad(f, argnums)

    @wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return with_value(*args, **kwargs)[1]

    return gradient


def jvp(f: Callable[..., Any], primals: Sequence[Value], tangents: Sequence[Value]) -> tuple[Any, Any]:
    """The value of ``f`` and its derivative along ``tangents``: forward mode.

    The pullback is linear in its cotangent, so the vjp of the pullback is the jvp of ``f``: no
    operator needs a second kind of rule.

    Parameters
    ----------
    f : callable
        As for :func:`vjp`.
    primals, tangents : sequences of arrays or Tensors
        Of equal length, shapes and dtypes.

    Returns
    -------
    out, tangent_out
        Of equal shape and dtype (tuples, if ``f`` returns a tuple).

    Raises
    ------
    ValueError
        If the tangents do not fit the primals.

    >>> jvp(lambda x, y: x * y, (np.array(2.0), np.array(5.0)), (np.array(1.0), np.array(0.0)))
    (array(10.), array(5.))
    """
    if len(primals) != len(tangents):
        raise ValueError(f"jvp: {len(primals)} primals but {len(tangents)} tangents; give one for each")
    bases = [p if isinstance(p, Tensor) else Tensor(p) for p in primals]
    directions = [check_cotangent("jvp", p, t) for p, t in zip(bases, tangents)]
    trace = _Trace.of(f, primals, others=tangents)
    probes = [Tensor(np.zeros(o.shape, o.dtype), requires_grad=True) for o in trace.outputs]
    bars = trace.pull(probes, graph=True)
    pairs = [(b, t) for b, t in zip(bars, directions) if isinstance(b, Tensor) and b.requires_grad]
    roots = [(b._node, _seat(t, trace.graph)) for b, t in pairs]
    with _inside_a_transform():
        found = run(roots, [p._node for p in probes], graph=trace.graph, retain=True)
    moved = [found.get(p._node, np.zeros(p.shape, p.dtype)) for p in probes]
    return trace.value(), trace.like_out(moved)


def _reach_others(results: Sequence[Tensor], known: Sequence[Tensor]) -> bool:
    """Whether the results depend on leaves other than the known tensors."""
    leaves = (n for n in reachable([r._node for r in results if r.requires_grad], 0) if n.operator is None)
    return not set(leaves) <= {k._node for k in known}


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (tuple, list)) else [value]


def _seat(cotangent: Value, graph: bool) -> Value:
    """A cotangent as the rules want it: a Tensor where they are to be recorded, else an array."""
    if graph:
        return cotangent if isinstance(cotangent, Tensor) else Tensor(cotangent)
    return cotangent.data if isinstance(cotangent, Tensor) else cotangent


def _given_back(value: Value, as_tensor: bool) -> Value:
    if as_tensor:
        return value if isinstance(value, Tensor) else Tensor(value)
    return np.array(value.data if isinstance(value, Tensor) else value)  # the caller's own, to write to
