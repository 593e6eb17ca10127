"""tensorflow 2.21.0: grid_bar is wrong (FAIL_GRAD).

Case one-pixel-high/nearest/zeros/corners/float32/2d: H = 1.
See pytorch/pytorch#15386
"""

import numpy as np

U = np.array([[[[0.0, 1.0]]]], dtype="float32")
grid = np.array([[[[0.0, 0.0]]]], dtype="float32")
V_bar = np.array([[[[1.0]]]], dtype="float32")
settings = {'needs': ('U', 'grid'), 'mode': 'nearest', 'padding_mode': 'zeros', 'align_corners': True}

import tensorflow as tf

def sampled(U, grid, mode, padding_mode, align_corners):
    n, *size = grid.shape[:-1]
    x, y = tf.unstack(tf.reshape((grid + 1) / 2, (-1, 2)), axis=1)
    boxes, which = tf.stack([y, x, y, x], axis=1), np.repeat(np.arange(n), np.prod(size))
    crops = tf.image.crop_and_resize(tf.transpose(U, (0, 2, 3, 1)), boxes, which, (1, 1), mode)
    return tf.transpose(tf.reshape(crops, (n, *size, U.shape[1])), (0, 3, 1, 2))

def pulled(f, at, needs, bars):
    leaves = {name: at[name] for name in needs}
    with tf.GradientTape() as tape:
        tape.watch(leaves)
        pairs = [(output, bar) for output, bar in zip(f(at), bars) if output is not None]
    outputs, kept = map(list, zip(*pairs))
    found = tape.gradient(outputs, leaves, output_gradients=kept)
    return {name: None if bar is None else tf.convert_to_tensor(bar) for name, bar in found.items()}

def grid_sample_vjp(U, grid, V_bar, needs, **settings):
    at = {"U": tf.constant(U), "grid": tf.constant(grid)}
    return pulled(lambda at: [sampled(**at, **settings)], at, needs, [tf.constant(V_bar)])


answer = np.asarray(grid_sample_vjp(U=U, grid=grid, V_bar=V_bar, **settings)["grid"])
print("got     ", answer[0, 0, 0, 0])
print("expected", '0.0 to 0.0')
