"""Maps put together, turned round and written in other units: boxes, the other convention, other libraries.

A map is an affine theta or a homography, normalised coordinates, from TARGET to SOURCE. What they have in
common, homogeneous matrices in pixel units, is in ``homogeneous``.
"""

import numpy as np

from ..autograd.tensor import Value, plain
from ..errors import check_choice, check_flag, check_floating
from .arithmetic import as_dtype, at_least_single
from .checks import (
    check_box,
    check_form,
    check_invertible,
    check_last_rows,
    check_map,
    check_pixels,
    check_sizes,
    check_units,
)
from .elementary import absolute
from .homogeneous import FIRST_CENTRE, FORMS, divided, lifted, other_order, shifted
from .linear import einsum, solve
from .pixel_units import half_spans, pixel_centre, pixel_scales
from .reductions import sum_
from .shaping import broadcast_to, concatenate, reshape


def compose(*thetas: Value) -> Value:
    """The one map that does the work of several: warped by ``first``, and the result by ``second``.

    Maps lead from target to source, so the matrices are multiplied in the order of the warps: a point of
    the last output goes through ``second`` to the image between, and through ``first`` to the source. One
    warp by ``compose(first, second)`` interpolates once where two warps interpolate twice.

    Parameters
    ----------
    *thetas : (N, 2, 3) or (N, 3, 3), or (N, 3, 4) for volumes, floating
        Normalised coordinates, all of one align_corners. An N of 1 serves for all.

    Returns
    -------
    theta : (N, 2, 3), or (N, 3, 3) if there is a homography among them; (N, 3, 4) for volumes

    Raises
    ------
    TypeError, ValueError
        If there are no maps, or their dtypes, shapes or numbers do not fit.

    >>> zoom = np.array([[[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]])
    >>> shift = np.array([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]])
    >>> compose(zoom, shift)[0, 0], compose(shift, zoom)[0, 0]          # 2 (x + 0.5), 2 x + 0.5
    (array([2., 0., 1.]), array([2. , 0. , 0.5]))
    """
    if not thetas:
        raise ValueError("compose: got no maps, expected at least one: compose(first, second)")
    dimensions = {check_map("compose", f"thetas[{k}]", theta) for k, theta in enumerate(thetas)}
    shapes = [theta.shape for theta in thetas]
    numbers = {shape[0] for shape in shapes} - {1}
    if len(dimensions) > 1 or len(numbers) > 1:
        raise ValueError(
            f"compose: the maps have shapes {', '.join(map(str, shapes))}, expected maps of the plane alone "
            "or of volumes alone, and equal N or 1; repeat what is too few with np.broadcast_to"
        )
    N = max(numbers, default=1)
    total, *others = (lifted(broadcast_to(at_least_single(x), shape=(N, *x.shape[1:]))) for x in thetas)
    for H in others:
        total = einsum("nij,njk->nik", total, H)
    rows = max(shape[1] for shape in shapes)
    return as_dtype(total[:, :rows], np.result_type(*(theta.dtype for theta in thetas)))


def invert(theta: Value) -> Value:
    """The map that leads back: ``compose(theta, invert(theta))`` is the identity.

    Parameters
    ----------
    theta : (N, 2, 3), (N, 3, 4) or (N, 3, 3), floating

    Returns
    -------
    inverse : of the shape and dtype of ``theta``

    Raises
    ------
    ValueError
        If a map is singular, or so nearly that a rounding of its entries might make it so.

    >>> invert(np.array([[[2.0, 0.0, 0.5], [0.0, 4.0, 0.0]]]))            # x_t = (x_s - 0.5) / 2
    array([[[ 0.5 ,  0.  , -0.25],
            [ 0.  ,  0.25,  0.  ]]])
    """
    check_map("invert", "theta", theta)
    rows = theta.shape[1]
    linear = theta[:, :, :rows]  # all of a homography
    check_invertible("invert", "theta", plain(linear))
    identity = np.broadcast_to(np.eye(rows, dtype=theta.dtype), linear.shape)
    moved = 0.0 - theta[:, :, rows:]  # not -theta, which makes -0 of 0
    return solve(linear, concatenate([identity, moved], axis=2))


def theta_to_box(theta: Value, size: tuple[int, ...], *, align_corners: bool) -> Value:
    """What an affine map looks at: the smallest upright box around its output's corners (+-1, +-1).

    Parameters
    ----------
    theta : (N, 2, 3), floating
    size : (H, W)
        Spatial shape of the SOURCE.
    align_corners : bool
        Whether -1 and 1 are the centres of the corner pixels (True) or the outer edges (False).

    Returns
    -------
    box : (N, 4), of the dtype of ``theta``
        (x_0, y_0, x_1, y_1) in source pixels, pixel centres at integers: the identity gives
        (0, 0, W - 1, H - 1) under True and (-0.5, -0.5, W - 0.5, H - 0.5) under False.

    Raises
    ------
    TypeError, ValueError
        If a dtype, a shape or a setting is not of the form above; the message names the mend.

    >>> theta = np.array([[[0.5, 0.0, 0.5], [0.0, 1.0, 0.0]]])            # the right half
    >>> theta_to_box(theta, (3, 5), align_corners=True)
    array([[2., 0., 4., 2.]])
    """
    check_map("theta_to_box", "theta", theta)
    if theta.shape[1:] != (2, 3):
        raise ValueError(f"theta_to_box: theta has shape {theta.shape}, expected affine maps (N, 2, 3)")
    size = check_pixels("theta_to_box", "size", size, 2)
    check_flag("theta_to_box", "align_corners", align_corners)
    wide = at_least_single(theta)
    halves = half_spans(size, align_corners).astype(wide.dtype)
    middle = wide[:, :, 2] * halves + pixel_centre(size, wide.dtype)
    reach = sum_(absolute(wide[:, :, :2]), axis=2) * halves  # a (+-1) + b (+-1) is at most |a| + |b|
    return as_dtype(concatenate([middle - reach, middle + reach], axis=1), theta.dtype)


def box_to_theta(box: Value, size: tuple[int, ...], *, align_corners: bool) -> Value:
    """The upright map whose output covers a box; :func:`theta_to_box` gives the box back.

    Parameters
    ----------
    box : (N, 4), floating
        (x_0, y_0, x_1, y_1) in source pixels, pixel centres at integers, x_0 <= x_1 and y_0 <= y_1. The
        corners are where -1 and 1 of the output go: the centres of its corner pixels (True) or its edges.
    size : (H, W)
        Spatial shape of the SOURCE.
    align_corners : bool

    Returns
    -------
    theta : (N, 2, 3), of the dtype of ``box``
        A scale and a shift for each axis, no rotation.

    Raises
    ------
    TypeError, ValueError
        If a dtype, a shape, a box or a setting is not of the form above, or an axis of one pixel has no
        normalised unit (True).

    >>> box_to_theta(np.array([[2.0, 0.0, 4.0, 2.0]]), (3, 5), align_corners=True)
    array([[[0.5, 0. , 0.5],
            [0. , 1. , 0. ]]])
    """
    check_box("box_to_theta", box)
    size = check_pixels("box_to_theta", "size", size, 2)
    check_flag("box_to_theta", "align_corners", align_corners)
    if align_corners:
        check_units("box_to_theta", "size", size)
    wide = at_least_single(box)
    halves = half_spans(size, align_corners).astype(wide.dtype)
    low, high = wide[:, :2], wide[:, 2:]
    scale = ((high - low) / 2 / halves)[..., None] * np.eye(2, dtype=wide.dtype)
    shift = ((low + high) / 2 - pixel_centre(size, wide.dtype)) / halves
    return as_dtype(concatenate([scale, shift[..., None]], axis=2), box.dtype)


def rescale_theta(
    theta: Value, size: tuple[int, ...], source: tuple[int, ...], *, align_corners: bool
) -> Value:
    """``theta`` meant for one align_corners as the theta that does the same in pixels under the other.

    Parameters
    ----------
    theta : (N, 2, 3), (N, 3, 4) or (N, 3, 3), floating
    size : (H', W') or (D', H', W')
        Spatial shape of the output.
    source : (H, W) or (D, H, W)
        Spatial shape of the source.
    align_corners : bool
        What ``theta`` is meant for NOW; the result is for ``not align_corners``.

    Returns
    -------
    theta : of the shape and dtype of ``theta``

    Raises
    ------
    TypeError, ValueError
        If a dtype, a shape or a setting is not of the form above, or the result would be for True and the
        source has an axis of one pixel, which has no normalised unit there.

    >>> theta = np.array([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]])            # by 0.5 * 4 / 2 pixels = 1
    >>> rescale_theta(theta, (5, 5), (5, 5), align_corners=True)[0, 0]    # by 0.4 * 5 / 2 pixels = 1
    array([1. , 0. , 0.4])
    """
    d = check_map("rescale_theta", "theta", theta)
    size, source = check_sizes("rescale_theta", size, source, d)
    check_flag("rescale_theta", "align_corners", align_corners)
    if not align_corners:
        check_units("rescale_theta", "source", source)
    factors = pixel_scales(size, source, align_corners) / pixel_scales(size, source, not align_corners)
    wide = at_least_single(theta)
    return as_dtype(wide * factors[: theta.shape[1]].astype(wide.dtype), theta.dtype)


def theta_to_matrix(
    theta: Value, size: tuple[int, ...], source: tuple[int, ...], *, align_corners: bool, library: str
) -> Value:
    """``theta`` in pixels, from output to input, in the form in which another library wants it.

    Parameters
    ----------
    theta : (N, 2, 3) or, not for SciPy, (N, 3, 3); for SciPy alone also (N, 3, 4); floating
    size, source : (H', W') and (H, W), or (D', H', W') and (D, H, W)
        Spatial shapes of the output and of the source.
    align_corners : bool
        What ``theta`` is meant for; the matrix no longer depends on it.
    library : "opencv", "scipy" or "pil"

    Returns
    -------
    matrix : of the dtype of ``theta``; write ``M = matrix[n]`` for
        opencv: (N, 2, 3) or (N, 3, 3), (x, y), ``cv2.warpAffine(image, M, (W', H'),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)``, or ``cv2.warpPerspective``;
        scipy: (N, d + 1, d + 1), (row, column), ``scipy.ndimage.affine_transform(image, M,
        output_shape=size, order=1, mode="grid-constant")``;
        pil: (N, 6) or (N, 8), pixel centres at half-integers, ``image.transform((W', H'),
        Image.Transform.AFFINE, M, Image.Resampling.BILINEAR)``, or ``PERSPECTIVE``.

    Raises
    ------
    TypeError, ValueError
        If a dtype, a shape or a setting is not of the form above; the message names the mend.

    >>> flip = np.array([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> theta_to_matrix(flip, (3, 4), (3, 4), align_corners=True, library="opencv")     # x_s = 3 - x_t
    array([[[-1.,  0.,  3.],
            [ 0.,  1.,  0.]]])
    >>> theta_to_matrix(flip, (3, 4), (3, 4), align_corners=True, library="pil")        # x_s = 4 - x_t
    array([[-1.,  0.,  4.,  0.,  1.,  0.]])
    """
    check_map("theta_to_matrix", "theta", theta)
    check_choice("theta_to_matrix", "library", library, tuple(FORMS))
    check_form("theta_to_matrix", "theta", theta, FORMS[library], library)
    n, rows, columns = theta.shape
    size, source = check_sizes("theta_to_matrix", size, source, columns - 1)
    check_flag("theta_to_matrix", "align_corners", align_corners)
    H = lifted(at_least_single(theta))
    H = H * pixel_scales(size, source, align_corners).astype(H.dtype)
    M = shifted(H, size, source, FIRST_CENTRE[library])
    if library == "scipy":
        M = other_order(M)
    elif rows < columns:
        M = M[:, :rows]
    if library == "pil":
        M = reshape(M if rows < columns else divided(M), shape=(n, rows * columns))[:, :8]
    return as_dtype(M, theta.dtype)


def matrix_to_theta(
    matrix: Value, size: tuple[int, ...], source: tuple[int, ...], *, align_corners: bool, library: str
) -> Value:
    """Another library's matrix, from output to input pixels, as a theta: undoes :func:`theta_to_matrix`.

    Parameters
    ----------
    matrix : (N, 2, 3) or (N, 3, 3) (opencv), (N, 3, 3) or (N, 4, 4) (scipy), (N, 6) or (N, 8) (pil), floating
        A matrix that leads from input to output is to be inverted first.
    size, source, align_corners, library
        As for :func:`theta_to_matrix`.

    Returns
    -------
    theta : (N, 2, 3), (N, 3, 4) or (N, 3, 3), of the dtype of ``matrix``
        A homography from PIL comes back up to a factor, which changes nothing that it does.

    Raises
    ------
    TypeError, ValueError
        As :func:`theta_to_matrix`; also if an axis of one source pixel has no normalised unit (True).

    >>> right = np.array([[[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]])                     # x_s = x_t + 1 pixel
    >>> matrix_to_theta(right, (5, 5), (5, 5), align_corners=True, library="opencv")
    array([[[1. , 0. , 0.5],
            [0. , 1. , 0. ]]])
    """
    check_floating("matrix_to_theta", "matrix", plain(matrix))
    check_choice("matrix_to_theta", "library", library, tuple(FORMS))
    thetas = {form: theta for theta, form in FORMS[library].items()}
    check_form("matrix_to_theta", "matrix", matrix, thetas, library)
    rows, columns = thetas[matrix.shape[1:]]
    size, source = check_sizes("matrix_to_theta", size, source, columns - 1)
    check_flag("matrix_to_theta", "align_corners", align_corners)
    if align_corners:
        check_units("matrix_to_theta", "source", source)
    M, n = at_least_single(matrix), len(matrix)
    if library == "scipy":
        check_last_rows("matrix_to_theta", plain(matrix))
        M = other_order(M)
    elif library == "pil":
        left_out = np.ones((n, rows * columns - M.shape[1]), M.dtype)
        M = reshape(concatenate([M, left_out], axis=1), shape=(n, rows, columns))
    H = shifted(lifted(M), size, source, FIRST_CENTRE[library], back=True)
    H = H / pixel_scales(size, source, align_corners).astype(H.dtype)
    return as_dtype(H[:, :rows], matrix.dtype)
