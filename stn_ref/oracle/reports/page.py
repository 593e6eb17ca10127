"""A report as one page that needs nothing else: no script, no picture, nothing from elsewhere."""

from collections.abc import Iterable, Sequence

from ...files import PathLike, write_atomically
from ..interview import Result
from ..report import Report
from .groups import (
    FEATURES,
    CaseName,
    Cell,
    Group,
    by_aspect,
    collected,
    conclusion,
    coverage,
    groups,
    in_order,
    row_of,
    verdict_counts,
)
from .markup import Element, as_html, element
from .page_style import STYLE
from .words import MEANINGS, about, got_and_expected, name_of, place, setup_of, told, url_of

MARKS = {"ok": "✓", "wrong": "✗", "convention": "~", "undecided": "?", "unsupported": "–"}
LEGEND = (
    "✓ right, ✗ wrong answers of all, ~ right by another profile, ? nothing can be said, – not supported; "
    "empty where there is nothing to ask"
)
CASES = 40  # at most so many names of cases are listed for a group


def to_html(report: Report, path: PathLike) -> None:
    """Write the page."""
    write_atomically(path, as_html(_page(report)))


def _page(report: Report) -> Element:
    title = f"{name_of(report)}: oracle report"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", STYLE),
    )
    body = element(
        "body",
        _heading(report),
        element(
            "main",
            *(element("p", f"It {told(match)}", class_="match") for match in report.matches),
            _claims(report),
            *_verdicts(report),
            *_coverage(report),
            *_failures(report),
            *_remarks("Other conventions", report.conventions),
            *_remarks("Undecided", [r for r in report.results if _kind(r) == "undecided"]),
            *_remarks("Not supported", [r for r in report.results if _kind(r) == "unsupported"]),
        ),
    )
    return element("html", head, body, lang="en")


def _kind(result: Result) -> str:
    return Cell.of([result]).kind


def _heading(report: Report) -> Element:
    kind = "ok" if report.conforms else "wrong"
    backend = report.backend
    runs_on = f"Python {backend.get('python', '?')}, NumPy {backend.get('numpy', '?')}"
    asked = f"{setup_of(report)}: {len(report.results)} results in {report.seconds:.1f} s. {runs_on}."
    return element(
        "header",
        element("h1", name_of(report)),
        element("p", f"{MARKS[kind]} {conclusion(report)}", class_="verdict"),
        element("p", asked[0].upper() + asked[1:], class_="quiet"),
        class_=kind,
    )


def _claims(report: Report) -> Element:
    said = [
        (name.replace("_", " "), ", ".join(map(str, value)) if isinstance(value, tuple) else str(value))
        for name, value in report.backend.items()
        if name != "snippet"
    ]
    snippet = str(report.backend.get("snippet", ""))
    inside = [_pairs((name, value) for name, value in said if value)]
    if snippet:
        inside.append(_code(snippet, "How it is called"))
    return _folded("What it claims", *inside)


def _verdicts(report: Report) -> list[Element]:
    counted = (
        (f"{verdict.value} {count}", f"{kind}: {MEANINGS[verdict]}")
        for kind, counts in verdict_counts(report)
        for verdict, count in counts
    )
    return [element("h2", "Verdicts"), _pairs(counted)]


def _coverage(report: Report) -> list[Element]:
    """What came of each aspect, for each value of each feature."""
    aspects = in_order({row_of(result.aspect) for result in report.results if result.aspect})
    if not aspects:
        return []
    head = element("tr", *(element("th", name, scope="col") for name in ("", *aspects)))
    bodies = [_feature(report, feature, aspects) for feature in FEATURES]
    table = element("table", element("thead", head), *bodies, class_="matrix")
    return [
        element("h2", "Coverage"),
        element("p", LEGEND, class_="quiet"),
        element("div", table, class_="scroll", tabindex="0", role="region", aria_label="Coverage"),
    ]


def _feature(report: Report, feature: str, aspects: Sequence[str]) -> Element:
    cells = coverage(report.results, lambda name: str(getattr(name, feature)))
    values = sorted({value for _, value in cells if value})
    title = element("th", feature.replace("_", " "), scope="rowgroup", colspan=str(len(aspects) + 1))
    rows = [element("tr", title)]
    for value in values:
        unclaimed = cells.get(("", value))
        found = [_cell(cells.get((aspect, value), unclaimed)) for aspect in aspects]
        rows.append(element("tr", element("th", value, scope="row"), *found))
    return element("tbody", *rows)


def _cell(cell: Cell | None) -> Element:
    if cell is None:
        return element("td")
    shown = {
        "wrong": f"{cell.wrong} of {cell.total}",
        "convention": f"{cell.conventions} of {cell.total}",
        "unsupported": "",
    }.get(cell.kind, str(cell.total))
    return element("td", f"{MARKS[cell.kind]} {shown}".strip(), class_=cell.kind)


def _failures(report: Report) -> list[Element]:
    found: list[Element] = []
    for row, members in collected(groups(report.failures), lambda group: row_of(group.aspect)).items():
        wrong = sum(len(group.results) for group in members)
        found.append(element("h3", f"{row}: {_counted(wrong, 'wrong answer')}"))
        found += [_failure(report, group) for group in members]
    return [element("h2", "Failures"), *found] if found else []


def _failure(report: Report, group: Group) -> Element:
    worst = group.worst
    inside = [_pairs(_facts(worst))]
    if worst.finding.detail:
        inside.append(_code(worst.finding.detail, "Detail"))
    if worst.threads:
        links = [element("li", _thread(thread)) for thread in worst.threads]
        inside += [element("p", "Such mistakes were reported in public:"), element("ul", *links)]
    for result in [result for result in (worst, *group.results) if report.reproducer(result)][:1]:
        how = element("p", "To see it again, in ", element("code", result.case), ":")
        inside += [how, _code(report.reproducer(result), "Reproducer")]
    if len(group.results) > 1:
        inside.append(_folded(f"All {len(group.results)} cases", _cases(group.results)))
    what = f"{MARKS['wrong']} {group.verdict.value} of {group.aspect}, {group.family}"
    return _folded(f"{what}: {_counted(len(group.results), 'answer')}", *inside)


def _facts(result: Result) -> Iterable[tuple[str, str]]:
    """What is known about a result, in pairs of a name and a text."""
    finding = result.finding
    got, expected = got_and_expected(result)
    facts = {
        "Question": about(CaseName.of(result.case).family),
        "Worst case": result.case,
        "Worst number": place(result) if finding.where else "",
        "Got": got,
        "Expected": expected,
        "Error over bound": f"{finding.ratio:.3g}" if got else "",
        "Units in the last place": f"{finding.ulps:.3g}" if finding.ulps else "",
        "Branch at kinks": finding.branch,
        "Way of asking": result.way,
    }
    return ((name, value) for name, value in facts.items() if value)


def _remarks(title: str, results: Sequence[Result]) -> list[Element]:
    """Results that are no failures, by what is said of them, or else by family."""

    def key(result: Result) -> tuple[str, str]:
        return result.aspect, result.finding.detail or CaseName.of(result.case).family

    found = [
        _folded(
            f"{MARKS[_kind(members[0])]} {aspect or 'Settings'}, {why}: {_counted(len(members), 'result')}",
            _cases(members),
        )
        for (aspect, why), members in by_aspect(results, key).items()
    ]
    return [element("h2", title), *found] if found else []


def _cases(results: Sequence[Result]) -> Element:
    items = [element("li", element("code", result.case)) for result in results[:CASES]]
    if len(results) > CASES:
        items.append(element("li", f"and {len(results) - CASES} more, which the JSON report names"))
    return element("ul", *items)


def _thread(thread: str) -> Element | str:
    url = url_of(thread)
    return element("a", thread, href=url) if url else thread


def _pairs(facts: Iterable[tuple[str, str]]) -> Element:
    parts = (part for name, text in facts for part in (element("dt", name), element("dd", text)))
    return element("dl", *parts)


def _folded(title: str, *inside: Element) -> Element:
    return element("details", element("summary", title), element("div", *inside, class_="inside"))


def _code(text: str, label: str) -> Element:
    return element("pre", element("code", text), tabindex="0", role="region", aria_label=label)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
