"""How the sampler compares with PyTorch's: agreement, and what each can differentiate.

Run it where both are installed: ``python -m benchmarks.against_pytorch``. Prints a Markdown table.
"""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import torch

from stn_ref import GradcheckError, affine_grid, gradcheck, grid_sample, vjp
from stn_ref.pixels import PADDING_MODES, to_normalised

MODES = ("nearest", "bilinear", "bicubic")
SIZES, OUTS = {2: (7, 6), 3: (3, 4, 5)}, {2: (4, 5), 3: (2, 3, 2)}  # by the number of dimensions


def inputs(rng: np.random.Generator, align_corners: bool, d: int = 2) -> tuple[Any, Any]:
    """An image and a grid whose samples lie at least 0.05 pixels from the kinks, some of them outside."""
    sizes = tuple(reversed(SIZES[d]))
    U = rng.normal(size=(2, 3, *SIZES[d]))
    cell = np.stack([rng.integers(-3, size + 3, (2, *OUTS[d])) for size in sizes], axis=-1)
    points = cell + rng.uniform(0.05, 0.95, cell.shape)
    points += np.where(np.abs(points % 1 - 0.5) < 0.05, 0.1, 0)  # nearest jumps, and False folds, at halves
    axes = [to_normalised(points[..., k], size, align_corners) for k, size in enumerate(sizes)]
    return U, np.stack(axes, axis=-1)


def largest_difference(trials: int = 20) -> float:
    """Of values and both cotangents, in float64, over every mode, padding and convention."""
    rng = np.random.default_rng(0)
    worst = 0.0
    cases = [*product(MODES, (2,)), ("nearest", 3), ("bilinear", 3)]  # PyTorch has no bicubic volumes
    for (mode, d), padding_mode, align_corners in product(cases, PADDING_MODES, (True, False)):
        settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
        for _ in range(trials):
            U, grid = inputs(rng, align_corners, d)
            V, pullback = vjp(partial(grid_sample, **settings), U, grid)
            V_bar = rng.normal(size=V.shape)
            theirs = [torch.tensor(x, requires_grad=True) for x in (U, grid)]
            out = torch.nn.functional.grid_sample(*theirs, **settings)
            out.backward(torch.tensor(V_bar))
            pairs = zip((V, *pullback(V_bar)), (out.detach(), theirs[0].grad, theirs[1].grad))
            worst = max(worst, *(float(np.abs(a - b.numpy()).max()) for a, b in pairs))
    return worst


def works(f: Callable[[], Any]) -> str:
    """Whether a derivative can be had (and, where it is checked, is right)."""
    try:
        f()
    except (RuntimeError, NotImplementedError, GradcheckError) as error:
        return "wrong" if isinstance(error, GradcheckError) else "no"
    return "yes"


def ours(mode: str, d: int) -> list[str]:
    """Checked by differences; order 2 includes the vjp of the vjp, of which forward mode is made."""
    f = partial(grid_sample, mode=mode, align_corners=True)
    first, second = (
        works(partial(gradcheck, f, inputs(np.random.default_rng(1), True, d), order=order))
        for order in (1, 2)
    )
    return [first, second, first]


def theirs(mode: str, d: int) -> list[str]:
    """The derivative, its derivative, and forward mode."""
    f = partial(torch.nn.functional.grid_sample, mode=mode, align_corners=True)
    plain = [torch.tensor(x) for x in inputs(np.random.default_rng(1), True, d)]
    leaves = [x.clone().requires_grad_() for x in plain]
    return [
        works(lambda: torch.autograd.gradcheck(f, leaves)),
        works(lambda: torch.autograd.gradgradcheck(f, leaves)),
        works(lambda: torch.func.jvp(f, tuple(plain), tuple(plain))),
    ]


def kink_slopes() -> str:
    """The slope of a constant image at a pixel centre, right of which eq. (7) to the letter gives 7."""
    U, grid = np.full((1, 1, 1, 3), 7.0), np.zeros((1, 1, 1, 2))
    _, pullback = vjp(partial(grid_sample, align_corners=True), U, grid)
    return f"{pullback(np.ones((1, 1, 1, 1)))[1][0, 0, 0, 0]:g}"


def identity_error(dtype: Any) -> str:
    """The largest error of affine_grid then grid_sample under the identity, in units of the last place."""
    theta = np.eye(2, 3, dtype=dtype)[None]
    U = np.random.default_rng(0).uniform(1, 2, (1, 1, 31, 29)).astype(dtype)
    V = grid_sample(U, affine_grid(theta, U.shape, align_corners=False), align_corners=False)
    grid = torch.nn.functional.affine_grid(torch.tensor(theta), U.shape, align_corners=False)
    W = torch.nn.functional.grid_sample(torch.tensor(U), grid, align_corners=False).numpy()
    inner = (..., slice(1, -1), slice(1, -1))
    unit = np.finfo(dtype).eps
    return " against ".join(f"{np.abs((x - U)[inner]).max() / unit:.1f}" for x in (V, W))


def main() -> None:
    print(f"stn_ref and PyTorch {torch.__version__}\n")
    print(f"Largest difference in float64, values and cotangents, all modes: {largest_difference():.1e}")
    for dtype in (np.float64, np.float32):
        print(f"Error of the identity, {dtype.__name__}, units of the last place: {identity_error(dtype)}")
    print(f"Slope of a constant image at a pixel centre: {kink_slopes()}\n")
    print("| `grid_sample` | stn_ref | PyTorch |\n|---|---|---|")
    for d, mode in product((2, 3), MODES):
        print(f"| {d}-D {mode} | {', '.join(ours(mode, d))} | {', '.join(theirs(mode, d))} |")
    print("\nDerivative, derivative of the derivative, forward mode.")


if __name__ == "__main__":
    main()
