"""What the commands of ``stn-ref oracle`` do."""

import argparse
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..faults import FAULTS
from ..oracle import check
from ..oracle.adapters import ADAPTERS
from ..oracle.checker import all_cases
from ..oracle.interview import Claims, Judge, Result, asks
from ..oracle.isolation.asking import Isolated
from ..oracle.names import target_of
from ..oracle.packs import judge_pack, read_pack, write_pack
from ..oracle.questions.affine_cases import AFFINE_FAMILIES
from ..oracle.questions.cases import FAMILIES
from ..oracle.questions.tps_cases import TPS_FAMILIES
from ..oracle.report import Report
from ..oracle.reports.comparison import compare
from ..oracle.reports.groups import CaseName
from ..oracle.reproducer import reproducer
from ..oracle.selftest import selftest
from ..oracle.shrinking import shrunk
from ..oracle.truth.profiles import PROFILES, profile_of
from .oracle_matrix import matrix

EVERYTHING = {
    "modes": ("nearest", "bilinear", "bicubic"),
    "padding_modes": ("zeros", "border", "reflection"),
    "align_corners": (True, False),
    "dims": (2, 3),
    "dtypes": ("float64", "float32", "float16"),
    "methods": ("affine_grid", "tps_grid"),
}


def run(options: argparse.Namespace) -> int:
    """The exit status: 0, or 1 if something does not conform."""
    return int(COMMANDS[options.oracle_command](options))


def check_backend(options: argparse.Namespace) -> int:
    report = check(
        target_of(options.backend),
        profile=options.profile,
        level=options.level,
        strict=options.strict,
        python=options.python,
        time_limit=options.time_limit,
        only=options.only,
        seed=options.seed,
        resume=options.resume,
        explain=not options.no_explain,
        progress=Counter() if sys.stderr.isatty() else None,
    )
    return _told(report, options)


def _told(report: Report, options: argparse.Namespace) -> int:
    """Write and print a report."""
    for form in ("json", "html", "junit"):
        path = getattr(options, form)
        if path:
            getattr(report, f"to_{form}")(path)
    print(report)
    return 0 if report.conforms else 1


class Counter:
    """A line on the terminal that counts cases."""

    def __init__(self) -> None:
        self.wrong = 0

    def __call__(self, done: int, total: int, results: Sequence[Result]) -> None:
        self.wrong += sum(result.verdict.failing for result in results)
        end = "\n" if done == total else ""
        print(f"\r{done} of {total} cases, {self.wrong} answers wrong", end=end, file=sys.stderr, flush=True)


def list_all(options: argparse.Namespace) -> int:
    print("backends")
    for name, adapter in ADAPTERS.items():
        needs = f"  (pip install {adapter.requirement})" if adapter.requirement else ""
        print(f"  {name:15} {adapter.description}{needs}")
    print("profiles")
    for name, profile in PROFILES.items():
        print(
            f"  {name:15} ties {profile.ties}, bicubic a = {profile.cubic:g}, lone pixel {profile.singleton}"
        )
    print("families of questions")
    for name, family in FAMILIES.items():
        print(f"  {name:24} {family.about}")
    for name, make in {**AFFINE_FAMILIES, **TPS_FAMILIES}.items():
        print(f"  {name:24} {(make.__doc__ or '').splitlines()[0]}")
    return 0


def explain(options: argparse.Namespace) -> int:
    case = _case(options.case)
    judge = Judge(profile_of(options.profile))
    print(case.id)
    print(case.about)
    for thread in case.threads():
        print(f"see {thread}")
    for name, array in case.arrays.items():
        print(f"\n{name} {array.shape}\n{array}")
    aspects = dict.fromkeys(aspect for ask in asks(case) for aspect in ask.aspects.values())
    for aspect in aspects:
        enclosure, _ = judge.enclosure(case, aspect, Claims())
        print(f"\n{aspect} {enclosure.high.shape}: the right answer\n{enclosure.high}")
        if (enclosure.below + enclosure.above).any():
            print(f"down to\n{enclosure.high - enclosure.below}\nup to\n{enclosure.high + enclosure.above}")
    return 0


def shrink(options: argparse.Namespace) -> int:
    case = _case(options.case, options.seed)
    target = target_of(options.backend)
    with Isolated(target, python=options.python, time_limit=options.time_limit) as asked:
        judge = Judge(profile_of(options.profile or asked.about["profile"]))
        claims, plan = Claims.of(asked.about), asks(case)
        [answers] = asked.ask([[ask.call for ask in plan]])
        wrong = [r for r in judge.results(case, plan, answers, claims) if r.verdict.failing]
        for result in wrong:
            if result.evidence is not None:
                smallest, finding = shrunk(result.evidence, asked, judge, claims)
                print(reproducer(smallest, finding, asked.about, target))
    if not wrong:
        print(f"{options.backend} answers {case.id} rightly")
    return 0


def _case(name: str, seed: int = 0) -> Any:
    said = CaseName.of(name)
    own: dict[str, tuple[Any, ...]] = {
        "modes": (said.mode,),
        "padding_modes": (said.padding_mode,),
        "align_corners": (said.align_corners == "True",),
        "dtypes": (said.dtype,),
    }
    asked_for = {claim: values for claim, values in own.items() if values[0] in EVERYTHING[claim]}
    found = [case for case in all_cases(EVERYTHING | asked_for, "nightly", seed) if case.id == name]
    if not found:
        raise ValueError(
            f"no case is called {name!r}; a name is family/mode/padding/corners or edges/dtype/2d or 3d, "
            "for instance kinks/bilinear/zeros/corners/float64/2d"
        )
    return found[0]


def faults(options: argparse.Namespace) -> int:
    if options.name is None:
        for fault in FAULTS.values():
            note = " (equivalent)" if fault.equivalent else f" (legal: {fault.convention})"
            print(f"{fault.name:28} {fault.theme}{note if fault.equivalent or fault.convention else ''}")
        return 0
    if options.name not in FAULTS:
        raise ValueError(f"no mistake is called {options.name!r}; see `stn-ref oracle faults`")
    fault = FAULTS[options.name]
    print(textwrap.fill(f"{fault.name}: {fault.sentence}", 80))
    if fault.equivalent:
        print(textwrap.fill(f"It changes no answer. {fault.equivalent}", 80))
    return 0


def test_itself(options: argparse.Namespace) -> int:
    failed = 0
    with np.errstate(all="ignore"):
        for line in selftest(options.points):
            failed += not line.passed
            print(line, flush=True)
    print("all as demanded" if not failed else f"{failed} demands are not met")
    return 1 if failed else 0


def pack(options: argparse.Namespace) -> int:
    write_pack(
        options.file,
        modes=options.modes,
        padding_modes=options.padding_modes,
        align_corners=[word == "True" for word in options.align_corners],
        dims=[int(word) for word in options.dims],
        dtypes=options.dtypes,
        level=options.level,
        seed=options.seed,
        form=Path(options.file).suffix.removeprefix("."),
        only=options.only,
    )
    print(f"{options.file}: {len(read_pack(options.file).index['calls'])} calls")
    return 0


def judge_answers(options: argparse.Namespace) -> int:
    questions = read_pack(options.file)
    report = judge_pack(questions, options.answers, profile=options.profile, strict=options.strict)
    return _told(report, options)


def compare_reports(options: argparse.Namespace) -> int:
    print(compare(*(Report.from_json(path) for path in options.reports)))
    return 0


COMMANDS = {
    "check": check_backend,
    "list": list_all,
    "explain": explain,
    "shrink": shrink,
    "faults": faults,
    "selftest": test_itself,
    "pack": pack,
    "judge": judge_answers,
    "compare": compare_reports,
    "matrix": matrix,
}
