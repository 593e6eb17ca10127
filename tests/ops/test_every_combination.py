"""Every transformation with every kernel, padding and convention, in the plane and in volumes.

The list is generated from the tables of the package, so that a new transformation or kernel is tested by
being there.
"""

from dataclasses import dataclass
from functools import cache
from itertools import combinations as subsets
from itertools import count, product

import numpy as np
import pytest

from stn_ref import BICUBIC, Kernel, gaussian, gradcheck, grid_sample, spatial_transform
from stn_ref.ops import interpolation
from stn_ref.ops.interpolation import KERNELS
from stn_ref.ops.transformation import TRANSFORMATIONS
from stn_ref.pixels import PADDING_MODES

EPS = np.finfo(float).eps
WIDER = {
    "widened": {"mode": BICUBIC.widened(1.5)},
    "gaussian": {"mode": gaussian(0.6)},
    "antialiased": {"mode": "bilinear", "antialias": True},
}
IN_VOLUMES = ("nearest", "bilinear", "bicubic")
SOURCE = {2: (3, 5), 3: (3, 2, 2)}
TARGET = {2: (2, 2), 3: (2, 2, 2)}  # even, so that no sample stays at the centre whatever theta is
SIZES = {2: [(1, 1), (1, 6), (5, 1), (4, 7)], 3: [(1, 1, 1), (1, 4, 1), (2, 3, 4)]}


@dataclass(frozen=True)
class Combination:
    d: int
    name: str
    kernel: str
    padding_mode: str
    align_corners: bool

    def __str__(self):
        return f"{self.d}-D {self.name} {self.kernel} {self.padding_mode} {self.align_corners}"

    @property
    def settings(self):
        kernel = WIDER.get(self.kernel) or {"mode": self.kernel}
        return {**kernel, "padding_mode": self.padding_mode, "align_corners": self.align_corners}

    def warp(self, U, theta, size):
        out = (*U.shape[:2], *size)
        return spatial_transform(U, theta, out, transformation=self.name, **self.settings)


def combinations():
    for d, kernels in ((2, [*KERNELS, *WIDER]), (3, IN_VOLUMES)):
        names = [name for name, kind in TRANSFORMATIONS.items() if d in kind.dimensions]
        for settings in product(names, kernels, PADDING_MODES, (True, False)):
            yield Combination(d, *settings)


def identity(combination, n, size):
    kind = TRANSFORMATIONS[combination.name]
    return np.tile(kind.identity(size), (n, 1)).reshape(n, *kind.shape(size))


@cache
def away_from_kinks(name, d):
    """Theta near the identity for two images, no sample of which is near an integer or half-integer."""
    kind, size, source = TRANSFORMATIONS[name], TARGET[d], SOURCE[d]
    for seed in count():
        rng = np.random.default_rng(seed)
        theta = kind.identity(size) + 0.1 * rng.normal(size=(2, kind.parameters(size)))
        theta = theta.reshape(2, *kind.shape(size))
        settings = {"size": size, "source": source}
        both = [2 * kind.points(theta, **settings, align_corners=flag) for flag in (True, False)]
        if all(np.abs(points - np.round(points)).min() > 2e-3 for points in both):
            return theta
    raise AssertionError  # not reached: count() has no end


def image(d):
    return np.random.default_rng(d).uniform(-1, 1, (2, 1, *SOURCE[d]))


every_combination = pytest.mark.parametrize("combination", list(combinations()), ids=str)


# The list itself


def test_the_list_holds_everything_that_is_in_the_tables():
    listed = list(combinations())
    assert len(set(listed)) == len(listed)
    in_the_plane = {(c.name, c.kernel, c.padding_mode, c.align_corners) for c in listed if c.d == 2}
    assert in_the_plane == {*product(TRANSFORMATIONS, [*KERNELS, *WIDER], PADDING_MODES, (True, False))}
    in_volumes = {c.name for c in listed if c.d == 3}
    assert in_volumes == {name for name, kind in TRANSFORMATIONS.items() if 3 in kind.dimensions}


def test_every_kernel_of_the_package_is_in_the_table():
    made = {id(value) for value in vars(interpolation).values() if isinstance(value, Kernel)}
    assert made == {id(kernel) for kernel in KERNELS.values()}
    assert all(kernel.name == name for name, kernel in KERNELS.items())


@pytest.mark.parametrize("table", ["TRANSFORMATIONS", "KERNELS"])
def test_a_new_entry_is_noticed_and_so_is_a_missing_one(table, monkeypatch):
    before, entries = set(combinations()), globals()[table]
    name, entry = next(iter(entries.items()))

    def names(chosen):
        return {c.name if table == "TRANSFORMATIONS" else c.kernel for c in chosen}

    monkeypatch.setitem(globals(), table, {**entries, "new": entry})
    assert names(set(combinations()) - before) == {"new"}
    monkeypatch.setitem(globals(), table, {k: v for k, v in entries.items() if k != name})
    assert names(c for c in before - set(combinations()) if c.d == 2) == {name}


# The identity


@every_combination
def test_under_the_identity_every_pixel_is_read_where_it_is(combination):
    d = combination.d
    for size in SIZES[d]:
        U = np.random.default_rng(0).uniform(-1, 1, (2, 2, *size))
        V = combination.warp(U, identity(combination, 2, size), size)
        kernel = KERNELS.get(combination.kernel)
        if combination.kernel in ("widened", "gaussian"):  # which smooth, all as the affine one does
            affine = Combination(d, "affine", *list(vars(combination).values())[2:])
            assert np.array_equal(V, affine.warp(U, identity(affine, 2, size), size))
            assert size == (1, 1) or not np.array_equal(V, U)
        elif kernel is not None and kernel.prefiltered:
            # For each axis a banded system whose inverse is at most 3, solved and multiplied with again, each
            # in a few roundings.
            assert np.abs(V - U).max() <= 16 * d * 3**d * EPS
        else:
            assert np.array_equal(V, U)


# In one step and in two


@every_combination
def test_it_is_the_grid_and_then_the_sampler(combination):
    d, kind = combination.d, TRANSFORMATIONS[combination.name]
    U, theta, size = image(d), away_from_kinks(combination.name, d), TARGET[d]
    V = combination.warp(U, theta, size)
    grid = kind.grid(theta, size=size, source=SOURCE[d], align_corners=combination.align_corners)
    expected = grid_sample(U, grid, **combination.settings)
    if combination.kernel == "nearest":
        assert np.array_equal(V, expected)
        return
    # Coordinates of up to 8 pixels are rounded 16 times. By a pixel along an axis, or by a pixel of width,
    # weights change by up to 6 in sum; a pixel is at most 1, a coefficient at most 3 for each axis.
    bound = 16 * 8 * EPS * 2 * d * 6 * 3**d
    np.testing.assert_allclose(V, expected, rtol=0, atol=bound)


# Derivatives


def check_derivatives(combination, **settings):
    U, theta = image(combination.d), away_from_kinks(combination.name, combination.d)

    def warp(U, theta):
        return combination.warp(U, theta, TARGET[combination.d])

    gradcheck(warp, (U, theta), **settings)


def half_of_them():
    """Every other combination, such that any three settings still meet: a chessboard in four dimensions."""
    kernels, paddings = [*KERNELS, *WIDER], [*PADDING_MODES]
    for c in combinations():
        places = [*TRANSFORMATIONS].index(c.name), kernels.index(c.kernel), paddings.index(c.padding_mode)
        if (sum(places) + c.align_corners) % 2:
            yield c


def test_in_half_of_the_combinations_any_three_settings_meet():
    def threes(chosen):
        return {(c.d, t) for c in chosen for t in subsets(list(vars(c).items())[1:], 3)}

    assert threes(half_of_them()) == threes(combinations())
    assert 2 * len(list(half_of_them())) == len(list(combinations()))


@pytest.mark.parametrize("combination", list(half_of_them()), ids=str)
def test_derivatives_for_image_and_theta(combination):
    check_derivatives(combination, elements=8, directions=0)


@pytest.mark.parametrize(
    "combination",
    [
        c
        for c in combinations()  # slopes, a prefilter, widths: the directions of all else are theirs
        if c.kernel in ("bilinear", "cubic-spline", "antialiased")
        and (c.padding_mode, c.align_corners) == ("border", False)
    ],
    ids=str,
)
def test_derivatives_along_directions_forwards_and_backwards(combination):
    check_derivatives(combination, elements=2, directions=1)
