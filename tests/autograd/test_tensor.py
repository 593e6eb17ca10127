"""`Tensor`: what it takes, what it tells, and that NumPy cannot lose its derivatives."""

import copy
import pickle
import threading

import numpy as np
import pytest

from stn_ref import TapeError, Tensor, no_grad, relu, reshape

floating = pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])


@floating
def test_a_tensor_keeps_the_dtype_of_an_array_and_shares_its_memory(dtype):
    array = np.arange(6, dtype=dtype).reshape(2, 3)
    x = Tensor(array)
    assert x.data is array
    assert (x.shape, x.dtype, x.ndim, x.size, len(x)) == ((2, 3), dtype, 2, 6, 2)
    assert x.grad is None
    assert not x.requires_grad


def test_lists_and_numbers_become_float64():
    assert Tensor([1.0, 2.0]).dtype == Tensor(3.5).dtype == np.float64
    assert Tensor(3.5).shape == ()


def test_a_tensor_of_a_tensor_is_a_new_leaf_over_the_same_values():
    x = Tensor([1.0], requires_grad=True)
    y = Tensor(x)
    assert y.data is x.data
    assert not y.requires_grad


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.bool_, np.complex128, np.longdouble])
def test_other_dtypes_are_refused_by_name(dtype):
    array = np.zeros(3, dtype)
    with pytest.raises(TypeError, match=rf"Tensor: data has dtype {array.dtype}, expected float16"):
        Tensor(array)


def test_an_integer_is_refused_with_the_way_to_mend_it():
    with pytest.raises(TypeError, match=r"Tensor: data is 3, .* write 3\.0 for 3"):
        Tensor(3)
    with pytest.raises(TypeError, match=r"Tensor: data is \[1, 2\]"):
        Tensor([1, 2])


def test_the_representation_shows_dtype_and_requires_grad_where_they_are_not_the_usual():
    assert repr(Tensor([1.0, 2.0])) == "Tensor([1., 2.])"
    x = Tensor(np.ones(2, np.float32), requires_grad=True)
    assert repr(x) == "Tensor([1., 1.], dtype=float32, requires_grad=True)"


@pytest.mark.parametrize(
    ("expression", "value", "gradient"),
    [
        (lambda x: x + 3.0, 5.0, 1.0),
        (lambda x: 3.0 + x, 5.0, 1.0),
        (lambda x: x - 3.0, -1.0, 1.0),
        (lambda x: 3.0 - x, 1.0, -1.0),
        (lambda x: x * 3.0, 6.0, 3.0),
        (lambda x: 3.0 * x, 6.0, 3.0),
        (lambda x: x / 4.0, 0.5, 0.25),
        (lambda x: 4.0 / x, 2.0, -1.0),
        (lambda x: x**3, 8.0, 12.0),
        (lambda x: 1.0**x, 1.0, 0.0),
        (lambda x: -x, -2.0, -1.0),
        (lambda x: abs(-x), 2.0, 1.0),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_python_operators_on_both_sides(expression, value, gradient, dtype):
    x = Tensor(np.full((2, 1), 2, dtype), requires_grad=True)
    y = expression(x)
    assert isinstance(y, Tensor)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y.data, np.full((2, 1), value))
    y.backward(np.ones((2, 1), dtype))
    assert x.grad.dtype == dtype
    np.testing.assert_array_equal(x.grad, np.full((2, 1), gradient))


@floating
def test_scalars_keep_their_dtype_beside_python_numbers(dtype):
    x = Tensor(dtype(2.0), requires_grad=True)
    y = (x * 3.0 + 1) / 2.0 - 1.5
    assert y.dtype == dtype
    y.backward()
    assert x.grad.dtype == dtype
    assert float(x.grad) == 1.5


def test_an_array_on_the_left_leaves_the_operation_to_the_tensor():
    x = Tensor(np.ones((2, 2)), requires_grad=True)
    array = np.array([[1.0, 2.0], [3.0, 4.0]])
    for y in (array + x, array - x, array * x, array / x, array @ x, np.float64(2.0) * x):
        assert isinstance(y, Tensor)
        assert y.requires_grad
    np.testing.assert_array_equal((array @ x).data, [[3, 3], [7, 7]])
    np.testing.assert_array_equal((x @ array).data, [[4, 6], [4, 6]])


def test_numpy_functions_are_the_operators_of_that_name_or_are_refused():
    x = Tensor([1.0], requires_grad=True)
    (np.sin(x) * np.array([2.0]) + np.multiply(3.0, x)).backward()
    np.testing.assert_allclose(x.grad, 2 * np.cos([1.0]) + 3)
    with pytest.raises(TypeError, match="NumPy's arctan cannot follow derivatives here"):
        np.arctan(x)
    with pytest.raises(TypeError, match="NumPy's add cannot follow"):
        np.add.reduce(x)
    assert np.isfinite(x).all()
    assert (np.array([0.0]) < x).all()
    with pytest.raises(TypeError, match=r"Tensor: NumPy cannot follow .* use x\.data"):
        np.asarray(x)
    np.testing.assert_array_equal(np.asarray(x.detach()), [1.0])


def test_comparisons_are_elementwise_and_tensors_can_still_be_keys():
    x = Tensor([0.0, 1.0], requires_grad=True)
    np.testing.assert_array_equal(x == 0.0, [True, False])
    np.testing.assert_array_equal(x != x.data, [False, False])
    np.testing.assert_array_equal(np.zeros(2) == x, [True, False])
    assert {x: "value"}[x] == "value"


def test_copies_and_pickles_are_leaves_of_their_own():
    x = Tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    for again in (copy.deepcopy(x), copy.copy(x), pickle.loads(pickle.dumps(x))):
        np.testing.assert_array_equal(again.data, x.data)
        np.testing.assert_array_equal(again.grad, x.grad)
        again.zero_grad()
        (again * 5.0).sum().backward()
        np.testing.assert_array_equal(again.grad, [5, 5])
    np.testing.assert_array_equal(x.grad, [2, 4])
    with pytest.raises(TypeError, match=r"result of multiply cannot be copied .*detach"):
        copy.deepcopy(x * x)


def test_results_that_are_no_floats_are_refused():
    x = Tensor([1.5], requires_grad=True)
    with pytest.raises(TypeError, match="multiply: the result would be complex128"):
        x * 1j
    with pytest.raises(TypeError, match="cast: dtype is int64, expected float16, float32 or float64"):
        x.astype(np.int64)


def test_too_many_positional_arguments_are_explained():
    with pytest.raises(TypeError, match=r"reshape: got 2 positional .* by name: shape=\.\.\."):
        reshape(Tensor([1.0, 2.0]), (2, 1))
    with pytest.raises(TypeError, match="relu: got 2 positional arguments, expected 1, x"):
        relu(np.ones(2), np.ones(2))


def test_methods_are_the_operators():
    x = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    assert float(x.sum()) == 15.0
    np.testing.assert_array_equal(x.sum(axis=1).data, [3, 12])
    np.testing.assert_array_equal(x.mean(axis=0, keepdims=True).data, [[1.5, 2.5, 3.5]])
    np.testing.assert_array_equal(x.max(axis=0).data, [3, 4, 5])
    assert x.reshape(3, 2).shape == x.reshape((3, -1)).shape == (3, 2)
    assert x.T.shape == x.transpose().shape == x.transpose(1, 0).shape == (3, 2)
    assert x.transpose((1, 0)).shape == (3, 2)
    assert x.astype(np.float32).dtype == np.float32
    np.testing.assert_array_equal(x[1, ::2].data, [3, 5])
    assert [float(row.sum()) for row in x] == [3, 12]


def test_comparisons_give_plain_booleans():
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    assert (x > 2.0).tolist() == [False, False, True]
    assert (x >= Tensor([2.0, 2.0, 2.0])).tolist() == [False, True, True]
    assert (x < 2.0).tolist() == [True, False, False]
    assert (x <= 2.0).tolist() == [True, True, False]
    assert bool(Tensor(1.0))
    assert not bool(Tensor(0.0))


def test_item_needs_one_element():
    assert Tensor([[2.5]]).item() == float(Tensor([[2.5]])) == 2.5
    with pytest.raises(ValueError):
        Tensor([1.0, 2.0]).item()


def test_requires_grad_can_be_set_on_what_the_user_made_only():
    x = Tensor([1.0])
    x.requires_grad = True
    assert x.is_leaf
    y = x * 2.0
    assert not y.is_leaf
    with pytest.raises(ValueError, match=r"requires_grad of the result of multiply cannot be set"):
        y.requires_grad = False
    x.requires_grad = False
    assert not (x * 2.0).requires_grad


def test_detach_gives_a_constant_of_the_same_values():
    x = Tensor([3.0], requires_grad=True)
    y = x * x.detach()
    y.backward()
    np.testing.assert_array_equal(x.grad, [3.0])


def test_zero_grad_forgets():
    x = Tensor(3.0, requires_grad=True)
    (x * x).backward()
    x.zero_grad()
    assert x.grad is None
    (x * x).backward()
    assert x.grad == 6.0


def test_no_grad_records_nothing_and_ends_with_its_block():
    x = Tensor([1.0], requires_grad=True)
    with no_grad():
        inside = x * 2.0
        with no_grad():
            pass
        assert not (x * 2.0).requires_grad
    assert not inside.requires_grad
    assert (x * 2.0).requires_grad
    with pytest.raises(TapeError, match=r"computed under no_grad"):
        inside.backward()


def test_no_grad_ends_with_an_exception_too():
    x = Tensor([1.0], requires_grad=True)
    with pytest.raises(ZeroDivisionError), no_grad():
        raise ZeroDivisionError
    assert (x * 2.0).requires_grad


def test_no_grad_is_a_decorator_too():
    @no_grad()
    def doubled(x):
        return x * 2.0

    x = Tensor([1.0], requires_grad=True)
    for _ in range(2):
        assert not doubled(x).requires_grad
        assert (x * 2.0).requires_grad


def test_no_grad_in_one_thread_leaves_the_others_recording():
    x = Tensor([1.0], requires_grad=True)
    inside, done = threading.Event(), threading.Event()
    seen = {}

    def without():
        with no_grad():
            inside.set()
            done.wait(10)
            seen["without"] = (x * 2.0).requires_grad

    thread = threading.Thread(target=without)
    thread.start()
    try:
        assert inside.wait(10)
        assert (x * 2.0).requires_grad
    finally:
        done.set()
        thread.join(10)
    assert seen == {"without": False}


def test_threads_that_record_at_once_each_get_their_gradient():
    slopes = {}

    def descend(k):
        for _ in range(50):
            x = Tensor(np.full(3, k, float), requires_grad=True)
            (x * x * x).sum().backward()
            slopes.setdefault(k, []).append(x.grad.tolist())

    threads = [threading.Thread(target=descend, args=(k,)) for k in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert slopes == {k: [[3.0 * k * k] * 3] * 50 for k in (1, 2, 3)}
