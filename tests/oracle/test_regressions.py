"""The mistakes of the public threads, each made again: its own case finds it and names the right verdict."""

import pytest

from stn_ref.faults import FAULTS
from stn_ref.oracle.checker import check
from stn_ref.oracle.interview import Judge
from stn_ref.oracle.matching import as_backend
from stn_ref.oracle.questions.regressions import REGRESSIONS
from stn_ref.oracle.truth.profiles import PROFILES

MADE_AGAIN = {  # by regression: a fault that is that mistake, and the verdict
    "border-edge-grad": ("border-derivative-kept", "FAIL_GRAD"),
    "reflect-huge": ("fold-32-bit", "FAIL_VALUE"),
    "zeros-huge": ("missing-mask", "FAIL_VALUE"),
    "folded-bounds": ("reflect-once", "FAIL_VALUE"),
    "nearest-tie": ("round-after-floor", "FAIL_VALUE"),
    "mask-times-infinity": ("mask-by-multiplication", "FAIL_NONFINITE"),
    "weights-before-padding": ("weights-before-padding", "FAIL_VALUE"),
    "height-1": ("zero-span", "FAIL_VALUE"),
    "centre-round-off": ("float32-inside", "FAIL_VALUE"),
    "strided-cotangent": ("ignored-strides", "FAIL_LAYOUT"),
    "memory-layouts": ("ignored-strides", "FAIL_LAYOUT"),
    "nondeterminism": ("nondeterministic-order", "NONDETERMINISTIC"),
    "double-backward": ("missing-mixed-term", "FAIL_SECOND"),
    "cubic-border-taps": ("clamp-centre-for-cubic", "FAIL_VALUE"),
    "fold-overflow": ("fold-32-bit", "FAIL_VALUE"),
    "reflection-size-1": ("zero-span", "FAIL_VALUE"),
    "integer-gradient-0": ("ceil-neighbour", "FAIL_GRAD"),
    "constant-ramp": ("paper-literal-kink", "FAIL_GRAD"),
    "kink": ("paper-literal-kink", "FAIL_GRAD"),
    "nearest-adjoint": ("assign-for-accumulate", "FAIL_ADJOINT"),
    "last-row-lost": ("last-row-lost", "FAIL_VALUE"),
    "clamp-for-zeros": ("weights-before-padding", "FAIL_VALUE"),
    "wrong-guard": ("bounds-off-by-one", "FAIL_VALUE"),
    "grid-gradient-only": ("needs-grid-only-broken", "FAIL_GRAD"),
    "floor-then-round": ("round-after-floor", "FAIL_VALUE"),
    "mixed-conventions": ("align-in-grid-only", "FAIL_VALUE"),
    "identity-loses-a-row": ("w-minus-2", "FAIL_VALUE"),
    "singleton-linspace": ("singleton-minus-one", "CONVENTION"),
    "attribute-dropped": ("align-in-grid-only", "FAIL_VALUE"),
    "enum-swapped": ("enum-swap", "FAIL_VALUE"),
    "zero-gradient-with-ceil": ("ceil-neighbour", "FAIL_GRAD"),
}
BY_NAME = {regression.name: regression for regression in REGRESSIONS}


@pytest.fixture(scope="module")
def judge():
    return Judge(PROFILES["paper"])


@pytest.mark.parametrize("name", MADE_AGAIN)
def test_a_mistake_of_the_past_is_found_by_its_case(name, judge):
    regression, (fault, verdict) = BY_NAME[name], MADE_AGAIN[name]
    backend = as_backend(FAULTS[fault].implementation)
    backend.dims, backend.dtypes = (2,), ("float64",)
    for claim, setting in {"modes": "mode", "padding_modes": "padding_mode"}.items():
        if setting in regression.where:
            setattr(backend, claim, (regression.where[setting],))
    report = check(
        backend,
        only=f"^{regression.family}/.*float64/2d",
        isolated=False,
        explain=False,
        judge=judge,
    )
    found = [result for result in report.results if result.verdict.value == verdict]
    assert {*regression.threads} & {thread for result in found for thread in result.threads}
