"""Where to draw the boxes and arrows of a graph without cycles: in layers, every arrow from above to below.

K. Sugiyama, S. Tagawa and M. Toda 1981, in four steps. Every box gets a layer above those it leads to; a long
arrow gets a place of its own in every layer that it passes, so that no box stands in its way; the places of
each layer are put into an order in which few arrows cross; and they move sideways until arrows are straight
where they can be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Edge = tuple[int, int]
SWEEPS = 12
ASIDE = 0.05  # how much a short way into a box counts beside the longest one


@dataclass(frozen=True)
class Drawing:
    """Where everything lies, x to the right and y downwards, in the unit of the widths.

    ``boxes`` is (n, 2), the centres; ``widths`` (n,), at least those asked for. ``arrows`` has one line
    (k, 2) for each edge, from the lower side of a box to the upper side of another; the last stretch runs
    straight down. ``size`` is (width, height).
    """

    boxes: Array
    widths: Array
    arrows: list[Array]
    size: tuple[float, float]


def draw_layers(
    widths: Sequence[float], edges: Sequence[Edge], *, height: float, gap: float, ports: Sequence[float]
) -> Drawing:
    """Lay out a graph.

    Parameters
    ----------
    widths : for each box
    edges : (from, to), numbers of boxes, with from < to; each at most once
    height : of every box
    gap : between two layers
    ports : for each edge
        The room that its arrow head needs on the upper side of the box, for its label.

    Raises
    ------
    ValueError
        If an edge does not lead from a smaller to a larger number.

    >>> drawing = draw_layers([2.0, 2.0, 2.0], [(0, 2), (1, 2)], height=1.0, gap=1.0, ports=[0.5, 0.5])
    >>> drawing.boxes[:, 1].tolist(), drawing.size
    ([0.5, 0.5, 2.5], (4.5, 3.0))
    """
    for a, b in edges:
        if not 0 <= a < b < len(widths):
            raise ValueError(f"draw_layers: edge ({a}, {b}), expected from < to among {len(widths)} boxes")
    layer = depths(len(widths), edges)
    come = [0] * len(widths)  # the longest way from a beginning
    for a, b in sorted(edges, key=lambda edge: edge[1]):
        come[b] = max(come[b], come[a] + 1)
    rooms = [max(w, sum(p for p, (_, b) in zip(ports, edges) if b == i)) for i, w in enumerate(widths)]
    chains = []
    for a, b in edges:  # further places, for arrows that pass a layer
        between = range(len(layer), len(layer) + layer[b] - layer[a] - 1)
        chains.append([a, *between, b])
        layer = layer + [layer[a] + 1 + k for k in range(len(between))]
        rooms += [0.0] * len(between)
        come += [come[a]] * len(between)
    links = [link for chain in chains for link in pairwise(chain)]
    rows = ordered(layer, links)
    x = _sideways(rows, rooms, links, np.array(come), space=0.25 * gap + 0.25)
    x = x - min((at - room / 2 for at, room in zip(x, rooms)), default=0.0)
    step = height + gap
    boxes = np.array([(x[i], layer[i] * step + height / 2) for i in range(len(widths))]).reshape(-1, 2)
    arrows = []
    heads = _heads(chains, ports, x)
    for chain, head in zip(chains, heads):
        points = [(x[chain[0]], layer[chain[0]] * step + height)]
        for place in chain[1:-1]:
            # Straight down beside boxes and beside the labels above them, slanting only in between.
            points += [(x[place], layer[place] * step - gap / 2), (x[place], layer[place] * step + height)]
        top = layer[chain[-1]] * step
        arrows.append(np.array([*points, (head, top - gap / 2), (head, top)]))
    width = max((at + room / 2 for at, room in zip(x, rooms)), default=0.0)
    tall = max(layer) * step + height if layer else 0.0
    return Drawing(boxes, np.array(rooms[: len(widths)]), arrows, (float(width), tall))


def depths(count: int, edges: Sequence[Edge]) -> list[int]:
    """The layer of each box, from 0 above: as low as can be, just above the highest box that it leads to.

    >>> depths(5, [(0, 1), (1, 2), (2, 4), (3, 4)])                           # 3 waits until it is needed
    [0, 1, 2, 2, 3]
    """
    to_go = [0] * count  # the longest way from here to an end
    for a, b in sorted(edges, reverse=True):
        to_go[a] = max(to_go[a], to_go[b] + 1)
    return [max(to_go) - steps for steps in to_go]


def ordered(layer: Sequence[int], links: Sequence[Edge]) -> list[list[int]]:
    """The places of each layer from left to right, so that few of the links between neighbours cross.

    >>> ordered([0, 0, 1, 1], [(0, 3), (1, 2)])                                # 0 and 3 on the same side
    [[0, 1], [3, 2]]
    """
    rows: list[list[int]] = [[] for _ in range(max(layer, default=-1) + 1)]
    for i, k in enumerate(layer):
        rows[k].append(i)
    above: list[list[int]] = [[] for _ in layer]
    below: list[list[int]] = [[] for _ in layer]
    for a, b in links:
        above[b].append(a)
        below[a].append(b)
    best, fewest = [[*row] for row in rows], crossings(rows, links)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        neighbours = above if down else below
        for k in range(len(rows)) if down else reversed(range(len(rows))):
            at = {i: place for row in rows for place, i in enumerate(row)}
            # Barycentres: each place wants to stand where its neighbours stand on average.
            wish = {i: np.mean([at[j] for j in neighbours[i]]) if neighbours[i] else at[i] for i in rows[k]}
            rows[k].sort(key=lambda i: wish[i])
        if (count := crossings(rows, links)) < fewest:
            best, fewest = [[*row] for row in rows], count
    return best


def crossings(rows: Sequence[Sequence[int]], links: Sequence[Edge]) -> int:
    """How many pairs of links between neighbouring layers cross.

    >>> crossings([[0, 1], [2, 3]], [(0, 3), (1, 2)]), crossings([[0, 1], [3, 2]], [(0, 3), (1, 2)])
    (1, 0)
    """
    at = {i: (k, place) for k, row in enumerate(rows) for place, i in enumerate(row)}
    total = 0
    for k in range(len(rows) - 1):
        ends = np.array([(at[a][1], at[b][1]) for a, b in links if at[a][0] == k]).reshape(-1, 2)
        difference = np.sign(ends[:, None] - ends[None])
        total += int((difference[..., 0] * difference[..., 1] < 0).sum()) // 2
    return total


def _sideways(
    rows: Sequence[Sequence[int]], rooms: Sequence[float], links: Sequence[Edge], rank: Array, space: float
) -> Array:
    """Where each place stands: near those that it comes from and leads to, in the order of its row.

    The longest way through the graph becomes a straight column, the others give way to it.
    """
    above: list[list[int]] = [[] for _ in rooms]
    below: list[list[int]] = [[] for _ in rooms]
    for a, b in links:
        above[b].append(a)
        below[a].append(b)
    room = np.array(rooms, float)
    x = np.zeros(len(rooms))
    starts = []
    for row in rows:
        gaps = (room[row][1:] + room[row][:-1]) / 2 + space
        starts.append(np.concatenate([[0.0], np.cumsum(gaps)]))
        x[row] = starts[-1] - starts[-1].mean()
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        near = above if down else below
        for k in range(len(rows)) if down else reversed(range(len(rows))):
            row = list(rows[k])
            wish = np.array([_drawn_to(near[i] or [i], x, rank) for i in row])
            x[row] = nearest_growing(wish - starts[k], (1.0 + rank[row]) ** 3) + starts[k]
    return x


def _drawn_to(places: list[int], x: Array, rank: Array) -> float:
    """The mean of where some places stand, on which those of the highest rank decide."""
    weights = np.where(rank[places] == rank[places].max(), 1.0, ASIDE)
    return float(np.average(x[places], weights=weights))


def nearest_growing(wish: Array, weight: Array) -> Array:
    """The non-decreasing numbers nearest to ``wish`` in weighted least squares, both of shape (n,).

    (Pool adjacent violators: neighbours in the wrong order share their mean.)

    >>> nearest_growing(np.array([1.0, 4.0, 2.0, 5.0]), np.ones(4))
    array([1., 3., 3., 5.])
    """
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for value, w in zip(wish.tolist(), weight.tolist()):
        pools.append((value, w, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (m1, w1, n1), (m2, w2, n2) = pools[-2:]
            pools[-2:] = [((m1 * w1 + m2 * w2) / (w1 + w2), w1 + w2, n1 + n2)]
    return np.array([mean for mean, _, n in pools for _ in range(n)])


def _heads(chains: Sequence[Sequence[int]], ports: Sequence[float], x: Array) -> list[float]:
    """Where along the upper side of its box each arrow arrives: in the order in which they come."""
    heads = [0.0] * len(chains)
    for box in {chain[-1] for chain in chains}:
        coming = [k for k, chain in enumerate(chains) if chain[-1] == box]
        coming.sort(key=lambda k: x[chains[k][-2]])
        left = x[box] - sum(ports[k] for k in coming) / 2
        if len(coming) == 1:
            heads[coming[0]] = float(x[box])
            continue
        for k in coming:
            heads[k] = float(left)
            left += ports[k]
    return heads
