"""keras 3.15.1 (TensorFlow 2.21.0): V is wrong (CRASH).

Case random/nearest/reflection/corners/float32/2d: Random numbers of full length, inside and outside the image.
"""

import numpy as np

U = np.array([[[[0.0],
                [0.0]]]], dtype="float32")
grid = np.array([[[[0.0, 2.0]]]], dtype="float32")
V_bar = np.array([[[[-1.3679537]]]], dtype="float32")
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
