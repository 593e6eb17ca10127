"""A script that shows a wrong answer, with NumPy and the backend's own call and nothing else.

How a backend is called says its snippet: functions named like the methods of :class:`.backend.Backend`, which
take the same and return the same, of which a script holds those that it needs; or plain lines that leave
``V``, ``U_bar`` and ``grid_bar`` behind. Of a backend that does not say it the class is called.
"""

import ast
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .calls import Call
from .interview import AGAIN, GRADIENTS, REFUSAL, Evidence
from .verdicts import Finding, Verdict

Array = NDArray[Any]
LEFT_BEHIND = {"V": "grid_sample", "U_bar": "grid_sample_vjp", "grid_bar": "grid_sample_vjp"}
LIKE = {  # the array of a question that has the shape of an answer
    **dict.fromkeys(("V", "V_dot", "second.V_bar"), "V_bar"),
    **dict.fromkeys(("U_bar", "second.U"), "U"),
    **dict.fromkeys(("grid_bar", "second.grid"), "grid"),
    "grid": "grid_bar",
    "theta_bar": "theta",
    "places_bar": "places",
}
TIMES = 100  # that a question is asked which is not always answered alike


class Way(NamedTuple):
    """How a script gets an answer: from which arrays, by which lines, and as which expression after them."""

    arrays: dict[str, Array]
    lines: list[str]
    answer: str


def reproducer(evidence: Evidence, finding: Finding, about: Any, target: str = "") -> str:
    """The text of a Python script that computes the answer again and compares it.

    ``about`` describes the backend; where its snippet does not answer the question, its class is called, by
    its name ``target``.
    """
    call, snippet = evidence.ask.call, about.get("snippet", "")
    left = {name for node in _statements(snippet) for name in _bound(node)} & set(LEFT_BEHIND)
    way = _by_lines(evidence, snippet, left) if left else _by_function(call, evidence.output, snippet)
    way = way or _by_class(call, evidence.output, target)
    lines = [*_docstring(evidence, finding, about), "", "import numpy as np", ""]
    lines += [f"{name} = {array_text(array, len(name) + 12)}" for name, array in way.arrays.items()]
    if call.layout != "C":
        lines.append(f"# asked with arrays laid out as {call.layout!r}, and right with ordinary ones")
    before, after = _comparison(evidence, finding, way)
    return "\n".join([*lines, *before, *way.lines, "", *after]) + "\n"


def _docstring(evidence: Evidence, finding: Finding, about: Any) -> list[str]:
    case, aspect = evidence.case, evidence.ask.aspects[evidence.output]
    again = evidence.ask.way == AGAIN and not finding.verdict.failing
    verdict = Verdict.NONDETERMINISTIC if again else finding.verdict
    return [
        f'"""{about["name"]} {about["version"]}: {aspect} is wrong ({verdict.value}).',
        "",
        f"Case {case.id}: {case.about}",
        *(f"See {thread}" for thread in case.threads(f"{evidence.ask.way} {aspect}")),
        '"""',
    ]


def _by_function(call: Call, output: str, snippet: str) -> Way | None:
    """By the snippet's function of the name of the method, if it has one."""
    lines = definition(snippet, call.method)
    if not lines:
        return None
    return Way(call.arrays, [f"settings = {call.settings!r}", "", *lines], _called(call.method, call, output))


def _by_lines(evidence: Evidence, snippet: str, left: set[str]) -> Way | None:
    """By the snippet as it stands, if that leaves what was asked for; it works out all gradients."""
    call, aspect = evidence.ask.call, evidence.ask.aspects[evidence.output]
    if aspect not in left or LEFT_BEHIND.get(aspect) != call.method or evidence.ask.way == AGAIN:
        return None
    if not set(GRADIENTS) <= set(call.settings.get("needs", GRADIENTS)):
        return None
    arrays = {"V_bar": evidence.case.arrays["V_bar"], **call.arrays}
    settings = [f"{name} = {value!r}" for name, value in call.settings.items() if name != "needs"]
    return Way(arrays, [*settings, "", *snippet.splitlines()], f"np.asarray({aspect})")


def _by_class(call: Call, output: str, target: str) -> Way:
    """By the class, if it can be imported by its name."""
    module, _, name = target.partition(":")
    known = [f"from {module} import {name}", "", f"backend = {name}()"]
    if not all(part.isidentifier() for part in (*module.split("."), name)):
        known = ["# backend = the one that was asked"]
    settings = f"settings = {call.settings!r}"
    return Way(call.arrays, [settings, "", *known], _called(f"backend.{call.method}", call, output))


def _called(function: str, call: Call, output: str) -> str:
    arguments = ", ".join(f"{name}={name}" for name in call.arrays)
    chosen = f'["{output}"]' if output else ""
    return f"np.asarray({function}({arguments}, **settings){chosen})"


def definition(snippet: str, function: str) -> list[str]:
    """The lines of a snippet that one of its functions needs; none if it has no such function.

    >>> definition("import lib\\ndef f(x): return g(x)\\ndef g(x): return lib.g(x)\\ndef h(x): return 2", "f")
    ['import lib', '', 'def f(x): return g(x)', '', 'def g(x): return lib.g(x)', '']
    """
    statements = _statements(snippet)
    if function not in {name for node in statements for name in _bound(node)}:
        return []
    functions = {node.name: node for node in statements if isinstance(node, ast.FunctionDef)}
    others = [node for node in statements if not isinstance(node, ast.FunctionDef)]
    needed: set[str] = set()
    found = {function} | _names(others)
    while found - needed:
        needed |= found
        found = _names([functions[name] for name in needed & set(functions)])
    kept, source = [], snippet.splitlines()
    for node in statements:
        lines = source[_first_line(node) - 1 : node.end_lineno]
        if isinstance(node, ast.FunctionDef):
            kept += ["", *lines, ""] if node.name in needed else []
        else:
            kept += lines
    return [line for line, before in zip(kept, ["", *kept]) if line or before]


def _statements(snippet: str) -> list[ast.stmt]:
    """None of what is not Python, which answers nothing."""
    try:
        return ast.parse(snippet).body
    except SyntaxError:
        return []


def _bound(node: ast.stmt) -> set[str]:
    """The names that a statement gives a meaning to."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    names = (part for part in ast.walk(node) if isinstance(part, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Store)}


def _names(nodes: Sequence[ast.AST]) -> set[str]:
    return {part.id for node in nodes for part in ast.walk(node) if isinstance(part, ast.Name)}


def _first_line(node: ast.stmt) -> int:
    """A decorator's, if there is one."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _comparison(evidence: Evidence, finding: Finding, way: Way) -> tuple[list[str], list[str]]:
    """What a script says of the answer: before it asks, since it may not live to see one, and after."""
    ask, verdict = evidence.ask, finding.verdict
    answer = f"answer = {way.answer}"
    array = 'print("got     ", answer.dtype, answer.shape)'
    if ask.way == REFUSAL:
        shapes = (ask.call.arrays["V_bar"].shape, evidence.case.arrays["V_bar"].shape)
        why = "an exception, since V_bar has shape {} and V {}".format(*shapes)
        return [_expected(why, now=True)], [answer, array]
    if verdict in (Verdict.CRASH, Verdict.TIMEOUT):
        late = " in time" if verdict is Verdict.TIMEOUT else ""
        return [_expected(f"an answer{late}", now=True)], [answer, array]
    if verdict is Verdict.NONDETERMINISTIC or ask.way == AGAIN:
        different = f"answers = {{{way.answer}.tobytes() for _ in range({TIMES})}}"
        return [], [different, 'print("got     ", len(answers), "different answers")', _expected("1")]
    if verdict is Verdict.FAIL_LAYOUT and finding.got is None:
        copies = ", ".join(f'"{name}": {name}.copy()' for name in way.arrays)
        changed = "[name for name in before if before[name].tobytes() != globals()[name].tobytes()]"
        got = f'print("got     ", "written to:", {changed})'
        return [f"before = {{{copies}}}"], [answer, got, _expected("written to: []")]
    if finding.got is None:
        shape = evidence.case.arrays[LIKE[ask.aspects[evidence.output]]].shape
        return [], [answer, array, _expected(f"{evidence.case.setting.dtype} {shape}")]
    index = ", ".join(map(str, finding.where))
    return [], [answer, f'print("got     ", answer[{index}])', _expected(_right(finding))]


def _expected(what: str, now: bool = False) -> str:
    """``now`` for what must be on the screen if the process ends."""
    return f'print("expected", {what!r}{", flush=True" if now else ""})'


def _right(finding: Finding) -> str:
    """What the worst number should have been."""
    if finding.verdict is Verdict.FAIL_NONFINITE and np.isfinite(finding.got or 0.0):
        return "nan or infinite"
    if finding.detail:
        return f"another branch: {finding.detail}"
    least, most = finding.expected or (np.nan, np.nan)
    return f"{least!r} to {most!r}"


def array_text(array: Array, indent: int = 0) -> str:
    """An array as code, exactly; lines from the second on begin ``indent`` columns in.

    >>> array_text(np.array([[0.1, np.nan]]))
    'np.array([[0.1, np.nan]], dtype="float64")'
    """
    text = np.array2string(
        array,
        separator=", ",
        threshold=2**31,
        max_line_width=100,
        prefix=" " * indent,
        formatter={"float_kind": _number},
    )
    if array.size == 0:
        return f'np.zeros({array.shape}, dtype="{array.dtype}")'
    return f'np.array({text}, dtype="{array.dtype}")'


def _number(x: Any) -> str:
    """As short as it can be read back by.

    >>> _number(np.float32(0.1)), _number(-np.inf)
    ('0.1', '-np.inf')
    """
    if np.isfinite(x):
        return str(np.asarray(x)[()])
    return "np.nan" if np.isnan(x) else "np.inf" if x > 0 else "-np.inf"
