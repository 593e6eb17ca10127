"""Matrix products and Einstein sums, against NumPy and against their own linearity."""

import numpy as np
import pytest

import stn_ref as s
from stn_ref import vjp

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
