"""From an answer and the enclosure of the right ones to a verdict."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .truth.enclosures import Enclosure

Array = NDArray[Any]


class Verdict(str, Enum):
    """What is found about one answer. :attr:`passing` and :attr:`failing` say which kind it is.

    >>> Verdict.PASS_SET.passing, Verdict.CONVENTION.passing, Verdict.CONVENTION.failing
    (True, False, False)
    """

    EXACT = "EXACT"  # every number is the nearest one of its dtype
    PASS = "PASS"  # every number is within its bound
    PASS_SET = "PASS_SET"  # the same, and at kinks or ties one of several right answers
    CONVENTION = "CONVENTION"  # right by another profile
    UNSUPPORTED = "UNSUPPORTED"  # the backend says that it does not do this
    UNDECIDED = "UNDECIDED"  # so uncertain a coordinate that nothing can be said
    FAIL_VALUE = "FAIL_VALUE"  # a wrong value
    FAIL_GRAD = "FAIL_GRAD"  # a wrong derivative for the grid, or a tangent
    FAIL_ADJOINT = "FAIL_ADJOINT"  # U's cotangent is not the transpose of the sampler
    FAIL_SECOND = "FAIL_SECOND"  # a wrong derivative of second order
    FAIL_NONFINITE = "FAIL_NONFINITE"  # NaN or infinite where it must not be, or not where it must be
    FAIL_LAYOUT = "FAIL_LAYOUT"  # wrong, or an argument overwritten, for some order in memory
    FAIL_SHAPE = "FAIL_SHAPE"  # a shape or dtype that is not that of the answer
    NONDETERMINISTIC = "NONDETERMINISTIC"  # not the same bits when asked again
    CRASH = "CRASH"  # the process ended, or an exception
    TIMEOUT = "TIMEOUT"  # no answer within the limit
    ORACLE_DISAGREE = "ORACLE_DISAGREE"  # two ways to the right answer differ: a mistake of ours

    @property
    def passing(self) -> bool:
        return self in (Verdict.EXACT, Verdict.PASS, Verdict.PASS_SET)

    @property
    def failing(self) -> bool:
        return not self.passing and self not in (Verdict.CONVENTION, Verdict.UNSUPPORTED, Verdict.UNDECIDED)


WRONG = {
    "V": Verdict.FAIL_VALUE,
    "U_bar": Verdict.FAIL_ADJOINT,
    "grid_bar": Verdict.FAIL_GRAD,
    "V_dot": Verdict.FAIL_GRAD,
    "grid": Verdict.FAIL_VALUE,
    "theta_bar": Verdict.FAIL_GRAD,
    "places_bar": Verdict.FAIL_GRAD,
    "second.U": Verdict.FAIL_SECOND,
    "second.grid": Verdict.FAIL_SECOND,
    "second.V_bar": Verdict.FAIL_SECOND,
}


@dataclass(frozen=True)
class Finding:
    """A verdict with what led to it."""

    verdict: Verdict
    ratio: float = 0.0
    """How far the worst number lies outside the right ones, over the bound of its rounding."""
    ulps: float = 0.0
    """The largest error among the finite numbers, in units of the last place of the exact one."""
    branch: str = ""
    """Which of several right answers was given at kinks and ties."""
    detail: str = ""
    where: tuple[int, ...] = ()
    """The index of the worst number of the answer."""
    got: float | None = None
    expected: tuple[float, float] | None = None
    """The least and the largest right number there."""


def judge(
    aspect: str,
    got: Any,
    enclosure: Enclosure,
    dtype: str,
    branches: Mapping[str, Array] | None = None,
    only_branch: str = "",
) -> Finding:
    """The verdict on one answer.

    Parameters
    ----------
    branches : of name to array
        What the answer would be if a certain branch were taken at every kink or tie.
    only_branch : str
        A strict check: the name of the only branch that is right.
    """
    got = np.asarray(got)
    shape = enclosure.high.shape
    if got.shape != shape:
        return Finding(Verdict.FAIL_SHAPE, np.inf, detail=f"shape {got.shape}, expected {shape}")
    if got.dtype.name != dtype:
        return Finding(Verdict.FAIL_SHAPE, np.inf, detail=f"dtype {got.dtype}, expected {dtype}")
    if got.size == 0:
        return Finding(Verdict.EXACT)
    miss = enclosure.miss(got)
    at_set = _ambiguous(enclosure)
    branch = _branch(got, enclosure, branches or {}, at_set) if at_set.any() else ""
    common = _worst(miss, got, enclosure) | {"branch": branch, "ulps": _ulps(got, enclosure)}
    if not miss.max() <= 1:
        return Finding(_failure(aspect, got, enclosure, miss), **common)
    if only_branch and branch and only_branch not in branch.split(" or "):
        detail = f"at kinks and ties it takes {branch}, expected {only_branch}"
        return Finding(WRONG[aspect], **{**common, "ratio": np.inf, "detail": detail})
    vague = np.broadcast_to(enclosure.free | enclosure.finite, shape)
    if vague.all():
        return Finding(Verdict.UNDECIDED, **common)
    if branch:
        return Finding(Verdict.PASS_SET, **common)
    return Finding(Verdict.EXACT if (enclosure.exact(got) | vague).all() else Verdict.PASS, **common)


def _ambiguous(enclosure: Enclosure) -> Array:
    """Where different branches give answers that can be told apart."""
    spread = np.abs(enclosure.choices - enclosure.choices[0]).max(0)
    vague = np.asarray(enclosure.free | enclosure.finite | enclosure.nonfinite, bool)
    return np.asarray(enclosure.kinks & (spread > enclosure.slack) & ~vague)


def _failure(aspect: str, got: Array, enclosure: Enclosure, miss: Array) -> Verdict:
    wrong = ~(miss <= 1)
    finite = np.isfinite(got)
    if (wrong & (~finite | enclosure.nonfinite)).any():
        return Verdict.FAIL_NONFINITE
    return WRONG[aspect]


def _branch(got: Array, enclosure: Enclosure, branches: Mapping[str, Array], at: Array) -> str:
    """The names of the branches that explain the answer at all kinks."""
    with np.errstate(invalid="ignore"):
        names = [
            name
            for name, value in branches.items()
            if (np.abs(got.astype(np.float64) - value) <= enclosure.slack)[at].all()
        ]
    return " or ".join(names) or "mixed"


def _worst(miss: Array, got: Array, enclosure: Enclosure) -> dict[str, Any]:
    where = np.unravel_index(int(np.argmax(miss)), miss.shape)
    exact = float(enclosure.high[where])
    return {
        "ratio": float(miss[where]),
        "where": tuple(int(i) for i in where),
        "got": float(got[where]),
        "expected": (
            exact - float(enclosure.below[where]) - float(enclosure.slack[where]),
            exact + float(enclosure.above[where]) + float(enclosure.slack[where]),
        ),
    }


def _ulps(got: Array, enclosure: Enclosure) -> float:
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs((got.astype(np.float64) - enclosure.high) - enclosure.low)
        unit = np.spacing(np.abs(enclosure.high).astype(got.dtype)).astype(np.float64)
        ratio = error / unit
    ratio = np.where(np.isfinite(ratio) & ~(enclosure.free | enclosure.finite | enclosure.kinks), ratio, 0)
    return float(ratio.max(initial=0))
