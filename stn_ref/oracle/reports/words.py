"""Findings in words: numbers, lines of text, and links."""

import re
from typing import Any

from ..interview import Result
from ..questions.affine_cases import AFFINE_FAMILIES
from ..questions.cases import FAMILIES
from ..questions.tps_cases import TPS_FAMILIES
from ..report import Match, Report
from ..verdicts import Verdict

MEANINGS = {
    Verdict.EXACT: "every number is the nearest one of its dtype",
    Verdict.PASS: "every number is within its bound",
    Verdict.PASS_SET: "within its bound, and at kinks or ties one of several right answers",
    Verdict.CONVENTION: "right by another profile",
    Verdict.UNSUPPORTED: "the backend says that it does not do this",
    Verdict.UNDECIDED: "so uncertain a coordinate that nothing can be said",
    Verdict.FAIL_VALUE: "a wrong value",
    Verdict.FAIL_GRAD: "a wrong derivative for the grid, or a wrong tangent",
    Verdict.FAIL_ADJOINT: "the image's cotangent is not the transpose of the sampler",
    Verdict.FAIL_SECOND: "a wrong derivative of second order",
    Verdict.FAIL_NONFINITE: "NaN or infinite where it must not be, or not where it must be",
    Verdict.FAIL_LAYOUT: "wrong for some order in memory, or an argument was overwritten",
    Verdict.FAIL_SHAPE: "a shape or dtype that is not that of the answer",
    Verdict.NONDETERMINISTIC: "not the same bits when asked again",
    Verdict.CRASH: "the process ended, or an exception",
    Verdict.TIMEOUT: "no answer within the limit",
    Verdict.ORACLE_DISAGREE: "two ways to the right answer differ: a mistake of the oracle",
}
THREAD = re.compile(r"([\w.-]+/[\w.-]+)#(\d+)", re.ASCII)
FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")


def visible(text: str) -> str:
    """Text with what neither XML nor HTML may hold written as an escape.

    >>> visible("\\x1b[31mred")
    '\\\\x1b[31mred'
    """
    return FORBIDDEN.sub(lambda found: ascii(found[0])[1:-1], text)


def one_line(text: str, width: int) -> str:
    """Text on one line of at most ``width`` printable characters.

    >>> one_line("Segmentation fault\\n  in cell_of", 22)
    'Segmentation fault ...'
    """
    return printable(" ".join(text.split()), width)


def printable(line: str, width: int) -> str:
    """The same, with its spaces as they are.

    >>> printable("  a\\tb", 80)
    '  a\\\\tb'
    """
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    return line if len(line) <= width else line[: width - 3] + "..."


def about(family: str) -> str:
    """What the cases of a family ask, in a sentence; "" for a family that is not ours."""
    if family in FAMILIES:
        return FAMILIES[family].about
    makers: dict[str, Any] = {**AFFINE_FAMILIES, **TPS_FAMILIES}
    return (makers[family].__doc__ or "").split("\n")[0] if family in makers else ""


def got_and_expected(result: Result) -> tuple[str, str]:
    """The worst number and the right ones, with so many digits that they differ where they do.

    >>> from ..verdicts import Finding
    >>> wrong = Finding(Verdict.FAIL_VALUE, got=0.1 + 0.2, expected=(0.3, 0.3))
    >>> got_and_expected(Result("case", "V", wrong))
    ('0.30000000000000004', '0.29999999999999999')
    """
    finding = result.finding
    got = "" if finding.got is None else f"{finding.got:.6g}"
    if finding.expected is None:
        return got, ""
    low, high = finding.expected
    ends = [f"{low:.6g}", f"{high:.6g}"]
    if finding.got is not None and not low <= finding.got <= high:
        for digits in range(6, 18):
            got, *ends = (f"{number:.{digits}g}" for number in (finding.got, low, high))
            if got not in ends:
                break
    return got, " to ".join(dict.fromkeys(ends))


def place(result: Result) -> str:
    """Which number was the worst.

    >>> from ..verdicts import Finding
    >>> place(Result("case", "U_bar", Finding(Verdict.PASS, where=(0, 2, 1, 1))))
    'U_bar[0, 2, 1, 1]'
    """
    return f"{result.aspect}[{', '.join(map(str, result.finding.where))}]"


def outcome(result: Result) -> str:
    """What came, what was expected, and by how much it is wrong."""
    finding = result.finding
    said = []
    if finding.got is not None:
        got, expected = got_and_expected(result)
        said.append(f"{place(result)} is {got}, expected {expected}; error/bound {finding.ratio:.3g}")
    if finding.branch:
        said.append(f"branch {finding.branch}")
    if result.way:
        said.append(f"way: {result.way}")
    if finding.detail:
        said.append(finding.detail)
    return "; ".join(said)


def url_of(thread: str) -> str:
    """The address of a public thread, or "".

    >>> url_of("pytorch/pytorch#23925")
    'https://github.com/pytorch/pytorch/issues/23925'
    """
    found = THREAD.fullmatch(thread)
    return f"https://github.com/{found[1]}/issues/{found[2]}" if found else ""


def name_of(report: Report) -> str:
    """The backend and its version."""
    return " ".join(str(report.backend[key]) for key in ("name", "version") if report.backend.get(key))


def setup_of(report: Report) -> str:
    """How the backend was asked."""
    strict = ", strict" if report.strict else ""
    return f"profile {report.profile}{strict}, level {report.level}, seed {report.seed}"


def told(match: Match) -> str:
    """A fault match in a sentence.

    >>> told(Match("w-over-2", "W / 2 for (W - 1) / 2.", 36, 40))
    'equals fault w-over-2 in 36 of the 40 wrong answers compared: W / 2 for (W - 1) / 2.'
    """
    where = f"in {match.matched} of the {match.failing} wrong answers compared"
    return f"equals fault {match.fault} {where}: {match.sentence}"
