"""What is asked of a submission, what comes back, and how much it may use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
MiB = 2**20


class Category(str, Enum):
    """What came of one question."""

    OK = "ok"
    NOT_IMPLEMENTED = "not implemented"  # it raised NotImplementedError
    ERROR = "error"  # it raised something else
    TIME = "time"  # it took too long
    MEMORY = "memory"  # it used too much of it
    ENDED = "ended"  # its process ended, or it asked for that
    WRONG_RESULT = "wrong result"  # what it returned is neither an array nor a tuple of arrays
    MODIFIED = "modified"  # it wrote to an argument; the results are there all the same
    GARBLED = "garbled"  # something other than the one reply came through the grader's pipe
    FILE = "file"  # missing, or not fit to be run
    IMPORT = "import"  # the file raised an error while it was imported
    NO_FUNCTION = "no function"  # the file does not define it


@dataclass(frozen=True)
class Question:
    """``function(*arrays, **settings)`` of ``file``, a path inside the submission such as "sampling.py".

    ``settings`` are what JSON can say, and tuples of that.
    """

    file: str
    function: str
    arrays: Sequence[Array] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What came of one question: nothing but what the submission itself computed, never a verdict.

    >>> import numpy as np
    >>> Reply(Category.OK, arrays=(np.ones(2),)).array
    array([1., 1.])
    """

    category: Category
    message: str = ""
    """Of what is not OK: one line for the student, without characters that do not print."""
    arrays: tuple[Array, ...] = ()
    single: bool = True
    """Whether one array was returned, rather than a tuple of them."""
    printed: str = ""
    """What was printed meanwhile, cut; line ends are the only characters in it that do not print."""

    @property
    def array(self) -> Array:
        """The only array.

        Raises
        ------
        ValueError
            If it is not the only one.
        """
        if len(self.arrays) != 1:
            raise ValueError(f"Reply.array: there are {len(self.arrays)} arrays ({self.category.value})")
        return self.arrays[0]


@dataclass(frozen=True)
class Limits:
    """How much a submission may use."""

    seconds: float = 5.0
    """Of processor time for one question or import; what catches every exception gets up to 1.5 s more."""
    wait: float = 30.0
    """Seconds by the clock for the same: for what sleeps, and for a machine that is busy."""
    total: float = 180.0
    """Seconds by the clock for all questions to a submission."""
    memory: int = 2048 * MiB
    """Bytes of address space, of which Python and NumPy take about 200 MiB."""
    result: int = 16 * MiB
    """Bytes of what one question may return."""
    printed: int = 10_000
    """Characters that are kept of what is printed during one question."""
    source: int = 1 * MiB
    """Bytes that a file of the submission may have."""
    files: int = 100
    """Python files that a submission may have."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ValueError(f"Limits: {name} is {value!r}, expected a positive number")


class SandboxError(RuntimeError):
    """Nothing can be asked, through no fault of the submission; the message says why, and what to do."""


def one_line(text: str, most: int = 400) -> str:
    """Text from a submission, made fit for a page or a terminal.

    >>> one_line("a\\x1b[31m\\u202eb\\n  c")
    'a\\\\x1b[31m\\\\u202eb c'
    """
    return printable(" ".join(text.split()), most)


def printable(text: str, most: int) -> str:
    """Text whose characters all print, but for line ends; cut at ``most`` characters."""
    cut = text[:most]
    shown = "".join(
        letter
        if letter.isprintable() or letter == "\n"
        else letter.encode("unicode_escape", "surrogatepass").decode()
        for letter in cut
    )
    return shown if len(cut) == len(text) else f"{shown} ... (cut)"
