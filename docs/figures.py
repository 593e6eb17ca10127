"""Makes the figures of the pages: ``python docs/figures.py``, with the extra ``viz``.

``python docs/figures.py kernels tape`` makes only those; the animation, ``learning``, takes a minute.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

import stn_ref as s
from stn_ref.data import distort, load_bundled
from stn_ref.nn import Adam, SpatialTransformer, cosine
from stn_ref.nn.networks import small_network
from stn_ref.ops.transformation import as_transformation
from stn_ref.pictures import Recorder, grid_sheet, kernel_sheet, tape_sheet, transformer_sheet
from stn_ref.pictures.canvas import new_figure, save_figure
from stn_ref.training import PlainProgress, fit

IMAGES = Path(__file__).parent / "images"


def a_digit() -> np.ndarray:
    return load_bundled("test").images[4].astype(np.float64) / 255


def transformations() -> None:
    """One digit under each kind of map; the frame is what the output reads."""
    bend = 0.12 * np.random.default_rng(1).standard_normal((16, 2))
    y, x = np.mgrid[-1:1:28j, -1:1:28j]
    thetas = {
        "translation": [0.3, -0.2],
        "scale": [0.6, 1.1],
        "rotation": [np.pi / 5],
        "similarity": [0.7, -0.5, 0.1, 0.1],
        "attention": [0.5, 0.1, -0.2],
        "shear": [0.4, 0.0],
        "affine": [0.8, 0.4, 0.1, -0.1, 1.0, 0.1],
        "projective": [0.9, 0.1, 0.0, 0.0, 0.9, 0.0, 0.2, 0.15],
        "thin-plate-spline": s.control_grid() + bend,
        "flow": 0.12 * np.stack([np.sin(4 * y), np.cos(5 * x)], axis=-1),
    }
    U, grids, outputs = a_digit()[None, None], [], []
    for name, theta in thetas.items():
        theta = np.reshape(theta, (1, -1)).astype(float)
        outputs.append(s.spatial_transform(U, theta, U.shape, transformation=name, align_corners=True)[0, 0])
        kind = as_transformation("figures", name)
        theta = kind.shaped("figures", theta, 1, (28, 28))
        grids.append(kind.grid(theta, size=(28, 28), source=(28, 28), align_corners=True)[0])
    transformer_sheet(
        IMAGES / "transformations.png",
        np.repeat(U[:, 0], len(thetas), axis=0),
        np.array(outputs),
        np.array(grids),
        align_corners=True,
        captions=list(thetas),
    )


def spline() -> None:
    """The grid of a thin plate spline over its input, and what it makes of it."""
    places = s.control_grid()[None] + 0.09 * np.random.default_rng(3).standard_normal((1, 16, 2))
    grid = s.tps_grid(places, (1, 1, 28, 28), align_corners=True)
    U = a_digit()[None, None]
    V = s.grid_sample(U, grid, align_corners=True)
    grid_sheet(IMAGES / "spline.png", U[0, 0], grid[0], align_corners=True, every=3, output=V[0, 0])


def kernels() -> None:
    """Each kernel and its slope."""
    named = (s.NEAREST, s.BILINEAR, s.bicubic(), s.LANCZOS, s.QUADRATIC_SPLINE, s.CUBIC_SPLINE)
    kernel_sheet(IMAGES / "kernels.png", [*named, s.gaussian(0.7), s.BILINEAR.widened(2.0)])


def zone_plate(size: int) -> np.ndarray:
    """Rings whose frequency grows from 0 at the centre to one period in four of 128 pixels at the edge."""
    x = (np.arange(size) + 0.5) / size * 2 - 1
    return 0.5 + 0.5 * np.cos(32 * np.pi * (x**2 + x[:, None] ** 2))


def antialias() -> None:
    """A zone plate shrunk to a quarter: skipping pixels, and averaging them."""
    U = zone_plate(128)[None, None]
    identity = np.eye(2, 3)[None]
    panels = {"128 x 128": U[0, 0]}
    for title, on in (("to 32 x 32, bilinear", False), ("bilinear, antialias=True", True)):
        panels[title] = s.spatial_transform(
            U, identity, (1, 1, 32, 32), padding_mode="reflection", align_corners=False, antialias=on
        )[0, 0]
    panels["mean over each pixel's area"] = zone_plate(32 * 64).reshape(32, 64, 32, 64).mean(axis=(1, 3))
    figure = new_figure(10, 2.9)
    for axis, (title, image) in zip(figure.subplots(1, 4), panels.items()):
        axis.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axis.set_title(title, fontsize=9)
        axis.set_axis_off()
    save_figure(figure, IMAGES / "antialias.png")


def tape() -> None:
    """The tape behind a loss on a sampled image."""
    U = s.Tensor(a_digit()[None, None], requires_grad=True)
    theta = s.Tensor(np.eye(2, 3)[None], requires_grad=True)
    grid = s.affine_grid(theta, (1, 1, 14, 14), align_corners=True)
    difference = s.grid_sample(U, grid, align_corners=True) - 0.5
    tape_sheet(IMAGES / "tape.png", (difference * difference).mean(), names={"U": U, "theta": theta})


def learning() -> None:
    """A transformer that finds its digits, while the network behind it learns to read them."""
    train, test = load_bundled("train"), load_bundled("test")
    network = small_network(np.random.default_rng(0), size=42, transformer=True)
    shown = distort(test.images[:8], "RTS", np.random.default_rng(1))
    name = next(name for name, m in network.modules() if isinstance(m, SpatialTransformer)).rstrip(".")
    recorder = Recorder(network, shown, every=20, name=name, progress=PlainProgress())
    steps = -(-len(train.labels) // 64)
    optimiser = Adam(network.named_parameters(), 0.003, schedule=cosine(8 * steps, warmup=steps))
    fit(
        network,
        optimiser,
        train.images,
        train.labels,
        epochs=8,
        batch_size=64,
        seed=0,
        distort=lambda images, rng: distort(images, "RTS", rng),
        progress=recorder,
    )
    recorder.save(IMAGES / "learning.gif", fps=8)


FIGURES: dict[str, Callable[[], None]] = {
    made.__name__: made for made in (transformations, spline, kernels, antialias, tape, learning)
}

if __name__ == "__main__":
    chosen = sys.argv[1:] or list(FIGURES)
    unknown = sorted(set(chosen) - set(FIGURES))
    if unknown:
        sys.exit(f"no such figure: {', '.join(unknown)}; there are {', '.join(FIGURES)}")
    for name in chosen:
        print(name)
        FIGURES[name]()
