"""`grad`, `value_and_grad`, `vjp`, `jvp`: each alone, and each inside each."""

import numpy as np
import pytest

from stn_ref import (
    TapeError,
    Tensor,
    concatenate,
    exp,
    grad,
    jvp,
    multiply,
    no_grad,
    sin,
    sum_,
    value_and_grad,
    vjp,
)
from stn_ref.autograd import backward, transforms

floating = pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])


def cube(x):
    return x * x * x


def derivative_by_grad(f):
    return grad(f)


def derivative_by_vjp(f):
    return lambda x: vjp(f, x)[1](np.ones(()))[0]


def derivative_by_jvp(f):
    return lambda x: jvp(f, (x,), (np.ones(()),))[1]


def derivative_by_value_and_grad(f):
    return lambda x: value_and_grad(f)(x)[1]


DERIVATIVES = [
    derivative_by_grad,
    derivative_by_vjp,
    derivative_by_jvp,
    derivative_by_value_and_grad,
]
each = pytest.mark.parametrize("d", DERIVATIVES)
each_outer = pytest.mark.parametrize("outer", DERIVATIVES)
each_inner = pytest.mark.parametrize("inner", DERIVATIVES)
TWO = np.array(2.0)


# Alone


@each
def test_each_gives_the_derivative_of_a_scalar_function(d):
    slope = d(cube)(TWO)
    assert type(slope) is np.ndarray
    assert slope == 12.0


def test_vjp_gives_one_cotangent_for_each_primal():
    x, y = np.array([[1.0, 2.0, 3.0]]), np.array([[10.0], [20.0]])
    out, pullback = vjp(multiply, x, y)
    np.testing.assert_array_equal(out, x * y)
    out_bar = np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]])
    x_bar, y_bar = pullback(out_bar)
    np.testing.assert_array_equal(x_bar, [[10.0, 60.0, 20.0]])
    np.testing.assert_array_equal(y_bar, [[7.0], [6.0]])


def test_a_pullback_can_be_called_again():
    _, pullback = vjp(cube, np.array([1.0, 2.0]))
    for scale in (1.0, 5.0):
        [x_bar] = pullback(np.full(2, scale))
        np.testing.assert_array_equal(x_bar, [3.0 * scale, 12.0 * scale])


def test_functions_with_several_outputs():
    def both(x, y):
        return x * y, sum_(x)

    (product, total), pullback = vjp(both, np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    np.testing.assert_array_equal(product, [3.0, 8.0])
    assert total == 3.0
    x_bar, y_bar = pullback((np.array([1.0, 10.0]), np.array(100.0)))
    np.testing.assert_array_equal(x_bar, [103.0, 140.0])
    np.testing.assert_array_equal(y_bar, [1.0, 20.0])
    tangents = (np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    _, moved = jvp(both, (np.array([1.0, 2.0]), np.array([3.0, 4.0])), tangents)
    np.testing.assert_array_equal(moved[0], [3.0, 2.0])
    assert moved[1] == 1.0


def test_value_and_grad_gives_both():
    value, slope = value_and_grad(lambda x: sum_(x * x))(np.array([1.0, 2.0]))
    assert value == 5.0
    np.testing.assert_array_equal(slope, [2.0, 4.0])


def test_argnums_chooses_the_arguments_and_keywords_go_through():
    def f(x, y, *, factor):
        return sum_(x * x * y) * factor

    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    np.testing.assert_array_equal(grad(f)(x, y, factor=1.0), [6.0, 16.0])
    np.testing.assert_array_equal(grad(f, argnums=1)(x, y, factor=2.0), [2.0, 8.0])
    y_bar, x_bar = grad(f, argnums=(1, 0))(x, y, factor=1.0)
    np.testing.assert_array_equal(x_bar, [6.0, 16.0])
    np.testing.assert_array_equal(y_bar, [1.0, 4.0])
    [only] = grad(f, argnums=(1,))(x, y, factor=1.0)
    np.testing.assert_array_equal(only, [1.0, 4.0])


def test_other_arguments_need_not_be_arrays():
    assert grad(lambda x, name: x * len(name))(np.array(1.0), "four") == 4.0


@each
@pytest.mark.parametrize("f", [lambda x: np.array(3.0), lambda x: Tensor(3.0), lambda x: 3.0])
def test_a_function_that_ignores_its_argument_has_slope_zero(d, f):
    assert d(f)(TWO) == 0.0


def test_an_argument_that_is_ignored_has_a_zero_cotangent_of_its_shape_and_dtype():
    x, y = np.ones((2, 3), np.float32), np.ones(4)
    x_bar, y_bar = grad(lambda x, y: sum_(y), argnums=(0, 1))(x, y)
    assert x_bar.dtype == np.float32
    np.testing.assert_array_equal(x_bar, np.zeros((2, 3)))
    np.testing.assert_array_equal(y_bar, np.ones(4))


@each
def test_the_identity_has_slope_one(d):
    assert d(lambda x: x)(TWO) == 1.0


def test_one_array_for_two_primals_is_two_primals():
    x = np.array([2.0, 3.0])
    x_bar, y_bar = vjp(lambda x, y: x * x * y, x, x)[1](np.ones(2))
    np.testing.assert_array_equal(x_bar, [8.0, 18.0])
    np.testing.assert_array_equal(y_bar, [4.0, 9.0])


@floating
@each
def test_dtypes_go_through(d, dtype):
    if d is derivative_by_vjp:
        slope = vjp(lambda x: x * x, dtype(3.0))[1](np.ones((), dtype))[0]
    elif d is derivative_by_jvp:
        value, slope = jvp(lambda x: x * x, (dtype(3.0),), (np.ones((), dtype),))
        assert value.dtype == dtype
    else:
        slope = d(lambda x: x * x)(dtype(3.0))
    assert slope.dtype == dtype
    assert slope == 6.0


@floating
def test_dtypes_go_through_derivatives_of_derivatives(dtype):
    x = np.array(2.0, dtype)
    for f in (lambda x: x * x * x, lambda x: 2.0 * x**3 / 2.0):
        for of_slope in (
            grad(grad(f))(x),
            jvp(grad(f), (x,), (np.ones((), dtype),))[1],
            grad(lambda x, f=f: jvp(f, (x,), (np.ones((), dtype),))[1])(x),
        ):
            assert of_slope.dtype == dtype
            assert of_slope == 12.0


# Arrays for arrays, Tensors for Tensors


@each
def test_tensors_come_back_for_tensors(d):
    x = Tensor(2.0)
    slope = d(cube)(x)
    assert isinstance(slope, Tensor)
    assert not slope.requires_grad
    assert slope.item() == 12.0


@each
def test_the_derivative_at_a_tensor_that_is_followed_is_followed_too(d):
    x = Tensor(2.0, requires_grad=True)
    slope = d(cube)(x)
    assert slope.requires_grad
    slope.backward()
    assert x.grad == 12.0  # 6 x


@each
def test_taking_a_derivative_leaves_the_grad_of_tensors_alone(d):
    x = Tensor(2.0, requires_grad=True)
    d(cube)(x)
    assert x.grad is None


def test_values_of_vjp_are_of_the_kind_of_the_primals():
    array = np.array([1.0, 2.0])
    for x, kind in ((array, np.ndarray), (Tensor(array), Tensor)):
        out, pullback = vjp(cube, x)
        assert type(out) is kind
        assert type(pullback(array)[0]) is kind
        out, moved = jvp(cube, (x,), (array,))
        assert type(out) is kind
        assert type(moved) is kind


# Nested


@each_outer
@each_inner
def test_the_derivative_of_a_derivative(outer, inner):
    assert outer(inner(cube))(TWO) == 12.0  # 6 x
    assert outer(inner(lambda x: x * sin(x)))(TWO) == pytest.approx(
        2 * np.cos(2.0) - 2 * np.sin(2.0), rel=8 * np.finfo(float).eps
    )


@pytest.mark.parametrize("third", DERIVATIVES)
@each_outer
@each_inner
def test_three_deep(third, outer, inner):
    assert third(outer(inner(lambda x: cube(x) * x)))(TWO) == 48.0  # 24 x


@each
def test_ten_deep(d):
    f, coefficient = lambda x: x**10, 1
    for k in range(10):
        f, coefficient = d(f) if k % 2 else grad(f), coefficient * (10 - k)
    assert f(TWO) == coefficient


@each_outer
@each_inner
def test_an_inner_function_may_capture_the_outer_variable(outer, inner):
    # d/dx of d/dy (x y^2) at y = 3 is d/dx of 6 x
    three = np.array(3.0)
    assert outer(lambda x: inner(lambda y: x * y * y)(three))(TWO) == 6.0


@each_outer
@each_inner
def test_perturbations_are_not_confused(outer, inner):
    # The inner derivative of x + y for y is 1, whatever x stands for; so the outer one is that of x.
    one = np.array(1.0)
    assert outer(lambda x: x * inner(lambda y: x + y)(one))(one) == 1.0
    # d/dx of x * (d/dy of x y at y = 2) = d/dx of x^2; a confused system says 2 x + something
    assert outer(lambda x: x * inner(lambda y: x * y)(TWO))(np.array(3.0)) == 6.0
    # The same point for both variables, and the inner derivative at the outer variable itself.
    assert outer(lambda x: x * inner(lambda y: x * y * y)(x))(TWO) == 24.0  # x * 2 x^2: 6 x^2


@each_outer
@each_inner
def test_an_inner_derivative_that_ignores_its_variable(outer, inner):
    assert outer(lambda x: inner(lambda y: x * x)(TWO) + x)(TWO) == 1.0


@each_outer
@each_inner
def test_nesting_gives_arrays_for_arrays(outer, inner):
    assert type(outer(inner(cube))(TWO)) is np.ndarray


def test_a_jvp_of_a_gradient_is_a_hessian_vector_product():
    # f = x0^2 x1 + x1^3, Hessian [[2 x1, 2 x0], [2 x0, 6 x1]]
    def f(x):
        return x[0] * x[0] * x[1] + x[1] * x[1] * x[1]

    x, v = np.array([2.0, 5.0]), np.array([1.0, -3.0])
    slope, along = jvp(grad(f), (x,), (v,))
    np.testing.assert_array_equal(slope, [20.0, 79.0])
    expected = [10.0 * 1 + 4.0 * -3, 4.0 * 1 + 30.0 * -3]
    np.testing.assert_array_equal(along, expected)
    np.testing.assert_array_equal(grad(lambda x: sum_(grad(f)(x) * v))(x), expected)
    np.testing.assert_array_equal(vjp(grad(f), x)[1](v)[0], expected)


def test_the_pullback_is_itself_a_function_to_differentiate():
    x = np.array([1.0, 2.0])
    _, pullback = vjp(cube, x)
    v_bar, w = np.array([1.0, 10.0]), np.array([3.0, 7.0])
    out, second = vjp(lambda bar: pullback(bar)[0], v_bar)
    np.testing.assert_array_equal(out, [3.0, 120.0])
    np.testing.assert_array_equal(second(w)[0], [9.0, 84.0])  # it is linear, and here symmetric


def test_jvp_and_vjp_are_transposes():
    rng = np.random.default_rng(3)
    x, x_dot = rng.normal(size=(2, 3, 4))
    out_bar = rng.normal(size=(4, 3))

    def f(x):
        return concatenate([exp(x), x * x], axis=1)[:, 1:5].T

    _, along = jvp(f, (x,), (x_dot,))
    [x_bar] = vjp(f, x)[1](out_bar)
    products = [*(along * out_bar).ravel(), *(x_dot * x_bar).ravel()]
    bound = len(products) * np.finfo(float).eps * np.abs(products).sum()
    assert abs((along * out_bar).sum() - (x_dot * x_bar).sum()) <= bound


@each
def test_no_grad_inside_makes_a_constant_and_outside_does_not_reach_in(d):
    def half_constant(x):
        with no_grad():
            fixed = x * 1.0
        return x * fixed

    assert d(half_constant)(TWO) == 2.0
    with no_grad():
        assert d(cube)(TWO) == 12.0


# Refusals


@pytest.mark.parametrize("transform", [grad, value_and_grad])
def test_a_gradient_needs_a_scalar(transform):
    with pytest.raises(TapeError, match=r"grad: the function returned shape \(2,\), .* use vjp"):
        transform(lambda x: x * 2.0)(np.ones(2))
    with pytest.raises(TapeError, match=r"grad: the function returned a tuple"):
        transform(lambda x: (x, x))(TWO)


def test_a_pullback_checks_its_cotangents():
    _, pullback = vjp(lambda x: x * 2.0, np.ones(2))
    with pytest.raises(TapeError, match=r"vjp: the cotangent has shape \(3,\).*\(2,\) and float64"):
        pullback(np.ones(3))
    with pytest.raises(TapeError, match=r"vjp: the cotangent has .* float32"):
        pullback(np.ones(2, np.float32))
    _, pullback = vjp(lambda x: (x, x), np.ones(2))
    with pytest.raises(TapeError, match=r"vjp: the pullback got 1 cotangents, expected 2"):
        pullback(np.ones(2))


def test_jvp_checks_its_tangents():
    with pytest.raises(ValueError, match=r"jvp: 2 primals but 1 tangents"):
        jvp(multiply, (TWO, TWO), (TWO,))
    with pytest.raises(ValueError, match=r"jvp: the .* shape \(2,\) .*\(\) and float64"):
        jvp(cube, (TWO,), (np.ones(2),))


@each
def test_integers_are_refused(d):
    with pytest.raises(TypeError, match=r"Tensor: data has dtype int64"):
        d(cube)(np.array(2))


def test_a_failing_function_leaves_no_state_behind():
    from stn_ref.autograd.recording import state

    def fails(x):
        raise ZeroDivisionError

    with no_grad():
        with pytest.raises(ZeroDivisionError):
            grad(fails)(TWO)
        assert (state.recording, state.depth) == (False, 0)
    assert (state.recording, state.depth) == (True, 0)


def test_a_gradient_penalty_on_closed_over_parameters_is_followed():
    W = Tensor(np.full(2, 3.0), requires_grad=True)
    g = grad(lambda x: (W * x * x).sum())(Tensor(np.ones(2)))  # 2 W x
    (g * g).sum().backward()  # 4 W^2 x^2
    np.testing.assert_array_equal(W.grad, [24, 24])
    W.zero_grad()
    _, moved = jvp(lambda x: (W * x * x).sum(), (Tensor(np.ones(2)),), (Tensor(np.ones(2)),))
    moved.backward()
    np.testing.assert_array_equal(W.grad, [2, 2])


def test_results_belong_to_the_caller():
    c = np.ones(2)
    out, pullback = vjp(lambda x, y: x + y, np.ones(2), np.ones(2))
    a, b = pullback(c)
    a *= 10
    out *= 10
    np.testing.assert_array_equal(b, [1, 1])
    np.testing.assert_array_equal(c, [1, 1])
    x = np.ones(3)
    g = grad(lambda x: x.sum())(x)
    g *= 0.1
    same, _ = vjp(lambda t: t, x)
    same[0] = 5
    np.testing.assert_array_equal(x, [1, 1, 1])


def test_steps_unrolled_inside_a_transform_do_not_walk_the_history_again():
    """The inner backward passes visit their own nodes only, however many steps came before."""
    visited = []
    original = transforms.run

    def counting(roots, targets, graph, retain):
        roots, targets = list(roots), list(targets)
        visited.append(len(backward.reachable([n for n, _ in roots], min(t.number for t in targets))))
        return original(roots, targets, graph, retain)

    transforms.run = counting
    try:

        def unrolled(x):
            for _ in range(8):
                x = x - 0.1 * grad(lambda z: (z * z * z).sum())(x)
            return x.sum()

        grad(unrolled)(np.ones(3))
    finally:
        transforms.run = original
    inner = visited[:-1]
    assert len(set(inner)) == 1
