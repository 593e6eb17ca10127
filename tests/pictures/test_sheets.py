"""Sheets of transformed images: where the frame lies, and what a figure holds."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stn_ref import affine_grid
from stn_ref.pictures import sheets
from stn_ref.pictures.sheets import border, sampling_frame, transformer_sheet

IDENTITY = np.eye(2, 3)[None]


def corners(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """The corners of a frame, by where they stand in the walk around an output of this size."""
    right, down, left = width - 1, width - 1 + height - 1, 2 * (width - 1) + height - 1
    return frame[[0, right, down, left, -1]]


def test_the_frame_of_the_identity_is_the_image() -> None:
    grid = affine_grid(IDENTITY, (1, 1, 3, 4), align_corners=True)
    frame = sampling_frame(grid, (5, 7), align_corners=True)
    assert frame.shape == (1, 2 * 3 + 2 * 4 - 3, 2)
    np.testing.assert_allclose(corners(frame[0], 3, 4), [[0, 0], [6, 0], [6, 4], [0, 4], [0, 0]])


def test_without_align_corners_it_goes_through_the_centres_of_the_outermost_output_pixels() -> None:
    grid = affine_grid(IDENTITY, (1, 1, 4, 6), align_corners=False)
    same_size = sampling_frame(grid, (4, 6), align_corners=False)[0]
    np.testing.assert_allclose(corners(same_size, 4, 6), [[0, 0], [5, 0], [5, 3], [0, 3], [0, 0]])
    # Shifted by half the image, 4 pixels of 8; an output pixel is 4 input pixels, half of it 2.
    shift = np.array([[[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]])
    grid = affine_grid(shift, (1, 1, 2, 2), align_corners=False)
    frame = sampling_frame(grid, (8, 8), align_corners=False)[0]
    left, right = -0.5 + 4 + 2, 7.5 + 4 - 2
    np.testing.assert_allclose(frame[:3], [[left, 1.5], [right, 1.5], [right, 5.5]])


def test_a_quarter_turn_is_walked_from_what_becomes_the_upper_left() -> None:
    turn = np.array([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]])  # x_s = -y_t, y_s = x_t
    frame = sampling_frame(affine_grid(turn, (1, 1, 3, 4), align_corners=True), (5, 7), align_corners=True)
    top = [[6, 0], [6, 4 / 3], [6, 8 / 3], [6, 4]]
    rest = [[3, 4], [0, 4], [0, 8 / 3], [0, 4 / 3], [0, 0], [3, 0], [6, 0]]
    np.testing.assert_allclose(frame[0], [*top, *rest], atol=1e-12)


def test_a_bent_grid_has_a_bent_frame_with_gaps_where_there_are_no_points() -> None:
    grid = affine_grid(IDENTITY, (1, 1, 3, 3), align_corners=True)
    grid[0, 0, 1] = (0.0, -0.5)  # the middle of the first row hangs down
    grid[0, 1, 2] = (np.nan, 0.0)
    grid[0, 2, 1] = (0.0, np.inf)
    frame = sampling_frame(grid, (5, 5), align_corners=True)[0]
    np.testing.assert_array_equal(frame[:3], [[0, 0], [2, 1], [4, 0]])
    assert np.flatnonzero(np.isnan(frame).all(axis=1)).tolist() == [3, 5]
    assert np.isnan(frame).any(axis=1).sum() == 2


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 4), (3, 1), (2, 2), (3, 4), (5, 3)])
def test_the_walk_visits_every_border_pixel_and_steps_by_one(height: int, width: int) -> None:
    walk = np.array(border(height, width)).T
    assert len(walk) == 2 * height + 2 * width - 3
    assert walk[0].tolist() == walk[-1].tolist() == [0, 0]
    assert (np.abs(np.diff(walk, axis=0)).sum(axis=1) == 1).all()
    inside = {(r, c) for r in range(1, height - 1) for c in range(1, width - 1)}
    assert {(r, c) for r in range(height) for c in range(width)} - inside == {tuple(p) for p in walk.tolist()}


def test_an_empty_output_has_no_frame() -> None:
    assert sampling_frame(np.zeros((2, 0, 3, 2)), (4, 4), align_corners=True).shape == (2, 0, 2)


def test_theta_in_place_of_a_grid_is_told() -> None:
    with pytest.raises(ValueError, match=r"It looks like theta: use affine_grid\(theta, "):
        sampling_frame(IDENTITY, (4, 4), align_corners=True)
    with pytest.raises(ValueError, match=r"use grid\[None\] for a batch of one"):
        sampling_frame(np.zeros((3, 4, 2)), (4, 4), align_corners=True)


def test_as_many_grids_as_images_are_wanted(tmp_path: Path) -> None:
    images, grid = np.zeros((3, 4, 4)), np.zeros((2, 4, 4, 2))
    with pytest.raises(ValueError, match="3 inputs, 3 outputs and 2 grids, expected as many of each"):
        transformer_sheet(tmp_path / "sheet.png", images, images, grid, align_corners=True)
    with pytest.raises(ValueError, match="at least one"):
        transformer_sheet(tmp_path / "sheet.png", images[:0], images[:0], grid[:0], align_corners=True)


@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_a_figure_is_saved(tmp_path: Path, channels: tuple[int, ...]) -> None:
    pytest.importorskip("matplotlib")
    images = np.random.default_rng(0).random((3, *channels, 8, 9))
    grid = affine_grid(np.repeat(IDENTITY, 3, axis=0), (3, 1, 4, 5), align_corners=True)
    path = transformer_sheet(
        tmp_path / "sheet.png",
        images,
        images[..., ::2, ::2],
        grid,
        align_corners=True,
        captions=["a"],
        title="t",
    )
    assert path.read_bytes().startswith(b"\x89PNG")


def test_each_column_shows_its_frame_its_first_corner_and_its_caption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    drawn: list[Any] = []
    monkeypatch.setattr(sheets, "save_figure", lambda figure, path: drawn.append(figure))
    theta = np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    grid = affine_grid(theta, (2, 1, 4, 5), align_corners=True)
    images = np.random.default_rng(0).random((2, 8, 9))
    transformer_sheet(
        tmp_path / "x.png", images, images, grid, align_corners=True, captions=["as it is", "mirrored"]
    )
    above, below = drawn[0].axes[:2], drawn[0].axes[2:]
    frames = sampling_frame(grid, (8, 9), align_corners=True)
    for k in range(2):
        frame, corner = above[k].lines
        np.testing.assert_array_equal(np.transpose(frame.get_data()), frames[k])
        np.testing.assert_array_equal(np.transpose(corner.get_data()), [[[0, 0]], [[8, 0]]][k])
        np.testing.assert_array_equal(below[k].images[0].get_array(), images[k])
    assert [axes.get_xlabel() for axes in below] == ["as it is", "mirrored"]
