"""The tape behind a Tensor, as text and as a picture. The picture needs Matplotlib, the text does not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..autograd.backward import reachable
from ..autograd.tensor import Tensor
from ..errors import TapeError, describe
from .canvas import new_figure, save_figure
from .layers import Drawing, draw_layers

FONT, SMALL = 8, 6  # points
LETTER = 0.61 / 72  # inches: the width of a letter of a point's size, in the monospaced font
HEIGHT, GAP = 0.52, 0.42  # inches, of a box and between two layers
MARGIN = 0.15
LARGEST = 60_000  # pixels, a little less than Matplotlib draws
COLOURS = {"leaf": "#ffe2c4", "operator": "#eeeeee", "equation": "#cfe6f7"}


def tape_text(value: Tensor, *, names: Mapping[str, Tensor] | None = None) -> str:
    """The tape behind ``value``, one place a line, in the order of computation.

    A line holds the result's number, the operator and its arguments, the result's shape, and the paper's
    equations that the operator carries. A tensor made by the user is a leaf; what is not followed by the tape
    is an array (with its shape) or a number.

    Parameters
    ----------
    value : Tensor
        A result that depends on a tensor with ``requires_grad=True``. Its tape may have been freed.
    names : dict of Tensors
        What to call leaves, for instance ``dict(network.named_parameters())``.

    Raises
    ------
    TypeError, TapeError
        If ``value`` is no Tensor, or has no tape.

    >>> import numpy as np
    >>> from stn_ref import affine_grid, grid_sample
    >>> theta = Tensor(np.eye(2, 3)[None], requires_grad=True)
    >>> V = grid_sample(np.ones((1, 1, 5, 5)), affine_grid(theta, (1, 1, 4, 4), align_corners=True),
    ...                 align_corners=True)
    >>> print(tape_text(V.sum(), names={"theta": theta}))
    %1 = theta  (1, 2, 3)
    %2 = affine_map(%1)  (1, 4, 4, 2)  eqs. 1, 2
    %3 = points_of(%2)  (1, 4, 4, 2)
    %4 = sample(array (1, 1, 5, 5), %3)  (1, 1, 4, 4)  eqs. 3, 4, 5
    %5 = sum(%4)  ()
    """
    places = tape_places("tape_text", value)
    known = _named(names)
    numbers = {place: k + 1 for k, place in enumerate(places)}
    lines = []
    for place in places:
        what = known.get(place, "leaf")
        if place.operator is not None:
            what = f"{place.operator.name}({', '.join(_argument(place, i, numbers) for i in _given(place))})"
        parts = [f"%{numbers[place]} = {what}", str(_shape(place, places)), _equations(place)]
        lines.append("  ".join(part for part in parts if part))
    return "\n".join(lines)


def tape_sheet(
    path: str | Path, value: Tensor, title: str = "", *, names: Mapping[str, Tensor] | None = None
) -> Path:
    """Save a figure: the tape behind ``value`` as a graph, computed from above to below.

    A box for each place, with the number it has in :func:`tape_text`, its operator, the shape of its result
    and the paper's equations that it carries (these boxes are blue). Leaves, the inputs and parameters, are
    orange. An arrow leads from each result to where it is used, labelled with the name of the argument.

    Parameters
    ----------
    path : file name, its suffix gives the format (png, svg, pdf)
    value : Tensor
        A result that depends on a tensor with ``requires_grad=True``. Its tape may have been freed.
    names : dict of Tensors
        What to call leaves, for instance ``dict(network.named_parameters())``.

    Returns
    -------
    The path.

    Raises
    ------
    ModuleNotFoundError
        Without Matplotlib; the message names the extra.
    TypeError, ValueError, OSError
        If ``value`` is no Tensor or has no tape (TapeError), or the file cannot be written.

    >>> from stn_ref import Tensor
    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> print(tape_sheet("tape.png", (x * x).sum(), names={"x": x}))  # doctest: +SKIP
    tape.png
    """
    places = tape_places("tape_sheet", value)
    texts = _texts(places, _named(names))
    labels = _labels(places)
    drawing = _lay_out(texts, labels)
    width, height = (side + 2 * MARGIN for side in drawing.size)
    heading = 0.3 if title else 0.0
    width = max(width, 0.09 * len(title))
    figure = new_figure(width, height + heading, layout=None)
    # Data are in inches from the upper left of the graph, so that text fits its box.
    axes = figure.add_axes((0, 0, 1, height / (height + heading)))
    spare = (width - drawing.size[0]) / 2
    axes.set_xlim(-spare, width - spare)
    axes.set_ylim(height - MARGIN, -MARGIN)
    axes.axis("off")
    for line, label in zip(drawing.arrows, labels.values()):
        axes.plot(*line.T, color="#606060", linewidth=0.8, solid_joinstyle="round", zorder=1)
        head = {"arrowstyle": "-|>", "color": "#606060", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", line[-1], line[-1] - (0, 0.1), arrowprops=head, zorder=1)
        at = line[-1] + (0.04, -0.06)
        axes.text(*at, label, fontsize=SMALL, color="#303030", family="monospace", va="bottom")
    for k, ((x, y), wide, (kind, text)) in enumerate(zip(drawing.boxes, drawing.widths, texts), 1):
        box = {"edgecolor": "black", "linewidth": 1.6 if k == len(texts) else 0.7, "zorder": 2}
        axes.add_patch(_rectangle(x - wide / 2, y - HEIGHT / 2, wide, COLOURS[kind], box))
        axes.text(x, y, text, fontsize=FONT, family="monospace", ha="center", va="center", linespacing=1.1)
    figure.text(0.5, 1 - 0.6 * heading / (height + heading), title, fontsize=10, ha="center", va="center")
    return save_figure(figure, path, dpi=min(150.0, LARGEST / max(width, height + heading)))


def tape_places(who: str, value: Tensor) -> list[Any]:
    """The leaves and nodes that ``value`` comes from and its own, in the order in which they were made."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{who}: value is {describe(value)}, expected a Tensor computed from other Tensors")
    if value._node is None:
        raise TapeError(
            f"{who}: this tensor does not depend on any tensor with requires_grad=True (or was computed "
            "under no_grad), so it has no tape; set requires_grad=True on an input before computing"
        )
    return sorted(reachable([value._node], 0), key=lambda place: place.number)


def _lay_out(texts: list[tuple[str, str]], labels: Mapping[tuple[int, int], str]) -> Drawing:
    widths = [max(map(len, text.split("\n"))) * FONT * LETTER + 0.15 for _, text in texts]
    ports = [len(label) * SMALL * LETTER + 0.12 for label in labels.values()]
    return draw_layers(widths, list(labels), height=HEIGHT, gap=GAP, ports=ports)


def _texts(places: list[Any], known: Mapping[Any, str]) -> list[tuple[str, str]]:
    """For each box its kind, a key of COLOURS, and its lines."""
    texts = []
    for k, place in enumerate(places):
        equations = _equations(place)
        leaf = place.operator is None
        kind = "leaf" if leaf else "equation" if equations else "operator"
        name = known.get(place, "leaf") if leaf else place.operator.name
        parts = [f"%{k + 1} {name}", str(_shape(place, places)), equations]
        texts.append((kind, "\n".join(part for part in parts if part)))
    return texts


def _labels(places: list[Any]) -> dict[tuple[int, int], str]:
    """The arrows, from one place to another, by their numbers from 0, and the arguments that each one is."""
    numbers = {place: k for k, place in enumerate(places)}
    labels: dict[tuple[int, int], str] = {}
    for b, place in enumerate(places):
        for i, parent in enumerate(place.parents):
            if parent is not None:
                edge, name = (numbers[parent], b), place.operator.argument(i)
                labels[edge] = f"{labels[edge]}, {name}" if edge in labels else name
    return labels


def _named(names: Mapping[str, Tensor] | None) -> dict[Any, str]:
    return {tensor._node: name for name, tensor in (names or {}).items() if tensor._node is not None}


def _given(place: Any) -> list[int]:
    """The arguments that were given; the tape does not tell None from a number, so None where it may be."""
    optional = place.operator.optional
    return [
        i
        for i, spec in enumerate(place.specs)
        if spec != ((), None) or optional.get(place.operator.argument(i), 0) is not None
    ]


def _argument(place: Any, i: int, numbers: Mapping[Any, int]) -> str:
    if place.parents[i] is not None:
        return f"%{numbers[place.parents[i]]}"
    shape = place.specs[i][0]
    return f"array {shape}" if shape else "number"


def _shape(place: Any, places: list[Any]) -> tuple[int, ...]:
    if place.operator is not None:
        shape: tuple[int, ...] = place.shape
        return shape
    tensor = place.tensor()
    if tensor is not None:
        return tuple(tensor.shape)
    # The tensor is gone; who used it knows.
    uses = (user.specs[i][0] for user in places for i, parent in enumerate(user.parents) if parent is place)
    return tuple(next(uses))


def _equations(place: Any) -> str:
    numbers = place.operator.equations if place.operator is not None else ()
    return f"eq{'s' if len(numbers) > 1 else ''}. {', '.join(map(str, numbers))}" if numbers else ""


def _rectangle(x: float, y: float, wide: float, colour: str, settings: dict[str, Any]) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((float(x), float(y)), float(wide), HEIGHT, facecolor=colour, **settings)
