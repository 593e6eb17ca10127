"""Sums, means, maxima and log-sum-exp: values against NumPy and SciPy, cotangents by hand."""

import numpy as np
import pytest
import scipy.special

import stn_ref as s
from stn_ref import vjp

EPS = np.finfo(float).eps
AXES = [None, 0, 1, -1, (0, 2), (-1, 0), (0, 1, 2)]
REFERENCE = {
    s.sum_: np.sum,
    s.mean: np.mean,
    s.max_: np.max,
    s.logsumexp: scipy.special.logsumexp,
}
reductions = pytest.mark.parametrize("operator", list(REFERENCE), ids=lambda op: op.name)


def cotangents(f, *inputs, output_bar):
    return vjp(f, *inputs)[1](np.asarray(output_bar))


@reductions
@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("keepdims", [True, False])
def test_values_are_those_of_numpy_and_scipy(operator, axis, keepdims):
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    found = operator(x, axis=axis, keepdims=keepdims)
    expected = REFERENCE[operator](x, axis=axis, keepdims=keepdims)
    assert found.shape == expected.shape
    # At most 24 terms, of at most e^3 under the exponential.
    np.testing.assert_allclose(found, expected, rtol=24 * EPS, atol=24 * EPS)


BY_HAND = [
    # axis, cotangents of sum, mean and max for an output cotangent of ones, tens, hundreds
    (None, 100.0, [[100, 100, 100], [100, 100, 100]], [[0, 0, 0], [0, 100, 0]]),
    (0, [1.0, 10.0, 100.0], [[1, 10, 100], [1, 10, 100]], [[0, 0, 100], [1, 10, 0]]),
    (1, [1.0, 10.0], [[1, 1, 1], [10, 10, 10]], [[0, 0, 1], [0, 10, 0]]),
    ((0, 1), 100.0, [[100, 100, 100], [100, 100, 100]], [[0, 0, 0], [0, 100, 0]]),
]


@pytest.mark.parametrize("keepdims", [True, False])
@pytest.mark.parametrize(("axis", "output_bar", "of_sum", "of_max"), BY_HAND)
def test_cotangents_by_hand(axis, output_bar, of_sum, of_max, keepdims):
    x = np.array([[1.0, 2.0, 6.0], [4.0, 7.0, 3.0]])
    output_bar = np.array(output_bar)
    if keepdims:
        output_bar = output_bar.reshape(np.sum(x, axis=axis, keepdims=True).shape)
    settings = {"axis": axis, "keepdims": keepdims}
    [bar] = cotangents(lambda x: s.sum_(x, **settings), x, output_bar=output_bar)
    np.testing.assert_array_equal(bar, of_sum)
    [bar] = cotangents(lambda x: s.mean(x, **settings), x, output_bar=output_bar)
    np.testing.assert_array_equal(bar, np.array(of_sum) / (x.size / output_bar.size))
    [bar] = cotangents(lambda x: s.max_(x, **settings), x, output_bar=output_bar)
    np.testing.assert_array_equal(bar, of_max)
    [bar] = cotangents(lambda x: s.logsumexp(x, **settings), x, output_bar=output_bar)
    softmax = scipy.special.softmax(x, axis=axis)
    np.testing.assert_allclose(bar, np.array(of_sum) * softmax, rtol=16 * EPS)


def test_equal_maxima_share_the_slope():
    x = np.array([[5.0, 5.0, 1.0], [2.0, 2.0, 2.0]])
    [bar] = cotangents(lambda x: s.max_(x, axis=1), x, output_bar=[6.0, 30.0])
    np.testing.assert_array_equal(bar, [[3, 3, 0], [10, 10, 10]])


def test_nan_counts_as_largest_and_touches_only_its_own_row():
    x = np.array([[1.0, np.nan, 3.0], [1.0, 2.0, 0.0]])
    out, pullback = vjp(lambda x: s.max_(x, axis=1), x)
    np.testing.assert_array_equal(out, [np.nan, 2.0])
    np.testing.assert_array_equal(pullback(np.array([1.0, 10.0]))[0], [[0, 1, 0], [0, 10, 0]])


def test_the_maximum_may_be_infinite():
    x = np.array([-np.inf, np.inf, 1.0])
    out, pullback = vjp(s.max_, x)
    assert out == np.inf
    np.testing.assert_array_equal(pullback(np.array(3.0))[0], [0, 3, 0])


def test_logsumexp_neither_overflows_nor_underflows():
    for shift in (-1e4, 1e4):
        x = np.array([0.0, 1.0, 2.0])
        found = s.logsumexp(x + shift) - shift
        # The sum is exact to the rounding of a number of the size of the shift.
        assert abs(found - s.logsumexp(x)) <= 4 * EPS * abs(shift)
    inf = np.inf
    assert s.logsumexp(np.array([-inf, -inf])) == -inf
    assert s.logsumexp(np.array([-inf, 3.0])) == 3.0
    assert s.logsumexp(np.array([inf, 1000.0])) == inf
    [bar] = cotangents(s.logsumexp, np.array([-inf, 3.0]), output_bar=2.0)
    np.testing.assert_array_equal(bar, [0, 2])


@reductions
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtypes_are_kept(operator, dtype):
    x = np.arange(6, dtype=dtype).reshape(2, 3)
    for axis in (None, 1):
        out, pullback = vjp(lambda x, a=axis: operator(x, axis=a), x)
        assert out.dtype == dtype
        [bar] = pullback(np.ones(out.shape, dtype))
        assert bar.dtype == dtype
        total = x.size if operator is s.sum_ else out.size  # the others share out what comes
        accuracy = x.size * np.finfo(dtype).eps
        np.testing.assert_allclose(bar.astype(float).sum(), total, rtol=accuracy)


def test_half_precision_is_summed_in_single():
    x = np.full(4096, 1.0, np.float16)
    assert s.sum_(x) == 4096  # float16 alone sticks at 2048
    assert s.mean(np.full(10, 60000, np.float16)) == 60000  # and overflows here


@reductions
def test_memory_order_and_read_only_inputs_do_not_matter(operator):
    x = np.random.default_rng(1).integers(-8, 8, (3, 4, 5)) / 4
    turned = np.asfortranarray(x)
    turned.flags.writeable = False
    settings = {"axis": (0, 2)}
    output_bar = np.array([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(operator(turned, **settings), operator(x, **settings), rtol=16 * EPS)
    found = cotangents(lambda x: operator(x, **settings), turned, output_bar=output_bar)[0]
    expected = cotangents(lambda x: operator(x, **settings), x, output_bar=output_bar)[0]
    np.testing.assert_allclose(found, expected, rtol=16 * EPS)


@reductions
def test_scalars_and_single_elements(operator):
    for x in (np.array(3.0), np.full((1, 1), 3.0)):
        out, pullback = vjp(operator, x)
        assert out.shape == ()
        assert out == 3.0
        [bar] = pullback(np.array(5.0))
        assert bar.shape == x.shape
        assert bar == 5.0


@reductions
def test_reducing_along_one_axis_beside_an_empty_one(operator):
    x = np.ones((3, 0))
    out, pullback = vjp(lambda x: operator(x, axis=0), x)
    assert out.shape == (0,)
    assert pullback(out)[0].shape == (3, 0)


def test_an_empty_sum_is_zero_and_an_empty_maximum_is_refused():
    assert s.sum_(np.ones((2, 0)), axis=1).tolist() == [0, 0]
    assert s.logsumexp(np.ones((2, 0)), axis=1).tolist() == [-np.inf, -np.inf]
    with pytest.raises(ValueError, match="zero-size"):
        s.max_(np.ones((2, 0)), axis=1)


@reductions
def test_an_axis_that_is_not_there_is_refused(operator):
    with pytest.raises(ValueError, match="axis 2 is out of bounds"):
        operator(np.ones((2, 3)), axis=2)
