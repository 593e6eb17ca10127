"""What the grid generators and the sampler refuse, and how they say what to do instead."""

from collections.abc import Iterable
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autograd.tensor import Value, plain
from ..errors import check_floating, describe

Array = NDArray[Any]


def check_theta(operator: str, theta: Value) -> int:
    """Refuse what is no batch of affine maps; the number of spatial dimensions."""
    check_floating(operator, "theta", plain(theta))
    shape = theta.shape
    if len(shape) == 3 and shape[1:] in ((2, 3), (3, 4)):
        return int(shape[1])
    hint = ""
    if shape[1:] == (6,):
        hint = "; use theta.reshape(-1, 2, 3)"
    elif shape in ((2, 3), (3, 4)):
        hint = "; use theta[None] for a batch of one"
    elif shape[1:] == (3, 3):
        hint = "; for an affine map use theta[:, :2]"
    raise ValueError(
        f"{operator}: theta has shape {shape}, expected (N, 2, 3), or (N, 3, 4) for volumes{hint}"
    )


def check_map(operator: str, argument: str, theta: Value) -> int:
    """As :func:`check_theta`, but homographies (N, 3, 3) of the plane are as good as affine maps."""
    check_floating(operator, argument, plain(theta))
    shape = theta.shape
    if len(shape) == 3 and shape[1:] in ((2, 3), (3, 4), (3, 3)):
        return int(shape[2]) - 1
    hint = ""
    if shape[1:] == (6,):
        hint = f"; use {argument}.reshape(-1, 2, 3)"
    elif shape in ((2, 3), (3, 4), (3, 3)):
        hint = f"; use {argument}[None] for a batch of one"
    elif shape[1:] == (4, 4):
        hint = f"; for an affine map use {argument}[:, :3]"
    elif shape[1:] == (8,):
        hint = "; append the ninth number, 1, and reshape"
    raise ValueError(
        f"{operator}: {argument} has shape {shape}, expected (N, 2, 3), (N, 3, 4) for volumes, or "
        f"homographies (N, 3, 3){hint}"
    )


def check_pixels(operator: str, argument: str, shape: Any, d: int) -> tuple[int, ...]:
    """Refuse what is no spatial shape of an image with pixels; the shape as a tuple."""
    if (
        isinstance(shape, (tuple, list))
        and len(shape) == d
        and all(isinstance(n, (int, np.integer)) and n > 0 for n in shape)
    ):
        return tuple(shape)
    expected = "(H, W)" if d == 2 else "(D, H, W)"
    hint = f"; use {argument}[2:]" if isinstance(shape, (tuple, list)) and len(shape) == d + 2 else ""
    raise ValueError(
        f"{operator}: {argument} is {describe(shape)}, expected {expected}, numbers of pixels from 1 on{hint}"
    )


def check_sizes(operator: str, size: Any, source: Any, d: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Refuse what are no spatial shapes of an output and its source; both as tuples."""
    return check_pixels(operator, "size", size, d), check_pixels(operator, "source", source, d)


def check_units(operator: str, argument: str, shape: tuple[int, ...]) -> None:
    """Refuse to divide by the span 0 of an axis of one pixel under align_corners=True."""
    if 1 in shape:
        raise ValueError(
            f"{operator}: {argument} is {shape}, but under align_corners=True an axis of one pixel has no "
            "normalised unit (-1 and 1 are the same point, its only pixel centre); take "
            "align_corners=False for it, or at least two pixels along each axis"
        )


def check_form(
    operator: str, argument: str, value: Value, forms: Iterable[tuple[int, ...]], library: str
) -> None:
    """Refuse what has none of the shapes, after N, in which ``library`` has its maps."""
    forms, shape = list(forms), value.shape
    if shape[1:] in forms:
        return
    hint = ""
    if shape in forms:
        hint = f"; use {argument}[None] for a batch of one"
    elif library == "scipy" and argument == "theta":
        hint = "; scipy.ndimage.affine_transform knows no homographies, OpenCV and PIL do"
    elif library == "scipy" and shape[1:] in ((2, 3), (3, 4)):
        hint = "; append the row (0, ..., 0, 1) to each"
    elif argument == "theta":
        hint = "; it warps no volumes, SciPy does"
    elif shape[1:] in ((2, 3), (3, 3)):
        hint = "; PIL's are written in one row, divided by the last number of a homography, which is left out"
    expected = " or ".join(str(("N", *form)).replace("'", "") for form in forms)
    raise ValueError(
        f"{operator}: {argument} has shape {shape}, expected {expected} for library={library!r}{hint}"
    )


def check_last_rows(operator: str, matrix: Array) -> None:
    """Refuse homogeneous matrices that are not affine, as SciPy does."""
    d = matrix.shape[1] - 1
    wrong = (matrix[:, -1] != np.eye(d + 1)[-1]).any(axis=1)
    if wrong.any():
        k = int(wrong.argmax())
        raise ValueError(
            f"{operator}: matrix[{k}] has the last row {matrix[k, -1].tolist()}, expected "
            f"{np.eye(d + 1)[-1].tolist()}, an affine map, for library='scipy'; an inversion may leave dust "
            "there: write the row anew"
        )


def nearly_singular(A: Array) -> Array:
    """Which of the matrices (N, k, k) are singular, or might become so by a rounding of their entries: (N,).

    The entry A_ij, moved by a part eps of itself, moves the determinant by a part eps A_ij (A^-1)_ji of
    itself. Where these parts add up to 1 or more, its sign is lost. Scales of rows and columns drop out.
    Those with NaN or infinity do not count.
    """
    with np.errstate(all="ignore"):
        flat = np.linalg.slogdet(A)[0] == 0
        inverse = np.linalg.inv(np.where(flat[:, None, None], np.eye(A.shape[1], dtype=A.dtype), A))
        parts = np.abs(A * np.swapaxes(inverse, 1, 2)).sum(axis=(1, 2))
        found: Array = flat | (parts * np.finfo(A.dtype).eps >= 1)
    return found


def check_invertible(operator: str, argument: str, A: Array) -> None:
    """Refuse matrices (N, k, k) without an inverse; NaN and infinity are no reason to: they go through."""
    A = A.astype(np.promote_types(A.dtype, np.float32))
    flat = nearly_singular(A)
    if flat.any():
        k = int(flat.argmax())
        raise ValueError(
            f"{operator}: {argument}[{k}] is singular: the part {A[k].tolist()} has determinant 0, up to "
            "rounding, so it flattens the image and no map leads back; leave it out, or give it a scale "
            "other than 0 in every direction"
        )


def check_points(operator: str, argument: str, points: Value) -> None:
    """Refuse what is no batch of four points, no three of them on one line, up to rounding."""
    check_floating(operator, argument, plain(points))
    shape = points.shape
    if len(shape) != 3 or shape[1:] != (4, 2):
        hint = f"; use {argument}[None] for a batch of one" if shape == (4, 2) else ""
        raise ValueError(
            f"{operator}: {argument} has shape {shape}, expected (N, 4, 2), four points (x, y) each{hint}"
        )
    values = np.asarray(plain(points), np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{operator}: {argument} holds NaN or infinity; every point needs a place")
    lifted = np.concatenate([values, np.ones((shape[0], 4, 1))], axis=2)
    for triple in combinations(range(4), 3):
        flat = nearly_singular(lifted[:, triple])
        if flat.any():
            k = int(flat.argmax())
            raise ValueError(
                f"{operator}: {argument}[{k}] is {values[k].tolist()}, of which the points {triple} lie on "
                "one line, up to rounding; expected four points of which no three do, which fix a homography"
            )


def check_box(operator: str, box: Value) -> None:
    """Refuse what is no batch of boxes (x_0, y_0, x_1, y_1) with sides of 0 or more."""
    check_floating(operator, "box", plain(box))
    shape = box.shape
    if len(shape) != 2 or shape[1] != 4:
        hint = "; use box[None] for a batch of one" if shape == (4,) else ""
        raise ValueError(
            f"{operator}: box has shape {shape}, expected (N, 4), each (x_0, y_0, x_1, y_1){hint}"
        )
    values = plain(box)
    turned = (values[:, 2:] < values[:, :2]).any(axis=1)
    if turned.any():
        k = int(turned.argmax())
        raise ValueError(
            f"{operator}: box[{k}] is {values[k].tolist()}, expected (x_0, y_0, x_1, y_1) with x_0 <= x_1 "
            "and y_0 <= y_1; if it ends with a width and a height, add x_0 and y_0 to them"
        )


def check_size(operator: str, size: Any, n: int, d: int) -> None:
    """Refuse an output shape that is not (N, C, *spatial) of non-negative integers."""
    expected = "(N, C, H', W')" if d == 2 else "(N, C, D', H', W')"
    if (
        not isinstance(size, (tuple, list))
        or len(size) != d + 2
        or not all(isinstance(k, (int, np.integer)) and k >= 0 for k in size)
    ):
        hint = ""
        if isinstance(size, (tuple, list)) and len(size) == d:
            hint = f"; use (N, C, {', '.join(map(str, size))})"
        raise ValueError(f"{operator}: size is {describe(size)}, expected {expected}{hint}")
    if size[0] != n:
        raise ValueError(
            f"{operator}: size is {tuple(size)} but theta holds {n} maps; the first number of size, N, "
            "is the number of maps"
        )


def check_image(operator: str, U: Value) -> int:
    """Refuse what is no batch of images or volumes; the number of spatial dimensions."""
    check_floating(operator, "U", plain(U))
    shape = U.shape
    if len(shape) not in (4, 5):
        hint = {2: "use U[None, None]", 3: "use U[None] for a batch of one"}.get(len(shape), "")
        raise ValueError(
            f"{operator}: U has shape {shape}, expected (N, C, H, W), or (N, C, D, H, W) for volumes"
            + (f"; {hint}" if hint else "")
        )
    if 0 in shape[2:]:
        raise ValueError(
            f"{operator}: U has shape {shape}, an image without pixels; every spatial axis needs at least one"
        )
    return len(shape) - 2


def check_grid(U: Value, grid: Value, d: int) -> None:
    check_floating("grid_sample", "grid", plain(grid))
    shape, n = grid.shape, U.shape[0]
    letters, order = ("(N, H', W', 2)", "(x, y)") if d == 2 else ("(N, D', H', W', 3)", "(x, y, z)")
    if len(shape) != d + 2 or shape[-1] != d:
        hint = ""
        if len(shape) == d + 2 and shape[1] == d:
            hint = ". It looks channel-first: use np.moveaxis(grid, 1, -1)"
        elif len(shape) == d + 1 and shape[-1] == d:
            hint = "; use grid[None] for a batch of one"
        raise ValueError(
            f"grid_sample: grid has shape {shape}, expected {letters}; the last axis holds {order}{hint}"
        )
    if shape[0] != n:
        raise ValueError(
            f"grid_sample: grid has shape {shape} but U has shape {U.shape}, expected one grid for each "
            f"of the {n} images; for one grid for all use np.broadcast_to(grid, ({n}, *grid.shape[1:]))"
        )
