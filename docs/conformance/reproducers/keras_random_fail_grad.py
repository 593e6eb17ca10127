"""keras 3.15.1 (TensorFlow 2.21.0): V_dot is wrong (FAIL_GRAD).

Case random/nearest/reflection/edges/float64/2d: Random numbers of full length, inside and outside the image.
See kornia/kornia#3945
See kornia/kornia#4503
"""

import numpy as np

U = np.array([[[[0.42979845207222467, 0.146215598102006, -0.44494931427452394,
                 -1.1510934386948135, -0.033120220728219865, 0.21212764235071618,
                 0.4512237828696954],
                [-0.05073855526812176, 1.1514375429444437, 0.87755701989442, 0.5357966918775645,
                 0.0018785243061891284, 0.9367335189341801, 0.28323299848474126],
                [-0.9815407530276321, 0.7030213952931652, 0.17650661440783247,
                 -0.3059408080104101, -1.8804395042187365, -0.4982089442921807,
                 -1.0069269968400447],
                [-0.15212458238147475, 1.7045089004274188, -0.2321428446716543,
                 -1.0341062648351214, -1.664919725471682, -0.21042335838536105,
                 -0.6429807029578295]]]], dtype="float64")
grid = np.array([[[[-1.058378759139572, 1.0675339536471429],
                   [0.9699210029310572, 1.317728026806279]]]], dtype="float64")
U_dot = np.array([[[[2.0, -4.0, -1.0, -2.0, 2.0, -1.0, -3.0],
                    [3.0, 1.0, 4.0, 2.0, -3.0, 3.0, -4.0],
                    [-1.0, 1.0, -3.0, 1.0, -2.0, 3.0, 3.0],
                    [3.0, 2.0, 4.0, -3.0, -1.0, -2.0, 3.0]]]], dtype="float64")
grid_dot = np.array([[[[-1.0, -4.0],
                       [-2.0, -4.0]]]], dtype="float64")
settings = {'mode': 'nearest', 'padding_mode': 'reflection', 'align_corners': False}

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

def grid_sample_jvp(U, grid, U_dot, grid_dot, **settings):
    primals, tangents = [tf.constant(U), tf.constant(grid)], [tf.constant(U_dot), tf.constant(grid_dot)]
    with tf.autodiff.ForwardAccumulator(primals, tangents) as accumulator:
        V = sampled(*primals, **settings)
    return accumulator.jvp(V, tf.UnconnectedGradients.ZERO)


answer = np.asarray(grid_sample_jvp(U=U, grid=grid, U_dot=U_dot, grid_dot=grid_dot, **settings))
print("got     ", answer[0, 0, 0, 0])
print("expected", '2.999999999999996 to 3.000000000000004')
