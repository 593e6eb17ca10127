"""jax 0.10.2: grid_bar is wrong (FAIL_GRAD).

Case largest/bilinear/border/corners/float32/2d: The largest coordinate there is, which no step towards pixels may make infinite.
"""

import numpy as np

U = np.array([[[[4.0, -2.0, 2.0, -4.0, -2.0],
                [-3.0, -4.0, 1.0, 4.0, -2.0],
                [1.0, -2.0, 2.0, 2.0, 3.0]]]], dtype="float32")
grid = np.array([[[[3.4028235e+38, 0.0]]]], dtype="float32")
V_bar = np.array([[[[4.0]]]], dtype="float32")
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

print("got     ", grid_bar[0, 0, 0, 0])
print("expected", -2.6702903142013788e-05, "to", 2.6702903142013788e-05)
