"""What the grid generators and the sampler refuse, and how they say what to do instead."""

from typing import Any

import numpy as np

from ..autograd.tensor import Value, plain
from ..errors import check_floating, describe


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
