"""chainer 7.8.1: V is wrong (FAIL_VALUE).

Case one-ulp/bilinear/zeros/corners/float16/2d: The numbers next to kinks, ties and borders, on both sides.
See pytorch/pytorch#120543
"""

import numpy as np

U = np.array([[[[0.0, 0.0, 0.0, 0.0, 1.0]]]], dtype="float16")
grid = np.array([[[[1.25, 0.0],
                   [1.499, 0.0]]]], dtype="float16")
settings = {'mode': 'bilinear', 'padding_mode': 'zeros', 'align_corners': True}

import chainer

def sampled(U, grid):
    return chainer.functions.spatial_transformer_sampler(U, grid.transpose((0, 3, 1, 2)))

def grid_sample(U, grid, **settings):
    return sampled(*(chainer.Variable(array, requires_grad=False) for array in (U, grid))).array


answer = np.asarray(grid_sample(U=U, grid=grid, **settings))
print("got     ", answer[0, 0, 0, 1])
print("expected", '0.00041548543316025934 to 0.0034907645668397404')
