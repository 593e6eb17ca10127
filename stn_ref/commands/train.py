"""Training any of the networks on any of the distortions, as `stn-ref train` does."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import DISTORTIONS, distort, load_digits
from ..nn import SGD, Adam, Module, Optimiser, constant, cosine, stepwise
from ..nn.networks import paper_network, small_network, tutorial_network
from ..training import (
    PlainProgress,
    Progress,
    SilentProgress,
    TqdmProgress,
    confusion_matrix,
    evaluate,
    fit,
    logits_of,
)

Array = NDArray[Any]
NETWORKS: dict[str, Callable[[np.random.Generator, int], Module]] = {
    "cnn": lambda rng, size: small_network(rng, size=size, transformer=False),
    "st-cnn": lambda rng, size: small_network(rng, size=size, transformer=True),
    "tutorial-cnn": lambda rng, size: tutorial_network(rng, transformer=False),
    "tutorial-st-cnn": lambda rng, size: tutorial_network(rng),
    "paper-cnn": lambda rng, size: paper_network(rng),
    "paper-st-cnn": lambda rng, size: paper_network(rng, filters=28, transformer=True),
}
ANY_SIZE = ("cnn", "st-cnn")
PROGRESS: dict[str, Callable[[], Progress]] = {
    "plain": PlainProgress,
    "tqdm": TqdmProgress,
    "none": SilentProgress,
}


def run(options: Any) -> None:
    """Train, evaluate on the test set, and print the result; ``options`` as the command line gives them."""
    train, test = (load_digits(options.data, split) for split in ("train", "test"))
    for digits in (train, test):
        if digits.note:
            print(f"note: {digits.note}")
    seen = distort(test.images, options.distortion, np.random.default_rng([options.seed, 1]))
    size = seen.shape[-1]
    if size != 28 and options.network not in ANY_SIZE:
        raise ValueError(
            f"network {options.network} takes 28x28 pixels, but {options.distortion} makes "
            f"{size}x{size}; use --network {' or '.join(ANY_SIZE)}, or --distortion none, R, P or E"
        )
    if options.momentum and options.optimiser != "sgd":
        raise ValueError("--momentum is for --optimiser sgd; adam has its own averages")
    if options.localisation_lr != 1 and not has_transformer(options.network):
        raise ValueError(f"--localisation-lr: network {options.network} has no localisation network")
    network = NETWORKS[options.network](np.random.default_rng(options.seed), size)
    steps = options.epochs * -(-len(train.labels) // options.batch_size)
    optimiser = make_optimiser(network, options, steps)
    print(
        f"{options.network}, {network.parameter_count():,} parameters; {len(train.labels):,} training and "
        f"{len(test.labels):,} test digits ({train.name}), distortion {options.distortion}, "
        f"seed {options.seed}" + _by(options.workers)
    )
    fit(
        network,
        optimiser,
        train.images,
        train.labels,
        epochs=options.epochs,
        batch_size=options.batch_size,
        seed=options.seed,
        distort=None if options.distortion == "none" else DISTORTIONS[options.distortion],
        validation=(seen, test.labels) if options.watch else None,
        checkpoint=options.checkpoint,
        resume=options.resume,
        workers=options.workers,
        progress=PROGRESS[options.progress](),
    )
    metrics = evaluate(network, seen, test.labels)
    print(
        f"test accuracy {metrics.accuracy * 100:.2f} %, {metrics.errors} of {metrics.count:,} wrong, "
        f"loss {metrics.loss:.4f}"
    )
    if options.confusion:
        print("rows: what it is, columns: what it was read as")
        for digit, row in enumerate(confusion_matrix(logits_of(network, seen), test.labels)):
            print(f"{digit}  " + " ".join(f"{count:5d}" for count in row))


def _by(workers: int | None) -> str:
    return "" if workers is None else f", {workers} worker{'s' * (workers > 1)}"


def has_transformer(network: str) -> bool:
    """Whether the network of that name begins with a spatial transformer."""
    return "st" in network.split("-")


def make_optimiser(network: Module, options: Any, steps: int) -> Optimiser:
    """The optimiser of the command line; ``steps`` is the length of the whole run."""
    schedule = {
        "constant": constant(),
        "cosine": cosine(steps, warmup=max(1, steps // 20)),
        "thirds": stepwise(max(1, -(-steps // 3))),
    }[options.schedule]
    settings: dict[str, Any] = {"schedule": schedule}
    if options.localisation_lr != 1:
        settings["multipliers"] = {"transformer.localisation": options.localisation_lr}
    if options.optimiser == "sgd":
        return SGD(network.named_parameters(), options.lr, momentum=options.momentum, **settings)
    return Adam(network.named_parameters(), options.lr, **settings)
