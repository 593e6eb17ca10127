"""mxnet 1.9.1: V is wrong (FAIL_NONFINITE).

Case largest/bilinear/zeros/corners/float32/2d: The largest coordinate there is, which no step towards pixels may make infinite.
"""

import numpy as np

U = np.array([[[[0.0, 0.0, 0.0, 0.0, 0.0]]]], dtype="float32")
grid = np.array([[[[3.4028235e+38, 0.0]]]], dtype="float32")
V_bar = np.array([[[[3.0]]]], dtype="float32")
mode = 'bilinear'
padding_mode = 'zeros'
align_corners = True

import mxnet as mx
at = [mx.nd.array(array, dtype=array.dtype) for array in (U, np.moveaxis(grid, -1, 1))]
for leaf in at:
    leaf.attach_grad()
with mx.autograd.record():
    V = mx.nd.BilinearSampler(*at)
V.backward(mx.nd.array(V_bar, dtype=V_bar.dtype))
V, U_bar, grid_bar = V.asnumpy(), at[0].grad.asnumpy(), np.moveaxis(at[1].grad.asnumpy(), 1, -1)

print("got     ", V[0, 0, 0, 0])
print("expected", 0.0, "to", 0.0)
