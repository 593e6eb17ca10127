"""What all reports share: which results belong together, and what they come to."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import zip_longest
from math import inf, isnan
from typing import Any, TypeVar

from ..interview import Result
from ..report import Report
from ..verdicts import Verdict

ASPECTS = ("V", "U_bar", "grid_bar", "V_dot", "second", "grid", "theta_bar", "places_bar")
UNCLAIMED = "not claimed"
CLAIM_OF = {
    "modes": "mode",
    "padding_modes": "padding_mode",
    "align_corners": "align_corners",
    "dims": "dims",
    "dtypes": "dtype",
}
Key = TypeVar("Key", bound=Hashable)
AspectKey = TypeVar("AspectKey", bound=tuple[Any, ...])
Item = TypeVar("Item")


@dataclass(frozen=True)
class CaseName:
    """What the name of a case says; "" for what it does not say.

    >>> CaseName.of("kinks/bilinear/zeros/corners/float64/2d")
    CaseName(family='kinks', mode='bilinear', padding_mode='zeros', align_corners='True', dtype='float64',
             dims='2')
    >>> CaseName.of("affine-random/edges/float32/3d").align_corners, CaseName.of("modes=bicubic").mode
    ('False', 'bicubic')
    """

    family: str
    mode: str = ""
    padding_mode: str = ""
    align_corners: str = ""
    dtype: str = ""
    dims: str = ""

    @classmethod
    def of(cls, case: str) -> "CaseName":
        family, *setting = case.split("/")
        claim, _, value = case.partition("=")
        if claim in CLAIM_OF:
            return cls(UNCLAIMED, **{CLAIM_OF[claim]: value})
        if len(setting) not in (3, 5):
            return cls(family)
        mode, padding_mode = setting[:-3] or ("", "")
        corners, dtype, dims = setting[-3:]
        return cls(family, mode, padding_mode, str(corners == "corners"), dtype, dims.removesuffix("d"))


FEATURES = tuple(field.name for field in fields(CaseName))[1:]


@dataclass(frozen=True)
class Group:
    """Results of one family, about one aspect, with one verdict; at least one."""

    aspect: str
    verdict: Verdict
    family: str
    results: tuple[Result, ...]

    @property
    def worst(self) -> Result:
        """The first with the largest error over its bound."""
        return max(self.results, key=lambda result: _badness(result.finding.ratio))


@dataclass(frozen=True)
class Cell:
    """What a part of the results comes to."""

    counts: Counter[Verdict]

    @classmethod
    def of(cls, results: Iterable[Result]) -> "Cell":
        return cls(Counter(result.verdict for result in results))

    @property
    def wrong(self) -> int:
        return sum(count for verdict, count in self.counts.items() if verdict.failing)

    @property
    def conventions(self) -> int:
        return self.counts[Verdict.CONVENTION]

    @property
    def total(self) -> int:
        return self.counts.total()

    @property
    def kind(self) -> str:
        """The most remarkable of what happened: wrong, convention, ok, undecided or unsupported."""
        if self.wrong:
            return "wrong"
        if self.conventions:
            return "convention"
        if any(verdict.passing for verdict in self.counts):
            return "ok"
        return "undecided" if self.counts[Verdict.UNDECIDED] else "unsupported"


def row_of(aspect: str) -> str:
    """The row or column of a table that an aspect belongs to: second order is one.

    >>> row_of("second.U"), row_of("V")
    ('second', 'V')
    """
    return aspect.partition(".")[0]


def in_order(aspects: Iterable[str]) -> list[str]:
    """Rows of a table, in reading order; unknown ones last.

    >>> in_order({"theta_bar", "mine", "V"})
    ['V', 'theta_bar', 'mine']
    """
    return sorted(aspects, key=lambda row: (ASPECTS.index(row) if row in ASPECTS else len(ASPECTS), row))


def groups(results: Iterable[Result]) -> list[Group]:
    """Results by aspect, verdict and family; aspects in reading order, the largest group of each first."""

    def key(result: Result) -> tuple[str, Verdict, str]:
        return result.aspect, result.verdict, CaseName.of(result.case).family

    return [Group(*name, tuple(members)) for name, members in by_aspect(results, key).items()]


def by_aspect(items: Iterable[Item], key: Callable[[Item], AspectKey]) -> dict[AspectKey, list[Item]]:
    """The items of each key, whose first entry is an aspect: these in reading order, the key with the most
    items first."""
    found = collected(items, key)
    order = in_order({row_of(name[0]) for name in found})
    return dict(sorted(found.items(), key=lambda item: (order.index(row_of(item[0][0])), -len(item[1]))))


def most_telling(found: Sequence[Group]) -> list[Group]:
    """The same groups so that a reader of the first few sees different things: one of each aspect and
    verdict, then the second one of each, and so on."""
    kinds = collected(found, lambda group: (group.aspect, group.verdict)).values()
    return [group for nth in zip_longest(*kinds) for group in nth if group is not None]


def coverage(results: Iterable[Result], column: Callable[[CaseName], Key]) -> dict[tuple[str, Key], Cell]:
    """A table by row (see :func:`row_of`) and whatever ``column`` makes of a case's name.

    A setting that is not claimed has the row "".
    """

    def place(result: Result) -> tuple[str, Key]:
        return row_of(result.aspect), column(CaseName.of(result.case))

    return {where: Cell.of(members) for where, members in collected(results, place).items()}


def collected(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """The items of each key, in the order in which they come."""
    found: dict[Key, list[Item]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found


def verdict_counts(report: Report) -> Iterator[tuple[str, list[tuple[Verdict, int]]]]:
    """How often each verdict was given, those that were, under "right", "wrong" and "neither"."""
    kinds = collected(Verdict, lambda v: "wrong" if v.failing else "right" if v.passing else "neither")
    for kind, verdicts in kinds.items():
        counts = [(verdict, report.counts[verdict.value]) for verdict in verdicts]
        given = [(verdict, count) for verdict, count in counts if count]
        if given:
            yield kind, given


def conclusion(report: Report) -> str:
    """One sentence: whether the backend conforms to its profile."""
    answered = [result for result in report.results if result.verdict is not Verdict.UNSUPPORTED]
    answers = f"{len({(result.case, result.aspect) for result in answered})} answers"
    doubtful = [result for result in report.failures if result.verdict is Verdict.ORACLE_DISAGREE]
    wrong = [result for result in report.failures if result.verdict is not Verdict.ORACLE_DISAGREE]
    profile = f"profile {report.profile}"
    if wrong:
        verb = "is" if len(wrong) == 1 else "are"
        ways = len(groups(wrong))
        in_ways = f"in {ways} way{'s' if ways > 1 else ''}"
        return f"does NOT conform to {profile}: {len(wrong)} of {answers} {verb} wrong, {in_ways}"
    if doubtful:
        return f"cannot be judged: the oracle contradicts itself on {len(doubtful)} of {answers}"
    if not report.conforms:
        return f"does NOT conform to {profile}: no answer could be found right"
    by_another = len(report.conventions)
    if by_another:
        return f"conforms to {profile}, but {by_another} of {answers} by another convention"
    return f"conforms to {profile}"


def _badness(ratio: float) -> float:
    return inf if isnan(ratio) else ratio
