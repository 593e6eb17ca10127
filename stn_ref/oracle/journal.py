"""What a check has found so far, in a file, so that a check that was stopped can be taken up again.

One line of JSON for the check and one for each case. A line that was not written to its end counts for
nothing: that case is asked again.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .interview import Result
from .reports.as_json import result_from, said_of


class Journal:
    """The file at ``path``, for the check that ``header`` describes; begun if there is none.

    Raises
    ------
    ValueError
        If the file is of another check, or no such file.
    """

    def __init__(self, path: str | os.PathLike[str], header: Mapping[str, Any]) -> None:
        self.path, self.done = Path(path), dict[str, list[Result]]()
        own = json.dumps(header, sort_keys=True)
        lines = self._whole_lines() if self.path.exists() else []
        if lines and lines[0] != own:
            raise ValueError(
                f"resume: {path} is {_difference(lines[0], json.loads(own))}; name another file, or remove "
                "this one"
            )
        for number, line in enumerate(lines[1:], start=2):
            self._read(line, number)
        self._file = self.path.open("a")
        if not lines:
            self._write(own)

    def add(self, case: str, results: Sequence[Result]) -> None:
        """Write down what was found about a case."""
        said = [said_of(result) for result in results]
        self._write(json.dumps({"case": case, "results": said}, allow_nan=False))

    def close(self) -> None:
        self._file.close()

    def _whole_lines(self) -> list[str]:
        """All lines that end; what is behind them is cut off."""
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(self.path, len(whole))
        return whole.decode(errors="replace").splitlines()

    def _read(self, line: str, number: int) -> None:
        try:
            said = json.loads(line)
            self.done[said["case"]] = [
                result_from(item, f"results[{i}]") for i, item in enumerate(said["results"])
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"resume: line {number} of {self.path} is damaged: {error!r}") from error

    def _write(self, line: str) -> None:
        self._file.write(line + "\n")
        self._file.flush()


def _difference(line: str, own: Mapping[str, Any]) -> str:
    """Of what else a file is."""
    try:
        theirs = dict(json.loads(line))
    except (ValueError, TypeError):
        return "no record of a check"
    names = [name for name in own if theirs.get(name) != own[name]]
    told = [f"its {name} is {theirs.get(name)!r}, here it is {own[name]!r}" for name in names[:3]]
    return f"of another check: {'; '.join(told)}"
