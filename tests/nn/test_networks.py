"""The networks: shapes, parameter counts, where they begin."""

import numpy as np
import pytest

from stn_ref import cross_entropy
from stn_ref.nn import SpatialTransformer
from stn_ref.nn.networks import paper_network, small_network, tutorial_network


def rng(seed=0):
    return np.random.default_rng(seed)


def images(size, n=3):
    return rng(1).random((n, 1, size, size)).astype(np.float32)


CASES = {
    "tutorial CNN": (lambda: tutorial_network(rng(), transformer=False), 28),
    "tutorial ST-CNN": (lambda: tutorial_network(rng()), 28),
    "paper CNN": (lambda: paper_network(rng()), 28),
    "paper ST-CNN": (lambda: paper_network(rng(), filters=28, transformer=True), 28),
    **{
        f"small {name} at {size}": (
            lambda size=size, transformer=transformer: small_network(
                rng(), size=size, transformer=transformer
            ),
            size,
        )
        for size in (28, 31, 42, 60)
        for name, transformer in (("CNN", False), ("ST-CNN", True))
    },
}
networks = pytest.mark.parametrize(("make", "size"), CASES.values(), ids=CASES)


def test_parameter_counts_of_the_papers_networks():
    assert paper_network(rng(), filters=32).parameter_count() == 54_122
    assert paper_network(rng(), filters=28, transformer=True).parameter_count() == 52_956


def test_parameter_counts_of_the_tutorial_by_layer():
    convolutions = (1 * 25 + 1) * 10 + (10 * 25 + 1) * 20
    classifier = convolutions + (320 + 1) * 50 + (50 + 1) * 10
    localisation = (1 * 49 + 1) * 8 + (8 * 25 + 1) * 10 + (90 + 1) * 32 + (32 + 1) * 6
    assert tutorial_network(rng(), transformer=False).parameter_count() == classifier
    assert tutorial_network(rng()).parameter_count() == classifier + localisation


def test_the_demo_compares_networks_of_nearly_equal_size():
    counts = [small_network(rng(), size=42, transformer=t).parameter_count() for t in (False, True)]
    assert max(counts) / min(counts) < 1.01


@networks
def test_ten_logits_in_float32_and_a_gradient_for_every_parameter(make, size):
    network = make()
    logits = network(images(size))
    assert (logits.shape, logits.dtype) == ((3, 10), np.float32)
    cross_entropy(logits, np.array([1, 2, 3])).backward()
    for name, p in network.named_parameters():
        assert p.grad is not None, name
        assert (p.grad.shape, p.grad.dtype) == (p.shape, np.float32), name
    # At the identity, the zero weights of the last layer let nothing further back yet.
    assert abs(dict(network.named_parameters())["classifier.0.weight"].grad).max() > 0


@networks
def test_the_seed_makes_the_weights(make, size):
    first, second = make().state_dict(), make().state_dict()
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)


@networks
def test_transformers_begin_at_the_identity(make, size):
    network = make().eval()
    network(images(size))
    for _, module in network.modules():
        if isinstance(module, SpatialTransformer):
            assert (module.report.theta == np.eye(2, 3)).all()
            assert module.report.outside == 0


def test_another_seed_makes_other_weights():
    first, second = (paper_network(rng(seed)).state_dict() for seed in (0, 1))
    assert (first["classifier.0.weight"] != second["classifier.0.weight"]).any()


def test_the_tutorial_network_drops_out_in_training_only():
    network = tutorial_network(rng(), transformer=False)
    x = images(28)
    assert (network(x).data != network(x).data).any()
    network.eval()
    assert (network(x).data == network(x).data).all()
    assert [name for name, _ in network.named_generators()] == ["classifier.4.rng", "classifier.10.rng"]
