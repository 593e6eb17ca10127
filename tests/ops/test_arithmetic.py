"""Elementwise operators: values, cotangents by hand, broadcasting, ties, dtypes."""

import numpy as np
import pytest
import scipy.special

import stn_ref as s
from stn_ref import Tensor, vjp
from stn_ref.ops.arithmetic import as_dtype, select

INF, NAN = np.inf, np.nan
EPS = np.finfo(float).eps


def cotangents(f, *inputs, output_bar):
    return vjp(f, *inputs)[1](np.asarray(output_bar))


# operator, inputs, value, cotangents for an output cotangent of (1, 10)
BY_HAND = [
    (s.add, ([2.0, 3.0], [5.0, 7.0]), [7, 10], ([1, 10], [1, 10])),
    (s.subtract, ([2.0, 3.0], [5.0, 7.0]), [-3, -4], ([1, 10], [-1, -10])),
    (s.multiply, ([2.0, 3.0], [5.0, 7.0]), [10, 21], ([5, 70], [2, 30])),
    (s.divide, ([2.0, 3.0], [4.0, 8.0]), [0.5, 0.375], ([0.25, 1.25], [-0.125, -0.46875])),
    (s.negative, ([2.0, -3.0],), [-2, 3], ([-1, -10],)),
    (s.power, ([2.0, 1.0], [3.0, 5.0]), [8, 1], ([12, 50], [8 * np.log(2.0), 0])),
    (s.exp, ([0.0, np.log(2.0)],), [1, 2], ([1, 20],)),
    (s.log, ([1.0, 4.0],), [0, np.log(4.0)], ([1, 2.5],)),
    (s.sqrt, ([4.0, 25.0],), [2, 5], ([0.25, 1],)),
    (s.sin, ([0.0, np.pi / 2],), [0, 1], ([1, 0],)),
    (s.cos, ([0.0, np.pi / 2],), [1, 0], ([0, -10],)),
    (s.tanh, ([0.0, np.log(3.0)],), [0, 0.8], ([1, 3.6],)),
    (s.sigmoid, ([0.0, np.log(3.0)],), [0.5, 0.75], ([0.25, 1.875],)),
    (s.relu, ([-2.0, 3.0],), [0, 3], ([0, 10],)),
    (s.absolute, ([-2.0, 3.0],), [2, 3], ([-1, 10],)),
    (s.maximum, ([2.0, 9.0], [5.0, 7.0]), [5, 9], ([0, 10], [1, 0])),
    (s.minimum, ([2.0, 9.0], [5.0, 7.0]), [2, 7], ([1, 0], [0, 10])),
]
operators = pytest.mark.parametrize(
    ("operator", "inputs", "value", "bars"), BY_HAND, ids=[case[0].name for case in BY_HAND]
)


@operators
def test_values_and_cotangents_by_hand(operator, inputs, value, bars):
    arrays = [np.array(x) for x in inputs]
    out, pullback = vjp(operator, *arrays)
    # A few roundings of numbers of at most 100, in the functions and in the values above.
    np.testing.assert_allclose(out, value, rtol=4 * EPS, atol=EPS)
    for found, expected in zip(pullback(np.array([1.0, 10.0])), bars):
        np.testing.assert_allclose(found, expected, rtol=4 * EPS, atol=10 * EPS)


@operators
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtypes_are_kept(operator, inputs, value, bars, dtype):
    arrays = [np.array(x, dtype) for x in inputs]
    out, pullback = vjp(operator, *arrays)
    assert out.dtype == dtype
    found = pullback(np.array([1, 10], dtype))
    assert [bar.dtype for bar in found] == [dtype] * len(arrays)
    accuracy = 8 * np.finfo(dtype).eps
    np.testing.assert_allclose(out, value, rtol=accuracy, atol=accuracy)
    for bar, expected in zip(found, bars):
        np.testing.assert_allclose(bar, expected, rtol=accuracy, atol=10 * accuracy)


@operators
def test_memory_order_and_read_only_inputs_do_not_matter(operator, inputs, value, bars):
    arrays = [np.multiply.outer(np.array(x), np.ones((3, 2))) for x in inputs]
    turned = [np.asfortranarray(x) for x in arrays]
    for x in turned:
        x.flags.writeable = False
    output_bar = np.arange(12.0).reshape(2, 3, 2)
    assert np.array_equal(operator(*arrays), operator(*turned))
    expected = cotangents(operator, *arrays, output_bar=output_bar)
    found = cotangents(operator, *turned, output_bar=output_bar[:, ::-1, ::-1][:, ::-1, ::-1])
    assert all(np.array_equal(a, b) for a, b in zip(found, expected))


@operators
def test_empty_and_single_elements(operator, inputs, value, bars):
    empty = [np.ones((2, 0, 3))] * len(inputs)
    out, pullback = vjp(operator, *empty)
    assert out.shape == (2, 0, 3)
    assert all(bar.shape == (2, 0, 3) for bar in pullback(out))
    single = [np.array(x[1:2]).reshape(1, 1) for x in inputs]
    out, pullback = vjp(operator, *single)
    np.testing.assert_allclose(out, [[value[1]]], rtol=4 * EPS, atol=EPS)
    assert all(bar.shape == (1, 1) for bar in pullback(out))


@pytest.mark.parametrize("operator", [s.add, s.subtract, s.multiply, s.divide, s.power, s.maximum, s.minimum])
def test_broadcast_arguments_get_the_sum_over_their_copies(operator):
    rng = np.random.default_rng(0)
    x, y = rng.uniform(1, 2, (2, 1, 4)), rng.uniform(1, 2, (3, 1))
    z_bar = rng.normal(size=(2, 3, 4))
    full = [np.broadcast_to(a, z_bar.shape).copy() for a in (x, y)]
    x_bar, y_bar = cotangents(operator, x, y, output_bar=z_bar)
    x_full, y_full = cotangents(operator, *full, output_bar=z_bar)
    bound = 8 * EPS * 8  # sums of at most 8 numbers of at most 8
    np.testing.assert_allclose(x_bar, x_full.sum(1, keepdims=True), rtol=0, atol=bound)
    np.testing.assert_allclose(y_bar, y_full.sum(0).sum(1, keepdims=True), rtol=0, atol=bound)


@operators
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_scalars_keep_their_dtype_in_values_and_cotangents(operator, inputs, value, bars, dtype):
    scalars = [np.array(x[1], dtype) for x in inputs]
    out, pullback = vjp(operator, *scalars)
    assert out.dtype == dtype
    accuracy = 8 * np.finfo(dtype).eps
    np.testing.assert_allclose(out, value[1], rtol=accuracy, atol=accuracy)
    for bar, expected in zip(pullback(np.array(10, dtype)), bars, strict=True):
        assert (bar.dtype, bar.shape) == (dtype, ())
        np.testing.assert_allclose(bar, expected[1], rtol=accuracy, atol=10 * accuracy)


def test_arrays_in_arrays_out_and_tensors_in_tensors_out():
    x = np.ones(2)
    assert type(s.add(x, x)) is np.ndarray
    assert isinstance(s.add(Tensor(x), x), Tensor)
    assert isinstance(s.add(x, Tensor(x)), Tensor)


# Kinks and ties


def test_relu_and_absolute_have_slope_zero_at_zero():
    zeros = np.array([0.0, -0.0])
    for operator in (s.relu, s.absolute):
        [x_bar] = cotangents(operator, zeros, output_bar=[1.0, 1.0])
        np.testing.assert_array_equal(x_bar, [0, 0])


@pytest.mark.parametrize("operator", [s.maximum, s.minimum])
def test_equal_numbers_share_the_slope(operator):
    x = np.array([3.0, 3.0])
    for bar in cotangents(operator, x, x, output_bar=[1.0, 10.0]):
        np.testing.assert_array_equal(bar, [0.5, 5.0])
    [bar] = cotangents(lambda x: operator(x, 3.0), x, output_bar=[1.0, 10.0])
    np.testing.assert_array_equal(bar, [0.5, 5.0])


# Edges of domains


def test_power_at_zero():
    x = np.array([0.0, 0.0, 0.0])
    y = np.array([0.0, 1.0, 2.0])
    x_bar, y_bar = cotangents(s.power, x, y, output_bar=np.ones(3))
    np.testing.assert_array_equal(x_bar, [0, 1, 0])
    np.testing.assert_array_equal(y_bar, [0, 0, 0])
    for exponent, slope in ((0, 0), (1, 1), (2, 0)):
        [x_bar] = cotangents(lambda x, k=exponent: s.power(x, k), x, output_bar=np.ones(3))
        np.testing.assert_array_equal(x_bar, [slope] * 3)


def test_power_of_a_negative_number_to_a_whole_exponent():
    [x_bar] = cotangents(lambda x: s.power(x, 3), np.array([-2.0]), output_bar=[1.0])
    np.testing.assert_array_equal(x_bar, [12.0])


@pytest.mark.parametrize("base", [2.0, 2, 0.0, np.array([2.0]), np.array([0.0])])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_power_of_a_constant_base(base, dtype):
    y = np.array([3.0], dtype)
    base = base.astype(dtype) if isinstance(base, np.ndarray) else base
    [y_bar] = cotangents(lambda y: s.power(base, y), y, output_bar=np.ones(1, dtype))
    assert y_bar.dtype == dtype
    expected = [8 * np.log(2.0)] if np.all(base) else [0.0]
    np.testing.assert_allclose(y_bar, expected, rtol=4 * np.finfo(dtype).eps)


def test_sigmoid_agrees_with_scipy_and_never_overflows():
    x = np.concatenate([np.linspace(-30, 30, 121), [-1e4, 1e4, -INF, INF]])
    # 1 + tanh cancels on the far left: the error is absolute there.
    np.testing.assert_allclose(s.sigmoid(x), scipy.special.expit(x), rtol=4 * EPS, atol=EPS)
    assert not np.isnan(cotangents(s.sigmoid, x, output_bar=np.ones_like(x))[0]).any()


@pytest.mark.parametrize("operator", [s.tanh, s.sigmoid, s.relu, s.exp, s.negative, s.absolute])
def test_nan_goes_through(operator):
    out = operator(np.array([NAN, 1.0]))
    assert np.isnan(out).tolist() == [True, False]


# where and cast


def test_where_sends_each_cotangent_to_what_was_taken():
    condition = np.array([True, False, True])
    x, y = np.array([1.0, 2.0, 3.0]), np.array([[4.0], [5.0]])
    out, pullback = vjp(lambda x, y: s.where(condition, x, y), x, y)
    np.testing.assert_array_equal(out, [[1, 4, 3], [1, 5, 3]])
    x_bar, y_bar = pullback(np.array([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]]))
    np.testing.assert_array_equal(x_bar, [9, 0, 36])
    np.testing.assert_array_equal(y_bar, [[2], [16]])
    assert np.array_equal(select(x, y, condition=condition), out)


def test_where_keeps_what_was_not_taken_out_of_the_cotangent():
    x = np.array([0.0, 1.0])
    [x_bar] = cotangents(lambda x: s.where(x > 0.0, x, np.zeros(2)), x, output_bar=np.array([INF, 1.0]))
    np.testing.assert_array_equal(x_bar, [0, 1])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("to", [np.float16, np.float32, np.float64])
def test_cast_changes_the_dtype_of_the_value_and_its_cotangent_comes_back(dtype, to):
    out, pullback = vjp(lambda x: s.cast(x, dtype=to), np.array([0.5, 3.0], dtype))
    assert out.dtype == to
    [x_bar] = pullback(np.array([0.25, 2.0], to))
    assert x_bar.dtype == dtype
    np.testing.assert_array_equal(x_bar, [0.25, 2.0])


def test_as_dtype_casts_only_where_needed():
    x = np.ones(2, np.float32)
    assert as_dtype(x, np.float32) is x
    assert as_dtype(x, np.float64).dtype == np.float64


def test_shapes_that_do_not_broadcast_are_refused():
    with pytest.raises(ValueError, match="broadcast"):
        s.add(np.ones(2), np.ones(3))


def test_sigmoid_is_exact_far_to_the_left():
    x = np.array([-40.0, -700.0, 0.0, 40.0])
    np.testing.assert_allclose(s.sigmoid(x), scipy.special.expit(x), rtol=1e-15)
