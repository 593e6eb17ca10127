"""chainer 7.8.1: U_bar is wrong (FAIL_NONFINITE).

Case nan-coordinate/bilinear/zeros/corners/float32/2d: A NaN among good coordinates: it must touch no other sample.
See pytorch/pytorch#24823
See pytorch/pytorch#19826
"""

import numpy as np

U = np.array([[[[0.0]]]], dtype="float32")
grid = np.array([[[[np.nan, 0.0]]]], dtype="float32")
V_bar = np.array([[[[0.0]]]], dtype="float32")
mode = 'bilinear'
padding_mode = 'zeros'
align_corners = True

import chainer
at = [chainer.Variable(array) for array in (U, np.moveaxis(grid, -1, 1))]
V = chainer.functions.spatial_transformer_sampler(*at)
V.grad = V_bar
V.backward()
V, U_bar, grid_bar = V.array, at[0].grad, np.moveaxis(at[1].grad, 1, -1)

print("got     ", U_bar[0, 0, 0, 0])
print("expected", 0.0, "to", 0.0)
