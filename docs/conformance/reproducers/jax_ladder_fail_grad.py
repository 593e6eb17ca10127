"""jax 0.10.2: grid_bar is wrong (FAIL_GRAD).

Case ladder/bilinear/border/corners/float32/2d: Coordinates from 2^10 up to 2^100, beyond all sorts of integers, with both signs.
"""

import numpy as np

U = np.array([[[[-7.0, 7.0, 1.0, 3.0, 5.0],
                [-4.0, -2.0, 2.0, -6.0, 8.0],
                [4.0, 3.0, 2.0, -1.0, -4.0]]]], dtype="float32")
grid = np.array([[[[1024.0, 0.0],
                   [0.0, 1024.0]],

                  [[32768.0, 0.0],
                   [0.0, 32768.0]],

                  [[1.6777216e+07, 0.0],
                   [0.0, 1.6777216e+07]],

                  [[2.1474836e+09, 0.0],
                   [0.0, 2.1474836e+09]],

                  [[4.2949673e+09, 0.0],
                   [0.0, 4.2949673e+09]],

                  [[4.611686e+18, 0.0],
                   [0.0, 4.611686e+18]],

                  [[9.223372e+18, 0.0],
                   [0.0, 9.223372e+18]],

                  [[1.2676506e+30, 0.0],
                   [0.0, 1.2676506e+30]],

                  [[-1024.0, 0.0],
                   [0.0, -1024.0]],

                  [[-32768.0, 0.0],
                   [0.0, -32768.0]],

                  [[-1.6777216e+07, 0.0],
                   [0.0, -1.6777216e+07]],

                  [[-2.1474836e+09, 0.0],
                   [0.0, -2.1474836e+09]],

                  [[-4.2949673e+09, 0.0],
                   [0.0, -4.2949673e+09]],

                  [[-4.611686e+18, 0.0],
                   [0.0, -4.611686e+18]],

                  [[-9.223372e+18, 0.0],
                   [0.0, -9.223372e+18]],

                  [[-1.2676506e+30, 0.0],
                   [0.0, -1.2676506e+30]]]], dtype="float32")
V_bar = np.array([[[[-6.0, 3.0],
                    [2.0, 1.0],
                    [-6.0, 4.0],
                    [-8.0, -1.0],
                    [7.0, -3.0],
                    [1.0, -1.0],
                    [2.0, 4.0],
                    [-1.0, -1.0],
                    [-2.0, 5.0],
                    [6.0, -2.0],
                    [1.0, -8.0],
                    [7.0, -7.0],
                    [3.0, 3.0],
                    [1.0, 1.0],
                    [-7.0, -1.0],
                    [4.0, 2.0]]]], dtype="float32")
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

print("got     ", grid_bar[0, 3, 0, 0])
print("expected", -0.0002136232251361103, "to", 0.0002136232251361103)
