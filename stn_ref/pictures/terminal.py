"""Grey images as text: half blocks with 24 greys where the terminal can, characters where it cannot."""

import os
import shutil
from collections.abc import Sequence
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
RAMP = " .:-=+*#%@"


def has_greys(stream: TextIO) -> bool:
    """Whether half blocks in grey can be shown: a terminal that takes colours and Unicode."""
    unicode = (getattr(stream, "encoding", None) or "").lower().replace("-", "") == "utf8"
    dumb = os.environ.get("TERM", "dumb") == "dumb" or "NO_COLOR" in os.environ
    return stream.isatty() and unicode and not dumb


def draw(image: Array, *, greys: bool) -> list[str]:
    """An image with values in [0, 1], shape (H, W), as lines of text, two rows to a line.

    >>> for line in draw(np.array([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]]), greys=False):
    ...     print(repr(line))
    ' @'
    '= '
    """
    image = np.clip(np.nan_to_num(image), 0, 1)
    if len(image) % 2:
        image = np.concatenate([image, np.zeros_like(image[:1])])
    upper, lower = image[::2], image[1::2]
    if not greys:
        levels = np.rint((upper + lower) / 2 * (len(RAMP) - 1)).astype(int)
        return ["".join(RAMP[level] for level in row) for row in levels]
    top, bottom = (np.rint(232 + 23 * half).astype(int) for half in (upper, lower))
    return [
        "".join(f"\x1b[38;5;{t};48;5;{b}m▀" for t, b in zip(*rows)) + "\x1b[0m" for rows in zip(top, bottom)
    ]


def side_by_side(images: Sequence[Array], captions: Sequence[str], *, greys: bool, width: int) -> list[str]:
    """Images next to each other, each in a column of ``width`` characters with its caption below.

    >>> print(*side_by_side([np.ones((2, 2)), np.ones((4, 1))], ["a", "b"], greys=False, width=4), sep="\\n")
    @@  @
        @
    a   b
    """
    columns = []
    for image in images:
        lines = draw(image, greys=greys)
        columns.append([line + " " * (width - image.shape[1]) for line in lines])
    height = max(len(column) for column in columns)
    rows = [
        "".join(column[k] if k < len(column) else " " * width for column in columns).rstrip()
        for k in range(height)
    ]
    return [*rows, "".join(caption.ljust(width) for caption in captions).rstrip()]


def columns_that_fit(width: int, most: int) -> int:
    """How many columns of ``width`` characters the terminal has room for, at least 1 and at most ``most``."""
    return max(1, min(most, shutil.get_terminal_size((80, 24)).columns // width))
