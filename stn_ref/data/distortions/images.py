"""Images as the readers give them, and what the distortions ask about them."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...errors import describe

__all__ = [
    "Batch",
    "Floats",
    "Images",
    "Indices",
    "centre",
    "check_images",
    "check_scale",
    "ink_box",
    "to_unit",
]

Images: TypeAlias = NDArray[np.uint8]
Batch: TypeAlias = NDArray[np.float32]
Floats: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.intp]


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
    check_images("to_unit", "images", images)
    unit: Batch = images[:, None].astype(np.float32) / np.float32(255)
    return unit


def centre(size: tuple[int, ...]) -> Floats:
    """The centre (x, y) of a frame (H, W), or (x, y, z) of (D, H, W), in pixels.

    >>> centre((28, 42))
    array([20.5, 13.5])
    """
    return (np.array(size[::-1], dtype=np.float64) - 1) / 2


def ink_box(images: Images) -> tuple[Indices, Indices]:
    """First and last inked pixel of each image along (x, y), each (N, 2); the frame if no ink.

    >>> ink_box(np.array([[[0, 0, 0], [0, 9, 9]]], dtype=np.uint8))
    (array([[1, 1]]), array([[2, 1]]))
    """
    first, last = [], []
    for axis in (1, 2):  # any ink in a column tells about x, any in a row about y
        inked = np.asarray((images != 0).any(axis=axis))
        inked = inked | ~inked.any(axis=1, keepdims=True)
        first.append(inked.argmax(axis=1))
        last.append(inked.shape[1] - 1 - inked[:, ::-1].argmax(axis=1))
    return np.stack(first, axis=1), np.stack(last, axis=1)


def check_images(operator: str, argument: str, images: Any, form: str = "(N, H, W)") -> None:
    """Refuse what is not uint8, or has not the axes of ``form``."""
    if getattr(images, "dtype", None) != np.uint8:
        raise TypeError(
            f"{operator}: {argument} is {describe(images)}, expected uint8 of shape {form}, as the readers "
            "give it"
        )
    axes = form.split(", ")
    if images.ndim != len(axes):
        hint = f"; use {argument}[None] for one alone" if images.ndim == len(axes) - 1 else ""
        if images.ndim == len(axes) + 1 and images.shape[1] == 1:
            hint = f"; use {argument}[:, 0], without the channel axis"
        raise ValueError(f"{operator}: {argument} has shape {images.shape}, expected {form}{hint}")


def check_scale(operator: str, scale: Any) -> None:
    """Refuse what is no range of scales."""
    if not (isinstance(scale, (tuple, list)) and len(scale) == 2 and 0 < scale[0] <= scale[1] < np.inf):
        raise ValueError(
            f"{operator}: scale is {describe(scale)}, expected (low, high) with 0 < low <= high; 0.5 shows "
            "the digit half as large"
        )
