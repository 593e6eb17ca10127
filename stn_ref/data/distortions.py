"""The distortions of the paper's digit experiments: R, RTS and TC.

The paper gives their ranges and leaves open the order of operations, the interpolation, what a
random place is, and how clutter is blended. The choices, here and nowhere else:

- **R** turns the digit about the centre of its 28x28 frame by an angle from U(-90, 90) degrees.
- **RTS** turns by U(-45, 45) degrees, scales by U(0.7, 1.2) and puts the digit at a random place of
  a 42x42 frame. The three are one affine map and one bilinear resampling: pixels are blurred once.
  The place is uniform over all those at which no ink leaves the frame (the box around the ink is
  turned and scaled, and must fit with the pixel that interpolation adds on each side). Along an
  axis on which it cannot fit, it is centred.
- **TC** puts the digit, pixels unchanged, at a random place of a 60x60 frame, and adds six 6x6
  pieces, each cut from the ink of another digit of the batch and put anywhere in the frame. Where
  things meet, the brighter pixel wins (maximum), so clutter never darkens a digit nor exceeds 1.

Angles are counter-clockwise as one looks at the picture (row 0 on top), as in ``np.rot90``.

Every function is pure: all chance comes from the ``numpy.random.Generator`` given to it, so that
the same seed gives the same bytes (on one machine, with one version of NumPy). Images come as
uint8, shape (N, H, W), and go as float32 in [0, 1], shape (N, 1, H', W').
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import check_choice, describe
from ..ops import spatial_transform
from ..pixels import span

__all__ = [
    "DISTORTIONS",
    "distort",
    "rotate",
    "rotate_scale_translate",
    "similarity_to_source",
    "theta_from_pixels",
    "to_unit",
    "translate_clutter",
    "warp",
]

Images: TypeAlias = NDArray[np.uint8]
Batch: TypeAlias = NDArray[np.float32]
Floats: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.intp]
Distortion: TypeAlias = Callable[[Images, np.random.Generator], Batch]

CHUNK = 1024  # images warped at once: bounds the memory, and does not change the result


def to_unit(images: Images) -> Batch:
    """uint8 images (N, H, W) as float32 in [0, 1], shape (N, 1, H, W): the distortion "none".

    Raises
    ------
    TypeError
        If ``images`` is not a uint8 array.
    ValueError
        If it has not three axes.

    >>> to_unit(np.array([[[0, 51, 255]]], dtype=np.uint8))
    array([[[[0. , 0.2, 1. ]]]], dtype=float32)
    """
    _check_images("to_unit", images)
    unit: Batch = images[:, None].astype(np.float32) / np.float32(255)
    return unit


def rotate(
    images: Images, rng: np.random.Generator, *, degrees: tuple[float, float] = (-90.0, 90.0)
) -> Batch:
    """R: each image turned about its centre by an angle uniform in ``degrees``.

    Images uint8 (N, H, W); returns float32 in [0, 1], shape (N, 1, H, W). What is turned out of the
    frame is cut off, which for MNIST is next to nothing: the digits lie near the central 20x20
    pixels.

    Raises TypeError or ValueError if ``images`` is not uint8 of shape (N, H, W).

    >>> picture = np.array([[[9, 0], [0, 0]]], dtype=np.uint8) * 28
    >>> np.round(rotate(picture, np.random.default_rng(0), degrees=(90, 90)), 6)[0, 0]
    array([[0.      , 0.      ],
           [0.988235, 0.      ]], dtype=float32)
    """
    _check_images("rotate", images)
    angles = rng.uniform(*degrees, size=len(images))
    centre = _centre(images.shape[1:])
    return warp(images, similarity_to_source(angles, 1.0, centre, centre), images.shape[1:])


def rotate_scale_translate(
    images: Images,
    rng: np.random.Generator,
    *,
    degrees: tuple[float, float] = (-45.0, 45.0),
    scale: tuple[float, float] = (0.7, 1.2),
    size: int = 42,
) -> Batch:
    """RTS: each image turned, scaled and put at a random place of a ``size`` x ``size`` frame.

    Images uint8 (N, H, W); returns float32 in [0, 1], shape (N, 1, size, size). The module's
    docstring says what a random place is.

    Raises TypeError or ValueError if ``images`` is not uint8 of shape (N, H, W).

    >>> picture = np.full((1, 4, 4), 255, dtype=np.uint8)
    >>> seeds = [np.random.default_rng(seed) for seed in (1, 1)]
    >>> first, second = (rotate_scale_translate(picture, rng, size=12) for rng in seeds)
    >>> first.shape, bool((first == second).all())
    ((1, 1, 12, 12), True)
    """
    _check_images("rotate_scale_translate", images)
    angles = rng.uniform(*degrees, size=len(images))
    scales = rng.uniform(*scale, size=len(images))
    where = rng.uniform(size=(len(images), 2))
    # About the middle of the ink, its box reaches to +-reach, and turned and scaled to +-half.
    first, last = _ink_box(images)
    middle, reach = (first + last) / 2, (last - first) / 2 + 1
    cosine, sine = np.abs(np.cos(np.radians(angles))), np.abs(np.sin(np.radians(angles)))
    half_x = scales * (cosine * reach[:, 0] + sine * reach[:, 1])
    half_y = scales * (sine * reach[:, 0] + cosine * reach[:, 1])
    # Beyond pixels -1 and size nothing reaches into the frame, and nothing of the frame is lost.
    room = np.maximum(size + 1 - 2 * np.stack([half_x, half_y], axis=1), 0.0)
    places = (size - 1) / 2 + (where - 0.5) * room
    return warp(images, similarity_to_source(angles, scales, middle, places), (size, size))


def translate_clutter(
    images: Images,
    rng: np.random.Generator,
    *,
    size: int = 60,
    pieces: int = 6,
    piece_size: int = 6,
) -> Batch:
    """TC: each image at a random place of a larger frame, with pieces of others as clutter.

    Images uint8 (N, H, W) with H, W <= size and >= piece_size; returns float32 in [0, 1], shape (N,
    1, size, size). The pieces come from other images of the same batch.

    Raises TypeError or ValueError if ``images`` is not uint8 of shape (N, H, W), is one image
    alone, or does not fit.

    >>> pictures = np.full((2, 3, 3), 255, dtype=np.uint8)
    >>> out = translate_clutter(pictures, np.random.default_rng(0), size=8, pieces=1, piece_size=2)
    >>> out.shape, sorted({int(n) for n in out.sum(axis=(1, 2, 3))} - set(range(9, 14)))
    ((2, 1, 8, 8), [])
    """
    _check_images("translate_clutter", images)
    count, height, width = images.shape
    if max(height, width) > size or min(height, width) < piece_size:
        raise ValueError(
            f"translate_clutter: images are {height}x{width}; they must fit into the frame (size = "
            f"{size}) and hold a piece (piece_size = {piece_size})."
        )
    if count == 1 and pieces:
        raise ValueError(
            "translate_clutter: images holds a single image, but the clutter is cut from the "
            "others of the batch; give at least two, or pieces=0."
        )
    frame = np.zeros((count, size, size), dtype=np.uint8)
    place = rng.integers(0, [size - width + 1, size - height + 1], size=(count, 2))
    _paste(frame, images, place)
    first, last = _ink_box(images)
    for _ in range(pieces if count else 0):
        # A step of 1 to count - 1 around the batch never ends at the image itself.
        other = (np.arange(count) + rng.integers(1, count, size=count)) % count
        lowest = np.minimum(first[other], np.array([width, height]) - piece_size)
        highest = np.maximum(last[other] + 1 - piece_size, lowest)
        corner = rng.integers(lowest, highest + 1)
        piece = images[_window(other, corner, piece_size, piece_size)]
        place = rng.integers(0, size - piece_size + 1, size=(count, 2))
        _paste(frame, piece, place)
    return to_unit(frame)


DISTORTIONS: dict[str, Distortion] = {
    "none": lambda images, rng: to_unit(images),
    "R": rotate,
    "RTS": rotate_scale_translate,
    "TC": translate_clutter,
}


def distort(images: Images, kind: str, rng: np.random.Generator) -> Batch:
    """The distortion named ``kind`` ("none", "R", "RTS", "TC") with the paper's ranges.

    Images uint8 (N, 28, 28); returns float32 in [0, 1], shape (N, 1, 28, 28) for "none" and "R",
    (N, 1, 42, 42) for "RTS", (N, 1, 60, 60) for "TC".

    Raises ValueError if ``kind`` is unknown, and what the distortion raises.

    >>> digits = np.zeros((2, 28, 28), dtype=np.uint8)
    >>> [distort(digits, kind, np.random.default_rng(0)).shape[2] for kind in DISTORTIONS]
    [28, 28, 42, 60]
    """
    check_choice("distort", "kind", kind, tuple(DISTORTIONS))
    return DISTORTIONS[kind](images, rng)


def warp(images: Images, to_source: Floats, size: tuple[int, ...]) -> Batch:
    """Images resampled bilinearly through maps given in pixels; zero outside.

    Parameters
    ----------
    images
        uint8, shape (N, H, W).
    to_source
        float64, shape (N, 2, 3), in pixels: for the target pixel (x, y), ``to_source[n] @ (x, y,
        1)`` is the point (x, y) of image n that it shows.
    size
        (H', W') of the target frame.

    Returns
    -------
    float32, shape (N, 1, H', W'), in [0, 1].

    >>> one_to_the_right = np.array([[[1.0, 0.0, -1.0], [0.0, 1.0, 0.0]]])
    >>> warp(np.array([[[255, 0, 51]]], dtype=np.uint8), one_to_the_right, (1, 3))
    array([[[[0., 1., 0.]]]], dtype=float32)
    """
    _check_images("warp", images)
    height, width = images.shape[1:]
    theta = theta_from_pixels(to_source, (height, width), size, align_corners=False)
    out = np.empty((len(images), 1, *size), dtype=np.float32)
    for start in range(0, len(images), CHUNK):
        part = slice(start, start + CHUNK)
        # In float64, a whole-pixel shift or a quarter turn is exact once rounded to float32.
        U = images[part, None].astype(np.float64) / 255
        out[part] = spatial_transform(U, theta[part], (*U.shape[:2], *size), align_corners=False)
    return out


def similarity_to_source(degrees: Any, scale: Any, source_centre: Any, target_centre: Any) -> Floats:
    """The map, in pixels, from target to source, of a picture turned, scaled and moved.

    The point ``source_centre`` (x, y) of the picture goes to ``target_centre``, the picture is
    scaled by ``scale`` and turned counter-clockwise (as seen, y down) by ``degrees`` about it. Seen
    from the target, an offset (dx, dy) is turned back and shrunk:

        x_s = source_x + ( cos dx - sin dy) / scale
        y_s = source_y + ( sin dx + cos dy) / scale

    Arguments broadcast over the batch: shapes (N,) or () for the first two, (N, 2) or (2,) for the
    centres. Returns float64, shape (N, 2, 3).

    >>> to_source = similarity_to_source([90.0], 2.0, (1, 1), (5, 5))
    >>> (to_source @ [5.0, 1.0, 1.0]).round(9)     # above the centre stands what was to its right
    array([[3., 1.]])
    """
    radians = np.radians(np.asarray(degrees, dtype=np.float64))
    cosine, sine = np.cos(radians) / scale, np.sin(radians) / scale
    turn = np.stack([np.stack([cosine, -sine], axis=-1), np.stack([sine, cosine], axis=-1)], axis=-2)
    target = np.asarray(target_centre, dtype=np.float64)
    shift = np.asarray(source_centre) - (turn @ target[..., None])[..., 0]
    return np.concatenate([turn, shift[..., None]], axis=-1)


def theta_from_pixels(
    to_source: Floats, source: tuple[int, ...], target: tuple[int, ...], *, align_corners: bool
) -> Floats:
    """An affine map from target to source pixels as theta, in normalised coordinates.

    With c = (size - 1)/2 the centre and h = span/2 the half span of an axis, a pixel coordinate is
    c + h X for the normalised X. Put into x_s = A x_t + t, axis by axis:

        c_s + h_s X_s = A (c_t + h_t X_t) + t
        X_s = (A h_t / h_s) X_t + (A c_t + t - c_s) / h_s

    Parameters
    ----------
    to_source
        float64, shape (N, 2, 3): [A | t], in pixels, rows and columns in the order (x, y).
    source, target
        (H, W) and (H', W').
    align_corners
        The convention in which theta will be used; under True a source axis of one pixel has no
        half span.

    Raises
    ------
    ValueError
        If ``align_corners`` is True and the source has an axis of size 1.

    >>> shift_by_one = np.array([[[1.0, 0.0, -1.0], [0.0, 1.0, 0.0]]])
    >>> theta_from_pixels(shift_by_one, (5, 5), (5, 5), align_corners=True)
    array([[[ 1. ,  0. , -0.5],
            [ 0. ,  1. ,  0. ]]])
    """
    source_xy, target_xy = source[::-1], target[::-1]
    half_s = np.array([span(size, align_corners) / 2 for size in source_xy])
    half_t = np.array([span(size, align_corners) / 2 for size in target_xy])
    if not half_s.all():
        raise ValueError(
            f"theta_from_pixels: source is {tuple(source)}; with align_corners=True an axis of one "
            "pixel has a single normalised coordinate and no scale. Use align_corners=False."
        )
    linear, shift = to_source[..., :2], to_source[..., 2]
    shift = linear @ _centre(target) + shift - _centre(source)
    return np.concatenate([linear * half_t / half_s[:, None], (shift / half_s)[..., None]], axis=-1)


def _centre(size: tuple[int, ...]) -> Floats:
    """The centre (x, y) of a frame (H, W), in pixels."""
    return (np.array(size[::-1], dtype=np.float64) - 1) / 2


def _ink_box(images: Images) -> tuple[Indices, Indices]:
    """First and last inked pixel of each image along (x, y), each (N, 2); the frame if no ink."""
    first, last = [], []
    for axis in (1, 2):  # any ink in a column tells about x, any in a row about y
        inked = np.asarray((images != 0).any(axis=axis))
        inked = inked | ~inked.any(axis=1, keepdims=True)
        first.append(inked.argmax(axis=1))
        last.append(inked.shape[1] - 1 - inked[:, ::-1].argmax(axis=1))
    return np.stack(first, axis=1), np.stack(last, axis=1)


def _window(which: Indices, corner: Indices, height: int, width: int) -> tuple[Indices, ...]:
    """Index of one window in each image ``which``, top-left pixel ``corner`` (x, y)."""
    rows = corner[:, 1, None, None] + np.arange(height)[:, None]
    columns = corner[:, 0, None, None] + np.arange(width)
    return which[:, None, None], rows, columns


def _paste(frame: Images, patches: Images, corner: Indices) -> None:
    """Each patch into its frame at ``corner`` (x, y); the brighter pixel wins."""
    index = _window(np.arange(len(frame)), corner, *patches.shape[1:])
    frame[index] = np.maximum(frame[index], patches)


def _check_images(operator: str, images: Any) -> None:
    if getattr(images, "dtype", None) != np.uint8:
        raise TypeError(
            f"{operator}: images is {describe(images)}, expected uint8 of shape (N, H, W), as the "
            "readers give it."
        )
    if images.ndim != 3:
        raise ValueError(
            f"{operator}: images has shape {images.shape}, expected (N, H, W), without a channel axis."
        )
