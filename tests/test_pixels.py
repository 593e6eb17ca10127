"""What -1 and 1 mean, and what lies outside the image."""

from fractions import Fraction

import numpy as np
import pytest

from stn_ref.pixels import (
    PADDING_MODES,
    base_coordinates,
    centred_indices,
    on_lattice,
    padded_index,
    span,
    to_normalised,
    to_pixels,
)

both_conventions = pytest.mark.parametrize("align_corners", [True, False])
floating = pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
SIZES = [1, 2, 3, 5, 28]


def pixel_at(n: int, size: int, padding_mode: str, align_corners: bool) -> int:
    """Literally, with Python's integers: which pixel stands at n, or ``size`` for none."""
    if padding_mode == "zeros":
        return n if 0 <= n < size else size
    if padding_mode == "border":
        return min(max(n, 0), size - 1)
    there = list(range(size))
    # one period: there and back again, without or with the edge pixels twice
    period = there + (there[-2:0:-1] if align_corners else there[::-1])
    return period[n % len(period)]


@pytest.mark.parametrize("size", SIZES)
def test_with_align_corners_the_corners_are_the_centres_of_the_corner_pixels(size):
    assert to_pixels(np.array([-1.0, 0.0, 1.0]), size, True).tolist() == [
        *(0, (size - 1) / 2, size - 1),
    ]


@pytest.mark.parametrize("size", SIZES)
def test_without_align_corners_the_corners_are_the_outer_edges(size):
    assert to_pixels(np.array([-1.0, 0.0, 1.0]), size, False).tolist() == [
        *(-0.5, (size - 1) / 2, size - 0.5),
    ]


def test_to_pixels_by_hand():
    x = np.array([-0.5, 0.25])
    assert to_pixels(x, 9, True).tolist() == [2.0, 5.0]  # (x + 1) 8 / 2
    assert to_pixels(x, 8, False).tolist() == [1.5, 4.5]  # ((x + 1) 8 - 1) / 2


@both_conventions
@pytest.mark.parametrize("size", [2, 3, 5, 28])
def test_to_normalised_is_the_inverse_of_to_pixels(size, align_corners):
    x = np.linspace(-1.5, 1.5, 41)
    back = to_normalised(to_pixels(x, size, align_corners), size, align_corners)
    # Four roundings, of numbers of at most 1.5 size pixels, which the step back divides by size / 3.
    assert np.abs(back - x).max() <= 4 * np.finfo(float).eps * 1.5 * 3


@both_conventions
@floating
@pytest.mark.parametrize("size", SIZES)
def test_infinite_stays_infinite_and_finite_stays_finite(size, align_corners, dtype):
    largest = np.finfo(dtype).max
    x_px = to_pixels(np.array([np.inf, -np.inf, np.nan], dtype), size, align_corners)
    np.testing.assert_array_equal(x_px, np.array([np.inf, -np.inf, np.nan], dtype))
    x_px = to_pixels(np.array([largest, -largest], dtype), size, align_corners)
    assert x_px.dtype == dtype
    assert np.isfinite(x_px).all()


@both_conventions
@floating
@pytest.mark.parametrize("size", [*range(1, 40), 1000])
def test_base_coordinates_are_symmetric_and_correctly_rounded(size, align_corners, dtype):
    x = base_coordinates(size, align_corners, dtype)
    assert x.dtype == dtype
    assert np.array_equal(x, -x[::-1])
    for j, rounded in enumerate(x):
        exact = Fraction(2 * j - (size - 1), max(span(size, align_corners), 1))
        error = abs(Fraction(float(rounded)) - exact)
        for direction in (-np.inf, np.inf):
            other = np.nextafter(rounded, dtype(direction))
            assert error <= abs(Fraction(float(other)) - exact)


def test_base_coordinates_by_hand():
    assert base_coordinates(5, True).tolist() == [-1, -0.5, 0, 0.5, 1]
    assert base_coordinates(4, False).tolist() == [-0.75, -0.25, 0.25, 0.75]
    assert base_coordinates(1, True).tolist() == base_coordinates(1, False).tolist() == [0]
    assert base_coordinates(0, True).shape == base_coordinates(0, False).shape == (0,)


@pytest.mark.parametrize("size", SIZES)
def test_centred_indices_count_from_the_centre(size):
    centred = centred_indices(size)
    assert np.array_equal(centred + (size - 1) / 2, np.arange(size))
    assert np.array_equal(centred, -centred[::-1])


@both_conventions
@pytest.mark.parametrize("padding_mode", PADDING_MODES)
@pytest.mark.parametrize("size", SIZES)
def test_padded_index_names_the_pixel_that_numpy_pads_with(size, padding_mode, align_corners):
    reach = 3 * size
    if padding_mode == "zeros":
        expected = np.pad(np.arange(size), reach, constant_values=size)
    elif padding_mode == "border":
        expected = np.pad(np.arange(size), reach, "edge")
    elif size == 1:
        expected = np.zeros(2 * reach + 1, int)
    else:
        expected = np.pad(np.arange(size), reach, "reflect" if align_corners else "symmetric")
    n = np.arange(-reach, size + reach)
    assert np.array_equal(padded_index(n, size, padding_mode, align_corners), expected)
    literal = [pixel_at(int(k), size, padding_mode, align_corners) for k in n]
    assert literal == expected.tolist()  # so that the next test may rely on it


@both_conventions
@pytest.mark.parametrize("padding_mode", PADDING_MODES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lattice_points_of_any_magnitude_find_their_pixel(size, padding_mode, align_corners, dtype):
    largest = float(np.finfo(dtype).max)
    n = np.array([0, 1, 5, 29, 1e6, 1e10, 2.0**31, 2.0**62, 2.0**63, 1e30, 1e38, largest], dtype)
    n = np.concatenate([n, -n])
    for reach in (1, 2, 4):
        near = on_lattice(n, size, padding_mode, align_corners, reach)
        assert near.dtype == np.intp
        # A kernel reaches ``reach`` pixels around the point; all of those have to be right.
        for offset in range(-reach, reach + 1):
            found = padded_index(near + offset, size, padding_mode, align_corners)
            expected = [pixel_at(int(float(k)) + offset, size, padding_mode, align_corners) for k in n]
            assert found.tolist() == expected


@pytest.mark.parametrize("padding_mode", ["zeros", "border"])
def test_infinity_lies_beyond_the_last_pixel(padding_mode):
    near = on_lattice(np.array([-np.inf, np.inf]), 5, padding_mode, True, 2)
    expected = {"zeros": [5, 5], "border": [0, 4]}[padding_mode]
    assert padded_index(near, 5, padding_mode, True).tolist() == expected
