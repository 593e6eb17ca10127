"""`SpatialTransformer`: exact under the identity, honest in its report, differentiable by both paths."""

import numpy as np
import pytest

from stn_ref import (
    BILINEAR,
    GradcheckError,
    Similarity,
    Tensor,
    ThinPlateSpline,
    affine_grid,
    compose,
    control_grid,
    exp,
    gaussian,
    gradcheck,
    grid_sample,
    reshape,
    spatial_transform,
)
from stn_ref.autograd.tensor import plain
from stn_ref.nn import (
    SGD,
    Conv2d,
    Flatten,
    Linear,
    Module,
    Parallel,
    Sequential,
    SpatialTransformer,
    TransformReport,
    composed,
    identity_transform,
)
from stn_ref.ops.transformation import TRANSFORMATIONS, as_transformation

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
        ValueError,
        match=r"SpatialTransformer: the localisation .* expected \(2, 6\) for .*'affine'; let it end in",
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


# Any transformation, kernel and depth

TWO_D = [name for name, kind in TRANSFORMATIONS.items() if 2 in kind.dimensions]
THREE_D = [name for name, kind in TRANSFORMATIONS.items() if 3 in kind.dimensions]


def looking(inputs, kind, size, dtype=np.float64):
    head = Linear(inputs, as_transformation("test", kind).parameters(size), rng=rng(), dtype=dtype)
    identity_transform(head, kind, size)
    return Sequential(Flatten(), head)


@pytest.mark.parametrize(
    ("kind", "size"), [*((kind, (4, 5)) for kind in TWO_D), *((kind, (3, 4, 5)) for kind in THREE_D)]
)
@pytest.mark.parametrize("align_corners", [True, False])
def test_every_transformation_begins_as_the_exact_identity(kind, size, align_corners):
    U = rng().normal(size=(2, 2, *size)).astype(np.float32)
    inputs = 2 * int(np.prod(size))
    net = looking(inputs, kind, size, np.float32)
    transformer = SpatialTransformer(net, transformation=kind, align_corners=align_corners)
    assert transformer(U).data.tobytes() == U.tobytes()
    report = transformer.report
    assert report.outside == 0
    np.testing.assert_allclose(report.distance, 0, atol=1e-6)
    np.testing.assert_allclose(report.determinant, 1, atol=1e-5)


@pytest.mark.parametrize(
    "kind", ["projective", ThinPlateSpline(control_grid(2, 3)), Similarity(bounds=(0.5, 2.0), rigid=True)]
)
def test_gradients_reach_u_and_the_localisation_network_of_other_transformations(kind):
    size = (3, 4)
    net = looking(2 * 5 * 4, kind, size)
    outputs = net[1].bias.size
    net[1].weight.data = rng(1).normal(size=(outputs, 40)) * 0.01
    net[1].bias.data = net[1].bias.data * 0.8 + 0.05 * rng(2).uniform(0.5, 1, outputs)
    transform, parameters = of_parameters(SpatialTransformer(net, size, transformation=kind))
    U = rng(2).normal(size=(2, 2, 5, 4))
    assert gradcheck(transform, (U, *parameters), batched=False, elements=30).passed


def test_a_transformation_of_another_number_of_dimensions_is_refused():
    transformer = SpatialTransformer(Wrong((2, 8)), transformation="projective")
    with pytest.raises(ValueError, match=r"'projective' works in 2 dimensions, not in 3; .*'?affine"):
        transformer(np.ones((2, 1, 3, 3, 3)))


@pytest.mark.parametrize("setting", ["downsample", "iterations"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "2"])
def test_counts_are_refused_by_name(setting, value):
    with pytest.raises(ValueError, match=rf"SpatialTransformer: {setting} is {value!r}, expected a whole"):
        SpatialTransformer(Fixed(IDENTITY), **{setting: value})


class Seen(Module):
    """Keeps what a localisation network is shown, and returns one theta after the other."""

    def __init__(self, *thetas):
        self.thetas, self.shown = thetas, []

    def forward(self, U):
        theta = self.thetas[len(self.shown) % len(self.thetas)]
        self.shown.append(plain(U))
        return np.repeat(np.array([theta], np.float64), len(U), axis=0)


def test_downsampling_shows_means_of_blocks():
    seen = Seen(IDENTITY)
    U = np.arange(30.0).reshape(1, 1, 5, 6)
    assert SpatialTransformer(seen, downsample=2)(U).shape == U.shape
    assert seen.shown[0].tolist() == [[[[3.5, 5.5, 7.5], [15.5, 17.5, 19.5]]]]
    seen = Seen([*np.eye(3, 4).reshape(-1)])
    SpatialTransformer(seen, downsample=2)(np.arange(8.0).reshape(1, 1, 2, 2, 2))
    assert seen.shown[0].tolist() == [[[[[3.5]]]]]
    with pytest.raises(ValueError, match=r"downsample=7 leaves without a pixel"):
        SpatialTransformer(Seen(IDENTITY), downsample=7)(U)


def test_every_further_look_sees_what_the_maps_so_far_make_of_the_image():
    first, second = [1, 0, 0.5, 0, 1, 0], [0.5, 0, 0, 0, 0.5, 0.25]
    seen = Seen(first, second)
    U = rng().normal(size=(2, 1, 5, 5))
    transformer = SpatialTransformer(seen, (3, 4), iterations=2)
    V = transformer(U)
    as_theta = [np.repeat(np.array(t, np.float64).reshape(1, 2, 3), 2, axis=0) for t in (first, second)]
    np.testing.assert_array_equal(
        seen.shown[1], spatial_transform(U, as_theta[0], U.shape, align_corners=True)
    )
    both = compose(*as_theta)
    np.testing.assert_array_equal(plain(V), spatial_transform(U, both, (2, 1, 3, 4), align_corners=True))
    np.testing.assert_array_equal(transformer.report.theta, both)  # U is sampled once, by the whole map


def test_gradients_pass_through_all_looks():
    transformer, U = problem()
    transformer.iterations = 2
    transformer.output_size = None
    transform, parameters = of_parameters(transformer)
    assert gradcheck(transform, (U, *parameters), batched=False, elements=40).passed


def test_several_looks_need_maps_that_can_be_composed():
    with pytest.raises(
        ValueError, match=r"iterations is 2, but maps of .*'thin-plate-spline' cannot be comp"
    ):
        SpatialTransformer(Fixed(IDENTITY), transformation="thin-plate-spline", iterations=2)


def test_transformers_in_parallel_look_at_several_places():
    left, right = ([0.5, 0, shift, 0, 1, 0] for shift in (-0.5, 0.5))
    U = np.arange(8.0).reshape(1, 1, 1, 8)
    both = Parallel(*(SpatialTransformer(Fixed(t), (1, 4), align_corners=False) for t in (left, right)))
    assert both(U).data.tolist() == [[[[0, 1, 2, 3]], [[4, 5, 6, 7]]]]
    assert [name for name, _ in both.named_parameters()] == ["0.localisation.theta", "1.localisation.theta"]
    with pytest.raises(TypeError, match=r"Parallel: expected one or more modules; .*\*modules"):
        Parallel([])


def test_transformers_one_behind_the_other_are_one_map_on_the_first_image():
    U = rng().normal(size=(1, 1, 8, 8))
    flip, crop = [-1, 0, 0, 0, 1, 0], [0.5, 0, 0.5, 0, 0.5, -0.5]
    first = SpatialTransformer(Fixed(flip), align_corners=False)
    second = SpatialTransformer(Fixed(crop), (4, 4), align_corners=False)
    V = second(first(U))
    report = composed([first.report, second.report])
    assert report.theta.tolist() == [[[-0.5, 0, -0.5], [0, 0.5, -0.5]]]
    assert report.size == (1, 1, 4, 4)
    np.testing.assert_array_equal(grid_sample(U, report.grid, align_corners=False), V.data)


def test_composed_takes_projective_maps_and_refuses_what_has_no_matrix():
    tilt = np.array([[1.0, 0, 0, 0, 1, 0, 0, 0.5]])
    half = np.array([[[0.5, 0, 0.5], [0, 0.5, 0]]])
    reports = [
        TransformReport(half, (1, 1, 4, 4), True),
        TransformReport(tilt, (1, 1, 4, 4), True, as_transformation("test", "projective")),
    ]
    H = np.array([[0.5, 0, 0.5], [0, 0.5, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, 1, 0], [0, 0.5, 1]])
    np.testing.assert_array_equal(composed(reports).theta, [H])
    flow = TransformReport(np.zeros((1, 4, 4, 2)), (1, 1, 4, 4), True, as_transformation("test", "flow"))
    with pytest.raises(TypeError, match=r"flow: this transformation has no matrix"):
        composed([flow])
    with pytest.raises(ValueError, match=r"composed: the transformers differ in align_corners"):
        composed([reports[0], TransformReport(half, (1, 1, 4, 4), False)])
    with pytest.raises(ValueError, match=r"composed: got no reports"):
        composed([])


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("size", [(4, 5), (1, 5)])
def test_the_determinant_is_the_signed_area_and_the_distance_how_far_samples_moved(size, align_corners):
    theta = np.array([[[0.5, 0.2, 0.1], [0, 0.8, 0]], [[-1, 0, 0], [0, 1, 0]], [[1, 0, 0.3], [0, 1, -0.4]]])
    report = TransformReport(theta, (3, 1, *size), align_corners)
    np.testing.assert_allclose(report.determinant, [0.4, -1, 1], rtol=1e-12)
    assert report.distance[2] == pytest.approx(0.5)  # of a shift by (0.3, -0.4)


def test_the_determinant_of_a_bent_map_is_the_mean_of_the_local_ones():
    offsets = np.zeros((1, 16, 2))
    offsets[..., 0] = 0.1 * control_grid()[:, 0]  # 1.1 times as wide: affine, so that the spline is exact
    kind = ThinPlateSpline(offsets=True)
    report = TransformReport(offsets, (1, 1, 6, 7), True, kind)
    np.testing.assert_allclose(report.determinant, [1.1], rtol=1e-12)
    assert np.isnan(TransformReport(offsets, (1, 1, 1, 7), True, kind).determinant).all()


def test_a_width_that_is_a_tensor_is_a_parameter_of_the_module():
    width = Tensor(np.array(1.5), requires_grad=True)
    transformer = SpatialTransformer(Fixed(IDENTITY), mode=BILINEAR.widened(width), padding_mode="border")
    assert "learnt.kernel.width" in dict(transformer.named_parameters())
    transformer(rng().normal(size=(1, 1, 4, 5))).sum().backward(np.array(1.0))
    assert width.grad is not None
    state = transformer.state_dict()
    transformer.load_state_dict({**state, "learnt.kernel.width": np.array(3.0)})
    U = np.zeros((1, 1, 1, 5))
    U[..., 2] = 9
    # 9 times 1/9, 2/9, 3/9 ..., each rounded a few times
    np.testing.assert_allclose(transformer(U).data[0, 0, 0], [1, 2, 3, 2, 1], rtol=1e-15)


def test_control_points_that_are_a_tensor_are_parameters_too():
    points = Tensor(control_grid(2, 3), requires_grad=True)
    transformer = SpatialTransformer(
        Fixed(control_grid(2, 3).reshape(-1) * 0.9), transformation=ThinPlateSpline(points)
    )
    assert [name for name, _ in transformer.named_parameters()] == [
        "learnt.transformation.control_points",
        "localisation.theta",
    ]
    transformer(rng().normal(size=(1, 1, 4, 5))).sum().backward()
    assert np.isfinite(points.grad).all()
    assert np.abs(points.grad).max() > 0


def test_it_stands_at_any_depth_and_warps_every_channel_alike():
    U = rng().normal(size=(2, 1, 9, 9)).astype(np.float32)
    shift = Fixed([1, 0, 0.5, 0, 1, 0], np.float32)
    network = Sequential(
        Conv2d(1, 3, 5, rng=rng()), transformer=SpatialTransformer(shift, align_corners=True)
    )
    features = network[0](U).data
    expected = np.concatenate([features[..., 1:], 0 * features[..., :1]], axis=-1)
    np.testing.assert_allclose(network(U).data, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("mode", "bogus", r"mode is 'bogus', expected one of"),
        ("padding_mode", "bogus", r"padding_mode is 'bogus', expected one of"),
        ("kink", "bogus", r"kink is 'bogus', expected one of"),
        ("output_size", 8, r"output_size is 8, expected \(H', W'\)"),
        ("output_size", (8,), r"output_size is .*8.*, expected \(H', W'\)"),
    ],
)
def test_settings_are_refused_when_it_is_made(setting, value, message):
    with pytest.raises(ValueError, match=rf"SpatialTransformer: {message}"):
        SpatialTransformer(Fixed(IDENTITY), **{setting: value})
    with pytest.raises(TypeError, match=r"SpatialTransformer: antialias is 'yes'"):
        SpatialTransformer(Fixed(IDENTITY), antialias="yes")


def test_a_width_that_was_calculated_is_refused_since_it_would_be_calculated_once():
    log_width = Tensor(0.0, requires_grad=True)
    with pytest.raises(ValueError, match=r"kernel\.width is the result of a calculation.*lambda: exp\(log"):
        SpatialTransformer(Fixed(IDENTITY), mode=gaussian(exp(log_width)))
    transformer = SpatialTransformer(Fixed(IDENTITY), mode=gaussian(lambda: exp(log_width)))
    transformer.log_width = log_width
    assert "log_width" in dict(transformer.named_parameters())


def test_a_report_is_of_its_own_pass_and_not_of_what_was_learnt_since():
    points = Tensor(control_grid(3, 3), requires_grad=True)
    theta = control_grid(3, 3).reshape(-1) * 0.9
    transformer = SpatialTransformer(Fixed(theta), transformation=ThinPlateSpline(points))
    transformer(np.zeros((1, 1, 5, 6)))
    before, report = transformer.report.grid, transformer.report
    assert type(before) is np.ndarray
    points.data = points.data * 0.8
    np.testing.assert_array_equal(report.grid, before)
    np.testing.assert_allclose(report.determinant, [0.81], rtol=1e-12)


def test_reports_take_what_a_user_has_at_hand():
    by_name = TransformReport(np.array([[0.3]]), (1, 1, 4, 5), True, "rotation")
    assert by_name.matrix.shape == (1, 2, 3)
    in_a_row = TransformReport(np.array([IDENTITY], np.float16), (1, 1, 1, 5), True)
    assert in_a_row.matrix.shape == (1, 2, 3)
    assert in_a_row.determinant.tolist() == [1]
    empty = TransformReport(np.zeros((0, 2, 3)), (0, 1, 4, 5), True)
    assert empty.determinant.shape == empty.distance.shape == (0,)
    with pytest.raises(ValueError, match=r"composed: a transformer has no report yet"):
        composed([None])
