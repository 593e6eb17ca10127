"""The textbook says what the library computes, and what is right by construction, under all conventions."""

from functools import partial

import numpy as np
import pytest

import stn_ref
from stn_ref import BILINEAR, NEAREST, Kernel, Setup, pixels
from stn_ref.course.diagnosis import equal
from stn_ref.course.mistakes import dictionary
from stn_ref.course.mistakes.known import results
from stn_ref.course.mistakes.patches import PATCHES
from stn_ref.course.sources import Textbook, textbook
from stn_ref.course.tasks import TASKS
from stn_ref.course.variants import Variant, variants
from stn_ref.faults.plain import Plain

VARIANTS = [*variants()]
OF_IMAGES = (1, 2, 3, 4, 5, 6, 7)
KERNELS = {
    "bilinear": BILINEAR,
    "smoothstep": Kernel("smoothstep", [(1.0, [1.0, 0.0, -3.0, 2.0])]),
    "cosine": Kernel("cosine", [(1.0, lambda t: 0.5 + 0.5 * stn_ref.cos(np.pi * t))]),
}
IDENTITY = np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])


def checks(numbers, variant, seed=0):
    """All checks of some tasks."""
    for number in numbers:
        rng = np.random.default_rng((seed, number))
        yield from ((TASKS[number], check) for check in TASKS[number].checks(variant, rng))


def answered(book, task, check):
    arrays = [array.copy() for array in check.arrays]
    return results(book(task.file, check.function, *arrays, **check.settings))


# The same in operators of the library


class Operators:
    """What the textbook's functions return, from ``stn_ref``'s operators, under a term's conventions."""

    def __init__(self, variant):
        self.variant, self.corners = variant, {"align_corners": variant.align_corners}
        kernel, conventions = KERNELS[variant.kernel], {**self.corners, "kink": variant.kink}
        self.setup = Setup(kernel, padding_mode=variant.padding, **conventions)
        self.in_zeros = Setup(kernel, padding_mode="zeros", **conventions)
        self.nearest = Setup(NEAREST, padding_mode="zeros", **conventions)
        self.how = {"mode": kernel, "padding_mode": variant.padding, **conventions}

    def first(self, images):
        return np.moveaxis(images, -1, 1).copy() if self.variant.channels_last else images

    def ours(self, images):
        return np.moveaxis(images, 1, -1) if self.variant.channels_last else images

    def transform(self, U, theta, size):
        return stn_ref.spatial_transform(U, theta, (*U.shape[:2], *size), **self.how)

    def base_coordinates(self, size):
        return self.base_grid(1, size)[0, :, 0]

    def base_grid(self, height, width):
        grid = stn_ref.affine_grid(IDENTITY, (1, 1, height, width), **self.corners)[0]
        return np.concatenate([grid, np.ones((height, width, 1))], axis=2)

    def affine_grid(self, theta, height, width):
        return stn_ref.affine_grid(theta, (len(theta), 1, height, width), **self.corners)

    def to_pixels(self, x, size, align_corners):
        return pixels.to_pixels(x, size, align_corners)

    def to_normalised(self, x_px, size, align_corners):
        return pixels.to_normalised(x_px, size, align_corners)

    def kernel(self, t):
        """By sampling an image of one bright pixel at a distance of t from it."""
        far = 50
        U = np.zeros((1, 1, 1, 2 * far + 1))
        U[..., far] = 1.0
        x = far + np.clip(t.ravel(), -far, far)
        points = np.stack([x, 0 * x], axis=-1)[None]
        return stn_ref.sample(U, points, setup=self.in_zeros).reshape(t.shape)

    def sample_everywhere(self, U, points):
        return self.ours(stn_ref.sample(self.first(U), points, setup=self.in_zeros))

    def sample_nearest(self, U, points):
        return self.ours(stn_ref.sample(self.first(U), points, setup=self.nearest))

    def sample(self, U, points):
        return self.ours(stn_ref.sample(self.first(U), points, setup=self.setup))

    def splat(self, V_bar, points, height, width):
        return self.ours(stn_ref.splat(self.first(V_bar), points, shape=(height, width), setup=self.setup))

    def slopes(self, U, points, V_bar):
        return stn_ref.slopes(self.first(U), points, self.first(V_bar), setup=self.setup)

    def grid_cotangent(self, points_bar, height, width):
        """By the derivative of the grid in pixels, which is linear in it."""
        units = [pixels.to_pixels(np.array([0.0, 1.0]), n, **self.corners) for n in (width, height)]
        return points_bar * np.array([one - zero for zero, one in units])

    def theta_cotangent(self, grid_bar):
        size = (len(grid_bar), 1, *grid_bar.shape[1:3])
        _, back = stn_ref.vjp(
            lambda theta: stn_ref.affine_grid(theta, size, **self.corners), np.zeros((len(grid_bar), 2, 3))
        )
        return back(grid_bar)[0]

    def classify(self, U, head, head_bias, weight, bias, height, width):
        theta = (U.reshape(len(U), -1) @ head.T + head_bias).reshape(-1, 2, 3)
        V = self.ours(self.transform(self.first(U), theta, (height, width)))
        return V.reshape(len(V), -1) @ weight.T + bias

    def align(self, U, target, theta, lr, steps):
        U, target = self.first(U), self.first(target)

        def loss(theta):
            difference = self.transform(U, theta, target.shape[2:]) - target
            return 0.5 * (difference * difference).sum()

        losses = []
        for _ in range(steps):
            value, theta_bar = stn_ref.value_and_grad(loss)(theta)
            losses.append(value)
            theta = theta - lr * theta_bar
        return theta, np.array([*losses, loss(theta)])

    def to_opencv(self, theta, size, source):
        return stn_ref.theta_to_matrix(theta, size, source, library="opencv", **self.corners)

    def to_scipy(self, theta, size, source):
        found = stn_ref.theta_to_matrix(theta, size, source, library="scipy", **self.corners)
        return found[:, :2, :2], found[:, :2, 2]

    def to_pytorch(self, theta, size, source):
        return stn_ref.rescale_theta(theta, size, source, **self.corners)

    def rotation(self, degrees, source):
        return stn_ref.rotation_theta(np.radians([degrees]), source=source, **self.corners)

    def run(self, *arrays, program):
        operations = {name: getattr(stn_ref, name) for name in ("add", "multiply", "matmul", "tanh")}

        def last(*tensors):
            values = [*tensors]
            for name, operands in program:
                values.append(operations[name](*(values[k] for k in operands)))
            return values[-1]

        value, back = stn_ref.vjp(last, *arrays)
        return value, *back(np.ones_like(value))

    def __call__(self, check):
        function = getattr(self, check.function)
        return results(function(*(array.copy() for array in check.arrays), **check.settings))


def unlike_the_operators(book, variant, numbers):
    """The calls of some tasks in which a textbook and the library differ."""
    operators = Operators(variant)
    return [
        f"{check.function}: {check.says}"
        for task, check in checks(numbers, variant)
        if hasattr(Operators, check.function) and not equal(answered(book, task, check), operators(check))
    ]


def says(variant):
    return "-".join(str(value) for value in vars(variant).values())


@pytest.mark.parametrize("variant", VARIANTS, ids=says)
def test_it_is_what_the_operators_are(variant):
    assert unlike_the_operators(textbook(variant), variant, (*OF_IMAGES, 9)) == []


@pytest.mark.parametrize("align_corners", [True, False])
def test_its_tape_and_its_conversions_are_the_librarys(align_corners):
    variant = Variant(align_corners=align_corners)
    assert unlike_the_operators(textbook(variant), variant, (8, 10)) == []


def test_all_functions_but_these_are_compared():
    every = {name for task in TASKS.values() for name in task.functions}
    in_the_tape = {"apply", "order", "backward"}  # spoken to through run
    compared = {name for name in every if hasattr(Operators, name)}
    assert every - compared - in_the_tape == {"neighbours", "sum_to_shape", "first_head", "step"}


PLANTED = {patch.name: patch for patch in PATCHES}


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("theta-reshaped", 1),
        ("centre-at-half-the-size", 10),
        ("kernel-goes-on", 3),
        ("weights-exchanged", 4),
        ("fancy-index-add", 5),
        ("slope-of-both", 6),
        ("factor-without-half", 7),
        ("last-use-only", 8),
        ("mean-loss", 9),
        ("scipy-rows-alone", 10),
    ],
)
def test_a_mistake_in_it_would_be_found(name, number):
    variant = Variant()
    wrong = Textbook(variant, {PLANTED[name].file: PLANTED[name].text()})
    assert unlike_the_operators(wrong, variant, [number]) != []


# What is right by construction


def right_by_construction(check, variant):
    """The answer of the faults' model, without a fault."""
    base = dictionary.InPixels if check.function in dictionary.IN_PIXELS else Plain
    model = type("Right", (base,), {"variant": variant})()
    return results(dictionary.ANSWERS[check.function](model, check, variant))


@pytest.mark.parametrize("variant", VARIANTS, ids=says)
def test_it_is_what_is_right_by_construction(variant):
    book = textbook(variant)
    for task, check in checks(OF_IMAGES, variant):
        assert equal(answered(book, task, check), right_by_construction(check, variant)), check


# What needs no other implementation


OF_A_SAMPLER = [variant for variant in VARIANTS if variant.align_corners and not variant.channels_last]


def slopes_of_ones(book, U, points):
    return book("sampler.py", "slopes", U, points, np.ones((1, 1, *points.shape[1:3])))


def quotient(book, U, points, step):
    """The difference quotients of each sample for its x and its y."""
    sampled = partial(book, "sampler.py", "sample", U)
    here, there = sampled(points), [sampled(points + step * np.eye(2)[k]) for k in (0, 1)]
    return np.stack([(one - here)[0, 0] / step for one in there], axis=-1)[None]


@pytest.mark.parametrize("variant", OF_A_SAMPLER, ids=says)
def test_slopes_are_derivatives(variant):
    """Between pixels, inside and outside: integer cell + fraction, so that no difference straddles a kink."""
    rng = np.random.default_rng(5)
    U = rng.uniform(-1, 1, (1, 1, 4, 5))
    points = rng.integers(-2, 6, (1, 3, 4, 2)) + rng.uniform(0.05, 0.95, (1, 3, 4, 2))
    step = 1e-5
    centred = (
        quotient(textbook(variant), U, points, step) + quotient(textbook(variant), U, points, -step)
    ) / 2
    # Rounding leaves 1e-16 / step, the third derivative (pi^3 at most) step^2.
    np.testing.assert_allclose(slopes_of_ones(textbook(variant), U, points), centred, atol=1e-8)


@pytest.mark.parametrize("variant", OF_A_SAMPLER, ids=says)
def test_slopes_at_pixels_are_one_sided_derivatives(variant):
    U = np.random.default_rng(6).uniform(-1, 1, (1, 1, 4, 5))
    points = np.stack(np.meshgrid(np.arange(-1.0, 6.0), np.arange(-1.0, 5.0)), axis=-1)[None]
    step = {"right": 1e-6, "left": -1e-6}[variant.kink]
    # The second derivative is pi^2 / 2 at most, and the quotient off by half of it times the step.
    np.testing.assert_allclose(
        slopes_of_ones(textbook(variant), U, points), quotient(textbook(variant), U, points, step), atol=1e-5
    )


@pytest.mark.parametrize("kernel", KERNELS)
def test_kernels_are_symmetric_and_their_weights_add_up_to_1(kernel):
    of = partial(textbook(Variant(kernel=kernel)), "sampler.py", "kernel")
    t = np.linspace(-1.5, 1.5, 31)
    np.testing.assert_array_equal(of(t), of(-t))
    t = np.linspace(0, 1, 21)
    np.testing.assert_allclose(of(t) + of(1 - t), 1, rtol=1e-15)
    assert of(np.array([0.0, 1.0, 1e9])).tolist() == [1, 0, 0]


def test_by_hand():
    """A mirror image, half a pixel to the right of its pixels, under the padding by the border."""
    book = textbook(Variant(padding="border", align_corners=False))
    U, theta = np.array([[[[1.0, 2.0, 4.0, 8.0]]]]), np.array([[[-1.0, 0.0, 0.25], [0.0, 1.0, 0.0]]])
    V = book("chain.py", "spatial_transform", U, theta, 1, 4)
    assert V.tolist() == [[[[8.0, 6.0, 3.0, 1.5]]]]


@pytest.mark.parametrize("variant", VARIANTS[::5], ids=says)
def test_the_way_back_to_theta_is_the_librarys(variant):
    """Tasks 5, 6 and 7 together."""
    rng, operators = np.random.default_rng(8), Operators(variant)
    U, V_bar = rng.uniform(-1, 1, (2, 3, 4, 6)), rng.uniform(-1, 1, (2, 3, 5, 3))
    theta = np.eye(2, 3) + rng.uniform(-0.4, 0.4, (2, 2, 3))
    found = textbook(variant)(
        "chain.py", "spatial_transform_vjp", operators.ours(U), theta, operators.ours(V_bar)
    )
    _, back = stn_ref.vjp(lambda U, theta: operators.transform(U, theta, (5, 3)), U, theta)
    U_bar, theta_bar = back(V_bar)
    assert equal(found, (operators.ours(U_bar), theta_bar))


@pytest.mark.parametrize("kind", ["affine", "attention", "translation"])
def test_a_transformer_begins_with_the_identity(kind):
    weight, bias = textbook(Variant())("training.py", "first_head", kind, 7)
    inputs = np.random.default_rng(9).uniform(-1, 1, (2, 7))
    U = np.arange(24.0).reshape(2, 1, 3, 4)
    numbers = inputs @ weight.T + bias
    V = stn_ref.spatial_transform(U, numbers, U.shape, transformation=kind, align_corners=True)
    np.testing.assert_array_equal(V, U)


def test_alignment_finds_the_way_back():
    book = textbook(Variant())
    y, x = np.mgrid[:9, :9]
    U = np.exp(-((x - 4) ** 2 + (y - 4) ** 2) / 6)[None, None]
    moved = IDENTITY + np.array([[[0.0, 0.0, 0.2], [0.0, 0.0, -0.1]]])
    target = book("chain.py", "spatial_transform", U, moved, 9, 9)
    theta, losses = book("training.py", "align", U, target, IDENTITY, 0.01, 60)
    assert losses.shape == (61,)
    assert losses[-1] < losses[0] / 100
    assert abs(theta - moved).max() < abs(IDENTITY - moved).max() / 3
