"""Layered drawings of graphs: nothing overlaps, all arrows run down, few cross."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stn_ref.pictures.layers import Drawing, crossings, depths, draw_layers, nearest_growing, ordered

HEIGHT, GAP = 0.5, 0.4


def faults(drawing: Drawing) -> list[str]:
    """What is wrong with a drawing whose boxes are HEIGHT tall: one line for each fault."""
    boxes = [
        (x - w / 2, y - HEIGHT / 2, x + w / 2, y + HEIGHT / 2)
        for (x, y), w in zip(drawing.boxes.tolist(), drawing.widths.tolist())
    ]
    found = []
    for i, (left, top, right, bottom) in enumerate(boxes):
        if left < -1e-9 or top < -1e-9 or right > drawing.size[0] + 1e-9 or bottom > drawing.size[1] + 1e-9:
            found.append(f"box {i} is outside")
        for j, other in enumerate(boxes[:i]):
            if left < other[2] and other[0] < right and top < other[3] and other[1] < bottom:
                found.append(f"boxes {j} and {i} overlap")
        for k, arrow in enumerate(drawing.arrows):
            for t in np.linspace(0, 1, 50):
                points = arrow[:-1] + t * np.diff(arrow, axis=0)
                inside = (points > [left + 1e-6, top + 1e-6]) & (points < [right - 1e-6, bottom - 1e-6])
                if inside.all(axis=1).any():
                    found.append(f"arrow {k} runs through box {i}")
                    break
    found += [f"arrow {k} runs up" for k, a in enumerate(drawing.arrows) if (np.diff(a[:, 1]) < -1e-9).any()]
    return found


def draw(widths: list[float], edges: list[tuple[int, int]]) -> Drawing:
    return draw_layers(widths, edges, height=HEIGHT, gap=GAP, ports=[0.2] * len(edges))


@st.composite
def graphs(rng: st.DrawFn) -> tuple[list[float], list[tuple[int, int]]]:
    count = rng(st.integers(1, 30))
    widths = rng(st.lists(st.floats(0.3, 3.0), min_size=count, max_size=count))
    edges = {
        (min(a, b), max(a, b))
        for a, b in rng(st.lists(st.tuples(*[st.integers(0, count - 1)] * 2), max_size=2 * count))
        if a != b
    }
    return widths, sorted(edges)


@settings(max_examples=40)
@given(graphs())
def test_nothing_overlaps_and_arrows_run_down(graph: tuple[list[float], list[tuple[int, int]]]) -> None:
    widths, edges = graph
    drawing = draw(widths, edges)
    assert faults(drawing) == []
    assert (drawing.widths >= np.array(widths)).all()
    for (a, b), arrow in zip(edges, drawing.arrows):
        (x0, y0), (x1, y1) = drawing.boxes[a], drawing.boxes[b]
        np.testing.assert_allclose(arrow[0], [x0, y0 + HEIGHT / 2])
        assert abs(arrow[-1, 0] - x1) <= drawing.widths[b] / 2 + 1e-9
        assert arrow[-1, 1] == pytest.approx(y1 - HEIGHT / 2)


def test_the_checker_finds_planted_faults() -> None:
    good = draw([1.0, 1.0, 1.0], [(0, 2), (1, 2)])
    assert faults(good) == []
    boxes = good.boxes.copy()
    boxes[1, 0] = boxes[0, 0] + 0.5
    assert "boxes 0 and 1 overlap" in faults(Drawing(boxes, good.widths, good.arrows, good.size))
    through = [np.array([[0.0, 0.25], [good.size[0], 0.25]])]
    assert "arrow 0 runs through box 0" in faults(Drawing(good.boxes, good.widths, through, good.size))
    up = [good.arrows[0][::-1]]
    assert "arrow 0 runs up" in faults(Drawing(good.boxes, good.widths, up, good.size))
    assert "box 2 is outside" in faults(Drawing(good.boxes, good.widths, good.arrows, (9.0, 1.0)))


def test_layers_by_hand() -> None:
    # 0 -> 1 -> 2 -> 5, 3 -> 5 and 4 -> 1: 3 stands just above 5, 4 just above 1.
    assert depths(6, [(0, 1), (1, 2), (2, 5), (3, 5)]) == [0, 1, 2, 2, 3, 3]
    assert depths(3, []) == [0, 0, 0]
    assert depths(0, []) == []


def test_the_order_undoes_crossings() -> None:
    links = [(0, 5), (1, 4), (2, 3)]
    assert crossings([[0, 1, 2], [3, 4, 5]], links) == 3
    assert crossings(ordered([0, 0, 0, 1, 1, 1], links), links) == 0


def test_a_chain_is_a_straight_column_and_what_joins_it_stands_aside() -> None:
    drawing = draw([1.0] * 8, [(0, 1), (1, 2), (2, 4), (4, 5), (5, 6), (6, 7), (3, 4)])
    column = drawing.boxes[[0, 1, 2, 4, 5, 6, 7], 0]
    assert np.ptp(column) < 0.15  # nearly: 3 has a little weight too
    assert abs(drawing.boxes[3, 0] - column[0]) >= 1.0


def test_the_nearest_growing_numbers() -> None:
    np.testing.assert_allclose(nearest_growing(np.array([3.0, 1.0]), np.array([3.0, 1.0])), [2.5, 2.5])
    np.testing.assert_allclose(nearest_growing(np.array([3.0, 2.0, 1.0]), np.ones(3)), [2, 2, 2])
    assert nearest_growing(np.array([]), np.array([])).shape == (0,)


def test_edges_that_lead_back_are_refused() -> None:
    with pytest.raises(ValueError, match=r"edge \(1, 0\), expected from < to among 2 boxes"):
        draw([1.0, 1.0], [(1, 0)])
    assert draw([], []).size == (0.0, 0.0)
