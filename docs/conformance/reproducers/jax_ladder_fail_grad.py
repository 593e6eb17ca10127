"""jax 0.10.2: grid_bar is wrong (FAIL_GRAD).

Case ladder/bilinear/border/corners/float32/2d: Coordinates from 2^10 up to 2^100, beyond all sorts of integers, with both signs.
"""

import numpy as np

U = np.array([[[[-4.0, 4.0, 1.0, 2.0, 3.0],
                [-2.0, -1.0, 1.0, -3.0, 4.0],
                [2.0, 2.0, 1.0, -1.0, -2.0]]]], dtype="float32")
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
V_bar = np.array([[[[-3.0, 2.0],
                    [1.0, 1.0],
                    [-3.0, 2.0],
                    [-4.0, -1.0],
                    [4.0, -2.0],
                    [1.0, -1.0],
                    [1.0, 2.0],
                    [-1.0, -1.0],
                    [-1.0, 3.0],
                    [3.0, -1.0],
                    [1.0, -4.0],
                    [4.0, -4.0],
                    [2.0, 2.0],
                    [1.0, 1.0],
                    [-4.0, -1.0],
                    [2.0, 1.0]]]], dtype="float32")
settings = {'needs': ('U', 'grid'), 'mode': 'bilinear', 'padding_mode': 'border', 'align_corners': True}

import functools
import jax
jax.config.update("jax_enable_x64", True)

def ndimage_mode(padding_mode, align_corners):
    reflection = "mirror" if align_corners else "reflect"
    return {"zeros": "constant", "border": "nearest", "reflection": reflection}[padding_mode]

def pixel_axes(xp, grid, sizes, align_corners):
    axes = []
    for k, size in enumerate(reversed(sizes)):
        with np.errstate(all="ignore"):
            x_px = grid[..., k] * ((size - 1 if align_corners else size) / 2) + (size - 1) / 2
        axes.append(xp.where(xp.isfinite(x_px), x_px, grid[..., k]))
    return axes[::-1]

@functools.partial(jax.jit, static_argnames=("mode", "padding_mode", "align_corners"))
def sampled(U, grid, mode, padding_mode, align_corners):
    def plane(image, axes):
        how = int(mode == "bilinear"), ndimage_mode(padding_mode, align_corners)
        return jax.scipy.ndimage.map_coordinates(image, axes, *how)
    axes = pixel_axes(jax.numpy, grid, U.shape[2:], align_corners)
    return jax.vmap(jax.vmap(plane, (0, None)))(U, axes)

def pulled(f, at, needs, bars):
    _, pullback = jax.vjp(lambda leaves: f({**at, **leaves}), {name: at[name] for name in needs})
    return pullback(bars)[0]

def grid_sample_vjp(U, grid, V_bar, needs, **settings):
    at = {"U": U, "grid": grid}
    return pulled(lambda at: sampled(**at, **settings), at, needs, V_bar)


answer = np.asarray(grid_sample_vjp(U=U, grid=grid, V_bar=V_bar, **settings)["grid"])
print("got     ", answer[0, 3, 0, 0])
print("expected", '-5.3405806284027575e-05 to 5.3405806284027575e-05')
