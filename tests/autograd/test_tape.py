"""The tape: which rules run, what they are given, what is kept, and each refusal."""

import re
import weakref
from collections import Counter

import numpy as np
import pytest

from stn_ref import (
    TapeError,
    Tensor,
    add,
    concatenate,
    cross_entropy,
    differentiable,
    exp,
    mean,
    multiply,
    negative,
    reshape,
    sum_,
    tanh,
    vjp,
    where,
)
from stn_ref.autograd.tensor import OPERATORS

floating = pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])


@pytest.fixture(autouse=True)
def operators_are_put_back():
    """Operators made in a test leave the registry with it."""
    before = dict(OPERATORS)
    yield
    OPERATORS.clear()
    OPERATORS.update(before)


@pytest.fixture
def counted():
    """A product of three factors that counts the calls of its rules."""
    calls = Counter()

    @differentiable()
    def triple(x, y, z):
        calls["forward"] += 1
        return x * y * z

    @triple.vjp("x")
    def _(t_bar, y, z):
        calls["x"] += 1
        return t_bar * y * z

    @triple.vjp("y")
    def _(t_bar, x, z):
        calls["y"] += 1
        return t_bar * x * z

    @triple.vjp("z")
    def _(t_bar, x, y):
        calls["z"] += 1
        return t_bar * x * y

    return triple, calls


# Accumulation and order


def test_a_value_used_twice_gets_the_sum_of_both_paths():
    x = Tensor([2.0, 3.0], requires_grad=True)
    y = x * 5.0 + x * x
    y.backward(np.array([1.0, 10.0]))
    np.testing.assert_array_equal(x.grad, [5 + 4, 10 * (5 + 6)])


def test_gradients_add_up_over_calls_of_backward():
    x = Tensor([2.0], requires_grad=True)
    for times in (1, 2, 3):
        (x * x).sum().backward()
        np.testing.assert_array_equal(x.grad, [4.0 * times])


def test_adding_up_makes_a_new_array_and_leaves_the_old_one_alone():
    x = Tensor([2.0], requires_grad=True)
    cotangent = np.array([1.0])
    add(x, 0.0).backward(cotangent)
    first = x.grad
    add(x, 0.0).backward(cotangent)
    assert first.tolist() == cotangent.tolist() == [1.0]
    assert x.grad.tolist() == [2.0]


def test_a_cotangent_is_passed_on_only_when_it_is_complete():
    # The diamond of the docstring, three times over: each doubling walks all paths once.
    x = Tensor(1.0, requires_grad=True)
    u = x
    for _ in range(3):
        u = u * 3.0 * u  # 3 u^2
    u.backward()
    assert u.item() == 3.0**7
    assert x.grad == 8 * 3.0**7  # u = 3^7 x^8


def test_only_leaves_get_a_grad():
    x = Tensor([2.0], requires_grad=True)
    y = x * 3.0
    constant = Tensor([1.0])
    (y * constant).sum().backward()
    assert y.grad is None
    assert constant.grad is None
    np.testing.assert_array_equal(x.grad, [3.0])


def test_backward_from_a_leaf_is_its_cotangent():
    x = Tensor([2.0, 3.0], requires_grad=True)
    x.backward(np.array([5.0, 7.0]))
    np.testing.assert_array_equal(x.grad, [5.0, 7.0])


# Only what is asked for


@pytest.mark.parametrize("followed", ["x", "y", "z", "xz", "xyz"])
def test_only_the_rules_of_followed_arguments_run(counted, followed):
    triple, calls = counted
    inputs = {name: Tensor([2.0], requires_grad=name in followed) for name in "xyz"}
    triple(*inputs.values()).backward()
    assert calls == {"forward": 1, **dict.fromkeys(followed, 1)}
    for name in "xyz":
        grad = inputs[name].grad
        assert (grad is not None) == (name in followed)
        assert grad is None or grad.tolist() == [4.0]


def test_a_vjp_runs_only_the_rules_on_the_way_to_its_primals(counted):
    triple, calls = counted
    outer = Tensor([2.0], requires_grad=True)
    with_outer = lambda x: triple(x, outer.detach(), np.array([3.0]))  # noqa: E731
    _, pullback = vjp(with_outer, np.array([5.0]))
    pullback(np.array([1.0]))
    assert calls == {"forward": 1, "x": 1}


def test_arrays_leave_no_trace(counted):
    triple, calls = counted
    two = np.array([2.0])
    assert type(triple(two, two, two)) is np.ndarray
    assert not triple(Tensor(two), two, two).requires_grad
    assert calls == {"forward": 2}


def test_branches_that_do_not_reach_the_output_are_not_walked(counted):
    triple, calls = counted
    x = Tensor([2.0], requires_grad=True)
    triple(x, x, x)
    (x * 3.0).backward()
    assert calls == {"forward": 1}
    np.testing.assert_array_equal(x.grad, [3.0])


# Long chains


@pytest.mark.parametrize("step", [negative, lambda x: x * 1.0, tanh])
def test_a_chain_of_100_000_operations_needs_no_recursion(step):
    x = Tensor([0.0], requires_grad=True)
    y = x
    for _ in range(100_000):
        y = step(y)
    y.backward(retain_graph=True)
    np.testing.assert_array_equal(x.grad, [1.0])
    del y  # to take it apart is a long way too


# Cotangents


def test_a_cotangent_is_needed_unless_the_output_has_one_element():
    x = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TapeError, match=r"backward: the output has shape \(2,\), .* reduce it"):
        (x * x).backward()
    (x * x)[:1].backward()
    np.testing.assert_array_equal(x.grad, [2.0, 0.0])


@pytest.mark.parametrize(
    "cotangent",
    [np.ones(3), np.ones((1, 2)), np.ones(()), np.ones(2, np.float32), np.ones(2, int)],
)
def test_a_cotangent_of_another_shape_or_dtype_is_refused(cotangent):
    x = Tensor([1.0, 2.0], requires_grad=True)
    came = re.escape(f"shape {cotangent.shape} and dtype {cotangent.dtype}")
    with pytest.raises(TapeError, match=rf"backward: the cotangent has {came}.*\(2,\) and float64"):
        (x * x).backward(cotangent)
    assert x.grad is None


def test_a_list_is_taken_as_a_cotangent_of_the_right_dtype():
    x = Tensor(np.ones(2, np.float32), requires_grad=True)
    (x * 2.0).backward([1, 2])
    assert x.grad.dtype == np.float32
    np.testing.assert_array_equal(x.grad, [2, 4])


def test_backward_needs_something_that_was_recorded():
    with pytest.raises(TapeError, match=r"backward: this tensor does not depend on any tensor"):
        Tensor(1.0).backward()


# Second backward


def test_a_second_backward_through_the_same_graph_is_refused():
    x = Tensor([2.0], requires_grad=True)
    y = x * x
    y.backward()
    with pytest.raises(TapeError, match=r"multiply: its saved values were freed .*retain_graph"):
        y.backward()
    np.testing.assert_array_equal(x.grad, [4.0])


def test_retain_graph_allows_a_second_backward():
    x = Tensor([2.0], requires_grad=True)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    np.testing.assert_array_equal(x.grad, [8.0])
    with pytest.raises(TapeError):
        y.backward()


def test_a_freed_part_under_a_new_head_is_refused_too():
    x = Tensor([2.0], requires_grad=True)
    shared = x * x
    (shared * 3.0).backward()
    with pytest.raises(TapeError, match=r"multiply: its saved values were freed"):
        (shared + 1.0).backward()


# Changes in place


def test_a_leaf_changed_after_its_value_was_needed_is_found():
    x = Tensor([2.0, 3.0], requires_grad=True)
    y = (x * x).sum()
    x.data[1] = 7.0
    with pytest.raises(TapeError, match=r"multiply: argument 'x' .* was changed in place"):
        y.backward()
    assert x.grad is None


def test_an_array_beside_the_tensor_is_watched_too():
    x, weight = Tensor([2.0, 3.0], requires_grad=True), np.array([1.0, 5.0])
    y = x * weight
    weight[0] = 9.0
    with pytest.raises(TapeError, match=r"multiply: argument 'y' .* was changed in place"):
        y.backward(np.ones(2))


@pytest.mark.parametrize("size", [3, 511, 512, 513, 5000])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_change_of_any_one_element_is_found(size, dtype):
    rng = np.random.default_rng(0)
    values = rng.normal(size=size).astype(dtype)
    for k in rng.integers(size, size=5):
        x = Tensor(values.copy(), requires_grad=True)
        y = x * x
        x.data[k] = -x.data[k]
        with pytest.raises(TapeError, match="changed in place"):
            y.backward(np.ones(size, dtype))


def test_a_change_through_a_view_is_found():
    x = Tensor(np.ones((4, 3)), requires_grad=True)
    row = reshape(x, shape=(12,))  # shares the user's memory
    y = row * row
    x.data[2, 1] = 5.0
    with pytest.raises(TapeError, match="changed in place"):
        y.backward(np.ones(12))


@pytest.mark.parametrize(
    "operation",
    [
        lambda x: x + 1.0,
        negative,
        lambda x: x * 3.0,
        exp,
        lambda x: sum_(x, axis=0, keepdims=True) + 0.0 * x,
        lambda x: x.astype(np.float32).astype(np.float64),
        lambda x: x[::-1],
    ],
)
def test_a_value_that_no_rule_needs_may_change(operation):
    x = Tensor([2.0, 3.0], requires_grad=True)
    y = operation(x)
    x.data[:] = 100.0
    y.backward(np.ones(2))
    assert x.grad.shape == (2,)


def test_a_change_after_backward_is_nobodys_business():
    x = Tensor([2.0, 3.0], requires_grad=True)
    for _ in range(3):
        (x * x).sum().backward()
        x.data -= 0.5 * x.grad
        x.zero_grad()
    np.testing.assert_array_equal(x.data, [0.0, 0.0])


def test_results_are_read_only():
    x = Tensor([2.0, 3.0], requires_grad=True)
    y = x * x
    with pytest.raises(ValueError, match="read-only"):
        y.data[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        y.data += 1.0
    assert x.data.flags.writeable


def test_a_view_is_read_only_and_its_base_is_not():
    x = Tensor(np.arange(4.0), requires_grad=True)
    y = reshape(x, shape=(2, 2))
    assert not y.data.flags.writeable
    x.data[0] = 5.0
    y.backward(np.ones((2, 2)))


# Memory


def test_a_node_keeps_only_what_a_rule_names():
    x = Tensor(np.ones(4), requires_grad=True)
    for operation, kept in ((negative, False), (exp, False), (lambda h: h * h, True)):
        h = x * 2.0
        alive = weakref.ref(h.data)
        y = operation(h)
        del h
        assert (alive() is not None) == kept
        y.backward(np.ones(4))


def test_an_argument_is_not_kept_for_a_rule_that_will_not_run():
    weight, x = Tensor(np.ones(4), requires_grad=True), np.arange(4.0)
    alive = weakref.ref(weight.data)
    y = multiply(weight, x)  # the derivative for weight needs x, not weight
    del weight
    assert alive() is None
    assert y.requires_grad


def test_values_are_freed_by_backward():
    x = Tensor(np.ones(4), requires_grad=True)
    h = x * 2.0
    alive = weakref.ref(h.data)
    y = (h * h).sum()
    del h
    assert alive() is not None
    y.backward()
    assert alive() is None


def test_a_result_that_is_dropped_takes_its_graph_with_it():
    x = Tensor(np.ones(4), requires_grad=True)
    h = x * 2.0
    alive = weakref.ref(h._node)
    y = h * h
    del h, y
    assert alive() is None


# Dtypes


@floating
@pytest.mark.parametrize("operation", [tanh, lambda x: x * x, lambda x: (x * 2.0).sum()])
def test_values_and_gradients_keep_their_dtype(dtype, operation):
    x = Tensor(np.ones((2, 3), dtype), requires_grad=True)
    y = operation(x)
    assert y.dtype == dtype
    y.backward(np.ones(y.shape, dtype))
    assert x.grad.dtype == dtype


@pytest.mark.parametrize("y_dtype", [np.float16, np.float32, np.float64])
@floating
def test_mixed_dtypes_give_each_argument_a_cotangent_of_its_own(dtype, y_dtype):
    for operation in (add, multiply):
        x = Tensor(np.full((2, 3), 2, dtype), requires_grad=True)
        y = Tensor(np.full(3, 5, y_dtype), requires_grad=True)
        z = operation(x, y)
        assert z.dtype == np.result_type(dtype, y_dtype)
        z.backward(np.ones((2, 3), z.dtype))
        assert (x.grad.dtype, x.grad.shape) == (dtype, (2, 3))
        assert (y.grad.dtype, y.grad.shape) == (y_dtype, (3,))
        assert y.grad.tolist() == [2.0 if operation is add else 4.0] * 3


def test_half_precision_is_computed_in_single_and_rounded_once():
    seen = []

    @differentiable()
    def looked_at(x):
        seen.append(x.dtype)
        return x * np.float32(1.0009766)  # not a float16

    x = np.array([1.0, 3.0], np.float16)
    y = looked_at(x)
    assert seen == [np.float32]
    assert y.dtype == np.float16
    assert np.array_equal(y, (x.astype(np.float32) * np.float32(1.0009766)).astype(np.float16))


# Operators made by others


def test_a_new_operator_is_registered_and_called_by_name_or_position(counted):
    triple, _ = counted
    assert OPERATORS["triple"] is triple
    assert repr(triple) == "<operator triple(x, y, z)>"
    assert triple(1.0, z=2.0, y=4.0) == 8.0
    with pytest.raises(TypeError, match=r"triple: argument 'z' is missing"):
        triple(1.0, 2.0)


def test_rules_get_shapes_settings_output_and_what_was_saved():
    given = {}

    @differentiable()
    def scaled(x, *, factor=2.0, saved=None):
        if saved is not None:
            saved["seen"] = x.shape
        return x * factor

    @scaled.vjp("x")
    def _(y_bar, x_shape, factor, output, saved):
        given.update(x_shape=x_shape, factor=factor, output=output, saved=dict(saved))
        return y_bar * factor

    x = Tensor([1.0, 2.0], requires_grad=True)
    scaled(x, factor=3.0).backward(np.ones(2))
    np.testing.assert_array_equal(x.grad, [3.0, 3.0])
    assert given.pop("output").tolist() == [3.0, 6.0]
    assert given == {"x_shape": (2,), "factor": 3.0, "saved": {"seen": (2,)}}
    scaled(x).backward(np.ones(2))
    assert given["factor"] == 2.0


def test_a_rule_for_an_unknown_argument_or_with_unknown_needs_is_refused(counted):
    triple, _ = counted
    with pytest.raises(TypeError, match=r"triple: 'w' is none of its arguments"):
        triple.vjp("w")
    with pytest.raises(TypeError, match=r"triple: the rule for 'x' asks for 'weight'"):
        triple.vjp("x")(lambda t_bar, weight: t_bar)


@pytest.mark.parametrize(
    ("wrong", "came"),
    [
        (lambda y_bar: y_bar[:1], r"shape \(1,\) and dtype float32"),
        (lambda y_bar: y_bar.reshape(2, 1), r"shape \(2, 1\) and dtype float32"),
        (lambda y_bar: y_bar.astype(np.float64), r"shape \(2,\) and dtype float64"),
        (lambda y_bar: y_bar.astype(int), r"shape \(2,\) and dtype int64"),
    ],
)
def test_a_wrong_rule_is_named_with_its_argument(wrong, came):
    @differentiable()
    def careless(x):
        return x * np.float32(2.0)

    careless.vjp("x")(wrong)
    x = Tensor(np.ones(2, np.float32), requires_grad=True)
    y = careless(x)
    expected = rf"careless: its vjp rule for 'x' returned {came}, expected .*\(2,\) and float32"
    with pytest.raises(TapeError, match=expected):
        y.backward(np.ones(2, np.float32))
    assert x.grad is None


def test_a_missing_rule_is_named_when_the_operator_is_used():
    @differentiable()
    def one_way(x, y):
        return x + y

    one_way.vjp("x")(lambda z_bar: z_bar)
    one_way(Tensor([1.0], requires_grad=True), np.ones(1)).backward()
    with pytest.raises(TapeError, match=r"one_way: there is no derivative with respect to 'y'"):
        one_way(np.ones(1), Tensor([1.0], requires_grad=True))


def test_a_broadcasting_operators_rules_need_not_sum():
    @differentiable(broadcasts=True)
    def plus(x, y):
        return x + y

    plus.vjp("x")(lambda z_bar: z_bar)
    plus.vjp("y")(lambda z_bar: z_bar)
    x = Tensor(np.zeros((2, 1, 3)), requires_grad=True)
    y = Tensor(np.zeros((4, 1)), requires_grad=True)
    plus(x, y).backward(np.arange(24.0).reshape(2, 4, 3))
    cotangent = np.arange(24.0).reshape(2, 4, 3)
    np.testing.assert_array_equal(x.grad, cotangent.sum(1, keepdims=True))
    np.testing.assert_array_equal(y.grad, cotangent.sum(0).sum(1, keepdims=True))


def test_an_operator_that_returns_its_input_does_not_lock_the_users_array():
    @differentiable()
    def same(x):
        return x

    same.vjp("x")(lambda y_bar: y_bar)
    array = np.ones(3)
    y = same(Tensor(array, requires_grad=True))
    assert not y.data.flags.writeable
    array[0] = 2.0


def test_variadic_arguments_are_named_by_their_number():
    x = Tensor(np.ones(2), requires_grad=True)

    @differentiable()
    def joined(*parts):
        return np.concatenate(parts)

    joined.vjp("parts")(lambda y_bar, i: y_bar[:1] if i else y_bar[:2])
    with pytest.raises(TapeError, match=r"joined: its vjp rule for 'parts\[1\]' returned"):
        joined(x, x).backward(np.ones(4))
    concatenate([x, x]).backward(np.array([1.0, 2.0, 3.0, 4.0]))
    np.testing.assert_array_equal(x.grad, [4.0, 6.0])


def test_index_arrays_masks_and_labels_may_be_reused_after_the_call():
    x = Tensor(np.zeros((2, 3)), requires_grad=True)
    labels, mask = np.array([0, 1]), np.array([[True, False, True]] * 2)
    loss = cross_entropy(x, labels) + where(mask, x, 0.0).sum()
    labels[:] = 2
    mask[:] = False
    loss.backward()
    expected = np.full((2, 3), 1 / 6) - np.eye(2, 3) / 2 + np.array([[1.0, 0, 1]] * 2)
    np.testing.assert_allclose(x.grad, expected)


def test_any_change_of_a_saved_array_is_found():
    """Also one that leaves sums of the words as they were."""
    x = Tensor(np.ones(2036, np.float32), requires_grad=True)
    y = (x * x).sum()
    x.data *= -1
    with pytest.raises(TapeError, match="changed in place"):
        y.backward()


def test_an_operator_of_another_module_is_not_replaced():
    with pytest.raises(ValueError, match=r"there is an operator 'multiply' already, in stn_ref\.ops"):

        @differentiable()
        def multiply(x, y):
            return x * y * 100

    assert float((Tensor(2.0) * 3.0).data) == 6.0


def test_half_precision_rules_are_computed_in_single():
    x = Tensor(np.full(70000, 2.0, np.float16), requires_grad=True)
    mean(x).backward()
    assert x.grad.dtype == np.float16
    assert x.grad[0] == np.float16(1 / 70000)  # 70000 itself is more than float16 holds
