"""JAX under jit: the sampler as its users write it; setting ``form``: "gather" or "map_coordinates"."""

from __future__ import annotations

import contextlib
import os
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.ndimage import map_coordinates

from benchmarks.peers import Job, base_grid, named, sampler_inputs

jax.config.update("jax_enable_x64", True)  # for the comparison; float32 stays float32


SETTINGS = {"form": "gather"}


def setup(settings):
    SETTINGS.update(settings)
    one_core()


def one_core():
    """All threads of this process on one core, another one at each call.

    XLA's flags leave a second thread; this is the only way to one. The core changes because a
    neighbour may keep one of them busy.
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    cores = SETTINGS.setdefault("cores", sorted(os.sched_getaffinity(0)))
    cores.append(cores.pop(0))
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(ProcessLookupError):  # it may have ended meanwhile
            os.sched_setaffinity(int(thread), {cores[0]})


def versions():
    return {"JAX": jax.__version__, "NumPy": np.__version__}


def one_image(U, theta, base, channels_last):
    """One image, (C, *S) or (*S, C), at the points theta @ base; eq. (5) with zeros outside."""
    axes = U.shape[:-1] if channels_last else U.shape[1:]
    points = (theta @ base)[::-1]
    pixels = [(p + 1) * ((n - 1) / 2) for p, n in zip(points, axes)]
    if SETTINGS["form"] == "map_coordinates":
        where = -1 if channels_last else 0
        return jax.vmap(lambda u: map_coordinates(u, pixels, 1), in_axes=where, out_axes=where)(U)
    floors = [jnp.floor(p) for p in pixels]
    fractions = [p - f for p, f in zip(pixels, floors)]
    total = 0
    for corner in product((0, 1), repeat=len(axes)):
        index = tuple(f.astype(jnp.int32) + k for f, k in zip(floors, corner))
        inside, weight = True, 1
        for i, n, t, k in zip(index, axes, fractions, corner):
            inside = inside & (i >= 0) & (i < n)
            weight = weight * (t if k else 1 - t)
        weight = jnp.where(inside, weight, 0)
        index = tuple(jnp.clip(i, 0, n - 1) for i, n in zip(index, axes))
        if channels_last:
            total = total + U[index] * weight[:, None]
        else:
            total = total + U[(slice(None), *index)] * weight
    return total


def prepare(case, arrays, dtype, check):
    U, theta, V_bar = sampler_inputs(case, arrays, dtype)
    size, last = V_bar.shape, case["memory"] == "channels last"
    if last:
        U, V_bar = (np.ascontiguousarray(np.moveaxis(x, 1, -1)) for x in (U, V_bar))
    base = base_grid(size[2:], dtype)
    inner = V_bar.shape
    U, theta, V_bar = jnp.asarray(U), jnp.asarray(theta), jnp.asarray(V_bar)

    def warp(U, theta):
        return jax.vmap(lambda u, t: one_image(u, t, base, last))(U, theta).reshape(inner)

    @jax.jit
    def forward(U, theta):
        return (warp(U, theta),)

    @jax.jit
    def forward_and_backward(U, theta, V_bar):
        V, pullback = jax.vjp(warp, U, theta)
        return (V, *pullback(V_bar))

    def run():
        if case["operation"] == "forward":
            return jax.block_until_ready(forward(U, theta))
        return jax.block_until_ready(forward_and_backward(U, theta, V_bar))

    def collect(found):
        arrays = [np.asarray(x) for x in found]
        if last:
            arrays[:2] = [np.moveaxis(x, -1, 1) for x in arrays[:2]]
        return named(*arrays)

    return Job(run, collect, one_core)
