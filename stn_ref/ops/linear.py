"""Matrix products, linear systems and Einstein sums."""

import numpy as np

from ..autograd.backward import sum_to_shape
from ..autograd.tape import differentiable
from ..autograd.tensor import Value, plain
from .shaping import broadcast_to, reshape, transpose


@differentiable()
def matmul(x: Value, y: Value) -> Value:
    """The matrix product x @ y over the last two axes; the others broadcast; vectors as in NumPy.

    >>> matmul(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]))
    array([[11.]])
    """
    return np.matmul(x, y)


def _swap(x: Value) -> Value:
    return transpose(x, axes=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _as_matrices(z_bar: Value, x: Value, y: Value) -> tuple[Value, Value, Value]:
    """The same product with vectors written as one-row and one-column matrices."""
    x_2, y_2 = x, y
    if y.ndim == 1:
        y_2 = reshape(y, shape=(-1, 1))
        z_bar = reshape(z_bar, shape=(*z_bar.shape, 1))
    if x.ndim == 1:
        x_2 = reshape(x, shape=(1, -1))
        z_bar = reshape(z_bar, shape=(*z_bar.shape[:-1], 1, z_bar.shape[-1]))
    return z_bar, x_2, y_2


@matmul.vjp("x")
def _(z_bar: Value, x: Value, y: Value) -> Value:
    z_bar, x_2, y_2 = _as_matrices(z_bar, x, y)
    return reshape(sum_to_shape(matmul(z_bar, _swap(y_2)), x_2.shape), shape=x.shape)


@matmul.vjp("y")
def _(z_bar: Value, x: Value, y: Value) -> Value:
    z_bar, x_2, y_2 = _as_matrices(z_bar, x, y)
    return reshape(sum_to_shape(matmul(_swap(x_2), z_bar), y_2.shape), shape=y.shape)


@differentiable()
def solve(A: Value, b: Value) -> Value:
    """The z with A z = b over the last two axes; the others broadcast.

    ``A`` is (..., k, k), ``b`` (..., k, m), always a matrix, the result (..., k, m).

    Raises
    ------
    ValueError
        If the shapes are of another form, or a matrix is singular: elimination meets a pivot of exactly 0.

    >>> solve(np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([[1.0], [1.0]]))
    array([[0.5 ],
           [0.25]])
    """
    A, b = np.asarray(A), np.asarray(b)
    if A.ndim < 2 or b.ndim < 2 or not A.shape[-2] == A.shape[-1] == b.shape[-2]:
        hint = "; for a vector b use b[..., None]" if b.ndim == 1 else ""
        raise ValueError(
            f"solve: A has shape {A.shape} and b {b.shape}, expected (..., k, k) and (..., k, m){hint}"
        )
    b = b.reshape(*(1,) * (A.ndim - b.ndim), *b.shape)  # NumPy 1 takes b with an axis less for vectors
    try:
        return np.linalg.solve(A, b)
    except np.linalg.LinAlgError:
        first = np.argwhere(np.linalg.slogdet(A)[0] == 0)[:1].ravel().tolist()
        raise ValueError(
            f"solve: A{first or ''} is singular: its rows depend on each other, so that no "
            "single z has A z = b; expected matrices of full rank, so leave it out or regularise it"
        ) from None


@solve.vjp("A")  # A z = b moves by dA z + A dz = 0
def _(z_bar: Value, A: Value, output: Value) -> Value:
    b_bar = solve(_swap(A), z_bar)
    return sum_to_shape(-matmul(b_bar, _swap(output)), A.shape)


@solve.vjp("b")
def _(z_bar: Value, A: Value, b_shape: tuple[int, ...]) -> Value:
    return sum_to_shape(solve(_swap(A), z_bar), b_shape)


@differentiable()
def einsum_(*operands: Value, subscripts: str) -> Value:
    """See :func:`einsum`."""
    in_order = [np.asarray(x, order="C") for x in operands]  # else the last bits depend on memory
    return np.einsum(subscripts, *in_order, optimize=len(operands) > 2)


@einsum_.vjp("operands")
def _(z_bar: Value, i: int, operands: tuple[Value, ...], subscripts: str) -> Value:
    inputs, out = subscripts.split("->")
    letters = inputs.split(",")
    others = [k for k in range(len(operands)) if k != i]
    elsewhere = set(out).union(*(letters[k] for k in others))
    found = "".join(c for c in letters[i] if c in elsewhere)
    terms = ",".join([out, *(letters[k] for k in others)])
    x_bar = einsum(f"{terms}->{found}", z_bar, *(operands[k] for k in others))
    # An index summed in this operand alone: its cotangent is the same all along it.
    shape = operands[i].shape
    x_bar = reshape(x_bar, shape=tuple(n if c in found else 1 for c, n in zip(letters[i], shape)))
    return broadcast_to(x_bar, shape=shape)


def einsum(subscripts: str, *operands: Value) -> Value:
    """Sums of products by Einstein's convention, for instance "nij,hwj->nhwi".

    The result's indices are written out, an index stands once in an operand, and ``...`` is not used.

    Raises
    ------
    ValueError
        If the subscripts are of another form, or do not fit the operands.

    >>> einsum("ij,j->i", np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 10.0]))
    array([21., 43.])
    """
    text = subscripts.replace(" ", "")
    inputs, arrow, out = text.partition("->")
    letters = inputs.split(",")
    if not arrow or "." in text or any(len(set(t)) < len(t) for t in (*letters, out)):
        raise ValueError(
            f"einsum: subscripts {subscripts!r} are not of the form 'ij,jk->ik': write the result's "
            "indices, use an index once in an operand, and no '...'"
        )
    shapes = [np.shape(plain(x)) for x in operands]
    if [len(t) for t in letters] != [len(shape) for shape in shapes]:
        raise ValueError(
            f"einsum: subscripts {subscripts!r} do not fit operands of shapes {shapes}; "
            "each operand needs one letter for each axis"
        )
    sizes: dict[str, int] = {}
    for letter, size in zip("".join(letters), (n for shape in shapes for n in shape)):
        if sizes.setdefault(letter, size) != size:
            raise ValueError(
                f"einsum: index {letter!r} of {subscripts!r} has sizes {sizes[letter]} and {size} in "
                f"operands of shapes {shapes}; an index has one size"
            )
    return einsum_(*operands, subscripts=text)
