"""The oracle put to the test: it must find every known mistake, and fail nothing that is right."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..faults import FAULTS, Fault, Plain
from .adapters import load
from .agreement import OF_A_SAMPLE, disagreements
from .backend import Backend
from .checker import all_cases, check
from .interview import Claims, Judge, aspects_of
from .isolation.asking import InProcess
from .matching import as_backend
from .questions.cases import Case, Setting
from .report import Report
from .truth.profiles import PROFILES
from .verdicts import judge as verdict_on

Array = NDArray[Any]
POINTS = 2**20
PART = 2**17  # points asked at a time
FACTOR = 1.0001
HANGING = 2.0  # seconds after which a call counts as one that hangs
MOST_SCATTERED = 2**12  # coordinates whose cotangents are added up exactly


@dataclass(frozen=True)
class Line:
    """What was demanded, whether it is so, and in which numbers."""

    demand: str
    passed: bool
    detail: str

    def __str__(self) -> str:
        return f"{'ok ' if self.passed else 'NOT'} {self.demand}: {self.detail}"


def selftest(points: int = POINTS) -> Iterator[Line]:
    """One demand after the other; ``points`` random ones are asked for false alarms in each dtype.

    >>> all(line.passed for line in false_alarms(2**10))
    True
    """
    judge = Judge(PROFILES["paper"])
    yield conforms(load("stn_ref"), judge)
    yield conforms(as_backend(Plain), judge)
    for fault in FAULTS.values():
        yield caught(fault, judge)
    yield from kink_sides()
    yield both_ways_agree(judge)
    yield from false_alarms(points)


def conforms(backend: Backend, judge: Judge) -> Line:
    """A right backend has no wrong answer."""
    report = check(backend, isolated=False, judge=judge)
    return Line(f"{backend.name} conforms", report.conforms, _counted(report))


def caught(fault: Fault, judge: Judge) -> Line:
    """A mistake is found, an equivalent one is not, another's convention is called one."""
    report = check(
        as_backend(fault.implementation),
        isolated=fault.dangerous,
        judge=judge,
        first_failure=True,
        explain=False,
        time_limit=HANGING,
    )
    if fault.equivalent:
        return Line(f"{fault.name} is equivalent and passes", report.conforms, fault.equivalent)
    if fault.convention:
        return _attributed(fault, report)
    found = report.failures[0] if report.failures else None
    detail = f"{found.verdict.value} in {found.aspect} of {found.case}" if found else "nothing is noticed"
    return Line(f"{fault.name} is caught", found is not None, detail)


def _attributed(fault: Fault, report: Report) -> Line:
    """Right by another profile: as a convention, or as one of several branches."""
    strict = check(
        as_backend(fault.implementation),
        strict=True,
        isolated=False,
        first_failure=True,
        explain=False,
        only="ties|cubic|affine-singleton|affine-one-pixel",
    )
    own = check(
        as_backend(fault.implementation),
        profile=fault.convention,
        isolated=False,
        explain=False,
        only="ties|quarters|affine-singleton",
    )
    detail = f"right by {fault.convention}; {len(report.conventions)} answers attributed, strict fails it"
    passed = report.conforms and own.conforms and not strict.conforms
    return Line(f"{fault.name} is the convention of {fault.convention}", passed, detail)


def kink_sides() -> Iterator[Line]:
    """Each legal side of a kink passes and is named; the letter of eq. (7) does not."""
    for side in ("right", "left", "mid", "paper"):
        report = check(_with_kink(side), isolated=False, explain=False, only="kinks/bilinear/.*/2d")
        names = {r.finding.branch for r in report.results if r.aspect == "grid_bar" and r.finding.branch}
        named = all(side in name.split(" or ") for name in names) and bool(names)
        legal = side != "paper"
        demand = f"a backend that takes the {side} slope at kinks {'passes' if legal else 'fails'}"
        yield Line(demand, report.conforms is legal and named, f"branches named: {', '.join(sorted(names))}")


def _with_kink(side: str) -> Backend:
    backend = load("stn_ref")
    backend.kink = side  # type: ignore[attr-defined]
    return backend


def both_ways_agree(judge: Judge) -> Line:
    """Arrays of exact numbers and the equations over fractions come to the same bits."""
    with InProcess(as_backend(Plain)) as asked:
        cases = all_cases(asked.about, "quick")
    compared = differing = 0
    for case in cases[::4]:
        aspects = [name for name in OF_A_SAMPLE if not name.startswith("second") or "second" in _also(case)]
        found = disagreements(case, aspects, judge, Claims())
        compared, differing = compared + 1, differing + len(found)
    return Line(
        "both exact ways agree to the last bit", not differing, f"{differing} differ in {compared} cases"
    )


def _also(case: Any) -> tuple[str, ...]:
    return case.also if isinstance(case, Case) else ()


def false_alarms(points: int) -> Iterator[Line]:
    """A right backend is never failed at random points, and one that is off by a factor never passes."""
    backend = load("stn_ref")
    for dtype in ("float32", "float64"):
        alarms = escapes = parts = 0
        worst = 0.0
        for case in _random_cases(points, dtype):
            right = _answers(backend, case)
            if case.arrays["grid"].size > MOST_SCATTERED:
                del right["U_bar"]
            own = aspects_of(case, PROFILES["paper"], Claims())
            for aspect, got in right.items():
                enclosure = own.enclosure(aspect)
                finding = verdict_on(aspect, got, enclosure, dtype)
                worst = max(worst, finding.ratio)
                alarms += int((enclosure.miss(got) > 1).sum())
                wrong = (got.astype(np.float64) * FACTOR).astype(dtype)
                escapes += not verdict_on(aspect, wrong, enclosure, dtype).verdict.failing
                parts += 1
        detail = f"{alarms} of {points} points failed; largest error {worst:.2f} of its bound"
        yield Line(f"no false alarms in {dtype}", alarms == 0, detail)
        detail = f"{escapes} of {parts} answers with the factor {FACTOR} passed"
        yield Line(f"a factor {FACTOR} never passes in {dtype}", escapes == 0, detail)


def _random_cases(points: int, dtype: str) -> Iterator[Case]:
    """Random images and grids of full length, in all conventions."""
    rng = np.random.default_rng(0)
    sizes = [MOST_SCATTERED // 2] * 6 + [PART] * (points // PART) + [points % PART]
    for part, size in enumerate(filter(None, sizes)):
        padding_mode = ("zeros", "border", "reflection")[part % 3]
        setting = Setting("bilinear", padding_mode, bool(part % 2), dtype, 2)
        grid = rng.uniform(-1.5, 1.5, (1, 1, size, 2))
        U, V_bar = rng.normal(size=(1, 1, 28, 31)), rng.normal(size=(1, 1, *grid.shape[1:-1]))
        arrays = {"U": U, "grid": grid, "V_bar": V_bar}
        yield Case("random", setting, {name: array.astype(dtype) for name, array in arrays.items()})


def _answers(backend: Backend, case: Case) -> dict[str, Array]:
    a, settings = case.arrays, case.setting.settings
    V = backend.grid_sample(a["U"], a["grid"], **settings)
    bars = backend.grid_sample_vjp(a["U"], a["grid"], a["V_bar"], needs=("U", "grid"), **settings)
    return {"V": V, "U_bar": bars["U"], "grid_bar": bars["grid"]}


def _counted(report: Report) -> str:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(report.counts.items()))
    return f"{counts}; {len(report.results) / report.seconds:.0f} answers judged a second"
