"""Layers: small cases by hand, gradients, and the statistics of dropout."""

import numpy as np
import pytest

from stn_ref import Tensor, avg_pool2d, conv2d, gradcheck, max_pool2d
from stn_ref.nn import AvgPool2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential, xavier


def rng(seed=0):
    return np.random.default_rng(seed)


def test_linear_by_hand():
    layer = Linear(3, 2, rng=rng(), dtype=np.float64)
    layer.weight.data = np.array([[1.0, 2, 3], [0, -1, 1]])
    layer.bias.data = np.array([10.0, 20])
    assert layer(np.array([[1.0, 1, 2], [0, 0, 1]])).data.tolist() == [[19, 21], [13, 21]]


@pytest.mark.parametrize("shape", [(2, 4), (3,), (2, 3, 1)])
def test_linear_refuses_another_width_and_names_the_mending(shape):
    with pytest.raises(ValueError, match=r"Linear: x has shape .*, expected \(N, 3\); put Flatten\(\)"):
        Linear(3, 2, rng=rng())(np.zeros(shape, np.float32))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("make", [lambda **s: Linear(3, 4, **s), lambda **s: Conv2d(2, 4, 3, **s)])
def test_weights_come_from_the_initialiser_and_biases_begin_at_zero(make, dtype):
    layer = make(rng=rng(), dtype=dtype)
    assert layer.weight.dtype == layer.bias.dtype == dtype
    assert (layer.bias.data == 0).all()
    other = make(rng=rng(), dtype=dtype, initialiser=xavier)
    assert (other.weight.data == xavier(other.weight.shape, rng(), dtype)).all()
    assert (make(rng=rng(), dtype=dtype).weight.data == layer.weight.data).all()
    assert (make(rng=rng(1), dtype=dtype).weight.data != layer.weight.data).any()


def test_convolution_and_pools_are_the_operators_with_their_settings():
    x = rng().normal(size=(2, 3, 7, 6))
    layer = Conv2d(3, 4, 3, rng=rng(), stride=2, padding=1, dtype=np.float64)
    layer.bias.data = np.arange(4.0)
    expected = conv2d(x, layer.weight.data, layer.bias.data, stride=2, padding=1)
    assert (layer(x).data == expected).all()
    for pool, operator in ((MaxPool2d, max_pool2d), (AvgPool2d, avg_pool2d)):
        assert (pool(2)(x) == operator(x, kernel_size=2)).all()
        settings = {"kernel_size": 3, "stride": 2, "ceil_mode": True}
        assert (pool(**settings)(x) == operator(x, **settings)).all()


def with_parameters(layer, x):
    """The layer as a function of its input and parameters, for `gradcheck`."""
    parameters = dict(layer.named_parameters())

    def f(x, *values):
        for name, value in zip(parameters, values):
            setattr(layer, name, value)
        try:
            return layer(x)
        finally:
            for name, p in parameters.items():
                setattr(layer, name, p)

    return f, (x, *(p.data for p in parameters.values()))


@pytest.mark.parametrize(
    "layer",
    [
        Linear(4, 3, rng=rng(), dtype=np.float64),
        Conv2d(2, 3, 3, rng=rng(), padding=1, dtype=np.float64),
        MaxPool2d(2),
        AvgPool2d(2),
        ReLU(),
        Flatten(),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_gradients_of_input_and_parameters(layer):
    shape = (3, 4) if isinstance(layer, Linear) else (2, 2, 5, 4)
    f, inputs = with_parameters(layer, rng(1).normal(size=shape))
    assert gradcheck(f, inputs, batched=False).checked > 0


def test_flatten_keeps_the_order_of_rows_and_takes_an_empty_batch():
    x = np.arange(24.0).reshape(2, 3, 4, 1)
    assert (Flatten()(x) == x.reshape(2, 12)).all()
    assert Flatten()(np.zeros((0, 3, 4))).shape == (0, 12)


def test_relu_by_hand():
    assert ReLU()(np.array([-2.0, 0.0, 3.0])).tolist() == [0, 0, 3]


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_drops_the_right_fraction_and_keeps_the_mean(p):
    """200,000 numbers: within five standard errors, and the seed is fixed."""
    n = 200_000
    x = np.ones(n, np.float32)
    y = Dropout(p, rng=rng())(x)
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / np.float32(1 - p))}
    error = 5 * np.sqrt(p * (1 - p) / n)
    assert abs(np.mean(y == 0) - p) < error
    assert abs(y.mean(dtype=float) - 1) < error / (1 - p)


def test_dropout_does_nothing_in_eval_mode_and_draws_nothing():
    layer = Dropout(0.5, rng=rng())
    before = layer.rng.bit_generator.state
    x = np.ones(10)
    assert layer.eval()(x) is x
    assert layer.rng.bit_generator.state == before
    layer.train()(x)
    assert layer.rng.bit_generator.state != before


def test_the_cotangent_of_dropout_passes_where_the_value_did():
    x = Tensor(np.full(50, 3.0), requires_grad=True)
    y = Dropout(0.5, rng=rng())(x)
    bar = rng(2).normal(size=50)
    y.backward(bar)
    assert (x.grad == np.where(y.data == 0, 0, 2) * bar).all()
    assert 0 < np.count_nonzero(x.grad) < 50


def test_dropout_is_new_each_time_and_the_same_for_the_same_state():
    layer = Dropout(0.5, rng=rng())
    first, second = layer(np.ones(100)), layer(np.ones(100))
    assert (first != second).any()
    assert (Dropout(0.5, rng=rng())(np.ones(100)) == first).all()


def test_a_convolution_and_its_pooling_are_computed_together_with_the_same_result():
    draw = rng()
    conv, pool = (
        Conv2d(2, 3, 3, rng=draw, stride=2, padding=1, dtype=np.float64),
        MaxPool2d(2, ceil_mode=True),
    )
    conv.bias.data = draw.normal(size=3)
    x = draw.normal(size=(2, 2, 9, 8))
    together, apart = [], []
    for way, found in ((Sequential(conv, pool), together), (lambda x: pool(conv(x)), apart)):
        image = Tensor(x, requires_grad=True)
        out = way(image)
        conv.zero_grad()
        out.backward(rng(1).normal(size=out.shape))
        found += [out.data, image.grad, conv.weight.grad, conv.bias.grad]
    np.testing.assert_array_equal(together[0], apart[0])
    for got, want in zip(together, apart):
        np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-13)


def test_the_bias_behind_the_pooling_gives_the_same_bits():
    draw = rng()
    conv, pool = Conv2d(1, 4, 3, rng=draw), MaxPool2d(2)
    conv.bias.data = draw.normal(size=4).astype(np.float32) * np.float32([1e-8, 1, 1e8, np.inf])
    x = draw.normal(size=(2, 1, 10, 10)).astype(np.float32)
    x[0, 0, 0, 0] = np.nan
    np.testing.assert_array_equal(Sequential(conv, pool)(x).data, pool(conv(x)).data)


def test_a_layer_with_another_forward_pass_is_not_passed_over():
    draw, seen = rng(), []

    class Watched(MaxPool2d):
        def forward(self, x):
            seen.append(x.shape)
            return super().forward(x)

    x = np.zeros((1, 1, 6, 6), np.float32)
    Sequential(Conv2d(1, 2, 3, rng=draw), Watched(2))(x)
    conv = Conv2d(1, 2, 3, rng=draw)
    conv.forward = lambda x: seen.append("assigned") or Conv2d.forward(conv, x)
    Sequential(conv, MaxPool2d(2))(x)
    assert seen == [(1, 2, 4, 4), "assigned"]
