"""The files of the conformance matrix: one of JSON for each backend, and the scripts that they name."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..files import write_atomically
from .adapters import ADAPTERS

FORM = {"format": "stn_ref oracle matrix", "version": 1}
SCRIPTS = "reproducers"
FOLDERS = re.compile(r"""(?<![\w.:/~-])/(?:[^\s/:"'<>,;()]+/)+""")
LEFT_OUT = re.compile(r".*/(?:site|dist)-packages/|.*/(?=stn_ref/)|.*/")
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")
Entry = dict[str, Any]


def entries(folder: Path) -> list[Entry]:
    """What is on record, in the order in which adapters are listed.

    Raises
    ------
    ValueError
        If a file is damaged, or of another version.
    """
    return [entry for name in ADAPTERS if (entry := on_record(folder, name))]


def without_places(text: str) -> str:
    """Text without what names a place in one machine: folders outside of packages, and addresses.

    >>> without_places('File "/opt/env/lib/python3.11/site-packages/torch/autograd/graph.py", line 9')
    'File "torch/autograd/graph.py", line 9'
    >>> without_places("in /home/me/bin/python at 0x00007f21b53beb80, see https://example.org/a/b")
    'in python at 0x..., see https://example.org/a/b'
    """
    return ADDRESS.sub("0x...", FOLDERS.sub(lambda found: LEFT_OUT.sub("", found[0], count=1), text))


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"


def on_record(folder: Path, name: str) -> Entry:
    """The entry of a backend, empty if there is none."""
    path = _path(folder, name)
    if not path.exists():
        return {}
    try:
        entry: Entry = json.loads(path.read_bytes())
        form = {key: entry.get(key) for key in FORM}
    except (ValueError, AttributeError) as error:
        raise ValueError(f"matrix: {path} is damaged: {error}; remove it, and ask again") from error
    if form != FORM:
        raise ValueError(f"matrix: {path} is of {form}, expected {FORM}; remove it, and ask again")
    return entry


def _text(entry: Entry) -> str:
    """JSON with one line for each setting and each failure, so that it is short and changes can be read."""
    return f"{{{_lines(f'{_json(key)}: {_part(value)}' for key, value in entry.items())}}}\n"


def _part(value: Any) -> str:
    if value and isinstance(value, dict):
        return f"{{{_lines(f'{_json(key)}: {_json(item)}' for key, item in value.items())}}}"
    if value and isinstance(value, list):
        return f"[{_lines(map(_json, value))}]"
    return _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


def _lines(items: Iterable[str]) -> str:
    return "\n" + ",\n".join(items) + "\n"


def keep(folder: Path, name: str, entry: Entry, scripts: Mapping[str, str], before: Entry) -> None:
    """Write scripts first, so that what the file names is there; then remove those of the file before."""
    (folder / SCRIPTS).mkdir(parents=True, exist_ok=True)
    for file, script in scripts.items():
        write_atomically(folder / SCRIPTS / file, script.encode())
    write_atomically(_path(folder, name), _text(entry).encode())
    of_before = {failure["script"] for failure in before.get("failures", [])}
    for file in of_before - {"", *scripts}:
        (folder / SCRIPTS / file).unlink(missing_ok=True)
