"""The IDX format of MNIST and its cousins: read, written, recognised.

An IDX file, raw or gzipped, is

    byte 0, 1     00 00
    byte 2        the code of the element type (08 is unsigned byte)
    byte 3        the number of dimensions d
    d x 4 bytes   the dimensions, big-endian unsigned
    the rest      the elements in C order, big-endian

(http://yann.lecun.com/exdb/mnist/, "The IDX file format"). Whether a file is gzipped is read from
its first two bytes, not from its name. Every byte is accounted for: too few, too many or damaged is
an ``IdxError``.
"""

import gzip
import hashlib
import io
import math
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..files import write_atomically

__all__ = ["IdxError", "Official", "identify", "load_idx", "save_idx"]

DTYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
CODES_TEXT = ", ".join(f"{code:02x} = {dtype.newbyteorder('=').name}" for code, dtype in DTYPES.items())
GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 1 << 20


class IdxError(ValueError):
    """Not a whole and well-formed IDX file; the message names file, place and fix."""


@dataclass(frozen=True)
class Official:
    """One of the official MNIST or Fashion-MNIST files, and the checksums it is known by.

    >>> OFFICIAL_FILES[0].title
    'MNIST train images'
    """

    dataset: str
    split: str
    kind: str
    archive_md5: str
    content_md5: str

    @property
    def title(self) -> str:
        """What the file is, in words."""
        return f"{self.dataset} {self.split} {self.kind}"


# dataset, split, kind, MD5 of the .gz as published, MD5 of what is inside
_OFFICIAL = """
MNIST         train images f68b3c2dcbeaaa9fbdd348bbdeb94873 6bbc9ace898e44ae57da46a324031adb
MNIST         train labels d53e105ee54ea40749a09fcbcd1e9432 a25bea736e30d166cdddb491f175f624
MNIST         test  images 9fb629c4189551a2d022fa330f9573f3 2646ac647ad5339dbf082846283269ea
MNIST         test  labels ec29112dd5afa0611ce80d1b7f02629c 27ae3e4e09519cfbb04c329615203637
Fashion-MNIST train images 8d4fb7e6c68d591d4c3dfef9ec88bf0d f4a8712d7a061bf5bd6d2ca38dc4d50a
Fashion-MNIST train labels 25c81989df183df01b3e8a0aad5dffbe 9018921c3c673c538a1fc5bad174d6f9
Fashion-MNIST test  images bef4ecab320f06d8554ea6380940ec79 8181f5470baa50b63fa0f6fddb340f0a
Fashion-MNIST test  labels bb300cfdad3c16e7a12a480ee83cd310 15d484375f8d13e6eb1aabb0c3f46965
"""
OFFICIAL_FILES = tuple(Official(*line.split()) for line in _OFFICIAL.strip().splitlines())
_BY_MD5 = {md5: file for file in OFFICIAL_FILES for md5 in (file.archive_md5, file.content_md5)}


def load_idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Read one IDX file, raw or gzipped.

    Returns
    -------
    array
        The dimensions and the element type that the header states (uint8, int8, int16, int32,
        float32 or float64), in the byte order of this machine, C-contiguous and writable.

    Raises
    ------
    IdxError
        If the file is not a whole IDX file: wrong magic, unknown type code, too few bytes, bytes
        left over, or damaged gzip data.
    OSError
        If the file cannot be opened.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_idx(Path(folder, "labels.gz"), np.array([5, 0, 4], dtype=np.uint8))
    ...     load_idx(Path(folder, "labels.gz"))
    array([5, 0, 4], dtype=uint8)
    """
    path = Path(path)
    with open(path, "rb") as file:
        zipped = file.read(2) == GZIP_MAGIC
        file.seek(0)
        if not zipped:
            return _parse(file, path)
        with gzip.GzipFile(fileobj=file) as unzipped:
            return _parse(unzipped, path)


def save_idx(path: str | os.PathLike[str], array: NDArray[Any]) -> None:
    """Write ``array`` as an IDX file; gzipped, without time stamp, if the name ends in ``.gz``.

    The file appears whole or not at all. The same array gives the same bytes with the same zlib.

    Raises
    ------
    TypeError
        If the dtype is not one that IDX has: uint8, int8, int16, int32, float32, float64.
    ValueError
        If ``array`` has more than 255 dimensions or a dimension of 2**32 or more.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_idx(Path(folder, "labels"), np.array([5, 0, 4], dtype=np.uint8))
    ...     Path(folder, "labels").read_bytes()
    b'\\x00\\x00\\x08\\x01\\x00\\x00\\x00\\x03\\x05\\x00\\x04'
    """
    path = Path(path)
    content = encode_idx(array)
    write_atomically(path, gzip_bytes(content) if path.suffix == ".gz" else content)


def identify(path: str | os.PathLike[str]) -> Official | None:
    """Which official MNIST or Fashion-MNIST file this is, by its MD5; None for any other file.

    The archive as published is recognised, and so is the same content unpacked or packed anew. None
    is no error: own data in the same format are welcome. That is also why nothing is warned here;
    the loaders put what they learn into a note that travels with the data.

    Raises
    ------
    IdxError
        If the file is damaged gzip data.
    OSError
        If the file cannot be opened.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_idx(Path(folder, "labels"), np.array([5, 0, 4], dtype=np.uint8))
    ...     identify(Path(folder, "labels")) is None
    True
    """
    path = Path(path)
    with open(path, "rb") as file:
        zipped = file.read(2) == GZIP_MAGIC
        file.seek(0)
        known = _BY_MD5.get(_md5(file, path))
        if known is not None or not zipped:
            return known
        file.seek(0)
        with gzip.GzipFile(fileobj=file) as unzipped:
            return _BY_MD5.get(_md5(unzipped, path))


def _parse(stream: BinaryIO | gzip.GzipFile, path: Path) -> NDArray[Any]:
    head = _read(stream, 4, path, 0)
    if len(head) < 4:
        raise IdxError(
            f"load_idx: {path}: the file ends at byte {len(head)}, inside the magic number; "
            "an IDX file begins with 4 bytes, such as 00 00 08 03 for images. Fetch the file again."
        )
    if head[:2] != b"\x00\x00":
        page = " It looks like a web page saved under this name." if head[:1] == b"<" else ""
        raise IdxError(
            f"load_idx: {path}: bytes 0-3 (magic) are {head.hex(' ')}, expected 00 00 then a type "
            f"code and the number of dimensions, such as 00 00 08 03 for images.{page} Give an IDX "
            "file, raw or gzipped."
        )
    dtype = DTYPES.get(head[2])
    if dtype is None:
        raise IdxError(
            f"load_idx: {path}: byte 2 (element type) is {head[2]:02x}, expected one of "
            f"{CODES_TEXT}. MNIST-like files have 08."
        )
    rank = head[3]
    dims = _read(stream, 4 * rank, path, 4)
    if len(dims) < 4 * rank:
        raise IdxError(
            f"load_idx: {path}: the file ends at byte {4 + len(dims)}, inside the dimensions; byte "
            f"3 announces {rank} of them, so they end at byte {4 + 4 * rank}. Fetch the file again."
        )
    shape = struct.unpack(f">{rank}I", dims)
    start, size = 4 + 4 * rank, math.prod(shape) * dtype.itemsize
    # One byte more than announced: shows bytes left over, and lets gzip check its checksum.
    body = _read(stream, size + 1, path, start)
    if len(body) < size:
        raise IdxError(
            f"load_idx: {path}: the file ends at byte {start + len(body)}, inside the elements; "
            f"its header announces shape {shape} of {dtype.newbyteorder('=').name}, so "
            f"{start + size} bytes. Fetch the file again."
        )
    if len(body) > size:
        raise IdxError(
            f"load_idx: {path}: there are bytes after byte {start + size}, where shape {shape} of "
            f"{dtype.newbyteorder('=').name} ends. The header or the end of the file is wrong; "
            "fetch the file again."
        )
    try:
        return np.frombuffer(body, dtype).reshape(shape).astype(dtype.newbyteorder("="))
    except ValueError as error:
        raise IdxError(
            f"load_idx: {path}: byte 3 and the dimensions announce shape {shape}, which NumPy "
            f"cannot hold ({error}); MNIST-like files have 1 or 3 dimensions."
        ) from error


def _read(stream: BinaryIO | gzip.GzipFile, count: int, path: Path, start: int) -> bytes:
    """At most ``count`` bytes, in chunks: a header that lies about its size costs no memory."""
    parts: list[bytes] = []
    got = 0
    try:
        while got < count and (part := stream.read(min(CHUNK, count - got))):
            parts.append(part)
            got += len(part)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise IdxError(
            f"load_idx: {path}: the gzip data is damaged or cut off after about {start + got} "
            f"unpacked bytes ({error}); expected a whole gzip file around an IDX file. Fetch the "
            "file again."
        ) from error
    return b"".join(parts)


def _md5(stream: BinaryIO | gzip.GzipFile, path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    done = 0
    while part := _read(stream, CHUNK, path, done):
        digest.update(part)
        done += len(part)
    return digest.hexdigest()


def encode_idx(array: NDArray[Any]) -> bytes:
    codes = [code for code, dtype in DTYPES.items() if dtype == array.dtype.newbyteorder(">")]
    if not codes:
        raise TypeError(f"save_idx: array has dtype {array.dtype}, expected one that IDX has: {CODES_TEXT}.")
    if array.ndim > 255 or any(size >= 2**32 for size in array.shape):
        raise ValueError(
            f"save_idx: array has shape {array.shape}; IDX holds at most 255 dimensions, each below 2**32."
        )
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, codes[0], array.ndim, *array.shape)
    return head + array.astype(DTYPES[codes[0]]).tobytes()


def gzip_bytes(content: bytes) -> bytes:
    # Not gzip.compress: its header changed with Python 3.11. GzipFile writes the same everywhere.
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0, compresslevel=9) as file:
        file.write(content)
    return buffer.getvalue()
