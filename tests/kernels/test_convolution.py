"""The three products of convolution are those of the literal loop, on whatever input and in every way."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stn_ref.kernels import convolution as kernels
from stn_ref.kernels.workspace import workspace


def literal(x: Any, weight: Any, y: Any, stride: Any, padding: Any) -> tuple[Any, Any, Any]:
    """correlate, correlate_weight and correlate_input, one window at a time."""
    (ph, pw), (kh, kw) = padding, weight.shape[2:]
    wide = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    out, weight_bar, wide_bar = np.zeros_like(y), np.zeros_like(weight), np.zeros_like(wide)
    for i, j in np.ndindex(y.shape[2:]):
        here = (..., slice(i * stride[0], i * stride[0] + kh), slice(j * stride[1], j * stride[1] + kw))
        out[:, :, i, j] = np.einsum("nchw,ochw->no", wide[here], weight)
        weight_bar += np.einsum("nchw,no->ochw", wide[here], y[:, :, i, j])
        wide_bar[here] += np.einsum("no,ochw->nchw", y[:, :, i, j], weight)
    h, w = x.shape[2:]
    return out, weight_bar, wide_bar[:, :, ph : ph + h, pw : pw + w]


def in_some_order(draw: Any, x: np.ndarray) -> np.ndarray:
    """The same numbers in another memory order, perhaps with gaps between them, or read-only."""
    order = draw(st.permutations(range(x.ndim)))
    gap = draw(st.integers(1, 2))
    wide = np.full([gap * x.shape[k] for k in order], np.nan, x.dtype)
    view = wide[tuple(slice(None, None, gap) for _ in order)].transpose(np.argsort(order))
    view[...] = x
    view.flags.writeable = draw(st.booleans())
    return view


@st.composite
def problems(draw: Any) -> tuple[Any, ...]:
    """Small whole numbers, so that every sum is exact whatever its order."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, c, o = draw(st.integers(0, 4)), draw(st.integers(0, 3)), draw(st.integers(0, 3))
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    padding = draw(st.tuples(st.integers(0, 4), st.integers(0, 4)))
    size = tuple(draw(st.integers(max(1, k - 2 * p), 7)) for k, p in zip(kernel, padding))
    out = tuple(kernels.out_size(*four) for four in zip(size, kernel, stride, padding))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    shapes = ((n, c, *size), (o, c, *kernel), (n, o, *out))
    x, weight, y = (in_some_order(draw, rng.integers(-4, 5, shape).astype(dtype)) for shape in shapes)
    return x, weight, y, stride, padding


def check(x: Any, weight: Any, y: Any, stride: Any, padding: Any) -> None:
    expected = literal(x, weight, y, stride, padding)
    found = (
        kernels.correlate(x, weight, stride, padding),
        kernels.correlate_weight(y, x, weight.shape, stride, padding),
        kernels.correlate_input(y, weight, x.shape, stride, padding),
    )
    for got, want in zip(found, expected):
        assert (got.shape, got.dtype) == (want.shape, want.dtype)
        np.testing.assert_array_equal(got, want)
        assert all(not np.may_share_memory(got, part) for part in (x, weight, y))
    assert workspace().taken == 0


@given(problems())
def test_all_products_are_those_of_the_literal_loop(problem: Any) -> None:
    check(*problem)


@pytest.mark.parametrize(
    "limits",
    [
        {"CACHE": 1},
        {"FEW": 0},
        {"FEW": 0, "CACHE": 1},
        {"FEW": 0, "LONG": 0},
        {"FEW": 0, "LONG": 0, "CACHE": 1},
        {"FEW": 0, "SMALL": 40},
    ],
    ids=str,
)
def test_so_they_are_in_pieces_and_for_large_batches(limits: Any, monkeypatch: Any) -> None:
    for name, limit in limits.items():
        monkeypatch.setattr(kernels, name, limit)

    @given(problems())
    def test(problem: Any) -> None:
        check(*problem)

    test()


def test_a_batch_in_several_parts(monkeypatch: Any) -> None:
    monkeypatch.setattr(kernels, "CACHE", 1)
    rng = np.random.default_rng(0)
    shapes = ((37, 2, 5, 6), (3, 2, 3, 2), (37, 3, 3, 3))
    x, weight, y = (rng.integers(-4, 5, shape).astype(float) for shape in shapes)
    check(x, weight, y, (2, 2), (1, 0))


@given(st.integers(0, 200), st.integers(0, 2**20))
@example(64, 2**13)
def test_parts_are_the_batch(n: int, each: int) -> None:
    parts = list(kernels._parts(n, each))
    assert [k for part in parts for k in range(n)[part]] == list(range(n))


def test_products_of_different_dtypes_have_the_wider() -> None:
    x, weight = np.ones((2, 1, 3, 3), np.float32), np.ones((1, 1, 2, 2))
    y = kernels.correlate(x, weight, (1, 1), (0, 0))
    assert y.dtype == np.float64
    assert kernels.correlate_weight(y, x, weight.shape, (1, 1), (0, 0)).dtype == np.float64
    assert kernels.correlate_input(y.astype(np.float32), weight, x.shape, (1, 1), (0, 0)).dtype == np.float64


def test_nan_touches_only_what_sees_it() -> None:
    x = np.zeros((1, 1, 4, 5))
    x[0, 0, 1, 2] = np.nan
    y = kernels.correlate(x, np.ones((1, 1, 2, 2)), (1, 1), (0, 0))
    seen = np.zeros((3, 4), bool)
    seen[0:2, 1:3] = True
    np.testing.assert_array_equal(np.isnan(y[0, 0]), seen)
