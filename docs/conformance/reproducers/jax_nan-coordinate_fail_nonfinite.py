"""jax 0.10.2: U_bar is wrong (FAIL_NONFINITE).

Case nan-coordinate/bilinear/zeros/corners/float32/2d: A NaN among good coordinates: it must touch no other sample.
See pytorch/pytorch#24823
See pytorch/pytorch#19826
"""

import numpy as np

U = np.array([[[[-3.0, 2.0, 1.0, 1.0, -4.0],
                [-4.0, 3.0, -1.0, -2.0, -3.0],
                [3.0, -3.0, -2.0, 1.0, 2.0]]]], dtype="float32")
grid = np.array([[[[np.nan, 1.125],
                   [np.nan, 1.125],
                   [-0.375, np.nan],
                   [1.0, np.nan],
                   [-0.5625, -0.75],
                   [0.9375, -0.25]]]], dtype="float32")
V_bar = np.array([[[[-2.0, 3.0, 1.0, 2.0, 1.0, 3.0]]]], dtype="float32")
mode = 'bilinear'
padding_mode = 'zeros'
align_corners = True

import jax
jax.config.update("jax_enable_x64", True)
def sample(U, grid):
    at = []
    for k, n in reversed([*enumerate(reversed(U.shape[2:]))]):
        at.append((grid[..., k] + 1) * (n - 1) / 2 if align_corners else ((grid[..., k] + 1) * n - 1) / 2)
    reflection = "mirror" if align_corners else "reflect"
    kind = {"zeros": "constant", "border": "nearest", "reflection": reflection}[padding_mode]
    plane = lambda U, at: jax.scipy.ndimage.map_coordinates(U, at, int(mode == "bilinear"), kind)
    return jax.vmap(jax.vmap(plane, (0, None)))(U, at)
V, pullback = jax.vjp(sample, U, grid)
V, (U_bar, grid_bar) = np.asarray(V), map(np.asarray, pullback(V_bar))

print("got     ", U_bar[0, 0, 0, 1])
print("expected", 0.656249647959878, "to", 0.656250352040122)
