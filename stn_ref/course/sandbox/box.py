"""The grader's side: a copy of a submission, and questions to it, each answered whatever the others do."""

import importlib.util
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from ...files import PathLike
from ...oracle.isolation.wire import Garbled, packed, unpacked
from .names import similar
from .process import ChildProcess, Lost
from .questions import Category, Limits, Question, Reply, SandboxError, one_line
from .submission import Submission

START_LIMIT = 120.0  # seconds by the clock
LIBRARIES = ("numpy", "numpy.libs", "scipy", "scipy.libs")  # the others hold what these are linked to
HERE = Path(__file__).parent
PACKAGE = HERE.parent.parent
PROGRAM = [
    HERE / f"{name}.py" for name in ("start", "confinement", "landlock", "seccomp", "serving", "questions")
]
PROGRAM += [PACKAGE / "oracle" / "calls.py", PACKAGE / "oracle" / "isolation" / "wire.py"]
KEEPS_RUNNING = {
    *(Category.OK, Category.MODIFIED, Category.WRONG_RESULT, Category.ERROR, Category.NOT_IMPLEMENTED),
    *(Category.NO_FUNCTION, Category.IMPORT),
}
WITH_ARRAYS = (Category.OK, Category.MODIFIED)
PIPE = "wrote to the grader's pipe or closed it, where only the one reply belongs"


class Sandbox:
    """A submission that can be asked, in a process which has given up all rights but computing.

    Parameters
    ----------
    folder : path
        The submission; its Python files are copied, and it is not touched.
    limits : Limits
        How much it may use.
    given : mapping of str to str
        Files of the grader, by name, that take the place of the submission's.
    without : collection of str
        "landlock" or "seccomp", to leave out a protection; for tests of the others.

    Raises
    ------
    SandboxError
        From ``with``, if the folder cannot be read or no process can be started and confined.

    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "task.py").write_text("def half(a, *, by):\\n    return a / by")
    ...     with Sandbox(folder) as sandbox:
    ...         replies = sandbox.ask(
    ...             [
    ...                 Question("task.py", "half", [np.ones(2)], {"by": 2}),
    ...                 Question("task.py", "half", [np.ones(2)], {"by": "x"}),
    ...                 Question("task.py", "helf"),
    ...             ]
    ...         )
    >>> replies[0].array
    array([0.5, 0.5])
    >>> replies[1].category.value, replies[2].message
    ('error', 'task.py has no function helf; there is half')
    """

    def __init__(
        self,
        folder: PathLike,
        limits: Limits | None = None,
        *,
        given: Mapping[str, str] | None = None,
        without: Collection[str] = (),
    ) -> None:
        self._folder = folder
        self._given = dict(given or {})
        self._limits = limits or Limits()
        self._without = tuple(without)
        self._open: ExitStack | None = None
        self._child: ChildProcess | None = None
        self._loaded: set[str] = set()
        self._failed: dict[str, Reply] = {}
        self._left = self._limits.total
        self._not_prevented: tuple[str, ...] = ()

    @property
    def not_prevented(self) -> tuple[str, ...]:
        """What a submission could do here, as this system has no means against it; a sentence each."""
        return self._not_prevented

    def __enter__(self) -> "Sandbox":
        if os.name != "posix":
            raise SandboxError("a submission is run with the means of a POSIX system (Linux, macOS, WSL)")
        with ExitStack() as unless_it_begins:
            made = unless_it_begins.enter_context(tempfile.TemporaryDirectory(prefix="submission-"))
            self._private = Path(made).resolve()
            self._submission = Submission(
                self._folder, self._private / "submission", self._limits, self._given
            )
            self._script, self._libraries = _furnish(self._private)
            _open_to_read(self._private)
            unless_it_begins.callback(self._stop)
            self._start()
            self._open = unless_it_begins.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            opened.close()

    def ask(self, questions: Iterable[Question]) -> list[Reply]:
        """A reply to each question, in order.

        All are asked of one process, in which the submission's modules stay loaded, as long as it behaves;
        else the next question is put to a new process. A file that cannot be imported is not tried again.

        Raises
        ------
        SandboxError
            If a new process cannot be started.
        ValueError
            Outside of ``with``.
        """
        if self._open is None:
            raise ValueError("Sandbox: ask outside of `with Sandbox(...) as sandbox:`")
        return [self._reply(question) for question in questions]

    def _reply(self, question: Question) -> Reply:
        file = question.file
        if refusal := self._submission.refusal(file):
            return Reply(Category.FILE, refusal)
        if self._left <= 0:
            return Reply(Category.TIME, f"the {self._limits.total:g} s for all questions were used up before")
        if file not in self._failed and file not in self._loaded:
            reply = self._exchange(file, None)
            if reply.category is not Category.OK:
                self._failed[file] = replace(reply, message=f"importing {file}: {reply.message}")
        if file in self._failed:
            return self._failed[file]
        self._loaded.add(file)
        reply = self._exchange(file, question)
        if self._child is not None:
            # A reply that the submission forged is followed by the true one, which comes to light here.
            receipt = self._exchange(file, None)
            if receipt.category is Category.GARBLED:
                return replace(receipt, printed=reply.printed)
        return reply

    def _exchange(self, file: str, question: Question | None) -> Reply:
        """Ask a question, or only for the import of a file."""
        child = self._child or self._start()
        nonce = secrets.token_hex(8)
        said: dict[str, object] = {"nonce": nonce, "file": file, "function": None, "settings": {}}
        if question is not None:
            said |= {"function": question.function, "settings": dict(question.settings)}
        message = packed(said, [np.asarray(array) for array in question.arrays] if question else [])
        wait = min(self._limits.wait, max(self._left, 0.0))
        begin = time.monotonic()
        try:
            reply = _read(child.exchange(message, begin + wait), nonce, question)
        except Lost as lost:
            late = f"gave no answer within {wait:g} s"
            if wait < self._limits.wait:
                late = f"gave no answer in what was left of the {self._limits.total:g} s for all questions"
            reply = Reply(lost.category, lost.message or late)
        except Garbled:
            reply = Reply(Category.GARBLED, PIPE)
        self._left -= time.monotonic() - begin
        reply = replace(reply, printed=child.printed())
        if reply.category not in KEEPS_RUNNING:
            self._stop()
        return reply

    def _start(self) -> ChildProcess:
        settings = {
            "room": (self._libraries, str(self._private)),
            "packages": str(self._private / "packages"),
            "submission": str(self._private / "submission"),
            "limits": asdict(self._limits),
            "without": self._without,
        }
        try:
            child = ChildProcess(self._script, self._private / "home", settings, self._limits)
        except OSError as error:
            raise SandboxError(f"no process can be started for the submission: {error}") from None
        try:
            said, _ = unpacked(child.exchange(b"", time.monotonic() + START_LIMIT))
        except (Lost, Garbled) as error:
            why = child.printed().strip().rpartition("\n")[2] or str(error)
            child.close()
            raise SandboxError(f"no submission can be run here: {why}") from None
        self._not_prevented = tuple(said["not_prevented"])
        self._child = child
        return child

    def _stop(self) -> None:
        child, self._child = self._child, None
        self._loaded.clear()
        if child is not None:
            child.close()


def _furnish(private: Path) -> tuple[Path, list[str]]:
    """Put the child's program and links to the libraries into its folder; the script, and those libraries."""
    program = private / "program" / "grader"
    for source in PROGRAM:
        target = program / source.relative_to(PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    (private / "home").mkdir()
    packages = private / "packages"
    packages.mkdir()
    libraries = []
    for name in LIBRARIES:
        spec = importlib.util.find_spec(name.partition(".")[0])
        place = Path(spec.origin).parent.with_name(name) if spec and spec.origin else None
        if place is not None and place.is_dir():
            (packages / name).symlink_to(place)
            libraries.append(str(place.resolve()))
    return program / PROGRAM[0].relative_to(PACKAGE), libraries


def _open_to_read(private: Path) -> None:
    """Have the user without rights read all in the folder, whatever the umask; others do not get in."""
    for where, _, files in os.walk(private):
        os.chmod(where, 0o755)
        for name in files:
            os.chmod(Path(where, name), 0o644)
    os.chmod(private / "home", 0o555)
    os.chmod(private, 0o750)
    if os.geteuid() == 0:
        from .confinement import nobody  # not on Windows, where the rest can be imported

        os.chown(private, -1, nobody()[1])


def _read(message: bytearray, nonce: str, question: Question | None) -> Reply:
    """A reply from a process in which the submission may have done anything; no question is an import.

    Raises
    ------
    Garbled
        If it is not one to this question.
    """
    try:
        said, arrays = unpacked(message)
        if said["nonce"] != nonce:
            raise Garbled("a reply to another question")
        category, text, single = Category(said["category"]), str(said["message"]), said.get("single") is True
        if category in (Category.FILE, Category.GARBLED):
            raise Garbled("what only the grader finds")
        if category is Category.NO_FUNCTION and question:
            names = [str(name) for name in said["present"]]
            text += "; " + (similar(question.function, names) or "there is no function in it")
        if category in WITH_ARRAYS and question and (not arrays or (single and len(arrays) > 1)):
            raise Garbled("a reply without arrays")
    except Exception as error:  # whatever may be wrong with it
        raise Garbled(str(error)) from None
    return Reply(category, one_line(text), tuple(arrays) if category in WITH_ARRAYS else (), single)
