"""Matrix products, linear systems and Einstein sums, against NumPy and against their own linearity."""

import numpy as np
import pytest

import stn_ref as s
from stn_ref import grad, vjp

RNG = np.random.default_rng(0)


def integers(*shape):
    """Small whole numbers, so that every sum is exact whatever its order."""
    return RNG.integers(-5, 6, shape).astype(float)


def check_rules(f, *inputs):
    """<out_bar, f(.., d, ..)> == <bar, d> for each argument, exactly: f is linear in each."""
    out, pullback = vjp(f, *inputs)
    out_bar = integers(*out.shape)
    for k, bar in enumerate(pullback(out_bar)):
        assert bar.shape == inputs[k].shape
        direction = integers(*inputs[k].shape)
        moved = f(*inputs[:k], direction, *inputs[k + 1 :])
        assert (moved * out_bar).sum() == (bar * direction).sum()


MATMUL_SHAPES = [
    ((2, 3), (3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((6, 1, 2, 3), (5, 3, 4)),
    ((3,), (3, 4)),
    ((2, 3), (3,)),
    ((3,), (3,)),
    ((3,), (5, 3, 4)),
    ((5, 2, 3), (3,)),
    ((1, 1), (1, 1)),
    ((0, 3), (3, 4)),
    ((2, 0), (0, 4)),
]


@pytest.mark.parametrize(("x_shape", "y_shape"), MATMUL_SHAPES)
def test_matmul_is_numpys_and_its_rules_are_its_transposes(x_shape, y_shape):
    x, y = integers(*x_shape), integers(*y_shape)
    np.testing.assert_array_equal(s.matmul(x, y), np.matmul(x, y))
    check_rules(s.matmul, x, y)


def test_matmul_by_hand():
    x, y = np.array([[1.0, 2.0]]), np.array([[3.0, 0.0], [4.0, 5.0]])
    out, pullback = vjp(s.matmul, x, y)
    np.testing.assert_array_equal(out, [[11, 10]])
    x_bar, y_bar = pullback(np.array([[1.0, 10.0]]))
    np.testing.assert_array_equal(x_bar, [[3, 54]])
    np.testing.assert_array_equal(y_bar, [[1, 10], [2, 20]])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_matmul_keeps_its_dtype(dtype):
    x, y = integers(2, 3).astype(dtype), integers(3, 4).astype(dtype)
    out, pullback = vjp(s.matmul, x, y)
    assert out.dtype == dtype
    np.testing.assert_array_equal(out, x.astype(float) @ y.astype(float))
    assert [bar.dtype for bar in pullback(out)] == [dtype, dtype]


def test_matmul_takes_any_memory():
    x, y = integers(4, 6)[::2, ::2], np.asfortranarray(integers(3, 4))
    x.flags.writeable = y.flags.writeable = False
    np.testing.assert_array_equal(s.matmul(x, y), x.copy() @ y.copy())
    check_rules(s.matmul, x, y)


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("nij,hwj->nhwi", [(2, 2, 3), (4, 5, 3)]),
        ("ij->ji", [(2, 3)]),
        ("ij->", [(2, 3)]),
        ("ij->j", [(2, 3)]),
        ("i,j->ij", [(2,), (3,)]),
        ("i,i->", [(3,), (3,)]),
        ("i,j->", [(2,), (3,)]),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
        ("ab,ab,a->b", [(2, 3), (2, 3), (2,)]),
        (",ij->ij", [(), (2, 3)]),
        ("ij,j->i", [(0, 3), (3,)]),
        ("i j, j k -> i k", [(1, 1), (1, 1)]),
    ],
)
def test_einsum_is_numpys_and_its_rules_are_its_transposes(subscripts, shapes):
    operands = [integers(*shape) for shape in shapes]
    np.testing.assert_array_equal(s.einsum(subscripts, *operands), np.einsum(subscripts, *operands))
    check_rules(lambda *xs: s.einsum(subscripts, *xs), *operands)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_einsum_keeps_its_dtype(dtype):
    x, y = integers(2, 3).astype(dtype), integers(3, 4).astype(dtype)
    out, pullback = vjp(lambda x, y: s.einsum("ij,jk->ki", x, y), x, y)
    assert out.dtype == dtype
    assert [bar.dtype for bar in pullback(out)] == [dtype, dtype]


@pytest.mark.parametrize("subscripts", ["ij,jk", "ii->i", "i...->i", "ij->ii"])
def test_einsum_refuses_subscripts_of_another_form(subscripts):
    with pytest.raises(ValueError, match=r"einsum: subscripts .* are not of the form 'ij,jk->ik'"):
        s.einsum(subscripts, np.ones((2, 2)))


def test_einsum_refuses_operands_that_do_not_fit():
    with pytest.raises(ValueError, match=r"einsum: subscripts 'ij->i' do not fit .*\(2,\)"):
        s.einsum("ij->i", np.ones(2))
    with pytest.raises(ValueError, match=r"einsum: .* do not fit operands of shapes \[\(2, 2\)\]"):
        s.einsum("ij,jk->ik", np.ones((2, 2)))


def test_matmul_refuses_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="matmul"):
        s.matmul(np.ones((2, 3)), np.ones((4, 2)))


def triangular(*shape):
    """Ones on the diagonal and -1, 0, 1 above: elimination divides by 1 alone, so all is exact."""
    return np.triu(RNG.integers(-1, 2, shape), 1) + np.eye(shape[-1])


SOLVE_SHAPES = [
    ((3, 3), (3, 2)),
    ((5, 3, 3), (5, 3, 2)),
    ((5, 3, 3), (3, 2)),  # b has an axis less, which NumPy 1 takes for 3 vectors
    ((3, 3, 3), (3, 3)),
    ((3, 3), (5, 3, 2)),
    ((6, 1, 3, 3), (5, 3, 2)),
    ((5, 1, 1), (1, 4)),
    ((0, 3, 3), (3, 2)),
    ((3, 3), (3, 0)),
    ((0, 0), (0, 2)),
]


@pytest.mark.parametrize(("A_shape", "b_shape"), SOLVE_SHAPES)
def test_solve_undoes_matmul_and_its_rules_are_those_of_the_inverse(A_shape, b_shape):
    A, b = triangular(*A_shape), integers(*b_shape)
    z, pullback = vjp(s.solve, A, b)
    np.testing.assert_array_equal(np.matmul(A, z), np.broadcast_to(b, z.shape))
    z_bar = integers(*z.shape)
    A_bar, b_bar = pullback(z_bar)
    inverse = np.linalg.inv(A) if A.size else A
    pulled = np.matmul(np.swapaxes(inverse, -1, -2), z_bar)
    for found, all_of_it, shape in (
        (b_bar, pulled, b_shape),
        (A_bar, -np.matmul(pulled, np.swapaxes(z, -1, -2)), A_shape),
    ):
        lead = all_of_it.ndim - len(shape)
        summed = all_of_it.sum(axis=tuple(range(lead)))
        repeated = tuple(k for k in range(summed.ndim) if summed.shape[k] != shape[k])
        np.testing.assert_array_equal(found, summed.sum(axis=repeated, keepdims=True))


def test_solve_by_hand():
    A, b = np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([[6.0], [2.0]])
    z, pullback = vjp(s.solve, A, b)
    np.testing.assert_array_equal(z, [[3.0], [0.5]])
    A_bar, b_bar = pullback(np.array([[1.0], [8.0]]))
    np.testing.assert_array_equal(b_bar, [[0.5], [2.0]])
    np.testing.assert_array_equal(A_bar, [[-1.5, -0.25], [-6.0, -1.0]])


def test_solve_has_derivatives_of_every_order():
    def f(a):
        """1 / a."""
        return s.sum_(s.solve(s.reshape(a, shape=(1, 1)), np.ones((1, 1))))

    found = []
    for _ in range(4):
        f = grad(f)
        found.append(float(f(np.array(2.0))))
    assert found == [-1 / 4, 2 / 8, -6 / 16, 24 / 32]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_solve_keeps_its_dtype(dtype):
    A, b = triangular(2, 3, 3).astype(dtype), integers(3, 2).astype(dtype)
    z, pullback = vjp(s.solve, A, b)
    assert z.dtype == dtype
    np.testing.assert_array_equal(z, np.linalg.solve(A.astype(float), b.astype(float)[None]))
    assert [bar.dtype for bar in pullback(z)] == [dtype, dtype]


@pytest.mark.parametrize(
    ("A", "name"),
    [
        (np.ones((2, 2)), "A"),
        (np.stack([np.eye(2), np.eye(2), np.diag([1.0, 0.0]), np.zeros((2, 2))]), r"A\[2\]"),
        (np.stack([np.eye(2), np.array([[1.0, 2.0], [2.0, 4.0]])])[:, None], r"A\[1, 0\]"),
    ],
)
def test_solve_names_the_singular_matrix(A, name):
    message = rf"solve: {name} is singular: its rows depend on each other.* \(given A: float64 array of"
    with pytest.raises(ValueError, match=message):
        s.solve(A, np.ones((2, 1)))


def test_solve_lets_nan_through_beside_other_matrices():
    A = np.stack([np.full((2, 2), np.nan), np.eye(2)])
    z = s.solve(A, np.ones((2, 1)))
    assert np.isnan(z[0]).all()
    np.testing.assert_array_equal(z[1], np.ones((2, 1)))


@pytest.mark.parametrize(
    ("A_shape", "b_shape", "hint"),
    [
        ((2, 3), (2, 1), ""),
        ((2, 2), (3, 1), ""),
        ((2, 2), (2,), r"; for a vector b use b\[\.\.\., None\]"),
        ((4,), (4, 1), ""),
    ],
)
def test_solve_refuses_shapes_that_do_not_fit(A_shape, b_shape, hint):
    with pytest.raises(ValueError, match=rf"solve: A has shape .*\(\.\.\., k, k\) and \(.*m\){hint}"):
        s.solve(np.ones(A_shape), np.ones(b_shape))
