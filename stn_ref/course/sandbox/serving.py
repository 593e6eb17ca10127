"""The life of a child process: import files of a submission, call their functions, say what came of it.

Whatever is done here can be undone by a submission, which runs in the same process; so nothing here is a
protection, and all of it is for clear messages. It runs in the child.
"""

import importlib.util
import math
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import CodeType, FrameType, ModuleType
from typing import Any

import numpy as np

from ...oracle.isolation.wire import NUMBERS, Reader, packed, unpacked
from .questions import Array, Category, Limits

LONGEST = 1000  # characters of an error's text
MOST_ARRAYS = 32  # in a tuple
MARGIN = 0.5  # seconds by which the second bar on processor time is higher than the first
ORPHANED = 1.0  # seconds beyond the limit after which nobody waits for a reply
MOST_NAMES = 100  # of functions
SCALARS = (bool, int, float, complex, np.generic)


class TimeUp(BaseException):
    """The processor time of a question is used up."""


class NoAnswer(Exception):
    """There are no results, for a reason that is found here."""

    def __init__(self, category: Category, message: str, present: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.category, self.message, self.present = category, message, present


class Server:
    """The files of a submission in ``folder``, imported when they are first asked for."""

    def __init__(self, folder: str, limits: Limits) -> None:
        self._folder = os.path.join(folder, "")
        self._limits = limits
        self._modules: dict[str, ModuleType] = {}

    def reply(self, message: bytearray) -> bytes:
        """What comes of a question, whatever the submission does that leaves the process alive."""
        said, arrays = unpacked(message)
        present: Sequence[str] = ()
        try:
            with _limited_time(self._limits):
                return self._answered(said, arrays)
        except NoAnswer as reason:
            category, text, present = reason.category, reason.message, reason.present
        except BaseException as error:
            category, text = self._told(error, importing=said["function"] is None)
        return packed(
            {
                "nonce": said["nonce"],
                "category": category,
                "message": text,
                "present": list(present)[:MOST_NAMES],
            }
        )

    def _answered(self, said: Mapping[str, Any], arrays: list[Array]) -> bytes:
        category, text, results, single = Category.OK, "", list[Array](), True
        try:
            module = self._module(said["file"])
            if said["function"] is not None:
                function = self._function(module, said["file"], said["function"])
                results, single, text = self._called(function, arrays, said["settings"])
                category = Category.MODIFIED if text else Category.OK
            return packed(
                {"nonce": said["nonce"], "category": category, "message": text, "single": single}, results
            )
        finally:
            sys.stdout.flush()

    def _module(self, file: str) -> ModuleType:
        if file not in self._modules:
            path = self._folder + file
            name = os.path.basename(file)[: -len(".py")]
            already = sys.modules.get(name)
            if already is not None and getattr(already, "__file__", None) == path:
                return self._modules.setdefault(file, already)  # another file has imported it
            if already is not None or name in (*sys.stdlib_module_names, "numpy", "scipy"):
                name = f"{name} of the submission"
            spec = importlib.util.spec_from_file_location(name, path)
            assert spec is not None
            module = importlib.util.module_from_spec(spec)
            with open(path, encoding="utf-8-sig") as source:
                code = compile(source.read(), path, "exec", dont_inherit=True)
            sys.modules[name] = module  # also for the other files, and for dataclasses
            try:
                exec(code, vars(module))
            except BaseException:
                sys.modules.pop(name, None)
                raise
            self._modules[file] = module
        return self._modules[file]

    def _function(self, module: ModuleType, file: str, name: str) -> Callable[..., Any]:
        found: Callable[..., Any] | None = vars(module).get(name)
        if callable(found):
            return found
        if found is not None:
            raise NoAnswer(Category.NO_FUNCTION, f"{name} in {file} is {_kind(found)}, expected a function")
        present = [key for key, value in vars(module).items() if callable(value)]
        raise NoAnswer(Category.NO_FUNCTION, f"{file} has no function {name}", present)

    def _called(
        self, function: Callable[..., Any], arrays: list[Array], settings: Mapping[str, Any]
    ) -> tuple[list[Array], bool, str]:
        """The results, whether there is one that is in no tuple, and which argument was written to."""
        given = [np.array(array) for array in arrays]
        before = [_content(array) for array in given]
        tuples = {name: tuple(v) if isinstance(v, list) else v for name, v in settings.items()}
        value = function(*given, **tuples)
        single = type(value) is not tuple
        results = self._arrays(value if type(value) is tuple else (value,), single)
        written = [k for k, array in enumerate(given) if _content(array) != before[k]]
        return results, single, _modified(function, written)

    def _arrays(self, values: tuple[Any, ...], single: bool) -> list[Array]:
        if not 0 < len(values) <= MOST_ARRAYS:
            raise NoAnswer(
                Category.WRONG_RESULT,
                f"returned a tuple of {len(values)}, expected 1 to {MOST_ARRAYS} arrays",
            )
        found = []
        for place, value in enumerate(values, 1):
            what = f"returned {_kind(value)}" + ("" if single else f" as part {place} of the tuple")
            if type(value) is not np.ndarray and not issubclass(type(value), SCALARS):
                raise NoAnswer(Category.WRONG_RESULT, f"{what}, expected a NumPy array")
            array = np.asarray(value)
            if array.dtype.kind not in NUMBERS:
                raise NoAnswer(Category.WRONG_RESULT, f"{what} of dtype {array.dtype}, expected numbers")
            found.append(array)
        size = sum(array.nbytes for array in found)
        if size > self._limits.result:
            raise NoAnswer(
                Category.WRONG_RESULT,
                f"returned an array of shape {found[0].shape}, in all {size} bytes, expected at most "
                f"{self._limits.result}",
            )
        return found

    def _told(self, error: BaseException, importing: bool) -> tuple[Category, str]:
        """An exception in one line: what it is, and where in the submission it came from."""
        where = self._place(error)
        if isinstance(error, TimeUp):
            return Category.TIME, f"took longer than {self._limits.seconds:g} s{where}"
        if isinstance(error, MemoryError):
            return Category.MEMORY, f"needs more memory than the {self._limits.memory / 2**20:.0f} MiB{where}"
        if isinstance(error, SystemExit):
            return Category.ENDED, f"asked for the end of the process{where}"
        try:
            text = str(error).strip().partition("\n")[0][:LONGEST]
        except BaseException:
            text = ""
        if isinstance(error, NotImplementedError):
            return Category.NOT_IMPLEMENTED, f"not implemented{text and f': {text}'}{where}"
        name = _type_name(error)
        if isinstance(error, ModuleNotFoundError):
            where += "; NumPy, SciPy, the standard library and the files of the submission are there"
        category = Category.IMPORT if importing else Category.ERROR
        return category, f"{name}{text and f': {text}'}{where}"

    def _place(self, error: BaseException) -> str:
        """The last line of the submission that led to an error."""
        if isinstance(error, SyntaxError) and str(error.filename).startswith(self._folder):
            return self._line(str(error.filename), error.lineno or 0)
        path, number, trace = "", 0, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename.startswith(self._folder):
                path, number = trace.tb_frame.f_code.co_filename, trace.tb_lineno
            trace = trace.tb_next
        return self._line(path, number) if path else ""

    def _line(self, path: str, number: int) -> str:
        try:
            with open(path, encoding="utf-8-sig") as source:
                text = source.read().split("\n")[number - 1].strip()[:80]
        except (OSError, IndexError):
            text = ""
        return f" ({path[len(self._folder) :]}, line {number}{text and f': {text}'})"


def serve(inbox: int, outbox: int, folder: str, limits: Mapping[str, Any], missing: list[str]) -> None:
    """Say that it is ready and what is not prevented, then answer questions until there are no more."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    _send(outbox, packed({"not_prevented": missing, "numpy": np.__version__}))
    server, reader = Server(folder, Limits(**limits)), Reader(inbox)
    while True:
        try:
            message = reader.next()
        except EOFError:
            os._exit(0)  # whatever the submission has registered for the end
        assert message is not None  # this end blocks
        _send(outbox, server.reply(message))


@contextmanager
def _limited_time(limits: Limits) -> Iterator[None]:
    """Raise :class:`TimeUp` when the processor time is used up.

    The process ends if that is caught or no Python code runs; and if it waits when nobody looks at the clock
    any more, as the grader itself was killed.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    used = resource.getrusage(resource.RUSAGE_SELF)
    last = math.ceil(used.ru_utime + used.ru_stime + limits.seconds + MARGIN)
    resource.setrlimit(resource.RLIMIT_CPU, (min(last, hard), hard))
    signal.signal(signal.SIGPROF, _time_is_up)
    signal.setitimer(signal.ITIMER_REAL, limits.wait + ORPHANED)
    signal.setitimer(signal.ITIMER_PROF, limits.seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _time_is_up(number: int, frame: FrameType | None) -> None:
    raise TimeUp


def _content(array: Array) -> tuple[Any, ...]:
    return array.dtype, array.shape, array.tobytes()


def _modified(function: Callable[..., Any], written: list[int]) -> str:
    if not written:
        return ""
    code = getattr(function, "__code__", None)
    names = code.co_varnames[: code.co_argcount] if isinstance(code, CodeType) else ()
    shown = [f"{k + 1}" + (f" ({names[k]})" if k < len(names) else "") for k in written]
    return f"modified its argument {' and '.join(shown)}; work on a copy"


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, np.ndarray) and type(value) is np.ndarray:
        return f"an array of shape {value.shape}"
    return f"an object of type {_type_name(value)}"


def _type_name(value: Any) -> str:
    """That of its type, whatever the type claims."""
    return str(vars(type)["__name__"].__get__(type(value)))


def _send(outbox: int, message: bytes) -> None:
    rest = memoryview(message)
    while rest:
        rest = rest[os.write(outbox, rest) :]
