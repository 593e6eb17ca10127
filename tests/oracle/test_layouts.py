"""Layouts: the same values, elsewhere in memory."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from stn_ref.oracle.calls import LAYOUTS
from stn_ref.oracle.layouts import laid_out

from .asking import U


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "array",
    [
        *(U, U.astype(np.float16), U[:, :, None], U[0, 0], U[0, 0, 0], np.array(3.0), U[:0], U[..., :0]),
        *(np.asfortranarray(U), U[::-1, :, ::2], np.broadcast_to(U[:1], U.shape), np.arange(4), U > 7),
        np.array([np.nan, -0.0, 0.0, np.inf]),
    ],
    ids=str,
)
def test_every_layout_has_the_same_values_elsewhere(array, layout):
    before = array.tobytes()
    laid = laid_out(array, layout)
    assert (laid.shape, laid.dtype, laid.tobytes()) == (array.shape, array.dtype, before)
    assert not np.shares_memory(laid, array)
    assert laid.flags.writeable == (layout != "read-only")


def test_each_layout_lies_in_memory_as_it_says():
    F, C = 8, 8 * np.array([60, 20, 5, 1])
    assert laid_out(U.T, "C").flags.c_contiguous
    assert laid_out(U, "fortran").strides == (F, 2 * F, 6 * F, 24 * F)
    assert laid_out(U, "reversed").strides == tuple(-C)
    assert laid_out(U, "channels-last").strides == (F * 60, F, F * 15, F * 3)
    assert laid_out(U[0, 0], "channels-last").flags.c_contiguous
    assert laid_out(U, "broadcast").strides == tuple(C)
    assert laid_out(np.broadcast_to(U[:, :1], U.shape), "broadcast").strides == (8 * 60, 0, 8 * 5, 8)
    assert laid_out(np.ones((2, 3)), "broadcast").strides == (0, 0)


def test_zero_and_minus_zero_are_not_equal_along_a_broadcast_axis():
    assert laid_out(np.array([0.0, -0.0]), "broadcast").strides == (8,)
    assert laid_out(np.array([np.nan, np.nan]), "broadcast").strides == (0,)


@pytest.mark.parametrize(("dtype", "garbage"), [(np.float32, np.nan), (np.int16, 2**15 - 1)])
def test_whoever_ignores_strides_reads_garbage(dtype, garbage):
    laid = laid_out(np.ones((2, 3), dtype), "strided")
    neighbour = as_strided(laid, (2,), (laid.itemsize,))[1]
    next_row_if_rows_were_packed = as_strided(laid, (4,), laid.strides[1:])[3]
    for read in (neighbour, next_row_if_rows_were_packed, laid.base[0, 0]):
        assert read == pytest.approx(garbage, nan_ok=True)


def test_an_unknown_layout_is_refused():
    with pytest.raises(ValueError, match="layout is 'row-major', expected one of 'C', 'fortran'"):
        laid_out(U, "row-major")
