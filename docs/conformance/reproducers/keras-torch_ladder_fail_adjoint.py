"""keras-torch 3.15.1 (PyTorch 2.13.0+cpu): U_bar is wrong (FAIL_ADJOINT).

Case ladder/bilinear/border/corners/float64/2d: Coordinates from 2^10 up to 2^100, beyond all sorts of integers, with both signs.
"""

import numpy as np

U = np.array([[[[0.0, 0.0]]]], dtype="float64")
grid = np.array([[[[8589934589.0, 0.0]]]], dtype="float64")
V_bar = np.array([[[[1.0]]]], dtype="float64")
mode = 'bilinear'
padding_mode = 'border'
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

print("got     ", U_bar[0, 0, 0, 0])
print("expected", 0.0, "to", 0.0)
