"""Pooling windows: maxima, their places and the way back, as in the literal loop."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stn_ref.kernels import pooling as kernels

from .test_convolution import in_some_order


@st.composite
def problems(draw: Any) -> tuple[Any, ...]:
    """Images with many ties, sometimes NaN and infinities, and numbers for the windows."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, c = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    stride = draw(st.sampled_from([kernel, (1, 1), (2, 3), (3, 2), (4, 4)]))
    size = tuple(draw(st.integers(k, 8)) for k in kernel)
    ceil_mode = draw(st.booleans())
    out = tuple(kernels.out_size(*three, ceil_mode) for three in zip(size, kernel, stride))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    odd = draw(st.sampled_from([0, 0, 0.3]))
    arrays = []
    for shape in ((n, c, *size), (n, c, *out)):
        x = rng.integers(-2, 3, shape).astype(dtype)
        x[rng.random(shape) < odd] = draw(st.sampled_from([np.nan, np.inf, -np.inf]))
        arrays.append(in_some_order(draw, x))
    return (*arrays, out, kernel, stride)


@given(problems())
def test_maxima_and_their_places_are_those_of_the_literal_loop(problem: Any) -> None:
    x, _, out, kernel, stride = problem
    best, which = kernels.first_maximum(x, out, kernel, stride)
    np.testing.assert_array_equal(kernels.maximum(x, out, kernel, stride), best)
    assert best.dtype == x.dtype
    assert best.shape == which.shape == (*x.shape[:2], *out)
    for n, c, i, j in np.ndindex(best.shape):
        top, left = i * stride[0], j * stride[1]
        window = x[n, c, top : top + kernel[0], left : left + kernel[1]]
        first = np.unravel_index(window.argmax(), window.shape)  # NaN counts as largest there too
        np.testing.assert_array_equal(best[n, c, i, j], window[first])
        assert which[n, c, i, j] == first[0] * kernel[1] + first[1]
    np.testing.assert_array_equal(kernels.pick(x, which, kernel, stride), best)


@given(problems())
def test_each_number_goes_back_to_its_place_alone(problem: Any) -> None:
    x, y, out, kernel, stride = problem
    _, which = kernels.first_maximum(x, out, kernel, stride)
    found = kernels.put(y, which, x.shape, kernel, stride)
    assert (found.shape, found.dtype) == (x.shape, y.dtype)
    expected = np.zeros(x.shape, y.dtype)
    with np.errstate(invalid="ignore"):  # inf - inf
        for n, c, i, j in np.ndindex(y.shape):
            row, column = divmod(int(which[n, c, i, j]), kernel[1])
            expected[n, c, i * stride[0] + row, j * stride[1] + column] += y[n, c, i, j]
    np.testing.assert_array_equal(found, expected)


def test_numpys_buffer_is_as_before() -> None:
    before = np.getbufsize()
    x = np.zeros((1, 1, 4, 4))
    kernels.first_maximum(x, (2, 2), (2, 2), (2, 2))
    assert np.getbufsize() == before
