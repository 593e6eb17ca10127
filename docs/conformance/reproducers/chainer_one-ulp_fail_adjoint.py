"""chainer 7.8.1: U_bar is wrong (FAIL_ADJOINT).

Case one-ulp/bilinear/zeros/corners/float16/2d: The numbers next to kinks, ties and borders, on both sides.
See pytorch/pytorch#120543
"""

import numpy as np

U = np.array([[[[0.0, 0.0]]]], dtype="float16")
grid = np.array([[[[-0.9985, 0.0]]]], dtype="float16")
V_bar = np.array([[[[1.0]]]], dtype="float16")
settings = {'needs': ('U', 'grid'), 'mode': 'bilinear', 'padding_mode': 'zeros', 'align_corners': True}

import chainer

def sampled(U, grid):
    return chainer.functions.spatial_transformer_sampler(U, grid.transpose((0, 3, 1, 2)))

def pulled(output, bar):
    output.grad_var = chainer.Variable(bar)
    output.backward()

def grid_sample_vjp(U, grid, V_bar, needs, **settings):
    arrays = {"U": U, "grid": grid}
    at = {name: chainer.Variable(array, requires_grad=name in needs) for name, array in arrays.items()}
    pulled(sampled(**at), V_bar)
    return {name: at[name].grad for name in needs}


answer = np.asarray(grid_sample_vjp(U=U, grid=grid, V_bar=V_bar, **settings)["U"])
print("got     ", answer[0, 0, 0, 1])
print("expected", '0.0006681538610378863 to 0.0007966898889621137')
