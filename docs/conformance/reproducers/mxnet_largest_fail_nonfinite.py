"""mxnet 1.9.1: V is wrong (FAIL_NONFINITE).

Case largest/bilinear/zeros/corners/float32/2d: The largest coordinate there is, which no step towards pixels may make infinite.
"""

import numpy as np

U = np.array([[[[0.0, 0.0, 0.0, 0.0, 0.0]]]], dtype="float32")
grid = np.array([[[[3.4028235e+38, 0.0]]]], dtype="float32")
settings = {'mode': 'bilinear', 'padding_mode': 'zeros', 'align_corners': True}

import mxnet as mx

def tensor(array):
    return mx.nd.array(array, dtype=array.dtype)

def sampled(U, grid):
    return mx.nd.BilinearSampler(U, grid.transpose((0, 3, 1, 2)))

def grid_sample(U, grid, **settings):
    return sampled(tensor(U), tensor(grid)).asnumpy()


answer = np.asarray(grid_sample(U=U, grid=grid, **settings))
print("got     ", answer[0, 0, 0, 0])
print("expected", '0.0 to 0.0')
