"""paddle 3.3.1: grid_bar is wrong (FAIL_GRAD).

Case kinks/bilinear/border/edges/float64/2d: Whole pixel coordinates, where slopes on both sides differ, and corners of them.
See pytorch/pytorch#23925
See jax-ml/jax#3024
See jax-ml/jax#3110
See tensorflow/addons#2535
See tensorflow/models#2016
See tensorflow/models#7564
See kevinzakka/spatial-transformer-network#13
See google-deepmind/dm_pix#126
"""

import numpy as np

U = np.array([[[[1.0]]]], dtype="float64")
grid = np.array([[[[0.0, 0.0]]]], dtype="float64")
V_bar = np.array([[[[1.0]]]], dtype="float64")
mode = 'bilinear'
padding_mode = 'border'
align_corners = False

import paddle
leaves = [paddle.to_tensor(array, stop_gradient=False) for array in (U, grid)]
V = paddle.nn.functional.grid_sample(*leaves, mode, padding_mode, align_corners)
U_bar, grid_bar = (bar.numpy() for bar in paddle.grad([V], leaves, [paddle.to_tensor(V_bar)]))
V = V.numpy()

print("got     ", grid_bar[0, 0, 0, 0])
print("expected", -1.5543122344752215e-15, "to", 1.5543122344752215e-15)
