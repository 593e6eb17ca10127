"""paddle 3.3.1: V is wrong (FAIL_NONFINITE).

Case largest/bilinear/zeros/corners/float32/2d: The largest coordinate there is, which no step towards pixels may make infinite.
"""

import numpy as np

U = np.array([[[[0.0, 0.0, 0.0, 0.0, 0.0]]]], dtype="float32")
grid = np.array([[[[3.4028235e+38, 0.0]]]], dtype="float32")
V_bar = np.array([[[[3.0]]]], dtype="float32")
mode = 'bilinear'
padding_mode = 'zeros'
align_corners = True

import paddle
leaves = [paddle.to_tensor(array, stop_gradient=False) for array in (U, grid)]
V = paddle.nn.functional.grid_sample(*leaves, mode, padding_mode, align_corners)
U_bar, grid_bar = (bar.numpy() for bar in paddle.grad([V], leaves, [paddle.to_tensor(V_bar)]))
V = V.numpy()

print("got     ", V[0, 0, 0, 0])
print("expected", 0.0, "to", 0.0)
