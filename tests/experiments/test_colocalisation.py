"""Co-localisation: the loss, what the crops are compared by, and when a digit counts as found."""

import numpy as np
import pytest

from stn_ref import Tensor, box_to_theta, gradcheck
from stn_ref.data import load_bundled, place_digits
from stn_ref.experiments import EXPERIMENTS
from stn_ref.experiments.classification import versions
from stn_ref.experiments.colocalisation import (
    BOUNDS,
    COLOCALISATION,
    UNIT,
    Encoder,
    Window,
    carry_out,
    hinge,
    locator,
    overlap,
)
from stn_ref.experiments.experiment import Quoted
from stn_ref.experiments.page import page
from stn_ref.nn.networks import digit_network
from stn_ref.pictures.results import found_boxes, learning_curves

SETTING = {"train": 6, "epochs": 3, "encoder_digits": 60, "encoder_epochs": 1}


def tiny(dataset="T", **setting):
    cell = ("ST 7", dataset)
    [run] = COLOCALISATION.runs(cell, 1, COLOCALISATION.candidates(cell[0])[0], quick=False)
    return type(run)(**{**vars(run), "setting": SETTING | setting})


@pytest.fixture(scope="module")
def row(tmp_path_factory):
    return carry_out(tiny("TC"), tmp_path_factory.mktemp("none") / "none.npz")


# The loss


def by_hand(crops, others, patches, alpha):
    found = []
    for n in range(len(crops)):
        for m in range(len(crops)):
            if m != n:
                near = sum((crops[n] - others[m]) ** 2)
                far = sum((crops[n] - patches[n]) ** 2)
                found.append(max(0.0, near - far + alpha))
    return sum(found) / len(found)


@pytest.mark.parametrize("alpha", [0.0, 1.0, 5.0])
def test_the_loss_is_the_papers_double_sum(alpha):
    rng = np.random.default_rng(0)
    crops, others, patches = rng.normal(size=(3, 5, 4))
    value = by_hand(crops, others, patches, alpha)
    assert value > 0
    assert float(hinge(crops, others, patches, alpha)) == pytest.approx(value, rel=1e-12)


def test_a_crop_is_not_compared_with_itself():
    crops = np.array([[0.0], [3.0]])
    assert float(hinge(crops, crops, crops, alpha=0.0)) == 9.0


def test_the_gradient_of_the_loss():
    crops, others, patches = np.random.default_rng(1).normal(size=(3, 4, 3))
    near = ((crops[:, None] - others[None]) ** 2).sum(axis=-1)
    far = ((crops - patches) ** 2).sum(axis=-1)
    inside = (near - far[:, None] + 1)[~np.eye(4, dtype=bool)]
    assert np.abs(inside).min() > 0.01, "too near to the kink"
    assert inside.min() < 0 < inside.max()
    gradcheck(lambda x: hinge(x, others, patches), (crops,))


def test_what_is_held_fixed_gets_no_gradient():
    crops, patches = np.random.default_rng(2).normal(size=(2, 4, 3))
    x = Tensor(crops, requires_grad=True)
    hinge(x, crops, patches, alpha=100.0).backward()
    one_sided = 2 * (patches - (crops.sum(axis=0) - crops) / 3) / 4  # all pairs count
    np.testing.assert_allclose(x.grad, one_sided, atol=1e-12)


# e


def test_two_digits_are_ten_apart_in_each_layer():
    images = load_bundled("train").images[:40, None] / np.float32(255)
    encoder = Encoder(digit_network("CNN", np.random.default_rng(0)), images)
    told = np.asarray(encoder(images), np.float64)
    assert told.shape == (40, 32 * 10 * 10 + 32 * 2 * 2 + 10)
    for layer in np.split(told, [3200, 3328], axis=1):
        distances = ((layer[:, None] - layer[None]) ** 2).sum(axis=-1)
        assert distances.sum() / (40 * 39) == pytest.approx(UNIT, rel=1e-4)


def test_the_encoder_is_frozen_and_passes_the_gradient_on():
    images = load_bundled("train").images[:4, None] / np.float32(255)
    encoder = Encoder(digit_network("CNN", np.random.default_rng(0)), images)
    x = Tensor(images, requires_grad=True)
    encoder(x).sum().backward()
    assert np.abs(x.grad).max() > 0
    assert all(p.grad is None for p in encoder.parameters())


# The window


def test_the_window_stays_in_the_image_whatever_theta_is():
    theta = np.random.default_rng(0).normal(scale=20, size=(200, 3))
    matrix = Window().matrix(theta, (84, 84), True)
    scale, shift = matrix[:, 0, 0], matrix[:, :, 2]
    assert (matrix[:, 0, 0] == matrix[:, 1, 1]).all()
    assert scale.min() >= BOUNDS[0]
    assert (np.abs(shift) + scale[:, None]).max() <= 1 + 1e-12
    assert np.ptp(scale) > 0.5


def test_all_windows_begin_alike_in_the_middle():
    images = place_digits(load_bundled("test").images[:3], np.random.default_rng(0)).images
    transformer = locator(np.random.default_rng(0))
    assert transformer(images).shape == (3, 1, 28, 28)
    expected = np.repeat([[[0.8, 0, 0], [0, 0.8, 0]]], 3, axis=0)
    np.testing.assert_allclose(transformer.report.matrix, expected, atol=1e-6)


# When a digit is found


def test_a_digits_own_frame_is_found_and_one_beside_it_is_not():
    frames = place_digits(load_bundled("test").images[:20], np.random.default_rng(0)).frames
    boxes = np.concatenate([frames[:, :2], frames[:, :2] + 27], axis=1).astype(np.float64)
    right = box_to_theta(boxes, (84, 84), align_corners=True)
    beside = box_to_theta(boxes + [14, 0, 14, 0], (84, 84), align_corners=True)
    np.testing.assert_allclose(overlap(right, frames), 1, rtol=1e-12)
    np.testing.assert_allclose(overlap(beside, frames), 1 / 3, rtol=1e-12)


@pytest.mark.parametrize(
    ("box", "share"),
    [
        ((0, 0, 27, 27), 1.0),
        ((0, 0, 13, 27), 0.5),
        ((0, 0, 55, 27), 0.5),
        ((7, 7, 34, 34), 21**2 / (2 * 28**2 - 21**2)),
        ((28, 0, 55, 27), 0.0),
    ],
)
def test_intersection_over_union_by_hand(box, share):
    theta = box_to_theta(np.array([box], np.float64), (84, 84), align_corners=True)
    assert overlap(theta, np.array([[0, 0, 28, 28]]))[0] == pytest.approx(share, abs=1e-12)


def test_a_window_that_is_lost_is_not_found():
    assert not overlap(np.full((1, 2, 3), np.nan), np.array([[0, 0, 28, 28]])) > 0.5


# Runs


def test_a_run_tells_what_the_page_needs(row):
    assert row["error"] == 100 - row["localised"]
    assert row["samples_seen"] == 18
    assert [epoch["step"] for epoch in row["epochs"]] == [1]
    assert row["epochs"][0]["scale"] == pytest.approx(0.8)
    assert row["failed"] is None
    assert row["machine"] == versions()
    assert row["parameters"] == 8 * 81 + 8 + 648 * 8 + 8 + 8 * 8 + 8 + 8 * 3 + 3


def test_the_same_run_gives_the_same_result(row, tmp_path):
    again = carry_out(tiny("TC"), tmp_path / "none.npz")
    times = dict.fromkeys(("seconds", "processor_seconds"))
    assert again | times == row | times
    assert not list(tmp_path.iterdir())


def test_another_data_set_gives_other_images(row, tmp_path):
    assert carry_out(tiny(), tmp_path / "none.npz")["view"]["pixels"] != row["view"]["pixels"]


def test_the_page_has_a_row_for_all_digits_together(row):
    rows = [
        {**row, "model": f"ST {digit}", "error": error, "seed": seed}
        for seed in range(2)
        for digit, error in ((1, 10.0 + 2 * seed), (2, 30.0 + 2 * seed))
    ]
    protocol = {"seeds": 2, "quick": False, "setting": SETTING, "choices": "", "data": ["digits"]}
    document = {"experiment": "colocalisation", "protocol": protocol, "rows": rows, "trials": []}
    text = page(document, EXPERIMENTS["colocalisation"], {})
    assert "| ST 1 | 11.00 ± 1.41 |" in text
    assert "| all digits | 21.00 ± 11.60 | 7 to 25 |" in text
    assert Quoted("all digits", "TC", 7, 25) in COLOCALISATION.quoted


def test_the_figures_are_drawn(row, tmp_path):
    pytest.importorskip("matplotlib")
    document = {"protocol": {"measure": COLOCALISATION.measure}, "rows": [row], "examples": {}}
    assert found_boxes(tmp_path / "views.png", document).stat().st_size > 1000
    assert learning_curves(tmp_path / "curves.svg", document).stat().st_size > 1000
    assert found_boxes(tmp_path / "none.png", {"rows": []}) is None
