"""Initialisers: bounds, variances, and the identity."""

import numpy as np
import pytest

from stn_ref.nn import Linear, ReLU, he, identity_transform, xavier

SHAPES = [(300, 200), (40, 30, 5, 5)]  # fan_in 200 and 750, fan_out 300 and 1,000


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("shape", SHAPES)
def test_xavier_is_uniform_between_its_bounds(shape):
    field = int(np.prod(shape[2:]))
    bound = np.sqrt(6 / ((shape[0] + shape[1]) * field))
    weights = xavier(shape, rng(), np.float64)
    assert weights.shape == shape
    assert 0.999 * bound < abs(weights).max() <= bound
    # The variance of a uniform number is bound^2 / 3; that of its estimate is 4/45 bound^4 / n.
    n = weights.size
    assert abs(weights.var() - bound**2 / 3) < 5 * bound**2 * np.sqrt(4 / 45 / n)
    assert abs(weights.mean()) < 5 * bound / np.sqrt(3 * n)


@pytest.mark.parametrize("shape", SHAPES)
def test_he_has_variance_two_over_fan_in(shape):
    variance = 2 / (shape[1] * int(np.prod(shape[2:])))
    weights = he(shape, rng(), np.float64)
    n = weights.size
    assert abs(weights.var() - variance) < 5 * variance * np.sqrt(2 / n)
    assert abs(weights.mean()) < 5 * np.sqrt(variance / n)
    assert abs(weights).max() > 3 * np.sqrt(variance)  # normal, not uniform


@pytest.mark.parametrize("initialiser", [xavier, he])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_seed(initialiser, dtype):
    first, second = (initialiser((4, 3), rng(), dtype) for _ in range(2))
    assert first.dtype == dtype
    assert (first == second).all()
    assert initialiser((4, 3), rng()).dtype == np.float32


@pytest.mark.parametrize(
    ("outputs", "identity"), [(6, [1, 0, 0, 0, 1, 0]), (12, [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0])]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_identity_transform_gives_the_identity_whatever_comes_in(outputs, identity, dtype):
    layer = Linear(5, outputs, rng=rng(), dtype=dtype)
    identity_transform(layer)
    assert layer.weight.dtype == layer.bias.dtype == dtype
    theta = layer(rng().normal(size=(3, 5)).astype(dtype)).data
    assert (theta == np.array([identity] * 3)).all()
    assert layer.weight.requires_grad
    assert layer.bias.requires_grad


@pytest.mark.parametrize("layer", [Linear(5, 4, rng=np.random.default_rng(0)), ReLU()])
def test_identity_transform_refuses_other_layers(layer):
    with pytest.raises(
        ValueError,
        match=r"identity_transform: .* 6 outputs in 2 .* or 12 outputs in 3 .* got (Linear with 4|ReLU)",
    ):
        identity_transform(layer)
