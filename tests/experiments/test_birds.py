"""Birds: transformers side by side look where they are told, and a whole run in small."""

import json
from dataclasses import replace

import numpy as np
import pytest

from stn_ref import gradcheck
from stn_ref.data.cub import read_birds
from stn_ref.experiments import EXPERIMENTS, Candidate, birds
from stn_ref.experiments.birds import box_in_square, flipped, squares
from stn_ref.nn import SpatialTransformer
from stn_ref.nn.networks import BIRD_NETWORKS, bird_network
from stn_ref.pictures.results import places_looked_at, transformer_views

from .gradients import as_function

PARTS = {"train": 9, "validation": 3, "classes": 2, "size": 64}
SMALL = {**PARTS, "epochs": 1, "trial_epochs": 1, "batch_size": 4}
EXPERIMENT = replace(EXPERIMENTS["birds"], setting=SMALL)
networks = pytest.mark.parametrize("name", BIRD_NETWORKS)
QUARTERS = [(0, 0), (0, 1), (1, 0), (1, 1)]  # row and column


def rng(seed=0):
    return np.random.default_rng(seed)


def transformers(network):
    return [module for _, module in network.modules() if isinstance(module, SpatialTransformer)]


def test_the_cnn_has_the_layers_that_are_stated():
    filters = (3, 16, 32, 64, 96)
    count = sum((k * k * i + 1) * o for k, i, o in zip((5, 3, 3, 3), filters, filters[1:])) + (96 + 1) * 50
    assert bird_network("CNN", rng(), size=96, classes=50).parameter_count() == count


@networks
def test_counts_of_parameters_are_nearly_equal_and_shapes_right(name):
    network = bird_network(name, rng(), size=96, classes=50)
    alone = bird_network("CNN", rng(), size=96, classes=50)
    assert network.parameter_count() == pytest.approx(alone.parameter_count(), rel=0.01)
    logits = network(rng(1).random((2, 3, 96, 96), dtype=np.float32))
    assert (logits.shape, logits.dtype) == ((2, 50), np.float32)
    assert len(transformers(network)) == BIRD_NETWORKS[name]


@pytest.mark.parametrize("where", range(4))
def test_a_transformer_looks_where_its_bias_says(where):
    """At first each of four takes a quarter; one whose bias is another's takes the other's."""
    image = np.zeros((1, 3, 64, 64), np.float32)
    row, column = QUARTERS[where]
    image[:, :, 32 * row : 32 * (row + 1), 32 * column : 32 * (column + 1)] = 1
    network = bird_network("4xST-CNN", rng(), size=64, classes=5)
    seen = [float(transformer(image).data.mean()) for transformer in transformers(network)]
    assert np.flatnonzero(np.array(seen) > 0.9).tolist() == [where]
    assert sorted(seen)[2] < 0.1
    first, last = transformers(network)[where], transformers(network)[3 - where]
    first.localisation[8].bias.data = last.localisation[8].bias.data
    assert (first(image).data == last(image).data).all()


def test_the_first_squares_tile_the_image():
    image = rng().random((1, 3, 64, 64), dtype=np.float32)
    for name, area in (("2xST-CNN", 2), ("4xST-CNN", 4)):
        network = bird_network(name, rng(), size=64, classes=5)
        network(image)
        boxes = np.concatenate([squares(transformer.report) for transformer in transformers(network)])
        assert len({tuple(box) for box in boxes.tolist()}) == area
        assert (boxes[:, 2:] - boxes[:, :2] == 1).all()
        assert (abs(boxes) <= 1).all()


@pytest.mark.parametrize("name", ["CNN", "2xST-CNN"])
def test_gradients_of_narrow_copies_in_float64(name):
    network = bird_network(name, rng(), size=64, classes=3, width=6)
    chance = rng(1)
    f, values = as_function(network, chance)
    inputs = (chance.random((2, 3, 64, 64)), *values)
    some = range(0, len(inputs), 4)
    assert gradcheck(f, inputs, batched=False, wrt=some, elements=1, directions=1).passed


def test_a_mirror_keeps_everything_but_the_sides():
    images = rng().integers(0, 256, (40, 3, 5, 4), np.uint8)
    seen = flipped(images, rng(1))
    assert seen.dtype == np.uint8
    mirrored = (seen == images[..., ::-1]).all(axis=(1, 2, 3))
    same = (seen == images).all(axis=(1, 2, 3))
    assert (mirrored ^ same).all()
    assert 10 < mirrored.sum() < 30


@pytest.fixture
def folder(tmp_path):
    """Two kinds of birds and a third that is not asked for, in the layout of the real set."""
    image = pytest.importorskip("PIL.Image")
    names, labels, parts, boxes = [], [], [], []
    for number in range(1, 25):
        kind = 1 + number % 3
        name = f"{kind:03}.A_bird/{number}.png"
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng(number).integers(0, 256, (40, 60, 3), np.uint8)
        image.fromarray(pixels).save(path)
        names.append(f"{number} {name}")
        labels.append(f"{number} {kind}")
        parts.append(f"{number} {int(number <= 18)}")
        boxes.append(f"{number} 20.0 5.0 20.0 40.0")
    lists = ("images", "image_class_labels", "train_test_split", "bounding_boxes")
    for name, lines in zip(lists, (names, labels, parts, boxes)):
        (tmp_path / f"{name}.txt").write_text("\n".join(lines))
    return tmp_path


def run_of(model, folder, trial=False):
    (run,) = EXPERIMENT.runs((model, "CUB 50"), 1, Candidate(0.001, 0.1), quick=False)
    return replace(run, trial=trial, data=str(folder))


def test_boxes_are_told_in_the_middle_square_and_cut_at_it(folder):
    """The square is 40 wide and begins at column 10; the box ends five pixels below the picture."""
    bird = read_birds(folder)[0]
    assert box_in_square(bird).tolist() == [-0.5, -0.75, 0.5, 1.0]


def test_parts_are_the_official_ones_and_a_trial_never_sees_the_test_set(folder):
    prepared = birds.prepare(run_of("CNN", folder))
    counts = [len(part) for part in (prepared.images, prepared.watched[1], prepared.measured[1])]
    assert counts == [9, 3, 4]
    parts = [
        {image.tobytes() for image in p} for p in (prepared.images, prepared.watched[0], prepared.measured[0])
    ]
    assert len(set.union(*parts)) == 16
    assert set(prepared.labels.tolist()) == {0, 1}
    trial = birds.prepare(run_of("CNN", folder, trial=True))
    assert trial.measured is trial.watched
    assert (birds.prepare(replace(run_of("2xST-CNN", folder), seed=4)).images == prepared.images).all()


def test_a_whole_run_is_kept_and_drawn_without_pictures(folder, tmp_path):
    run = run_of("2xST-CNN", folder)
    row = json.loads(json.dumps(birds.carry_out(run, tmp_path / "c.npz"), allow_nan=False))
    assert row["measured_on"] == 4
    assert [np.shape(places) for places in row["places"].values()] == [(4, 4), (4, 4)]
    assert row["boxes"] == [[-0.5, -0.75, 0.5, 1.0]] * 4
    left, right = (np.mean(places, axis=0) for places in row["places"].values())
    np.testing.assert_allclose(left, [-1, -0.5, 0, 0.5], atol=0.1)
    np.testing.assert_allclose(right, [0, -0.5, 1, 0.5], atol=0.1)
    again = birds.carry_out(run, tmp_path / "c.npz")  # from the checkpoint
    assert (again["wrong"], again["places"]) == (row["wrong"], row["places"])
    assert EXPERIMENT.examples is None
    pytest.importorskip("matplotlib")
    document = {"rows": [row], "examples": {}}
    assert transformer_views(tmp_path / "views.png", document).exists()
    assert places_looked_at(tmp_path / "none.png", {"rows": [{"seed": 0}]}) is None


def test_without_the_folder_it_says_what_is_missing():
    with pytest.raises(FileNotFoundError, match="cub is neither in"):
        birds.prepare(run_of("CNN", "no/such/folder"))


def test_equally_many_candidates_for_every_network():
    assert {len(set(EXPERIMENT.candidates(model))) for model in birds.MODELS} == {3}
