"""The textbook's source: as it is, under another term's conventions, and cut to what students get."""

import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import CodeType, ModuleType
from typing import Any

from .variants import Variant

__all__ = ["FILES", "Textbook", "conventions", "cut", "flattened", "source", "textbook"]

FILES = ("grids.py", "sampler.py", "chain.py", "tape.py", "training.py", "conversions.py")
CONVENTIONS = "conventions.py"
BEGIN = re.compile(r"^( *)# BEGIN SOLUTION task=(\d+)\n", re.MULTILINE)
END = "# END SOLUTION"
EXAMPLES = re.compile(r"\n\n? *>>> .*?(?=\n *\"\"\")", re.DOTALL)
RELATIVE = re.compile(r"^from \.(\w+) import", re.MULTILINE)


@cache
def source(file: str) -> str:
    """A file of the textbook, with its solutions."""
    return (files("stn_ref.textbook") / file).read_text("utf-8")


def conventions(chosen: Variant) -> str:
    """The source of ``conventions.py`` for a term.

    >>> "PADDING = 'border'" in conventions(Variant(padding="border"))
    True
    """
    text = source(CONVENTIONS)
    for name, value in chosen.constants().items():
        text, found = re.subn(rf"^{name} = .*$", f"{name} = {value!r}", text, flags=re.MULTILINE)
        if found != 1:
            raise ValueError(f"conventions: {name} is set {found} times in the textbook, expected once")
    return text


def cut(text: str) -> str:
    """What students get: each solution gives way to a NotImplementedError, and examples are left out, as they
    are those of the library's conventions. Cut text stays as it is.

    Raises
    ------
    ValueError
        If a mark is not closed.

    >>> print(cut("def f(x):\\n    # BEGIN SOLUTION task=3\\n    return 2 * x\\n    # END SOLUTION\\n"))
    def f(x):
        raise NotImplementedError("task 3")
    <BLANKLINE>
    """
    parts, rest = [], text
    while match := BEGIN.search(rest):
        end = rest.find(f"\n{match[1]}{END}\n", match.end()) + 1
        if not end:
            raise ValueError(f"cut: `{match[0].strip()}` is not followed by `{END}` at the same indentation")
        parts += [rest[: match.start()], f'{match[1]}raise NotImplementedError("task {match[2]}")\n']
        rest = rest[end + len(match[1]) + len(END) + 1 :]
    if END in rest:
        raise ValueError(f"cut: there is `{END}` without its beginning")
    return EXAMPLES.sub("", "".join(parts) + rest)


def flattened(text: str) -> str:
    """With imports from the files beside it, as a folder has them that is no package."""
    return RELATIVE.sub(r"from \1 import", text)


def tasks_of(text: str) -> dict[str, int]:
    """The functions of a file that students write, and of which task each is a part.

    >>> tasks_of(source("chain.py"))
    {'grid_cotangent': 7, 'theta_cotangent': 7}
    """
    found, name = {}, ""
    for line in text.splitlines():
        if line.startswith("def "):
            name = line[4:].partition("(")[0]
        elif match := BEGIN.match(line + "\n"):
            found[name] = int(match[2])
    return found


class Textbook:
    """The textbook under the conventions of a term, run in modules of its own.

    ``changed`` are sources that take the place of the textbook's, by file name.

    >>> import numpy as np
    >>> Textbook(Variant(align_corners=False))("grids.py", "base_coordinates", 2)
    array([-0.5,  0.5])
    """

    def __init__(self, chosen: Variant, changed: Mapping[str, str] | None = None) -> None:
        package = f"{__package__}.textbook_{id(self)}"
        changed = changed or {}
        self._modules: dict[str, ModuleType] = {}
        sys.modules[package] = ModuleType(package)
        try:
            for file in (CONVENTIONS, *FILES):
                text = conventions(chosen) if file == CONVENTIONS else changed.get(file) or source(file)
                module = ModuleType(f"{package}.{file[:-3]}")
                module.__package__ = package
                self._modules[file] = sys.modules[module.__name__] = module
                exec(_compiled(file, text), vars(module))
        finally:
            for module in self._modules.values():
                sys.modules.pop(module.__name__, None)
            del sys.modules[package]

    def __call__(self, file: str, function: str, *arrays: Any, **settings: Any) -> Any:
        """What a function of a file returns."""
        return vars(self._modules[file])[function](*arrays, **settings)


@cache
def _compiled(file: str, text: str) -> CodeType:
    return compile(text, file, "exec", dont_inherit=True)


@cache
def textbook(chosen: Variant) -> Textbook:
    """The textbook as it is, under the conventions of a term."""
    return Textbook(chosen)
