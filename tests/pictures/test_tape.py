"""The tape as text and as a picture."""

import gc
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stn_ref import (
    TapeError,
    Tensor,
    affine_grid,
    concatenate,
    conv2d,
    cross_entropy,
    exp,
    grad,
    grid_sample,
    no_grad,
    spatial_transform,
)
from stn_ref.nn.networks import tutorial_network
from stn_ref.pictures import tape
from stn_ref.pictures.tape import tape_sheet, tape_text

SIZE = (2, 1, 4, 5)


def image_and_theta() -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(0)
    theta = np.eye(2, 3) + 0.1 * rng.normal(size=(2, 2, 3))
    return Tensor(rng.random((2, 1, 6, 7)), requires_grad=True), Tensor(theta, requires_grad=True)


def sampled_sum() -> tuple[Tensor, dict[str, Tensor]]:
    U, theta = image_and_theta()
    grid = affine_grid(theta, SIZE, align_corners=True)
    return grid_sample(U, grid, align_corners=True).sum(), {"U": U, "theta": theta}


def network_loss() -> tuple[Tensor, dict[str, Tensor]]:
    network = tutorial_network(np.random.default_rng(0))
    images = np.random.default_rng(1).random((3, 1, 28, 28)).astype(np.float32)
    return cross_entropy(network(images), np.array([1, 2, 3])), dict(network.named_parameters())


def operators(text: str) -> list[str]:
    """The operators of a tape, in the order of its lines."""
    return re.findall(r"= (\w+)\([%an]", text)


def test_the_way_from_theta_to_the_loss_line_by_line() -> None:
    loss, names = sampled_sum()
    assert tape_text(loss, names=names).splitlines() == [
        "%1 = U  (2, 1, 6, 7)",
        "%2 = theta  (2, 2, 3)",
        "%3 = affine_map(%2)  (2, 4, 5, 2)  eqs. 1, 2",
        "%4 = points_of(%3)  (2, 4, 5, 2)",
        "%5 = sample(%1, %4)  (2, 1, 4, 5)  eqs. 3, 4, 5",
        "%6 = sum(%5)  ()",
    ]


def test_what_is_not_followed_is_an_array_or_a_number() -> None:
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    y = (2.0 * x + np.ones(3)) @ Tensor(np.ones((3, 4)))
    assert tape_text(y).splitlines() == [
        "%1 = leaf  (2, 3)",
        "%2 = multiply(number, %1)  (2, 3)",
        "%3 = add(%2, array (3,))  (2, 3)",
        "%4 = matmul(%3, array (3, 4))  (2, 4)",
    ]


def test_the_transformer_is_one_operator_from_theta_to_v() -> None:
    U, theta = image_and_theta()
    last = tape_text(spatial_transform(U, theta, SIZE, align_corners=True)).splitlines()[-1]
    assert "= affine_sample(%1, %" in last
    assert last.endswith("(2, 1, 4, 5)  eqs. 1, 3, 4, 5")


def test_a_network_names_its_parameters_and_keeps_the_order_of_computation() -> None:
    loss, names = network_loss()
    text = tape_text(loss, names=names)
    lines = text.splitlines()
    assert {line.split(" = ")[1].partition(" ")[0] for line in lines} >= set(names)
    found = operators(text)
    assert found.index("affine_sample") < found.index("log_softmax")
    assert found.count("correlate") == 4
    for k, line in enumerate(lines, 1):  # numbered in order, arguments before results
        assert line.startswith(f"%{k} = ")
        used = [int(part.split(",")[0].split(")")[0]) for part in line.split("%")[2:]]
        assert all(number < k for number in used)


def test_the_gradient_has_a_tape_of_its_own() -> None:
    U, theta = image_and_theta()

    def loss(t: Any) -> Any:
        V = grid_sample(U, affine_grid(t, SIZE, align_corners=True), align_corners=True)
        return (V * V).sum()

    text = tape_text(grad(loss)(theta))
    assert any(line.endswith("eq. 7") for line in text.splitlines())
    assert "sample" in operators(text)


def test_a_freed_tape_and_leaves_that_are_gone_are_still_shown() -> None:
    loss, names = sampled_sum()
    before = tape_text(loss)
    loss.backward()
    names.clear()
    gc.collect()
    assert tape_text(loss) == before


def test_a_leaf_alone_is_a_tape_of_one_line() -> None:
    assert tape_text(Tensor(np.ones(3), requires_grad=True)) == "%1 = leaf  (3,)"


@pytest.mark.parametrize("function", [tape_text, lambda value: tape_sheet("x.png", value)])
def test_without_a_tape_there_is_nothing_to_show(function: Any) -> None:
    x = Tensor(1.0, requires_grad=True)
    with no_grad(), pytest.raises(TapeError, match="set requires_grad=True on an input"):
        function(x * x)
    with pytest.raises(TypeError, match=r"value is 3\.0, expected a Tensor"):
        function(3.0)


def test_equal_arguments_share_an_arrow() -> None:
    x = Tensor(2.0, requires_grad=True)
    places = tape.tape_places("f", x * x)
    assert tape._labels(places) == {(0, 1): "x, y"}
    y = concatenate([x.reshape(1), x.reshape(1)], axis=0)
    assert tape._labels(tape.tape_places("f", y)) == {
        (0, 1): "x",
        (0, 2): "x",
        (1, 3): "arrays[0]",
        (2, 3): "arrays[1]",
    }


def branches() -> tuple[Tensor, dict[str, Tensor]]:
    U, theta = image_and_theta()
    parts = concatenate([U, U * 2.0, exp(U), theta.sum() * U], axis=1)
    return (conv2d(parts, np.ones((1, 4, 2, 2))) * theta.sum()).sum(), {"U": U}


CASES = {
    "square": lambda: ((x := Tensor(2.0, requires_grad=True)) * x, {}),
    "sampled": sampled_sum,
    "branches": branches,
    "network": network_loss,
}


@pytest.mark.parametrize("name", CASES)
def test_boxes_have_room_for_their_text_and_stand_apart(name: str) -> None:
    value, names = CASES[name]()
    places = tape.tape_places("f", value)
    texts, labels = tape._texts(places, tape._named(names)), tape._labels(places)
    drawing = tape._lay_out(texts, labels)
    for (_, text), wide in zip(texts, drawing.widths):
        assert max(map(len, text.splitlines())) * tape.FONT * tape.LETTER < wide
        assert len(text.splitlines()) * tape.FONT * 1.2 / 72 < tape.HEIGHT
    centres, widths = drawing.boxes, drawing.widths
    for i in range(len(texts)):
        for j in range(i):
            apart = np.abs(centres[i] - centres[j])
            assert apart[0] > (widths[i] + widths[j]) / 2 or apart[1] > tape.HEIGHT
    for a, b in labels:
        assert centres[a, 1] < centres[b, 1]  # from above to below


@pytest.mark.parametrize("name", CASES)
def test_the_picture_shows_every_line_of_the_text(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    figures: list[Any] = []
    monkeypatch.setattr(tape, "save_figure", lambda figure, path, dpi: figures.append(figure))
    value, names = CASES[name]()
    tape_sheet("x.png", value, names=names)
    [axes] = figures[0].axes
    shown = [text.get_text() for text in axes.texts if text.get_text().startswith("%")]
    lines = tape_text(value, names=names).splitlines()
    assert len(shown) == len(lines) == len(axes.patches)
    for text, line in zip(shown, lines):
        heading, shape, *equations = text.splitlines()
        number, name_or_operator = heading.split(" ")
        assert line.startswith(f"{number} = {name_or_operator}")
        assert f"  {shape}" in line
        assert line.endswith(equations[0] if equations else shape)
    # Matplotlib's own measure of every text, against the box that it stands in.
    figures[0].draw_without_rendering()
    boxes = [patch.get_window_extent() for patch in axes.patches]
    texts = [t.get_window_extent() for t in axes.texts if t.get_text().startswith("%")]
    for box, text in zip(boxes, texts):
        assert box.x0 < text.x0
        assert text.x1 < box.x1
        assert box.y0 < text.y0
        assert text.y1 < box.y1


def test_a_figure_is_saved(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    loss, names = sampled_sum()
    path = tape_sheet(tmp_path / "tape.png", loss, title="the way to the loss", names=names)
    assert path.read_bytes().startswith(b"\x89PNG")
