"""scipy 1.17.1: V is wrong (FAIL_VALUE).

Case largest/nearest/border/corners/float64/2d: The largest coordinate there is, which no step towards pixels may make infinite.
"""

import numpy as np

U = np.array([[[[0.0, 0.0, 0.0, 0.0, 1.0]]]], dtype="float64")
grid = np.array([[[[1.7976931348623157e+308, 0.0]]]], dtype="float64")
V_bar = np.array([[[[-1.0]]]], dtype="float64")
mode = 'nearest'
padding_mode = 'border'
align_corners = True

from scipy.ndimage import map_coordinates
at = []
for k, n in reversed([*enumerate(reversed(U.shape[2:]))]):
    at.append((grid[..., k] + 1) * (n - 1) / 2 if align_corners else ((grid[..., k] + 1) * n - 1) / 2)
reflection = "mirror" if align_corners else "reflect"
kind = {"zeros": "grid-constant", "border": "nearest", "reflection": reflection}[padding_mode]
how = {"order": int(mode == "bilinear"), "mode": kind}
V = np.array([[map_coordinates(c, [x[n] for x in at], **how) for c in image] for n, image in enumerate(U)])

print("got     ", V[0, 0, 0, 0])
print("expected", 0.9999999999999989, "to", 1.000000000000001)
