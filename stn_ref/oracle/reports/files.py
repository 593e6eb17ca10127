"""Writing a report so that nothing half-written ever stands in place of a whole one."""

import os
from pathlib import Path

PathLike = str | os.PathLike[str]


def write(path: PathLike, content: bytes) -> None:
    """Write a file: a reader finds the old one or the new one, never a part.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
