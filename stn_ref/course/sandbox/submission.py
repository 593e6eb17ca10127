"""A student's folder, looked at with suspicion: what of it may be run, and a copy of that."""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...files import PathLike
from .names import similar
from .questions import Limits, SandboxError, one_line

MOST_ENTRIES = 5000  # of the folder, that are looked at
DECEIVING = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}  # turn the text around


class Refused(ValueError):
    """A file is not fit to be run; the message is for the student."""


class Submission:
    """The Python files of a folder, copied to ``copy``; :meth:`refusal` says why one is not there.

    ``given`` are files, by name, that take the place of the folder's.

    Raises
    ------
    SandboxError
        If there is no such folder, or it cannot be read.
    """

    def __init__(self, folder: PathLike, copy: Path, limits: Limits, given: Mapping[str, str]) -> None:
        self._folder = Path(folder)
        self._limits = limits
        self._refusals: dict[str, str] = {}
        self._copied: list[str] = []
        try:
            self._root = self._folder.resolve(strict=True)
            copy.mkdir()
            for name, text in given.items():
                (copy / name).write_text(text, "utf-8")
                self._copied.append(name)
            for name in self._python_files():
                if name not in given:
                    self._take(name, copy)
        except OSError as error:
            raise SandboxError(f"the submission {folder} cannot be read: {error}") from None

    def refusal(self, file: str) -> str:
        """Why ``file`` cannot be run; "" if it can be."""
        if file in self._copied:
            return ""
        if file in self._refusals:
            return self._refusals[file]
        present = [*self._copied, *self._refusals]
        return f"{file} is missing; " + (
            similar(file, present) or "there is no Python file in the submission"
        )

    def _python_files(self) -> Iterator[str]:
        seen = 0
        for where, folders, files in os.walk(self._root):  # does not follow links
            folders[:] = sorted(name for name in folders if name.isprintable() and name[0] != ".")
            seen += len(folders) + len(files)
            if seen > MOST_ENTRIES:
                return
            for name in sorted(files):
                if name.endswith(".py") and name.isprintable():
                    yield Path(where, name).relative_to(self._root).as_posix()

    def _take(self, name: str, copy: Path) -> None:
        try:
            if len(self._copied) == self._limits.files:
                raise Refused(f"is one Python file too many: a submission may have {self._limits.files}")
            source = self._source(name)
            target = copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source)
            self._copied.append(name)
        except Refused as reason:
            self._refusals[name] = one_line(f"{name} {reason}")

    def _source(self, name: str) -> bytes:
        """The bytes of a file, which are text that a person would read as Python does."""
        try:
            path = (self._root / name).resolve(strict=True)
        except (OSError, RuntimeError):
            raise Refused("is a link that leads nowhere") from None
        if not path.is_relative_to(self._root):
            raise Refused("is a link that leads out of the submission")
        most = self._limits.source
        try:  # without waiting, as opening a named pipe would for somebody to write to it
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError as error:
            raise Refused(f"cannot be read: {error.strerror}") from None
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Refused("is no ordinary file")
            source = file.read(most + 1)
        if len(source) > most:
            raise Refused(f"is too large: a file may have {most} bytes")
        if b"\0" in source:
            raise Refused("is no text: it has a NUL byte")
        try:
            text = source.decode()
        except UnicodeDecodeError as error:
            line = source.count(b"\n", 0, error.start) + 1
            raise Refused(f"is not UTF-8 (line {line}); save it with that encoding") from None
        for number, line_of_text in enumerate(text.splitlines(), 1):
            for letter in DECEIVING.intersection(line_of_text):
                raise Refused(
                    f"has the invisible character U+{ord(letter):04X} in line {number}, which makes text "
                    "look other than it is; remove it"
                )
        return source
