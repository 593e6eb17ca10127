"""Affine maps theta from few numbers with a meaning: translation, scale, rotation, attention (eq. 2) ...

Every function takes batches and returns (N, 2, 3), or (N, 3, 4) for volumes: maps from TARGET to SOURCE in
normalised coordinates. So ``scale`` 0.5 reads the middle half of the image and shows it twice as large, and a
``shift`` to the right moves the picture to the left.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.tensor import Tensor, Value, plain
from ..errors import check_flag, check_floating, describe
from ..pixels import span
from .checks import check_pixels, check_units
from .elementary import cos, sigmoid, sin
from .linear import matmul
from .shaping import broadcast_to, concatenate, index, reshape, stack


def translation_theta(shift: Value) -> Value:
    """A shift alone: x_s = x_t + shift.

    ``shift`` is (N, 2) or (N, 3), x first, normalised: 2 is the width of the image.

    >>> translation_theta(np.array([[0.5, 0.0]]))
    array([[[1. , 0. , 0.5],
            [0. , 1. , 0. ]]])
    """
    shift = _vectors("translation_theta", "shift", shift, (2, 3))
    return attention_theta(1.0, shift)


def attention_theta(scale: Any, shift: Value) -> Value:
    """Eq. (2), attention: x_s = scale x_t + shift, the same scale along all axes.

    ``scale`` is (N,), or one number for all; ``shift`` (N, 2) or (N, 3), x first, normalised.

    >>> attention_theta(np.array([0.5]), np.array([[0.25, -0.25]]))
    array([[[ 0.5 ,  0.  ,  0.25],
            [ 0.  ,  0.5 , -0.25]]])

    Source: Jaderberg et al. 2015, eq. (2).
    """
    shift = _vectors("attention_theta", "shift", shift, (2, 3))
    d = shift.shape[1]
    scale = _numbers("attention_theta", "scale", scale, shift)
    return _theta([[scale if k == row else 0.0 for k in range(d)] for row in range(d)], shift)


def scale_theta(scale: Value) -> Value:
    """A scale of its own along each axis, about the centre: x_s = scale_x x_t.

    ``scale`` is (N, 2) or (N, 3), x first; negative numbers mirror.

    >>> scale_theta(np.array([[-1.0, 0.5]]))
    array([[[-1. ,  0. ,  0. ],
            [ 0. ,  0.5,  0. ]]])
    """
    scale = _vectors("scale_theta", "scale", scale, (2, 3))
    d = scale.shape[1]
    linear = [[index(scale, key=(slice(None), k)) if k == row else 0.0 for k in range(d)] for row in range(d)]
    return _theta(linear, np.zeros(scale.shape, scale.dtype))


def shear_theta(shear: Value) -> Value:
    """x_s = x_t + shear_x y_t and y_s = y_t + shear_y x_t; ``shear`` is (N, 2).

    >>> shear_theta(np.array([[0.5, 0.0]]))
    array([[[1. , 0.5, 0. ],
            [0. , 1. , 0. ]]])
    """
    shear = _vectors("shear_theta", "shear", shear, (2,))
    along_x, along_y = (index(shear, key=(slice(None), k)) for k in range(2))
    return _theta([[1.0, along_x], [along_y, 1.0]], np.zeros(shear.shape, shear.dtype))


def rotation_theta(
    angle: Value, *, source: tuple[int, int] | None = None, align_corners: bool | None = None
) -> Value:
    """A turn about the centre; ``angle`` is (N,), in radians.

    The sampled frame turns from the x axis towards the y axis, clockwise as images are drawn, and so the
    picture turns the other way.

    Normalised units are longer along the longer side of an image, so that this map shears the pixels of one
    that is not square. With ``source`` (H, W) and ``align_corners`` it is rigid in pixels of such an image.

    >>> rotation_theta(np.array([np.pi / 2])).round(15) + 0.0
    array([[[ 0., -1.,  0.],
            [ 1.,  0.,  0.]]])
    >>> rotation_theta(np.array([np.pi / 2]), source=(2, 4), align_corners=False).round(15) + 0.0
    array([[[ 0. , -0.5,  0. ],
            [ 2. ,  0. ,  0. ]]])
    """
    angle = _batch("rotation_theta", "angle", angle)
    shift = np.zeros((angle.shape[0], 2), angle.dtype)
    return _similarity(1.0, angle, shift, _aspect("rotation_theta", source, align_corners))


def similarity_theta(
    scale: Any,
    angle: Value,
    shift: Value,
    *,
    source: tuple[int, int] | None = None,
    align_corners: bool | None = None,
) -> Value:
    """A scale, a turn and a shift: x_s = scale (cos x_t - sin y_t) + shift.

    ``scale`` is (N,) or one number for all, ``angle`` (N,) in radians, ``shift`` (N, 2). With ``source`` and
    ``align_corners`` the turn is rigid in pixels, see :func:`rotation_theta`.

    >>> similarity_theta(2.0, np.array([0.0]), np.array([[0.25, 0.5]]))
    array([[[ 2.  , -0.  ,  0.25],
            [ 0.  ,  2.  ,  0.5 ]]])
    """
    angle = _batch("similarity_theta", "angle", angle)
    shift = _vectors("similarity_theta", "shift", shift, (2,))
    _check_equal_n("similarity_theta", "angle", angle, shift)
    scale = _numbers("similarity_theta", "scale", scale, shift)
    return _similarity(scale, angle, shift, _aspect("similarity_theta", source, align_corners))


def rigid_theta(angles: Value, shift: Value) -> Value:
    """A turn and a shift of a volume: ``angles`` (N, 3) in radians about x, y and z, ``shift`` (N, 3).

    The turn about x comes first, that about z last; each is towards the axis that follows in x, y, z, x.
    Rigid in normalised units, hence in voxels of a cube.

    >>> quarter = np.array([[0.0, 0.0, np.pi / 2]])
    >>> rigid_theta(quarter, np.zeros((1, 3)))[0, :, :3].round(15) + 0.0
    array([[ 0., -1.,  0.],
           [ 1.,  0.,  0.],
           [ 0.,  0.,  1.]])
    """
    angles = _vectors("rigid_theta", "angles", angles, (3,))
    shift = _vectors("rigid_theta", "shift", shift, (3,))
    _check_equal_n("rigid_theta", "angles", angles, shift)
    cosines, sines = cos(angles), sin(angles)
    turned: Value | None = None
    for axis in range(3):
        c, s = (index(part, key=(slice(None), axis)) for part in (cosines, sines))
        j, k = (axis + 1) % 3, (axis + 2) % 3
        rows: list[list[Any]] = [[float(m == n) for n in range(3)] for m in range(3)]
        rows[j][j], rows[j][k], rows[k][j], rows[k][k] = c, -s, s, c
        turn = _square(rows, shift)
        turned = turn if turned is None else matmul(turn, turned)
    return concatenate([turned, reshape(shift, shape=(-1, 3, 1))], axis=2)


def bounded(x: Value, low: float, high: float) -> Value:
    """low + (high - low) sigmoid(x): a network's number, kept between two bounds.

    >>> bounded(np.array([-100.0, 0.0, 100.0]), 0.5, 2.0)
    array([0.5 , 1.25, 2.  ])
    """
    check_floating("bounded", "x", plain(x))
    if not -np.inf < low < high < np.inf:
        raise ValueError(
            f"bounded: the bounds are {low} and {high}, expected a lower and a higher one, both finite"
        )
    share = sigmoid(x)
    return share * high + (1.0 - share) * low  # high - low, rounded, could lead beyond high


def _similarity(scale: Value, angle: Value, shift: Value, aspect: float) -> Value:
    cosine, sine = cos(angle) * scale, sin(angle) * scale
    return _theta([[cosine, -sine * aspect], [sine * (1 / aspect), cosine]], shift)


def _theta(linear: Sequence[Sequence[Any]], shift: Value) -> Value:
    """(N, d, d + 1) from the entries of its linear part, (N,) or plain numbers, and its last column."""
    d = len(linear)
    return concatenate([_square(linear, shift), reshape(shift, shape=(-1, d, 1))], axis=2)


def _square(entries: Sequence[Sequence[Any]], like: Value) -> Value:
    n, d = like.shape[0], len(entries)
    columns = [np.full(n, e, like.dtype) if isinstance(e, float) else e for row in entries for e in row]
    return reshape(stack(columns, axis=1), shape=(n, d, d))


def _vectors(operator: str, name: str, x: Value, lengths: tuple[int, ...]) -> Value:
    check_floating(operator, name, plain(x))
    if len(x.shape) != 2 or x.shape[1] not in lengths:
        expected = " or ".join(f"(N, {d})" for d in lengths)
        hint = f"; use {name}[None] for a batch of one" if x.shape in {(d,) for d in lengths} else ""
        raise ValueError(f"{operator}: {name} has shape {x.shape}, expected {expected}{hint}")
    return x


def _batch(operator: str, name: str, x: Value) -> Value:
    check_floating(operator, name, plain(x))
    if len(x.shape) != 1:
        hint = f"; use {name}.reshape(-1)" if np.size(plain(x)) == max((1, *x.shape)) else ""
        raise ValueError(f"{operator}: {name} has shape {x.shape}, expected (N,){hint}")
    return x


def _numbers(operator: str, name: str, x: Any, like: Value) -> Value:
    """(N,) from that, or from one number for all."""
    if not isinstance(x, (Tensor, np.ndarray)):
        try:
            return np.full(like.shape[0], float(x), like.dtype)
        except (TypeError, ValueError):
            raise TypeError(f"{operator}: {name} is {describe(x)}, expected a number or (N,)") from None
    if x.shape == ():
        check_floating(operator, name, plain(x))
        return broadcast_to(x, shape=like.shape[:1])
    x = _batch(operator, name, x)
    _check_equal_n(operator, name, x, like, ", or one number for all")
    return x


def _check_equal_n(operator: str, name: str, x: Value, shift: Value, hint: str = "") -> None:
    n = shift.shape[0]
    if x.shape[0] != n:
        expected = str((n, *x.shape[1:]))
        raise ValueError(
            f"{operator}: {name} has shape {x.shape} and shift {shift.shape}, expected {expected}{hint}"
        )


def _aspect(operator: str, source: Any, align_corners: bool | None) -> float:
    """How many pixels a unit along y is for each that a unit along x is; 1 if not asked for."""
    if source is None and align_corners is None:
        return 1.0
    if source is None or align_corners is None:
        raise ValueError(
            f"{operator}: to be rigid in pixels it needs both source=(H, W) and align_corners, got "
            f"source={source!r}, align_corners={align_corners!r}"
        )
    check_flag(operator, "align_corners", align_corners)
    source = check_pixels(operator, "source", source, 2)
    if align_corners:
        check_units(operator, "source", source)
    height, width = (span(n, align_corners) for n in source)
    return height / width
