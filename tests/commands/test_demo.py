"""`stn-ref demo`: the main job, on a few digits."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from stn_ref import affine_grid
from stn_ref.commands import demo
from stn_ref.data import distort, load_bundled
from stn_ref.nn.networks import small_network


def test_the_demo_checks_trains_reports_and_draws(
    small_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    figure = tmp_path / "figure.png"
    assert demo.run(seed=0, epochs=1, directory=str(small_mnist), figure=str(figure))
    out = capsys.readouterr().out
    for equation in ("(1)", "(5)", "(6)", "(7)"):
        assert re.search(rf"ok    eq\. {re.escape(equation)} ", out)
    assert "FAIL" not in out
    assert "23,592 (CNN) and 23,519 (ST-CNN) parameters" in out
    assert len(re.findall(r"CNN +\d+\.\d % of 100 test digits right, \d+ wrong", out)) == 2
    assert "read as" in out
    assert "the extra 'viz': pip install matplotlib" in out
    assert not figure.exists()


def test_the_figure_is_saved_where_matplotlib_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    digits = load_bundled("test")
    images = distort(digits.images[:12], "RTS", np.random.default_rng(0))
    network = small_network(np.random.default_rng(0), size=42, transformer=True)
    demo.save_figure(network, images, digits.labels, {}, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert "figure.png" in capsys.readouterr().out


def test_with_an_identity_transformer_the_view_is_the_picture_shrunk() -> None:
    images = distort(load_bundled("test").images[:3], "RTS", np.random.default_rng(0))
    network = small_network(np.random.default_rng(0), size=42, transformer=True)
    outputs, grid, _, align_corners = demo.transformed(network, images)
    assert outputs.shape == (3, 28, 28)
    identity = np.broadcast_to(np.eye(2, 3, dtype=np.float32), (3, 2, 3))
    np.testing.assert_array_equal(grid, affine_grid(identity, (3, 1, 28, 28), align_corners=True))
    assert align_corners
    np.testing.assert_allclose(
        outputs[:, [0, 0, -1, -1], [0, -1, 0, -1]], images[:, 0][:, [0, 0, -1, -1], [0, -1, 0, -1]]
    )
