"""jax 0.10.2: grid_bar is wrong (FAIL_GRAD).

Case ladder/bilinear/border/corners/float32/2d: Coordinates from 2^10 up to 2^100, beyond all sorts of integers, with both signs.
"""

import numpy as np

U = np.array([[[[-4.0, 4.0, 1.0, 2.0, 3.0],
                [-2.0, -1.0, 1.0, -3.0, 4.0],
                [2.0, 2.0, 1.0, -1.0, -2.0]]]], dtype="float32")
grid = np.array([[[[1024.0, 0.0],
                   [0.0, 1024.0],
                   [32768.0, 0.0],
                   [0.0, 32768.0],
                   [1.6777216e+07, 0.0],
                   [0.0, 1.6777216e+07],
                   [2.1474836e+09, 0.0],
                   [0.0, 2.1474836e+09]]]], dtype="float32")
V_bar = np.array([[[[-3.0, 2.0, 1.0, 1.0, -3.0, 2.0, -4.0, -1.0]]]], dtype="float32")
mode = 'bilinear'
padding_mode = 'border'
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

print("got     ", grid_bar[0, 0, 6, 0])
print("expected", -5.3405806284027575e-05, "to", 5.3405806284027575e-05)
