"""The goals, as a table, and whether the measured numbers meet them."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from .cases import NETWORKS, SIZES

MET, MISSED = "met", "not met"


@dataclass(frozen=True)
class Goal:
    """``cases``: stn_ref's time over ``peer``'s in each of them is to be at most ``limit``.

    ``group`` ties together what one line of the list of goals says.
    """

    group: str
    label: str
    cases: tuple[str, ...]
    limit: float
    peer: str = "PyTorch"

    @property
    def faster(self) -> bool:
        """Whether the goal is said as "so many times faster"."""
        return self.limit < 0.06


def _sampler(cases: Mapping[str, float], memory: str = "") -> list[Goal]:
    goals = []
    for case, limit in cases.items():
        letter, operation = case[0], case.rsplit("-", 1)[1]
        size = "x".join(map(str, SIZES[letter]))
        what = "forward" if operation == "fwd" else "forward and backward"
        extra = memory or ("float64" if "float64" in case else "")
        group = f"{letter} {size}{', ' + extra if extra else ''}"
        goals.append(Goal(group, f"{group}: {what}", (case,), limit))
    return goals


_ROWS = [
    *_sampler({"a-fwd": 0.9, "a-fb": 0.65, "b-fwd": 0.9, "b-fb": 0.65}),
    *_sampler({"c-last-fwd": 1.0, "c-last-fb": 0.5, "d-last-fwd": 0.6, "d-last-fb": 0.5}, "channels last"),
    *_sampler({"c-fb": 0.7, "d-fb": 0.7}, "channels first"),
    *_sampler({"e-fwd": 1.5, "e-fb": 1.0, "f-fwd": 1.5, "f-fb": 1.0, "g-fwd": 0.65, "g-fb": 0.55}),
    *_sampler({"a-float64-fb": 0.7, "b-float64-fb": 0.7}),
]
_FB = tuple(goal.cases[0] for goal in _ROWS if goal.cases[0].endswith("-fb"))

GOALS = [
    *_ROWS,
    Goal("JAX", "the worst of these, forward and backward, against JAX jit", _FB, 0.33, "JAX"),
    Goal("Chainer", "a against Chainer's NumPy kernels: forward", ("a-fwd",), 1 / 18, "Chainer"),
    Goal("Chainer", "a against Chainer's NumPy kernels: forward and backward", ("a-fb",), 1 / 28, "Chainer"),
    *(
        Goal("steps", f"training step, {network}, batch {batch}", (f"step-{name}-{batch}",), limit)
        for network, name, limit in zip(NETWORKS, ("paper-cnn", "tutorial-st-cnn"), (0.75, 0.55))
        for batch in (64, 256)
    ),
    Goal("gradcheck", "full gradcheck of the sampler", ("gradcheck",), 0.07),
    Goal("exact", "exact evaluation against plain fractions", ("exact",), 1 / 250, "Fractions"),
    Goal("tape", "tape overhead of an operation, forward and backward", ("tape",), 0.35),
]

# Of the growth measurements; see growth.py.
EXPONENT, MEMORY = (0.95, 1.05), 4.0


@dataclass(frozen=True)
class Verdict:
    """What came of a goal: the ratios (NaN-free, or None) and a word."""

    goal: Goal
    least: float | None
    median: float | None
    word: str


def ratio(entry: Mapping[str, Any], ours: str, peer: str) -> tuple[float, float] | None:
    """Minimum over minimum, and the median over rounds of the ratio in a round; None if one is missing."""
    a, b = (entry["peers"].get(name, {}).get("seconds") for name in (ours, peer))
    if not a or not b:
        return None
    return min(a) / min(b), median(x / y for x, y in zip(a, b))


def obstacle(entry: Mapping[str, Any] | None, ours: str, peer: str) -> str:
    """Why there is no ratio."""
    if entry is None:
        return "not measured"
    for name in (ours, peer):
        found = entry["peers"].get(name)
        if found is None:
            return f"{name} not asked"
        if found["status"] == "left out":
            return f"{found['why']}"
        if found["status"] != "ok":
            return f"{name} {found['status']}: {found['why']}"
    return "interrupted"


def verdict(goal: Goal, cases: Mapping[str, Any]) -> Verdict:
    """Of several cases the worst counts, and all of them are needed."""
    ratios = []
    for case in goal.cases:
        entry = cases.get(case)
        found = ratio(entry, "stn_ref", goal.peer) if entry else None
        if found is None:
            why = obstacle(entry, "stn_ref", goal.peer)
            return Verdict(goal, None, None, why if len(goal.cases) == 1 else f"{case}: {why}")
        ratios.append(found)
    least, middle = max(ratios)
    return Verdict(goal, least, middle, MET if least <= goal.limit else MISSED)
