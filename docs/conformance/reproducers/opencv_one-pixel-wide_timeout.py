"""opencv 5.0.0: V is wrong (TIMEOUT).

Case one-pixel-wide/bicubic/reflection/corners/float32/2d: W = 1.
"""

import numpy as np

U = np.array([[[[2.0],
                [1.0],
                [-1.0]],

               [[4.0],
                [-4.0],
                [-4.0]],

               [[4.0],
                [4.0],
                [-4.0]]]], dtype="float32")
grid = np.array([[[[0.6875, 0.8125],
                   [-0.875, -1.3125],
                   [1.3125, -0.4375],
                   [0.875, 1.5],
                   [-1.4375, 0.25]],

                  [[-0.0625, -1.0625],
                   [0.0625, 0.3125],
                   [-1.375, -0.25],
                   [0.3125, -0.3125],
                   [-0.6875, 0.25]],

                  [[-0.3125, 0.375],
                   [-1.3125, 0.8125],
                   [0.3125, 0.4375],
                   [0.6875, -0.25],
                   [-1.0625, -0.5]],

                  [[-0.375, 1.25],
                   [0.1875, 0.8125],
                   [-1.0, 0.25],
                   [0.25, -0.0625],
                   [1.1875, 1.375]]]], dtype="float32")
V_bar = np.array([[[[-3.0, -2.0, 2.0, -1.0, 3.0],
                    [-3.0, 3.0, -1.0, -2.0, 2.0],
                    [3.0, -1.0, -3.0, 4.0, -4.0],
                    [3.0, -4.0, 2.0, -4.0, 1.0]],

                   [[-1.0, 4.0, -3.0, 3.0, -3.0],
                    [2.0, -3.0, 3.0, -4.0, 3.0],
                    [1.0, 3.0, -4.0, -1.0, -3.0],
                    [2.0, 2.0, -4.0, -3.0, -4.0]],

                   [[-3.0, -1.0, 1.0, 3.0, -4.0],
                    [2.0, 3.0, -4.0, 3.0, 1.0],
                    [3.0, 3.0, -2.0, -3.0, 2.0],
                    [-3.0, -4.0, -3.0, 1.0, -3.0]]]], dtype="float32")
mode = 'bicubic'
padding_mode = 'reflection'
align_corners = True

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

print("got     ", V.shape)
print("expected", np.nan, "to", np.nan)
