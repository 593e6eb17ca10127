"""P and E: where the drawn points go, read off images whose brightness tells the coordinate."""

import numpy as np
import pytest
from scipy.interpolate import RBFInterpolator

from stn_ref import tps_grid
from stn_ref.data import load_bundled
from stn_ref.data.distortions import elastic, moving, project, to_unit
from stn_ref.data.distortions.moving import convex, moved_controls, moved_corners

DIGITS = load_bundled("test").images
SIZE, CENTRE, STEP = (28, 28), 13.5, 9
CORNERS = np.array([[0, 0], [27, 0], [27, 27], [0, 27]])  # of the frame, in pixels
CONTROLS = np.array([[x, y] for y in (0, 9, 18, 27) for x in (0, 9, 18, 27)])
RAMP = np.broadcast_to(np.arange(28, dtype=np.uint8) * STEP, SIZE)  # as bright as the column is far right
ULP = np.finfo(np.float32).eps  # of values up to 1
SETTINGS = {project: {"scale": (0.75, 1.0), "sigma": 5.0}, elastic: {"scale": (0.75, 1.0), "sigma": 1.5}}
both = pytest.mark.parametrize("distortion", [project, elastic])


def generator(seed=0):
    return np.random.default_rng(seed)


def in_pixels(points):
    return points * CENTRE + CENTRE


def shown(distortion, count, **settings):
    """The place (x, y) in the source that each output pixel shows, as read off two ramps; 0 if outside."""
    across, down = np.repeat(RAMP[None], count, axis=0), np.repeat(RAMP.T[None], count, axis=0)
    read = [distortion(images, generator(), **settings)[:, 0] for images in (across, down)]
    return np.stack(read, axis=-1) * (255 / STEP)


def agree(found, expected):
    """Whether the ramps show the expected places, wherever these lie within the frame."""
    inside = ((expected > 0) & (expected < 27)).all(axis=-1)
    assert inside.mean() > 0.3
    np.testing.assert_allclose(found[inside], expected[inside], rtol=0, atol=255 / STEP * ULP)


def homographies(source, target):
    """From target to source by singular vectors, another way than the library's; positive at the target."""
    x, y = np.moveaxis(target, -1, 0)[..., None]
    point, nothing = np.concatenate([x, y, np.ones_like(x)], axis=-1), np.zeros((*x.shape[:-1], 3))
    rows = [np.concatenate([point, nothing, -source[..., :1] * point], axis=-1)]
    rows += [np.concatenate([nothing, point, -source[..., 1:] * point], axis=-1)]
    H = np.linalg.svd(np.concatenate(rows, axis=1))[2][:, -1].reshape(-1, 3, 3)
    return H * np.sign(point[:, :1] @ H[:, 2, :, None])


def over_the_frame(H):
    """H times each pixel (x, y, 1) of the frame: (N, 28, 28, 3)."""
    y, x = np.indices(SIZE)
    return np.einsum("nij,hwj->nhwi", H, np.stack([x, y, np.ones(SIZE)], axis=-1))


# The maps


def test_p_shows_each_corner_where_it_was_moved_to_and_the_rest_by_a_homography():
    corners = in_pixels(moved_corners(50, SIZE, generator(), **SETTINGS[project]))
    H = homographies(np.broadcast_to(CORNERS, corners.shape), corners)
    at_corners = np.einsum("nij,nkj->nki", H, np.insert(corners, 2, 1, axis=2))
    np.testing.assert_allclose(at_corners[..., :2] / at_corners[..., 2:], [CORNERS] * 50, rtol=0, atol=1e-9)
    places = over_the_frame(H)
    agree(shown(project, 50), places[..., :2] / places[..., 2:])


def test_e_shows_at_each_control_point_what_was_drawn_for_it():
    places = in_pixels(moved_controls(50, SIZE, generator(), **SETTINGS[elastic]))
    x, y = CONTROLS.T
    agree(shown(elastic, 50)[:, y, x], places)


def test_e_bends_the_rest_as_the_spline_of_another_make():
    places = in_pixels(moved_controls(5, SIZE, generator(), **SETTINGS[elastic]))
    y, x = np.indices(SIZE)
    everywhere = np.stack([x, y], axis=-1).reshape(-1, 2)
    splines = [RBFInterpolator(CONTROLS, p, kernel="thin_plate_spline", degree=1) for p in places]
    expected = [spline(everywhere) for spline in splines]
    agree(shown(elastic, 5), np.reshape(expected, (5, *SIZE, 2)))


@both
def test_without_scale_and_moves_the_digit_stays(distortion):
    out = distortion(DIGITS[:40], generator(), scale=(1, 1), sigma=0)
    np.testing.assert_allclose(out, to_unit(DIGITS[:40]), rtol=0, atol=ULP)


@both
def test_a_scale_of_two_makes_four_times_the_ink(distortion):
    small = np.pad(DIGITS[:40, ::3, ::3], ((0, 0), (9, 9), (9, 9)))
    out = distortion(small, generator(), scale=(2, 2), sigma=0)
    expected = 4 * to_unit(small).sum(axis=(1, 2, 3), dtype=np.float64)
    np.testing.assert_allclose(out.sum(axis=(1, 2, 3), dtype=np.float64), expected, rtol=1e-5)


@both
def test_frames_need_not_be_square(distortion):
    wide = np.repeat(DIGITS[:5], 2, axis=2)
    out = distortion(wide, generator(), scale=(1, 1), sigma=0)
    np.testing.assert_allclose(out, to_unit(wide), rtol=0, atol=ULP)


# What is drawn


def test_scales_cover_their_range():
    still = {"scale": (0.75, 1.0), "sigma": 0.0}
    by_corners = moved_corners(4000, SIZE, generator(), **still)[:, 2, 0]
    by_controls = 1 / moved_controls(4000, SIZE, generator(), **still)[:, 15, 0]
    for scales in (by_corners, by_controls):
        assert 0.75 - 1e-9 <= scales.min() < 0.7525
        assert 0.9975 < scales.max() <= 1 + 1e-9
        assert abs(scales.mean() - 0.875) < 5 * 0.25 / np.sqrt(12 * 4000)


@pytest.mark.parametrize(("drawn", "points"), [(moved_corners, CORNERS), (moved_controls, CONTROLS)])
def test_moves_are_normal_and_in_pixels(drawn, points):
    """Of frames that are not square, at a sigma at which no quadrilateral is refused."""
    sigma, size, n = 1.25, (28, 55), 3000
    places = drawn(n, size, generator(), scale=(1, 1), sigma=sigma) * [27, 13.5] + [27, 13.5]
    moves = (places - points * [2, 1]) / sigma
    for axis in range(2):
        for k in range(len(points)):
            mine = moves[:, k, axis]
            assert abs(mine.mean()) < 5 / np.sqrt(n)
            assert abs((mine**2).mean() - 1) < 5 * np.sqrt(2 / n)  # a square of N(0, 1) has variance 2
    flat = np.corrcoef(moves.reshape(n, -1), rowvar=False) - np.eye(2 * len(points))
    assert abs(flat).max() < 6 / np.sqrt(n)  # each of them moves by itself


def test_moves_are_pixels_of_the_scaled_digit():
    """Half as large a digit shows, for the same chance, what stands twice as far from its centre."""
    whole, half = (moved_controls(9, SIZE, generator(), scale=(s, s), sigma=1.5) for s in (1, 0.5))
    np.testing.assert_array_equal(half, 2 * whole)


def test_e_may_fold_but_does_so_rarely():
    theta = moved_controls(1000, SIZE, generator(), **SETTINGS[elastic])
    grid = tps_grid(theta, (1000, 1, *SIZE), align_corners=True)
    (ax, ay), (bx, by) = (np.moveaxis(np.diff(grid, axis=k)[:, :27, :27], -1, 0) for k in (2, 1))
    assert 0 < ((ax * by - ay * bx) <= 0).any(axis=(1, 2)).mean() < 0.02


# What is drawn anew


def first_draws(n):
    """What P would have without a look at it, by hand from the same generator."""
    rng = generator()
    scales = rng.uniform(0.75, 1.0, size=n)
    moves = rng.normal(0, 5, size=(n, 4, 2))
    return (CORNERS - CENTRE) * scales[:, None, None] + CENTRE + moves


def good(corners):
    """Whether all four triangles of neighbours are clockwise, and the whole frame is before the horizon."""
    areas = [
        np.linalg.det(np.insert(corners[:, [k, (k + 1) % 4, (k + 2) % 4]], 2, 1, axis=2)) for k in range(4)
    ]
    H = homographies(np.broadcast_to(CORNERS, corners.shape), corners)
    return (np.array(areas) > 0).all(axis=0) & (over_the_frame(H)[..., 2] > 0).all(axis=(1, 2))


def test_no_quadrilateral_is_degenerate_and_no_good_one_was_drawn_anew():
    first = first_draws(2000)
    corners = in_pixels(moved_corners(2000, SIZE, generator(), **SETTINGS[project]))
    assert good(corners).all()
    kept = good(first)
    assert 0.8 < kept.mean() < 0.95  # so that something was refused
    np.testing.assert_allclose(corners[kept], first[kept], rtol=0, atol=1e-12)
    assert (corners[~kept] != first[~kept]).all()


def test_what_is_drawn_anew_keeps_its_scale(monkeypatch):
    """With a look that refuses all of the first draws, and none of the second."""
    looks = iter([False, True])
    monkeypatch.setattr(moving, "_seen_from_the_front", lambda corners: np.full(len(corners), next(looks)))
    corners = in_pixels(moved_corners(20, SIZE, generator(), **SETTINGS[project]))
    rng = generator()
    scales = rng.uniform(0.75, 1.0, size=20)
    rng.normal(size=(20, 4, 2))
    expected = (CORNERS - CENTRE) * scales[:, None, None] + CENTRE + rng.normal(0, 5, size=(20, 4, 2))
    np.testing.assert_allclose(corners, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "corners"),
    [
        ("dented", [[0, 0], [27, 0], [9, 9], [0, 27]]),
        ("a triangle", [[0, 0], [27, 0], [13.5, 13.5], [0, 27]]),
        ("flipped", [[27, 0], [0, 0], [0, 27], [27, 27]]),
        ("crossed", [[0, 0], [27, 27], [27, 0], [0, 27]]),
        ("a point", [[3, 3]] * 4),
    ],
)
def test_planted_degenerate_quadrilaterals_are_refused(name, corners):
    corners = np.array([corners, CORNERS]) / CENTRE - 1
    assert convex(corners).tolist() == [False, True]
    assert moving._seen_from_the_front(corners).tolist() == [False, True]


def test_a_planted_horizon_is_refused():
    """Sides that would meet at x = 20 for one, at x = 40 for the other: within the frame, and beyond."""
    near, far = ([[0, 0], [10, h], [10, 27 - h], [0, 27]] for h in (13.5 / 2, 13.5 / 4))
    corners = np.array([near, far]) / CENTRE - 1
    assert convex(corners).all()
    assert moving._seen_from_the_front(corners).tolist() == [False, True]


@both
def test_every_digit_keeps_a_tenth_of_its_ink(distortion):
    out = distortion(DIGITS, generator())
    assert (out.sum(axis=(1, 2, 3)) > 0.1 * to_unit(DIGITS).sum(axis=(1, 2, 3))).all()


# What is refused


@both
@pytest.mark.parametrize("sigma", [-1, np.nan, np.inf, "5", (1, 2)])
def test_a_sigma_that_is_none_is_refused(distortion, sigma):
    with pytest.raises(ValueError, match=rf"{distortion.__name__}: sigma is .*, expected a number of pixels"):
        distortion(DIGITS, generator(), sigma=sigma)


@both
def test_a_frame_without_corners_is_refused(distortion):
    with pytest.raises(ValueError, match=r"images has shape \(1000, 28, 1\), expected at least 2x2 pixels"):
        distortion(DIGITS[:, :, :1], generator())
