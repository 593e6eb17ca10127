"""Table 1 of the paper: distorted digits, with and without a transformer, of three kinds."""

from functools import partial

from .classification import base_and_transformer, classify, first_images
from .digits import prepare_digits
from .experiment import Experiment, Quoted

MODELS = (
    "FCN",
    "CNN",
    *(f"ST-{base} {kind}" for base in ("FCN", "CNN") for kind in ("Aff", "Proj", "TPS")),
)
DATASETS = ("R", "RTS", "P", "E")
PUBLISHED = {
    "FCN": (2.1, 5.2, 3.1, 3.2),
    "CNN": (1.2, 0.8, 1.5, 1.4),
    "ST-FCN Aff": (1.2, 0.8, 1.5, 2.7),
    "ST-FCN Proj": (1.3, 0.9, 1.4, 2.6),
    "ST-FCN TPS": (1.1, 0.8, 1.4, 2.4),
    "ST-CNN Aff": (0.7, 0.5, 0.8, 1.2),
    "ST-CNN Proj": (0.8, 0.6, 0.8, 1.3),
    "ST-CNN TPS": (0.7, 0.5, 0.8, 1.1),
}

TABLE1 = Experiment(
    name="table1",
    title="Distorted digits (Table 1)",
    question="Does a spatial transformer lower the error of its base network, FCN or CNN, on digits that are "
    "rotated (R), rotated, scaled and translated (RTS), projected (P) or elastically warped (E)?",
    measure="test error, %",
    cells=tuple((model, dataset) for dataset in DATASETS for model in MODELS),
    setting={
        "train": 55_000,
        "validation": 5_000,
        "test": 10_000,
        "epochs": 6,
        "trial_epochs": 1,
        "batch_size": 64,
    },
    quick={"train": 4_000, "validation": 1_000, "test": 1_000, "epochs": 6, "batch_size": 64},
    quick_cells=tuple((model, "R") for model in MODELS),
    candidates=base_and_transformer,
    carry_out=partial(classify, prepare=prepare_digits),
    paper_protocol="SGD, 150,000 iterations of 256 images, learning rate 0.01 divided by 10 every 50,000; "
    "the best of each network, over 3 seeds for the ST networks",
    paper_samples=150_000 * 256,
    examples=partial(first_images, prepare=prepare_digits),
    quoted=tuple(
        Quoted(model, dataset, value)
        for model, values in PUBLISHED.items()
        for dataset, value in zip(DATASETS, values)
    ),
    compared=tuple((base, f"ST-{base} {kind}") for base in ("FCN", "CNN") for kind in ("Aff", "Proj", "TPS")),
)
