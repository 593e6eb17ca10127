"""Downloading what may be downloaded without asking anybody, on request and never by itself."""

import contextlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ..errors import optional
from .catalogue import MATCHES, Dataset, File, dataset

__all__ = ["fetch", "fetch_files"]

TIMEOUT = 30  # seconds of silence after which a server is given up


def fetch(name: str, directory: str | os.PathLike[str]) -> Iterator[tuple[str, Path]]:
    """Download a data set into its folder below ``directory``, file by file.

    Parameters
    ----------
    name
        As in ``stn-ref data list``.
    directory
        The folder of all data sets; the set's own folder is made in it.

    Yields
    ------
    what, path
        "fetched", or "there already" for a file whose checksum holds, which is left as it is.

    Raises
    ------
    ModuleNotFoundError
        Without pooch, the extra ``fetch``.
    ValueError
        If there is no such set, if it may not be fetched (the message says where to ask), or if something
        else than the published file came.
    OSError
        If the connection fails or breaks off, the folder cannot be written, or another file stands there.

    A file takes its name when it is whole and its checksum holds; what came of an interrupted download is
    thrown away. Nothing that is there is overwritten.

    >>> list(fetch("cub", "no/such/folder"))
    Traceback (most recent call last):
    ...
    ValueError: fetch: cub is not fetched: its terms are non-commercial research; ...
    """
    wanted = dataset(name)
    if wanted.get:
        raise ValueError(f"fetch: {name} is not fetched: {wanted.get}. Its home is {wanted.home}")
    if not all(file.checksum and file.url for file in wanted.files):
        raise ValueError(f"fetch: {name} comes with this package; there is nothing to fetch")
    yield from fetch_files(wanted, Path(directory, wanted.folder))


def fetch_files(wanted: Dataset, folder: Path) -> Iterator[tuple[str, Path]]:
    """As :func:`fetch`, for any set whose files all have an address and a checksum, into ``folder`` itself.

    >>> list(fetch_files(Dataset("none", "", "", "", "", (), ""), Path("no/such/folder")))
    []
    """
    for file in wanted.files:
        path = file.locate(folder)
        if path is None:
            yield "fetched", _download(wanted, file, folder / file.name)
        elif file.verdict(path) == MATCHES:
            yield "there already", path
        else:
            raise FileExistsError(
                f"fetch: {path} is there and is not the published file ({file.checksum}); it is left as it "
                "is. Move it away, or fetch into another folder"
            )


def _download(wanted: Dataset, file: File, path: Path) -> Path:
    pooch = optional("pooch", extra="fetch", purpose="fetching data")
    bar = sys.stderr.isatty() and importlib.util.find_spec("tqdm") is not None
    downloader = pooch.HTTPDownloader(progressbar=bar, timeout=TIMEOUT)
    is_new = not path.parent.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        pooch.retrieve(file.url, file.checksum, fname=path.name, path=path.parent, downloader=downloader)
    except BaseException as error:
        response = getattr(error, "response", None)
        if response is not None:
            response.close()  # pooch leaves a refused one open
        if is_new:
            with contextlib.suppress(OSError):
                path.parent.rmdir()
        if not isinstance(error, (OSError, ValueError)):
            raise
        kind: type[Exception] = ValueError if isinstance(error, ValueError) else OSError
        raise kind(
            f"fetch: {file.url}: {error}. Nothing of it was kept. Try again later; or take {file.name} from "
            f"{wanted.home} and put it into {path.parent} yourself"
        ) from error
    return path
