"""Pooling against a literal loop; ties, partial windows and NaN by hand."""

from itertools import product

import numpy as np
import pytest

import stn_ref as s
from stn_ref import avg_pool2d, grad, max_pool2d, vjp

RNG = np.random.default_rng(0)
POOLS = [s.max_pool2d, s.avg_pool2d]
pools = pytest.mark.parametrize("pool", POOLS, ids=lambda pool: pool.__name__)


def literal(pool, x, out_bar, kernel, stride, ceil_mode):
    """Value and cotangent, window by window."""
    N, C, H, W = x.shape
    starts = []
    for size, k, step in zip((H, W), kernel, stride):
        last = size - k if not ceil_mode else min(size - 1, size - k + step - 1)
        starts.append(range(0, last + 1, step))
    out = np.zeros((N, C, *map(len, starts)))
    x_bar = np.zeros_like(x)
    for (a, top), (b, left) in product(*map(enumerate, starts)):
        here = np.s_[:, :, top : top + kernel[0], left : left + kernel[1]]
        window = x[here]
        if pool is s.avg_pool2d:
            out[:, :, a, b] = window.mean((2, 3))
            x_bar[here] += out_bar[:, :, a, b, None, None] / window[0, 0].size
            continue
        for n, c in np.ndindex(N, C):
            flat = window[n, c].ravel()
            i, j = np.unravel_index(flat.argmax(), window[n, c].shape)  # the first maximum
            out[n, c, a, b] = flat.max()
            x_bar[n, c, top + i, left + j] += out_bar[n, c, a, b]
    return out, x_bar


CASES = [
    # shape, kernel, stride, ceil_mode
    ((2, 3, 6, 8), (2, 2), (2, 2), False),
    ((2, 3, 7, 5), (2, 3), (2, 3), False),
    ((2, 3, 7, 5), (2, 3), (2, 3), True),
    ((2, 2, 7, 9), (3, 2), (2, 1), False),  # windows overlap
    ((2, 2, 7, 9), (3, 2), (2, 4), True),
    ((1, 2, 5, 6), (2, 2), (3, 4), False),  # and leave gaps
    ((1, 2, 5, 6), (2, 2), (3, 4), True),
    ((2, 1, 4, 5), (4, 5), (1, 1), False),
    ((2, 1, 1, 1), (1, 1), (1, 1), False),
    ((2, 1, 2, 2), (3, 3), (2, 2), True),  # only a part of one window
    ((2, 1, 4, 7), (1, 4), (4, 4), True),
]
cases = pytest.mark.parametrize(("shape", "kernel", "stride", "ceil_mode"), CASES)


@cases
@pools
def test_values_and_cotangents_are_those_of_the_literal_loop(pool, shape, kernel, stride, ceil_mode):
    x = RNG.integers(-3, 4, shape).astype(float)  # with many ties
    settings = {"kernel_size": kernel, "stride": stride, "ceil_mode": ceil_mode}
    found, pullback = vjp(lambda x: pool(x, **settings), x)
    out_bar = RNG.integers(-9, 10, found.shape).astype(float)
    out, x_bar = literal(pool, x, out_bar, kernel, stride, ceil_mode)
    assert found.shape == out.shape
    # The maximum is exact; a mean is rounded once, its cotangents once each and once a sum.
    places = kernel[0] * kernel[1]
    tolerance = 0 if pool is s.max_pool2d else 2 * places * 9 * np.finfo(float).eps
    np.testing.assert_allclose(found, out, rtol=0, atol=tolerance)
    np.testing.assert_allclose(pullback(out_bar)[0], x_bar, rtol=0, atol=tolerance)
    np.testing.assert_array_equal(pool(x, **settings), found)  # without a tape it is the same


def test_by_hand():
    x = np.array([[[[1.0, 5.0, 2.0, 0.0], [3.0, 4.0, 8.0, 6.0]]]])
    out, pullback = vjp(lambda x: s.max_pool2d(x, kernel_size=2), x)
    np.testing.assert_array_equal(out, [[[[5, 8]]]])
    [x_bar] = pullback(np.array([[[[1.0, 10.0]]]]))
    np.testing.assert_array_equal(x_bar, [[[[0, 1, 0, 0], [0, 0, 10, 0]]]])
    out, pullback = vjp(lambda x: s.avg_pool2d(x, kernel_size=2), x)
    np.testing.assert_array_equal(out, [[[[3.25, 4]]]])
    [x_bar] = pullback(np.array([[[[4.0, 8.0]]]]))
    np.testing.assert_array_equal(x_bar, [[[[1, 1, 2, 2], [1, 1, 2, 2]]]])


def test_of_equal_maxima_the_first_one_has_the_cotangent():
    x = np.array([[[[2.0, 7.0, 7.0], [7.0, 7.0, 7.0]]]])
    [x_bar] = vjp(lambda x: s.max_pool2d(x, kernel_size=(2, 3)), x)[1](np.ones((1, 1, 1, 1)))
    np.testing.assert_array_equal(x_bar, [[[[0, 1, 0], [0, 0, 0]]]])


def test_an_element_in_several_windows_gets_the_sum():
    x = np.array([[[[1.0, 9.0, 2.0]]]])
    settings = {"kernel_size": (1, 2), "stride": 1}
    [x_bar] = vjp(lambda x: s.max_pool2d(x, **settings), x)[1](np.array([[[[1.0, 10.0]]]]))
    np.testing.assert_array_equal(x_bar, [[[[0, 11, 0]]]])
    [x_bar] = vjp(lambda x: s.avg_pool2d(x, **settings), x)[1](np.array([[[[2.0, 20.0]]]]))
    np.testing.assert_array_equal(x_bar, [[[[1, 11, 10]]]])


def test_partial_windows_count_what_they_hold():
    x = np.arange(9.0).reshape(1, 1, 3, 3)
    out, pullback = vjp(lambda x: s.avg_pool2d(x, kernel_size=2, ceil_mode=True), x)
    np.testing.assert_array_equal(out, [[[[2, 3.5], [6.5, 8]]]])
    [x_bar] = pullback(np.array([[[[4.0, 20.0], [200.0, 1000.0]]]]))
    np.testing.assert_array_equal(x_bar, [[[[1, 1, 10], [1, 1, 10], [100, 100, 1000]]]])
    negative = s.max_pool2d(x - 100, kernel_size=2, ceil_mode=True)
    np.testing.assert_array_equal(negative, [[[[-96, -95], [-93, -92]]]])  # no zeros come in


def test_a_window_that_would_start_outside_is_dropped():
    x = np.ones((1, 1, 4, 4))
    assert s.max_pool2d(x, kernel_size=1, stride=3, ceil_mode=True).shape == (1, 1, 2, 2)
    assert s.max_pool2d(x, kernel_size=2, stride=4, ceil_mode=True).shape == (1, 1, 1, 1)


def test_nan_counts_as_largest_and_touches_only_its_own_windows():
    nan = np.nan
    x = np.array([[[[1.0, nan, 3.0, 4.0], [nan, 2.0, 9.0, 0.0]]]])
    out, pullback = vjp(lambda x: s.max_pool2d(x, kernel_size=2), x)
    np.testing.assert_array_equal(out, [[[[nan, 9]]]])
    np.testing.assert_array_equal(s.max_pool2d(x, kernel_size=2), out)
    [x_bar] = pullback(np.array([[[[1.0, 10.0]]]]))
    np.testing.assert_array_equal(x_bar, [[[[0, 1, 0, 0], [0, 0, 10, 0]]]])
    np.testing.assert_array_equal(s.avg_pool2d(x, kernel_size=2), [[[[nan, 4]]]])


def test_infinities_are_maxima_too():
    x = np.array([[[[-np.inf, -np.inf, 1.0, np.inf]]]])
    out, pullback = vjp(lambda x: s.max_pool2d(x, kernel_size=(1, 2)), x)
    np.testing.assert_array_equal(out, [[[[-np.inf, np.inf]]]])
    np.testing.assert_array_equal(pullback(np.array([[[[1.0, 2.0]]]]))[0], [[[[1, 0, 0, 2]]]])


@pools
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtypes_are_kept(pool, dtype):
    x = RNG.integers(-9, 10, (2, 3, 4, 6)).astype(dtype)
    out, pullback = vjp(lambda x: pool(x, kernel_size=2), x)
    assert out.dtype == dtype
    np.testing.assert_array_equal(out, pool(x.astype(float), kernel_size=2))  # quarters: exact
    [x_bar] = pullback(np.ones(out.shape, dtype))
    assert x_bar.dtype == dtype


def test_the_mean_of_large_half_precision_numbers_does_not_overflow():
    x = np.full((1, 1, 2, 2), 30000, np.float16)
    assert s.avg_pool2d(x, kernel_size=2) == 30000


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_the_mean_of_ones_is_one(kernel):
    assert s.avg_pool2d(np.ones((1, 1, kernel, kernel)), kernel_size=kernel) == 1


@pools
def test_memory_order_and_read_only_inputs_do_not_matter(pool):
    x = RNG.normal(size=(2, 3, 6, 7))
    expected, expected_pullback = vjp(lambda x: pool(x, kernel_size=(2, 3)), x)
    out_bar = RNG.normal(size=expected.shape)
    for turned in (
        np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1),
        np.repeat(x, 2, axis=3)[..., ::2],
        np.asfortranarray(x),
    ):
        turned.flags.writeable = False
        out, pullback = vjp(lambda x: pool(x, kernel_size=(2, 3)), turned)
        np.testing.assert_array_equal(out, expected)
        found = pullback(np.asfortranarray(out_bar))[0]
        np.testing.assert_array_equal(found, expected_pullback(out_bar)[0])


@pools
@pytest.mark.parametrize("shape", [(0, 2, 4, 5), (2, 0, 4, 5)])
def test_empty_batches_and_channels(pool, shape):
    out, pullback = vjp(lambda x: pool(x, kernel_size=2), np.ones(shape))
    assert out.shape == (*shape[:2], 2, 2)
    assert pullback(out)[0].shape == shape


@pools
@pytest.mark.parametrize(
    ("shape", "settings", "message"),
    [
        ((2, 4, 5), {"kernel_size": 2}, r"x has shape \(2, 4, 5\), expected \(N, C, H, W\)"),
        ((1, 1, 4, 5), {"kernel_size": 5}, r"a window of \(5, 5\) does not fit .*\(4, 5\)"),
        ((1, 1, 0, 5), {"kernel_size": 1}, r"a window of \(1, 1\) does not fit .*\(0, 5\)"),
        ((1, 1, 4, 5), {"kernel_size": 0}, r"kernel_size is 0, expected .* at least 1"),
        ((1, 1, 4, 5), {"kernel_size": 2.0}, r"kernel_size is 2\.0, expected an int or a pair"),
        ((1, 1, 4, 5), {"kernel_size": 2, "stride": 0}, r"stride is 0, expected .* at least 1"),
    ],
)
def test_refusals(pool, shape, settings, message):
    with pytest.raises(ValueError, match=rf"{pool.__name__}: {message}"):
        pool(np.ones(shape), **settings)


@pools
def test_ceil_mode_is_a_switch(pool):
    with pytest.raises(TypeError, match=rf"{pool.__name__}: ceil_mode is 'yes', expected True or"):
        pool(np.ones((1, 1, 2, 2)), kernel_size=2, ceil_mode="yes")


def test_a_window_may_have_more_places_than_a_short_integer_counts():
    x = np.zeros((1, 1, 200, 200))
    x[0, 0, 190, 150] = 1.0
    g = grad(lambda x: max_pool2d(x, kernel_size=200).sum())(x)
    np.testing.assert_array_equal(g, x)


@pytest.mark.parametrize("pool", [max_pool2d, avg_pool2d])
def test_integers_are_refused(pool):
    with pytest.raises(TypeError, match=r"x has dtype uint8, expected .* use x\.astype"):
        pool(np.zeros((1, 1, 2, 2), np.uint8), kernel_size=2)
