"""The sets of right answers: no right answer lies outside, and no wrong one inside."""

from itertools import product

import numpy as np
import pytest

from stn_ref.oracle.truth import places
from stn_ref.oracle.truth.aspects import SamplerAspects
from stn_ref.oracle.truth.enclosures import Arithmetic, Enclosure
from stn_ref.oracle.truth.places import Reading
from stn_ref.oracle.truth.profiles import PROFILES
from stn_ref.pixels import padded_index

PADDINGS, DTYPES = ("zeros", "border", "reflection"), ("float32", "float64")


def right_answers(arrays, padding="zeros", corners=True, mode="bilinear", profile="paper", operations=4):
    dtype = np.finfo(arrays["grid"].dtype)
    unit = float(dtype.eps) / 2
    reading = Reading(mode, padding, corners, PROFILES[profile], unit, operations)
    return SamplerAspects(arrays, reading, Arithmetic(unit, float(dtype.tiny)))


# Right samplers, each written in another way


PIXELS = {
    "about the centre": lambda g, s, w: g * (s / 2) + (w - 1) / 2,
    "from the edge": lambda g, s, w: ((g + 1) * s + (w - 1 - s)) / 2,
    "halved first": lambda g, s, w: (g / 2 + type(w)(0.5)) * s + (w - 1 - s) / 2,
    "halved last": lambda g, s, w: (g * s + (w - 1)) / 2,
}
WEIGHTS = {
    "1 - t and t": lambda x, n: [1 - (x - n), x - n],
    "hats": lambda x, n: [np.maximum(0, 1 - np.abs(x - n)), np.maximum(0, 1 - np.abs(x - (n + 1)))],
    "areas": lambda x, n: [(n + 1) - x, x - n],
}
ORDERS = {"forwards": [0, 1, 2, 3], "backwards": [3, 2, 1, 0], "crossed": [1, 2, 0, 3]}
COLUMN, ROW = (0, 1, 0, 1), (0, 0, 1, 1)  # of the four neighbours


class Sampler:
    """Bilinear, in the dtype of its arrays and in one way of writing it down."""

    def __init__(self, arrays, padding, corners, pixels, weights, order):
        self.U, self.grid, self.V_bar = (arrays[name] for name in ("U", "grid", "V_bar"))
        self.dtype, self.order = self.grid.dtype.type, order
        sizes = self.U.shape[:1:-1]
        self.spans = [self.dtype(w - 1 if corners else w) for w in sizes]
        x, y = (PIXELS[pixels](g, s, self.dtype(w)) for g, s, w in zip(self.points(), self.spans, sizes))
        self.cells = [np.floor(x), np.floor(y)]
        self.x_weights, self.y_weights = (WEIGHTS[weights](v, n) for v, n in zip((x, y), self.cells))
        self.index = [
            [padded_index((n + k).astype(np.intp), w, padding, corners) for k in (0, 1)]
            for n, w in zip(self.cells, sizes)
        ]
        self.padded = np.pad(self.U, ((0, 0), (0, 0), (0, 1), (0, 1)))

    def points(self):
        return self.grid[..., 0], self.grid[..., 1]

    def neighbour(self, k):
        """(N, C, H', W')."""
        n = np.arange(len(self.U))[:, None, None]
        return np.moveaxis(self.padded[n, :, self.index[1][ROW[k]], self.index[0][COLUMN[k]]], -1, 1)

    def V(self):
        total = np.zeros_like(self.V_bar)
        for k in ORDERS[self.order]:
            total += (self.x_weights[COLUMN[k]] * self.y_weights[ROW[k]])[:, None] * self.neighbour(k)
        return total

    def V_by_steps(self):
        """First along x, then along y, as v + t (w - v)."""
        a, b, c, d = (self.neighbour(k) for k in range(4))
        t_x, t_y = self.x_weights[1][:, None], self.y_weights[1][:, None]
        upper, lower = a + t_x * (b - a), c + t_x * (d - c)
        return upper + t_y * (lower - upper)

    def grid_bar(self):
        bars = []
        for along, across, span in ((COLUMN, self.y_weights, 0), (ROW, self.x_weights, 1)):
            other = ROW if along is COLUMN else COLUMN
            total = np.zeros(self.grid.shape[:-1], self.dtype)
            for k in ORDERS[self.order]:
                product_k = (self.V_bar * self.neighbour(k)).sum(1) * across[other[k]]
                total += product_k if along[k] else -product_k
            bars.append(total * (self.spans[span] / 2))
        return np.stack(bars, -1)

    def grid_bar_by_differences(self):
        """The factor first, channels last, and pixels subtracted before they are weighted."""
        a, b, c, d = (self.neighbour(k) for k in range(4))
        (near_x, far_x), (near_y, far_y) = (
            [w[:, None] for w in pair] for pair in (self.x_weights, self.y_weights)
        )
        half_x, half_y = (span / 2 * self.V_bar for span in self.spans)
        along_x = half_x * ((b - a) * near_y + (d - c) * far_y)
        along_y = half_y * (far_x * (d - b) + near_x * (c - a))
        return np.stack([along_x[:, ::-1].sum(1), along_y[:, ::-1].sum(1)], -1)

    def U_bar(self):
        total = np.zeros(self.padded.shape, self.dtype)
        by_channel = np.moveaxis(total, 1, -1)
        n = np.broadcast_to(np.arange(len(self.U))[:, None, None], self.grid.shape[:-1])
        shuffled = np.random.default_rng(0).permutation(n.size)
        for k in ORDERS[self.order]:
            weight = self.x_weights[COLUMN[k]] * self.y_weights[ROW[k]]
            added = np.moveaxis(weight[:, None] * self.V_bar, 1, -1).reshape(n.size, -1)[shuffled]
            where = (v.ravel()[shuffled] for v in (n, self.index[1][ROW[k]], self.index[0][COLUMN[k]]))
            np.add.at(by_channel, tuple(where), added)
        return total[..., :-1, :-1]


ANSWERS = {
    "V": (Sampler.V, Sampler.V_by_steps),
    "grid_bar": (Sampler.grid_bar, Sampler.grid_bar_by_differences),
    "U_bar": (Sampler.U_bar,),
}


def random_grid(rng, dtype, sizes, corners):
    return rng.uniform(-1.4, 1.4, (2, 12, 13, 2))


def next_to_pixels(rng, dtype, sizes, corners):
    """Whole pixels, and numbers up to 3 units in the last place beside them."""
    pixels = np.stack([rng.integers(-2, w + 2, (2, 12, 13)) for w in reversed(sizes)], -1)
    spans = np.array([w - 1 if corners else w for w in reversed(sizes)])
    grid = ((2 * pixels - (np.array(sizes[::-1]) - 1)) / spans).astype(dtype)
    return grid + rng.integers(-3, 4, grid.shape) * np.spacing(grid)


def sixteenths(rng, dtype, sizes, corners):
    return rng.integers(-24, 25, (2, 12, 13, 2)) / 16


def question(make_grid, dtype, corners, sizes=(28, 31)):
    rng = np.random.default_rng(0)
    grid = make_grid(rng, dtype, sizes, corners).astype(dtype)
    U, V_bar = rng.normal(size=(2, 3, *sizes)), rng.normal(size=(2, 3, *grid.shape[1:-1]))
    return {"U": U.astype(dtype), "grid": grid, "V_bar": V_bar.astype(dtype)}


def worst_misses(make_grid, dtype, padding, corners, sizes=(28, 31)):
    """By result the largest miss among right answers in all ways of writing them."""
    arrays = question(make_grid, dtype, corners, sizes)
    own = right_answers(arrays, padding, corners)
    sets = {aspect: own.enclosure(aspect) for aspect in ANSWERS}
    worst = dict.fromkeys(ANSWERS, 0.0)
    for ways in product(PIXELS, WEIGHTS, ORDERS):
        sampler = Sampler(arrays, padding, corners, *ways)
        for aspect, answers in ANSWERS.items():
            for answer in answers:
                worst[aspect] = max(worst[aspect], sets[aspect].miss(answer(sampler)).max())
    return worst


both_dtypes = pytest.mark.parametrize("dtype", DTYPES)
both_conventions = pytest.mark.parametrize("corners", [True, False])
every_padding = pytest.mark.parametrize("padding", PADDINGS)


@both_dtypes
@both_conventions
@every_padding
@pytest.mark.parametrize("make_grid", [random_grid, next_to_pixels])
def test_no_right_answer_is_called_wrong(make_grid, dtype, padding, corners):
    assert max(worst_misses(make_grid, dtype, padding, corners).values()) <= 1


@both_dtypes
@every_padding
@pytest.mark.parametrize("make_grid", [sixteenths, next_to_pixels])
def test_no_right_answer_is_called_wrong_where_pixels_are_powers_of_2(make_grid, dtype, padding):
    assert max(worst_misses(make_grid, dtype, padding, True, sizes=(5, 9)).values()) <= 1


def keys_by_distance(t, a):
    """Keys' weights, each from its distance."""

    def near(s):
        return ((a + 2) * s - (a + 3)) * s * s + 1

    def far(s):
        return ((a * s - 5 * a) * s + 8 * a) * s - 4 * a

    return [far(t + 1), near(t), near(1 - t), far(2 - t)]


def keys_by_powers(t, a):
    """From powers of t; the last one is what is left of 1."""
    t2, t3 = t * t, t * t * t
    first = [a * t - 2 * a * t2 + a * t3, 1 - (a + 3) * t2 + (a + 2) * t3]
    third = -a * t + (2 * a + 3) * t2 - (a + 2) * t3
    return [*first, third, 1 - first[0] - first[1] - third]


@both_dtypes
@every_padding
@pytest.mark.parametrize("keys", [keys_by_distance, keys_by_powers])
@pytest.mark.parametrize("make_grid", [random_grid, next_to_pixels])
def test_no_right_bicubic_answer_is_called_wrong(make_grid, keys, dtype, padding):
    kind, sizes = np.dtype(dtype).type, (9, 14)
    arrays = question(make_grid, dtype, False, sizes)
    x, y = (PIXELS["halved last"](arrays["grid"][..., k], kind(w), kind(w)) for k, w in enumerate((14, 9)))
    columns, rows = (
        [padded_index(np.floor(v).astype(np.intp) + k, w, padding, False) for k in (-1, 0, 1, 2)]
        for v, w in ((x, 14), (y, 9))
    )
    padded = np.pad(arrays["U"], ((0, 0), (0, 0), (0, 1), (0, 1)))
    n = np.arange(2)[:, None, None]
    x_weights, y_weights = (keys(v - np.floor(v), kind(-0.75)) for v in (x, y))
    V = kind(0)
    for row, y_weight in list(zip(rows, y_weights))[::-1]:
        line = sum(w[..., None] * padded[n, :, row, column] for column, w in zip(columns, x_weights))
        V = V + y_weight[..., None] * line
    assert V.dtype == dtype
    enclosure = right_answers(arrays, padding, False, mode="bicubic").enclosure("V")
    misses = enclosure.miss(np.moveaxis(V, -1, 1))
    assert 0.02 < misses.max() <= 1


# How sharp the sets are


@both_dtypes
@every_padding
def test_bounds_are_within_a_hundred_times_of_the_worst_error(dtype, padding):
    assert min(worst_misses(random_grid, dtype, padding, False).values()) > 0.05


def caught(arrays, aspect, answer, **settings):
    """The share of numbers that are called wrong, of those that are not nearly 0."""
    wrong = right_answers(arrays, **settings).enclosure(aspect).miss(answer) > 1
    return wrong[np.abs(answer) > 1e-3].mean()


@both_dtypes
@pytest.mark.parametrize("aspect", ANSWERS)
def test_one_in_ten_thousand_is_too_much(dtype, aspect):
    arrays = question(random_grid, dtype, False)
    answer = ANSWERS[aspect][0](Sampler(arrays, "border", False, "about the centre", "hats", "forwards"))
    assert caught(arrays, aspect, answer, padding="border", corners=False) == 0
    wrong = (answer * answer.dtype.type(1.0001)).astype(dtype)
    assert caught(arrays, aspect, wrong, padding="border", corners=False) > 0.5


@both_dtypes
def test_a_shift_by_a_few_units_of_the_coordinate_is_too_much(dtype):
    """16 units in the last place of a pixel coordinate of 31; two or three may be rounding."""
    arrays = question(random_grid, dtype, True)
    shifted = {**arrays, "grid": arrays["grid"] + np.spacing(np.ones((), dtype)) * 16}
    answer = Sampler(shifted, "border", True, "from the edge", "areas", "crossed").V()
    inside = np.abs(arrays["grid"]).max(-1) < 0.9
    wrong = right_answers(arrays, "border").enclosure("V").miss(answer) > 1
    assert np.moveaxis(wrong, 1, -1)[inside].mean() > 0.5


class WrongNeighbour(Sampler):
    def neighbour(self, k):
        return super().neighbour({3: 2}.get(k, k))


@both_dtypes
@pytest.mark.parametrize("aspect", ["V", "grid_bar"])
def test_a_wrong_neighbour_is_caught(dtype, aspect):
    arrays = question(random_grid, dtype, True)
    answer = ANSWERS[aspect][0](WrongNeighbour(arrays, "border", True, "from the edge", "areas", "crossed"))
    assert caught(arrays, aspect, answer, padding="border") > 0.4


def test_one_wrong_number_among_thousands_is_caught():
    arrays = question(random_grid, "float32", True)
    answer = Sampler(arrays, "zeros", True, "halved last", "areas", "crossed").U_bar()
    answer[1, 2, 13, 17] *= 1 + np.float32(2.0**-12)
    wrong = right_answers(arrays).enclosure("U_bar").miss(answer) > 1
    assert np.argwhere(wrong).tolist() == [[1, 2, 13, 17]]


# These tests would notice


def test_without_the_rounding_of_coordinates_right_answers_are_called_wrong(monkeypatch):
    right = places.Axis._uncertainty
    monkeypatch.setattr(places.Axis, "_uncertainty", lambda *a: (0 * right(*a)[0], right(*a)[1]))
    assert worst_misses(random_grid, "float32", "zeros", True)["V"] > 1
    assert worst_misses(next_to_pixels, "float32", "border", True)["grid_bar"] > 1


def test_without_the_rounding_of_sums_right_answers_are_called_wrong(monkeypatch):
    monkeypatch.setattr(Arithmetic, "gamma", lambda self, k: 0 * k)
    assert min(worst_misses(sixteenths, "float32", "zeros", True, sizes=(5, 9)).values()) > 1


def test_with_too_much_rounding_a_factor_of_1_0001_passes(monkeypatch):
    right = places.Axis._uncertainty
    monkeypatch.setattr(places.Axis, "_uncertainty", lambda *a: (1e6 * right(*a)[0], right(*a)[1]))
    arrays = question(random_grid, "float32", False)
    answer = Sampler(arrays, "border", False, "about the centre", "hats", "forwards").V()
    assert caught(arrays, "V", answer * np.float32(1.0001), padding="border", corners=False) < 0.1


def test_a_miss_is_counted_in_bounds():
    zero, no = np.zeros(4), np.zeros(4, bool)
    found = Enclosure(zero, zero, zero + 1, zero, no, zero[None], zero + 0.5)
    assert found.miss(np.array([0.0, -1.5, 0.5, 1.0])).tolist() == [0, 1, 1, 2]
    nothing = Enclosure(zero, zero, zero, zero, no, zero[None], zero)
    assert nothing.miss(np.array([0.0, -0.0, 1e-300, np.nan])).tolist() == [0, 0, np.inf, np.inf]
