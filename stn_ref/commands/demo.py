"""The demonstration: check the gradients, train a CNN and an ST-CNN on the same digits, show the result."""

import sys
import time
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from ..data import Digits, distort, load_digits
from ..nn import Adam, Module, SpatialTransformer, cosine
from ..nn.networks import small_network
from ..pictures.terminal import columns_that_fit, has_greys, side_by_side
from ..training import Metrics, PlainProgress, evaluate, fit
from .checks import check_equations

Array = NDArray[Any]
KIND, LR, BATCH = "RTS", 3e-3, 64


def run(*, seed: int, epochs: int, directory: str | None, figure: str | None) -> bool:
    """Everything `stn-ref demo` does; whether all gradient checks passed."""
    started = time.monotonic()
    train, test = load_digits(directory, "train"), load_digits(directory, "test")
    train = Digits(train.images[:5000], train.labels[:5000], train.name, train.note)
    print(
        "1. Are the gradients right? Each is compared with finite differences that bound their own error.\n"
    )
    passed = True
    for row in check_equations(test.images[:4], seed):
        passed &= row.ok
        print(f"   {row}")
    print(
        "\n   (At integer coordinates eq. (7), read to the letter, returns the pixel instead of a slope;\n"
        "   the check refuses that reading, as it should. The library takes the slope on the right.)\n"
    )

    images = test.images[:1000]
    labels = test.labels[:1000]
    seen = distort(images, KIND, np.random.default_rng([seed, 1]))
    networks = {
        name: small_network(np.random.default_rng(seed), size=seen.shape[-1], transformer=name == "ST-CNN")
        for name in ("CNN", "ST-CNN")
    }
    counts = " and ".join(f"{network.parameter_count():,} ({name})" for name, network in networks.items())
    print(
        f"2. Does the transformer help? Two networks of {counts} parameters learn\n"
        f"   {len(train.labels):,} digits ({train.name}), turned by up to 45 degrees,\n"
        "   scaled by 0.7 to 1.2 and placed at random in 42x42 pixels, anew in each epoch. Both see\n"
        "   the same digits in the same order under the same distortions, with the same settings:\n"
        f"   {epochs} epochs, batches of {BATCH}, Adam at {LR} falling on a cosine, seed {seed}.\n"
    )
    results = {}
    for name, network in networks.items():
        results[name] = learn(name, network, train, (seen, labels), epochs=epochs, seed=seed)
        print("")
    for name, metrics in results.items():
        print(
            f"   {name:<7} {metrics.accuracy * 100:5.1f} % of {metrics.count:,} test digits right, "
            f"{metrics.errors} wrong"
        )
    print("\n3. What the transformer does with test digits: above what it gets, below what it hands on.\n")
    show(networks["ST-CNN"], seen, labels, sys.stdout)
    if figure is not None:
        save_figure(networks["ST-CNN"], seen, labels, results, Path(figure))
    print(f"\n{time.monotonic() - started:.0f} s in all.")
    return passed


def learn(
    name: str, network: Module, train: Digits, test: tuple[Array, Array], *, epochs: int, seed: int
) -> Metrics:
    """Train one network and evaluate it once, at the end."""
    steps = -(-len(train.labels) // BATCH)
    optimiser = Adam(network.named_parameters(), LR, schedule=cosine(epochs * steps, warmup=steps))
    fit(
        network,
        optimiser,
        train.images,
        train.labels,
        epochs=epochs,
        batch_size=BATCH,
        seed=seed,
        distort=lambda images, rng: distort(images, KIND, rng),
        progress=PlainProgress(prefix=f"   {name:<7} "),
    )
    return evaluate(network, *test)


def transformed(network: Module, images: Array) -> tuple[Array, Array, Array, bool]:
    """Transformer outputs (N, H', W'), sampling grids, predicted classes, the transformer's align_corners."""
    network.eval()
    predicted = np.argmax(network(images).data, axis=1)
    transformer = next(m for _, m in network.modules() if isinstance(m, SpatialTransformer))
    outputs = transformer(images)
    report = transformer.report
    assert report is not None  # the forward pass above made it
    return outputs.data[:, 0], report.grid, predicted, report.align_corners


def show(network: Module, images: Array, labels: Array, stream: TextIO) -> None:
    """A few digits before and after the transformer, in the terminal."""
    count = columns_that_fit(24, most=5)
    shown = images[:count]
    outputs, _, predicted, _ = transformed(network, shown)
    greys = has_greys(stream)
    halves = shown[:, 0].reshape(count, 21, 2, 21, 2).mean(axis=(2, 4))
    above = side_by_side(list(halves), [""] * count, greys=greys, width=24)
    captions = [f"a {label}, read as {guess}" for label, guess in zip(labels, predicted)]
    small = outputs.reshape(count, 14, 2, 14, 2).mean(axis=(2, 4))
    below = side_by_side(list(small), captions, greys=greys, width=24)
    for line in [*above, *below]:
        stream.write(f"   {line}".rstrip() + "\n")


def save_figure(
    network: Module, images: Array, labels: Array, results: dict[str, Metrics], path: Path
) -> None:
    """Inputs with sampling frames and outputs as a figure, if Matplotlib is there; otherwise say so."""
    from ..pictures.sheets import transformer_sheet

    outputs, grid, predicted, align_corners = transformed(network, images[:10])
    captions = [f"{label}, read as {guess}" for label, guess in zip(labels, predicted)]
    accuracies = ", ".join(f"{name} {metrics.accuracy:.1%}" for name, metrics in results.items())
    try:
        transformer_sheet(
            path,
            images[:10, 0],
            outputs,
            grid,
            align_corners=align_corners,
            captions=captions,
            title=f"Rotated, scaled, translated digits; test accuracy: {accuracies}",
        )
    except (ModuleNotFoundError, OSError, ValueError) as error:
        print(f"\n   No figure: {error}")
    else:
        print(f"\n   The same as a figure: {path}")
