"""Volumes: the networks, and a run from digits to a row."""

from dataclasses import replace

import numpy as np
import pytest

from stn_ref.autograd.tensor import plain
from stn_ref.experiments.volumes import VOLUMES, InCube, carry_out, prepare, projections
from stn_ref.nn import SpatialTransformer
from stn_ref.nn.networks import localisation_prefixes, volume_network
from stn_ref.pictures.results import flattened_views, transformer_views

from .tiny import without_times

SETTING = {
    "train": 24,
    "validation": 8,
    "test": 10,
    "epochs": 2,
    "batch_size": 8,
    "size": 16,
    "scale": [0.3, 0.4],
}


def tiny(model):
    [run] = VOLUMES.runs((model, "digits"), 1, VOLUMES.candidates(model)[0], quick=False)
    return replace(run, setting=SETTING)


@pytest.fixture(scope="module")
def row(tmp_path_factory):
    return carry_out(tiny("ST-CNN"), tmp_path_factory.mktemp("run") / "run.npz")


@pytest.mark.parametrize("size", [30, 32, 60])
def test_both_networks_have_equally_many_parameters(size):
    counts = [
        volume_network(name, np.random.default_rng(0), size=size).parameter_count()
        for name in ("CNN", "ST-CNN")
    ]
    assert counts[1] == pytest.approx(counts[0], rel=0.02)


@pytest.mark.parametrize(("size", "seen"), [(30, 6**3), (32, 8**3), (60, 6**3)])
def test_the_localisation_network_sees_the_whole_volume(size, seen):
    network = volume_network("ST-CNN", np.random.default_rng(0), size=size)
    transformer = network[0]
    assert isinstance(transformer, SpatialTransformer)
    assert transformer.localisation[1].weight.shape == (32, seen)
    assert round(seen ** (1 / 3)) * transformer.downsample == size
    assert transformer.localisation[5].weight.shape == (12, 32)
    assert localisation_prefixes(network) == ["transformer.localisation"]


def test_before_it_learns_the_transformer_passes_the_flattened_volume_on():
    volumes = np.random.default_rng(0).random((3, 1, 16, 16, 16)).astype(np.float32)
    network = volume_network("ST-CNN", np.random.default_rng(0), size=16)
    behind = volumes
    for layer in list(network.children())[:3]:  # transformer, sum, division by the thickness
        behind = layer[1](behind)
    np.testing.assert_array_equal(plain(behind), volumes.sum(axis=2) / 8)
    alone = volume_network("CNN", np.random.default_rng(1), size=16, width=5)
    with_identity = volume_network("ST-CNN", np.random.default_rng(1), size=16, width=5)
    np.testing.assert_array_equal(plain(alone(volumes)), plain(with_identity(volumes)))


def test_projections_of_the_identity_are_the_same_before_and_after():
    volumes = np.random.default_rng(0).random((2, 1, 16, 16, 16)).astype(np.float32)
    found = projections(volume_network("ST-CNN", np.random.default_rng(0), size=16), volumes)
    assert found["shape"] == [2, 1, 16, 16]
    assert found["before"] == found["after"]
    flat = volumes.sum(axis=2)
    pixels = np.frombuffer(bytes.fromhex(found["before"]), np.uint8).reshape(found["shape"])
    np.testing.assert_array_equal(pixels, np.round(255 * (flat / flat.max())))


def test_volumes_are_turned_anew_and_measured_on_the_same():
    first, second = prepare(tiny("CNN")), prepare(tiny("ST-CNN"))
    assert first.measured[0].shape == (10, 1, 16, 16, 16)
    assert (first.measured[0] == second.measured[0]).all()
    assert repr(first.distort) == "InCube(size=16, scale=(0.3, 0.4))"
    one, two = (first.distort(first.images, np.random.default_rng(seed)) for seed in (0, 1))
    assert one.shape == (24, 1, 16, 16, 16)
    assert (one != two).any()


def test_a_run_ends_in_a_row_and_gives_the_same_again(row, tmp_path):
    assert row["measured_on"] == 10
    assert len(row["epochs"]) == 2
    assert row["transformers"]["transformer"]["size"] == [16, 16, 16]
    assert np.shape(row["transformers"]["transformer"]["theta"]) == (10, 12)
    assert row["projections"]["shape"] == [6, 1, 16, 16]
    again = carry_out(tiny("ST-CNN"), tmp_path / "run.npz")
    assert without_times(again) == without_times(row)


def test_a_run_goes_on_from_its_checkpoint(row, tmp_path):
    """In the file the distortion stands by its name: that of another process must be the same."""
    path = tmp_path / "run.npz"
    carry_out(replace(tiny("ST-CNN"), setting=SETTING | {"epochs": 2}), path)
    assert without_times(carry_out(tiny("ST-CNN"), path)) == without_times(row)
    assert "0x" not in str(InCube(16, (0.3, 0.4)))


def test_a_network_without_transformer_has_nothing_to_show(tmp_path):
    assert "projections" not in carry_out(tiny("CNN"), tmp_path / "run.npz")


def test_the_figure_is_drawn(row, tmp_path):
    pytest.importorskip("matplotlib")
    document = {"rows": [row], "examples": {}}
    assert transformer_views(tmp_path / "views.png", document).stat().st_size > 1000
    assert flattened_views(tmp_path / "none.png", {"rows": []}) is None


def test_the_test_set_is_that_of_the_file_and_solids_are_held_out_from_the_others(tmp_path):
    """Each of the ten classes once, so that the labels say which solid is where."""
    packed, labels = (
        np.random.default_rng(0).integers(0, 256, (12, 3375), np.uint8),
        np.arange(10, dtype="u1"),
    )
    parts = {"x_train": packed[:10], "y_train": labels, "x_test": packed[10:], "y_test": labels[3:5]}
    np.savez(tmp_path / "modelnet10_vox30_packbits.npz", **parts)
    [run] = VOLUMES.runs(("ST-CNN", "ModelNet10"), 1, VOLUMES.candidates("ST-CNN")[0], quick=False)
    run = replace(run, setting={**SETTING, "train": 6, "validation": 4}, data=str(tmp_path))
    prepared, trial = prepare(run), prepare(replace(run, trial=True))
    assert prepared.images.shape == (6, 1, 30, 30, 30)
    assert [np.packbits(solid).tobytes() for solid in prepared.images] == [
        packed[label].tobytes() for label in prepared.labels
    ]
    assert sorted([*prepared.labels, *prepared.watched[1]]) == list(range(10))
    assert prepared.measured[1].tolist() == [3, 4]
    assert trial.measured is trial.watched
