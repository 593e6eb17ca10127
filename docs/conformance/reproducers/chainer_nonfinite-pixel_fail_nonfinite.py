"""chainer 7.8.1: V is wrong (FAIL_NONFINITE).

Case nonfinite-pixel/bilinear/zeros/corners/float32/2d: An infinite and a NaN pixel: samples away from them stay finite.
See pytorch/pytorch#194787
"""

import numpy as np

U = np.array([[[[np.inf, 0.0]]]], dtype="float32")
grid = np.array([[[[-6.0, 0.0]]]], dtype="float32")
settings = {'mode': 'bilinear', 'padding_mode': 'zeros', 'align_corners': True}

import chainer

def sampled(U, grid):
    return chainer.functions.spatial_transformer_sampler(U, grid.transpose((0, 3, 1, 2)))

def grid_sample(U, grid, **settings):
    return sampled(*(chainer.Variable(array, requires_grad=False) for array in (U, grid))).array


answer = np.asarray(grid_sample(U=U, grid=grid, **settings))
print("got     ", answer[0, 0, 0, 0])
print("expected", '0.0 to 0.0')
