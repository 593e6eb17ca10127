"""scipy 1.17.1: V is wrong (FAIL_VALUE).

Case ladder/nearest/border/corners/float64/2d: Coordinates from 2^10 up to 2^100, beyond all sorts of integers, with both signs.
"""

import numpy as np

U = np.array([[[[0.0, 1.0]]]], dtype="float64")
grid = np.array([[[[1.8446744073709552e+19, 0.0]]]], dtype="float64")
V_bar = np.array([[[[3.0]]]], dtype="float64")
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
