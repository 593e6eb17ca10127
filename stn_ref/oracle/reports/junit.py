"""A report as JUnit XML, which CI systems read: one test for each aspect of each case."""

from ...files import PathLike, write_atomically
from ..interview import Result
from ..report import Report
from ..verdicts import Verdict
from .groups import CaseName
from .markup import Element, as_xml, element
from .words import MEANINGS, name_of, one_line, outcome, setup_of, told, url_of

ERRORS = (Verdict.CRASH, Verdict.TIMEOUT)
SKIPPED = (Verdict.UNSUPPORTED, Verdict.UNDECIDED)
MESSAGE = 400  # characters at most
COUNTED = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def to_junit(report: Report, path: PathLike) -> None:
    """Write the tests of a report: its family is a test's class, what remains of case and aspect its name."""
    write_atomically(path, as_xml(_suites(report)))


def _suites(report: Report) -> Element:
    tests = [_test(report, result) for result in report.results]
    counts = {count: str(sum(test.find(tag) is not None for test in tests)) for tag, count in COUNTED.items()}
    counts |= {"tests": str(len(tests)), "time": f"{report.seconds:.3f}"}
    name = f"stn_ref oracle: {name_of(report)}, {setup_of(report)}"
    suite = element("testsuite", _properties(report), *tests, name=name, **counts)
    return element("testsuites", suite, name="stn_ref oracle", **counts)


def _properties(report: Report) -> Element:
    about = {"conforms": report.conforms, **report.backend}
    about |= {f"fault match {k}": told(match) for k, match in enumerate(report.matches, start=1)}
    items = [element("property", name=name, value=str(value)) for name, value in about.items()]
    return element("properties", *items)


def _test(report: Report, result: Result) -> Element:
    family = CaseName.of(result.case).family
    name = ":".join(filter(None, [result.case.removeprefix(f"{family}/"), result.aspect]))
    return element("testcase", *_outcome(report, result), classname=family, name=name)


def _outcome(report: Report, result: Result) -> list[Element]:
    verdict = result.verdict
    text = f"{verdict.value}: {outcome(result) or MEANINGS[verdict]}"
    if verdict is Verdict.CONVENTION:
        return [element("system-out", text)]
    if verdict in SKIPPED:
        return [element("skipped", message=one_line(text, MESSAGE))]
    if verdict.passing:
        return []
    tag = "error" if verdict in ERRORS else "failure"
    threads = [url_of(thread) or thread for thread in result.threads]
    body = "\n".join(filter(None, [text, *threads, report.reproducer(result)]))
    return [element(tag, body, message=one_line(text, MESSAGE), type=verdict.value)]
