"""jax 0.10.2: U_bar is wrong (FAIL_NONFINITE).

Case infinite-coordinate/bilinear/border/corners/float32/2d: Infinities among good coordinates: the limit, and nothing else touched.
See pytorch/pytorch#24823
See pytorch/pytorch#19826
"""

import numpy as np

U = np.array([[[[3.0, -2.0, 4.0, 2.0, -1.0],
                [3.0, 2.0, -2.0, -1.0, 2.0],
                [-4.0, 4.0, 4.0, 2.0, -1.0]]]], dtype="float32")
grid = np.array([[[[np.inf, 1.125],
                   [-np.inf, 0.375],
                   [-0.375, np.inf],
                   [1.0, -np.inf]],

                  [[0.5625, -0.75],
                   [0.4375, -0.25],
                   [-0.1875, 0.25],
                   [1.0625, 1.0]],

                  [[-0.875, -0.75],
                   [-0.625, -0.25],
                   [-0.375, 0.25],
                   [1.0, 1.0]]]], dtype="float32")
V_bar = np.array([[[[-2.0, -2.0, 4.0, -4.0],
                    [-2.0, 3.0, -4.0, 3.0],
                    [2.0, -1.0, -2.0, -2.0]]]], dtype="float32")
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


answer = np.asarray(grid_sample_vjp(U=U, grid=grid, V_bar=V_bar, **settings)["U"])
print("got     ", answer[0, 0, 0, 1])
print("expected", '0.1874996647236733 to 0.1875003352763267')
