"""Values and vjps against PyTorch, where it is installed, in float64 and away from kinks."""

import warnings

import numpy as np
import pytest

import stn_ref as s
from stn_ref import vjp
from stn_ref.pixels import PADDING_MODES, to_normalised

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what PyTorch warns of at import is not ours to mend
    torch = pytest.importorskip("torch")
F = torch.nn.functional

pytestmark = pytest.mark.torch

TOLERANCE = 1e-12  # of the largest number in the result, or of 1
both_conventions = pytest.mark.parametrize("align_corners", [True, False])
seeds = pytest.mark.parametrize("seed", range(4))


def close(ours, theirs):
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape
    scale = max(1.0, np.abs(theirs).max(initial=0.0))
    assert np.abs(ours - theirs).max(initial=0.0) <= TOLERANCE * scale


def compare(ours, theirs, rng, *inputs):
    """The value, and the vjp of a random cotangent for every input."""
    out, pullback = vjp(ours, *inputs)
    leaves = [torch.tensor(x, requires_grad=True) for x in inputs]
    expected = theirs(*leaves)
    close(out, expected)
    out_bar = rng.normal(size=out.shape)
    expected_bars = torch.autograd.grad(expected, leaves, torch.tensor(out_bar))
    for bar, expected_bar in zip(pullback(out_bar), expected_bars):
        close(bar, expected_bar)


def away_from_kinks(rng, shape, sizes, mode, align_corners):
    """Normalised coordinates of cells in and around the image, at a fraction away from its ends."""
    columns = []
    for size in sizes:
        cell = rng.integers(-3 * size, 4 * size, shape)
        cell[..., ::2] = rng.integers(-1, size, cell[..., ::2].shape)  # half of them inside
        fraction = rng.uniform(0.05, 0.95, shape)
        if mode == "nearest":  # whose jumps are in the middle between pixels
            fraction = rng.uniform(-0.45, 0.45, shape)
        columns.append(to_normalised(cell + fraction, size, align_corners))
    return np.stack(columns, axis=-1)


@seeds
@both_conventions
@pytest.mark.parametrize("padding_mode", PADDING_MODES)
@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_grid_sample(mode, padding_mode, align_corners, seed):
    rng = np.random.default_rng(seed)
    N, C, H_out, W_out = rng.integers(1, 6, 4)
    H, W = rng.integers(2, 9, 2)
    U = rng.normal(size=(N, C, H, W))
    grid = away_from_kinks(rng, (N, H_out, W_out), (W, H), mode, align_corners)
    settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    compare(
        lambda U, grid: s.grid_sample(U, grid, **settings),
        lambda U, grid: F.grid_sample(U, grid, **settings),
        rng,
        U,
        grid,
    )


@seeds
@both_conventions
@pytest.mark.parametrize("padding_mode", PADDING_MODES)
@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_grid_sample_of_volumes(mode, padding_mode, align_corners, seed):
    rng = np.random.default_rng(seed)
    N, C = rng.integers(1, 4, 2)
    D_out, H_out, W_out = rng.permutation(4)[:3] + 1
    D, H, W = rng.permutation(5)[:3] + 2  # no two equal
    U = rng.normal(size=(N, C, D, H, W))
    grid = away_from_kinks(rng, (N, D_out, H_out, W_out), (W, H, D), mode, align_corners)
    settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    compare(
        lambda U, grid: s.grid_sample(U, grid, **settings),
        lambda U, grid: F.grid_sample(U, grid, **settings),
        rng,
        U,
        grid,
    )


@seeds
@both_conventions
def test_affine_grid(align_corners, seed):
    rng = np.random.default_rng(seed)
    for d in (2, 3):
        size = tuple(int(n) for n in rng.integers(2, 7, d + 2))
        theta = rng.normal(size=(size[0], d, d + 1))
        compare(
            lambda theta, size=size: s.affine_grid(theta, size, align_corners=align_corners),
            lambda theta, size=size: F.affine_grid(theta, size, align_corners=align_corners),
            rng,
            theta,
        )


@seeds
@both_conventions
@pytest.mark.parametrize("padding_mode", PADDING_MODES)
@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_spatial_transform(mode, padding_mode, align_corners, seed):
    rng = np.random.default_rng(seed)
    N, C, H_out, W_out = (int(n) for n in rng.integers(2, 7, 4))
    H, W = rng.integers(2, 9, 2)
    size = (N, C, H_out, W_out)
    U = rng.normal(size=(N, C, H, W))
    # A random map meets a kink with probability 0, but comes near one; the values are continuous.
    theta = rng.normal(size=(N, 2, 3))
    settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}

    def theirs(U, theta):
        grid = F.affine_grid(theta, size, align_corners=align_corners)
        return F.grid_sample(U, grid, **settings)

    compare(lambda U, theta: s.spatial_transform(U, theta, size, **settings), theirs, rng, U, theta)


@pytest.mark.parametrize(
    ("size", "out"), [((16, 10), (8, 5)), ((15, 21), (5, 7)), ((24, 20), (6, 5)), ((25, 17), (9, 8))]
)
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_shrinking_without_aliasing(mode, size, out):
    # PyTorch shares the weights between the pixels there are, so that only the inside is the same.
    rng = np.random.default_rng(0)
    U = rng.normal(size=(2, 3, *size))
    edge = 2 if mode == "bicubic" else 1
    inside = (..., slice(edge, -edge), slice(edge, -edge))
    theta = np.repeat(np.eye(2, 3)[None], 2, axis=0)
    settings = {"mode": s.bicubic(-0.5) if mode == "bicubic" else mode, "align_corners": False}
    compare(
        lambda U: s.spatial_transform(U, theta, (2, 3, *out), antialias=True, **settings)[inside],
        lambda U: F.interpolate(U, out, mode=mode, antialias=True, align_corners=False)[inside],
        rng,
        U,
    )


@seeds
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [((3, 3), 1, 0), ((2, 3), (2, 1), (1, 2)), ((5, 2), 3, 2), ((1, 1), (1, 2), 0)],
)
def test_conv2d(kernel, stride, padding, seed):
    rng = np.random.default_rng(seed)
    N, C, O = rng.integers(1, 5, 3)
    H, W = rng.integers(5, 10, 2)
    settings = {"stride": stride, "padding": padding}
    compare(
        lambda x, weight, bias: s.conv2d(x, weight, bias, **settings),
        lambda x, weight, bias: F.conv2d(x, weight, bias, **settings),
        rng,
        rng.normal(size=(N, C, H, W)),
        rng.normal(size=(O, C, *kernel)),
        rng.normal(size=O),
    )


@seeds
@pytest.mark.parametrize("ceil_mode", [True, False])
@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
@pytest.mark.parametrize(
    ("kernel_size", "stride"), [(2, None), ((2, 3), None), (3, 2), ((3, 1), (1, 4)), (2, 3)]
)
def test_pools(name, kernel_size, stride, ceil_mode, seed):
    rng = np.random.default_rng(seed)
    N, C = rng.integers(1, 4, 2)
    H, W = rng.integers(4, 11, 2)
    settings = {"kernel_size": kernel_size, "stride": stride, "ceil_mode": ceil_mode}
    compare(
        lambda x: getattr(s, name)(x, **settings),
        lambda x: getattr(F, name)(x, **settings),
        rng,
        rng.normal(size=(N, C, H, W)),
    )


@seeds
def test_losses(seed):
    rng = np.random.default_rng(seed)
    N, K = rng.integers(2, 9, 2)
    logits, labels = rng.normal(scale=5, size=(N, K)), rng.integers(0, K, N)
    for axis in (0, 1):
        compare(
            lambda x, axis=axis: s.log_softmax(x, axis=axis),
            lambda x, axis=axis: F.log_softmax(x, dim=axis),
            rng,
            logits,
        )
    compare(
        lambda x: s.cross_entropy(x, labels),
        lambda x: F.cross_entropy(x, torch.tensor(labels)),
        rng,
        logits,
    )


def test_a_difference_is_found():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3))
    with pytest.raises(AssertionError):
        compare(lambda x: x * 2.0, lambda x: x * (2 + 1e-11), rng, x)
    with pytest.raises(AssertionError):  # the same values with another vjp
        compare(lambda x: x * 2.0, lambda x: x + x.detach(), rng, x)
