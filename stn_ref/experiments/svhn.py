"""House numbers: up to five digits in one image, read by five heads at once."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import OnCanvas, digit_sequences, digit_strips, find_file, load_svhn_sample
from ..nn import Adam, TransformReport, composed
from ..nn.networks import EIGHTH, NUMBER_NETWORKS, PAPER, NumberTask, number_network
from ..ops import cross_entropy
from .classification import Prepared, classify, first_images
from .digits import fixed_rng, split
from .experiment import Candidate, Experiment, Quoted, Row, Run

MODELS = tuple(NUMBER_NETWORKS)
REAL = "SVHN 64"
TASKS = {"MNIST 64": NumberTask(64), "MNIST 128": NumberTask(128), REAL: NumberTask(64, channels=3)}
HELD_OUT = 56  # of the 256 real numbers to learn from
REAL_TIMES = 10  # as many epochs of the few as of the others; by then they are known by heart
TIMED = 8  # images
RATES = {
    "CNN": (Candidate(0.002), Candidate(0.001), Candidate(0.004)),
    "ST": (Candidate(0.002, 0.1), Candidate(0.002, 0.01), Candidate(0.001, 0.1)),
}


def carry_out(run: Run, checkpoint: Path) -> Row:
    """As all networks with labels; what the transformers do together is kept as one map on the image."""
    row = classify(run, checkpoint, prepare)
    if row["transformers"]:
        row["transformers"] = {"composed": on_the_image(row["transformers"])}
    if run.seed == 0 and not run.trial:
        row["full_step_seconds"] = full_step_seconds(run.model, TASKS[run.dataset])
    return row


def prepare(run: Run) -> Prepared:
    """A network for numbers made of digits, drawn once and placed anew in each epoch, or for real ones.

    Of the real ones there are few: they are seen ten times as often.
    """
    if run.dataset == REAL:
        return _prepare_real(run)
    counts = run.setting
    digits = split(
        replace(run, setting={part: counts[f"{part}_digits"] for part in ("train", "validation", "test")})
    )

    def placed(part: str, k: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        size, rng = TASKS[run.dataset].size, fixed_rng(run, part)
        return digit_sequences(digits[k].images, digits[k].labels, counts[part], size, rng)

    strips, labels = digit_strips(
        digits[0].images, digits[0].labels, counts["train"], fixed_rng(run, "train")
    )
    watched = placed("validation", 1)
    return Prepared(
        _network(run),
        strips,
        labels,
        measured=watched if run.trial else placed("test", 2),
        watched=watched,
        distort=OnCanvas(TASKS[run.dataset].size),
        data=f"numbers made of digits of the {digits[0].public_name}",
    )


def _prepare_real(run: Run) -> Prepared:
    path = find_file("svhn-512", run.data)
    sample, test = (load_svhn_sample(path, part) for part in ("train", "test"))
    order = fixed_rng(run, "validation").permutation(len(sample.numbers))
    held_out, train = order[:HELD_OUT], order[HELD_OUT:]
    watched = sample.numbers[held_out], sample.sequences[held_out]
    return Prepared(
        _network(run),
        sample.numbers[train],
        sample.sequences[train],
        measured=watched if run.trial else (test.numbers, test.sequences),
        watched=watched,
        data=f"{len(train)} real house numbers",
        epochs=REAL_TIMES * run.setting["epochs"],
    )


def _network(run: Run) -> Any:
    return number_network(
        run.model, np.random.default_rng(run.seed), TASKS[run.dataset], EIGHTH, matched=True
    )


def on_the_image(transformers: Row) -> Row:
    """Affine transformers one behind the other, as rows keep them, as one that moves the image."""
    reports = [
        TransformReport(
            np.array(one["theta"], np.float64).reshape(-1, 2, 3),
            (len(one["theta"]), 1, *one["size"]),
            one["align_corners"],
            source=tuple(one["source"]),
        )
        for one in transformers.values()
    ]
    numbers = composed(reports).theta.reshape(-1, 6)
    theta = np.round(numbers, 6).astype(object)
    theta[~np.isfinite(numbers)] = None  # JSON has no NaN
    first = next(iter(transformers.values()))
    return {
        **first,
        "size": first["source"],
        "theta": theta.tolist(),
    }


def full_step_seconds(model: str, task: NumberTask) -> float:
    """How long the processor is at one update of the network in its full width, with 8 images."""
    rng = np.random.default_rng(0)
    network = number_network(model, rng, task, PAPER)
    optimiser = Adam(network.named_parameters(), 0.001)
    images = rng.random((TIMED, task.channels, task.size, task.size), dtype=np.float32)
    labels = rng.integers(11, size=(TIMED, 5))
    spent = 0.0
    for _ in range(2):  # in the first, memory is taken
        began = time.process_time()
        network.zero_grad()
        cross_entropy(network(images), labels).backward()
        optimiser.step()
        spent = time.process_time() - began
    return spent


def _shown(run: Run) -> Any:
    """Real house numbers are not published on a page."""
    return None if run.dataset == REAL else first_images(run, prepare)


SVHN = Experiment(
    name="svhn",
    title="House numbers",
    question="One to five digits are in an image, and five heads have to read all of them. Does a "
    "transformer before the first layer help, or one before each of the first four? MNIST 64: numbers made "
    "of digits, in a tight crop of 64 pixels; MNIST 128: in a loose one of 128; SVHN 64: a few of the real "
    "ones.",
    measure="wrong sequences, %",
    cells=tuple((model, dataset) for dataset in TASKS for model in MODELS),
    setting={
        "train": 8_000,
        "validation": 1_000,
        "test": 2_000,
        "train_digits": 55_000,
        "validation_digits": 5_000,
        "test_digits": 10_000,
        "epochs": 9,
        "trial_epochs": 2,
        "batch_size": 32,
    },
    quick={
        "train": 2_000,
        "validation": 200,
        "test": 500,
        "train_digits": 4_000,
        "validation_digits": 1_000,
        "test_digits": 1_000,
        "epochs": 8,
        "batch_size": 32,
    },
    quick_cells=tuple((model, "MNIST 64") for model in MODELS),
    candidates=lambda model: RATES["ST" if "ST" in model else "CNN"],
    carry_out=carry_out,
    examples=_shown,
    paper_protocol="the whole of SVHN; localisation networks at a tenth of the learning rate",
    quoted=tuple(Quoted(model, REAL, value) for model, value in zip(MODELS, (4.0, 3.7, 3.6))),
    compared=(("CNN", "ST-CNN Single"), ("CNN", "ST-CNN Multi"), ("ST-CNN Single", "ST-CNN Multi")),
    choices="The networks have an eighth of the paper's filters and dense units, and no dropout; those with "
    "transformers have narrower dense layers, so that all have equally many parameters. At 128 pixels the "
    "first pooling takes 4x4 in place of 2x2. The paper's errors are those of networks eight times as wide, "
    "trained on all of SVHN; at 128 pixels they are 5.6 (CNN), 3.9 (Single) and 3.9 (Multi). From 200 real "
    "numbers, seen in ten times as many epochs, nothing of the kind can be learnt: they are known by heart "
    "soon, and others are not read. Where transformers are shown, their maps are composed to one of the "
    "image.",
)
