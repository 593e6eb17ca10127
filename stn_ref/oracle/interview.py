"""From a case to the calls that are made of a backend, and from its answers to findings.

Each answer is asked for in several ways, all of which must come to the same: with fewer gradients, with
arrays laid out differently in memory, and once more.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from .calls import LAYOUTS, Answer, Call
from .questions import AffineCase, AnyCase, Case, TpsCase
from .truth.affine import AffineAspects
from .truth.aspects import SamplerAspects
from .truth.enclosures import Arithmetic, Enclosure
from .truth.places import Reading
from .truth.profiles import Profile, variants
from .truth.tps import TpsAspects
from .verdicts import WRONG, Finding, Verdict, judge

Array = NDArray[Any]
Aspects = SamplerAspects | AffineAspects | TpsAspects
Known = tuple[Enclosure, dict[str, Array]]
GRADIENTS = {"U": "U_bar", "grid": "grid_bar"}
SECOND = {"U": "second.U", "grid": "second.grid", "V_bar": "second.V_bar"}
AGAIN = "asked again"
REFUSAL = "a cotangent of the wrong shape"
LAYOUT_MAY_CAUSE = (
    Verdict.FAIL_VALUE,
    Verdict.FAIL_GRAD,
    Verdict.FAIL_ADJOINT,
    Verdict.FAIL_NONFINITE,
    Verdict.CRASH,
)


class Ask(NamedTuple):
    """A call, in which way it is made, and which aspect each of its outputs is."""

    call: Call
    way: str
    aspects: Mapping[str, str]


@dataclass(frozen=True)
class Claims:
    """What of a backend's description decides about right and wrong."""

    half_coordinates: str = "float32"
    coordinate_operations: int = 4
    deterministic: bool = True

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> "Claims":
        return cls(*(about[name] for name in ("half_coordinates", "coordinate_operations", "deterministic")))


@dataclass(frozen=True)
class Evidence:
    """The question behind a result, and the answer if it is wrong."""

    case: AnyCase
    ask: Ask
    output: str
    got: Any = None


@dataclass(frozen=True)
class Result:
    """What was found about one aspect of a case."""

    case: str
    aspect: str
    finding: Finding
    way: str = ""
    """In which way it was asked where that matters; "" is the ordinary one."""
    threads: tuple[str, ...] = ()
    """Public threads about mistakes that such a case finds."""
    evidence: Evidence | None = field(default=None, compare=False, repr=False)
    """Known in the process that found it."""

    @property
    def verdict(self) -> Verdict:
        return self.finding.verdict


def asks(case: AnyCase) -> list[Ask]:
    """All calls that a case is made of, in order."""
    if isinstance(case, Case):
        return sampler_asks(case)
    return affine_asks(case) if isinstance(case, AffineCase) else tps_asks(case)


def sampler_asks(case: Case) -> list[Ask]:
    arrays, settings = case.arrays, case.setting.settings

    def call(method: str, names: str, layout: str = "C", **more: Any) -> Call:
        return Call(method, {name: arrays[name] for name in names.split()}, {**more, **settings}, layout)

    def forward(way: str, layout: str = "C") -> Ask:
        return Ask(call("grid_sample", "U grid", layout), way, {"": "V"})

    def backward(way: str, layout: str = "C", needs: tuple[str, ...] = ("U", "grid")) -> Ask:
        found = {name: GRADIENTS[name] for name in needs}
        return Ask(call("grid_sample_vjp", "U grid V_bar", layout, needs=needs), way, found)

    plan = [forward(""), backward("")]
    if "needs" in case.also:
        plan += [backward(f"only {name} asked for", needs=(name,)) for name in GRADIENTS]
    if "layouts" in case.also:
        for layout in LAYOUTS[1:]:
            plan += [forward(f"{layout} arrays", layout), backward(f"{layout} arrays", layout)]
    if "jvp" in case.also:
        plan.append(Ask(call("grid_sample_jvp", "U grid U_dot grid_dot"), "", {"": "V_dot"}))
    if "second" in case.also:
        names = "U grid V_bar U_bar_bar grid_bar_bar"
        plan.append(Ask(call("grid_sample_vjp_vjp", names, needs=tuple(SECOND)), "", SECOND))
    if "refusal" in case.also:
        short = call("grid_sample_vjp", "U grid V_bar", needs=tuple(GRADIENTS))
        short.arrays["V_bar"] = arrays["V_bar"][..., :-1]
        plan.append(Ask(short, REFUSAL, GRADIENTS))
    if "repeat" in case.also:
        plan += [forward(AGAIN), backward(AGAIN)]
    return plan


def affine_asks(case: AffineCase) -> list[Ask]:
    settings = {"size": case.size, "align_corners": case.setting.align_corners}
    theta = {"theta": case.arrays["theta"]}
    return [
        Ask(Call("affine_grid", theta, settings), "", {"": "grid"}),
        Ask(Call("affine_grid_vjp", dict(case.arrays), settings), "", {"": "theta_bar"}),
    ]


def tps_asks(case: TpsCase) -> list[Ask]:
    settings = {"size": case.size, "align_corners": case.setting.align_corners}
    forward = {name: case.arrays[name] for name in ("places", "control_points")}
    return [
        Ask(Call("tps_grid", forward, settings), "", {"": "grid"}),
        Ask(Call("tps_grid_vjp", dict(case.arrays), settings), "", {"": "places_bar"}),
    ]


class Judge:
    """Knows the right answers of all cases, for one profile; keeps what it has worked out.

    Parameters
    ----------
    strict : bool
        Whether one branch alone is right at kinks and ties: that of the profile.
    """

    def __init__(self, profile: Profile, *, strict: bool = False) -> None:
        self.profile, self.strict = profile, strict
        self._known: dict[tuple[str, int, str, Claims], Known] = {}
        self._latest: tuple[AnyCase, Claims, Aspects] | None = None

    def results(
        self, case: AnyCase, plan: Sequence[Ask], answers: Sequence[Answer], claims: Claims
    ) -> list[Result]:
        """One result for each aspect that was asked for: the first failure, or how the ordinary way went."""
        found: dict[str, Result] = {}
        first: dict[str, Any] = {}
        for ask, answer in zip(plan, answers):
            for name, aspect in ask.aspects.items():
                finding = self.finding(case, ask, name, answer, claims)
                if not finding.verdict.failing and claims.deterministic and ask.way == AGAIN:
                    finding = _same_bits(first.get(aspect), answer.outputs.get(name), finding)
                if ask.way == "":
                    first[aspect] = answer.outputs.get(name)
                elif finding.verdict in LAYOUT_MAY_CAUSE and "arrays" in ask.way:
                    finding = replace(finding, verdict=Verdict.FAIL_LAYOUT)
                known = found.get(aspect)
                if known is not None and known.verdict.passing and _is_missing(finding, answer):
                    detail = f"{finding.detail} when {ask.way}"
                    finding = Finding(WRONG[aspect], np.inf, detail=detail)
                if known is not None and known.verdict.failing and finding.verdict.failing:
                    both = dict.fromkeys((*known.threads, *case.threads(f"{ask.way} {aspect}")))
                    found[aspect] = replace(known, threads=tuple(both))
                elif known is None or finding.verdict.failing:
                    got = answer.outputs.get(name) if finding.verdict.failing else None
                    evidence = Evidence(case, ask, name, got)
                    threads = case.threads(f"{ask.way} {aspect}")
                    found[aspect] = Result(case.id, aspect, finding, ask.way, threads, evidence)
        return list(found.values())

    def enclosure(self, case: AnyCase, aspect: str, claims: Claims) -> Known:
        """All right answers, and those of each branch where there are several."""
        key = (case.id, _fingerprint(case), aspect, claims)
        if key not in self._known:
            self._known[key] = self._worked_out(case, aspect, claims)
        return self._known[key]

    def _worked_out(self, case: AnyCase, aspect: str, claims: Claims) -> Known:
        latest, of_claims, aspects = self._latest or (None, None, None)
        if latest is not case or of_claims != claims or aspects is None:
            aspects = aspects_of(case, self.profile, claims)
            self._latest = case, claims, aspects  # the next question is about another aspect of it
        enclosure = aspects.enclosure(aspect)
        if enclosure.kinks.any() and isinstance(aspects, SamplerAspects):
            return enclosure, branches_of(aspects, aspect, enclosure)
        return enclosure, {}

    def known(self, evidence: Evidence, claims: Claims) -> Known:
        """All right answers to the question of a result."""
        return self.enclosure(evidence.case, evidence.ask.aspects[evidence.output], claims)

    def finding(
        self,
        case: AnyCase,
        ask: Ask,
        name: str,
        answer: Answer,
        claims: Claims,
        *,
        remember: bool = True,
    ) -> Finding:
        """The verdict on one output of an answer.

        Without ``remember`` the case is none of the questions, although it may be named like one.
        """
        if answer.failure == "ERROR" and any(array.size == 0 for array in case.arrays.values()):
            return Finding(Verdict.UNSUPPORTED, detail=f"refuses empty arrays: {answer.detail}")
        if ask.way == REFUSAL and (answer.unsupported or answer.failure == "ERROR"):
            return Finding(Verdict.EXACT)
        if answer.failure:
            verdict = Verdict.TIMEOUT if answer.failure == "TIMEOUT" else Verdict.CRASH
            return Finding(verdict, np.inf, detail=answer.detail)
        if answer.unsupported:
            return Finding(Verdict.UNSUPPORTED, detail=answer.unsupported)
        if ask.way == REFUSAL:
            shape = ask.call.arrays["V_bar"].shape
            return Finding(Verdict.FAIL_SHAPE, np.inf, detail=f"takes a cotangent of shape {shape}")
        if answer.overwritten:
            detail = f"writes to its argument {', '.join(answer.overwritten)}"
            return Finding(Verdict.FAIL_LAYOUT, np.inf, detail=detail)
        got = answer.outputs.get(name)
        if got is None:
            return Finding(Verdict.UNSUPPORTED, detail=f"no cotangent of {name}")
        aspect, dtype = ask.aspects[name], case.setting.dtype
        right = self.enclosure if remember else self._worked_out
        enclosure, branches = right(case, aspect, claims)
        only = ""
        if self.strict and branches:
            only = TIE_NAMES[self.profile.ties] if aspect == "V" else self.profile.kink
        finding = judge(aspect, got, enclosure, dtype, branches, only)
        if finding.verdict.failing:
            return self._by_convention(case, aspect, got, claims) or finding
        return finding

    def _by_convention(self, case: AnyCase, aspect: str, got: Any, claims: Claims) -> Finding | None:
        """Whether the answer is right by a profile that differs in one convention."""
        for name, changed in relevant_variants(case, self.profile):
            enclosure = aspects_of(case, changed, claims).enclosure(aspect)
            finding = judge(aspect, got, enclosure, case.setting.dtype)
            if not finding.verdict.failing and not self.strict:
                return replace(finding, verdict=Verdict.CONVENTION, detail=f"right by {name}")
        return None


TIE_NAMES = {"up": "half up", "even": "half to even", "away": "half away from 0"}


def aspects_of(case: AnyCase, profile: Profile, claims: Claims) -> Aspects:
    """The right answers of a case."""
    setting = case.setting
    numbers = np.finfo(setting.dtype)
    arithmetic = Arithmetic(float(numbers.eps) / 2, float(numbers.tiny))
    if isinstance(case, AffineCase):
        theta, grid_bar = case.arrays["theta"], case.arrays["grid_bar"]
        return AffineAspects(theta, grid_bar, case.size, setting.align_corners, profile, arithmetic)
    coordinates = claims.half_coordinates if setting.dtype == "float16" else setting.dtype
    unit = float(np.finfo(coordinates).eps) / 2
    if isinstance(case, TpsCase):
        places, grid_bar, control = (case.arrays[name] for name in ("places", "grid_bar", "control_points"))
        solving = Arithmetic(unit, float(np.finfo(coordinates).tiny))
        settings = (setting.align_corners, arithmetic, solving, profile.singleton)
        return TpsAspects(places, grid_bar, case.size, control, *settings)
    reading = Reading(
        case.setting.mode,
        case.setting.padding_mode,
        setting.align_corners,
        profile,
        unit,
        claims.coordinate_operations,
    )
    return SamplerAspects(case.arrays, reading, arithmetic)


def branches_of(aspects: SamplerAspects, aspect: str, enclosure: Enclosure) -> dict[str, Array]:
    """What the answer would be if one and the same branch were taken at all kinks, or ties."""
    if aspects.reading.mode == "nearest":
        if aspect != "V":
            return {}
        return {name: _with_ties(aspects, ties) for ties, name in TIE_NAMES.items()}
    right, left = enclosure.choices[0], enclosure.choices[-1]
    named = {"right": right, "left": left, "mid": enclosure.choices.mean(0), "zero": 0 * right}
    if aspect == "grid_bar" and aspects.reading.mode == "bilinear":
        named |= {"sum of both": right + left, "paper": aspects.readings_of_eq7()}
    return named


def _with_ties(aspects: SamplerAspects, ties: str) -> Array:
    reading = replace(aspects.reading, profile=replace(aspects.reading.profile, ties=ties))
    return SamplerAspects(aspects.arrays, reading, aspects.arithmetic).enclosure("V").high


def relevant_variants(case: AnyCase, profile: Profile) -> Iterator[tuple[str, Profile]]:
    """Profiles that differ in a convention that matters for this case."""
    for name, changed in variants(profile):
        if isinstance(case, (AffineCase, TpsCase)):
            if changed.singleton != profile.singleton:
                yield name, changed
        elif case.setting.mode == "bicubic":
            if changed.cubic != profile.cubic:
                yield name, changed
        elif changed.tapers != profile.tapers and _beside_the_image(case, changed):
            yield name, changed


def _beside_the_image(case: AnyCase, profile: Profile) -> bool:
    """Whether a sample lies where an image among zeros goes to 0, and by this profile is 0 already."""
    aspects = aspects_of(case, profile, Claims())
    return isinstance(aspects, SamplerAspects) and bool(aspects.places.cut.any())


def _fingerprint(case: AnyCase) -> int:
    """What tells cases of one name apart that were made from different seeds."""
    total = 0
    for array in case.arrays.values():
        total = crc32(array.tobytes(), total)
    return total


def _is_missing(finding: Finding, answer: Answer) -> bool:
    """Whether a gradient is not there, although nothing says that it is not supported."""
    return finding.verdict is Verdict.UNSUPPORTED and not (answer.unsupported or answer.failure)


def _same_bits(first: Any, again: Any, finding: Finding) -> Finding:
    if first is None or again is None or np.asarray(first).tobytes() == np.asarray(again).tobytes():
        return finding
    return replace(finding, verdict=Verdict.NONDETERMINISTIC, detail="the same question, other bits")
