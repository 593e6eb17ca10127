"""Digits in clutter: those of the paper, and the published ones."""

from dataclasses import replace

import numpy as np
import pytest

from stn_ref.experiments.clutter import CLUTTER, PUBLISHED, prepare
from stn_ref.training import logits_of

COUNTS = {"train": 20, "valid": 6, "test": 5}
SETTING = {"train": 40, "validation": 8, "test": 10, "epochs": 3, "batch_size": 10}


@pytest.fixture
def published(tmp_path):
    """A file such as the published one, of noise; each label tells which part it is of."""
    rng, fields = np.random.default_rng(0), {}
    for label, (part, count) in enumerate(COUNTS.items()):
        fields[f"X_{part}"] = rng.random((count, 1600), np.float32)
        fields[f"y_{part}"] = np.full((count, 1), label, np.int32)
    (tmp_path / "mnist-cluttered").mkdir()
    np.savez(tmp_path / "mnist-cluttered" / "mnist_cluttered_40x40.npz", **fields)
    return str(tmp_path)


def tiny(model, dataset, **others):
    [run] = CLUTTER.runs((model, dataset), 1, CLUTTER.candidates(model)[0], quick=False)
    return replace(run, setting=SETTING, **others)


@pytest.mark.parametrize(("trial", "label"), [(False, 2), (True, 1)])
def test_the_published_set_is_split_as_published(published, trial, label):
    prepared = prepare(tiny("CNN", PUBLISHED, data=published, trial=trial))
    assert prepared.images.shape == (20, 1, 40, 40)
    assert set(prepared.labels) == {0}
    assert set(prepared.watched[1]) == {1}
    assert set(prepared.measured[1]) == {label}


def test_fewer_images_are_seen_in_as_many_epochs_more(published):
    assert prepare(tiny("FCN", PUBLISHED, data=published)).epochs == 3 * 40 // 20


@pytest.mark.parametrize("model", [model for model, dataset in CLUTTER.cells if dataset == "TC"])
def test_every_network_takes_both_sets(published, model):
    for dataset in ("TC", PUBLISHED):
        prepared = prepare(tiny(model, dataset, data=published if dataset == PUBLISHED else None))
        assert logits_of(prepared.model, prepared.measured[0]).shape == (len(prepared.measured[1]), 10)
