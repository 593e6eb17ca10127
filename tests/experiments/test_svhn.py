"""House numbers: the paper's layers, gradients, and a whole run in small."""

import json
from dataclasses import replace

import numpy as np
import pytest

from stn_ref import gradcheck
from stn_ref.experiments import EXPERIMENTS, Candidate, svhn
from stn_ref.experiments.page import page
from stn_ref.nn import SpatialTransformer, composed
from stn_ref.nn.networks import EIGHTH, NUMBER_NETWORKS, PAPER, NumberTask, Widths, number_network
from stn_ref.pictures.results import transformer_views

from .gradients import as_function

NARROW = Widths((1, 1, 2, 2, 2, 2, 2, 2), 4, 2, 2)
DIGITS = {"train_digits": 100, "validation_digits": 50, "test_digits": 50}
COUNTS = {"train": 12, "validation": 8, "test": 10, "epochs": 1, "trial_epochs": 1, "batch_size": 6}
SMALL = {**COUNTS, **DIGITS}
EXPERIMENT = replace(EXPERIMENTS["svhn"], setting=SMALL, quick=SMALL)
networks = pytest.mark.parametrize("name", NUMBER_NETWORKS)


def rng(seed=0):
    return np.random.default_rng(seed)


def run_of(model, dataset, trial=False, data=None):
    (run,) = EXPERIMENT.runs((model, dataset), 1, Candidate(0.001, 0.1), quick=False)
    return replace(run, trial=trial, data=data)


def by_hand(name, channels):
    """The parameters of the paper's layers, at 64 pixels."""
    filters = (48, 64, 128, 160, 192, 192, 192, 192)
    count = sum((25 * i + 1) * o for i, o in zip((channels, *filters), filters))
    count += 3 * (192 * 4 * 4 + 1) * 3072 + 5 * (3072 + 1) * 11
    theta = (32 + 1) * 32 + (32 + 1) * 6
    if name == "ST-CNN Single":
        count += (25 * channels + 1) * 32 + (25 * 32 + 1) * 32 + (32 * 32 * 32 + 1) * 32 + theta
    if name == "ST-CNN Multi":
        maps = ((channels, 64), (48, 32), (64, 32), (128, 16))
        count += sum((c * size * size + 1) * 32 + theta for c, size in maps)
    return count


@networks
def test_the_full_network_has_the_papers_layers(name):
    network = number_network(name, rng(), NumberTask(64, 3), PAPER)
    assert network.parameter_count() == by_hand(name, 3)


@networks
@pytest.mark.parametrize("task", svhn.TASKS.values(), ids=svhn.TASKS)
def test_the_reduced_networks_are_of_one_size_and_begin_at_the_identity(name, task):
    network = number_network(name, rng(), task, EIGHTH, matched=True)
    alone = number_network("CNN", rng(), task, EIGHTH)
    assert network.parameter_count() == pytest.approx(alone.parameter_count(), rel=0.002)
    images = rng(1).random((2, task.channels, task.size, task.size), dtype=np.float32)
    logits = network(images)
    assert (logits.shape, logits.dtype) == ((2, 5, 11), np.float32)
    reports = [m.report for _, m in network.modules() if isinstance(m, SpatialTransformer)]
    assert len(reports) == NUMBER_NETWORKS[name]
    assert all((report.theta == np.eye(2, 3)).all() for report in reports)
    first = network.state_dict()["conv1.weight"]
    assert (first == alone.state_dict()["conv1.weight"]).all()


@networks
def test_gradients_of_narrow_copies_in_float64(name):
    network = number_network(name, rng(), NumberTask(16), NARROW)
    chance = rng(1)
    f, values = as_function(network, chance)
    inputs = (chance.random((2, 1, 16, 16)), *values)
    assert gradcheck(f, inputs, batched=False, elements=1, directions=1).passed


def test_maps_one_behind_the_other_are_one_on_the_image():
    half_right = {
        "transformation": "affine",
        "size": [32, 32],
        "source": [64, 64],
        "align_corners": True,
        "theta": [[0.5, 0, 0.5, 0, 0.5, 0]],
    }
    up = {**half_right, "source": [32, 32], "theta": [[1, 0, 0, 0, 1, -1.0]]}
    whole = svhn.on_the_image({"transformer1": half_right, "transformer2": up})
    assert whole["theta"] == [[0.5, 0, 0.5, 0, 0.5, -0.5]]  # half of the second one's step
    assert (whole["size"], whole["source"]) == ([64, 64], [64, 64])
    lost = {**half_right, "theta": [[None] * 6]}
    assert json.dumps(svhn.on_the_image({"transformer1": lost})["theta"]) == json.dumps([[None] * 6])


@pytest.fixture
def narrow(monkeypatch):
    monkeypatch.setattr(svhn, "EIGHTH", NARROW)
    monkeypatch.setattr(svhn, "PAPER", NARROW)


@pytest.mark.usefixtures("narrow")
def test_a_whole_run_is_kept_and_drawn(tmp_path):
    run = run_of("ST-CNN Multi", "MNIST 64")
    row = json.loads(json.dumps(svhn.carry_out(run, tmp_path / "c.npz"), allow_nan=False))
    assert row["measured_on"] == 10
    assert 0 <= row["error"] <= 100
    assert row["full_step_seconds"] > 0
    assert len(row["transformers"]["composed"]["theta"]) == 10
    again = svhn.carry_out(run, tmp_path / "c.npz")  # from the checkpoint
    assert (again["wrong"], again["transformers"]) == (row["wrong"], row["transformers"])
    pixels = np.round(255 * EXPERIMENT.examples(run)).astype(np.uint8)
    document = {
        "experiment": "svhn",
        "rows": [row],
        "examples": {"MNIST 64": {"shape": list(pixels.shape), "pixels": pixels.tobytes().hex()}},
        "trials": [],
        "protocol": {"quick": False, "seeds": 1, "setting": SMALL, "choices": "", "data": [row["data"]]},
    }
    assert f"ST-CNN Multi on MNIST 64 {row['full_step_seconds']:.1f} s" in page(document, EXPERIMENT, {})
    pytest.importorskip("matplotlib")
    assert transformer_views(tmp_path / "views.png", document).exists()


@pytest.mark.usefixtures("narrow")
def test_the_composed_map_is_that_of_the_network():
    run = run_of("ST-CNN Multi", "MNIST 64")
    prepared = svhn.prepare(run)
    reports = []
    for _, module in prepared.model.modules():
        if isinstance(module, SpatialTransformer):
            bias = module.localisation[5].bias
            bias.data = bias.data + np.float32([0, 0.1, 0, 0, 0, 0.2])
    prepared.model(prepared.measured[0][:2].astype(np.float32))
    kept = {}
    for prefix, module in prepared.model.modules():
        if isinstance(module, SpatialTransformer):
            report = module.report
            reports.append(report)
            kept[prefix] = {
                "size": list(report.size[2:]),
                "source": list(report.source),
                "align_corners": True,
                "theta": report.theta.reshape(2, 6).tolist(),
            }
    expected = composed(reports).theta.reshape(2, 6)
    np.testing.assert_allclose(svhn.on_the_image(kept)["theta"], expected, atol=1e-6)


@pytest.mark.usefixtures("narrow")
def test_sets_are_the_same_for_all_networks_and_seeds_and_a_trial_never_sees_the_test_set():
    first = svhn.prepare(run_of("CNN", "MNIST 64"))
    second = svhn.prepare(replace(run_of("ST-CNN Single", "MNIST 64"), seed=3))
    assert (first.images == second.images).all()
    assert (first.measured[0] == second.measured[0]).all()
    trial = svhn.prepare(run_of("CNN", "MNIST 64", trial=True))
    assert trial.measured is trial.watched
    assert trial.measured[0].shape == (8, 1, 64, 64)
    assert svhn.prepare(run_of("CNN", "MNIST 128")).measured[0].shape == (10, 1, 128, 128)


@pytest.fixture
def sample(tmp_path):
    """A file such as that of the real numbers, of noise."""
    chance, fields = rng(), {}
    for part, count in (("train", 60), ("test", 7)):
        there = np.arange(5) < chance.integers(1, 6, count)[:, None]
        fields |= {
            f"x_{part}": np.zeros((3, 32, 32, 3), np.uint8),
            f"y_{part}": np.zeros(3, np.uint8),
            f"full_{part}": chance.integers(0, 256, (count, 64, 64, 3), np.uint8),
            f"seq_{part}": np.where(there, chance.integers(0, 10, (count, 5)), -1).astype(np.int8),
            f"box_{part}": np.where(there[..., None], np.ones(4), np.nan).astype(np.float32),
        }
    np.savez(tmp_path / "svhn_512.npz", **fields)
    return tmp_path


@pytest.mark.usefixtures("narrow")
def test_real_numbers_are_read_and_never_shown(sample, tmp_path):
    run = run_of("CNN", "SVHN 64", data=str(sample))
    prepared = svhn.prepare(run)
    assert prepared.images.shape == (60 - svhn.HELD_OUT, 3, 64, 64)
    assert prepared.epochs == 10 * SMALL["epochs"]
    held_out = {image.tobytes() for image in prepared.watched[0]}
    assert len(held_out) == svhn.HELD_OUT
    assert not held_out & {image.tobytes() for image in prepared.images}
    assert svhn.carry_out(run, tmp_path / "c.npz")["measured_on"] == 7
    assert EXPERIMENT.examples(run) is None


def test_equally_many_candidates_for_every_network():
    experiment = EXPERIMENTS["svhn"]
    assert {len(set(experiment.candidates(model))) for model in svhn.MODELS} == {3}
