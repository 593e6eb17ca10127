"""Sheets of transformed images: where the frame lies, and that a figure comes out."""

import sys
from pathlib import Path

import numpy as np
import pytest

from stn_ref.pictures.sheets import sampling_frame, transformer_sheet


def test_the_frame_of_the_identity_is_the_image_in_both_conventions() -> None:
    theta = np.eye(2, 3)[None]
    centres = sampling_frame(theta, (4, 6), align_corners=True)[0]
    edges = sampling_frame(theta, (4, 6), align_corners=False)[0]
    np.testing.assert_allclose(centres, [[0, 0], [5, 0], [5, 3], [0, 3], [0, 0]])
    np.testing.assert_allclose(edges, [[-0.5, -0.5], [5.5, -0.5], [5.5, 3.5], [-0.5, 3.5], [-0.5, -0.5]])


def test_the_frame_begins_at_the_corner_that_becomes_the_upper_left() -> None:
    quarter_turn = np.array([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]])  # x_s = -y_t, y_s = x_t
    frame = sampling_frame(quarter_turn, (5, 5), align_corners=True)[0]
    np.testing.assert_allclose(frame[:2], [[4, 0], [4, 4]])


def test_a_figure_is_saved(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    images = np.random.default_rng(0).random((3, 8, 9))
    theta = np.repeat(np.eye(2, 3)[None], 3, axis=0)
    path = transformer_sheet(
        tmp_path / "sheet.png",
        images,
        images[:, ::2, ::2],
        theta,
        align_corners=True,
        captions=["a"],
        title="t",
    )
    assert path.read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    images = np.zeros((1, 4, 4))
    with pytest.raises(ModuleNotFoundError, match="the extra 'viz': pip install matplotlib"):
        transformer_sheet(tmp_path / "sheet.png", images, images, np.eye(2, 3)[None], align_corners=True)
