"""keras 3.15.1 (TensorFlow 2.21.0): V is wrong (CRASH).

Case kinks/nearest/reflection/corners/float32/2d: Whole pixel coordinates, where slopes on both sides differ, and corners of them.
See jax-ml/jax#3024
See jax-ml/jax#3110
See tensorflow/models#2016
See tensorflow/models#7564
See kevinzakka/spatial-transformer-network#13
"""

import numpy as np

U = np.array([[[[0.0, 0.0]]]], dtype="float32")
grid = np.array([[[[3.0, 0.0]]]], dtype="float32")
V_bar = np.array([[[[-1.0]]]], dtype="float32")
mode = 'nearest'
padding_mode = 'reflection'
align_corners = True

import os
os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
at = []
for k, n in reversed([*enumerate(reversed(U.shape[2:]))]):
    at.append((grid[..., k] + 1) * (n - 1) / 2 if align_corners else ((grid[..., k] + 1) * n - 1) / 2)
reflection = "mirror" if align_corners else "reflect"
kind = {"zeros": "constant", "border": "nearest", "reflection": reflection}[padding_mode]
def plane(image, at):
    return keras.ops.convert_to_numpy(
        keras.ops.image.map_coordinates(image, at, int(mode == "bilinear"), kind)
    )
V = np.array([[plane(c, [x[n] for x in at]) for c in image] for n, image in enumerate(U)])

print("got     ", V.shape)
print("expected", np.nan, "to", np.nan)
