"""Checkpoints: a whole training state in one file, checksummed, written so that one is always whole.

A checkpoint is an ``.npz`` file (a zip archive of ``.npy`` arrays; ``numpy.load`` reads it) that also
holds ``header.json``: versions, step count, the states of the random generators, the history of the run,
and shape, dtype and SHA-256 of every array. ``unzip -p run.npz header.json`` shows it. The archive's
comment, the last bytes of the file, holds the SHA-256 of the header and that of all bytes before it: no byte
can change unseen.

One file rather than an ``.npz`` beside a ``.json``, because one file takes its name in one step and two do
not: a pair can be torn by a power cut, or by copying one of them. The checkpoint before is kept as
``run.prev.npz``. Saving copies the present one there, provided that it is whole, and then puts the new one
in its place; each of the two steps is atomic, so whenever the process is killed, a whole checkpoint is left.
"""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..data import write_atomically
from ..nn import Module, Optimiser
from .state import State

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "load_checkpoint",
    "load_latest",
    "previous_path",
    "save_checkpoint",
]

Array = NDArray[Any]
FORMAT, VERSION = "stn_ref checkpoint", 1
HEADER = "header.json"
SUMS = 2 * 64  # the archive's comment: two SHA-256 in hexadecimal
FIELDS: dict[str, type] = {
    "format": str,
    "version": int,
    "written_by": dict,
    "optimiser": str,
    "steps": int,
    "generators": dict,
    "run": dict,
    "arrays": dict,
}


class CheckpointError(ValueError):
    """A checkpoint is damaged or belongs to something else; the message names file and field."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was read and found whole.

    ``path`` is the file; ``state`` the state of model and optimiser; ``run`` what the caller of
    :func:`save_checkpoint` gave; ``written_by`` the versions of stn_ref and NumPy; ``note`` what to tell the
    user, or "".
    """

    path: Path
    state: State
    run: Mapping[str, Any] = field(default_factory=dict)
    written_by: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    def restore(self, model: Module, optimiser: Optimiser | None = None) -> None:
        """Put parameters, generators and, if given, the optimiser into the saved state.

        Raises
        ------
        CheckpointError
            If the checkpoint is of another network or optimiser; then nothing is changed.
        """
        found = self.state.differences(model, optimiser)
        if found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            raise CheckpointError(
                f"restore: {self.path} is a checkpoint of another network or optimiser: {found[0]}{more}; "
                "build the one that was saved, or give another file"
            )
        self.state.restore(model, optimiser)


def previous_path(path: str | os.PathLike[str]) -> Path:
    """Where the checkpoint before the one at ``path`` is kept.

    >>> previous_path("runs/digits.npz").name
    'digits.prev.npz'
    """
    path = Path(path)
    return path.with_name(f"{path.stem}.prev{path.suffix}")


def save_checkpoint(
    path: str | os.PathLike[str],
    model: Module,
    optimiser: Optimiser | None = None,
    *,
    run: Mapping[str, Any] | None = None,
) -> None:
    """Write a checkpoint to ``path``; a whole one that stood there becomes :func:`previous_path`.

    Parameters
    ----------
    path
        The file; ``.npz`` is its usual ending.
    model, optimiser
        What to keep: parameters, generators, step count, running averages.
    run
        Anything else that JSON can hold.

    Raises
    ------
    OSError
        If the file cannot be written; then the one that stood there still does.

    >>> import tempfile
    >>> from stn_ref.nn import Linear
    >>> model = Linear(2, 1, rng=np.random.default_rng(0))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_checkpoint(f"{folder}/model.npz", model, run={"epoch": 3})
    ...     checkpoint = load_checkpoint(f"{folder}/model.npz")
    >>> checkpoint.run["epoch"], bool((checkpoint.state.parameters["weight"] == model.weight.data).all())
    (3, True)
    """
    path = Path(path)
    content = _pack(State.of(model, optimiser), run or {})
    try:
        present = path.read_bytes()
        _unpack(path, present)
    except (FileNotFoundError, CheckpointError):
        pass  # nothing to keep: a damaged file must not displace the whole one before it
    else:
        write_atomically(previous_path(path), present)
    write_atomically(path, content)


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read the checkpoint at ``path`` and nothing else; pickled objects are never run.

    Raises
    ------
    FileNotFoundError
        If there is none.
    CheckpointError
        If it is damaged in any byte, incomplete, or of another version.
    """
    path = Path(path)
    return _unpack(path, path.read_bytes())


def load_latest(path: str | os.PathLike[str]) -> Checkpoint:
    """The checkpoint at ``path`` or, if that is damaged or missing, the one before; then ``note`` says so.

    Raises
    ------
    FileNotFoundError
        If there is neither.
    CheckpointError
        If neither is whole.
    """
    path, previous = Path(path), previous_path(path)
    try:
        return load_checkpoint(path)
    except (FileNotFoundError, CheckpointError) as error:
        reason = str(error) if isinstance(error, CheckpointError) else f"{path} is missing"
        if not previous.exists():
            if isinstance(error, FileNotFoundError):
                raise FileNotFoundError(f"load_latest: there is neither {path} nor {previous}") from None
            raise CheckpointError(f"{reason}; there is no previous one, {previous}") from None
    try:
        found = load_checkpoint(previous)
    except CheckpointError as error:
        raise CheckpointError(f"{reason}; and the previous one: {error}") from None
    note = f"{reason}; using the previous checkpoint, {previous}"
    return Checkpoint(
        found.path, found.state, found.run, found.written_by, f"{note}; {found.note}".rstrip("; ")
    )


def _pack(state: State, run: Mapping[str, Any]) -> bytes:
    """The bytes of a checkpoint; equal states give equal bytes."""
    arrays = {f"model/{name}": array for name, array in state.parameters.items()}
    arrays.update({f"optimiser/{name}": array for name, array in (state.averages or {}).items()})
    header = {
        "format": FORMAT,
        "version": VERSION,
        "written_by": {"stn_ref": __version__, "numpy": np.__version__},
        "optimiser": state.optimiser,
        "steps": state.steps,
        "generators": state.generators,
        "run": run,
        "arrays": {name: _describe(array) for name, array in arrays.items()},
    }
    text = json.dumps(header, indent=1, default=_to_list).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(HEADER), text)
        for name, array in arrays.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), entry.getvalue())
        archive.comment = b"0" * SUMS
    body = buffer.getvalue()[:-SUMS]
    return body + _sums(text, body)


def _unpack(path: Path, content: bytes) -> Checkpoint:
    """The checkpoint in ``content``; every refusal names the first field that is not as it was written."""

    def refuse(what: str) -> CheckpointError:
        spare = previous_path(path)
        hint = f"; the previous checkpoint is {spare}, and load_latest takes it" if spare.exists() else ""
        return CheckpointError(f"load_checkpoint: {path}: {what}{hint}")

    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        text = _read(archive, HEADER)
        header = json.loads(text)
    except KeyError:
        raise refuse(f"{HEADER} is missing; it is no checkpoint of stn_ref") from None
    except _Damaged as error:
        raise refuse(str(error)) from None
    except ValueError:
        raise refuse(f"{HEADER} is not valid JSON; it is damaged") from None
    except Exception:  # zipfile meets damage with several kinds of errors
        raise refuse(f"not a whole .npz file ({len(content)} bytes); it is cut off or damaged") from None
    with archive:
        if archive.comment[:64] != _sums(text, b"")[:64]:
            raise refuse(
                f"{HEADER} is not as it was written (its SHA-256 differs); it is damaged or was edited"
            )
        _check_fields(header, refuse)
        arrays = {name: _array(archive, name, header["arrays"][name], refuse) for name in header["arrays"]}
        names = {HEADER, *(f"{name}.npy" for name in arrays)}
        for name in archive.namelist():
            if name not in names:
                raise refuse(f"{name} is not listed in {HEADER}; it was added after writing")
    if content[-SUMS:] != _sums(text, content[:-SUMS]):
        raise refuse("a byte around the arrays is not as it was written (the SHA-256 of the file differs)")
    parts: dict[str, dict[str, Array]] = {"model": {}, "optimiser": {}}
    for name, array in arrays.items():
        part, _, rest = name.partition("/")
        parts[part][rest] = array
    state = State(
        parts["model"], header["generators"], header["optimiser"], header["steps"], parts["optimiser"]
    )
    return Checkpoint(path, state, header["run"], header["written_by"], _version_note(header["written_by"]))


class _Damaged(Exception):
    """An entry of the archive cannot be read."""


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        return archive.read(name)
    except KeyError:
        raise
    except Exception:  # a wrong CRC, a wrong local header, an impossible length
        raise _Damaged(f"{name} is damaged") from None


def _array(archive: zipfile.ZipFile, name: str, listed: Any, refuse: Any) -> Array:
    """One array, which must be as the header lists it."""
    try:
        entry = io.BytesIO(_read(archive, f"{name}.npy"))
        array: Array = np.lib.format.read_array(entry, allow_pickle=False)
    except KeyError:
        raise refuse(f"array {name} is missing") from None
    except _Damaged:
        raise refuse(f"array {name} is damaged (its checksum differs)") from None
    except ValueError as error:
        raise refuse(f"array {name} cannot be read: {error}") from None
    if _describe(array) != listed:
        raise refuse(f"array {name} is not the one that {HEADER} lists; it is damaged or was replaced")
    if name.partition("/")[0] not in ("model", "optimiser"):
        raise refuse(f"array {name} belongs neither to the model nor to the optimiser")
    return array


def _check_fields(header: Any, refuse: Any) -> None:
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise refuse(f"field 'format' of {HEADER} is not {FORMAT!r}; it is no checkpoint of stn_ref")
    if header.get("version") != VERSION:
        raise refuse(
            f"field 'version' of {HEADER} is {header.get('version')!r}, this stn_ref reads {VERSION}; "
            f"it was written by stn_ref {header.get('written_by', {}).get('stn_ref', '(unknown)')}"
        )
    for name, kind in FIELDS.items():
        if not isinstance(header.get(name), kind):
            raise refuse(f"field {name!r} of {HEADER} is missing or not of type {kind.__name__}")


def _describe(array: Array) -> dict[str, Any]:
    digest = hashlib.sha256(array.tobytes()).hexdigest()
    return {"shape": list(array.shape), "dtype": array.dtype.str, "sha256": digest}


def _sums(text: bytes, body: bytes) -> bytes:
    return (hashlib.sha256(text).hexdigest() + hashlib.sha256(body).hexdigest()).encode()


def _to_list(value: Any) -> Any:
    """What JSON does not know: the arrays in the states of some generators, and NumPy's numbers."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    raise TypeError(f"save_checkpoint: run holds {value!r}, which JSON cannot hold")


def _version_note(written_by: Mapping[str, str]) -> str:
    there = written_by.get("numpy")
    if there == np.__version__:
        return ""
    return (
        f"written with NumPy {there}, read with {np.__version__}: the last digits of what follows may differ"
    )
