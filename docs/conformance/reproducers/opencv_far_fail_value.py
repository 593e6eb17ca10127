"""opencv 5.0.0: V is wrong (FAIL_VALUE).

Case far/bicubic/reflection/edges/float32/2d: A few image widths outside, which a reflection folds several times.
See pytorch/pytorch#35202
See pytorch/pytorch#35506
See apache/tvm#19864
"""

import numpy as np

U = np.array([[[[0.0, 1.0]]]], dtype="float32")
grid = np.array([[[[-47.0, 0.0]]]], dtype="float32")
V_bar = np.array([[[[2.0]]]], dtype="float32")
mode = 'bicubic'
padding_mode = 'reflection'
align_corners = False

import cv2
(H, W), (x, y) = U.shape[2:], (grid[..., 0], grid[..., 1])
maps = [(x + 1) * (W - 1) / 2, (y + 1) * (H - 1) / 2]
if not align_corners:
    maps = [((x + 1) * W - 1) / 2, ((y + 1) * H - 1) / 2]
kernel = {"nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}[mode]
reflection = cv2.BORDER_REFLECT_101 if align_corners else cv2.BORDER_REFLECT
borders = {"zeros": cv2.BORDER_CONSTANT, "border": cv2.BORDER_REPLICATE, "reflection": reflection}
how = {"interpolation": kernel, "borderMode": borders[padding_mode]}
V = np.array([[cv2.remap(c, maps[0][n], maps[1][n], **how) for c in image] for n, image in enumerate(U)])

print("got     ", V[0, 0, 0, 0])
print("expected", 1.1874736435597086, "to", 1.1875263564402914)
