"""paddle 3.3.1: grid_bar is wrong (CRASH).

Case random/nearest/zeros/corners/float32/2d: Random numbers of full length, inside and outside the image.
See apache/mxnet#8866
See PaddlePaddle/Paddle#38900
See PaddlePaddle/Paddle#70147
"""

import numpy as np

U = np.array([[[[0.6791429, -0.3566743, 1.6536877, -1.3564478, 0.95947045, 0.020966629,
                 -0.09172598],
                [0.75262487, 0.3758575, -0.14794393, -0.5025511, 0.13607027, 0.49324566,
                 1.1333841],
                [-0.76622033, 1.0287058, 0.56261826, -0.8973011, 1.3373708, -2.3223042,
                 1.4612505],
                [-0.8839637, -1.7097116, -0.5039491, -0.69269854, 0.004879869, 1.3256174,
                 -1.2807344]]]], dtype="float32")
grid = np.array([[[[-0.8002315, 0.47104147],
                   [-1.6460192, -0.10067053],
                   [-0.13147047, -0.14026405],
                   [-0.6690515, -1.5569922],
                   [0.6233508, -0.36101615],
                   [0.08917668, 1.2590122]]]], dtype="float32")
V_bar = np.array([[[[0.8461593, 1.8314267, -0.40363032, 1.3268706, 0.73593765, -1.6727242]]]], dtype="float32")
needs = ('grid',)
mode = 'nearest'
padding_mode = 'zeros'
align_corners = True

from stn_ref.oracle.adapters.paddlepaddle import Paddle

backend = Paddle()
answer = np.asarray(backend.grid_sample_vjp(U=U, grid=grid, V_bar=V_bar, needs=needs, mode=mode, padding_mode=padding_mode, align_corners=align_corners)["grid"])

print("got     ", answer.shape)
print("expected", np.nan, "to", np.nan)
