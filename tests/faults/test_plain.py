"""The textbook's spatial transformer equals ``stn_ref``, which shares no code with it."""

import numpy as np
import pytest

import stn_ref
from stn_ref.faults import Plain
from stn_ref.oracle import Backend

from .questions import CONTROL_POINTS, SETTINGS, anywhere, normal, with_infinity, with_odd

every_setting = pytest.mark.parametrize("how", SETTINGS, ids=lambda how: "-".join(map(str, how.values())))
both_conventions = pytest.mark.parametrize("align_corners", [True, False])
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def assert_close(answer, expected):
    """To the rounding of sums of at most 64 corners, each a product of at most six rounded numbers."""
    assert answer.shape == expected.shape
    assert answer.dtype == expected.dtype
    finite = expected[np.isfinite(expected)]
    unit = 64 * np.finfo(expected.dtype).eps * max(np.abs(finite).max(initial=0), 1)
    np.testing.assert_allclose(answer, expected, rtol=0, atol=unit)


def compare(U, grid, how):
    """Values, both cotangents, tangents, and the cotangents of the cotangents."""
    plain = Plain()

    def sampler(U, grid):
        return stn_ref.grid_sample(U, grid, **how)

    def cotangents(U, grid, V_bar):
        return stn_ref.vjp(sampler, U, grid)[1](V_bar)

    out, pullback = stn_ref.vjp(sampler, U, grid)
    assert_close(plain.grid_sample(U, grid, **how), out)

    V_bar = normal(5, *out.shape, dtype=U.dtype)
    found = plain.grid_sample_vjp(U, grid, V_bar, needs=["U", "grid"], **how)
    for name, expected in zip(("U", "grid"), pullback(V_bar)):
        assert_close(found[name], expected)

    U_dot, grid_dot = normal(6, *U.shape, dtype=U.dtype), normal(7, *grid.shape, dtype=grid.dtype)
    _, tangent = stn_ref.jvp(sampler, (U, grid), (U_dot, grid_dot))
    assert_close(plain.grid_sample_jvp(U, grid, U_dot, grid_dot, **how), tangent)

    needs = ["U", "grid", "V_bar"]
    found = plain.grid_sample_vjp_vjp(U, grid, V_bar, U_dot, grid_dot, needs=needs, **how)
    _, pullback = stn_ref.vjp(cotangents, U, grid, V_bar)
    for name, expected in zip(needs, pullback((U_dot, grid_dot))):
        assert_close(found[name], expected)


@every_setting
@both_dtypes
def test_images(how, dtype):
    U = normal(1, 2, 3, 4, 5, dtype=dtype)
    compare(U, anywhere(U.shape, (6, 7), how["align_corners"], dtype), how)


@every_setting
@both_dtypes
def test_odd_coordinates(how, dtype):
    U = normal(1, 2, 2, 4, 5, dtype=dtype)
    compare(U, with_odd(anywhere(U.shape, (6, 7), how["align_corners"], dtype)), how)


@every_setting
def test_volumes(how):
    U = normal(2, 1, 2, 2, 3, 4)
    compare(U, with_odd(anywhere(U.shape, (2, 4, 5), how["align_corners"])), how)


@every_setting
@pytest.mark.parametrize("shape", [(1, 1, 1, 4), (1, 1, 3, 1), (2, 1, 1, 1), (1, 1, 1, 1, 2)])
def test_axes_of_one_pixel(how, shape):
    U = normal(4, *shape)
    size = (5, 6) if len(shape) == 4 else (2, 4, 5)
    compare(U, with_odd(anywhere(U.shape, size, how["align_corners"])), how)


@every_setting
@pytest.mark.parametrize(
    ("shape", "size"), [((0, 2, 3, 4), (2, 2)), ((1, 0, 3, 4), (2, 2)), ((1, 2, 3, 4), (0, 2))]
)
def test_empty_batches_channels_and_outputs(how, shape, size):
    compare(np.ones(shape), np.zeros((shape[0], *size, 2)), how)


@every_setting
def test_a_weight_of_0_leaves_nothing_of_an_infinite_pixel(how):
    U = with_infinity(normal(8, 1, 2, 3, 4))
    grid = anywhere(U.shape, (6, 7), how["align_corners"])
    V_bar = normal(9, 1, 2, 6, 7)
    with np.errstate(invalid="ignore"):  # infinity - infinity
        V, pullback = stn_ref.vjp(lambda U, grid: stn_ref.grid_sample(U, grid, **how), U, grid)
        cotangents = pullback(V_bar)
    found = Plain().grid_sample_vjp(U, grid, V_bar, needs=["U", "grid"], **how)
    assert_close(Plain().grid_sample(U, grid, **how), V)
    for name, expected in zip(("U", "grid"), cotangents):
        assert_close(found[name], expected)


@pytest.mark.parametrize("needs", [[], ["U"], ["grid"], ["grid", "U"]])
def test_only_what_is_needed_is_answered(needs):
    U, grid, V_bar = normal(1, 1, 1, 3, 4), normal(2, 1, 2, 2, 2), normal(3, 1, 1, 2, 2)
    assert sorted(Plain().grid_sample_vjp(U, grid, V_bar, needs=needs, **SETTINGS[0])) == sorted(needs)


@both_conventions
@both_dtypes
@pytest.mark.parametrize("size", [(2, 1, 4, 5), (2, 1, 1, 3), (2, 1, 0, 3), (2, 1, 2, 3, 4), (0, 1, 3, 4)])
def test_affine_grids(size, dtype, align_corners):
    d = len(size) - 2
    theta, settings = normal(1, size[0], d, d + 1, dtype=dtype), {"align_corners": align_corners}
    grid, pullback = stn_ref.vjp(lambda theta: stn_ref.affine_grid(theta, size, **settings), theta)
    grid_bar = normal(2, *grid.shape, dtype=dtype)
    assert_close(Plain().affine_grid(theta, size, **settings), grid)
    [expected] = pullback(grid_bar)
    assert_close(Plain().affine_grid_vjp(theta, size, grid_bar, **settings), expected)


@both_conventions
@both_dtypes
@pytest.mark.parametrize("size", [(2, 1, 4, 5), (1, 1, 1, 3), (0, 1, 2, 2)])
def test_thin_plate_splines(size, dtype, align_corners):
    places = normal(3, size[0], 5, 2, dtype=dtype)
    settings = {"control_points": CONTROL_POINTS, "align_corners": align_corners}
    grid, pullback = stn_ref.vjp(lambda places: stn_ref.tps_grid(places, size, **settings), places)
    grid_bar = normal(4, *grid.shape, dtype=dtype)
    assert_close(Plain().tps_grid(places, size, **settings), grid)
    [expected] = pullback(grid_bar)
    assert_close(Plain().tps_grid_vjp(places, size, grid_bar, **settings), expected)


def test_it_is_all_that_a_backend_is():
    public = {name for name in dir(Backend) if not name.startswith("_")}
    assert public - set(dir(Plain)) == set()


def test_arguments_are_not_written_to():
    U, grid, V_bar = normal(1, 1, 1, 3, 4), normal(2, 1, 2, 2, 2), normal(3, 1, 1, 2, 2)
    for array in (U, grid, V_bar):
        array.flags.writeable = False
    for how in SETTINGS:
        Plain().grid_sample(U, grid, **how)
        Plain().grid_sample_vjp(U, grid, V_bar, needs=["U", "grid"], **how)
