"""Writing files so that nothing half-written ever stands in place of something whole."""

import contextlib
import os
from pathlib import Path

__all__ = ["PathLike", "write_atomically"]

PathLike = str | os.PathLike[str]


def write_atomically(path: PathLike, content: bytes) -> None:
    """Write ``content`` to ``path``: a reader finds the old file or the new one, never a part.

    The bytes go to a temporary file in the same folder, are flushed to the disk, and the file then
    takes its name in one step (``os.replace``). If anything fails, the temporary file is removed
    and what stood at ``path`` is untouched.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(Path(folder, "note.txt"), b"whole")
    ...     [(p.name, p.read_bytes()) for p in Path(folder).iterdir()]
    [('note.txt', b'whole')]
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
