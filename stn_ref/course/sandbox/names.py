"""Names that were meant to be others."""

import difflib
import unicodedata
from collections.abc import Sequence


def similar(name: str, present: Sequence[str]) -> str:
    """What of ``present`` looks like ``name``, for a message; "" if nothing is present.

    >>> similar("warp", ["w\\u0430rp", "grid"])
    "there is w\\\\u0430rp, in which '\\\\u0430' is CYRILLIC SMALL LETTER A"
    >>> similar("warp", ["grid", "sample"])
    'there is grid, sample'
    """
    if not present:
        return ""
    shown = difflib.get_close_matches(name, present, 3, 0.6) or present[:5]
    text = f"there is {', '.join(found.encode('ascii', 'backslashreplace').decode() for found in shown)}"
    for letter in sorted({letter for found in shown for letter in found if not letter.isascii()}):
        text += f", in which {letter!a} is {unicodedata.name(letter, 'unnamed')}"
    return text
