"""paddle 3.3.1: grid_bar is wrong (FAIL_GRAD).

Case nan-coordinate/bilinear/reflection/edges/float64/2d: A NaN among good coordinates: it must touch no other sample.
See pytorch/pytorch#24823
See pytorch/pytorch#19826
"""

import numpy as np

U = np.array([[[[1.0]]]], dtype="float64")
grid = np.array([[[[0.0, 0.0]]]], dtype="float64")
V_bar = np.array([[[[1.0]]]], dtype="float64")
mode = 'bilinear'
padding_mode = 'reflection'
align_corners = False

import paddle
leaves = [paddle.to_tensor(array, stop_gradient=False) for array in (U, grid)]
V = paddle.nn.functional.grid_sample(*leaves, mode, padding_mode, align_corners)
U_bar, grid_bar = (bar.numpy() for bar in paddle.grad([V], leaves, [paddle.to_tensor(V_bar)]))
V = V.numpy()

print("got     ", grid_bar[0, 0, 0, 0])
print("expected", -1.5543122344752215e-15, "to", 1.5543122344752215e-15)
