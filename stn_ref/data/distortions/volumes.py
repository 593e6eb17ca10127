"""Volumes: digits with a thickness, and models made of voxels, turned in space."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from ...ops import rigid_theta
from .images import Batch, Floats, Images, centre, check_images, check_scale, ink_box
from .warping import map_between, roomy_places, warp

__all__ = ["digit_volumes", "turn_voxels", "turns_to_source"]

Ranges: TypeAlias = Sequence[tuple[float, float]]


def digit_volumes(
    images: Images,
    rng: np.random.Generator,
    *,
    size: int = 60,
    thickness: int = 8,
    degrees: Ranges = ((-45.0, 45.0),) * 3,
    scale: tuple[float, float] = (0.7, 1.2),
) -> Batch:
    """Each image as a body, turned, scaled and put at a random place of a cube.

    Parameters
    ----------
    images
        uint8, shape (N, H, W).
    size
        Voxels along each edge of the cube.
    thickness
        Slices of the body along the depth, each of them the image.
    degrees
        The ranges of the uniform angles about x, y and z.
    scale
        The range of the uniform scale, the same along all axes.

    Returns
    -------
    float32 in [0, 1], shape (N, 1, size, size, size): a volume of 60 takes 0.9 MB.

    Raises
    ------
    TypeError, ValueError
        If ``images`` is not uint8 of shape (N, H, W), or a setting is of another form.

    >>> picture = np.full((1, 4, 4), 255, dtype=np.uint8)
    >>> still = {"degrees": ((0, 0),) * 3, "scale": (1, 1)}
    >>> volume = digit_volumes(picture, np.random.default_rng(0), size=9, thickness=3, **still)
    >>> volume.shape, round(float(volume.sum()), 3)                  # 4 x 4 x 3 voxels, somewhere
    ((1, 1, 9, 9, 9), 48.0)
    """
    check_images("digit_volumes", "images", images)
    check_scale("digit_volumes", scale)
    if thickness < 1 or size < 1:
        raise ValueError(
            f"digit_volumes: thickness is {thickness} and size {size}, expected numbers of voxels from 1 on"
        )
    turns = turns_to_source(_angles("digit_volumes", degrees, len(images), rng))
    scales = rng.uniform(*scale, size=len(images))[:, None]
    where = rng.uniform(size=(len(images), 3))
    first, last = ink_box(images)
    first, last = np.insert(first, 2, 0, axis=1), np.insert(last, 2, thickness - 1, axis=1)
    middle, reach = (first + last) / 2, (last - first) / 2 + 1
    half = scales * np.einsum("nji,nj->ni", np.abs(turns), reach)
    to_source = map_between(turns / scales[..., None], middle, roomy_places(where, half, size))
    bodies = np.broadcast_to(images[:, None], (len(images), thickness, *images.shape[1:]))
    return warp(bodies, to_source, (size, size, size))


def turn_voxels(
    models: Images,
    rng: np.random.Generator,
    *,
    degrees: Ranges = ((-180.0, 180.0), (0.0, 0.0), (0.0, 0.0)),
) -> Batch:
    """Each model turned about the centre of its frame.

    Models uint8 (N, D, H, W), or (N, 1, D, H, W) as :func:`stn_ref.data.load_voxels` gives them, 0 empty and
    1 full; returns float32 in [0, 1], shape (N, 1, D, H, W). ``degrees`` are the ranges of the uniform angles
    about x, y and z; by default the models turn all the way about x, the axis along W, which in those models
    points up. What is turned out of the frame is cut off.

    Raises TypeError or ValueError if ``models`` is of another form or holds another number, or ``degrees`` is
    of another form.

    >>> model = np.zeros((1, 2, 2, 2), dtype=np.uint8)
    >>> model[0, 0, 0, 1] = 1                                                    # slice 0, row 0, column 1
    >>> quarter = ((0, 0), (0, 0), (90, 90))                                     # as np.rot90 in each slice
    >>> np.argwhere(turn_voxels(model, np.random.default_rng(0), degrees=quarter)[0, 0] > 0.5).tolist()
    [[0, 0, 0]]
    """
    if getattr(models, "shape", ())[1:2] == (1,) and models.ndim == 5:
        models = models[:, 0]
    check_images("turn_voxels", "models", models, "(N, D, H, W)")
    if (models > 1).any():
        raise ValueError(
            f"turn_voxels: models holds {models.max()}, expected 0, empty, and 1, full; use (models > "
            "0).astype(np.uint8)"
        )
    turns = turns_to_source(_angles("turn_voxels", degrees, len(models), rng))
    middle = centre(models.shape[1:])
    return warp(models * np.uint8(255), map_between(turns, middle, middle), models.shape[1:])


def turns_to_source(degrees: Floats) -> Floats:
    """The maps from target to source of things turned by angles about x, y and z: (N, 3) to (N, 3, 3).

    The thing is turned about z first, then about y, then about x, so that the map that leads back undoes the
    turn about x first.

    >>> turns_to_source(np.array([[0.0, 0.0, 90.0]]))[0].round(9) @ [0, -1, 0]    # above stands the right
    array([1., 0., 0.])
    """
    linear: Floats = rigid_theta(np.radians(degrees), np.zeros(degrees.shape))[..., :3]
    return linear


def _angles(operator: str, degrees: Any, count: int, rng: np.random.Generator) -> Floats:
    """Angles (count, 3), in degrees, each uniform in the range of its axis."""
    ranges = np.asarray(degrees, dtype=np.float64)
    if ranges.shape != (3, 2):
        raise ValueError(
            f"{operator}: degrees has shape {ranges.shape}, expected three ranges (low, high), about x, y "
            "and z; (0, 0) for no turn"
        )
    return rng.uniform(ranges[:, 0], ranges[:, 1], size=(count, 3))
