"""What the pictures share: the hint where Matplotlib is missing, images, points, gaps, whole files."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stn_ref import BILINEAR, Tensor
from stn_ref.pictures.animation import Recorder
from stn_ref.pictures.canvas import broken_at_infinity, new_figure, pixel_points, save_figure, shown
from stn_ref.pictures.grids import grid_sheet, volume_sheet
from stn_ref.pictures.kernels import kernel_sheet
from stn_ref.pictures.sheets import transformer_sheet
from stn_ref.pictures.tape import tape_sheet

IMAGE = np.zeros((4, 5))
GRID = np.zeros((2, 3, 2))


def _record(path: Path) -> None:
    from stn_ref.nn import Flatten, Linear, Sequential, SpatialTransformer

    head = Linear(16, 6, rng=np.random.default_rng(0))
    recorder = Recorder(SpatialTransformer(Sequential(Flatten(), head)), np.zeros((1, 4, 4), np.uint8))
    recorder.record(0)
    recorder.save(path.with_suffix(".gif"))


SHEETS: dict[str, Callable[[Path], object]] = {
    "transformer": lambda path: transformer_sheet(
        path, IMAGE[None], IMAGE[None, :2, :3], GRID[None], align_corners=True
    ),
    "grid": lambda path: grid_sheet(path, IMAGE, GRID, align_corners=True),
    "volume": lambda path: volume_sheet(path, np.zeros((2, 3, 4)), align_corners=True),
    "kernel": lambda path: kernel_sheet(path, [BILINEAR]),
    "tape": lambda path: tape_sheet(path, Tensor(1.0, requires_grad=True) * 2.0),
    "animation": _record,
}


@pytest.mark.parametrize("name", SHEETS)
def test_without_matplotlib_the_extra_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("matplotlib", "matplotlib.figure", "matplotlib.animation"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModuleNotFoundError, match="the extra 'viz': pip install matplotlib"):
        SHEETS[name](tmp_path / "picture.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", SHEETS)
def test_drawing_does_without_pyplot_and_its_global_state(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # an import of it would fail
    SHEETS[name](tmp_path / "picture.png")
    assert len(list(tmp_path.iterdir())) == 1


def test_what_cannot_be_drawn_leaves_the_old_file(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "picture.nonsense"
    path.write_text("old")
    with pytest.raises(ValueError, match="nonsense"):
        save_figure(new_figure(1, 1), path)
    with pytest.raises(ValueError, match=r"no suffix to tell the format; use picture\.png"):
        save_figure(new_figure(1, 1), tmp_path / "picture")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("picture.nonsense", "old")]


def test_values_are_cut_and_nan_is_transparent() -> None:
    np.testing.assert_array_equal(shown("f", "image", np.array([[-1.0, 0.25, 7.0]])), [[0, 0.25, 1]])
    colours = np.array([[[0.5, np.nan]], [[0.25, 0.0]], [[2.0, 1.0]]])  # (3, 1, 2)
    np.testing.assert_array_equal(shown("f", "image", colours), [[[0.5, 0.25, 1, 1], [0, 0, 0, 0]]])


@pytest.mark.parametrize(
    ("image", "mend"),
    [
        (np.zeros((4, 5), np.uint8), r"use image / 255\.0"),
        (np.zeros((2, 1, 4, 5)), r"use image\[0\]"),
        (np.zeros((4, 5, 3)), r"np\.moveaxis\(image, -1, 0\)"),
        (np.zeros(4), r"expected \(H, W\) or \(C, H, W\)"),
    ],
)
def test_other_images_are_refused_with_the_mend(image: np.ndarray, mend: str) -> None:
    with pytest.raises(ValueError, match=f"f: image is .*{mend}"):
        shown("f", "image", image)


def test_points_are_in_pixels_and_those_nowhere_are_gaps() -> None:
    grid = np.array([[-1.0, -1.0], [1.0, 1.0], [np.nan, 0.0], [0.0, np.inf], [1e30, 0.0]], np.float32)
    edges = pixel_points("f", grid, (3, 5), False)
    np.testing.assert_array_equal(edges[:2], [[-0.5, -0.5], [4.5, 2.5]])
    assert np.isnan(edges[2:]).all()
    assert edges.dtype == np.float64
    with pytest.raises(TypeError, match="f: align_corners is 'False'"):
        pixel_points("f", grid, (3, 5), "False")  # type: ignore[arg-type]


def test_a_line_through_infinity_is_broken_there_and_nowhere_else() -> None:
    w = np.linspace(2.0, -1.0, 13)[:, None]  # 0.25 to a step; 0 is the ninth
    w[8] = 0.1
    line = np.concatenate([1 / w, 3 / w], axis=1)
    broken = broken_at_infinity(line)
    assert np.flatnonzero(np.isnan(broken[:, 0])).tolist() == [9]
    np.testing.assert_array_equal(np.delete(broken, 9, axis=0), line)


@pytest.mark.parametrize(
    "line",
    [
        [[0, 0], [4, 0], [4, 3], [0, 3], [0, 0]],  # a frame
        [[0, 0], [1, 0], [2, 0], [1, 0], [0, 0]],  # there and back: the frame of a single row
        [[0, 0], [1, 2], [2, -2], [3, 2], [4, -2]],  # a zigzag of equal steps
        [[0, 0], [9, 0]],
        [[1, 1]],
    ],
)
def test_other_lines_are_left_whole(line: list[list[float]]) -> None:
    np.testing.assert_array_equal(broken_at_infinity(np.array(line, float)), line)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_figure_gives_the_same_bytes(tmp_path, suffix):
    pytest.importorskip("matplotlib")
    contents = set()
    for name in ("a", "b"):
        figure = new_figure(1, 1)
        figure.subplots().fill_between([0, 1], [0, 1])  # clipped, by a path with a name
        contents.add(save_figure(figure, tmp_path / f"{name}.{suffix}").read_bytes())
    assert len(contents) == 1
