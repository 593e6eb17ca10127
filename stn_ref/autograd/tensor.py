"""`Tensor`: an array that remembers how it was computed."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import check_floating, describe

Array = NDArray[Any]
Value = Any  # an array or a Tensor: what operators take, and give back in kind

OPERATORS: dict[str, Any] = {}  # every operator by name; `differentiable` fills it


_PREDICATES = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "isfinite", "isnan")


def _both_ways(name: str) -> "tuple[Callable[[Tensor, Value], Tensor], Callable[[Tensor, Value], Tensor]]":
    """The methods of a Python operator on the left and on the right."""

    def on_the_left(self: "Tensor", other: Value) -> "Tensor":
        return OPERATORS[name](self, other)  # type: ignore[no-any-return]

    def on_the_right(self: "Tensor", other: Value) -> "Tensor":
        return OPERATORS[name](other, self)  # type: ignore[no-any-return]

    return on_the_left, on_the_right


class Tensor:
    """An n-dimensional array of float16, float32 or float64 with a place on the tape.

    Parameters
    ----------
    data : array_like
        The values; an existing array is shared, not copied. Integers and complex numbers are refused.
    requires_grad : bool
        Whether derivatives with respect to this tensor are wanted. Such a tensor is a *leaf*:
        ``backward`` adds to its ``.grad``, an array of the same shape and dtype, ``None`` before.

    Raises
    ------
    TypeError
        If the dtype is not a floating one.

    Why gradients accumulate: a value used twice reaches the loss by two paths, and the chain rule
    adds the paths up. The same addition goes on over calls of ``backward`` (two half batches give the
    gradient of the whole), so ``zero_grad`` is the caller's to call:

    >>> x = Tensor(3.0, requires_grad=True)
    >>> (x * x).backward()                     # two paths through one product: 3 + 3
    >>> x.grad
    array(6.)
    >>> (x * x).backward(); x.grad             # once more, without x.zero_grad()
    array(12.)
    """

    __slots__ = ("__weakref__", "_made_here", "_node", "data", "grad")
    data: Array
    grad: Array | None
    _made_here: bool
    _node: Any  # where it came from: a tape.Node, a tape.Leaf, or None for a constant

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        if isinstance(data, Tensor):
            data = data.data
        array = np.asarray(data)
        if array.dtype.char not in "efd":
            if not isinstance(data, np.ndarray) and array.dtype.kind in "iub":
                raise TypeError(
                    f"Tensor: data is {describe(data)}, which holds no floating-point numbers; "
                    "derivatives need them: write 3.0 for 3, or use np.asarray(data, dtype=float)"
                )
            check_floating("Tensor", "data", array)
        self.data = array
        self.grad = None
        self._node = None
        self._made_here = False
        if requires_grad:
            self.requires_grad = True

    @classmethod
    def _of(cls, data: Any, node: Any) -> "Tensor":
        tensor = cls.__new__(cls)
        tensor.data = np.asarray(data)
        tensor.grad = None
        tensor._node = node
        tensor._made_here = True  # by an operator, recorded or not
        return tensor

    @property
    def requires_grad(self) -> bool:
        """Whether the tape follows this tensor."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        from .node import Leaf

        if self._node is not None and not self.is_leaf:
            raise ValueError(
                f"Tensor: requires_grad of the result of {self._node.operator.name} cannot be set; "
                "set it on the inputs, or take .detach() of the result"
            )
        if wanted and self._node is None:
            self._node = Leaf(self)
        elif not wanted:
            self._node = None

    @property
    def is_leaf(self) -> bool:
        """Whether this tensor was made by the user and not by an operator."""
        return self._node is None or self._node.operator is None

    def backward(self, cotangent: Any = None, *, retain_graph: bool = False) -> None:
        """Add the vector-Jacobian products of everything computed so far to the leaves' ``.grad``.

        ``cotangent`` has this tensor's shape and dtype; it may be left out for a scalar, where it is 1.
        The recorded intermediates are freed unless ``retain_graph`` is True. For derivatives of
        derivatives use :func:`stn_ref.grad`, which nests.
        """
        from .backward import backward

        backward(self, cotangent, retain_graph)

    def zero_grad(self) -> None:
        """Forget the accumulated gradient."""
        self.grad = None

    def detach(self) -> "Tensor":
        """The same values as a constant."""
        return Tensor._of(self.data, None)

    def item(self) -> float:
        """The value of a tensor with one element as a Python float."""
        return float(self.data.item())

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.data.shape

    @property
    def dtype(self) -> "np.dtype[Any]":
        """The dtype of the array."""
        return self.data.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.data.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.data.size

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator["Tensor"]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        body = np.array2string(self.data, separator=", ", prefix="Tensor(")
        dtype = "" if self.dtype == np.float64 else f", dtype={self.dtype}"
        grad = ", requires_grad=True" if self.requires_grad else ""
        return f"Tensor({body}{dtype}{grad})"

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        if self.requires_grad:
            raise TypeError(
                "Tensor: NumPy cannot follow derivatives, so a tensor that requires them does not turn "
                "into an array by itself; use x.data for the values, or the operators of stn_ref"
            )
        array = self.data if dtype is None else self.data.astype(dtype, copy=False)
        return array.copy() if copy else array

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        """``array * tensor`` and ``np.sin(tensor)``: the operator of that name, if there is one."""
        if ufunc.__name__ in _PREDICATES and method == "__call__":
            return ufunc(*(plain(x) for x in inputs), **settings)
        operator = OPERATORS.get("divide" if ufunc.__name__ == "true_divide" else ufunc.__name__)
        if operator is None or method != "__call__" or settings:
            raise TypeError(
                f"Tensor: NumPy's {ufunc.__name__} cannot follow derivatives here; use the operators of "
                "stn_ref, or x.data for the values"
            )
        return operator(*inputs)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles are leaves of their own, with the same values, ``.grad`` and wish."""
        if not self.is_leaf:
            raise TypeError(
                f"Tensor: the result of {self._node.operator.name} cannot be copied with its history; "
                "take .detach() of it first"
            )
        return _rebuilt, (self.data, self.requires_grad, self.grad)

    def __bool__(self) -> bool:
        return bool(self.data)

    def __float__(self) -> float:
        return self.item()

    # Arithmetic. The operators live in stn_ref.ops and are looked up by name, so that the tape does
    # not depend on them.
    __add__, __radd__ = _both_ways("add")
    __sub__, __rsub__ = _both_ways("subtract")
    __mul__, __rmul__ = _both_ways("multiply")
    __truediv__, __rtruediv__ = _both_ways("divide")
    __pow__, __rpow__ = _both_ways("power")
    __matmul__, __rmatmul__ = _both_ways("matmul")

    def __neg__(self) -> "Tensor":
        return _apply("negative", self)

    def __abs__(self) -> "Tensor":
        return _apply("absolute", self)

    def __getitem__(self, key: Any) -> "Tensor":
        return _apply("index", self, key=key)

    # Comparisons give plain arrays of bool; a tensor can still be a key of a dict, by identity.
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> Any:
        return self.data == plain(other)

    def __ne__(self, other: object) -> Any:
        return self.data != plain(other)

    def __lt__(self, other: Value) -> Any:
        return self.data < plain(other)

    def __le__(self, other: Value) -> Any:
        return self.data <= plain(other)

    def __gt__(self, other: Value) -> Any:
        return self.data > plain(other)

    def __ge__(self, other: Value) -> Any:
        return self.data >= plain(other)

    def sum(self, axis: Any = None, keepdims: bool = False) -> "Tensor":
        """Sum over ``axis`` (all axes if None)."""
        return _apply("sum", self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> "Tensor":
        """Mean over ``axis`` (all axes if None)."""
        return _apply("mean", self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> "Tensor":
        """Maximum over ``axis`` (all axes if None)."""
        return _apply("max", self, axis=axis, keepdims=keepdims)

    def reshape(self, *shape: Any) -> "Tensor":
        """The same elements in another shape."""
        return _apply("reshape", self, shape=shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> "Tensor":
        """The axes in another order (reversed if none is given)."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return _apply("transpose", self, axes=tuple(order) if order else None)

    @property
    def T(self) -> "Tensor":
        """The axes in reversed order."""
        return self.transpose()

    def astype(self, dtype: Any) -> "Tensor":
        """The same values in another floating dtype."""
        return _apply("cast", self, dtype=np.dtype(dtype))


def _rebuilt(data: Array, requires_grad: bool, grad: Array | None) -> Tensor:
    tensor = Tensor(data, requires_grad)
    tensor.grad = grad
    return tensor


def _apply(name: str, *values: Value, **settings: Any) -> Tensor:
    result: Tensor = OPERATORS[name](*values, **settings)
    return result


def plain(value: Value) -> Any:
    """The array behind a Tensor; anything else as it is."""
    return value.data if isinstance(value, Tensor) else value
