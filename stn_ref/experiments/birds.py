"""Birds: fifty kinds to tell apart, by parts that transformers side by side choose to look at."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import find
from ..data.cub import Bird, load_pictures, read_birds, read_picture
from ..nn import SpatialTransformer, TransformReport
from ..nn.networks import BIRD_NETWORKS, bird_network
from ..training import logits_of
from .classification import Prepared, classify
from .digits import fixed_rng
from .experiment import Candidate, Experiment, Quoted, Row, Run

MODELS = tuple(BIRD_NETWORKS)
LOOKED_AT = 64  # test images of which the row keeps where the transformers look
RATES = {
    "CNN": (Candidate(0.002), Candidate(0.001), Candidate(0.004)),
    "ST": (Candidate(0.002, 0.1), Candidate(0.002, 0.01), Candidate(0.004, 0.1)),
}


def carry_out(run: Run, checkpoint: Path) -> Row:
    """As all networks with labels; and where the transformers look, beside the boxes of the birds."""
    prepared = prepare(run)
    row = classify(run, checkpoint, lambda _: prepared)
    if not run.trial and row["transformers"]:
        birds = _birds(run, train=False)
        which = np.linspace(0, len(birds) - 1, min(LOOKED_AT, len(birds))).astype(int)
        logits_of(prepared.model, prepared.measured[0][which])
        row["places"] = {
            prefix.rstrip("."): np.round(squares(module.report), 4).tolist()
            for prefix, module in prepared.model.modules()
            if isinstance(module, SpatialTransformer) and module.report is not None
        }
        row["boxes"] = [np.round(box_in_square(birds[k]), 4).tolist() for k in which]
    return row


def squares(report: TransformReport) -> NDArray[Any]:
    """What attention takes of each image, (N, 4): (left, top, right, bottom), where the image is -1 to 1.

    >>> from stn_ref.ops import Attention
    >>> squares(TransformReport(np.array([[0.5, 0.0]]), (1, 3, 8, 8), True, Attention(fixed=0.5)))
    array([[ 0. , -0.5,  1. ,  0.5]])
    """
    scale, middle = report.matrix[:, 0, :1], report.matrix[:, :, 2]
    return np.concatenate([middle - scale, middle + scale], axis=1)


def prepare(run: Run) -> Prepared:
    """A network for pictures of birds, of the official split; some to learn from are held out."""
    setting = run.setting
    birds = _birds(run, train=True)
    order = fixed_rng(run, "validation").permutation(len(birds))
    held_out, train = order[: setting["validation"]], order[setting["validation"] :][: setting["train"]]
    watched = _seen([birds[k] for k in held_out], setting["size"])
    images, labels = _seen([birds[k] for k in train], setting["size"])
    network = bird_network(
        run.model, np.random.default_rng(run.seed), size=setting["size"], classes=setting["classes"]
    )
    return Prepared(
        network,
        images,
        labels,
        measured=watched if run.trial else _seen(_birds(run, train=False), setting["size"]),
        watched=watched,
        distort=flipped,
        data=f"the first {setting['classes']} classes of CUB-200-2011, {len(train):,} pictures to learn from",
    )


def flipped(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Each image as it is or, as probably, in a mirror.

    >>> flipped(np.array([[[[1, 2]]]] * 4, np.uint8), np.random.default_rng(0))[:, 0, 0].tolist()
    [[1, 2], [2, 1], [2, 1], [2, 1]]
    """
    mirrored = rng.random(len(images)) < 0.5
    return np.where(mirrored[:, None, None, None], images[..., ::-1], images)


def box_in_square(bird: Bird) -> NDArray[np.float64]:
    """(left, top, right, bottom) of the bird in the middle square of its picture, from -1 to 1; cut there."""
    size = np.array(read_picture("box_in_square", bird.path).size)
    left, top, width, height = bird.box
    corners = np.array([[left, top], [left + width, top + height]])
    # The square is as wide as the shorter side, and both have the same centre.
    inside: NDArray[np.float64] = np.clip((corners - size / 2) / (size.min() / 2), -1, 1)
    return inside.ravel()


def _birds(run: Run, *, train: bool) -> list[Bird]:
    every = read_birds(find("cub", run.data))
    return [bird for bird in every if bird.train == train and bird.label < run.setting["classes"]]


def _seen(birds: list[Bird], size: int) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    return load_pictures([bird.path for bird in birds], size), np.array([bird.label for bird in birds])


BIRDS = Experiment(
    name="birds",
    title="Birds",
    question="Fifty kinds of birds are to be told apart. Do two or four transformers side by side help, each "
    "of which takes a square of half the width for a network of its own, and where do they look?",
    measure="wrong test images, % (100 less the accuracy)",
    cells=tuple((model, "CUB 50") for model in MODELS),
    setting={
        "train": 1_300,
        "validation": 200,
        "classes": 50,
        "size": 96,
        "epochs": 40,
        "trial_epochs": 10,
        "batch_size": 32,
    },
    quick={"train": 150, "validation": 50, "classes": 5, "size": 64, "epochs": 10, "batch_size": 16},
    candidates=lambda model: RATES["ST" if "ST" in model else "CNN"],
    carry_out=carry_out,
    paper_protocol="all 200 classes, pictures of 448 pixels (of 224 in the lower line of 2xST-CNN), an "
    "Inception network trained on ImageNet before; localisation networks at 0.0001 of the learning rate",
    quoted=(
        Quoted("CNN", "CUB 50", 17.7),
        Quoted("2xST-CNN", "CUB 50", 16.1, 16.9),
        Quoted("4xST-CNN", "CUB 50", 15.9),
    ),
    compared=(("CNN", "2xST-CNN"), ("CNN", "4xST-CNN"), ("2xST-CNN", "4xST-CNN")),
    choices="Instead of Inception there are four layers of filters that begin with chance, and 26 pictures "
    "of each kind to learn from: an accuracy anywhere near the paper's 82 to 84 % is out of reach, and the "
    "paper's numbers are of another task. What can be asked is whether the transformers help, and where they "
    "look. "
    "The CNN sees the whole image at its full resolution; all networks have equally many parameters. The "
    "pictures are of 96 pixels, mirrored by chance. They may not be shown; the figure has the squares that "
    "the transformers took of 64 test images, and dashed the mean box of the birds. Also the miniature needs "
    "the folder CUB_200_2011.",
)
