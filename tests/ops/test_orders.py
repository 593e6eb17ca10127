"""Derivatives of derivatives, in any order and any nesting, of the whole transformer."""

from functools import cache
from itertools import count

import numpy as np
import pytest

from stn_ref import (
    BILINEAR,
    Setup,
    bicubic,
    grad,
    gradcheck,
    grid_sample,
    index,
    jvp,
    sample,
    spatial_transform,
    vjp,
)
from stn_ref.ops.transformation import TRANSFORMATIONS

EPS = np.finfo(float).eps
SOURCE, TARGET = {2: (4, 5), 3: (3, 4, 3)}, {2: (2, 4), 3: (2, 2, 2)}
MODES = ("nearest", "bilinear", "bicubic", "cubic-spline")
CASES = [
    *((2, "affine", mode) for mode in MODES),
    *((3, "affine", mode) for mode in MODES),
    *((2, name, mode) for name in ("projective", "thin-plate-spline") for mode in ("bilinear", "bicubic")),
]
every_case = pytest.mark.parametrize(("d", "name", "mode"), CASES)


@cache
def inputs(d, name):
    """An image, a theta no sample of which is near a kink, a cotangent; and two tangents of both inputs."""
    kind, size = TRANSFORMATIONS[name], TARGET[d]
    for seed in count():
        rng = np.random.default_rng(seed)
        theta = kind.identity(size) + 0.1 * rng.normal(size=(2, kind.parameters(size)))
        theta = theta.reshape(2, *kind.shape(size))
        twice = 2 * kind.points(theta, size=size, source=SOURCE[d], align_corners=False)
        if np.abs(twice - np.round(twice)).min() > 0.03:
            break
    U, V_bar = rng.normal(size=(2, 1, *SOURCE[d])), rng.normal(size=(2, 1, *size))
    tangents = [(rng.uniform(-1, 1, U.shape), rng.uniform(-1, 1, theta.shape)) for _ in range(2)]
    return (U, theta), V_bar, *tangents


def transformer(d, name, mode):
    """F(U, theta) = <V_bar, V>, so that its gradient is what goes back for that cotangent."""
    _, V_bar, *_ = inputs(d, name)

    def warp(U, theta):
        settings = {"transformation": name, "mode": mode, "padding_mode": "border", "align_corners": False}
        return spatial_transform(U, theta, (2, 1, *TARGET[d]), **settings)

    def F(U, theta):
        return (warp(U, theta) * V_bar).sum()

    return warp, F


def inner(xs, ys):
    return sum(float((x * y).sum()) for x, y in zip(xs, ys))


def size_of(xs, ys):
    return sum(float(np.abs(x * y).sum()) for x, y in zip(xs, ys))


def moved(point, tangent, h):
    return tuple(x + h * t for x, t in zip(point, tangent))


def slope_along(g, point, tangent):
    """Central differences of g (a tuple) at three steps, extrapolated twice, and a bound of their error.

    What is left of the truncation is less than the last correction. The smallest step divides the rounding
    of g, which is that of a few hundred terms.
    """
    central = []
    for h in (2.0**-9, 2.0**-10, 2.0**-11):
        after, before = g(*moved(point, tangent, h)), g(*moved(point, tangent, -h))
        central.append([(a - b) / (2 * h) for a, b in zip(after, before)])
    slopes, bounds = [], []
    for first, second, third, value in zip(*central, g(*point)):
        once, again = second + (second - first) / 3, third + (third - second) / 3
        slopes.append(again + (again - once) / 15)
        bounds.append(np.abs(again - once) + 200 * EPS * 2.0**11 * np.abs(value).max())
    return slopes, bounds


# Second order


@every_case
def test_a_derivative_of_the_gradient_is_that_of_central_differences(d, name, mode):
    point, _, tangent, _ = inputs(d, name)
    _, F = transformer(d, name, mode)
    gradient = grad(F, argnums=(0, 1))
    _, product = jvp(gradient, point, tangent)
    expected, bounds = slope_along(gradient, point, tangent)
    for found, right, bound in zip(product, expected, bounds):
        assert bound.max() < 1e-6 * max(1.0, np.abs(right).max())  # else it would say nothing
        assert (np.abs(found - right) <= bound).all()
    assert any(part.any() for part in product) == (mode != "nearest")


@every_case
def test_all_ways_to_a_hessian_times_a_vector_agree(d, name, mode):
    point, _, tangent, other = inputs(d, name)
    _, F = transformer(d, name, mode)
    gradient = grad(F, argnums=(0, 1))
    _, forward_over_reverse = jvp(gradient, point, tangent)

    def along(U, theta):
        g_U, g_theta = gradient(U, theta)
        return (g_U * tangent[0]).sum() + (g_theta * tangent[1]).sum()

    ways = {
        "gradient of <gradient, t>": grad(along, argnums=(0, 1))(*point),
        "pullback of the gradient": vjp(gradient, *point)[1](tangent),
        "gradient of the jvp": grad(lambda *p: jvp(F, p, tangent)[1], argnums=(0, 1))(*point),
    }
    for way, found in ways.items():
        for x, y in zip(found, forward_over_reverse):
            # The same few hundred terms in another order.
            np.testing.assert_allclose(x, y, rtol=0, atol=500 * EPS * np.abs(y).max(), err_msg=way)

    # <other, H t> = <t, H other>, and = the derivative along both in turn.
    _, of_other = jvp(gradient, point, other)
    _, twice = jvp(lambda *p: jvp(F, p, tangent)[1], point, other)
    bound = 500 * EPS * (size_of(other, forward_over_reverse) + size_of(tangent, of_other))
    assert inner(other, forward_over_reverse) == pytest.approx(inner(tangent, of_other), rel=0, abs=bound)
    assert float(twice) == pytest.approx(inner(tangent, of_other), rel=0, abs=bound)


@every_case
def test_forward_mode_is_reverse_mode(d, name, mode):
    point, V_bar, tangent, _ = inputs(d, name)
    warp, _ = transformer(d, name, mode)
    V, moved_V = jvp(warp, point, tangent)
    V_again, pullback = vjp(warp, *point)
    bars = pullback(V_bar)
    assert np.array_equal(V, V_again)
    bound = 500 * EPS * (size_of([V_bar], [moved_V]) + size_of(bars, tangent))
    assert inner([V_bar], [moved_V]) == pytest.approx(inner(bars, tangent), rel=0, abs=bound)


@pytest.mark.parametrize("d", [2, 3])
def test_nearest_has_a_derivative_for_the_image_alone(d):
    point, _, tangent, _ = inputs(d, "affine")
    _, F = transformer(d, "affine", "nearest")
    _, (U_part, theta_part) = jvp(grad(F, argnums=(0, 1)), point, tangent)
    assert not U_part.any()
    assert not theta_part.any()


# By hand


PIXELS = {"padding_mode": "zeros", "align_corners": True, "kink": "right"}
INTEGERS = np.random.default_rng(0).integers(-9, 10, (1, 1, 3, 4, 5)).astype(float)


def of_point(U, kernel):
    """The one sample at a point, (d,) in pixels, as a function of the point."""

    def value(point):
        return sample(U, point.reshape(1, 1, -1), setup=Setup(kernel, **PIXELS)).sum()

    return value


def hessian(f, point):
    return np.stack([jvp(grad(f), (point,), (e,))[1] for e in np.eye(len(point))])


@pytest.mark.parametrize("point", [(1.25, 0.5), (0.0, 1.0), (3.875, 2.125), (2.0, 0.75)])
def test_bilinear_bends_only_across_by_the_mixed_difference(point):
    U = INTEGERS[:, :, 0]
    x, y = (int(c) for c in point)
    (a, b), (c, e) = np.pad(U[0, 0], 1)[y + 1 : y + 3, x + 1 : x + 3]  # zeros outside
    mixed = a - b - c + e
    assert hessian(of_point(U, BILINEAR), np.array(point)).tolist() == [[0, mixed], [mixed, 0]]


def test_trilinear_bends_across_pairs_of_axes_and_twists_across_all_three():
    f, (x, y, z) = of_point(INTEGERS, BILINEAR), (2.25, 1.5, 0.75)
    cube = INTEGERS[0, 0, :2, 1:3, 2:4]
    d_x, d_y, d_z = (np.array([1 - t, t]) for t in (0.25, 0.5, 0.75))
    step = np.array([-1.0, 1.0])

    def by_hand(along_z, along_y, along_x):
        return float(np.einsum("zyx,z,y,x->", cube, along_z, along_y, along_x))

    point = np.array([x, y, z])
    xy, xz, yz = by_hand(d_z, step, step), by_hand(step, d_y, step), by_hand(step, step, d_x)
    assert hessian(f, point).tolist() == [[0, xy, xz], [xy, 0, yz], [xz, yz, 0]]
    e_x, e_y, e_z = np.eye(3)
    twist = jvp(lambda p: jvp(lambda p: jvp(f, (p,), (e_z,))[1], (p,), (e_y,))[1], (point,), (e_x,))[1]
    assert twist == by_hand(step, step, step)


def test_in_normalised_coordinates_each_derivative_brings_its_half_span():
    U = INTEGERS[:, :, 0, :3, :3]  # 3 x 3, half spans of 1 under True and 1.5 under False
    mixed = float(U[0, 0, 1, 1] - U[0, 0, 1, 2] - U[0, 0, 2, 1] + U[0, 0, 2, 2])
    for align_corners, half in ((True, 1.0), (False, 1.5)):

        def f(point, align_corners=align_corners):
            return grid_sample(U, point.reshape(1, 1, 1, 2), align_corners=align_corners).sum()

        expected = [[0, half * half * mixed], [half * half * mixed, 0]]
        assert hessian(f, np.array([0.25, 0.5])).tolist() == expected


def test_keys_cubic_has_its_derivatives_up_to_the_third_and_no_fourth():
    # Beside the pixel, at a distance t = 1/4: (a + 2) t^3 - (a + 3) t^2 + 1, a = -3/4.
    U = np.zeros((1, 1, 1, 5))
    U[..., 2] = 1
    a, t = -0.75, 0.25

    def f(x):
        return of_point(U, bicubic(a))(x * np.array([1.0, 0.0]))

    expected = [
        *((a + 2) * t**3 - (a + 3) * t**2 + 1, 3 * (a + 2) * t**2 - 2 * (a + 3) * t),
        *(6 * (a + 2) * t - 2 * (a + 3), 6 * (a + 2), 0.0),
    ]
    for order, right in enumerate(expected):
        assert float(f(np.array(2.25))) == right
        if order < 4:
            f = grad(f)


def test_keys_cubic_with_a_half_sees_the_curvature_of_a_parabola():
    x, y = np.arange(7.0), np.arange(6.0)
    U = (x**2 * y[:, None])[None, None]
    f = of_point(U, bicubic(-0.5))
    point = np.array([3.25, 2.5])  # x^2 y: its derivatives are 2 y, 2 x and 0, and the third 2
    np.testing.assert_allclose(hessian(f, point), [[5, 6.5], [6.5, 0]], rtol=0, atol=1e-12)
    e_x, e_y = np.eye(2)

    def bend(point):
        return jvp(lambda p: jvp(f, (p,), (e_x,))[1], (point,), (e_x,))[1]

    assert jvp(bend, (point,), (e_y,))[1] == pytest.approx(2, abs=1e-12)


# Third order


@pytest.mark.parametrize("d", [2, 3])
def test_third_derivatives_of_bicubic_sampling(d):
    rng = np.random.default_rng(d)
    U, v = rng.normal(size=(2, 1, *SOURCE[d])), rng.normal(size=(2, 1, 3))
    points = rng.integers(-1, 4, (2, 3, d)) + rng.uniform(0.2, 0.8, (2, 3, d))

    def gradient(U, points, v):
        def F(points):
            return (sample(U, points, setup=Setup(bicubic(), **PIXELS)) * v).sum()

        return grad(F)(points)

    gradcheck(gradient, (U, points, v), order=2, elements=20, directions=2)


def test_third_derivatives_of_the_whole_for_image_and_theta():
    (U, theta), _, tangent, _ = inputs(2, "affine")
    _, F = transformer(2, "affine", "bicubic")

    def product(U, theta):
        return jvp(grad(F, argnums=(0, 1)), (U, theta), tangent)[1]

    _, found = jvp(product, (U, theta), tangent)
    expected, bounds = slope_along(product, (U, theta), tangent)
    for third, right, bound in zip(found, expected, bounds):
        assert bound.max() < 1e-6 * np.abs(right).max()
        assert (np.abs(third - right) <= bound).all()


def test_the_order_of_the_variables_does_not_matter_in_third_derivatives_either():
    (U, theta), *_ = inputs(2, "affine")
    _, F = transformer(2, "affine", "bicubic")
    rng = np.random.default_rng(7)
    a, b, c = ((rng.normal(size=U.shape), rng.normal(size=theta.shape)) for _ in range(3))

    def along(f, tangent):
        return lambda *p: jvp(f, p, tangent)[1]

    one = float(along(along(along(F, a), b), c)(U, theta))
    for first, second, third in ((b, c, a), (c, a, b), (c, b, a)):
        twice = along(along(F, first), second)
        bars = grad(twice, argnums=(0, 1))(U, theta)
        bound = 500 * EPS * size_of(bars, third)
        assert inner(bars, third) == pytest.approx(one, rel=0, abs=bound)
        assert float(along(twice, third)(U, theta)) == pytest.approx(one, rel=0, abs=bound)


def test_a_step_of_newton_finds_where_a_picture_was_taken_from():
    # The loss of a smooth picture against itself, shifted: gradient and Hessian by nested transforms.
    x, y = np.meshgrid(np.arange(12.0), np.arange(10.0))
    U = np.exp(-((x - 5) ** 2 + (y - 4.5) ** 2) / 20)[None, None]
    settings = {"transformation": "translation", "mode": "cubic-spline", "align_corners": False}

    def warp(shift):
        return spatial_transform(U, index(shift, key=None), (1, 1, 10, 12), **settings)

    true = np.array([0.05, -0.03])
    target = warp(true)

    def loss(shift):
        difference = warp(shift) - target
        return (difference * difference).sum()

    shift = np.zeros(2)
    for _ in range(6):
        shift = shift - np.linalg.solve(hessian(loss, shift), grad(loss)(shift))
    np.testing.assert_allclose(shift, true, rtol=0, atol=1e-12)
