"""Kernels as polynomials in the fraction: against the literal kernels, and their derivatives."""

from fractions import Fraction as F

import numpy as np
import pytest

from stn_ref import BICUBIC, BILINEAR, NEAREST, Kernel, bicubic
from stn_ref.equations import hat
from stn_ref.ops.interpolation import as_kernel

FRACTIONS = [F(k, 16) for k in range(16)]
A = F(-3, 4)


def keys(t):
    """Keys' cubic convolution kernel as his paper gives it, a = -3/4."""
    t = abs(t)
    if t <= 1:
        return (A + 2) * t**3 - (A + 3) * t**2 + 1
    if t < 2:
        return A * t**3 - 5 * A * t**2 + 8 * A * t - 4 * A
    return 0 * t


def keys_slope(t):
    sign, t = (1 if t >= 0 else -1), abs(t)
    if t <= 1:
        return sign * (3 * (A + 2) * t**2 - 2 * (A + 3) * t)
    if t < 2:
        return sign * (3 * A * t**2 - 10 * A * t + 8 * A)
    return 0 * t


def weights(kernel, order, kink="right"):
    fractions = np.array([float(f) for f in FRACTIONS])
    found = kernel.weights(fractions, order, kink)
    return {tap: [F(w) for w in weight.tolist()] for tap, weight in zip(kernel.taps(), found)}


@pytest.mark.parametrize(("kernel", "literal"), [(BILINEAR, hat), (BICUBIC, keys)])
def test_weights_are_exactly_those_of_the_literal_kernel(kernel, literal):
    # Sixteenths to the third power and quarters are exact in floats.
    for tap, found in weights(kernel, order=0).items():
        assert found == [literal(f - tap) for f in FRACTIONS]


def test_the_slope_of_the_hat_is_minus_one_and_one():
    assert weights(BILINEAR, order=1) == {0: [-1] * 16, 1: [1] * 16}
    assert weights(BILINEAR, order=2) == {0: [0] * 16, 1: [0] * 16}


def test_the_slope_of_the_cubic_is_exactly_that_of_keys():
    for tap, found in weights(BICUBIC, order=1).items():
        assert found == [keys_slope(f - tap) for f in FRACTIONS]


@pytest.mark.parametrize("kernel", [NEAREST, BILINEAR, BICUBIC, bicubic(-0.5)])
def test_weights_sum_to_one_and_their_derivatives_to_zero(kernel):
    for order, total in ((0, 1), (1, 0), (2, 0), (3, 0)):
        assert [sum(column) for column in zip(*weights(kernel, order).values())] == [total] * 16


@pytest.mark.parametrize("kernel", [NEAREST, BILINEAR, BICUBIC])
def test_at_a_pixel_only_that_pixel_counts(kernel):
    assert {tap: found[0] for tap, found in weights(kernel, order=0).items()} == {
        tap: (1 if tap == 0 else 0) for tap in kernel.taps()
    }


def test_the_paper_reading_puts_the_pixel_itself_where_the_slope_was():
    found = weights(BILINEAR, order=1, kink="paper")
    assert found == {0: [1] + [-1] * 15, 1: [0] + [1] * 15}
    assert weights(BILINEAR, order=0, kink="paper") == weights(BILINEAR, order=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("kernel", [NEAREST, BILINEAR, BICUBIC])
def test_weights_have_the_dtype_and_shape_of_the_fractions(kernel, order, dtype):
    for shape in ((2, 3), (0,)):
        for weight in kernel.weights(np.zeros(shape, dtype), order, "right"):
            assert weight.dtype == dtype
            assert weight.shape == shape


def test_taps_are_the_pixels_a_kernel_reaches():
    assert NEAREST.taps() == range(1)
    assert BILINEAR.taps() == range(2)
    assert BICUBIC.taps() == range(-1, 3)


def test_as_kernel_takes_names_and_kernels():
    assert [as_kernel("f", name) for name in ("nearest", "bilinear", "bicubic")] == [
        *(NEAREST, BILINEAR, BICUBIC)
    ]
    mine = Kernel("mine", [(1.0, [1.0, -1.0])])
    assert as_kernel("f", mine) is mine


@pytest.mark.parametrize("mode", ["bilinaer", "cubic", None, 1, np.ones(2), ["bilinear"]])
def test_other_modes_are_refused_by_name(mode):
    with pytest.raises(
        ValueError, match=r"grid_sample: mode is .*expected one of 'nearest', 'bilinear', 'bicubic'"
    ):
        as_kernel("grid_sample", mode)
