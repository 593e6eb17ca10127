"""Answers to a pack: how they are read and judged, and how a backend in Python gives them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import check_choice
from ...files import PathLike, write_atomically
from ..backend import Backend
from ..calls import Answer
from ..checker import CLAIMS, Progress
from ..interview import Ask, Claims, Judge
from ..isolation import worker
from ..matching import matches
from ..questions import AnyCase
from ..report import Report
from ..truth.profiles import Profile, profile_of
from .contents import OUTPUTS, Array, Index, call_id, contents
from .files import Pack
from .forms import form_named, form_of

UNDER = "answers"
SAID: dict[str, Any] = {
    "name": "",
    "version": "",
    "profile": Backend.profile,
    "half_coordinates": Backend.half_coordinates,
    "coordinate_operations": Backend.coordinate_operations,
}
"""What a file of answers may say of its backend, and what holds if it does not."""


@dataclass(frozen=True)
class Answers:
    """What a device has answered: arrays by ``"call:answer"``, and what it says of itself."""

    about: Mapping[str, Any]
    arrays: Mapping[str, Array]

    def to(self, case: AnyCase, ask: Ask) -> Answer:
        keys = {output: f"{call_id(case, ask)}:{aspect}" for output, aspect in ask.aspects.items()}
        given = {output: self.arrays[key] for output, key in keys.items() if key in self.arrays}
        return Answer(given) if given else Answer({}, unsupported="not answered")


def judge_pack(
    pack: Pack,
    answers: PathLike,
    *,
    profile: str | Profile | None = None,
    strict: bool = False,
    explain: bool = True,
    progress: Progress | None = None,
    judge: Judge | None = None,
) -> Report:
    """Whether a device has answered a pack rightly.

    Parameters
    ----------
    pack : Pack
        What it was asked.
    answers : path
        The file with its answers, as ``docs/packs.md`` specifies it. What is missing in it counts as not
        supported; an array of a wrong shape or dtype is a verdict, ``FAIL_SHAPE``.
    profile : str, optional
        The conventions by which to judge; those that the answers name if None.
    strict : bool
        Whether at kinks and ties the profile's own branch alone is right.
    explain : bool
        Whether wrong answers are compared with known mistakes.
    progress : function of (cases done, cases in all, results), optional
        Called after each case.
    judge : Judge, optional
        One from an earlier check by the same profile, which knows the right answers already.

    Raises
    ------
    FileNotFoundError
        If there are no answers.
    ValueError
        If their file cannot be read, answers what was not asked, or belongs to another pack; or if the pack
        is of another version of the questions.

    >>> import tempfile
    >>> from stn_ref.oracle.adapters import load
    >>> from stn_ref.oracle.packs import read_pack, write_pack
    >>> claims = dict(modes=["bilinear"], padding_modes=["zeros"], align_corners=[True], dims=[2])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_pack(f"{folder}/questions.npz", **claims, dtypes=["float64"], only="^kinks")
    ...     pack = read_pack(f"{folder}/questions.npz")
    ...     answer_pack(pack, load("stn_ref"), f"{folder}/answers.npz")
    ...     report = judge_pack(pack, f"{folder}/answers.npz")
    >>> report.conforms, len(report.results)
    (True, 7)
    """
    given = _read_answers(Path(answers), pack)
    selection = pack.selection
    asked = contents(selection, pack.index["written_by"])
    if asked.index["sha256"] != pack.index["sha256"]:
        raise ValueError(
            f"{pack.path} is of another version of the questions: it was written by stn_ref "
            f"{pack.index['written_by']}; judge with that version, or write and answer the pack again"
        )
    methods = {call["method"]: None for call in asked.index["calls"] if given.arrays.keys() & _keys([call])}
    claimed = {name: getattr(selection, name) for name in CLAIMS}
    about = {**given.about, "deterministic": True, **claimed, "methods": tuple(methods)}
    judge = judge or Judge(profile_of(profile or about["profile"]), strict=strict)
    claims, results, start = Claims.of(about), [], time.monotonic()
    for done, (case, plan) in enumerate(asked.questions, start=1):
        found = judge.results(case, plan, [given.to(case, ask) for ask in plan], claims)
        results += found
        if progress is not None:
            progress(done, len(asked.questions), found)
    seconds = time.monotonic() - start
    how = judge.profile.name, selection.level, judge.strict, selection.seed
    known = matches(results, judge, claims) if explain else ()
    return Report(about, *how, tuple(results), seconds, known)


def answer_pack(pack: Pack, backend: Backend, path: PathLike, *, form: str = "npz") -> None:
    """Answer a pack with a backend in Python, in this process: an example of what a device does.

    Parameters
    ----------
    path
        Where the answers go; a file that stands there is replaced in one step.
    form : "npz", "safetensors" or "json"
        Which kind of file; it need not be that of the pack.

    Raises
    ------
    RuntimeError
        If the backend raises an exception, which a file of answers cannot hold.
    ValueError
        If ``form`` is none of the above.
    OSError
        If the file cannot be written.
    """
    dump = form_named("answer_pack", form).dump
    arrays: dict[str, Array] = {}
    for entry in pack.index["calls"]:
        answer = worker.run(backend, pack.call(entry))
        if answer.failure:
            raise RuntimeError(f"answer_pack: {backend.name} cannot answer {entry['id']}: {answer.detail}")
        outputs = {aspect: answer.outputs.get(OUTPUTS.get(aspect, "")) for aspect in entry["answers"]}
        arrays |= {f"{entry['id']}:{aspect}": got for aspect, got in outputs.items() if got is not None}
    about = worker.about(backend)
    index = {"pack": pack.index["sha256"], **{name: about[name] for name in SAID}}
    write_atomically(path, dump(index, arrays, UNDER))


def _keys(calls: Sequence[Index]) -> set[str]:
    """The names of all answers to these calls."""
    return {f"{call['id']}:{aspect}" for call in calls for aspect in call["answers"]}


def _read_answers(path: Path, pack: Pack) -> Answers:
    name, form = form_of(path)
    try:
        index, arrays = form.load(path, UNDER)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as answers to a pack: read as {name}, {error}") from None
    index.pop(UNDER, None)
    written_for = index.pop("pack", pack.index["sha256"])
    if written_for != pack.index["sha256"]:
        raise ValueError(
            f"{path} answers another pack: its field 'pack' is {written_for!r}, that of {pack.path} is "
            f"{pack.index['sha256']!r}"
        )
    _check_said(path, index)
    _check_known(path, "array", list(arrays), _keys(pack.index["calls"]))
    about = {**SAID, **index}
    return Answers({**about, "name": about["name"] or path.stem}, arrays)


def _check_said(path: Path, index: Index) -> None:
    """Refuse a field that has no meaning, or has a value of a type that has none."""
    _check_known(path, "field", list(index), set(SAID))
    for name, value in index.items():
        if type(value) is not type(SAID[name]):
            expected = type(SAID[name]).__name__
            raise ValueError(f"{path}: its field {name!r} is {value!r}, expected one of type {expected}")
    if "half_coordinates" in index:
        check_choice(str(path), "half_coordinates", index["half_coordinates"], CLAIMS["dtypes"])


def _check_known(path: Path, what: str, given: list[str], known: set[str]) -> None:
    strangers = [name for name in given if name not in known]
    if strangers:
        more = f" (and {len(strangers) - 1} more)" if len(strangers) > 1 else ""
        raise ValueError(
            f"{path}: its {what} {strangers[0]!r}{more} has no meaning for this pack; expected are such as "
            f"{min(known)!r}"
        )
