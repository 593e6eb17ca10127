"""Mistakes that were made in public, and the cases that find them again."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Regression:
    """A mistake with a name, the public threads about it, and where a case of which family shows it."""

    name: str
    threads: tuple[str, ...]
    family: str
    where: dict[str, Any] = field(default_factory=dict)
    ways: tuple[str, ...] = ()
    """Words for the ways of asking in which it shows, if it does not in the ordinary one."""


def _regression(
    name: str, threads: str, family: str, *, ways: tuple[str, ...] = (), **where: Any
) -> Regression:
    return Regression(name, tuple(threads.split()), family, where, ways)


P = "pytorch/pytorch"
REGRESSIONS = (
    _regression("border-edge-grad", f"{P}#23925", "kinks", padding_mode="border"),
    _regression("nan-coordinate", f"{P}#24823 {P}#19826", "nan-coordinate"),
    _regression("infinite-coordinate", f"{P}#24823 {P}#19826", "infinite-coordinate"),
    _regression("reflect-huge", f"{P}#42616", "ladder", padding_mode="reflection"),
    _regression("zeros-huge", f"{P}#51911", "ladder", padding_mode="zeros"),
    _regression("folded-bounds", f"{P}#35202 {P}#35506", "far", padding_mode="reflection"),
    _regression("nearest-tie", f"{P}#97000", "ties", mode="nearest"),
    _regression("half-coordinate", f"{P}#89836 {P}#96429 {P}#96586", "wide-image", dtype="float16"),
    _regression("half-other-cell", f"{P}#120543", "one-ulp", dtype="float16"),
    _regression("mask-times-infinity", f"{P}#194787", "nonfinite-pixel"),
    _regression("weights-before-padding", f"{P}#10051", "quarters", padding_mode="zeros"),
    _regression("height-1", f"{P}#15386", "one-pixel-high"),
    _regression("centre-round-off", f"{P}#81868", "identity"),
    _regression("strided-cotangent", f"{P}#124154", "random", ways=("arrays",)),
    _regression("stride-0-input", f"{P}#2307", "repeated", ways=("broadcast",)),
    _regression("cotangent-shape", f"{P}#191915", "many-channels", ways=("wrong shape",)),
    _regression("memory-layouts", f"{P}#174339 {P}#171602", "random", ways=("channels",)),
    _regression("nondeterminism", f"{P}#180417 {P}#175047", "random", ways=("again",)),
    _regression("empty", f"{P}#175683", "empty-output"),
    _regression("double-backward", f"{P}#34704", "random", ways=("second",)),
    _regression(
        "cubic-border-taps", "microsoft/onnxruntime#10607", "quarters", mode="bicubic", padding_mode="border"
    ),
    _regression("fold-overflow", "microsoft/onnxruntime#27975", "ladder", padding_mode="reflection"),
    _regression("reflection-size-1", "microsoft/onnxruntime#27639", "one-pixel", padding_mode="reflection"),
    _regression("integer-gradient-0", "jax-ml/jax#3024 jax-ml/jax#3110", "kinks"),
    _regression("constant-ramp", "jax-ml/jax#5687", "constant-image"),
    _regression("kink", "tensorflow/addons#2535", "kinks", mode="bilinear"),
    _regression("nearest-adjoint", "tensorflow/tensorflow#127241", "collisions", mode="nearest"),
    _regression(
        "last-row-lost",
        "tensorflow/models#2016 tensorflow/models#7564 kevinzakka/spatial-transformer-network#13",
        "kinks",
    ),
    _regression(
        "clamp-for-zeros", "tensorflow/models#1320 Lasagne/Lasagne#689", "quarters", padding_mode="zeros"
    ),
    _regression("wrong-guard", "apache/mxnet#5044", "quarters"),
    _regression(
        "grid-gradient-only",
        "apache/mxnet#8866 PaddlePaddle/Paddle#38900 PaddlePaddle/Paddle#70147",
        "random",
        ways=("only",),
    ),
    _regression("floor-then-round", "PaddlePaddle/Paddle#74555", "one-ulp", mode="nearest"),
    _regression("mixed-conventions", "kornia/kornia#3945 kornia/kornia#4503", "random", align_corners=False),
    _regression("identity-loses-a-row", "kornia/kornia#862", "identity"),
    _regression("singleton-linspace", "kornia/kornia#4006", "affine-singleton"),
    _regression("half-precision-grid", "pytorch/vision#9029", "affine-half", dtype="float16"),
    _regression("attribute-dropped", "apache/tvm#19864", "far", align_corners=False),
    _regression("enum-swapped", "NVIDIA/TensorRT#3340", "far", padding_mode="border"),
    _regression("zero-gradient-with-ceil", "google-deepmind/dm_pix#126", "kinks", mode="bilinear"),
)

NOT_ASKED = {
    f"{P}#41656": "offsets beyond 32 bits need an array of more than 2^31 numbers",
    f"{P}#41923": "the same",
    f"{P}#177487": "vmap is not part of a backend's interface",
}
"""Threads about mistakes that no case finds, and why."""


def threads_of(family: str, setting: Any, way: str = "") -> tuple[str, ...]:
    """The threads about mistakes that a case of this family and setting shows, when asked in such a way."""
    found = [
        thread
        for regression in REGRESSIONS
        if regression.family == family
        and (not regression.ways or any(word in way for word in regression.ways))
        and all(getattr(setting, name, value) == value for name, value in regression.where.items())
        for thread in regression.threads
    ]
    return tuple(dict.fromkeys(found))
