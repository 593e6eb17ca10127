"""Whether two ways to the right answer agree: exact arithmetic over arrays, and equations over fractions."""

from collections.abc import Sequence
from fractions import Fraction
from math import prod
from zlib import crc32

import numpy as np

from .interview import Claims, Judge, Result, aspects_of
from .questions import AnyCase
from .truth.aspects import SamplerAspects
from .truth.literal import LiteralSample
from .verdicts import Finding, Verdict

OF_A_SAMPLE = ("V", "grid_bar", "V_dot", "second.grid", "second.V_bar")
FARTHEST = 2.0**12  # normalised coordinates up to which the literal way walks back into the image


def disagreements(case: AnyCase, aspects: Sequence[str], judge: Judge, claims: Claims) -> list[Result]:
    """One result for each aspect about which the two ways do not agree to the last bit, at one sample."""
    own = aspects_of(case, judge.profile, claims)
    if not isinstance(own, SamplerAspects) or not own.arrays["U"].size or not own.arrays["grid"].size:
        return []
    if not all(np.isfinite(array).all() for array in own.arrays.values()):
        return []
    if np.abs(own.arrays["grid"]).max() > FARTHEST:
        return []
    rng = np.random.default_rng(crc32(case.id.encode()))
    n, p = int(rng.integers(own.n)), int(rng.integers(prod(own.target)))
    sample = LiteralSample(own.arrays, own.reading, n, p)
    found = []
    for aspect in set(aspects) & set(OF_A_SAMPLE):
        enclosure, _ = judge.enclosure(case, aspect, claims)
        last = aspect in ("grid_bar", "second.grid")
        high, low = (
            x[n].reshape(prod(own.target), own.d)[p] if last else x[n].reshape(own.channels, -1)[:, p]
            for x in (enclosure.high, enclosure.low)
        )
        for number, h, rest in zip(sample.aspect(aspect), high, low):
            if (float(number), float(number - Fraction(float(number)))) != (h, rest):
                detail = f"sample {p} of image {n}: {h!r} by arrays, {float(number)!r} by the equations"
                found.append(Result(case.id, aspect, Finding(Verdict.ORACLE_DISAGREE, np.inf, detail=detail)))
                break
    return found
