"""conv2d against a literal loop, against SciPy, and against its own linearity."""

import numpy as np
import pytest
import scipy.signal

import stn_ref as s
from stn_ref import vjp

RNG = np.random.default_rng(0)


def integers(*shape):
    """Small whole numbers, so that every sum is exact whatever its order."""
    return RNG.integers(-5, 6, shape).astype(float)


def literal(x, weight, stride, padding):
    """The definition, one multiplication at a time."""
    N, C, H, W = x.shape
    O, _, kh, kw = weight.shape
    OH = (H + 2 * padding[0] - kh) // stride[0] + 1
    OW = (W + 2 * padding[1] - kw) // stride[1] + 1
    y = np.zeros((N, O, OH, OW))
    for n, o, c in np.ndindex(N, O, C):
        for oh, ow, i, j in np.ndindex(OH, OW, kh, kw):
            h, w = oh * stride[0] + i - padding[0], ow * stride[1] + j - padding[1]
            if 0 <= h < H and 0 <= w < W:
                y[n, o, oh, ow] += x[n, c, h, w] * weight[o, c, i, j]
    return y


CASES = [
    # x, weight, stride, padding
    ((2, 3, 5, 6), (4, 3, 3, 2), (1, 1), (0, 0)),
    ((2, 3, 5, 6), (4, 3, 3, 2), (2, 1), (1, 2)),
    ((2, 1, 7, 5), (1, 1, 2, 3), (3, 2), (0, 1)),
    ((1, 2, 4, 4), (3, 2, 4, 4), (1, 1), (0, 0)),
    ((3, 2, 5, 4), (2, 2, 1, 1), (2, 3), (0, 0)),
    ((1, 1, 1, 1), (1, 1, 1, 1), (1, 1), (0, 0)),
    ((2, 2, 2, 3), (2, 2, 5, 3), (4, 1), (2, 0)),  # the window only just fits
    ((0, 2, 4, 5), (3, 2, 2, 2), (1, 1), (0, 0)),
    ((2, 0, 4, 5), (3, 0, 2, 2), (1, 1), (0, 0)),
    ((2, 2, 4, 5), (0, 2, 2, 2), (1, 1), (0, 0)),
]
cases = pytest.mark.parametrize(("x_shape", "w_shape", "stride", "padding"), CASES)


@cases
def test_values_are_those_of_the_literal_loop(x_shape, w_shape, stride, padding):
    x, weight = integers(*x_shape), integers(*w_shape)
    found = s.conv2d(x, weight, stride=stride, padding=padding)
    expected = literal(x, weight, stride, padding)
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)


@cases
def test_rules_are_the_transposes_of_the_literal_loop(x_shape, w_shape, stride, padding):
    x, weight = integers(*x_shape), integers(*w_shape)
    out, pullback = vjp(lambda x, w: s.conv2d(x, w, stride=stride, padding=padding), x, weight)
    out_bar = integers(*out.shape)
    x_bar, w_bar = pullback(out_bar)
    assert (x_bar.shape, w_bar.shape) == (x.shape, weight.shape)
    for _ in range(3):
        d = integers(*x_shape)
        assert (literal(d, weight, stride, padding) * out_bar).sum() == (d * x_bar).sum()
        d = integers(*w_shape)
        assert (literal(x, d, stride, padding) * out_bar).sum() == (d * w_bar).sum()


def test_values_are_those_of_scipy():
    x, weight = integers(2, 3, 7, 9), integers(4, 3, 3, 4)
    expected = [
        [sum(scipy.signal.correlate2d(c, k, "valid") for c, k in zip(image, kernel, strict=True))
         for kernel in weight]
        for image in x
    ]  # fmt: skip
    np.testing.assert_array_equal(s.conv2d(x, weight), expected)


def test_by_hand():
    x = np.array([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]])
    weight = np.array([[[[1.0, 10.0]]]])
    out, pullback = vjp(s.conv2d, x, weight, np.array([100.0]))
    np.testing.assert_array_equal(out, [[[[121, 132], [154, 165]]]])
    x_bar, w_bar, b_bar = pullback(np.array([[[[1.0, 2.0], [3.0, 4.0]]]]))
    np.testing.assert_array_equal(x_bar, [[[[1, 12, 20], [3, 34, 40]]]])
    np.testing.assert_array_equal(w_bar, [[[[1 + 4 + 12 + 20, 2 + 6 + 15 + 24]]]])
    np.testing.assert_array_equal(b_bar, [10])


def test_each_output_channel_has_its_bias():
    x, weight, bias = integers(2, 3, 4, 5), integers(4, 3, 2, 2), integers(4)
    expected = s.conv2d(x, weight) + bias[None, :, None, None]
    np.testing.assert_array_equal(s.conv2d(x, weight, bias), expected)
    out_bar = integers(2, 4, 3, 4)
    bias_bar = vjp(s.conv2d, x, weight, bias)[1](out_bar)[2]
    np.testing.assert_array_equal(bias_bar, out_bar.sum((0, 2, 3)))


def test_a_single_number_stands_for_a_pair():
    x, weight = integers(2, 3, 6, 7), integers(4, 3, 3, 2)
    np.testing.assert_array_equal(
        s.conv2d(x, weight, stride=2, padding=1),
        s.conv2d(x, weight, stride=(2, 2), padding=(1, 1)),
    )


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtypes_are_kept(dtype):
    x, weight, bias = integers(2, 3, 4, 5), integers(4, 3, 2, 2), integers(4)
    out, pullback = vjp(s.conv2d, *(a.astype(dtype) for a in (x, weight, bias)))
    assert out.dtype == dtype
    np.testing.assert_array_equal(out, s.conv2d(x, weight, bias))
    assert [bar.dtype for bar in pullback(np.ones(out.shape, dtype))] == [dtype] * 3


def test_memory_order_and_read_only_inputs_do_not_matter():
    x, weight = integers(2, 3, 6, 7), integers(4, 3, 2, 3)
    expected_out, expected_pullback = vjp(s.conv2d, x, weight)
    out_bar = integers(*expected_out.shape)
    turned = [np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1) for a in (x, weight)]
    turned[0] = np.repeat(turned[0], 2, axis=2)[:, :, ::2]
    for a in turned:
        a.flags.writeable = False
    out, pullback = vjp(s.conv2d, *turned)
    np.testing.assert_array_equal(out, expected_out)
    for found, expected in zip(pullback(np.asfortranarray(out_bar)), expected_pullback(out_bar)):
        np.testing.assert_array_equal(found, expected)
    once = np.broadcast_to(x[:1], (3, *x.shape[1:]))  # one image three times, with stride 0
    np.testing.assert_array_equal(s.conv2d(once, weight), np.repeat(expected_out[:1], 3, axis=0))


@pytest.mark.parametrize(
    ("x", "weight", "settings", "message"),
    [
        ((3, 4, 5), (1, 3, 2, 2), {}, r"conv2d: x has shape \(3, 4, 5\), expected \(N, C, H, W\)"),
        ((1, 3, 4, 5), (1, 2, 2, 2), {}, r"conv2d: weight has shape .*\(O, C, kh, kw\) with C = 3"),
        ((1, 3, 4, 5), (3, 2, 2), {}, r"conv2d: weight has shape \(3, 2, 2\), expected \(O, C"),
        ((1, 1, 4, 5), (1, 1, 5, 2), {}, r"conv2d: the window \(5, 2\) is larger than .*\(4, 5\)"),
        ((1, 1, 4, 5), (1, 1, 2, 2), {"stride": 0}, r"conv2d: stride is 0, expected .* at least 1"),
        ((1, 1, 4, 5), (1, 1, 2, 2), {"stride": (1, 2, 3)}, r"conv2d: stride is \(1, 2, 3\)"),
        ((1, 1, 4, 5), (1, 1, 2, 2), {"padding": -1}, r"conv2d: padding is -1, .* at least 0"),
        ((1, 1, 4, 5), (1, 1, 2, 2), {"padding": "same"}, r"conv2d: padding is 'same'"),
    ],
)
def test_refusals(x, weight, settings, message):
    with pytest.raises(ValueError, match=message):
        s.conv2d(np.ones(x), np.ones(weight), **settings)


def test_a_bias_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"conv2d: bias has shape \(3,\), expected \(4,\)"):
        s.conv2d(np.ones((1, 1, 2, 2)), np.ones((4, 1, 1, 1)), np.ones(3))
