"""paddle 3.3.1: grid is wrong (FAIL_NONFINITE).

Case affine-half/corners/float32/3d: So long a row that steps added up in half precision go astray.
"""

import numpy as np

theta = np.array([[[0.0, 0.0, 0.0, 0.0],
                   [0.0, 0.0, 0.0, 0.0],
                   [0.0, 0.0, 0.0, 0.0]]], dtype="float32")
settings = {'size': (1, 1, 1, 1, 1), 'align_corners': True}

import paddle

def tensor(array):
    return paddle.to_tensor(array, place=paddle.CPUPlace())

def affine_grid(theta, size, align_corners):
    return paddle.nn.functional.affine_grid(tensor(theta), list(size), align_corners).numpy()


answer = np.asarray(affine_grid(theta=theta, **settings))
print("got     ", answer[0, 0, 0, 0, 0])
print("expected", '0.0 to 0.0')
