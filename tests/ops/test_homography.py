"""The homography through four points: by hand, in fractions, and what no homography goes through."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from stn_ref import Tensor, gradcheck, homography_from_points, invert, projective_grid

EPS = np.finfo(float).eps
SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
RNG = np.random.default_rng(0)


def quadrilaterals(n):
    """Corners in sixteenths, at most 3/8 away from those of the square: always convex."""
    return SQUARE + RNG.integers(-6, 7, size=(n, 4, 2)) / 16


def sent(H, points):
    """H (x, y, 1) for each of the points: (N, K, 3)."""
    return np.insert(points, 2, 1, axis=-1) @ np.swapaxes(H, 1, 2)


def in_fractions(source, target):
    """H of one pair, exactly: the eight linear equations, with h_33 = 1, by elimination."""
    rows = []
    for (u, v), (x, y) in zip(source.tolist(), target.tolist()):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    rows = [[Fraction(number) for number in row] for row in rows]
    for k in range(8):
        pivot = next(row for row in rows[k:] if row[k])
        rows.remove(pivot)
        rows.insert(k, [number / pivot[k] for number in pivot])
        for m in range(8):
            if m != k:
                rows[m] = [a - rows[m][k] * b for a, b in zip(rows[m], rows[k])]
    return [row[8] for row in rows] + [Fraction(1)]


def test_a_trapezoid_by_hand():
    # Halved above and kept below, so that (x', y', z') = (4 x, 3 y + 1, 3 + y) / 4 leads back to the square.
    trapezoid = SQUARE * [[0.5, 1], [0.5, 1], [1, 1], [1, 1]]
    H = homography_from_points(SQUARE[None], trapezoid[None])
    np.testing.assert_allclose(4 * H[0], [[4, 0, 0], [0, 3, 1], [0, 1, 3]], rtol=0, atol=16 * EPS)


def test_the_identity():
    points = quadrilaterals(20)
    np.testing.assert_allclose(
        homography_from_points(points, points), [np.eye(3)] * 20, rtol=0, atol=16 * EPS
    )


def test_each_target_point_shows_its_source_point():
    source, target = quadrilaterals(200), quadrilaterals(200)
    found = sent(homography_from_points(source, target), target)
    places = found[..., :2] / found[..., 2:]
    # Two systems of three, each with a relative error of a few roundings times its condition number.
    condition = [np.linalg.cond(np.insert(p[:, :3], 2, 1, axis=2)) for p in (source, target)]
    bound = 2 * 9 * EPS * (condition[0] + condition[1]) / found[..., 2].min(axis=1)
    assert (np.abs(places - source).max(axis=(1, 2)) < bound).all()
    np.testing.assert_allclose(found[:, 3, 2], 1, rtol=0, atol=bound.max())


def test_it_is_the_exact_one():
    for source, target in zip(quadrilaterals(10), quadrilaterals(10)):
        exact = np.array([float(h) for h in in_fractions(source, target)]).reshape(3, 3)
        [H] = homography_from_points(source[None], target[None])
        np.testing.assert_allclose(H / H[2, 2], exact, rtol=0, atol=100 * EPS * np.abs(exact).max())


def test_a_parallelogram_gives_an_affine_map():
    affine = np.array([[0.5, 0.25, 0.125], [-0.25, 1.0, 0.5]])
    source = np.insert(SQUARE, 2, 1, axis=1) @ affine.T
    [H] = homography_from_points(source[None], SQUARE[None])
    np.testing.assert_allclose(H, [*affine, [0, 0, 1]], rtol=0, atol=16 * EPS)


def test_the_origin_may_go_to_infinity():
    """(1 / x, y / x) sends the y axis there, and no form with a ninth number of 1 could say so."""
    target = np.array([[[1.0, -1.0], [2.0, -1.0], [2.0, 1.0], [1.0, 1.0]]])
    source = np.concatenate([1 / target[..., :1], target[..., 1:] / target[..., :1]], axis=-1)
    [H] = homography_from_points(source, target)
    np.testing.assert_allclose(H / H[0, 2], [[0, 0, 1], [0, 1, 0], [1, 0, 0]], rtol=0, atol=64 * EPS)


def test_exchanged_points_give_the_way_back():
    source, target = quadrilaterals(50), quadrilaterals(50)
    there, back = homography_from_points(source, target), homography_from_points(target, source)
    H = invert(there)
    np.testing.assert_allclose(H / H[:, 2:, 2:], back / back[:, 2:, 2:], rtol=0, atol=1000 * EPS)


def test_it_is_a_theta_of_the_library():
    corners = quadrilaterals(3)
    grid = projective_grid(homography_from_points(corners, SQUARE[None]), (3, 1, 4, 5), align_corners=True)
    shown = np.stack([grid[:, 0, 0], grid[:, 0, -1], grid[:, -1, -1], grid[:, -1, 0]], axis=1)
    np.testing.assert_allclose(shown, corners, rtol=0, atol=64 * EPS)


def test_one_may_serve_for_all():
    points = quadrilaterals(5)
    for pair in ((points, SQUARE[None]), (SQUARE[None], points)):
        repeated = [np.broadcast_to(p, (5, 4, 2)) for p in pair]
        assert np.array_equal(homography_from_points(*pair), homography_from_points(*repeated))
    assert homography_from_points(SQUARE[None], points[:0]).shape == (0, 3, 3)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_the_dtype_is_kept_and_the_work_done_in_float64(dtype):
    source, target = quadrilaterals(4), quadrilaterals(4)
    found = homography_from_points(source.astype(dtype), target.astype(dtype))
    assert found.dtype == dtype
    assert np.array_equal(found, homography_from_points(source, target).astype(dtype))
    assert homography_from_points(source.astype(dtype), target).dtype == np.float64


def test_it_has_derivatives_of_both_orders():
    assert gradcheck(homography_from_points, [quadrilaterals(2), quadrilaterals(2)], order=2).passed
    assert isinstance(homography_from_points(Tensor(SQUARE[None]), SQUARE[None]), Tensor)


@pytest.mark.parametrize("triple", [*combinations(range(4), 3)])
@pytest.mark.parametrize("argument", ["source", "target"])
def test_three_points_on_a_line_are_refused(argument, triple):
    flat = quadrilaterals(3)
    a, b, c = triple
    flat[1, b] = (flat[1, a] + 2 * flat[1, c]) / 3  # rounded: not quite on the line
    pair = {"source": SQUARE[None], "target": SQUARE[None], argument: flat}
    with pytest.raises(ValueError, match=rf"{argument}\[1\] is .*, of which the points \({a}, {b}, {c}\)"):
        homography_from_points(**pair)


def test_points_hardly_off_a_line_are_taken():
    near = SQUARE.copy()
    near[1] = [0.0, 2**-20]  # of (-1, -1) and (1, 1), off by 2^-20
    found = sent(homography_from_points(near[None], SQUARE[None]), SQUARE[None])[0]
    # The condition number is some 2^21, and so is the ratio of the largest z' and the smallest.
    np.testing.assert_allclose(found[:, :2] / found[:, 2:], near, rtol=0, atol=32 * EPS * 2**21)


@pytest.mark.parametrize(
    ("points", "error", "message"),
    [
        (SQUARE, ValueError, r"source has shape \(4, 2\), expected \(N, 4, 2\), .*; use source\[None\]"),
        (SQUARE[None, :3], ValueError, r"source has shape \(1, 3, 2\), expected \(N, 4, 2\), four points"),
        (SQUARE[None].astype(int), TypeError, "source has dtype int64, expected float16, float32"),
        (SQUARE[None] * np.nan, ValueError, "source holds NaN or infinity; every point needs a place"),
        (SQUARE[None] * 0, ValueError, r"source\[0\] is .*, of which the points \(0, 1, 2\) lie on one line"),
        (
            quadrilaterals(3),
            ValueError,
            r"source has shape \(3, 4, 2\) and target \(2, 4, 2\), expected equal",
        ),
    ],
)
def test_other_points_are_refused(points, error, message):
    with pytest.raises(error, match=f"homography_from_points: {message}"):
        homography_from_points(points, quadrilaterals(2))
