"""Kernels piece by piece: which pixels they reach, and all their derivatives for position and width."""

from fractions import Fraction as F
from functools import partial
from itertools import product
from math import comb, factorial, prod

import numpy as np
import pytest

from stn_ref import (
    BICUBIC,
    BILINEAR,
    CUBIC_SPLINE,
    LANCZOS,
    NEAREST,
    QUADRATIC_SPLINE,
    Kernel,
    Tensor,
    bicubic,
    cos,
    exp,
    gaussian,
    grad,
    gradcheck,
    grid_sample,
)
from stn_ref.ops.interpolation import GAUSSIAN_RADIUS
from stn_ref.ops.kernel import horner

EPS = np.finfo(float).eps
POLYNOMIAL = (NEAREST, BILINEAR, BICUBIC, bicubic(-0.5), QUADRATIC_SPLINE, CUBIC_SPLINE)
SMOOTHING = Kernel("smoothing", gaussian(1.0).pieces, normalised=True)  # its width is given with each sample
ORDERS = list(product(range(4), repeat=2))  # of the derivative for x, and of that for the width
of_both_sides = pytest.mark.parametrize("kink", ["right", "left"])


def by_name(kernel):
    return kernel.name


def cell(kernel, kink, per_pixel=16):
    """Every place in a cell, in fractions of a pixel; read from the left, a cell ends where others start."""
    start = -(per_pixel // 2) if kernel.centred else 0
    return np.arange(start, start + per_pixel) / per_pixel + (1 / per_pixel if kink == "left" else 0)


def table(kernel, x, order=0, kink="right", **settings):
    """The weights of all taps, (T, P)."""
    return np.array(kernel.weights(x, order, kink, **settings))


def exact_kernel(kernel, t, w, order=0, width_order=0, kink="right"):
    """A derivative of k(t / w), of the piece on that side of t; exact.

    On a piece it is a sum of c_n (+-t)^n w^-n, and such a term is differentiated as one learns at school.
    """
    side = -1 if t < 0 or (t == 0 and kink == "left") else 1
    size, nearer_0 = abs(t) / w, (side < 0) != (kink == "left")
    start = F(0)
    for end, coefficients in kernel.pieces:
        if (start < size <= F(end)) if nearer_0 else (start <= size < F(end)):
            return sum(
                F(c) * side**n * falling(n, order) * t ** (n - order) * falling(-n, width_order)
                / w ** (n + width_order)
                for n, c in enumerate(coefficients)
                if n >= order
            )  # fmt: skip
        start = F(end)
    return F(0)


def falling(n, k):
    """n (n - 1) ... of k factors."""
    return prod(n - i for i in range(k))


# What it is made of


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        (None, r"pieces is None, expected pairs \(end, formula\), .* \[\(1\.0, \[1\.0, -1\.0\]\)\], which"),
        ([1.0, -1.0], r"pieces is \[1\.0, -1\.0\], expected pairs"),
        ([(1.0,)], r"expected pairs"),
        ([("far", [1.0])], r"expected pairs"),
        ([(1.0, -1.0)], r"formula up to \|t\| = 1 is -1\.0, expected a list of polynomial coefficients"),
        ([(1.0, [1.0]), (2.5, "cos")], r"formula up to \|t\| = 2\.5 is 'cos', expected .* function of \|t\|"),
        ([(1.0, [])], r"formula up to \|t\| = 1 is \[\]"),
        ([(1.0, [[1.0]])], r"formula up to \|t\| = 1 is \[\[1\.0\]\]"),
        ([(1.0, [1.0, np.nan])], r"formula up to \|t\| = 1 is \[1\.0, nan\]"),
        ([(1.0, None)], r"formula up to \|t\| = 1 is None"),
    ],
)
def test_pieces_of_another_form_are_refused(pieces, message):
    with pytest.raises(TypeError, match=rf"^Kernel: .*{message}"):
        Kernel("mine", pieces)


@pytest.mark.parametrize("ends", [[], [0.0], [-1.0], [1.0, 1.0], [2.0, 1.0], [np.nan], [np.inf]])
def test_ends_that_do_not_grow_are_refused(ends):
    with pytest.raises(ValueError, match=r"^Kernel: the pieces end at \[.*\], expected growing positive num"):
        Kernel("mine", [(end, [1.0]) for end in ends])


def test_a_kernel_cannot_be_changed_but_widened():
    with pytest.raises(AttributeError):
        BILINEAR.width = 2.0
    wide = CUBIC_SPLINE.widened(2.0)
    assert (wide.width, wide.normalised, wide.prefiltered, wide.name) == (2.0, True, False, "cubic-spline")
    assert (CUBIC_SPLINE.width, CUBIC_SPLINE.normalised, CUBIC_SPLINE.prefiltered) == (None, False, True)


# Which pixels it reaches


@pytest.mark.parametrize(
    ("radius", "centred", "reached"),
    [
        (0.5, True, {1: [0], 2: [-1, 0, 1], 3: [-1, 0, 1]}),
        (1.5, True, {1: [-1, 0, 1], 2: range(-3, 4), 0.25: [0]}),
        (1.0, False, {1: [0, 1], 2: range(-1, 3), 1.25: range(-1, 3), 0.5: [0, 1]}),
        (0.7, False, {1: [0, 1], 2: range(-1, 3)}),
        (1.3, False, {1: range(-1, 3), 0.5: [0, 1]}),
    ],
)
def test_taps_by_hand(radius, centred, reached):
    kernel = Kernel("mine", [(radius, [1.0])])
    assert kernel.radius == radius
    assert kernel.centred == centred
    for width, pixels in reached.items():
        assert list(kernel.taps(width)) == list(pixels)


RADII = [0.3, 0.5, 0.7, 1.0, 1.3, 1.5, 2.0, 2.4, 2.5, 3.0]


@of_both_sides
@pytest.mark.parametrize("width", [0.125, 0.5, 0.875, 1.0, 1.375, 2.0, 3.25, 5.0])
@pytest.mark.parametrize("inner_end", [None, 0.25])
@pytest.mark.parametrize("radius", RADII)
def test_taps_never_miss_a_pixel_in_reach(radius, inner_end, width, kink):
    # A kernel that does not vanish anywhere, nor does its slope, up to its ends.
    pieces = [(radius, [1.0, 1.0, 1.0])]
    if inner_end:
        pieces = [(inner_end, [2.0, 1.0]), *pieces]
    kernel = Kernel("mine", pieces)
    x = cell(kernel, kink, per_pixel=64)
    for order, width_order in ((0, 0), (1, 0), (0, 1)):
        near = kernel.taps(width)
        far = range(near.start - 4, near.stop + 4)
        found = table(kernel, x, order, kink, width=np.full_like(x, width), width_order=width_order, taps=far)
        outside = [k for k, tap in enumerate(far) if tap not in near]
        assert not found[outside].any()
        distances = np.abs(x - np.array(far)[:, None])
        if order or not width_order:  # t k'(t) is 0 at t = 0
            assert found[distances < radius * width].all()
        assert not found[distances > radius * width].any()


@pytest.mark.parametrize("kernel", [*POLYNOMIAL, LANCZOS, SMOOTHING], ids=by_name)
@pytest.mark.parametrize("orders", [(0, 0), (1, 0), (0, 1), (2, 1)])
def test_a_pixel_out_of_reach_has_no_share(kernel, orders):
    order, width_order = orders
    x = cell(kernel, "right")
    taps = range(-40, 41)
    for shared in (kernel, kernel.widened(None)):
        found = table(shared, x, order, width=np.ones_like(x), width_order=width_order, taps=taps)
        assert np.isfinite(found).all()
        assert not found[np.abs(x - np.array(taps)[:, None]) > kernel.radius].any()


@pytest.mark.parametrize("orders", ORDERS)
def test_a_sample_that_reaches_no_pixel_has_weights_of_0(orders):
    x, width = np.array([0.5, 0.375]), np.array([0.25, 0.125])
    for kernel in (BILINEAR, BICUBIC, LANCZOS, SMOOTHING):
        narrow = width / kernel.radius
        order, width_order = orders
        found = table(kernel.widened(None), x, order, width=narrow, width_order=width_order)
        assert not found.any()  # True for NaN


# Its derivatives, exactly: eighths, powers of two and coefficients in quarters do not round


DYADIC = (NEAREST, BILINEAR, BICUBIC, bicubic(-0.5), QUADRATIC_SPLINE)


@of_both_sides
@pytest.mark.parametrize("width", [F(1), F(2), F(1, 2)], ids=str)
@pytest.mark.parametrize("kernel", DYADIC, ids=lambda kernel: f"{kernel.name}{kernel.pieces[0][1]}")
def test_derivatives_for_position_and_width_are_exactly_those_of_the_pieces(kernel, width, kink):
    x = cell(kernel, kink, per_pixel=8)
    for order, width_order in ORDERS:
        settings = {"width": np.full_like(x, float(width)), "width_order": width_order}
        taps = kernel.taps(float(width))
        found = table(kernel, x, order, kink, taps=taps, **settings)
        for tap, weights in zip(taps, found.tolist()):
            expected = [exact_kernel(kernel, F(f) - tap, width, order, width_order, kink) for f in x.tolist()]
            assert [F(weight) for weight in weights] == expected, (order, width_order, tap)


@of_both_sides
@pytest.mark.parametrize("kernel", DYADIC, ids=lambda kernel: f"{kernel.name}{kernel.pieces[0][1]}")
def test_without_a_width_the_derivatives_are_the_same(kernel, kink):
    x = cell(kernel, kink, per_pixel=8)
    for order in range(5):
        for tap, weights in zip(kernel.taps(), table(kernel, x, order, kink).tolist()):
            # From the left too a cell is one piece, at whose far end the fraction is 1.
            expected = [exact_kernel(kernel, F(f) - tap, F(1), order, 0, kink) for f in x.tolist()]
            assert [F(weight) for weight in weights] == expected, (order, tap)


def test_at_its_kinks_the_widened_hat_has_the_slopes_of_both_sides():
    x, width = np.zeros(1), np.full(1, 2.0)
    taps = range(-2, 3)  # t = 2, 1, 0, -1, -2
    settings = {"width": width, "taps": taps}
    assert table(BILINEAR, x, 1, "right", **settings).T.tolist() == [[0, -0.5, -0.5, 0.5, 0.5]]
    assert table(BILINEAR, x, 1, "left", **settings).T.tolist() == [[-0.5, -0.5, 0.5, 0.5, 0]]
    # d/dw of 1 - |t| / w is |t| / w^2, at the same place beside t: one end is in reach, the other is not.
    settings["width_order"] = 1
    assert table(BILINEAR, x, 0, "right", **settings).T.tolist() == [[0, 0.25, 0, 0.25, 0.5]]
    assert table(BILINEAR, x, 0, "left", **settings).T.tolist() == [[0.5, 0.25, 0, 0.25, 0]]


# Its derivatives, by differences in exact numbers: their step is so short that nothing else is left


STEP = F(1, 2**60)


def exact_difference(shares, x, w, order, width_order):
    """Central differences of exact numbers, of all taps at once: no rounding, and an error of some 1e-36."""
    total = 0
    for i, j in product(range(order + 1), range(width_order + 1)):
        factor = (-1) ** (order - i + width_order - j) * comb(order, i) * comb(width_order, j)
        at = shares(x + (i - F(order, 2)) * STEP, w + (j - F(width_order, 2)) * STEP)
        total = total + factor * np.array(at, object)
    return total / STEP ** (order + width_order)


def exact_shares(literal, taps):
    """Each weight by the sum of all, as a function of x and w, from a function of x - m and w."""

    def shares(x, w):
        weights = [literal(x - m, w) for m in taps]
        whole = sum(weights[1:], weights[0])
        return [weight / whole for weight in weights]

    return shares


def compare_shares(kernel, literal, width, x, orders):
    """The largest error of a share's derivative, in parts of the largest one.

    Of that one, since digits cancel within a weight, and between the shares of a sample.
    """
    order, width_order = orders
    taps = kernel.taps(width)
    settings = {"width": np.array([width]), "width_order": width_order, "taps": taps}
    found = table(kernel.widened(None), np.array([x]), order, **settings)[:, 0]
    expected = exact_difference(exact_shares(literal, taps), F(x), F(width), *orders)
    scale = max(1, *(abs(e) for e in expected))
    return max(abs(F(f) - e) for f, e in zip(found.tolist(), expected)) / scale


# Widths and fractions of a cell, 1/16 or more from all kinks.
PLACES = [(0.875, 0.0625), (1.25, 0.3125), (1.25, 0.9375), (1.625, 0.5625), (1.625, 0.0625)]


@pytest.mark.parametrize("orders", ORDERS)
@pytest.mark.parametrize("kernel", [BILINEAR, BICUBIC, CUBIC_SPLINE], ids=by_name)
def test_shares_have_the_derivatives_of_a_quotient(kernel, orders):
    order, width_order = orders
    # Leibniz' rule has (order + 1) (width_order + 1) terms of some ten roundings, and sums of 8 taps;
    # the terms outgrow their sum by the powers of t / w < 2 that d/dw brings.
    bound = 10 * 8 * (order + 1) * (width_order + 1) * 2**width_order * EPS
    for width, x in PLACES:
        assert compare_shares(kernel, partial(exact_kernel, kernel), width, x, orders) <= bound


@pytest.mark.parametrize("orders", [o for o in ORDERS if sum(o) <= 4])
@pytest.mark.parametrize("kernel", [LANCZOS, SMOOTHING], ids=by_name)
def test_kernels_that_are_functions_have_the_derivatives_that_mpmath_finds(kernel, orders):
    mp = pytest.importorskip("mpmath").mp.clone()
    mp.dps = 150  # differences of fourth order cost 4 * 18 of them

    def literal(t, w):
        t = abs(mp.mpf(t.numerator) / t.denominator / (mp.mpf(w.numerator) / w.denominator))
        if t >= kernel.radius:
            return F(0)
        if kernel is LANCZOS:
            value = mp.sincpi(t) * mp.sincpi(t / 3)
        else:
            v, cut = t * t / 2, mp.mpf(GAUSSIAN_RADIUS) ** 2 / 2
            value = mp.exp(-v) - mp.exp(-cut) * (1 - (v - cut))  # minus its tangent in v at the cut
        return F(int(mp.nint(value * 2**480)), 2**480)

    order, width_order = orders
    # As above, but t / w goes up to the radius, and each derivative of a sinc brings a factor of pi.
    growth = kernel.radius**width_order * (np.pi if kernel is LANCZOS else 1) ** sum(orders)
    bound = 10 * 8 * (order + 1) * (width_order + 1) * growth * EPS
    for width, x in PLACES[:3]:
        assert compare_shares(kernel, literal, width, x, orders) <= bound


# Formulas: coefficients, functions, functions that know their derivatives


def keys_near(t):
    return 1 - 2.25 * t * t + 1.25 * t * t * t


def keys_far(t):
    return 3 - 6 * t + 3.75 * t * t - 0.75 * t * t * t


def polynomial_with_orders(t, order, coefficients):
    for _ in range(order):
        coefficients = [n * c for n, c in enumerate(coefficients)][1:] or [0.0]
    return horner(coefficients, t)


THE_SAME = [
    Kernel("coefficients", BICUBIC.pieces),
    Kernel("differentiated by the tape", [(1.0, keys_near), (2.0, keys_far)]),
    Kernel(
        "with orders",
        [(end, partial(polynomial_with_orders, coefficients=c)) for end, c in BICUBIC.pieces],
    ),
    Kernel("mixed", [(1.0, keys_near), BICUBIC.pieces[1]]),
]


@of_both_sides
@pytest.mark.parametrize("orders", [o for o in ORDERS if sum(o) <= 4])
@pytest.mark.parametrize("kernel", THE_SAME[1:], ids=by_name)
def test_however_a_formula_is_given_the_kernel_is_the_same(kernel, orders, kink):
    # In sixteenths, with a width of 2, nothing is rounded.
    order, width_order = orders
    x = cell(kernel, kink)
    for width in (None, np.full_like(x, 2.0)):
        if width is None and width_order:
            continue
        taps = kernel.taps() if width is None else kernel.taps(2.0)
        settings = {"width": width, "width_order": width_order, "taps": taps}
        expected = table(THE_SAME[0], x, order, kink, **settings)
        assert np.array_equal(table(kernel, x, order, kink, **settings), expected)


def test_a_formula_may_be_a_constant():
    kernel = Kernel("box", [(1.0, lambda t: 0.5)])
    x = cell(kernel, "right")
    assert (table(kernel, x) == 0.5).all()
    assert not table(kernel, x, order=1).any()


@pytest.mark.parametrize("order", range(4))
def test_the_tape_differentiates_a_formula_of_operators(order):
    kernel = Kernel("hann", [(1.0, lambda t: 0.5 + 0.5 * cos(np.pi * t))])
    x = np.array([0.25, 0.75])
    cycle = [np.cos, lambda t: -np.sin(t), lambda t: -np.cos(t), np.sin]
    expected = [(order == 0) / 2 + 0.5 * np.pi**order * cycle[order](np.pi * (x - m)) for m in (0, 1)]
    # A few roundings each, of a phase of up to pi and of powers of it.
    np.testing.assert_allclose(table(kernel, x, order), expected, rtol=0, atol=8 * EPS * np.pi**order)


# Weights of a sample


def widths_of(kernel, x):
    narrow = 0.5 if kernel is SMOOTHING else 1.0
    return [None, *(np.full_like(x, narrow * w) for w in (1.0, 1.3, 2.0, 3.7))]


@pytest.mark.parametrize("orders", ORDERS)
@pytest.mark.parametrize("kernel", [BILINEAR, BICUBIC, QUADRATIC_SPLINE, CUBIC_SPLINE, LANCZOS, SMOOTHING],
                         ids=by_name)  # fmt: skip
def test_shares_sum_to_1_and_their_derivatives_to_0(kernel, orders):
    order, width_order = orders
    shared = kernel.widened(None)
    x = cell(kernel, "right", per_pixel=4)
    for width in widths_of(kernel, x):
        if width is None and width_order:
            continue
        widest = 1.0 if width is None else float(width[0])
        settings = {"width": width, "width_order": width_order, "taps": kernel.taps(widest)}
        found = table(shared, x, order, **settings)
        # Each share is rounded a few times in every term of Leibniz' rule, and enters the sum.
        largest = max(1.0, np.abs(found).max())
        bound = 8 * len(found) * 4**width_order * (order + 1) * largest * EPS
        assert np.abs(found.sum(0) - (sum(orders) == 0)).max() <= bound


@pytest.mark.parametrize("order", range(3))
@pytest.mark.parametrize("kernel", POLYNOMIAL, ids=by_name)
def test_at_width_1_a_share_is_the_weight_itself(kernel, order):
    x = cell(kernel, "right") + 1 / 37  # not in eighths
    x = x[:-1]
    shares = table(kernel.widened(None), x, order, width=np.ones_like(x))
    # The same polynomials about another point: coefficients up to 6 (of their derivatives 12), four
    # terms of two roundings, and the rounding of the sum by which the shares are divided.
    bound = 12 * 4 * 2 * EPS * factorial(order + 1)
    np.testing.assert_allclose(shares, table(kernel, x, order), rtol=0, atol=bound)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("orders", [(0, 0), (1, 0), (0, 1), (2, 1)])
def test_weights_have_the_dtype_and_shape_of_the_fractions(orders, dtype):
    order, width_order = orders
    formula = Kernel("exponential", [(1.3, lambda t: exp(-t * t))])
    for kernel, shape in product((*POLYNOMIAL, LANCZOS, SMOOTHING, formula), ((2, 3), (0,))):
        x = np.full(shape, 0.25, dtype)
        for one in (kernel, kernel.widened(None)):
            for width in (None, np.full(shape, 1.5, dtype)):
                if width is None and width_order:
                    continue
                settings = {"width": width, "width_order": width_order}
                for weight in one.weights(x, order, "right", **settings):
                    assert weight.dtype == dtype
                    assert weight.shape == shape


def test_each_sample_may_have_a_width_of_its_own():
    widths = np.array([0.75, 1.0, 2.5])
    x = np.full(3, 0.25)
    taps = BILINEAR.taps(2.5)
    together = table(BILINEAR.widened(None), x, 1, width=widths, width_order=1, taps=taps)
    for k, width in enumerate(widths):
        alone = table(BILINEAR.widened(None), x[:1], 1, width=np.array([width]), width_order=1, taps=taps)
        assert np.array_equal(together[:, k], alone[:, 0])


@pytest.mark.parametrize("ends", [(1.5,), (1.5, 2.5), (0.5,), (2.0,), (0.5, 2.0)])
def test_pieces_may_end_anywhere(ends):
    """One parabola that ends at the last end, cut into pieces in several ways."""
    radius = ends[-1]
    parabola = [1.0, 0.0, -1 / radius**2]
    kernel = Kernel("epanechnikov", [(end, parabola) for end in ends])
    whole = Kernel("whole", [(radius, lambda t: 1 - t * t / radius**2)])
    rng = np.random.default_rng(3)
    U, grid = rng.normal(size=(2, 1, 5, 6)), rng.uniform(-1, 1, (2, 2, 3, 2))
    expected = grid_sample(U, grid, mode=whole, align_corners=True)
    found = grid_sample(U, grid, mode=kernel, align_corners=True)
    np.testing.assert_allclose(found, expected, rtol=0, atol=64 * EPS * np.abs(U).max() * len(U[0, 0]))
    f = lambda U, grid: grid_sample(U, grid, mode=kernel, align_corners=True)  # noqa: E731
    assert gradcheck(f, (U, grid), order=2, elements=20).passed


def test_a_tensor_inside_a_formula_is_refused_rather_than_left_without_a_derivative():
    slope = Tensor(np.array(1.0), requires_grad=True)
    kernel = Kernel("mine", [(1.0, lambda t: 1 - slope * t)])
    with pytest.raises(TypeError, match=r"the kernel 'mine' is made with a Tensor .* see Kernel\.widened"):
        grid_sample(np.ones((1, 1, 3, 3)), np.full((1, 1, 1, 2), 0.3), mode=kernel, align_corners=True)


def test_a_ufunc_is_a_formula_like_any_other():
    U, grid = np.random.default_rng(5).normal(size=(1, 1, 3, 4)), np.full((1, 1, 1, 2), 0.3)
    by_name, by_hand = (Kernel("cosine", [(1.0, f)]) for f in (np.cos, lambda t: cos(t)))
    first, second = (
        grad(lambda g, k=k: grid_sample(U, g, mode=k, align_corners=True).sum())(grid)
        for k in (by_name, by_hand)
    )
    np.testing.assert_array_equal(first, second)
