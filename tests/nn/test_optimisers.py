"""Optimisers against updates by hand and closed forms; multipliers; schedules; state."""

import math
import pickle

import numpy as np
import pytest

from stn_ref import Tensor
from stn_ref.nn import SGD, Adam, Linear, Optimiser, constant, cosine, stepwise

KINDS = pytest.mark.parametrize("kind", [SGD, Adam])


def parameter(value, dtype=np.float64):
    return Tensor(np.array(value, dtype), requires_grad=True)


def step(optimiser, *gradients):
    for p, gradient in zip(optimiser.parameters.values(), gradients):
        p.grad = None if gradient is None else np.asarray(gradient, p.dtype)
    optimiser.step()


def test_sgd_by_hand():
    p = parameter([1.0, 2.0])
    step(SGD([("p", p)], lr=0.5), [2.0, -4.0])
    assert p.data.tolist() == [0, 4]


def test_momentum_by_hand():
    """Gradients 1, 2, 0 with momentum 1/2: velocities 1, 5/2, 5/4."""
    p = parameter([0.0])
    optimiser = SGD([("p", p)], lr=1.0, momentum=0.5)
    positions = []
    for gradient in (1.0, 2.0, 0.0):
        step(optimiser, [gradient])
        positions.append(p.data.item())
    assert positions == [-1, -3.5, -4.75]
    assert optimiser.state["p"].tolist() == [1.25]


def test_momentum_on_a_constant_slope_follows_the_closed_form():
    """x_t = -lr (t - mu (1 - mu^t) / (1 - mu)) / (1 - mu)."""
    p, mu, lr, t = parameter([0.0]), 0.9, 0.01, 40
    optimiser = SGD([("p", p)], lr=lr, momentum=mu)
    for _ in range(t):
        step(optimiser, [1.0])
    assert p.data.item() == pytest.approx(-lr * (t - mu * (1 - mu**t) / (1 - mu)) / (1 - mu), rel=1e-12)


def test_sgd_on_a_parabola_follows_the_closed_form():
    """x_{t+1} = x_t - lr a x_t = (1 - lr a)^t x_0."""
    p, a, lr = parameter([3.0]), 0.7, 0.3
    optimiser = SGD([("p", p)], lr=lr)
    for _ in range(20):
        optimiser.zero_grad()
        (p * p * (a / 2)).sum().backward()
        optimiser.step()
    assert p.data.item() == pytest.approx(3 * (1 - lr * a) ** 20, rel=1e-12)


def adam(gradients, lr, b1, b2, eps):
    """Algorithm 1 of Kingma and Ba, line by line."""
    x = m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        m_hat = m / (1 - b1**t)
        v_hat = v / (1 - b2**t)
        x = x - lr * m_hat / (math.sqrt(v_hat) + eps)
    return x


@pytest.mark.parametrize("eps", [1e-8, 0.1])
def test_adam_is_algorithm_1(eps):
    gradients = np.random.default_rng(0).normal(size=15)
    p = parameter([0.0])
    optimiser = Adam([("p", p)], lr=0.02, betas=(0.8, 0.95), eps=eps)
    for gradient in gradients:
        step(optimiser, [gradient])
    assert p.data.item() == pytest.approx(adam(gradients, 0.02, 0.8, 0.95, eps), rel=1e-12)


def test_the_reference_tells_the_place_of_eps():
    """Planted fault: eps added before the bias correction is another algorithm."""
    gradients = [0.3, 0.1, -0.2]
    good = adam(gradients, 0.02, 0.8, 0.95, 0.1)
    assert abs(good - adam(gradients, 0.02, 0.8, 0.95, 0.1 / math.sqrt(1 - 0.95))) > 1e-4


def test_the_first_step_of_adam_is_the_learning_rate_whatever_the_gradient():
    p = parameter([0.0, 0.0, 0.0])
    step(Adam([("p", p)], lr=0.1, eps=1e-300), [1e-9, -5.0, 1e6])
    assert p.data == pytest.approx([-0.1, 0.1, -0.1], rel=1e-12)


@KINDS
def test_a_parameter_without_gradient_stays(kind):
    p, q = parameter([1.0]), parameter([1.0])
    optimiser = kind([("p", p), ("q", q)], lr=0.1)
    step(optimiser, [1.0], None)
    assert p.data.item() != 1
    assert q.data.item() == 1
    assert optimiser.steps == 1


@KINDS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
@pytest.mark.parametrize("lr", [0.1, np.float64(0.1), np.float32(0.1)])
def test_dtype_and_shape_stay(kind, dtype, shape, lr):
    p = parameter(np.ones(shape), dtype)
    optimiser = kind(
        [("p", p)], lr=lr, schedule=lambda step: np.float64(1.0), multipliers={"p": np.float64(1)}
    )
    for _ in range(2):
        step(optimiser, np.ones(shape))
    assert isinstance(p.data, np.ndarray)
    assert (p.dtype, p.shape) == (dtype, shape)


@KINDS
def test_an_update_changes_no_array_in_place(kind):
    p = parameter([1.0, 2.0])
    before = p.data
    step(kind([("p", p)], lr=0.1), [1.0, 1.0])
    assert before.tolist() == [1, 2]
    assert p.data is not before


def test_the_memory_order_of_a_gradient_leaves_no_trace():
    p = parameter(np.ones((3, 4)))
    step(SGD([("p", p)], lr=0.1, momentum=0.5), np.asfortranarray(np.ones((3, 4))))
    assert p.data.flags.c_contiguous


def test_zero_grad():
    p = parameter([1.0])
    optimiser = SGD([("p", p)], lr=0.1)
    p.grad = np.ones(1)
    optimiser.zero_grad()
    assert p.grad is None


# Multipliers

NAMES = ["net.1.weight", "net.1.bias", "net.10.weight", "other"]


def multiplied(multipliers):
    optimiser = SGD([(name, parameter([0.0])) for name in NAMES], lr=1.0, multipliers=multipliers)
    step(optimiser, *[[1.0]] * 4)
    return [-p.data.item() for p in optimiser.parameters.values()]


@pytest.mark.parametrize(
    ("multipliers", "rates"),
    [
        (None, [1, 1, 1, 1]),
        ({"net": 0.5}, [0.5, 0.5, 0.5, 1]),
        ({"net": 0.5, "net.1": 0.25}, [0.25, 0.25, 0.5, 1]),
        ({"net.1": 0.25, "net": 0.5}, [0.25, 0.25, 0.5, 1]),
        ({"net.1.bias": 2, "net.1": 0.25}, [0.25, 2, 1, 1]),
        ({"net.": 0.5}, [0.5, 0.5, 0.5, 1]),
        ({"": 0.5, "other": 0}, [0.5, 0.5, 0.5, 0]),
    ],
)
def test_the_longest_beginning_in_whole_parts_counts(multipliers, rates):
    assert multiplied(multipliers) == rates


def test_multipliers_and_schedule_multiply():
    p = parameter([0.0])
    optimiser = SGD([("p", p)], lr=2.0, multipliers={"p": 0.5}, schedule=lambda step: 0.1 * (step + 1))
    moved = []
    for _ in range(3):
        before = p.data.item()
        step(optimiser, [1.0])
        moved.append(before - p.data.item())
    assert moved == pytest.approx([0.1, 0.2, 0.3])
    assert optimiser.rate == pytest.approx(2 * 0.4)


@KINDS
@pytest.mark.parametrize("prefix", ["net.2", "ne", "net.1.b", "weight"])
def test_a_multiplier_that_fits_nothing_is_refused(kind, prefix):
    with pytest.raises(
        ValueError, match=rf"{kind.__name__}: multiplier '{prefix}' fits no parameter; the names"
    ):
        kind([(name, parameter([0.0])) for name in NAMES], lr=1.0, multipliers={prefix: 0.1})


# Refusals


@KINDS
@pytest.mark.parametrize("lr", [0, -1.0, math.nan])
def test_a_learning_rate_must_be_positive(kind, lr):
    with pytest.raises(ValueError, match=rf"{kind.__name__}: lr is .*, expected a positive number"):
        kind([("p", parameter([0.0]))], lr=lr)


@KINDS
def test_there_must_be_parameters(kind):
    with pytest.raises(ValueError, match=r"there are no parameters; pass model\.named_parameters\(\)"):
        kind([], lr=0.1)


def test_momentum_and_betas_are_checked():
    for momentum in (-0.1, 1.0):
        with pytest.raises(ValueError, match=r"SGD: momentum is .*, expected at least 0 and below 1"):
            SGD([("p", parameter([0.0]))], lr=0.1, momentum=momentum)
    for betas in ((1.0, 0.9), (0.9, -0.1)):
        with pytest.raises(
            ValueError, match=r"Adam: betas are .*, expected two numbers of at least 0 and below 1"
        ):
            Adam([("p", parameter([0.0]))], betas=betas)


def test_an_optimiser_of_ones_own_defines_update():
    with pytest.raises(NotImplementedError):
        step(Optimiser([("p", parameter([0.0]))], lr=0.1), [1.0])


# State


@pytest.mark.parametrize(
    "make", [lambda p: SGD([("p", p)], 0.1, momentum=0.9), lambda p: Adam([("p", p)], 0.1)]
)
def test_the_state_carries_an_optimiser_over_bit_for_bit(make):
    gradients = np.random.default_rng(0).normal(size=(6, 3))
    p = parameter([1.0, 2.0, 3.0])
    optimiser = make(p)
    for gradient in gradients[:3]:
        step(optimiser, gradient)
    q = parameter(p.data.copy())
    other, fresh = make(q), make(parameter(p.data.copy()))
    other.load_state_dict(optimiser.state_dict())
    for gradient in gradients[3:]:
        for one in (optimiser, other, fresh):
            step(one, gradient)
    assert p.data.tobytes() == q.data.tobytes()
    assert other.steps == optimiser.steps == 6
    assert (fresh.parameters["p"].data != p.data).any()  # without the state it goes elsewhere


def test_a_state_is_a_copy():
    optimiser = SGD([("p", parameter([1.0]))], lr=0.1, momentum=0.9)
    step(optimiser, [1.0])
    state = optimiser.state_dict()
    state["state"]["p"][:] = 9
    assert optimiser.state["p"].item() == 1
    optimiser.load_state_dict(state)
    state["state"]["p"][:] = 8
    assert optimiser.state["p"].item() == 9


# Schedules


def test_constant():
    assert [constant()(step) for step in (0, 10)] == [1, 1]


def test_stepwise_is_that_of_the_paper():
    schedule = stepwise(50_000)
    assert [schedule(step) for step in (0, 49_999, 50_000, 100_000)] == pytest.approx([1, 1, 0.1, 0.01])
    assert stepwise(10, factor=0.5)(25) == 0.25


def test_cosine():
    schedule = cosine(100)
    assert [schedule(step) for step in (0, 50, 100, 150)] == pytest.approx([1, 0.5, 0, 0])
    assert schedule(25) == pytest.approx((1 + math.sqrt(0.5)) / 2)
    warm = cosine(110, warmup=10)
    assert [warm(step) for step in (0, 4, 9, 10, 60, 110)] == pytest.approx([0.1, 0.5, 1, 1, 0.5, 0])
    assert cosine(5, warmup=5)(5) == 1  # nothing is left after the warm-up


@pytest.mark.parametrize("wrong", ["parameters", "module", "names"])
def test_what_is_no_named_parameter_is_refused_with_the_mend(wrong):
    model = Linear(2, 2, rng=np.random.default_rng(0))
    given = {"parameters": model.parameters(), "module": model, "names": ["weight"]}[wrong]
    with pytest.raises(TypeError, match=r"SGD: expected pairs .* pass model\.named_parameters\(\)"):
        SGD(given, lr=0.1)


def test_a_parameter_frozen_for_a_while_begins_adam_anew():
    a, b = (Tensor(np.zeros(1), requires_grad=True) for _ in "ab")
    optimiser = Adam([("a", a), ("b", b)], lr=1e-3)
    b.requires_grad = False
    for step in range(20):
        b.requires_grad = step >= 10
        optimiser.zero_grad()
        (a + b).sum().backward()
        before = b.data
        optimiser.step()
        moved = (before - b.data)[0]
        assert moved == pytest.approx(1e-3 if step >= 10 else 0.0, rel=1e-6)


def test_a_frozen_parameter_is_not_moved_by_a_gradient_from_before():
    p = Tensor(np.ones(1), requires_grad=True)
    optimiser = SGD([("p", p)], lr=0.1)
    p.sum().backward()
    p.requires_grad = False
    optimiser.step()
    np.testing.assert_array_equal(p.data, [1.0])


def test_optimisers_can_be_pickled():
    p = Tensor(np.ones(1), requires_grad=True)
    for schedule in (constant(), stepwise(3), cosine(10, warmup=2)):
        again = pickle.loads(pickle.dumps(Adam([("p", p)], schedule=schedule)))
        assert again.schedule == schedule
