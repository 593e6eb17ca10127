"""What a pack holds: the calls of the chosen questions, their arrays, and an index of both."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import __version__
from ...errors import check_choice, describe
from ..checker import CLAIMS, all_cases
from ..interview import GRADIENTS, SECOND, Ask, asks
from ..questions import AnyCase
from ..questions.cases import LEVELS

Array = NDArray[Any]
Index = dict[str, Any]
FORMAT, VERSION = "stn_ref oracle pack", 1
CORE = re.compile(r"(random|kinks|ties|quarters|affine-(random|identity|singleton))/.*float(32|64)/2d")
OUTPUTS = {aspect: output for outputs in (GRADIENTS, SECOND) for output, aspect in outputs.items()}
"""Of each aspect that is a cotangent: of which argument."""
GRIDS = {"grid": "grid_bar", "theta_bar": "theta", "places_bar": "places"}
LIKE = {**OUTPUTS, **GRIDS, "V": "V_bar", "V_dot": "V_bar"}
"""Of each aspect: the array of the case that has its shape and dtype."""


@dataclass(frozen=True)
class Selection:
    """Which questions are asked; ``core`` keeps the few that a small pack holds."""

    modes: tuple[str, ...]
    padding_modes: tuple[str, ...]
    align_corners: tuple[bool, ...]
    dims: tuple[int, ...]
    dtypes: tuple[str, ...]
    level: str
    seed: int
    only: str
    core: bool

    def cases(self) -> list[AnyCase]:
        about = {**asdict(self), "methods": ("affine_grid", "tps_grid")}
        return [
            case
            for case in all_cases(about, self.level, self.seed)
            if re.search(self.only, case.id) and (not self.core or CORE.fullmatch(case.id))
        ]


@dataclass(frozen=True)
class Contents:
    """Everything in a pack, and the questions from which it was made."""

    questions: list[tuple[AnyCase, list[Ask]]]
    index: Index
    arrays: dict[str, Array]


def select(who: str, chosen: Mapping[str, Any]) -> Selection:
    """A selection from settings that may be wrong; values come in the oracle's own order, each once.

    Raises
    ------
    TypeError, ValueError
        If a setting has a value that the oracle does not know.
    """
    named = {**chosen, **{name: _listed(who, name, chosen[name], known) for name, known in CLAIMS.items()}}
    check_choice(who, "level", chosen["level"], LEVELS)
    seed, only = chosen["seed"], chosen["only"]
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"{who}: seed is {describe(seed)}, expected a whole number from 0 on")
    try:
        re.compile(only)
    except re.error as error:
        raise ValueError(f"{who}: only is {only!r}, which is no regular expression: {error}") from None
    return Selection(**{**named, "seed": int(seed)})


def contents(selection: Selection, written_by: str = __version__) -> Contents:
    """The contents of a pack; the same for the same selection, on every machine."""
    # What a device has no use for, memory layouts and repetitions, is asked in ways that have a name.
    questions = [(case, [ask for ask in asks(case) if not ask.way]) for case in selection.cases()]
    arrays = {
        f"{case.id}/{name}": array
        for case, plan in questions
        for ask in plan
        for name, array in ask.call.arrays.items()
    }
    index = {
        "format": FORMAT,
        "version": VERSION,
        "written_by": written_by,
        "questions": asdict(selection),
        "calls": [_described_call(case, ask) for case, plan in questions for ask in plan],
        "arrays": {name: described(array) for name, array in arrays.items()},
    }
    index = json.loads(text_of(index))  # tuples are lists in a file
    return Contents(questions, {**index, "sha256": checksum(index)}, arrays)


def call_id(case: AnyCase, ask: Ask) -> str:
    return f"{case.id}/{ask.call.method}"


def described(array: Array) -> Index:
    """Shape, dtype and SHA-256 of an array."""
    digest = hashlib.sha256(plain(array).tobytes()).hexdigest()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "sha256": digest}


def plain(array: Array) -> Array:
    """The array as files hold it: in C order, little-endian."""
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<"))


def checksum(index: Index) -> str:
    """The SHA-256 of all of an index but this itself; arrays are in it by their own."""
    rest = {name: value for name, value in index.items() if name != "sha256"}
    return hashlib.sha256(text_of(rest).encode()).hexdigest()


def text_of(index: Any) -> str:
    """JSON of which there is one way only to write it."""
    return json.dumps(index, sort_keys=True, separators=(",", ":"))


def _described_call(case: AnyCase, ask: Ask) -> Index:
    answers = {aspect: case.arrays[LIKE[aspect]] for aspect in ask.aspects.values()}
    return {
        "id": call_id(case, ask),
        "case": case.id,
        "about": case.about,
        "method": ask.call.method,
        "settings": ask.call.settings,
        "arrays": {name: f"{case.id}/{name}" for name in ask.call.arrays},
        "answers": {
            aspect: {"dtype": like.dtype.name, "shape": list(like.shape)} for aspect, like in answers.items()
        },
    }


def _listed(who: str, name: str, given: Any, known: Sequence[Any]) -> tuple[Any, ...]:
    """The values of a setting, in the order of those that are known."""
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise TypeError(f"{who}: {name} is {describe(given)}, expected a tuple, such as {tuple(known)}")
    for value in given:
        if value not in known:
            expected = ", ".join(map(repr, known))
            raise ValueError(f"{who}: {name} holds {describe(value)}, expected some of {expected}")
    return tuple(value for value in known if value in given)
