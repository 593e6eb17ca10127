"""Operators that move elements: values as in NumPy, and their rules are their transposes."""

import numpy as np
import pytest

import stn_ref as s
from stn_ref import Tensor, vjp

RNG = np.random.default_rng(0)
X = np.arange(24.0).reshape(2, 3, 4)

MOVES = {
    "reshape": (lambda x: s.reshape(x, shape=(4, -1)), lambda x: x.reshape(4, -1)),
    "transpose": (s.transpose, lambda x: x.T),
    "transpose axes": (
        lambda x: s.transpose(x, axes=(1, 2, 0)),
        lambda x: x.transpose(1, 2, 0),
    ),
    "transpose negative axes": (
        lambda x: s.transpose(x, axes=(0, -1, 1)),
        lambda x: x.transpose(0, 2, 1),
    ),
    "broadcast_to": (
        lambda x: s.broadcast_to(x[:, :1], shape=(5, 2, 3, 4)),
        lambda x: np.broadcast_to(x[:, :1], (5, 2, 3, 4)),
    ),
    "slices": (lambda x: s.index(x, key=(1, slice(None, None, 2))), lambda x: x[1, ::2]),
    "backwards": (lambda x: s.index(x, key=np.s_[..., ::-1]), lambda x: x[..., ::-1]),
    "new axis": (lambda x: s.index(x, key=np.s_[:, None, 0]), lambda x: x[:, None, 0]),
    "list": (lambda x: s.index(x, key=[1, 1, 0, 1]), lambda x: x[[1, 1, 0, 1]]),
    "arrays": (
        lambda x: s.index(x, key=(np.array([0, 1, 0]), np.array([2, 2, 2]))),
        lambda x: x[[0, 1, 0], [2, 2, 2]],
    ),
    "mask": (lambda x: s.index(x, key=X > 10), lambda x: x[X > 10]),
    "pad": (
        lambda x: s.pad(x, widths=((0, 1), (2, 0), (0, 0))),
        lambda x: np.pad(x, ((0, 1), (2, 0), (0, 0))),
    ),
    "concatenate": (
        lambda x: s.concatenate([x, x[:, :1], x * 2.0], axis=1),
        lambda x: np.concatenate([x, x[:, :1], x * 2.0], axis=1),
    ),
    "stack": (lambda x: s.stack([x, x], axis=-1), lambda x: np.stack([x, x], axis=-1)),
    "scatter": (
        lambda x: s.scatter(x, key=[0, 2], shape=(4, 3, 4)),
        lambda x: np.stack([x[0], 0 * x[0], x[1], 0 * x[0]]),
    ),
}
moves = pytest.mark.parametrize(("ours", "numpys"), list(MOVES.values()), ids=list(MOVES))


def transpose_of(linear, x, output_bar):
    """The transpose of a linear map, column by column from its values on unit arrays."""
    bar = np.zeros_like(x)
    for place in np.ndindex(*x.shape):
        unit = np.zeros_like(x)
        unit[place] = 1
        bar[place] = (linear(unit) * output_bar).sum()
    return bar


@moves
def test_values_are_those_of_numpy(ours, numpys):
    np.testing.assert_array_equal(ours(X), numpys(X))


@moves
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_rule_is_the_transpose(ours, numpys, dtype):
    out, pullback = vjp(ours, X.astype(dtype))
    assert out.dtype == dtype
    output_bar = RNG.integers(-9, 10, out.shape).astype(dtype)
    [bar] = pullback(output_bar)
    assert bar.dtype == dtype
    np.testing.assert_array_equal(bar, transpose_of(numpys, X, output_bar))  # integers: exact


@moves
def test_memory_order_and_read_only_inputs_do_not_matter(ours, numpys):
    turned = np.asfortranarray(X)
    turned.flags.writeable = False
    assert np.array_equal(ours(turned), ours(X))
    out_bar = np.asfortranarray(RNG.integers(-9, 10, numpys(X).shape).astype(float))
    out_bar.flags.writeable = False
    assert np.array_equal(vjp(ours, turned)[1](out_bar)[0], vjp(ours, X)[1](np.ascontiguousarray(out_bar))[0])


def test_an_element_taken_twice_gets_both_cotangents():
    out, pullback = vjp(lambda x: s.index(x, key=[0, 2, 0]), np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(out, [1, 3, 1])
    np.testing.assert_array_equal(pullback(np.array([1.0, 10.0, 100.0]))[0], [101, 0, 10])


def test_scatter_adds_where_an_element_is_named_twice():
    y = np.array([1.0, 10.0, 100.0])
    out, pullback = vjp(lambda y: s.scatter(y, key=[3, 0, 3], shape=(5,)), y)
    np.testing.assert_array_equal(out, [10, 0, 0, 101, 0])
    np.testing.assert_array_equal(pullback(np.arange(5.0))[0], [3, 0, 3])


def test_concatenate_gives_each_its_own_part():
    x, y = np.ones((2, 1)), np.ones((2, 2))
    bars = vjp(lambda x, y: s.concatenate([x, y], axis=-1), x, y)[1](np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(bars[0], [[0], [3]])
    np.testing.assert_array_equal(bars[1], [[1, 2], [4, 5]])


def test_stack_makes_a_new_axis():
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    for axis in (0, 1, -1, -2):
        np.testing.assert_array_equal(s.stack([x, y], axis=axis), np.stack([x, y], axis=axis))
    bars = vjp(lambda x, y: s.stack([x, y], axis=1), x, y)[1](np.array([[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_array_equal(bars, [[1, 3], [2, 4]])
    assert isinstance(s.stack([Tensor(x), y]), Tensor)


def test_pad_with_a_value_of_its_own():
    out, pullback = vjp(lambda x: s.pad(x, widths=((1, 2),), value=-7.0), np.array([1.0, 2.0]))
    np.testing.assert_array_equal(out, [-7, 1, 2, -7, -7])
    np.testing.assert_array_equal(pullback(np.arange(5.0))[0], [1, 2])


def test_empty_arrays():
    empty = np.ones((0, 3))
    for f in (
        lambda x: s.reshape(x, shape=(3, 0)),
        s.transpose,
        lambda x: s.index(x, key=np.s_[:, 1]),
        lambda x: s.index(x, key=[]),
        lambda x: s.concatenate([x, x]),
        lambda x: s.stack([x, x]),
        lambda x: s.pad(x, widths=((0, 2), (1, 0))),
        lambda x: s.broadcast_to(x, shape=(2, 0, 3)),
    ):
        out, pullback = vjp(f, empty)
        [bar] = pullback(np.ones(out.shape))
        assert bar.shape == (0, 3)


def test_scalars_can_be_reshaped_and_broadcast():
    out, pullback = vjp(lambda x: s.broadcast_to(x, shape=(2, 3)), np.array(5.0))
    assert out.shape == (2, 3)
    assert pullback(np.ones((2, 3)))[0] == 6.0
    out, pullback = vjp(lambda x: s.reshape(x, shape=(1, 1)), np.array(5.0))
    assert pullback(out)[0].shape == ()


def test_refusals():
    with pytest.raises(ValueError, match=r"pad: widths is \(\(1, 1\),\), expected a pair .* 2 axes"):
        s.pad(np.ones((2, 2)), widths=((1, 1),))
    with pytest.raises(ValueError, match=r"stack: got no arrays, expected at least one"):
        s.stack([])
    with pytest.raises(ValueError, match="reshape"):
        s.reshape(np.ones(4), shape=(3,))
    with pytest.raises(IndexError, match="out of bounds"):
        s.index(np.ones(4), key=4)
