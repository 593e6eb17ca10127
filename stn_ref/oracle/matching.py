"""Which mistake of the dictionary a failing backend makes: the one whose answers are its own."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..faults import FAULTS, Fault, Plain
from .backend import Backend
from .interview import Claims, Evidence, Judge, Result
from .isolation import worker
from .report import Match

Array = NDArray[Any]
MOST = 36  # wrong answers that are compared, and right ones
ROUNDINGS = 32
TELLING = 0.9  # the share of both that a mistake must explain to be named


def matches(results: Sequence[Result], judge: Judge, claims: Claims) -> tuple[Match, ...]:
    """The mistakes that explain what is wrong and what is right, those that explain most of it first.

    A mistake is named if at least nine in ten of the wrong answers are its own, to rounding, and if it is
    right itself in nine in ten of the cases in which the backend is. A right answer of its is none of these,
    however near: in float16 it may be a rounding away from a wrong one.
    """
    known = [(r.verdict, r.evidence) for r in results if r.evidence is not None]
    wrong = _spread([e for verdict, e in known if verdict.failing and _is_wrong(e, judge, claims)])
    right = _spread([e for verdict, e in known if verdict.passing])
    if not wrong:
        return ()
    slacks = [_rounding(e, judge, claims) for e in wrong]
    found = []
    for fault in FAULTS.values():
        if fault.dangerous or fault.equivalent:
            continue
        matched = _count(_explains(e, fault, slack, judge, claims) for e, slack in zip(wrong, slacks))
        if matched >= TELLING * len(wrong):
            spared = _count(_is_right(e, fault, judge, claims) for e in right)
            if spared >= TELLING * len(right):
                found.append(Match(fault.name, fault.sentence, matched, len(wrong)))
    return tuple(sorted(found, key=lambda match: -match.matched))


def _is_wrong(evidence: Evidence, judge: Judge, claims: Claims) -> bool:
    """Whether it is the numbers that are wrong, and not how they came about."""
    enclosure = judge.known(evidence, claims)[0]
    got = None if evidence.got is None else np.asarray(evidence.got)
    return got is not None and got.shape == enclosure.high.shape and bool((enclosure.miss(got) > 1).any())


def as_backend(implementation: type[Plain]) -> Backend:
    """What the dictionary of mistakes knows, as a backend: it keeps to the form without saying so."""
    made: Backend = type(implementation.__name__, (implementation, Backend), {})()
    return made


def _spread(evidence: Sequence[Evidence]) -> list[Evidence]:
    """At most so many, evenly from the whole."""
    step = max(1, -(-len(evidence) // MOST))
    return list(evidence[::step])


def _count(true: Iterator[bool]) -> int:
    """How many are true; counting ends where it can no longer come to much."""
    matched = missed = 0
    for one in true:
        matched, missed = matched + one, missed + (not one)
        if missed > (1 - TELLING) * MOST:
            break
    return matched


def _rounding(evidence: Evidence, judge: Judge, claims: Claims) -> Array:
    """By how much two who make the same mistake may differ.

    The bound is one for right answers and may be 0 where those are; wrong ones round in relation to their own
    size.
    """
    got = np.asarray(evidence.got)
    size = np.abs(got[np.isfinite(got)].astype(np.float64)).max(initial=0)
    unit = float(np.finfo(got.dtype).eps) if got.dtype.kind == "f" else 0.0
    return np.asarray(2 * judge.known(evidence, claims)[0].slack + ROUNDINGS * unit * size)


def _explains(evidence: Evidence, fault: Fault, slack: Array, judge: Judge, claims: Claims) -> bool:
    """Whether the mistake gives the backend's answer, and is wrong where that is."""
    theirs, got = _answer(evidence, fault), np.asarray(evidence.got)
    if theirs is None or theirs.shape != got.shape:
        return False
    with np.errstate(all="ignore"):
        same = (np.abs(theirs - got) <= slack) | (theirs == got) | (np.isnan(theirs) & np.isnan(got))
    miss = judge.known(evidence, claims)[0].miss
    return bool(same.all() and ((miss(theirs) > 1) & (miss(got) > 1)).any())


def _is_right(evidence: Evidence, fault: Fault, judge: Judge, claims: Claims) -> bool:
    theirs, enclosure = _answer(evidence, fault), judge.known(evidence, claims)[0]
    if theirs is None or theirs.shape != enclosure.high.shape:
        return False
    return bool((enclosure.miss(theirs) <= 1).all())


def _answer(evidence: Evidence, fault: Fault) -> Array | None:
    """What somebody who makes the mistake answers, in float64."""
    call = evidence.ask.call
    arrays = {name: array.astype(np.float64) for name, array in call.arrays.items()}
    with np.errstate(all="ignore"):
        answer = worker.run(as_backend(fault.implementation), call._replace(arrays=arrays))
    return None if answer.failure else answer.outputs.get(evidence.output)
