"""`SpatialTransformer`: exact under the identity, honest in its report, differentiable by both paths."""

import numpy as np
import pytest

from stn_ref import GradcheckError, Tensor, affine_grid, gradcheck, grid_sample, reshape, spatial_transform
from stn_ref.nn import SGD, Flatten, Linear, Module, Sequential, SpatialTransformer, identity_transform

IDENTITY = [1, 0, 0, 0, 1, 0]


def rng(seed=0):
    return np.random.default_rng(seed)


class Fixed(Module):
    """A localisation network that gives one theta for all."""

    def __init__(self, theta, dtype=np.float64):
        self.theta = Tensor(np.array(theta, dtype).reshape(1, -1), requires_grad=True)

    def forward(self, U):
        return self.theta + np.zeros((U.shape[0], 1), self.theta.dtype)


def localisation(inputs, dtype=np.float64, outputs=6):
    head = Linear(inputs, outputs, rng=rng(), dtype=dtype)
    identity_transform(head)
    return Sequential(Flatten(), head)


SIZES = [(1, 1), (1, 5), (2, 2), (3, 4), (7, 5), (28, 28), (42, 41), (60, 7)]


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_identity_is_exact_to_the_bit(size, align_corners, dtype):
    U = rng().normal(size=(2, 3, *size)).astype(dtype)
    for padding_mode in ("zeros", "border", "reflection"):
        for mode in ("nearest", "bilinear", "bicubic"):
            transformer = SpatialTransformer(
                localisation(3 * size[0] * size[1], dtype),
                align_corners=align_corners,
                padding_mode=padding_mode,
                mode=mode,
            )
            V = transformer(U).data
            assert V.dtype == dtype
            assert V.tobytes() == U.tobytes(), (padding_mode, mode)
            assert transformer.report.outside == 0


def test_the_exactness_test_can_fail():
    """Through a float32 grid of normalised coordinates the identity is exact to rounding only."""
    U = rng().normal(size=(1, 1, 42, 41)).astype(np.float32)
    grid = affine_grid(np.array([IDENTITY], np.float32).reshape(1, 2, 3), U.shape, align_corners=False)
    V = grid_sample(U, grid, align_corners=False)
    assert V.tobytes() != U.tobytes()
    np.testing.assert_allclose(V, U, atol=1e-4)


@pytest.mark.parametrize("align_corners", [True, False])
def test_the_report_by_hand(align_corners):
    """Half the size, moved right by 1/2: 3 columns at -1, 0, 1 (True) or -2/3, 0, 2/3 (False)."""
    transformer = SpatialTransformer(
        Fixed([0.5, 0, 0.5, 0, 1, 0]), output_size=(2, 3), align_corners=align_corners
    )
    V = transformer(np.ones((2, 4, 5, 6)))
    report = transformer.report
    assert V.shape == report.size == (2, 4, 2, 3)
    assert report.align_corners is align_corners
    assert report.theta.tolist() == [[[0.5, 0, 0.5], [0, 1, 0]]] * 2
    x = [0, 0.5, 1] if align_corners else [0.5 - 1 / 3, 0.5, 0.5 + 1 / 3]
    y = [-1, 1] if align_corners else [-0.5, 0.5]
    assert report.grid.shape == (2, 2, 3, 2)
    for n in range(2):
        assert report.grid[n, :, :, 0] == pytest.approx(np.array([x, x]))
        assert report.grid[n, :, :, 1] == pytest.approx(np.array([y, y, y]).T)
    assert report.outside == 0


@pytest.mark.parametrize(
    ("theta", "outside"),
    [
        (IDENTITY, 0),
        ([1, 0, 0.25, 0, 1, 0], 1 / 5),  # columns -3/4, -1/4, 1/4, 3/4, 5/4
        ([1, 0, 0.75, 0, 1, 0], 2 / 5),
        ([1, 0, -9, 0, 1, 0], 1),
        ([1, 0, 0.25, 0, 1, 1.5], 1 - 4 / 15),  # one row of three stays, four columns of it
        ([3, 0, 0, 0, 3, 0], 1 - 1 / 15),  # only the middle stays inside
        ([np.nan, 0, 0, 0, 1, 0], 1),
        ([1, 0, np.inf, 0, 1, 0], 1),
    ],
)
def test_the_fraction_outside_by_hand(theta, outside):
    transformer = SpatialTransformer(Fixed(theta), output_size=(3, 5))
    with np.errstate(invalid="ignore"):
        transformer(np.ones((2, 1, 4, 4)))
        assert transformer.report.outside == pytest.approx(outside)


def test_before_the_first_pass_there_is_no_report_and_an_empty_batch_has_nothing_outside():
    transformer = SpatialTransformer(Fixed(IDENTITY))
    assert transformer.report is None
    assert transformer(np.zeros((0, 1, 3, 4))).shape == (0, 1, 3, 4)
    assert transformer.report.outside == 0


@pytest.mark.parametrize(
    "settings", [{}, {"padding_mode": "border"}, {"mode": "bicubic"}, {"align_corners": False}]
)
def test_it_is_the_operator_with_its_settings(settings):
    theta = np.array([[[0.9, 0.3, 0.2], [-0.2, 1.1, -0.4]]] * 2)
    U = rng().normal(size=(2, 3, 5, 6))
    transformer = SpatialTransformer(Fixed(theta[0]), (4, 7), **settings)
    expected = spatial_transform(U, theta, (2, 3, 4, 7), **{"align_corners": True, **settings})
    assert (transformer(U).data == expected).all()


def test_a_theta_of_shape_n_2_3_is_taken_too():
    class Shaped(Module):
        def forward(self, U):
            return np.tile(np.array(IDENTITY, np.float64).reshape(1, 2, 3), (len(U), 1, 1))

    U = rng().normal(size=(2, 1, 3, 4))
    assert (SpatialTransformer(Shaped())(U) == U).all()


class Wrong(Module):
    def __init__(self, shape):
        self.shape = shape

    def forward(self, U):
        return np.zeros(self.shape)


@pytest.mark.parametrize("shape", [(2, 5), (1, 6), (2, 3, 2), (6,), (2, 12), (12, 1)])
def test_a_wrong_theta_is_refused(shape):
    with pytest.raises(
        ValueError, match=r"SpatialTransformer: the localisation .* expected \(2, 6\); let it end in"
    ):
        SpatialTransformer(Wrong(shape))(np.ones((2, 1, 3, 3)))


# The two paths of the cotangent


def problem():
    """A transformer off the kinks whose theta depends on U, with its parameters."""
    net = localisation(2 * 5 * 4)
    net[1].weight.data = rng(1).normal(size=(6, 40)) * 0.01
    net[1].bias.data = np.array([0.8, 0.13, 0.07, -0.11, 0.9, 0.05])
    U = rng(2).normal(size=(2, 2, 5, 4))
    return SpatialTransformer(net, (3, 4)), U


def of_parameters(transformer):
    """The transformer as a function of U, weight and bias."""
    head = transformer.localisation[1]

    def transform(U, weight, bias):
        kept = head.weight, head.bias
        head.weight, head.bias = weight, bias
        try:
            return transformer(U)
        finally:
            head.weight, head.bias = kept

    return transform, (head.weight.data, head.bias.data)


def test_gradients_reach_u_and_the_localisation_network():
    transformer, U = problem()
    transform, parameters = of_parameters(transformer)
    assert gradcheck(transform, (U, *parameters), batched=False).passed


@pytest.mark.parametrize("cut", ["sampler", "localisation"])
def test_the_gradient_check_misses_neither_path_of_u(cut):
    """Planted faults: U's cotangent by one of its two paths only."""
    transformer, U = problem()

    def detach(x):
        return x.detach() if isinstance(x, Tensor) else x

    def one_path(U):
        theta = transformer.localisation(detach(U) if cut == "localisation" else U)
        source = detach(U) if cut == "sampler" else U
        return spatial_transform(source, reshape(theta, shape=(2, 2, 3)), (2, 2, 3, 4), align_corners=True)

    with pytest.raises(GradcheckError):
        gradcheck(one_path, (U,), batched=False)


def test_the_paths_add_up():
    transformer, U = problem()
    bar = rng(3).normal(size=(2, 2, 3, 4))

    def pulled_back(into_sampler, into_localisation):
        x = Tensor(U, requires_grad=True)
        theta = transformer.localisation(x if into_localisation else U)
        source = x if into_sampler else U
        theta = reshape(theta, shape=(2, 2, 3))
        spatial_transform(source, theta, (2, 2, 3, 4), align_corners=True).backward(bar)
        return x.grad

    x = Tensor(U, requires_grad=True)
    transformer(x).backward(bar)
    first, second = pulled_back(True, False), pulled_back(False, True)
    assert abs(first).max() > 0.1
    assert abs(second).max() > 0.001
    assert x.grad == pytest.approx(first + second, rel=1e-12, abs=1e-14)


def test_it_learns_to_undo_a_shift():
    """A bright spot off the centre, the target with it in the centre: theta finds the way."""
    y, x = np.mgrid[-1:1:9j, -1:1:9j]
    U = np.exp(-4 * ((x - 0.3) ** 2 + (y + 0.2) ** 2))[None, None]
    target = np.exp(-4 * (x**2 + y**2))[None, None]
    transformer = SpatialTransformer(Fixed(IDENTITY), padding_mode="border")
    optimiser = SGD(transformer.named_parameters(), lr=1.0)
    losses = []
    for _ in range(60):
        optimiser.zero_grad()
        difference = transformer(U) - target
        loss = (difference * difference).mean()
        losses.append(loss.item())
        loss.backward()
        optimiser.step()
    assert losses[-1] < losses[0] / 20
    theta = transformer.report.theta[0]
    assert theta[:, 2] == pytest.approx([0.3, -0.2], abs=0.05)
