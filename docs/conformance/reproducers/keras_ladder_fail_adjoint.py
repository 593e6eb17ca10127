"""keras 3.15.1 (TensorFlow 2.21.0): U_bar is wrong (FAIL_ADJOINT).

Case ladder/bilinear/border/corners/float64/2d: Coordinates from 2^10 up to 2^100, beyond all sorts of integers, with both signs.
"""

import numpy as np

U = np.array([[[[0.0, 0.0]]]], dtype="float64")
grid = np.array([[[[8589934589.0, 0.0]]]], dtype="float64")
V_bar = np.array([[[[1.0]]]], dtype="float64")
settings = {'needs': ('U', 'grid'), 'mode': 'bilinear', 'padding_mode': 'border', 'align_corners': True}

import os
os.environ["KERAS_BACKEND"] = "tensorflow"
import keras

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

def sampled(U, grid, mode, padding_mode, align_corners):
    how = int(mode == "bilinear"), ndimage_mode(padding_mode, align_corners)
    axes = keras.ops.stack(pixel_axes(keras.ops, grid, U.shape[2:], align_corners))
    image = keras.ops.image.map_coordinates
    V = [[image(U[n, c], axes[:, n], *how) for c in range(U.shape[1])] for n in range(U.shape[0])]
    return keras.ops.stack([keras.ops.stack(channels) for channels in V])

import tensorflow as tf

def pulled(f, at, needs, bars):
    leaves = {name: at[name] for name in needs}
    with tf.GradientTape() as tape:
        tape.watch(leaves)
        pairs = [(output, bar) for output, bar in zip(f(at), bars) if output is not None]
    outputs, kept = map(list, zip(*pairs))
    found = tape.gradient(outputs, leaves, output_gradients=kept)
    return {name: None if bar is None else tf.convert_to_tensor(bar) for name, bar in found.items()}

def grid_sample_vjp(U, grid, V_bar, needs, **settings):
    at = {"U": tf.constant(U), "grid": tf.constant(grid)}
    return pulled(lambda at: [sampled(**at, **settings)], at, needs, [tf.constant(V_bar)])


answer = np.asarray(grid_sample_vjp(U=U, grid=grid, V_bar=V_bar, **settings)["U"])
print("got     ", answer[0, 0, 0, 0])
print("expected", '0.0 to 0.0')
