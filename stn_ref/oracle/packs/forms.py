"""The three kinds of file that hold an index and arrays: npz, safetensors and JSON.

Writing gives the same bytes for the same contents. Reading runs nothing, and whatever is wrong with a file is
a ValueError.
"""

import hashlib
import importlib
import io
import json
import math
import re
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...errors import check_choice, describe
from .contents import Array, Index, plain, text_of

INDEX = "index"  # the entry of an npz, and the metadata of safetensors, that is the index
DIGEST = 64  # the last bytes of an npz pack: the SHA-256 of all before them, in hexadecimal
HEXADECIMAL = re.compile(r"[+-]?(0x[0-9a-f]+(\.[0-9a-f]*)?(p[+-]?[0-9]+)?|nan|inf(inity)?)", re.IGNORECASE)
Loaded = tuple[Index, dict[str, Array]]


class Form(NamedTuple):
    """One kind of file. ``under`` is the name that JSON has for the arrays."""

    dump: Callable[[Index, Mapping[str, Array], str], bytes]
    load: Callable[[Path, str], Loaded]
    altered: Callable[[Path, Index, Mapping[str, Array], str], str]
    """What of a file that was written here is not as it was written and not in its contents; or ""."""


def form_named(who: str, name: str) -> Form:
    check_choice(who, "form", name, tuple(FORMS))
    return FORMS[name]


def form_of(path: Path) -> tuple[str, Form]:
    """Which kind of file it is, by its first bytes.

    Raises
    ------
    ValueError
        If it is none of them.
    """
    with open(path, "rb") as file:
        start = file.read(16)
    size = path.stat().st_size
    if start[8:9] == b"{" and struct.unpack("<Q", start[:8])[0] <= size - 8:
        name = "safetensors"
    elif start[:2] == b"PK":
        name = "npz"
    elif start.lstrip()[:1] == b"{":
        name = "json"
    else:
        raise ValueError(
            f"{path} is damaged or something else: it has {size} bytes and begins with {start!r}, expected "
            "b'PK' of an npz, a brace of JSON, or the length and the brace of safetensors"
        )
    return name, FORMS[name]


def _dump_npz(index: Index, arrays: Mapping[str, Array], under: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entries = {INDEX: np.frombuffer(text_of(index).encode(), np.uint8), **dict(sorted(arrays.items()))}
        for name, array in entries.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, plain(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), entry.getvalue())  # its time is that of no clock
        archive.comment = b"0" * DIGEST
    body = buffer.getvalue()[:-DIGEST]
    return body + hashlib.sha256(body).hexdigest().encode()


def _load_npz(path: Path, under: str) -> Loaded:
    content = path.read_bytes()
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # NumPy and zipfile do not say which there are
        raise ValueError(f"{type(error).__name__}: {error}") from None
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise ValueError(f"its entry {name} is no array of NumPy")
    return _parsed_index(_text_of_array(arrays.pop(INDEX, None))), arrays


def _altered_npz(path: Path, index: Index, arrays: Mapping[str, Array], under: str) -> str:
    content = path.read_bytes()
    body, said = content[:-DIGEST], content[-DIGEST:]
    found = hashlib.sha256(body).hexdigest()
    if found.encode() == said:
        return ""
    return f"the SHA-256 of its first {len(body)} bytes is {found}, its last {DIGEST} bytes say {said!r}"


def _text_of_array(array: Array | None) -> str:
    """A text that is an array: bytes of UTF-8, or a string without axes as ``numpy.savez`` makes it."""
    if array is None:
        return "{}"
    if array.dtype == np.uint8 and array.ndim == 1:
        return array.tobytes().decode()
    if array.dtype.kind == "U" and array.ndim == 0:
        return str(array)
    raise ValueError(f"its entry {INDEX} is an array of {array.dtype}, expected uint8: JSON as UTF-8")


def _parsed_index(text: str) -> Index:
    try:
        index = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its {INDEX} is no JSON: {error}") from None
    if not isinstance(index, dict):
        raise ValueError(f"its {INDEX} is JSON of type {type(index).__name__}, expected an object")
    return index


def _safetensors(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "the form 'safetensors' needs the extra 'safetensors': pip install safetensors"
        ) from error


def _dump_safetensors(index: Index, arrays: Mapping[str, Array], under: str) -> bytes:
    tensors = {name: plain(array) for name, array in sorted(arrays.items())}
    content: bytes = _safetensors("safetensors.numpy").save(tensors, metadata={INDEX: text_of(index)})
    return content


def _load_safetensors(path: Path, under: str) -> Loaded:
    library = _safetensors("safetensors")
    try:
        with library.safe_open(str(path), framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no dict
            text = (file.metadata() or {}).get(INDEX, "{}")
    except Exception as error:  # the library's own, and those of NumPy for a dtype that it has not
        raise ValueError(f"{type(error).__name__}: {error}") from None
    return _parsed_index(text), arrays


def _altered_safetensors(path: Path, index: Index, arrays: Mapping[str, Array], under: str) -> str:
    return ""  # nothing but its contents: the library refuses gaps, overlaps and a header that is not filled


def _dump_json(index: Index, arrays: Mapping[str, Array], under: str) -> bytes:
    known = index.get(under, {})
    spelt = {name: {**known.get(name, {}), **_spelt(array)} for name, array in arrays.items()}
    fields = {**index, under: spelt}
    lines = [f"{text_of(name)}: {_one_to_a_line(field)}" for name, field in sorted(fields.items())]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _one_to_a_line(field: Any) -> str:
    if isinstance(field, dict):
        return "{\n" + ",\n".join(f"{text_of(k)}: {text_of(v)}" for k, v in sorted(field.items())) + "\n}"
    if isinstance(field, list):
        return "[\n" + ",\n".join(map(text_of, field)) + "\n]"
    return text_of(field)


def _spelt(array: Array) -> Index:
    """An array as JSON.

    >>> _spelt(np.array([1.5, -np.inf], np.float32))
    {'dtype': 'float32', 'shape': [2], 'values': ['0x1.8p+0', '-inf']}
    """
    numbers = [re.sub(r"\.?0*p", "p", number.hex()) for number in array.ravel().astype(np.float64).tolist()]
    return {"dtype": array.dtype.name, "shape": list(array.shape), "values": numbers}


def _load_json(path: Path, under: str) -> Loaded:
    fields = _parsed_index(path.read_bytes().decode())
    described = fields.get(under)
    if not isinstance(described, dict):
        raise ValueError(f"its field {under!r} is missing or no object; expected arrays by name")
    arrays = {}
    for name, said in described.items():
        if not isinstance(said, dict):
            raise ValueError(f"its array {name} is no object")
        arrays[name] = _read(name, said)
        del said["values"]
    return fields, arrays


def _read(name: str, said: Index) -> Array:
    """The inverse of :func:`_spelt`."""
    dtype, shape, values = said.get("dtype"), said.get("shape"), said.get("values")
    if not isinstance(dtype, str) or not re.fullmatch("float(16|32|64)|u?int(8|16|32|64)", dtype):
        raise ValueError(f"its array {name} has dtype {dtype!r}, expected one such as 'float64'")
    if not isinstance(shape, list) or not all(type(n) is int and 0 <= n < 2**31 for n in shape):
        raise ValueError(f"its array {name} has shape {shape!r}, expected whole numbers such as [2, 3]")
    if not isinstance(values, list) or len(values) != math.prod(shape):
        found = f"{len(values)} values" if isinstance(values, list) else "no list of values"
        raise ValueError(f"its array {name} has {found}, expected {math.prod(shape)} for shape {shape}")
    numbers = [_number(name, k, value) for k, value in enumerate(values)]
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array(numbers, np.float64).astype(dtype).reshape(shape)


def _number(name: str, place: int, value: Any) -> float:
    try:
        if type(value) in (int, float):
            return float(value)
        if isinstance(value, str) and HEXADECIMAL.fullmatch(value):
            return float.fromhex(value)
    except OverflowError:
        pass  # beyond the largest float64, where C has written "inf"
    raise ValueError(
        f"its array {name} has value {describe(value)} at {place}, expected a hexadecimal float of at most "
        "64 bits, such as '0x1.8p+1'"
    )


def _altered_json(path: Path, index: Index, arrays: Mapping[str, Array], under: str) -> str:
    content, written = path.read_bytes(), _dump_json(index, arrays, under)
    if content == written:
        return ""
    differing = [k for k, (a, b) in enumerate(zip(content, written)) if a != b]
    place = differing[0] if differing else min(len(content), len(written))
    return f"byte {place} is not as it was written: {content[place : place + 20]!r}"


FORMS = {
    "npz": Form(_dump_npz, _load_npz, _altered_npz),
    "safetensors": Form(_dump_safetensors, _load_safetensors, _altered_safetensors),
    "json": Form(_dump_json, _load_json, _altered_json),
}
