"""mxnet 1.9.1: grid is wrong (FAIL_NONFINITE).

Case affine-one-pixel/corners/float32/2d: Outputs of a single pixel.
"""

import numpy as np

theta = np.array([[[0.0, 0.0, 0.0],
                   [0.0, 0.0, 0.0]]], dtype="float32")
settings = {'size': (1, 1, 1, 1), 'align_corners': True}

import mxnet as mx

def tensor(array):
    return mx.nd.array(array, dtype=array.dtype)

def gridded(theta, size):
    how = {"transform_type": "affine", "target_shape": size[2:]}
    return mx.nd.GridGenerator(theta.reshape((-1, 6)), **how).transpose((0, 2, 3, 1))

def affine_grid(theta, size, align_corners):
    return gridded(tensor(theta), size).asnumpy()


answer = np.asarray(affine_grid(theta=theta, **settings))
print("got     ", answer[0, 0, 0, 0])
print("expected", '0.0 to 0.0')
