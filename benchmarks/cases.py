"""What is measured: the cases, their inputs, and the peers that take part in each."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SIZES = {
    "a": (64, 1, 28, 28),
    "b": (64, 1, 60, 60),
    "c": (64, 32, 28, 28),
    "d": (16, 64, 56, 56),
    "e": (1, 3, 1024, 1024),
    "f": (8, 3, 224, 224),
    "g": (2, 4, 32, 32, 32),
}
OPERATIONS = {"fwd": "forward", "fb": "forward and backward"}
NETWORKS = ("paper CNN", "tutorial ST-CNN")
CHAIN = 200
COPIES = tuple(2**k for k in range(14, 28, 2))  # bytes of one array: from the first cache to main memory
GEMM = 1024


@dataclass(frozen=True)
class Case:
    """Something to measure; the fields beyond ``peers`` are for the kinds that need them.

    ``name`` is what ``--only`` looks at. ``dtype`` is that of the timed run; where ``float64_check`` is True
    the results are compared in float64 first, since in float32 rounding may move a sample across a kink.
    """

    name: str
    kind: str
    peers: tuple[str, ...]
    dtype: str = "float32"
    shape: tuple[int, ...] = ()
    memory: str = "channels first"
    operation: str = "forward"
    network: str = ""
    length: int = 0
    float64_check: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def sampler_case(letter: str, operation: str, dtype: str = "float32", memory: str = "channels first") -> Case:
    """A row of the sampler tables."""
    shape = SIZES[letter]
    peers = ["stn_ref", "stn_ref two calls", "PyTorch", "PyTorch 2 threads", "JAX", "JAX map_coordinates"]
    if letter == "a" and dtype == "float32":
        peers += ["Chainer", "autograd", "MyGrad"]
    if operation == "fwd":
        peers.append("SciPy")
    marks = [letter, *(["float64"] * (dtype == "float64")), *(["last"] * (memory == "channels last"))]
    return Case(
        *("-".join([*marks, operation]), "sampler", tuple(peers), dtype, shape, memory),
        operation=OPERATIONS[operation],
        float64_check=True,
    )


def sampler_cases() -> Iterator[Case]:
    """Every row, forward alone and forward with backward."""
    for letter in SIZES:
        for operation in OPERATIONS:
            if letter in "cd":
                yield sampler_case(letter, operation, memory="channels last")
            yield sampler_case(letter, operation)
            if letter in "ab":
                yield sampler_case(letter, operation, dtype="float64")


def all_cases() -> list[Case]:
    """Every case that compares peers, in the order of the report."""
    both = ("stn_ref", "PyTorch", "PyTorch 2 threads")
    steps = [
        Case(
            f"step-{network.replace(' ', '-').lower()}-{batch}",
            *("step", both),
            shape=(batch, 1, 28, 28),
            network=network,
            float64_check=True,
        )
        for network in NETWORKS
        for batch in (64, 256)
    ]
    taping = ("stn_ref", "PyTorch", "Chainer", "autograd", "MyGrad")
    return [
        *sampler_cases(),
        *steps,
        Case("gradcheck", "gradcheck", ("stn_ref", "PyTorch"), "float64", (2, 2, 5, 6)),
        Case("gradcheck-larger", "gradcheck", ("stn_ref", "PyTorch"), "float64", (2, 4, 9, 10)),
        Case("tape", "tape", taping, "float64", (4,), length=CHAIN),
        Case("exact", "exact", ("stn_ref", "Fractions"), "float64", (1, 1, 6, 5)),
    ]


def machine_cases() -> list[Case]:
    """What the machine itself can do: copies of several sizes, and one matrix product."""
    copies = [Case(f"copy-{n}", "copy", ("NumPy",), shape=(n // 4,)) for n in COPIES]
    return [*copies, Case("gemm", "gemm", ("NumPy",), shape=(GEMM, GEMM))]


def inputs(case: Case) -> dict[str, Array]:
    """The arrays of a case, in float64; the same each time."""
    rng = np.random.default_rng(list(case.name.encode()))
    return {
        "sampler": _sampler_inputs,
        "step": _step_inputs,
        "gradcheck": _gradcheck_inputs,
        "tape": _tape_inputs,
        "exact": _exact_inputs,
        "copy": lambda case, rng: {},
        "gemm": lambda case, rng: {},
    }[case.kind](case, rng)


def mild_thetas(count: int, d: int, rng: np.random.Generator) -> Array:
    """Rotations of up to 0.3, scales of 0.8 to 1.25, shifts of up to 0.2: some samples lie outside."""
    if d == 3:
        return np.eye(3, 4) + rng.uniform(-0.15, 0.15, (count, 3, 4))
    angle, shift = rng.uniform(-0.3, 0.3, count), rng.uniform(-0.2, 0.2, (count, 2, 1))
    scale = np.exp(rng.uniform(np.log(0.8), np.log(1.25), (count, 2, 1)))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.concatenate([np.moveaxis(rotation, -1, 0) * scale, shift], axis=-1)


def _sampler_inputs(case: Case, rng: np.random.Generator) -> dict[str, Array]:
    theta = mild_thetas(case.shape[0], len(case.shape) - 2, rng)
    return {"U": rng.normal(size=case.shape), "theta": theta, "V_bar": rng.normal(size=case.shape)}


def _step_inputs(case: Case, rng: np.random.Generator) -> dict[str, Array]:
    """Real digits, and weights by the parameters' names; theta away from the identity, which is all kinks."""
    from stn_ref.data import load_bundled
    from stn_ref.nn.networks import paper_network, tutorial_network

    digits = load_bundled("train")
    count = case.shape[0]
    network = paper_network(rng) if case.network == "paper CNN" else tutorial_network(rng)
    weights = {name: p.data.astype(np.float64) for name, p in network.named_parameters()}
    if case.network == "tutorial ST-CNN":
        *_, head = sorted(n for n in weights if n.startswith("transformer") and n.endswith("weight"))
        weights[head] = rng.normal(scale=0.05, size=weights[head].shape)
    images = digits.images[:count].reshape(case.shape) / 255.0
    return {"images": images, "labels": digits.labels[:count].astype(np.int64), **weights}


def _gradcheck_inputs(case: Case, rng: np.random.Generator) -> dict[str, Array]:
    """Samples at least 0.05 pixels from the kinks, some of them outside."""
    N, _, H, W = case.shape
    cell = np.stack([rng.integers(-1, n, (N, 4, 5)) for n in (W, H)], axis=-1)
    pixels = cell + rng.uniform(0.05, 0.95, cell.shape)
    return {"U": rng.normal(size=case.shape), "grid": pixels * 2 / (np.array([W, H]) - 1) - 1}


def _tape_inputs(case: Case, rng: np.random.Generator) -> dict[str, Array]:
    return {
        "x": rng.normal(size=case.shape),
        "w": rng.uniform(0.2, 0.8, case.shape),
        "y_bar": rng.normal(size=case.shape),
    }


def _exact_inputs(case: Case, rng: np.random.Generator) -> dict[str, Array]:
    H, W = case.shape[2:]
    points = np.stack([rng.uniform(-1, n, (64, 64)) for n in (W, H)], axis=-1)
    return {"U": rng.normal(size=case.shape), "points": points}
