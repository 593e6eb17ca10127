"""What holds for every registered operator, generated from the registry: none can be left out."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from stn_ref import Tensor, gradcheck, vjp
from stn_ref.autograd.tensor import OPERATORS

from .cases import CASES


def of_kind(kind: str) -> list[Any]:
    return [
        pytest.param(name, *case, id=f"{name}-{k}")
        for name, cases in CASES.items()
        for k, case in enumerate(getattr(cases, kind))
    ]


def pulled_back(name: str, inputs: Any, settings: Any) -> list[np.ndarray]:
    """Value and cotangents at a fixed random cotangent."""
    out, pullback = vjp(partial(OPERATORS[name], **settings), *inputs)
    v = np.random.default_rng(1).normal(size=out.shape).astype(out.dtype)
    return [out, *pullback(v)]


def test_every_registered_operator_has_cases_of_every_kind() -> None:
    assert set(CASES) == set(OPERATORS)
    for name, cases in CASES.items():
        assert cases.ordinary, name
        assert cases.small, name
        assert cases.refused, name


def test_every_argument_of_every_operator_has_a_rule() -> None:
    for operator in OPERATORS.values():
        assert set(operator.rules) == set(operator.arguments), operator


@pytest.mark.parametrize(("name", "inputs", "settings"), of_kind("ordinary"))
def test_derivatives_of_first_and_second_order_agree_with_differences(
    name: str, inputs: Any, settings: Any
) -> None:
    assert gradcheck(partial(OPERATORS[name], **settings), inputs, order=2, elements=30).passed


@pytest.mark.parametrize(("name", "inputs", "settings"), of_kind("ordinary"))
def test_float32_stays_float32_and_has_the_same_derivatives(name: str, inputs: Any, settings: Any) -> None:
    if name == "cast":
        settings = {"dtype": np.float32}
    single = [x.astype(np.float32) for x in inputs]
    assert all(x.dtype == np.float32 for x in pulled_back(name, single, settings))
    if name != "cast":  # rounds to float32 what the difference needs in float64
        assert gradcheck(partial(OPERATORS[name], **settings), single, elements=30).passed


@pytest.mark.parametrize(("name", "inputs", "settings"), of_kind("ordinary"))
def test_memory_layout_and_read_only_flags_change_nothing(name: str, inputs: Any, settings: Any) -> None:
    def strided(x: np.ndarray) -> np.ndarray:
        every_other = (..., *(slice(1, None, 2) for _ in x.shape))
        wide = np.zeros([2 * n + 1 for n in x.shape])
        wide[every_other] = x
        view = wide[every_other]
        view.flags.writeable = False
        return view

    reversed_order = [np.asarray(x.T.copy().T) for x in inputs]
    expected = pulled_back(name, inputs, settings)
    for others in ([strided(x) for x in inputs], reversed_order):
        before = [x.copy() for x in others]
        for got, want in zip(pulled_back(name, others, settings), expected):
            np.testing.assert_allclose(got, want, rtol=0, atol=1e-13 * (1 + np.abs(want).max(initial=0)))
        for x, copy in zip(others, before):
            np.testing.assert_array_equal(x, copy)


@pytest.mark.parametrize(("name", "inputs", "settings"), of_kind("small"))
def test_empty_and_size_1_inputs_give_results_of_the_right_shape(
    name: str, inputs: Any, settings: Any
) -> None:
    out, *bars = pulled_back(name, inputs, settings)
    assert out.dtype == np.float64
    assert [bar.shape for bar in bars] == [x.shape for x in inputs]
    assert np.isfinite(out).all() or name in ("max", "mean")
    assert gradcheck(partial(OPERATORS[name], **settings), inputs, order=2).passed


@pytest.mark.parametrize(("name", "inputs", "settings", "message"), of_kind("refused"))
def test_errors_name_the_operator_and_what_came(name: str, inputs: Any, settings: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError, IndexError), match=rf"(?s)^{name}: .*{message}"):
        OPERATORS[name](*inputs, **settings)


@pytest.mark.parametrize(("name", "inputs", "settings"), of_kind("ordinary"))
def test_arrays_give_arrays_and_tensors_give_tensors(name: str, inputs: Any, settings: Any) -> None:
    plain = OPERATORS[name](*inputs, **settings)
    assert not isinstance(plain, Tensor)
    tensor = OPERATORS[name](*[Tensor(x, requires_grad=True) for x in inputs], **settings)
    assert isinstance(tensor, Tensor)
    assert tensor.requires_grad
    np.testing.assert_array_equal(tensor.data, plain)
