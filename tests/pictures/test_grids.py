"""Sheets of sampling grids: which lines are drawn, and where; slices of volumes and what meets them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stn_ref import affine_grid, grid_sample
from stn_ref.pictures import grids
from stn_ref.pictures.grids import box_edges, central_slice, chosen_lines, grid_sheet, view, volume_sheet

TURN = np.array([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]])  # x_s = -y_t, y_s = x_t
IDENTITY_3D = np.eye(3, 4)[None]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures that would have been saved."""
    pytest.importorskip("matplotlib")
    figures: list[Any] = []
    monkeypatch.setattr(grids, "save_figure", lambda figure, path: figures.append(figure))
    return figures


def test_every_so_many_lines_are_drawn_and_the_last() -> None:
    assert chosen_lines(7, 3) == [0, 3, 6]
    assert chosen_lines(8, 3) == [0, 3, 6, 7]
    assert chosen_lines(1, None) == [0]
    assert chosen_lines(10, None) == list(range(10))
    assert len(chosen_lines(1000, None)) <= grids.LINES + 1
    with pytest.raises(ValueError, match="every is 0, expected a whole number of at least 1"):
        chosen_lines(8, 0)


def test_the_view_holds_the_image_and_near_points() -> None:
    low, high = view(np.array([[-3.0, np.nan], [4.0, 1e5]]), 10)
    assert -3.5 < low < -3  # a point outside is seen
    assert 14.5 < high < 15  # one very far away is not, but half an image more
    assert view(np.full((2, 2), np.nan), 10) == view(np.array([2.0]), 10)


def test_rows_and_columns_lie_where_they_are_sampled(drawn: list[Any]) -> None:
    image = np.random.default_rng(0).random((5, 9))
    grid = affine_grid(TURN, (1, 1, 3, 4), align_corners=True)
    output = grid_sample(image[None, None], grid, align_corners=True)[0]
    grid_sheet("x.png", image, grid[0], align_corners=True, every=2, output=output)
    source, target = drawn[0].axes
    lines = [np.transpose(line.get_data()) for line in source.lines]
    # Rows 0 and 2, columns 0, 2 and 3, the first corner. Rows go down in the source, x_s = -y_t.
    expected = [
        [[8, 0], [8, 4 / 3], [8, 8 / 3], [8, 4]],
        [[0, 0], [0, 4 / 3], [0, 8 / 3], [0, 4]],
        [[8, 0], [4, 0], [0, 0]],
        [[8, 8 / 3], [4, 8 / 3], [0, 8 / 3]],
        [[8, 4], [4, 4], [0, 4]],
        [[8, 0]],
    ]
    assert len(lines) == len(expected)
    for line, points in zip(lines, expected):
        np.testing.assert_allclose(line, points, atol=1e-12)
    np.testing.assert_array_equal(source.images[0].get_array(), image)
    np.testing.assert_array_equal(target.images[0].get_array(), output[0])
    np.testing.assert_array_equal(np.transpose(target.lines[1].get_data()), [[k, 2] for k in range(4)])


def test_colour_images_and_points_nowhere_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    image = np.random.default_rng(0).random((3, 6, 8))
    grid = affine_grid(TURN, (1, 1, 7, 5), align_corners=False)[0]
    grid[0, 0], grid[3, 2], grid[6, 4] = np.nan, np.inf, 1e300
    output = grid_sample(image[None], grid[None], align_corners=False)[0]
    path = grid_sheet(tmp_path / "g.svg", image, grid, align_corners=False, output=output, title="t")
    assert b"<svg" in path.read_bytes()


def test_a_grid_or_output_that_does_not_fit_is_refused() -> None:
    image, grid = np.zeros((5, 9)), np.zeros((3, 4, 2))
    with pytest.raises(ValueError, match=r"expected floating \(H', W', 2\).*use grid\[0\]"):
        grid_sheet("x.png", image, grid[None], align_corners=True)
    with pytest.raises(ValueError, match=r"output has shape \(4, 3\) for a grid of shape \(3, 4, 2\)"):
        grid_sheet("x.png", image, grid, align_corners=True, output=np.zeros((4, 3)))
    with pytest.raises(ValueError, match=r"volume is .*use volume\[0, 0\]"):
        volume_sheet("x.png", np.zeros((1, 1, 2, 3, 4)), align_corners=True)
    with pytest.raises(ValueError, match=r"expected floating \(D', H', W', 3\)"):
        volume_sheet("x.png", np.zeros((2, 3, 4)), grid, align_corners=True)


def test_slices_are_cut_at_the_middle_with_y_always_down() -> None:
    volume = np.random.default_rng(0).random((4, 6, 8))
    cut = {axis: central_slice(volume, None, axis) for axis in (0, 1, 2)}
    np.testing.assert_array_equal(cut[2][0], volume[2])  # (H, W)
    np.testing.assert_array_equal(cut[1][0], volume[:, 3])  # (D, W)
    np.testing.assert_array_equal(cut[0][0], volume[:, :, 4].T)  # (H, D)
    assert [cut[axis][2] for axis in (2, 1, 0)] == [
        ("x", "y", "z = 2"),
        ("x", "z", "y = 3"),
        ("z", "y", "x = 4"),
    ]


def test_dots_are_the_points_of_the_slice(drawn: list[Any]) -> None:
    volume = np.random.default_rng(0).random((3, 5, 7))
    grid = affine_grid(IDENTITY_3D, (1, 1, 3, 5, 7), align_corners=True)[0]
    volume_sheet("x.png", volume, grid, align_corners=True)
    for axes in drawn[0].axes[:3]:  # under the identity: one on every pixel
        height, width = axes.images[0].get_array().shape
        dots = np.transpose(axes.lines[0].get_data())
        pixels = {(x, y) for x in range(width) for y in range(height)}
        assert {tuple(dot) for dot in np.round(dots, 9).tolist()} == pixels
        assert len(dots) == len(pixels)
    total = volume.sum(axis=0)
    np.testing.assert_allclose(drawn[0].axes[3].images[0].get_array(), total / total.max())
    assert len(drawn[0].axes[3].lines) == 12 + 1  # the edges, and the first point


def test_the_edges_join_the_eight_corners() -> None:
    points = np.stack(np.meshgrid([0, 1, 2], [0, 3], [0, 4, 8], indexing="ij"), axis=-1)
    edges = box_edges(points)
    ends = [tuple(tuple(end) for end in edge[[0, -1]].tolist()) for edge in edges]
    assert len({frozenset(pair) for pair in ends}) == 12
    assert {end for pair in ends for end in pair} == {
        (a, b, c) for a in (0, 2) for b in (0, 3) for c in (0, 8)
    }
    assert all(np.count_nonzero(np.subtract(*pair)) == 1 for pair in ends)


@pytest.mark.parametrize("shape", [(4, 6, 8), (1, 2, 3), (9, 1, 1)])
def test_volumes_of_any_shape_are_drawn(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    pytest.importorskip("matplotlib")
    grid = affine_grid(0.7 * IDENTITY_3D, (1, 1, 2, 3, 4), align_corners=False)[0]
    grid[0, 0, 0] = np.nan
    path = volume_sheet(tmp_path / "v.png", np.zeros(shape), grid, align_corners=False, title="t")
    assert path.read_bytes().startswith(b"\x89PNG")
