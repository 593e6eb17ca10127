"""The house rules of the package: who may import whom, what stays small, what lies at the root.

The rules are applied to what is there; a room that is not built yet is simply absent. The checkers
take source text, and each is itself tested with planted violations at the end of this file.
"""

import ast
import fnmatch
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = "stn_ref"

# Who may import whom. The longest matching name on the left decides; a name on the right allows
# that module and all below it. Every room may import itself, and what is in COMMON.
MAY_IMPORT = {
    "equations": set(),
    "pixels": set(),
    "errors": set(),
    "files": set(),
    "kernels": {"pixels"},
    "autograd": set(),
    "ops": {"autograd", "kernels", "pixels"},
    "nn": {"ops", "autograd"},
    "data": {"ops", "pixels", "files"},
    "training": {"nn", "data", "ops", "autograd"},
    "experiments": {"training", "nn", "data", "ops", "autograd", "files"},
    "faults": {"kernels", "pixels", "equations"},
    "oracle": {"equations", "pixels", "faults", "files"},
    "oracle.adapters": {"equations", "pixels", "faults", "ops", "autograd"},
    "textbook": set(),
    "course": {"textbook", "faults", "oracle.isolation", "files"},
    "pictures": {
        *("equations", "pixels", "kernels", "autograd", "ops", "nn", "data", "training"),
        *("experiments", "faults", "files"),
    },
    "commands": {
        *("equations", "pixels", "autograd", "ops", "nn", "data", "training", "experiments"),
        *("faults", "oracle", "course", "pictures", "files"),
    },
    "cli": {"commands", "data", "cli_course", "cli_oracle", "cli_reproduce"},
    "cli_course": set(),
    "cli_oracle": set(),  # the options of one command, a part of cli
    "cli_reproduce": set(),
    "__main__": {"cli"},
    "": {"equations", "pixels", "autograd", "ops", "nn"},  # stn_ref/__init__.py
}
COMMON = {"errors", "typing", "__version__"}  # for all but equations
THIRD_PARTY = {"numpy", "scipy"}  # at module level; others only inside the function that needs them
LOADED_BY_ITSELF = {"oracle.pytest_plugin": {"pytest"}}  # which loads the module, and nothing else does
FOR_EQUATIONS = {"__future__", "collections", "math", "typing"}

SOUL = ("equations", "pixels", "autograd", "ops")
LONGEST_FILE = 320
LONGEST_FUNCTION = 60

AT_THE_ROOT = {
    *("setup.cfg", "stn_ref", "tests", "docs", "benchmarks", "README.md"),
    *("pyproject.toml", "LICENSE", "CITATION.cff", ".gitignore", ".ci", ".pre-commit-config.yaml"),
    *(".git", "PKG-INFO"),  # a checkout has the one, a source archive the other
}


@dataclass(frozen=True)
class Import:
    """One imported name: ``target`` is dotted, relative imports resolved."""

    target: str
    line: int
    in_function: bool


def imports(source: str, module: str, is_package: bool = False) -> Iterator[Import]:
    """All imports of a module, wherever they stand; ``module`` is its dotted name.

    ``from a import b`` counts as a.b, which may be a module or a name in one.
    """
    package = module if is_package else module.rpartition(".")[0]

    def walk(node: ast.AST, in_function: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, in_function)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *filter(None, [base])])
            for alias in node.names:
                yield Import(f"{base}.{alias.name}", node.lineno, in_function)
        inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from walk(child, inside)

    yield from walk(ast.parse(source), False)


def within(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


def room_of(module: str) -> str | None:
    """The entry of MAY_IMPORT that decides for a module named relative to the package."""
    rooms = [room for room in MAY_IMPORT if room and within(module, room)]
    return max(rooms, key=len) if rooms else ("" if not module else None)


def is_wing(target: str) -> bool:
    """Whether the command line may import it only inside a subcommand."""
    return not any(
        within(target, name) for name in {*COMMON, "cli", "cli_course", "cli_oracle", "cli_reproduce"}
    )


def forbidden_imports(source: str, module: str, is_package: bool = False) -> list[str]:
    """What in a module breaks the rules, one line each; ``module`` is relative to the package."""
    room = room_of(module)
    if room is None:
        return [f"{module}: this room is not in MAY_IMPORT"]
    common = set() if room == "equations" else COMMON
    allowed = MAY_IMPORT[room] | common
    if module:
        # Below the table's rooms a wing imports itself freely: oracle.x and oracle.adapters alike.
        allowed = allowed | {module.split(".")[0]}
    found = []
    full = f"{PACKAGE}.{module}" if module else PACKAGE
    for imported in imports(source, full, is_package):
        top = imported.target.split(".")[0]
        where = f"{module or PACKAGE}, line {imported.line}"
        if top == PACKAGE:
            target = imported.target[len(PACKAGE) + 1 :]
            if not any(within(target, name) for name in allowed):
                found.append(f"{where}: {room or PACKAGE} may not import {target or PACKAGE}")
            elif room == "cli" and not imported.in_function and is_wing(target):
                found.append(f"{where}: cli imports {target} outside a subcommand")
        elif room == "equations":
            if top not in FOR_EQUATIONS:
                found.append(f"{where}: equations may not import {top}")
        elif (
            top not in sys.stdlib_module_names | THIRD_PARTY | LOADED_BY_ITSELF.get(module, set())
            and not imported.in_function
        ):
            found.append(f"{where}: {top} is imported at module level")
    return found


def oversize(source: str, module: str) -> list[str]:
    """What in a file of the soul is too long, one line each."""
    lines = len(source.splitlines())
    found = [f"{module}: {lines} lines"] if lines > LONGEST_FILE else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            length -= len((ast.get_docstring(node, clean=False) or "").splitlines())
            if length > LONGEST_FUNCTION:
                found.append(f"{module}: {node.name}, line {node.lineno}, has {length} lines")
    return found


def strangers(names: set[str], ignored: str) -> set[str]:
    """Names at the root that are neither allowed nor matched by a pattern of .gitignore."""
    lines = [line.strip() for line in ignored.splitlines()]
    patterns = [line.strip("/") for line in lines if line and not line.startswith("#")]
    return {
        name
        for name in names - AT_THE_ROOT
        if not any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
    }


def module_name(path: Path) -> str:
    """stn_ref/ops/grids.py -> ops.grids; a package is named by its folder, the root "" ."""
    parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = sorted((ROOT / PACKAGE).rglob("*.py"))
SOUL_FILES = [path for path in FILES if module_name(path).split(".")[0] in SOUL]


@pytest.mark.parametrize("path", FILES, ids=lambda path: module_name(path) or PACKAGE)
def test_each_module_imports_only_what_it_may(path):
    is_package = path.name == "__init__.py"
    assert forbidden_imports(path.read_text("utf-8"), module_name(path), is_package) == []


@pytest.mark.parametrize("path", SOUL_FILES, ids=module_name)
def test_the_soul_stays_small(path):
    assert oversize(path.read_text("utf-8"), module_name(path)) == []


def test_the_root_holds_only_what_it_may():
    ignored = (ROOT / ".gitignore").read_text("utf-8")
    assert strangers({path.name for path in ROOT.iterdir()}, ignored) == set()


# The checkers themselves, on planted violations.


@pytest.mark.parametrize(
    ("module", "source", "broken_rule"),
    [
        (
            "kernels.linear",
            "from ..autograd import Tensor",
            "kernels may not import autograd.Tensor",
        ),
        ("kernels.linear", "import stn_ref.nn.layers", "kernels may not import nn.layers"),
        ("kernels.linear", "from stn_ref import nn", "kernels may not import nn"),
        ("kernels.linear", "from .. import ops", "kernels may not import ops"),
        ("kernels.linear", "import stn_ref", "kernels may not import stn_ref"),
        ("ops.grids", "def f():\n    from ..nn import Linear", "ops may not import nn.Linear"),
        ("ops.grids", "if True:\n    from ..data import load", "ops may not import data.load"),
        ("nn.layers", "from ..kernels.fast import x", "nn may not import kernels.fast.x"),
        ("data.mnist", "from ..training import loop", "data may not import training.loop"),
        ("data.mnist", "from ..opsy import x", "data may not import opsy.x"),
        ("pixels", "from .equations import phi", "pixels may not import equations.phi"),
        ("oracle.cases", "from ..ops import x", "oracle may not import ops.x"),
        ("course.grader", "from ..oracle.cases import x", "course may not import oracle.cases.x"),
        ("pictures.tape", "from ..course import x", "pictures may not import course.x"),
        ("", "from .training import fit", "stn_ref may not import training.fit"),
        ("equations", "import numpy as np", "equations may not import numpy"),
        ("equations", "from .errors import describe", "equations may not import errors.describe"),
        ("equations", "def f():\n    import fractions", "equations may not import fractions"),
        ("pictures.figures", "import matplotlib.pyplot", "matplotlib is imported at module level"),
        (
            "training.loop",
            "try:\n    import tqdm\nexcept E: pass",
            "tqdm is imported at module lev",
        ),
        ("cli", "from .commands import demo", "cli imports commands.demo outside a subcommand"),
        ("cellar", "", "this room is not in MAY_IMPORT"),
    ],
)
def test_a_planted_import_is_found(module, source, broken_rule):
    [found] = forbidden_imports(source, module, is_package=not module)
    assert broken_rule in found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("kernels.linear", "import numpy as np\nimport scipy.ndimage\nfrom .. import pixels"),
        ("kernels.linear", "from ..errors import describe\nfrom . import other\nimport math"),
        ("ops.grids", "from ..autograd.tape import differentiable\nfrom .. import __version__"),
        ("pictures.figures", "def draw():\n    import matplotlib.pyplot as plt"),
        ("equations", "from __future__ import annotations\nimport math\nfrom typing import Any"),
        ("oracle.adapters.ours", "from ...ops import grid_sample\nfrom ..cases import CASES"),
        ("oracle.run", "from .adapters import all_adapters"),
        ("cli", "from . import __version__, errors\ndef f():\n    from .commands import demo"),
        ("", "from .ops import affine_grid\nfrom .nn import SpatialTransformer"),
    ],
)
def test_a_permitted_import_is_passed(module, source):
    assert forbidden_imports(source, module, is_package=not module) == []


def test_relative_imports_are_resolved_from_modules_and_from_packages():
    source = "from . import a\nfrom .b import c\nfrom ..d import e"
    by_module = [found.target for found in imports(source, "p.q.r")]
    by_package = [found.target for found in imports(source, "p.q.r", is_package=True)]
    assert by_module == ["p.q.a", "p.q.b.c", "p.d.e"]
    assert by_package == ["p.q.r.a", "p.q.r.b.c", "p.q.d.e"]


def test_the_table_names_only_rooms_that_it_rules():
    for room, allowed in MAY_IMPORT.items():
        assert all(room_of(name) is not None for name in allowed), room


def test_long_files_and_long_functions_are_found():
    long_function = "def f():\n" + "    x = 1\n" * LONGEST_FUNCTION
    assert oversize(long_function, "ops.x") == [f"ops.x: f, line 1, has {LONGEST_FUNCTION + 1} lines"]
    assert oversize("x = 1\n" * (LONGEST_FILE + 1), "ops.x") == [f"ops.x: {LONGEST_FILE + 1} lines"]
    method = "class A:\n" + "".join(f"    {line}\n" for line in long_function.splitlines())
    assert len(oversize(method, "ops.x")) == 1
    assert oversize("def f():\n" + "    x = 1\n" * (LONGEST_FUNCTION - 1), "ops.x") == []
    assert oversize("x = 1\n" * LONGEST_FILE, "ops.x") == []
    documented = 'def f():\n    """a\n    b\n    """\n' + "    x = 1\n" * (LONGEST_FUNCTION - 1)
    assert oversize(documented, "ops.x") == []  # what explains does not count


def test_strangers_at_the_root_are_found():
    ignored = "# comment\n/build/\n*.egg-info/\n\n"
    assert strangers({"setup.py", "tox.ini", "docs"}, ignored) == {"setup.py", "tox.ini"}
    assert strangers({"build", "stn_ref.egg-info", "setup.cfg"}, ignored) == set()
