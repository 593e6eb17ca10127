"""tensorflow 2.21.0: grid_bar is wrong (FAIL_GRAD).

Case collisions/nearest/zeros/corners/float32/2d: Many samples in one cell: their cotangents must add up.
See tensorflow/tensorflow#127241
"""

import numpy as np

U = np.array([[[[0.0, 1.0]]]], dtype="float32")
grid = np.array([[[[0.0, -0.0]]]], dtype="float32")
V_bar = np.array([[[[1.0]]]], dtype="float32")
mode = 'nearest'
padding_mode = 'zeros'
align_corners = True

import tensorflow as tf
U_leaf, grid_leaf = leaves = [tf.Variable(array) for array in (U, grid)]
(N, C), (H, W) = U.shape[:2], grid.shape[1:3]
with tf.GradientTape() as tape:
    x, y = tf.unstack(tf.reshape((grid_leaf + 1) / 2, (-1, 2)), axis=1)
    boxes, which = tf.stack([y, x, y, x], axis=1), np.repeat(np.arange(N), H * W)
    crops = tf.image.crop_and_resize(tf.transpose(U_leaf, (0, 2, 3, 1)), boxes, which, (1, 1), mode)
    V = tf.transpose(tf.reshape(crops, (N, H, W, C)), (0, 3, 1, 2))
U_bar, grid_bar = tape.gradient(V, leaves, V_bar)
V = V.numpy()

print("got     ", grid_bar[0, 0, 0, 0])
print("expected", 0.0, "to", 0.0)
