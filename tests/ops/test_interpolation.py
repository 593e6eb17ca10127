"""The kernels by name: against the literal kernels, and their derivatives."""

from fractions import Fraction as F

import numpy as np
import pytest
from scipy.interpolate import BSpline

from stn_ref import (
    BICUBIC,
    BILINEAR,
    CUBIC_SPLINE,
    LANCZOS,
    NEAREST,
    QUADRATIC_SPLINE,
    Kernel,
    bicubic,
    cos,
    gaussian,
    gradcheck,
    grid_sample,
    lanczos,
)
from stn_ref.equations import eq3_sample, hat
from stn_ref.ops.interpolation import KERNELS, as_kernel
from stn_ref.pixels import to_normalised

EPS = np.finfo(float).eps

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


def test_every_name_is_that_of_its_kernel():
    assert list(KERNELS) == ["nearest", "bilinear", "bicubic", "lanczos3", "quadratic-spline", "cubic-spline"]
    for name, kernel in KERNELS.items():
        assert as_kernel("f", name) is kernel
        assert kernel.name == name


@pytest.mark.parametrize("mode", ["bilinaer", "cubic", None, 1, np.ones(2), ["bilinear"]])
def test_other_modes_are_refused_by_name(mode):
    with pytest.raises(
        ValueError, match=r"grid_sample: mode is .*expected one of 'nearest', 'bilinear', 'bicubic'"
    ):
        as_kernel("grid_sample", mode)


# Lanczos


@pytest.mark.parametrize("lobes", [1, 2, 3, 5])
def test_lanczos_is_a_sinc_in_the_window_of_a_wider_one(lobes):
    x = np.linspace(0.0, 0.96875, 32)
    t = x - np.array(lanczos(lobes).taps())[:, None]
    literal = np.where(np.abs(t) < lobes, np.sinc(t) * np.sinc(t / lobes), 0)
    found = np.array(lanczos(lobes).weights(x, 0, "right"))
    # np.sinc rounds pi t before it takes the sine: an error of eps / 2 in a weight of at most 1.
    np.testing.assert_allclose(found, literal / literal.sum(0), rtol=0, atol=4 * 2 * lobes * EPS)


@pytest.mark.parametrize("lobes", [1, 2, 3, 5])
def test_at_a_pixel_lanczos_is_that_pixel_exactly(lobes):
    found = lanczos(lobes).weights(np.zeros(1), 0, "right")
    assert [float(weight[0]) for weight in found] == [tap == 0 for tap in lanczos(lobes).taps()]


def test_lanczos3_is_the_one_with_a_name():
    assert (LANCZOS.name, LANCZOS.taps(), LANCZOS.normalised) == ("lanczos3", range(-2, 4), True)
    assert (lanczos(2).name, lanczos(2).radius) == ("lanczos2", 2.0)


# B-splines


@pytest.mark.parametrize("order", range(4))
@pytest.mark.parametrize(("kernel", "degree"), [(QUADRATIC_SPLINE, 2), (CUBIC_SPLINE, 3)])
def test_splines_and_their_derivatives_are_those_of_scipy(kernel, degree, order):
    knots = np.arange(degree + 2) - (degree + 1) / 2
    literal = BSpline.basis_element(knots, extrapolate=False)
    x = np.linspace(0.03125, 0.96875, 31) - (0.5 if kernel.centred else 0)
    found = np.array(kernel.weights(x, order, "right"))
    t = x - np.array(kernel.taps())[:, None]
    expected = np.nan_to_num(literal.derivative(order)(t) if order <= degree else 0 * t)
    # Both are sums of a few terms of at most 8/6 (their derivatives: 2) with a rounding each.
    np.testing.assert_allclose(found, expected, rtol=0, atol=16 * EPS)


@pytest.mark.parametrize(("kernel", "degree"), [(QUADRATIC_SPLINE, 2), (CUBIC_SPLINE, 3)])
def test_a_spline_of_degree_n_has_n_derivatives_of_which_the_last_jumps(kernel, degree):
    # At the end of a cell, which is the start of the next one, with other pixels in the same places.
    ends = [start + kernel.centred * -0.5 for start in (0.0, 1.0)]
    for order in range(degree + 1):
        here, there = (np.array(kernel.weights(np.array([x]), order, "right"))[:, 0] for x in ends)
        jumps = np.abs(np.append(0, here) - np.append(there, 0)).max()
        assert (jumps > 0.1) == (order == degree)
        assert jumps <= 8 * EPS or order == degree


# Gauss


def bell(t):
    """exp(-t^2 / 2) minus its tangent in t^2 where it is cut off, at four standard deviations."""
    return np.where(np.abs(t) < 4, np.exp(-t * t / 2) - np.exp(-8) * (1 - (t * t - 16) / 2), 0)


@pytest.mark.parametrize("width", [0.3, 0.5, 1.0, 1.7])
def test_the_gaussian_is_that_of_its_docstring(width):
    kernel = gaussian(width)
    x = np.linspace(0, 0.9375, 16)
    t = (x - np.array(kernel.taps(width))[:, None]) / width
    literal = bell(t)
    found = np.array(kernel.weights(x, 0, "right", width=np.full_like(x, width), taps=kernel.taps(width)))
    # Of weights that sum to 1, each with a few roundings; t^2 / 2 < 8 is rounded before exp.
    np.testing.assert_allclose(found, literal / literal.sum(0), rtol=0, atol=32 * EPS)
    assert kernel.normalised
    assert kernel.width == width


def test_the_bell_ends_without_a_jump_or_a_kink_and_its_peak_is_little_changed():
    kernel = Kernel("bell", gaussian(1.0).pieces)
    end = np.full(1, np.nextafter(4, 0))
    for order in (0, 1):
        [weight] = kernel.weights(end, order, "right", taps=range(1))
        # One ulp before its end: the slope, and the slope's slope, times that ulp; and the difference of
        # two numbers of at most 8 exp(-8).
        assert abs(weight[0]) <= 4 * 16 * np.exp(-8) * EPS
    [curvature] = kernel.weights(end, 2, "right", taps=range(1))
    assert curvature[0] > 1e-3  # its second derivative jumps
    [peak] = kernel.weights(np.zeros(1), 0, "right", taps=range(1))
    assert abs(1 - peak[0] - 0.003) < 0.0005  # "0.3 %"


def test_a_gaussian_smooths():
    U, grid = np.array([[[[0.0, 0.0, 8.0, 0.0, 0.0]]]]), np.zeros((1, 1, 1, 2))
    for width, narrower in ((0.5, 0.25), (1.0, 0.5), (2.0, 1.0)):
        wide, narrow = (grid_sample(U, grid, mode=gaussian(w), align_corners=True) for w in (width, narrower))
        assert 0 < wide < narrow
    assert grid_sample(U, grid, mode=gaussian(0.25), align_corners=True) == 8.0  # the next are 4 widths away


# Keys


@pytest.mark.parametrize("a", [-0.5, -0.75, -1.0])
def test_the_bicubic_kernel_is_that_of_keys_for_every_a(a):
    for tap, found in weights(bicubic(a), order=0).items():
        for f, weight in zip(FRACTIONS, found):
            t = abs(f - tap)
            near = (F(a) + 2) * t**3 - (F(a) + 3) * t**2 + 1
            far = F(a) * t**3 - 5 * F(a) * t**2 + 8 * F(a) * t - 4 * F(a)
            assert weight == (near if t <= 1 else far if t < 2 else 0)


def test_only_with_a_half_keys_cubic_reproduces_parabolas():
    parabola = {tap: tap * tap for tap in BICUBIC.taps()}
    for a in (-0.5, -0.75):
        found = weights(bicubic(a), order=0)
        values = [sum(parabola[tap] * column[k] for tap, column in found.items()) for k in range(16)]
        assert (values == [f * f for f in FRACTIONS]) == (a == -0.5)


# A kernel of one's own


def test_a_kernel_of_ones_own_takes_a_few_lines():
    """The one of Kernel's docstring: values by eq. (3), derivatives by the tape."""
    hann = Kernel("hann", pieces=[(1.0, lambda t: 0.5 + 0.5 * cos(np.pi * t))])

    def literal(t):
        return 0.5 + 0.5 * np.cos(np.pi * t) if abs(t) < 1 else 0.0

    rng = np.random.default_rng(0)
    U = rng.normal(size=(2, 3, 4, 5))
    points = rng.integers(-1, 4, (2, 3, 2, 2)) + rng.uniform(0.05, 0.95, (2, 3, 2, 2))
    grid = np.stack([to_normalised(points[..., k], size, False) for k, size in enumerate((5, 4))], axis=-1)

    def sampled(U, grid):
        return grid_sample(U, grid, mode=hann, align_corners=False)

    V = sampled(U, grid)
    for n, i, j in np.ndindex(2, 3, 2):
        # A coordinate is rounded three times on its way there and back; the slope of a weight is at most
        # pi / 2 an axis, and the pixels of a sample have weights that sum to 1.
        bound = 16 * EPS * 6 * np.pi * np.abs(U).max()
        expected = eq3_sample(U[n], *points[n, i, j].tolist(), literal)
        np.testing.assert_allclose(V[n, :, i, j], expected, rtol=0, atol=bound)
    assert gradcheck(sampled, (U, grid), order=2, elements=40).passed
