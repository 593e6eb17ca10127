"""keras-torch 3.15.1 (PyTorch 2.13.0+cpu): V is wrong (CRASH).

Case one-pixel-wide/nearest/reflection/corners/float32/2d: W = 1.
"""

import numpy as np

U = np.array([[[[0.0]]]], dtype="float32")
grid = np.array([[[[0.0, 0.0]]]], dtype="float32")
V_bar = np.array([[[[4.0]]]], dtype="float32")
mode = 'nearest'
padding_mode = 'reflection'
align_corners = True

import os
os.environ["KERAS_BACKEND"] = "torch"
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
