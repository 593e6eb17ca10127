"""paddle 3.3.1: grid_bar is wrong (FAIL_GRAD).

Case infinite-coordinate/bilinear/reflection/edges/float64/2d: Infinities among good coordinates: the limit, and nothing else touched.
See pytorch/pytorch#24823
See pytorch/pytorch#19826
"""

import numpy as np

U = np.array([[[[1.0]]]], dtype="float64")
grid = np.array([[[[0.0, 0.0]]]], dtype="float64")
V_bar = np.array([[[[1.0]]]], dtype="float64")
settings = {'needs': ('U', 'grid'), 'mode': 'bilinear', 'padding_mode': 'reflection', 'align_corners': False}

import paddle

def tensor(array):
    return paddle.to_tensor(array, place=paddle.CPUPlace())

def pulled(output, leaves, bar):
    return paddle.grad([output], leaves, [tensor(bar)], allow_unused=True)

def grid_sample_vjp(U, grid, V_bar, needs, **settings):
    at = {"U": tensor(U), "grid": tensor(grid)}
    for name in needs:
        at[name].stop_gradient = False
    V = paddle.nn.functional.grid_sample(at["U"], at["grid"], **settings)
    bars = pulled(V, [at[name] for name in needs], V_bar)
    return {name: None if bar is None else bar.numpy() for name, bar in zip(needs, bars)}


answer = np.asarray(grid_sample_vjp(U=U, grid=grid, V_bar=V_bar, **settings)["grid"])
print("got     ", answer[0, 0, 0, 0])
print("expected", '-1.5543122344752215e-15 to 1.5543122344752215e-15')
