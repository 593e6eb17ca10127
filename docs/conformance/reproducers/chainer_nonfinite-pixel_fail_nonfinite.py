"""chainer 7.8.1: V is wrong (FAIL_NONFINITE).

Case nonfinite-pixel/bilinear/zeros/corners/float32/2d: An infinite and a NaN pixel: samples away from them stay finite.
See pytorch/pytorch#194787
"""

import numpy as np

U = np.array([[[[np.inf, 0.0]]]], dtype="float32")
grid = np.array([[[[-6.0, 0.0]]]], dtype="float32")
V_bar = np.array([[[[2.0]]]], dtype="float32")
mode = 'bilinear'
padding_mode = 'zeros'
align_corners = True

import chainer
at = [chainer.Variable(array) for array in (U, np.moveaxis(grid, -1, 1))]
V = chainer.functions.spatial_transformer_sampler(*at)
V.grad = V_bar
V.backward()
V, U_bar, grid_bar = V.array, at[0].grad, np.moveaxis(at[1].grad, 1, -1)

print("got     ", V[0, 0, 0, 0])
print("expected", 0.0, "to", 0.0)
