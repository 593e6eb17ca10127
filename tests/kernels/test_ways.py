"""All ways of computing eqs. (5)-(7) give what the literal equations give, on whatever input."""

import threading
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stn_ref import (
    BICUBIC,
    BILINEAR,
    CUBIC_SPLINE,
    Setup,
    Tensor,
    equations,
    spatial_transform,
    vjp,
)
from stn_ref.kernels import choice, scatter
from stn_ref.kernels.axis_aligned import AxisAligned
from stn_ref.kernels.channels_last import ChannelsLast
from stn_ref.kernels.choice import Literal, Sampler
from stn_ref.kernels.places import AffineMap, Places, Points
from stn_ref.kernels.planar import Planar
from stn_ref.kernels.sampling import Samples
from stn_ref.kernels.workspace import LIMIT, Workspace, workspace

PADDINGS = ("zeros", "border")
FAST = (Planar, ChannelsLast)
ODD = (np.nan, np.inf, -np.inf, 1e10, -1e10, 2.0**31, -(2.0**62), 1e30)


def literal(places: Places, padding_mode: str) -> Literal:
    setup = Setup(BILINEAR, padding_mode, align_corners=True, kink="right")
    return Literal(places, Samples(places.points(), places.sizes, setup))


def all_of(way: Any, U: np.ndarray, V: np.ndarray, orders: Any = None) -> list[np.ndarray]:
    orders = (0,) * (U.ndim - 2) if orders is None else orders
    return [way.sample(U, orders), way.splat(V, U.shape[2:], orders), way.slopes(U, V, orders)]


def close(got: np.ndarray, want: np.ndarray, terms: float) -> None:
    """Within the rounding of a sum of so many terms, each of about 1."""
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    bound = 4 * terms * np.finfo(want.dtype).eps * (1 + np.abs(want[np.isfinite(want)]).max(initial=0))
    np.testing.assert_allclose(got, want, rtol=0, atol=bound)


@st.composite
def problems(draw: Any) -> tuple[np.ndarray, Places, np.ndarray, str, tuple[int, ...]]:
    """An image, places (points of any kind, or an affine map), a cotangent, a padding and orders."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    d = draw(st.integers(2, 3))
    n, channels = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    sizes, out = ([draw(st.integers(1, 5)) for _ in range(d)] for _ in range(2))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    U, V = (rng.normal(size=(n, channels, *shape)).astype(dtype) for shape in (reversed(sizes), out))
    places: Places
    if draw(st.booleans()):
        theta = (rng.normal(size=(n, d, d + 1)) * 3).astype(dtype)
        theta[rng.random(theta.shape) < 0.3] = draw(st.sampled_from([0.0, 1.0, -1.0, *ODD]))
        with np.errstate(invalid="ignore", over="ignore"):
            places = AffineMap(theta, tuple(out), tuple(sizes))
    else:
        points = rng.uniform(-4, 9, size=(n, *out, d)).astype(dtype)
        points[rng.random(points.shape) < 0.4] //= 1  # at kinks
        points[rng.random(points.shape) < 0.1] = draw(st.sampled_from(ODD))
        places = Points(points, tuple(sizes))
    orders = draw(st.just((0,) * d) | st.tuples(*[st.integers(0, 2)] * d))
    return U, places, V, draw(st.sampled_from(PADDINGS)), orders


@pytest.mark.parametrize("way", FAST)
@settings(max_examples=300)
@given(problems())
def test_a_fast_way_equals_the_literal_one(way: Any, problem: Any) -> None:
    U, places, V, padding_mode, orders = problem
    with np.errstate(invalid="ignore", over="ignore"):
        expected = all_of(literal(places, padding_mode), U, V, orders)
        got = all_of(way(places, padding_mode), U, V, orders)
    if not any(orders):  # the same sum in the same order
        np.testing.assert_array_equal(got[0], expected[0])
    close(got[0], expected[0], 2)
    close(got[1], expected[1], V[0].size)
    moved = V[0].size * max(1, *places.shape[1:]) if isinstance(places, AffineMap) else V.shape[1]
    close(got[2], expected[2], 4 * moved)


@settings(max_examples=300)
@given(problems(), st.integers(0, 2**32))
def test_one_axis_after_the_other_equals_the_literal_way(problem: Any, seed: int) -> None:
    U, _, _, padding_mode, orders = problem
    if U.ndim == 5:
        U, orders = U[:, :, 0], orders[:2]
    rng = np.random.default_rng(seed)
    out = tuple(rng.integers(1, 6, 2).tolist())
    theta = (rng.normal(size=(len(U), 2, 3)) * 3).astype(U.dtype)
    theta[rng.random(theta.shape) < 0.2] = rng.choice([0.0, 1.0, -1.0, *ODD])
    theta[:, [0, 1], [1, 0]] = 0
    V = rng.normal(size=(*U.shape[:2], *out)).astype(U.dtype)
    places = AffineMap(theta, out, tuple(reversed(U.shape[2:])), diagonal=True)
    with np.errstate(invalid="ignore", over="ignore"):
        expected = all_of(literal(places, padding_mode), U, V, orders)
        got = all_of(AxisAligned(places, padding_mode), U, V, orders)
    close(got[0], expected[0], 4)
    close(got[1], expected[1], V[0].size)
    close(got[2], expected[2], 4 * V[0].size * max(out))


@pytest.mark.parametrize(("way", "padding_mode"), [*product(FAST, PADDINGS)])
def test_a_fast_way_equals_the_paper_s_equations(way: Any, padding_mode: str) -> None:
    rng = np.random.default_rng(5)
    U, V = rng.normal(size=(1, 2, 3, 4)), rng.normal(size=(1, 2, 5, 3))
    reach = 3.0 if padding_mode == "zeros" else 0.0  # the paper's images end in zeros
    points = rng.uniform(-reach, np.array([3, 2]) + reach, size=(1, 5, 3, 2))
    got = all_of(way(Points(points, (4, 3)), padding_mode), U, V)
    image, splatted = U[0].tolist(), np.zeros((2, 3, 4))
    for i, j in np.ndindex(5, 3):
        x, y = points[0, i, j].tolist()
        np.testing.assert_allclose(got[0][0, :, i, j], equations.eq5_bilinear(image, x, y), atol=1e-14)
        for k, eq7 in enumerate((equations.eq7_dV_dx, equations.eq7_dV_dy)):
            expected = np.dot(V[0, :, i, j], eq7(image, x, y))
            np.testing.assert_allclose(got[2][0, i, j, k], expected, atol=1e-14)
        splatted += V[0, :, i, j, None, None] * np.array(equations.eq6_dV_dU(3, 4, x, y))
    np.testing.assert_allclose(got[1][0], splatted, atol=1e-14)


@pytest.mark.parametrize("way", FAST)
def test_parts_of_any_size_give_the_same(way: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    U, V = rng.normal(size=(5, 2, 6, 7)), rng.normal(size=(5, 2, 4, 3))
    theta = rng.normal(size=(5, 2, 3)) * 3
    whole = all_of(way(AffineMap(theta, (4, 3), (7, 6)), "border"), U, V)
    for part in (1, 5, 12, 13, 30, 48, 52, 130):
        monkeypatch.setattr(f"{way.__module__}.PART", part)
        for got, want in zip(all_of(way(AffineMap(theta, (4, 3), (7, 6)), "border"), U, V), whole):
            close(got, want, 12)


def test_a_large_image_is_read_as_a_small_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(10)
    U, V = rng.normal(size=(3, 2, 6, 7)), rng.normal(size=(3, 2, 4, 3))
    theta = rng.normal(size=(3, 2, 3)) * 3
    expected = all_of(Planar(AffineMap(theta, (4, 3), (7, 6)), "zeros"), U, V)
    monkeypatch.setattr("stn_ref.kernels.planar.LARGE", 1)
    way = Planar(AffineMap(theta, (4, 3), (7, 6)), "zeros")
    fetched: list[Any] = []
    monkeypatch.setattr(way, "fetch", lambda *args: fetched.append(Planar.fetch(way, *args)))
    for got, want in zip(all_of(way, U, V), expected):
        np.testing.assert_array_equal(got, want)
    assert len(fetched) == 3 * 2  # once for each channel


@pytest.mark.parametrize("limit", [1, 3, 12, 24, 1000])
@pytest.mark.parametrize("shape", [(3, 4, 3), (1, 1, 1), (2, 5, 2, 3), (0, 4, 3), (2, 0, 3), (2, 3, 0)])
def test_parts_hold_every_sample_once(shape: Any, limit: int) -> None:
    seen = np.zeros(shape, int)
    for part in Places(shape, (5, 5, 5)[: len(shape) - 1], float).parts(limit):
        seen[part.key] += 1
        assert seen[part.key].size <= max(limit, int(np.prod(shape[2:])))
    assert (seen == 1).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_image_with_more_pixels_than_float32_has_whole_numbers(dtype: Any) -> None:
    side = 4100
    U = np.zeros((1, 1, side, side), dtype)
    U[0, 0, -1, -4:] = [1, 2, 3, 4]
    points = np.array([[[side - 2.0, side - 1.0], [side - 3.0, side - 1.0]]], dtype)[None]
    way = Planar(Points(points, (side, side)), "zeros")
    assert way.sample(U, (0, 0)).ravel().tolist() == [3, 2]
    assert way.splat(np.array([[[[5, 6]]]], dtype), (side, side), (0, 0))[0, 0, -1, -4:].tolist() == [
        0,
        6,
        5,
        0,
    ]


def sampler(n: int = 2, channels: int = 1, dtype: Any = float, d: int = 2, **settings: Any) -> Any:
    """A sampler of ordinary places, and an image for it."""
    setup = Setup(
        **{"kernel": BILINEAR, "padding_mode": "zeros", "align_corners": True, "kink": "right"} | settings
    )
    places = Points(np.full((n, *(3,) * d, d), 0.25, dtype), (5,) * d)
    return Sampler(places, setup), np.ones((n, channels, *(5,) * d), dtype)


def test_the_way_is_chosen_by_channels_and_settings() -> None:
    for d, many in ((2, choice.MANY_CHANNELS[2]), (3, choice.MANY_CHANNELS[3])):
        for channels, way in ((1, Planar), (many - 1, Planar), (many, ChannelsLast)):
            chooser, U = sampler(channels=channels, d=d)
            assert type(chooser.way(U, kinks=True)) is way
    for side, diagonal, channels, way in (
        (39, True, 1, Planar),
        (40, True, 1, AxisAligned),
        (40, False, 1, Planar),
        (40, True, choice.MANY_CHANNELS[2], ChannelsLast),
    ):
        places = AffineMap(np.ones((1, 2, 3)), (side, side), (5, 5), diagonal)
        setup = Setup(BILINEAR, "zeros", align_corners=True, kink="right")
        assert type(Sampler(places, setup).way(np.ones((1, channels, 5, 5)), kinks=True)) is way
    for other in (
        {"kernel": BICUBIC},
        {"kernel": BILINEAR.widened(2.0)},
        {"kernel": CUBIC_SPLINE},
        {"padding_mode": "reflection"},
    ):
        chooser, U = sampler(**other)
        assert type(chooser.way(U, kinks=True)) is Literal
    for kink in ("left", "mid", "paper"):
        chooser, U = sampler(kink=kink)
        assert type(chooser.way(U, kinks=True)) is Literal
        assert type(chooser.way(U, kinks=False)) is Planar
    chooser, U = sampler()
    assert type(chooser.way(U.astype(np.float32), kinks=True)) is Literal
    for odd in (np.nan, np.inf, 1e300):
        image = U.copy()
        image[0, 0, 0, 0] = odd
        assert type(chooser.way(image, kinks=True)) is Literal
        assert type(chooser.way(U, image, kinks=True)) is Literal


@pytest.mark.parametrize("kink", ["right", "left", "mid", "paper"])
def test_every_kink_is_read_as_asked(kink: str) -> None:
    chooser, U = sampler(kink=kink)
    chooser.places.given[...] = 2.0
    ramp = np.broadcast_to(np.array([0.0, 0.0, 0.0, 1.0, 1.0]), U.shape)
    slopes = chooser.slopes(ramp, np.ones((2, 1, 3, 3)))
    assert slopes[0, 0, 0, 0] == {"right": 1.0, "left": 0.0, "mid": 0.5, "paper": 0.0}[kink]


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_add_at_adds_up_what_repeats(private: bool, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if not private:
        monkeypatch.setattr(scatter, "compiled_loop", lambda: None)
    rng = np.random.default_rng(7)
    index = rng.integers(0, 20, (6, 10)).astype(np.int32)
    values = [rng.integers(-8, 9, index.shape).astype(dtype) for _ in range(2)]
    total = np.ones(24, dtype)
    expected = total.copy()
    for offset, value in zip((0, 4), values):
        np.add.at(expected, index + offset, value)
    scatter.add_at(total, index, (0, 4), values)
    np.testing.assert_array_equal(total, expected)


def test_the_private_loop_of_scipy_is_there() -> None:
    assert scatter.compiled_loop() is not None, "SciPy has changed: sampling still works, but more slowly"


@pytest.mark.parametrize("wild", [-1, 17, 2**31 - 1, -(2**31)])
def test_wild_indices_are_refused_before_anything_is_written(wild: int) -> None:
    total = np.zeros(20)
    with pytest.raises(IndexError, match="expected at least 0 and less than 17"):
        scatter.add_at(total, np.array([0, wild], np.int32), (0, 3), [np.ones(2), np.ones(2)])
    assert not total.any()


def test_results_lie_outside_the_workspace() -> None:
    chooser, U = sampler()
    V = chooser.sample(U)
    for result in (V, chooser.splat(V), chooser.slopes(U, V)):
        assert not any(np.may_share_memory(result, memory) for memory in workspace()._memory)
    before = V.copy()
    chooser.sample(-U)
    np.testing.assert_array_equal(V, before)


def test_the_workspace_is_bounded_used_again_and_of_its_thread_alone() -> None:
    single, double = np.dtype("f"), np.dtype("d")
    with Workspace() as space:
        first, second = space.empty((30, 20), double), space.empty((10,), single)
        with space:  # a kernel within a kernel
            third = space.empty((1000,), double)
        huge = space.empty((LIMIT,), double)
        arrays = [first, second, third, huge]
        for k, a in enumerate(arrays):
            assert not any(np.may_share_memory(a, b) for b in arrays[:k])
    with space:
        assert space.empty((30, 20), double) is first
        assert np.may_share_memory(space.empty((5,), double), second)
        space.release(1)
        smaller = space.empty((2, 2), single)
        assert np.may_share_memory(smaller, second)
        assert smaller.shape == (2, 2)
        assert smaller.dtype == single
        for _ in range(10):
            space.empty((LIMIT // 4,), single)
    assert sum(len(memory) for memory in space._memory) <= LIMIT
    others = []
    thread = threading.Thread(target=lambda: others.append(workspace()))
    thread.start()
    thread.join()
    assert others[0] is not workspace()
    assert workspace() is workspace()


@pytest.mark.parametrize("way", [*FAST, AxisAligned])
def test_what_the_forward_pass_keeps_serves_the_backward_pass(way: Any) -> None:
    rng = np.random.default_rng(8)
    U, V = rng.normal(size=(3, 2, 6, 7)), rng.normal(size=(3, 2, 4, 3))
    theta = rng.normal(size=(3, 2, 3)) * 3
    theta[:, [0, 1], [1, 0]] = 0
    fresh = all_of(way(AffineMap(theta, (4, 3), (7, 6)), "zeros"), U, V)
    keeper = way(AffineMap(theta, (4, 3), (7, 6)), "zeros", keep=True)
    for _ in range(2):
        kept = all_of(keeper, U, V)
        np.testing.assert_array_equal(kept[0], fresh[0])
        np.testing.assert_array_equal(kept[1], fresh[1])
        close(kept[2], fresh[2], 50)
    for other_U, other_V, orders in ((2 * U + 1, V, (0, 0)), (U, V + 1, (0, 0)), (U, V, (1, 0))):
        expected = all_of(way(AffineMap(theta, (4, 3), (7, 6)), "zeros"), other_U, other_V, orders)
        for got, want in zip(all_of(keeper, other_U, other_V, orders), expected):
            close(got, want, 50)


def test_what_an_interrupted_pass_has_kept_is_not_taken_for_the_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(9)
    U, V = rng.normal(size=(4, 1, 6, 7)), rng.normal(size=(4, 1, 4, 3))
    theta = rng.normal(size=(4, 2, 3))
    monkeypatch.setattr("stn_ref.kernels.planar.PART", 4 * 12)
    expected = all_of(Planar(AffineMap(theta, (4, 3), (7, 6)), "zeros"), U, V)
    keeper = Planar(AffineMap(theta, (4, 3), (7, 6)), "zeros", keep=True)
    taps, calls = keeper.taps, iter(range(2))

    def interrupted(*args: Any) -> Any:
        next(calls)  # raises in the third part
        return taps(*args)

    monkeypatch.setattr(keeper, "taps", interrupted)
    with pytest.raises((StopIteration, RuntimeError)):
        keeper.sample(U, (0, 0))
    monkeypatch.undo()
    monkeypatch.setattr("stn_ref.kernels.planar.PART", 4 * 12)
    for got, want in zip(all_of(keeper, U, V), expected):
        close(got, want, 50)


@pytest.mark.parametrize("channels", [1, choice.MANY_CHANNELS[2]])
def test_a_cotangent_that_was_written_to_is_read_anew(channels: int) -> None:
    """Between two backward passes its owner may, unlike with the image."""
    rng = np.random.default_rng(11)
    U, theta = rng.normal(size=(2, channels, 6, 7)), rng.normal(size=(2, 2, 3))
    V_bar = rng.normal(size=(2, channels, 4, 3))
    leaves = [Tensor(x, requires_grad=True) for x in (U, theta)]
    V = spatial_transform(*leaves, V_bar.shape, align_corners=True)
    V.backward(V_bar, retain_graph=True)
    for change in (lambda: V_bar.__imul__(-2), lambda: V_bar.__setitem__((0, 0, 0, 0), np.inf)):
        change()
        for leaf in leaves:
            leaf.zero_grad()
        with np.errstate(invalid="ignore"):
            V.backward(V_bar, retain_graph=True)
            expected = vjp(lambda U, t: spatial_transform(U, t, V_bar.shape, align_corners=True), U, theta)[1]
            for leaf, want in zip(leaves, expected(V_bar)):
                np.testing.assert_allclose(leaf.grad, want, rtol=1e-12, atol=1e-12)
