"""What differs between two reports: of two backends, or of two versions of one."""

from collections.abc import Iterable, Iterator

from ..interview import Result
from ..report import Report
from .groups import CaseName, by_aspect, collected
from .words import name_of, setup_of

Pair = tuple[Result, Result]
CASES = 3  # shown of a group
CHANGES = {  # by whether a and b are wrong
    (False, True): "wrong in b alone",
    (True, False): "wrong in a alone",
    (True, True): "wrong in both, in different ways",
    (False, False): "wrong in neither",
}


def compare(a: Report, b: Report) -> str:
    """Where the verdicts of two reports differ: counts, then groups by family, aspect and both verdicts.

    >>> from ..verdicts import Finding, Verdict
    >>> def one(name, verdict):
    ...     result = Result("kinks/bilinear/zeros/corners/float64/2d", "V", Finding(verdict))
    ...     return Report({"name": name}, "paper", "quick", False, 0, (result,), 1.0)
    >>> print(compare(one("old", Verdict.EXACT), one("new", Verdict.FAIL_VALUE)))
    a: old, profile paper, level quick, seed 0: 0 of 1 wrong
    b: new, profile paper, level quick, seed 0: 1 of 1 wrong
    in both 1, with another verdict 1; only in a 0, only in b 0
    <BLANKLINE>
    wrong in b alone: 1
      1 x V, kinks: EXACT in a, FAIL_VALUE in b
          kinks/bilinear/zeros/corners/float64/2d
    """
    of_a, of_b = _by_question(a), _by_question(b)
    both = [(result, of_b[key]) for key, result in of_a.items() if key in of_b]
    differ = [(one, other) for one, other in both if one.verdict is not other.verdict]
    lines = [
        f"a: {_described(a)}",
        f"b: {_described(b)}",
        f"in both {len(both)}, with another verdict {len(differ)}; "
        f"only in a {len(of_a.keys() - of_b.keys())}, only in b {len(of_b.keys() - of_a.keys())}",
    ]
    changes = collected(differ, lambda pair: (pair[0].verdict.failing, pair[1].verdict.failing))
    for change, title in CHANGES.items():
        if change in changes:
            lines += ["", f"{title}: {len(changes[change])}", *_groups(changes[change])]
    if not differ:
        lines += ["", "no verdict differs"]
    return "\n".join(lines)


def _by_question(report: Report) -> dict[tuple[str, str], Result]:
    """Where there are two results about one question, the failing one."""
    in_order = sorted(report.results, key=lambda result: result.verdict.failing)
    return {(result.case, result.aspect): result for result in in_order}


def _described(report: Report) -> str:
    return f"{name_of(report)}, {setup_of(report)}: {len(report.failures)} of {len(report.results)} wrong"


def _groups(pairs: Iterable[Pair]) -> Iterator[str]:
    def key(pair: Pair) -> tuple[str, str, str, str]:
        one, other = pair
        return one.aspect, CaseName.of(one.case).family, one.verdict.value, other.verdict.value

    for (aspect, family, before, after), members in by_aspect(pairs, key).items():
        yield f"  {len(members)} x {aspect or 'claim'}, {family}: {before} in a, {after} in b"
        for one, _ in members[:CASES]:
            yield f"      {one.case}"
        if len(members) > CASES:
            yield f"      and {len(members) - CASES} more"
