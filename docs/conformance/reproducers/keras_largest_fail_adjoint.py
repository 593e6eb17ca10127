"""keras 3.15.1 (TensorFlow 2.21.0): U_bar is wrong (FAIL_ADJOINT).

Case largest/bilinear/border/corners/float64/2d: The largest coordinate there is, which no step towards pixels may make infinite.
"""

import numpy as np

U = np.array([[[[0.0, 0.0, 0.0, 0.0, 0.0]]]], dtype="float64")
grid = np.array([[[[1.7976931348623157e+308, 0.0]]]], dtype="float64")
V_bar = np.array([[[[1.0]]]], dtype="float64")
mode = 'bilinear'
padding_mode = 'border'
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

print("got     ", U_bar[0, 0, 0, 0])
print("expected", 0.0, "to", 0.0)
